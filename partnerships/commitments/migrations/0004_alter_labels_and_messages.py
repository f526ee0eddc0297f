"""Change labels, help texts and error messages. The database does not change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0004_contact_days"),
        ("commitments", "0003_forget_claims_of_reminders"),
        ("organisations", "0005_own_sign_in_stays_required"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="commitment",
            name="key",
            field=models.UUIDField(
                blank=True, help_text="From the form: sending it twice creates one commitment.", null=True, unique=True
            ),
        ),
        migrations.AlterField(
            model_name="commitment",
            name="owner_organisation",
            field=models.ForeignKey(
                help_text="Responsible for it when the owner has left.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AlterField(
            model_name="commitment",
            name="source",
            field=models.CharField(blank=True, help_text="The register it was imported from.", max_length=60),
        ),
        migrations.AlterField(
            model_name="commitmentevent",
            name="key",
            field=models.UUIDField(
                blank=True, help_text="From the form: sending it twice creates one commitment.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="commitmentevent",
            name="owner_organisation",
            field=models.ForeignKey(
                db_constraint=False,
                help_text="Responsible for it when the owner has left.",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AlterField(
            model_name="commitmentevent",
            name="source",
            field=models.CharField(blank=True, help_text="The register it was imported from.", max_length=60),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="dropped_at",
            field=models.DateTimeField(
                blank=True, help_text="When it was dropped. Not used since emails are in the outbox.", null=True
            ),
        ),
        migrations.AlterConstraint(
            model_name="commitment",
            name="commitment_has_one_giver",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("giver__isnull", False), ("giver_name", "")),
                    models.Q(("giver", None), models.Q(("giver_name", ""), _negated=True)),
                    _connector="OR",
                ),
                name="commitment_has_one_giver",
                violation_error_message="Choose the organisation that gives.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="commitment",
            name="commitment_has_receiver",
            constraint=models.CheckConstraint(
                condition=models.Q(("receiver__isnull", False), ("kind", "action"), _connector="OR"),
                name="commitment_has_receiver",
                violation_error_message="Choose the organisation that receives.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="commitment",
            name="commitment_between_two",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("giver", None),
                    ("receiver", None),
                    models.Q(("giver", models.F("receiver")), _negated=True),
                    _connector="OR",
                ),
                name="commitment_between_two",
                violation_error_message="Giver and receiver must be different organisations.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="commitment",
            name="commitment_is_dated",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("giver", None),
                    models.Q(("due_on__isnull", False), ("original_due_on__isnull", False)),
                    _connector="OR",
                ),
                name="commitment_is_dated",
                violation_error_message="Enter a due date.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="commitment",
            name="commitment_quantity_counts",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quantity", None),
                    models.Q(("quantity__gt", 0), models.Q(("unit", ""), _negated=True)),
                    _connector="OR",
                ),
                name="commitment_quantity_counts",
                violation_error_message="The quantity must be more than 0 and have a unit.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="commitment",
            name="commitment_blocker_named",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "blocked"), _negated=True),
                    models.Q(("blocker", ""), _negated=True),
                    _connector="OR",
                ),
                name="commitment_blocker_named",
                violation_error_message="Say what is blocking it.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="commitment",
            name="commitment_end_has_reason",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ("cancelled", "superseded")), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="commitment_end_has_reason",
                violation_error_message="Give a reason.",
            ),
        ),
    ]
