import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLE = """
CREATE TABLE interactions_note (
    interaction_id uuid NOT NULL,
    id uuid NOT NULL,
    note_id uuid NOT NULL,
    project_id integer NOT NULL,
    author_id bigint NOT NULL,
    by_id bigint NOT NULL,
    text text NOT NULL,
    edited_at timestamptz,
    superseded_by uuid,
    CONSTRAINT interactions_note_pkey PRIMARY KEY (interaction_id, id)
) PARTITION BY RANGE (interaction_id);
CREATE INDEX note_current ON interactions_note (project_id, interaction_id) WHERE superseded_by IS NULL;
"""
# cut like the interactions, wherever those are cut already; nobody makes a partition meanwhile
PARTITIONS = """
DO $$
DECLARE part record;
BEGIN
    PERFORM pg_advisory_xact_lock(x'4d6172670001'::bigint);
    FOR part IN
        SELECT replace(c.relname, 'interactions_interaction_', '') AS suffix,
            pg_get_expr(c.relpartbound, c.oid) AS bounds
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'interactions_interaction'::regclass
    LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF interactions_note %s WITH (autovacuum_vacuum_insert_threshold = 10000,'
            ' autovacuum_vacuum_insert_scale_factor = 0)', 'interactions_note_' || part.suffix, part.bounds);
    END LOOP;
END $$;
"""


def small(to):
    return models.ForeignKey(
        to, on_delete=django.db.models.deletion.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )


class Migration(migrations.Migration):
    """Notes lie beside the interactions, cut as they are: they go with a month, a slice, a project."""

    dependencies = [
        ("interactions", "0014_api_keys"),
        ("projects", "0001_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(TABLE, "DROP TABLE interactions_note"),
                migrations.RunSQL(PARTITIONS, migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Note",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "interaction_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("interaction_id", models.UUIDField()),
                        ("id", models.UUIDField()),
                        ("note_id", models.UUIDField()),
                        ("project", small("projects.project")),
                        ("author", small(settings.AUTH_USER_MODEL)),
                        ("by", small(settings.AUTH_USER_MODEL)),
                        ("text", models.TextField()),
                        ("edited_at", models.DateTimeField(null=True)),
                        ("superseded_by", models.UUIDField(null=True)),
                    ],
                ),
            ],
        ),
    ]
