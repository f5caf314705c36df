"""Administrators and auditors of teams that there are already may read the audit log, as those of new teams do."""

from django.db import migrations

AUDIT = "audit.read"


def give(apps, schema_editor):
    for role in apps.get_model("accounts", "Role").objects.filter(key__in=["administrator", "auditor"]):
        role.permissions = sorted({*role.permissions, AUDIT})
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_audit_log")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
