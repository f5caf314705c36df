from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_programs_give_feedback"), ("projects", "0001_tables")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="keep_days",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(keep_days=None) | models.Q(keep_days__range=(1, 36_500)),
                name="project_keep_days_in_range",
            ),
        ),
    ]
