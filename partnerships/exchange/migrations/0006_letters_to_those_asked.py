"""Record when the organisations that an entry asks were emailed, and when an email about a filter was last tried."""

from django.db import migrations, models

#: What was shared before letters were written is no news.
SEEN = "UPDATE exchange_entry SET told_at = now() WHERE shared_at > now() - interval '1 day'"


class Migration(migrations.Migration):
    dependencies = [("exchange", "0005_introductions")]

    operations = [
        migrations.AddField(
            model_name="entry",
            name="told_at",
            field=models.DateTimeField(blank=True, help_text="When those asked were written to.", null=True),
        ),
        migrations.AddField(
            model_name="savedfilter",
            name="written_at",
            field=models.DateTimeField(blank=True, help_text="When a letter about it was last tried.", null=True),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("audience__in", ["named", "partnership"]), ("is_open", True), ("told_at", None)),
                fields=["shared_at"],
                name="entry_to_tell",
            ),
        ),
        migrations.RunSQL(SEEN, migrations.RunSQL.noop),
    ]
