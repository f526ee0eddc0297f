from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0008_owner_keeps_the_security_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefusedAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address_hash", models.CharField(max_length=64, unique=True)),
                ("kept_since", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "refused addresses",
            },
        ),
    ]
