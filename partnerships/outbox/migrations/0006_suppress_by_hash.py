"""Store the hash of a suppressed address in a column of its own, instead of under a made-up address."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

MOVE = """
UPDATE outbox_suppression SET address_hash = replace(address, '@suppressed.invalid', ''), address = NULL
 WHERE address LIKE '%@suppressed.invalid'
"""
MOVE_BACK = """
UPDATE outbox_suppression SET address = address_hash || '@suppressed.invalid', address_hash = '' WHERE address IS NULL
"""


class Migration(migrations.Migration):
    """Add the column and move the hashes; a row then has an address or a hash, never both."""

    dependencies = [("outbox", "0005_guard_open_emails")]

    operations = [
        migrations.AlterField("suppression", "address", models.EmailField(blank=True, max_length=254, null=True)),
        migrations.AddField(
            "suppression", "address_hash", models.CharField(blank=True, db_default="", default="", max_length=40)
        ),
        migrations.RunSQL(MOVE, MOVE_BACK),
        migrations.AddConstraint(
            "suppression",
            models.UniqueConstraint(
                "address_hash",
                condition=Q(("released_at", None)) & ~Q(("address_hash", "")),
                name="one_open_suppression_a_hash",
            ),
        ),
        migrations.AddConstraint(
            "suppression",
            models.CheckConstraint(
                condition=Q(address=None) ^ Q(address_hash=""), name="suppressed_by_address_or_by_hash"
            ),
        ),
    ]
