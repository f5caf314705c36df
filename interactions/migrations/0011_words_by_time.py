from django.db import migrations

TIMES = """
CREATE FUNCTION interactions_times(id uuid) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY[
        ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 60000,
        ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 3600000
    ]
$$;
"""
INDEX = """
DROP INDEX interaction_words;
CREATE INDEX interaction_words ON interactions_interactionbody
    USING gin (interactions_words(messages, completion){times})
    WITH (fastupdate = on, gin_pending_list_limit = 32768);
ANALYZE interactions_interactionbody
"""


class Migration(migrations.Migration):
    """Beside the words, their index knows the minute and the hour: where both are asked for, it reads of a word only
    what lies in that time, and not the whole month."""

    dependencies = [("interactions", "0010_seen_soon")]

    operations = [
        migrations.RunSQL(TIMES, "DROP FUNCTION interactions_times(uuid)"),
        migrations.RunSQL(
            INDEX.format(times=", interactions_times(id)"),
            INDEX.format(times=""),
        ),
    ]
