from django.db import migrations


def give(apps, schema_editor):
    for role in apps.get_model("accounts", "Role").objects.filter(key="program"):
        role.permissions = sorted({*role.permissions, "feedback.write"})
        role.save(update_fields=["permissions"])


def take_back(apps, schema_editor):
    for role in apps.get_model("accounts", "Role").objects.filter(key="program"):
        role.permissions = [one for one in role.permissions if one != "feedback.write"]
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_temporary_passwords")]

    operations = [migrations.RunPython(give, take_back)]
