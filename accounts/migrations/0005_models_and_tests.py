"""Roles that teams have already may call, manage and test models as those of new teams do."""

from django.db import migrations

MORE = {
    "administrator": {"model.call", "model.manage", "model.deploy", "experiment.manage"},
    "engineer": {"model.call", "model.manage", "model.deploy", "experiment.manage"},
    "reviewer": {"model.call"},
    "program": {"model.call"},
}


def give(apps, schema_editor):
    for role in apps.get_model("accounts", "Role").objects.filter(key__in=MORE):
        role.permissions = sorted({*role.permissions, *MORE[role.key]})
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_reviewing")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
