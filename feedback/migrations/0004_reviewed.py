from django.db import migrations

# what reviewers gave is a small part of all feedback, and found newest first like a key's
INDEX = """
CREATE INDEX feedback_reviewed ON feedback_feedback (feedback_key_id, interaction_id)
    WHERE superseded_by IS NULL AND origin = 'reviewer';
"""
DROP = "DROP INDEX feedback_reviewed"


class Migration(migrations.Migration):
    dependencies = [("feedback", "0003_withdrawals_by_key")]

    operations = [migrations.RunSQL(INDEX, DROP)]
