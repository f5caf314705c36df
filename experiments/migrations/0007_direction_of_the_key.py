from django.db import migrations

# of a test that is decided the figures that decided it know; else the key as it is
DIRECTION = """
    UPDATE experiments_abtest t SET lower_is_better = coalesce(
        (SELECT (d.figures ->> 'lower_is_better')::boolean FROM experiments_decision d WHERE d.test_id = t.id),
        k.lower_is_better)
    FROM feedback_feedbackkey k WHERE k.id = t.feedback_key_id AND t.judged_by = 'metric'
"""


class Migration(migrations.Migration):
    dependencies = [("experiments", "0006_direction")]

    operations = [migrations.RunSQL(DIRECTION, migrations.RunSQL.noop)]
