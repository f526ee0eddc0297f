"""Index the few people who have paused, because every round of planning asks for them."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("digests", "0018_move_emails_to_outbox")]

    operations = [
        migrations.AddIndex(
            model_name="preference",
            index=models.Index(
                fields=["paused_until"], name="preference_paused", condition=Q(paused_until__isnull=False)
            ),
        ),
    ]
