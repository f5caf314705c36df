"""Roles that teams have already may review as those of new teams do."""

from django.db import migrations

MANAGERS = {"administrator", "engineer", "reviewer"}


def give(apps, schema_editor):
    """Who may label may review; administrators, engineers and reviewers make the queues."""
    for role in apps.get_model("accounts", "Role").objects.filter(permissions__contains=["label.write"]):
        managing = {"review.manage"} if role.key in MANAGERS else set()
        role.permissions = sorted({*role.permissions, "review.answer", *managing})
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_programs_give_feedback")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
