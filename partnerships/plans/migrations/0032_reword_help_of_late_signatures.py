"""Reword the error about codes of plan kinds, and the help of late signatures. The database does not change."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0031_pack_homes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="plankind",
            name="code",
            field=models.CharField(
                help_text="Stored with each record, in exports and in addresses; it cannot be changed later.",
                max_length=20,
                unique=True,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[a-z][a-z0-9_]*\\Z",
                        "Use a to z in lower case, digits and underscores, and start with a to z, such as data_sharing.",
                    )
                ],
            ),
        ),
        migrations.AlterField(
            model_name="plankindevent",
            name="code",
            field=models.CharField(
                help_text="Stored with each record, in exports and in addresses; it cannot be changed later.",
                max_length=20,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[a-z][a-z0-9_]*\\Z",
                        "Use a to z in lower case, digits and underscores, and start with a to z, such as data_sharing.",
                    )
                ],
            ),
        ),
        migrations.AlterField(
            model_name="signatory",
            name="escalated_at",
            field=models.DateTimeField(
                blank=True, help_text="When the next post was sent an email about the late signature.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="signatoryevent",
            name="escalated_at",
            field=models.DateTimeField(
                blank=True, help_text="When the next post was sent an email about the late signature.", null=True
            ),
        ),
    ]
