from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0007_direction_of_the_key")]

    operations = [
        migrations.AddField("cell", "failed", models.BigIntegerField(db_default=0)),
        migrations.AddField("counted", "failed", models.BooleanField(db_default=False)),
        migrations.AddField("seen", "failed", models.IntegerField(db_default=0)),
    ]
