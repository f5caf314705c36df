from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_tables")]

    operations = [
        migrations.AddField("job", "beginnings", models.SmallIntegerField(db_default=0)),
        migrations.AddField("job", "failures", models.SmallIntegerField(db_default=0)),
    ]
