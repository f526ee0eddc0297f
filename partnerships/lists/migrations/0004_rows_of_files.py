"""Store which records are in a file of a long list, so that the rights to each are checked again at the download."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lists", "0003_files_of_long_lists")]

    operations = [
        migrations.AddField(
            model_name="listfile",
            name="rows",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), blank=True, editable=False, null=True, size=None
            ),
        ),
    ]
