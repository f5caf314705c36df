from django.db import migrations


class Migration(migrations.Migration):
    """The value that an item was drawn for is told by `picked_strata` of its samples: an item that was in the queue
    before it was drawn had none."""

    dependencies = [("reviews", "0004_replies_that_were_read")]
    operations = [migrations.RemoveField("item", "stratum")]
