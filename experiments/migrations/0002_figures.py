import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import feedback.models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_tables"), ("interactions", "0006_arm_touches")]

    operations = [
        migrations.CreateModel(
            name="Counted",
            fields=[
                ("interaction_id", models.UUIDField(primary_key=True, serialize=False)),
                ("arm", models.IntegerField()),
                ("sequence", models.SmallIntegerField()),
                ("unit", models.UUIDField()),
                ("value", feedback.models.Numeric(null=True)),
                ("latency_ms", models.IntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="CountedVote",
            fields=[
                ("comparison_id", models.UUIDField(primary_key=True, serialize=False)),
                ("test_id", models.IntegerField()),
                ("sequence", models.SmallIntegerField()),
                ("judge", models.UUIDField()),
                ("one", models.IntegerField()),
                ("other", models.IntegerField()),
                ("points", models.SmallIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Seen",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "test_id",
                        "sequence",
                        "unit",
                        "arm",
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
                ("first_at", models.DateTimeField()),
                ("n", models.IntegerField()),
                ("answered", models.IntegerField()),
                ("total", feedback.models.Numeric()),
                ("latency_ms", models.BigIntegerField()),
                ("timed", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Cell",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.SmallIntegerField()),
                ("day", models.DateField()),
                ("units", models.IntegerField()),
                ("answered", models.IntegerField()),
                ("crossed", models.IntegerField()),
                ("total", feedback.models.Numeric()),
                ("squares", feedback.models.Numeric()),
                ("interactions", models.BigIntegerField()),
                ("latency_ms", models.BigIntegerField()),
                ("timed", models.BigIntegerField()),
                ("folded_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="cells", to="experiments.abtest"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("test", "sequence", "arm", "day"), name="cell_unique"),
                ],
            },
        ),
        migrations.CreateModel(
            name="VoteCell",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.SmallIntegerField()),
                ("judges", models.SmallIntegerField()),
                ("wins", models.IntegerField()),
                ("losses", models.IntegerField()),
                ("ties", models.IntegerField()),
                (
                    "one",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="experiments.arm",
                    ),
                ),
                (
                    "other",
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="votes", to="experiments.abtest"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("test", "sequence", "judges", "one", "other"), name="vote_cell_unique"
                    ),
                ],
            },
        ),
    ]
