from django.db import migrations


class Migration(migrations.Migration):
    """What was indexed is cut as what is asked for: 6e36e was two words, and is one. A partition after the other, and
    with room for all that comes while the worker sorts: a writer that finds the list full sorts it itself, and waits."""

    atomic = False
    dependencies = [("interactions", "0007_words_by_splitting")]

    operations = [
        migrations.RunSQL(
            """
            DROP INDEX interaction_words;
            CREATE INDEX interaction_words ON interactions_interactionbody
                USING gin (interactions_words(messages, completion))
                WITH (fastupdate = on, gin_pending_list_limit = 32768)
            """,
            migrations.RunSQL.noop,
        )
    ]
