"""Change labels, help texts and error messages. The database does not change."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0004_contact_days"),
        ("commitments", "0003_forget_claims_of_reminders"),
        ("exchange", "0007_history_of_areas"),
        ("organisations", "0005_own_sign_in_stays_required"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="entry",
            name="answered_at",
            field=models.DateTimeField(blank=True, help_text="When it was first answered.", null=True),
        ),
        migrations.AlterField(
            model_name="entry",
            name="changed_at",
            field=models.DateTimeField(help_text="When its text last changed."),
        ),
        migrations.AlterField(
            model_name="entry",
            name="closes_on",
            field=models.DateField(
                blank=True, help_text="It lapses after this date.", null=True, verbose_name="closing date"
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="private_note",
            field=models.TextField(blank=True, help_text="Only your organisation can read this."),
        ),
        migrations.AlterField(
            model_name="entry",
            name="standing",
            field=models.BooleanField(default=False, verbose_name="standing offer"),
        ),
        migrations.AlterField(
            model_name="entry",
            name="told_at",
            field=models.DateTimeField(blank=True, help_text="When the organisations it asks were emailed.", null=True),
        ),
        migrations.AlterField(
            model_name="entryevent",
            name="answered_at",
            field=models.DateTimeField(blank=True, help_text="When it was first answered.", null=True),
        ),
        migrations.AlterField(
            model_name="entryevent",
            name="changed_at",
            field=models.DateTimeField(help_text="When its text last changed."),
        ),
        migrations.AlterField(
            model_name="entryevent",
            name="closes_on",
            field=models.DateField(
                blank=True, help_text="It lapses after this date.", null=True, verbose_name="closing date"
            ),
        ),
        migrations.AlterField(
            model_name="entryevent",
            name="private_note",
            field=models.TextField(blank=True, help_text="Only your organisation can read this."),
        ),
        migrations.AlterField(
            model_name="entryevent",
            name="standing",
            field=models.BooleanField(default=False, verbose_name="standing offer"),
        ),
        migrations.AlterField(
            model_name="receipt",
            name="note",
            field=models.TextField(blank=True, help_text="For the colleague. Only their organisation can read it."),
        ),
        migrations.AlterField(
            model_name="receiptevent",
            name="note",
            field=models.TextField(blank=True, help_text="For the colleague. Only their organisation can read it."),
        ),
        migrations.AlterField(
            model_name="savedfilter",
            name="tells",
            field=models.BooleanField(default=True, verbose_name="email me when something new matches"),
        ),
        migrations.AlterField(
            model_name="savedfilter",
            name="written_at",
            field=models.DateTimeField(blank=True, help_text="When an email about it was last recorded.", null=True),
        ),
        migrations.AlterConstraint(
            model_name="entry",
            name="entry_until_after_from",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("available_until", None),
                    ("available_from", None),
                    ("available_until__gte", models.F("available_from")),
                    _connector="OR",
                ),
                name="entry_until_after_from",
                violation_error_message="The end date must not be before the start date.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="entry",
            name="entry_partnership_named",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("audience", "partnership"), _negated=True),
                    ("partnership__isnull", False),
                    _connector="OR",
                ),
                name="entry_partnership_named",
                violation_error_message="Choose the partnership to share it with.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="entry",
            name="entry_network_without_partnership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("audience", "network"), _negated=True), ("partnership__isnull", True), _connector="OR"
                ),
                name="entry_network_without_partnership",
                violation_error_message="An ask or offer for the whole network cannot belong to a partnership.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="entry",
            name="entry_quantity_positive",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity", None), ("quantity__gt", 0), _connector="OR"),
                name="entry_quantity_positive",
                violation_error_message="The quantity must be more than 0.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="entry",
            name="entry_quantity_has_unit",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity", None), models.Q(("unit", ""), _negated=True), _connector="OR"),
                name="entry_quantity_has_unit",
                violation_error_message="Choose a unit for the quantity.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="entry",
            name="entry_standing_is_offer",
            constraint=models.CheckConstraint(
                condition=models.Q(("standing", False), ("direction", "offer"), _connector="OR"),
                name="entry_standing_is_offer",
                violation_error_message="Only an offer can be a standing offer.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="fulfilment",
            name="fulfilment_quantity_positive",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity", None), ("quantity__gt", 0), _connector="OR"),
                name="fulfilment_quantity_positive",
                violation_error_message="The quantity must be more than 0.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="response",
            name="one_open_response_an_organisation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "made")),
                fields=("entry", "organisation"),
                name="one_open_response_an_organisation",
                violation_error_message="Your organisation has already answered. Wait for the decision or withdraw.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="response",
            name="response_quantity_positive",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity", None), ("quantity__gt", 0), _connector="OR"),
                name="response_quantity_positive",
                violation_error_message="The quantity must be more than 0.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="savedfilter",
            name="one_saved_filter_a_name",
            constraint=models.UniqueConstraint(
                fields=("person", "name"),
                name="one_saved_filter_a_name",
                violation_error_message="You already have a filter with this name.",
            ),
        ),
    ]
