from django.db import migrations

# units are known one by one until their test is over; then the day is what is left
FIRST = """
    UPDATE experiments_abtest t SET first_unit_at = coalesce(
        (SELECT min(s.first_at) FROM experiments_seen s
            WHERE s.test_id = t.id AND s.sequence = t.sequence AND s.n > 0),
        (SELECT min(c.day)::timestamp AT TIME ZONE 'UTC' FROM experiments_cell c
            WHERE c.test_id = t.id AND c.sequence = t.sequence AND c.units > 0))
"""
# pauses that ended are in the log
PAUSES = """
    UPDATE experiments_abtest t SET paused_for = (
        SELECT coalesce(sum(greatest(interval '0', r.at - greatest(t.sequence_started_at, t.first_unit_at, p.at))),
            interval '0')
        FROM experiments_event r CROSS JOIN LATERAL (
            SELECT e.at FROM experiments_event e WHERE e.test_id = t.id AND e.id < r.id AND e.text LIKE 'Paused:%'
            ORDER BY e.id DESC LIMIT 1) AS p
        WHERE r.test_id = t.id AND r.text = 'Resumed.')
    WHERE t.first_unit_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("experiments", "0004_time_that_ran")]

    operations = [
        migrations.RunSQL(FIRST, migrations.RunSQL.noop),
        migrations.RunSQL(PAUSES, migrations.RunSQL.noop),
    ]
