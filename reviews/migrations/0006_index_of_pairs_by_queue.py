from django.db import migrations, models


class Migration(migrations.Migration):
    """Of pairs alone, which are few: building it is one look through the table, seconds at ten million rows."""

    dependencies = [("reviews", "0005_strata_are_those_of_samples")]
    operations = [
        migrations.AddIndex(
            "item",
            models.Index(
                fields=["queue", "other_id"], condition=models.Q(other_id__isnull=False), name="item_queue_other"
            ),
        )
    ]
