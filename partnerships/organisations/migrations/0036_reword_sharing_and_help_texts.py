"""Reword how organisations share a record, and help texts; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0035_rename_constraints"),
    ]

    operations = [
        migrations.AlterField(
            model_name="handover",
            name="basis",
            field=models.CharField(
                blank=True, help_text="What the handover rests on, for example an article of the order.", max_length=300
            ),
        ),
        migrations.AlterField(
            model_name="handover",
            name="sharing",
            field=models.CharField(
                choices=[
                    ("alone", "By one organisation"),
                    ("severally", "By several organisations, each for its own part"),
                    ("jointly", "By several organisations, jointly and severally"),
                ],
                default="alone",
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="handoverevent",
            name="basis",
            field=models.CharField(
                blank=True, help_text="What the handover rests on, for example an article of the order.", max_length=300
            ),
        ),
        migrations.AlterField(
            model_name="handoverevent",
            name="sharing",
            field=models.CharField(
                choices=[
                    ("alone", "By one organisation"),
                    ("severally", "By several organisations, each for its own part"),
                    ("jointly", "By several organisations, jointly and severally"),
                ],
                default="alone",
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="organisation",
            name="own_sign_in_required_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the organisation’s people first had to sign in through the provider.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="organisation",
            name="sign_in_provider",
            field=models.CharField(
                blank=True,
                help_text="The provider ID of the OpenID Connect provider through which the organisation’s people may sign in.",
                max_length=120,
            ),
        ),
        migrations.AlterField(
            model_name="organisationevent",
            name="own_sign_in_required_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the organisation’s people first had to sign in through the provider.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="organisationevent",
            name="sign_in_provider",
            field=models.CharField(
                blank=True,
                help_text="The provider ID of the OpenID Connect provider through which the organisation’s people may sign in.",
                max_length=120,
            ),
        ),
    ]
