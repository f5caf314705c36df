from django.db import migrations, models

COLUMN = "ALTER TABLE interactions_interaction ADD COLUMN IF NOT EXISTS failed boolean NOT NULL DEFAULT false"
# of the whole table alone, so that partitions to come have one of their own at once; whole when each has one
INDEX = """
CREATE INDEX IF NOT EXISTS interaction_failed ON ONLY interactions_interaction (project_id, id) WHERE failed
"""
PARTS = """
    SELECT c.relname, x.indisvalid, EXISTS (
        SELECT FROM pg_inherits a JOIN pg_index own ON own.indexrelid = a.inhrelid
        WHERE a.inhparent = 'interaction_failed'::regclass AND own.indrelid = c.oid)
    FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
    LEFT JOIN pg_index x ON x.indexrelid = to_regclass(quote_ident(c.relname || '_failed'))
    WHERE h.inhparent = 'interactions_interaction'::regclass ORDER BY c.relname DESC
"""
# what was logged before this version: the worker looks through it, oldest first, so that it comes last to what a
# process of the former version may still be storing
BEGIN = """
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args)
    SELECT 'default', 'interactions.mark_failed', 'interactions.mark_failed', '{"after": null}'
    WHERE EXISTS (SELECT FROM interactions_interaction)
        AND NOT EXISTS (
            SELECT FROM procrastinate_jobs
            WHERE task_name = 'interactions.mark_failed' AND status IN ('todo', 'doing'))
"""


def make_index(apps, schema_editor):
    """A partition at a time, while others write; what a killed one left half done is made anew."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(INDEX)
        cursor.execute(PARTS)
        for table, is_whole, is_attached in cursor.fetchall():
            index = f"{table}_failed"
            if is_attached:
                continue
            if is_whole is False:
                cursor.execute(f'DROP INDEX "{index}"')
            if not is_whole:
                cursor.execute(f'CREATE INDEX CONCURRENTLY "{index}" ON "{table}" (project_id, id) WHERE failed')
            cursor.execute(f'ALTER INDEX interaction_failed ATTACH PARTITION "{index}"')


class Migration(migrations.Migration):
    """Calls that failed have a mark in their row, and an index by it. Not one transaction: the index of ten million is
    made without keeping anybody from writing; whichever step it was killed in, it goes on there."""

    atomic = False
    dependencies = [
        ("interactions", "0012_former_names_of_labels"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(COLUMN, "ALTER TABLE interactions_interaction DROP COLUMN IF EXISTS failed")
            ],
            state_operations=[
                migrations.AddField("interaction", "failed", models.BooleanField(db_default=False)),
            ],
        ),
        migrations.RunPython(make_index, migrations.RunPython.noop),
        migrations.RunSQL(BEGIN, migrations.RunSQL.noop),
    ]
