from django.db import migrations, models

EARLIEST = "The earliest day in “missing from”. Somebody should then check it."
REGISTERS = "Registers whose latest list no longer has it, each with the day of the first list without it."


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0029_reword_help_of_codes"),
    ]

    operations = [
        migrations.AlterField(
            model_name=model,
            name=name,
            field=field,
        )
        for model in ("organisation", "organisationevent")
        for name, field in (
            ("missing_from", models.JSONField(blank=True, default=dict, help_text=REGISTERS)),
            ("missing_since", models.DateField(blank=True, help_text=EARLIEST, null=True)),
        )
    ]
