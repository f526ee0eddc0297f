from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0034_plans_without_index_of_partnership_alone"),
    ]

    operations = [
        migrations.AlterField(
            model_name="planowner",
            name="ended_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("left", "It left the partnership, was removed from it, or became an observer"),
                    ("handed_over", "It handed over to another organisation"),
                    ("given_up", "It gave up its ownership"),
                ],
                max_length=11,
            ),
        ),
        migrations.AlterField(
            model_name="planownerevent",
            name="ended_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("left", "It left the partnership, was removed from it, or became an observer"),
                    ("handed_over", "It handed over to another organisation"),
                    ("given_up", "It gave up its ownership"),
                ],
                max_length=11,
            ),
        ),
    ]
