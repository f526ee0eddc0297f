"""What a letter speaks of was published, and cannot be deleted: the database need not look for it for each letter."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("digests", "0015_leaner_letters"), ("plans", "0006_milestones_of_sites_that_are_gone")]

    operations = [
        migrations.AlterField(
            "deliveryitem",
            "plan",
            models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="plans.plan",
            ),
        ),
    ]
