"""Find emails by the id in their Message-ID instead of by an index.

Published versions cannot be deleted, so the database need not check for each email that they still exist.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("digests", "0015_leaner_letters"), ("plans", "0006_milestones_of_sites_that_are_gone")]

    operations = [
        migrations.RemoveConstraint("delivery", "one_delivery_a_message_id"),
        migrations.RunSQL(
            migrations.RunSQL.noop, "UPDATE digests_delivery SET message_id = '<' || id || '>' WHERE message_id = ''"
        ),
        migrations.AlterField("delivery", "message_id", models.CharField(blank=True, max_length=120)),
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
