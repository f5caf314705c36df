from django.db import migrations

# "12 new" goes by the order of arrival, a project at a time; and tool calls are found like pictures, however rare
INDEXES = """
CREATE INDEX interaction_arrived ON interactions_interaction (project_id, received_at);
CREATE INDEX interaction_tools ON interactions_interaction (project_id, id) WHERE tools > 0;
"""
DROP = "DROP INDEX interaction_arrived, interaction_tools"


class Migration(migrations.Migration):
    dependencies = [("interactions", "0002_import_progress")]

    operations = [migrations.RunSQL(INDEXES, DROP)]
