from django.db import migrations


class Migration(migrations.Migration):
    """What was indexed is cut as what is asked for: 6e36e was two words, and is one. A partition after the other."""

    atomic = False
    dependencies = [("interactions", "0007_words_by_splitting")]

    operations = [migrations.RunSQL("REINDEX INDEX interaction_words", migrations.RunSQL.noop)]
