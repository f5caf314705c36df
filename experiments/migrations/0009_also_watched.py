import django.db.models.deletion
from django.db import migrations, models

import feedback.models

# of tests that run what their units tell already; their tokens, which nobody added up, are counted again by the worker
BROUGHT_IN = """
    INSERT INTO experiments_watchedcell (test_id, sequence, arm_id, figure, day, units, total, squares)
    SELECT test_id, sequence, arm, figure, day, count(*), sum(value), sum(value * value) FROM (
        SELECT s.test_id, s.sequence, s.arm, f.figure, (s.first_at AT TIME ZONE 'UTC')::date AS day, f.value
        FROM (
            SELECT s.*, count(*) OVER (PARTITION BY s.test_id, s.sequence, s.unit) > 1 AS is_crossed
            FROM experiments_seen s JOIN experiments_abtest t ON t.id = s.test_id AND t.sequence = s.sequence
            WHERE t.ended_at IS NULL AND t.judged_by = 'metric' AND s.n > 0
        ) AS s CROSS JOIN LATERAL (
            SELECT -1 AS figure, (s.failed::numeric / s.n)::float8::text::numeric AS value
            UNION ALL SELECT -2, CASE WHEN s.timed > 0
                THEN round(ln(greatest(s.latency_ms::float8 / s.timed, 1))::numeric, 9) END
        ) AS f WHERE f.value IS NOT NULL AND NOT s.is_crossed
    ) AS valued GROUP BY 1, 2, 3, 4, 5
"""
COUNT_AGAIN = """
    UPDATE experiments_abtest SET recount_after = '00000000-0000-0000-0000-000000000000'
    WHERE ended_at IS NULL AND judged_by = 'metric'
"""


class Migration(migrations.Migration):
    dependencies = [("experiments", "0008_failed_calls")]

    operations = [
        migrations.AddField("abtest", "recount_after", models.UUIDField(null=True)),
        migrations.AddField("counted", "completion_tokens", models.IntegerField(null=True)),
        migrations.AddField("seen", "completion_tokens", models.BigIntegerField(db_default=0)),
        migrations.AddField("seen", "tokened", models.IntegerField(db_default=0)),
        migrations.CreateModel(
            name="WatchedKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "test",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watched_keys",
                        to="experiments.abtest",
                    ),
                ),
                (
                    "feedback_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="feedback.feedbackkey"
                    ),
                ),
                ("lower_is_better", models.BooleanField()),
                ("margin", models.FloatField()),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(fields=["test", "feedback_key"], name="watched_key_unique"),
                    models.CheckConstraint(condition=models.Q(("margin__gt", 0)), name="watched_key_margin"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CountedUnder",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "interaction_id",
                        "feedback_key_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("interaction_id", models.UUIDField()),
                ("feedback_key_id", models.IntegerField()),
                ("arm", models.IntegerField()),
                ("sequence", models.SmallIntegerField()),
                ("unit", models.UUIDField()),
                ("value", feedback.models.Numeric()),
            ],
        ),
        migrations.CreateModel(
            name="SeenUnder",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "test_id",
                        "sequence",
                        "unit",
                        "arm",
                        "feedback_key_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("test_id", models.IntegerField()),
                ("sequence", models.SmallIntegerField()),
                ("unit", models.UUIDField()),
                ("arm", models.IntegerField()),
                ("feedback_key_id", models.IntegerField()),
                ("answered", models.IntegerField()),
                ("total", feedback.models.Numeric()),
            ],
        ),
        migrations.CreateModel(
            name="WatchedCell",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.SmallIntegerField()),
                ("figure", models.IntegerField()),
                ("day", models.DateField()),
                ("units", models.IntegerField()),
                ("total", feedback.models.Numeric()),
                ("squares", feedback.models.Numeric()),
                (
                    "arm",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="experiments.arm",
                    ),
                ),
                (
                    "test",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watched_cells",
                        to="experiments.abtest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["test", "sequence", "arm", "figure", "day"], name="watched_cell_unique"
                    ),
                ],
            },
        ),
        migrations.RunSQL(BROUGHT_IN, migrations.RunSQL.noop),
        migrations.RunSQL(COUNT_AGAIN, migrations.RunSQL.noop),
    ]
