from django.db import migrations

# every row that is not current leads to one that is, or to a withdrawal: the two tell whether a key was ever used
INDEX = "CREATE INDEX feedback_withdrawn ON feedback_feedback (feedback_key_id) WHERE superseded_by = id"
DROP = "DROP INDEX feedback_withdrawn"


class Migration(migrations.Migration):
    dependencies = [("feedback", "0002_preferences_and_rollups")]

    operations = [migrations.RunSQL(INDEX, DROP)]
