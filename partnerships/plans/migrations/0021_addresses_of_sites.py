"""Add the address and postcode of a site, for lists. Servers of the previous release leave the defaults."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0020_homes_over_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="site",
            name="address",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        migrations.AddField(
            model_name="site",
            name="postcode",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="In full, or only its district.", max_length=10
            ),
        ),
    ]
