import datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0003_votes_by_judge")]

    operations = [
        migrations.AddField("abtest", "first_unit_at", models.DateTimeField(null=True)),
        migrations.AddField("abtest", "paused_for", models.DurationField(default=datetime.timedelta)),
    ]
