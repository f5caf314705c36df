from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Built beside the reviewing that goes on."""

    atomic = False
    dependencies = [("reviews", "0002_first_answers_replies_and_strata")]
    operations = [
        AddIndexConcurrently(
            "item", models.Index(fields=["other_id"], condition=models.Q(other_id__isnull=False), name="item_other")
        ),
        AddIndexConcurrently(
            "review",
            models.Index(fields=["queue", "item"], condition=models.Q(asks_lead=True), name="review_asks_lead"),
        ),
    ]
