"""Change labels, help texts and error messages. The database does not change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0004_contact_days"),
        ("conversations", "0003_history_of_private_notes"),
        ("organisations", "0005_own_sign_in_stays_required"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="conversation",
            name="format",
            field=models.CharField(
                choices=[
                    ("in_person", "In person"),
                    ("video", "Video call"),
                    ("phone", "Phone call"),
                    ("site_visit", "Site visit"),
                    ("event", "Event or workshop"),
                    ("writing", "Email or post"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="conversation",
            name="held_on",
            field=models.DateField(help_text="The day it took place or is planned for."),
        ),
        migrations.AlterField(
            model_name="conversation",
            name="key",
            field=models.UUIDField(
                blank=True,
                help_text="From the form: sending it twice creates one conversation.",
                null=True,
                unique=True,
            ),
        ),
        migrations.AlterField(
            model_name="conversation",
            name="organisation",
            field=models.ForeignKey(
                help_text="It keeps the record.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="conversations_kept",
                to="organisations.organisation",
            ),
        ),
        migrations.AlterField(
            model_name="conversationevent",
            name="format",
            field=models.CharField(
                choices=[
                    ("in_person", "In person"),
                    ("video", "Video call"),
                    ("phone", "Phone call"),
                    ("site_visit", "Site visit"),
                    ("event", "Event or workshop"),
                    ("writing", "Email or post"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="conversationevent",
            name="held_on",
            field=models.DateField(help_text="The day it took place or is planned for."),
        ),
        migrations.AlterField(
            model_name="conversationevent",
            name="key",
            field=models.UUIDField(
                blank=True, help_text="From the form: sending it twice creates one conversation.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="conversationevent",
            name="organisation",
            field=models.ForeignKey(
                db_constraint=False,
                help_text="It keeps the record.",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AlterConstraint(
            model_name="conversation",
            name="conversation_next_contact_after",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("next_contact_on", None), ("next_contact_on__gte", models.F("held_on")), _connector="OR"
                ),
                name="conversation_next_contact_after",
                violation_error_message="The next contact cannot be before this conversation.",
            ),
        ),
    ]
