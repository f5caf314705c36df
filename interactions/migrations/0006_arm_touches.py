from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("interactions", "0005_label_keys")]

    operations = [
        migrations.CreateModel(
            name="ArmTouch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("arm", models.IntegerField()),
                ("interaction_id", models.UUIDField()),
                ("comparison_id", models.UUIDField(null=True)),
            ],
        ),
    ]
