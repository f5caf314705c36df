import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# what a job did is found by the job, an interaction after the other; what is alike by what it has in common
TABLES = """
ALTER TABLE interactions_labelevent ADD COLUMN job_id uuid;
CREATE INDEX labelevent_job ON interactions_labelevent (job_id, interaction_id) WHERE job_id IS NOT NULL;
CREATE INDEX interaction_near ON interactions_interaction (project_id, near_hash, id);
"""
DROP = """
DROP INDEX interaction_near, labelevent_job;
ALTER TABLE interactions_labelevent DROP COLUMN job_id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("interactions", "0004_retention"),
        ("projects", "0002_keep_days"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            TABLES,
            DROP,
            state_operations=[
                migrations.AddField(model_name="labelevent", name="job_id", field=models.UUIDField(null=True)),
            ],
        ),
        migrations.AddField(model_name="label", name="hue", field=models.SmallIntegerField(null=True)),
        migrations.CreateModel(
            name="LabelKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100)),
                ("description", models.CharField(blank=True, max_length=2000)),
                (
                    "values",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=500), null=True, size=None
                    ),
                ),
                ("hue", models.SmallIntegerField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_keys",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "key"), name="label_key_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("hue", None), models.Q(("hue__gte", 0), ("hue__lt", 10)), _connector="OR"),
                        name="label_key_hue",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LabelAlias",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100)),
                ("value", models.CharField(blank=True, max_length=500)),
                ("to", models.CharField(max_length=500)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("settled", models.BooleanField(default=False)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_aliases",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("project", "key", "value"), name="label_alias_unique")],
            },
        ),
    ]
