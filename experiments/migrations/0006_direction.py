from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0005_time_that_ran_so_far")]

    operations = [migrations.AddField("abtest", "lower_is_better", models.BooleanField(default=False))]
