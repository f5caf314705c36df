import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# nobody changes what was done, or takes it away: neither code of ours nor a statement typed by hand
REFUSE = """
    CREATE FUNCTION accounts_auditentry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The audit log is only added to.';
    END $$;
    CREATE TRIGGER auditentry_stays BEFORE UPDATE OR DELETE ON accounts_auditentry
        FOR EACH ROW EXECUTE FUNCTION accounts_auditentry_stays();
"""
ALLOW = """
    DROP TRIGGER auditentry_stays ON accounts_auditentry;
    DROP FUNCTION accounts_auditentry_stays;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_models_and_tests")]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("project_id", models.IntegerField(null=True)),
                ("project_key", models.CharField(max_length=64)),
                ("verb", models.CharField(max_length=40)),
                ("object", models.CharField(max_length=200)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.apikey",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.team",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["team", "-id"], name="auditentry_team_newest")]},
        ),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
