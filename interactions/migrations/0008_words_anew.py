from django.db import migrations


class Migration(migrations.Migration):
    """What was indexed is cut as what is asked for: 6e36e was two words, and is one. The list of new ones has room for
    what comes while the worker sorts; and what the planner knows of words goes with their index, so it is learnt anew."""

    dependencies = [("interactions", "0007_words_by_splitting")]

    operations = [
        migrations.RunSQL(
            """
            DROP INDEX interaction_words;
            CREATE INDEX interaction_words ON interactions_interactionbody
                USING gin (interactions_words(messages, completion))
                WITH (fastupdate = on, gin_pending_list_limit = 32768);
            ANALYZE interactions_interactionbody
            """,
            migrations.RunSQL.noop,
        )
    ]
