from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0002_figures")]

    operations = [
        migrations.AddIndex(
            "countedvote", models.Index(fields=["test_id", "sequence", "judge"], name="counted_vote_judge")
        ),
    ]
