from django.db import migrations, models


class Migration(migrations.Migration):
    """By which key a record was logged. A column without a value is added at once, however many rows there are."""

    dependencies = [("interactions", "0013_failed_calls"), ("accounts", "0008_invitations_and_ends_of_keys")]

    operations = [
        migrations.AddField(
            "interaction",
            "api_key",
            models.ForeignKey(
                "accounts.apikey",
                null=True,
                db_constraint=False,
                db_index=False,
                on_delete=models.DO_NOTHING,
                related_name="+",
            ),
        ),
    ]
