from django.db import migrations, models


class Migration(migrations.Migration):
    """Both are of few rows: building them is one look through their tables, seconds at ten million rows."""

    dependencies = [("reviews", "0002_first_answers_replies_and_strata")]
    operations = [
        migrations.AddIndex(
            "item", models.Index(fields=["other_id"], condition=models.Q(other_id__isnull=False), name="item_other")
        ),
        migrations.AddIndex(
            "review",
            models.Index(fields=["queue", "item"], condition=models.Q(asks_lead=True), name="review_asks_lead"),
        ),
    ]
