from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reviews", "0003_indexes_of_pairs_and_questions_to_leads")]
    operations = [migrations.AddField("review", "reply_read_at", models.DateTimeField(null=True))]
