from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # votes are counted while the index is made

    dependencies = [("experiments", "0002_figures")]

    operations = [
        AddIndexConcurrently(
            "countedvote", models.Index(fields=["test_id", "sequence", "judge"], name="counted_vote_judge")
        ),
    ]
