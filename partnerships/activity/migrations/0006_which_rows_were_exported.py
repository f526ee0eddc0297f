"""Record in the log of exports which list a file contains, and how the list was filtered."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("activity", "0005_read_only_new_events")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="asked",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of a list: its name, the kind of file, and filters, columns and order; typed words are left out.",
                max_length=1000,
            ),
            preserve_default=False,
        ),
    ]
