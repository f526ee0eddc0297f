"""Let the changes of recommendations be numbered too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0006_which_rows_were_exported"),
    ]

    operations = [
        migrations.AlterField(
            model_name="subject",
            name="kind",
            field=models.CharField(
                choices=[
                    ("partnership", "Partnership"),
                    ("organisation", "Organisation"),
                    ("plan", "Plan"),
                    ("entry", "Ask or offer"),
                    ("commitment", "Commitment"),
                    ("conversation", "Conversation"),
                    ("recommendation", "Recommendation"),
                ],
                max_length=20,
            ),
        ),
    ]
