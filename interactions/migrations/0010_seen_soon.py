from django.db import migrations

# The partitions that there are; new ones are made so (interactions/partitions.py, which says why).
SEEN_SOON = """
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN
        SELECT i.inhrelid FROM pg_partitioned_table p
        JOIN pg_class c ON c.oid = p.partrelid
        JOIN pg_inherits i ON i.inhparent = p.partrelid
        JOIN pg_class child ON child.oid = i.inhrelid AND child.relkind = 'r'
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relname <> 'interactions_interactionbody'
    LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_insert_threshold = 10000,'
            ' autovacuum_vacuum_insert_scale_factor = 0)', part);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0009_text")]

    operations = [migrations.RunSQL(SEEN_SOON, migrations.RunSQL.noop)]
