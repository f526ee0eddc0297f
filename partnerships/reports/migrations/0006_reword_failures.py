from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0005_reword_first_day"),
    ]

    operations = [
        migrations.AlterField(
            model_name="schedule",
            name="failures",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="How many attempts to make the report have failed since it was due."
            ),
        ),
        migrations.AlterField(
            model_name="scheduleevent",
            name="failures",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="How many attempts to make the report have failed since it was due."
            ),
        ),
    ]
