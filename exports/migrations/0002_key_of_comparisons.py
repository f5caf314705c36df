from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0001_tables"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="feedback_key",
            field=models.CharField(blank=True, max_length=100),
        ),
    ]
