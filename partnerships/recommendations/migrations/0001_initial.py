"""Create reports, recommendations, responses with evidence, and adoptions by partnerships."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("agreements", "0028_vacancies_without_nominees"),
        ("commitments", "0010_drop_reminder_choice"),
        ("conversations", "0011_settle_what_ended_before"),
        ("organisations", "0024_tell_of_orders"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("plans", "0019_settle_years_of_plans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Recommendation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField(help_text="Its place among those recorded here.")),
                ("reference", models.CharField(blank=True, max_length=20)),
                ("text", models.CharField(max_length=500)),
                (
                    "confidence",
                    models.CharField(
                        choices=[("seen", "Seen in the text"), ("part", "Seen in part"), ("memory", "From memory")],
                        max_length=6,
                    ),
                ),
                (
                    "themes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), blank=True, default=list, size=None
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Addressee",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("registered_provider", "Registered provider"),
                            ("council", "Council"),
                            ("strategic_authority", "Combined or strategic authority"),
                            ("national_park", "National park authority"),
                            ("development_corporation", "Development corporation"),
                            ("lep", "Local Enterprise Partnership"),
                            ("business_board", "Business board"),
                            ("homes_england", "Homes England"),
                            ("government_department", "Government department"),
                            ("regulator", "Regulator"),
                            ("trade_body", "Trade body"),
                            ("developer", "Developer"),
                            ("nhs", "NHS body"),
                            ("charity", "Charity"),
                            ("public_body", "Other public body"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recommendations_addressed",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "recommendation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="addressees",
                        to="recommendations.recommendation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Adoption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("adopted", "Adopted"), ("dropped", "Dropped")],
                        default="proposed",
                        max_length=8,
                    ),
                ),
                ("why", models.CharField(help_text="Why it was proposed.", max_length=500)),
                ("proposed_at", models.DateTimeField()),
                ("reason", models.TextField(blank=True, help_text="Why it was dropped.")),
                ("changed_at", models.DateTimeField()),
                (
                    "meeting",
                    models.ForeignKey(
                        blank=True,
                        help_text="It adopted it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="conversations.meeting",
                    ),
                ),
                (
                    "partnership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="adopted_recommendations",
                        to="agreements.partnership",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_for",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "recommendation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adoptions",
                        to="recommendations.recommendation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("words", models.CharField(blank=True, max_length=300)),
                ("added_at", models.DateTimeField()),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "commitment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="commitments.commitment",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="agreements.document",
                    ),
                ),
                (
                    "meeting",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="conversations.meeting",
                    ),
                ),
                (
                    "partnership",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="agreements.partnership",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="plans.version",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "evidence",
            },
        ),
        migrations.CreateModel(
            name="Outcome",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("linked_at", models.DateTimeField()),
                (
                    "adoption",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outcomes",
                        to="recommendations.adoption",
                    ),
                ),
                (
                    "commitment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="commitments.commitment",
                    ),
                ),
                (
                    "linked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "objective",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="agreements.objective",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OutcomeEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("linked_at", models.DateTimeField()),
                (
                    "adoption",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="recommendations.adoption",
                    ),
                ),
                (
                    "commitment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="commitments.commitment",
                    ),
                ),
                (
                    "linked_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "objective",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="agreements.objective",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="recommendations.outcome",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AdoptionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("adopted", "Adopted"), ("dropped", "Dropped")],
                        default="proposed",
                        max_length=8,
                    ),
                ),
                ("why", models.CharField(help_text="Why it was proposed.", max_length=500)),
                ("proposed_at", models.DateTimeField()),
                ("reason", models.TextField(blank=True, help_text="Why it was dropped.")),
                ("changed_at", models.DateTimeField()),
                (
                    "meeting",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="It adopted it.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="conversations.meeting",
                    ),
                ),
                (
                    "partnership",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="agreements.partnership",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="recommendations.adoption",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_for",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "recommendation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="recommendations.recommendation",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AddresseeEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("registered_provider", "Registered provider"),
                            ("council", "Council"),
                            ("strategic_authority", "Combined or strategic authority"),
                            ("national_park", "National park authority"),
                            ("development_corporation", "Development corporation"),
                            ("lep", "Local Enterprise Partnership"),
                            ("business_board", "Business board"),
                            ("homes_england", "Homes England"),
                            ("government_department", "Government department"),
                            ("regulator", "Regulator"),
                            ("trade_body", "Trade body"),
                            ("developer", "Developer"),
                            ("nhs", "NHS body"),
                            ("charity", "Charity"),
                            ("public_body", "Other public body"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="recommendations.addressee",
                    ),
                ),
                (
                    "recommendation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="recommendations.recommendation",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Response",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("not_started", "Not started"),
                            ("under_way", "Under way"),
                            ("done", "Done"),
                            ("declined", "Declined"),
                            ("superseded", "Superseded"),
                        ],
                        default="not_started",
                        max_length=12,
                    ),
                ),
                ("status_since", models.DateTimeField()),
                ("reason", models.TextField(blank=True)),
                ("review_on", models.DateField(blank=True, null=True)),
                ("note", models.TextField(blank=True, help_text="For the organisation's own people.")),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="responses_to_recommendations",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "recommendation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="responses",
                        to="recommendations.recommendation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EvidenceEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("words", models.CharField(blank=True, max_length=300)),
                ("added_at", models.DateTimeField()),
                (
                    "added_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "commitment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="commitments.commitment",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="agreements.document",
                    ),
                ),
                (
                    "meeting",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="conversations.meeting",
                    ),
                ),
                (
                    "partnership",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="agreements.partnership",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="recommendations.evidence",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="plans.version",
                    ),
                ),
                (
                    "response",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="recommendations.response",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="evidence",
            name="response",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="evidence", to="recommendations.response"
            ),
        ),
        migrations.CreateModel(
            name="ResponseEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("not_started", "Not started"),
                            ("under_way", "Under way"),
                            ("done", "Done"),
                            ("declined", "Declined"),
                            ("superseded", "Superseded"),
                        ],
                        default="not_started",
                        max_length=12,
                    ),
                ),
                ("status_since", models.DateTimeField()),
                ("reason", models.TextField(blank=True)),
                ("review_on", models.DateField(blank=True, null=True)),
                ("note", models.TextField(blank=True, help_text="For the organisation's own people.")),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="recommendations.response",
                    ),
                ),
                (
                    "recommendation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="recommendations.recommendation",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=200)),
                ("publisher", models.CharField(blank=True, max_length=200)),
                ("year", models.PositiveSmallIntegerField()),
                (
                    "total",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Recommendations that the report makes.", null=True
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "recorded_for",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecommendationEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("position", models.PositiveSmallIntegerField(help_text="Its place among those recorded here.")),
                ("reference", models.CharField(blank=True, max_length=20)),
                ("text", models.CharField(max_length=500)),
                (
                    "confidence",
                    models.CharField(
                        choices=[("seen", "Seen in the text"), ("part", "Seen in part"), ("memory", "From memory")],
                        max_length=6,
                    ),
                ),
                (
                    "themes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), blank=True, default=list, size=None
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="recommendations.recommendation",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="recommendations.source",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="recommendation",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="recommendations", to="recommendations.source"
            ),
        ),
        migrations.CreateModel(
            name="SourceEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("title", models.CharField(max_length=200)),
                ("publisher", models.CharField(blank=True, max_length=200)),
                ("year", models.PositiveSmallIntegerField()),
                (
                    "total",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Recommendations that the report makes.", null=True
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                ("recorded_at", models.DateTimeField()),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="recommendations.source",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "recorded_for",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="outcome",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("commitment", None), ("objective__isnull", False)),
                    models.Q(("commitment__isnull", False), ("objective", None)),
                    _connector="OR",
                ),
                name="outcome_is_one_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="outcome",
            constraint=models.UniqueConstraint(fields=("adoption", "objective"), name="one_outcome_an_objective"),
        ),
        migrations.AddConstraint(
            model_name="outcome",
            constraint=models.UniqueConstraint(fields=("adoption", "commitment"), name="one_outcome_a_commitment"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="outcome",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_outcomeevent" ("adoption_id", "commitment_id", "id", "linked_at", "linked_by_id", "objective_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."adoption_id", NEW."commitment_id", NEW."id", NEW."linked_at", NEW."linked_by_id", NEW."objective_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;',
                    hash="dcd57ba4bf7d9346fb500acdf27e56a59de35c03",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_149b6",
                    table="recommendations_outcome",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="outcome",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "recommendations_outcomeevent" ("adoption_id", "commitment_id", "id", "linked_at", "linked_by_id", "objective_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."adoption_id", NEW."commitment_id", NEW."id", NEW."linked_at", NEW."linked_by_id", NEW."objective_id", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;',
                    hash="6d532ab048811c90f53105efc66cd91ecf7ffebc",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_6b34e",
                    table="recommendations_outcome",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="outcome",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_outcomeevent" ("adoption_id", "commitment_id", "id", "linked_at", "linked_by_id", "objective_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."adoption_id", OLD."commitment_id", OLD."id", OLD."linked_at", OLD."linked_by_id", OLD."objective_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id"); RETURN NULL;',
                    hash="bf21be5f45c0d2e572489d0206b750ca92564047",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_f5b5f",
                    table="recommendations_outcome",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="adoption",
            constraint=models.UniqueConstraint(
                fields=("partnership", "recommendation"), name="one_adoption_a_partnership"
            ),
        ),
        migrations.AddConstraint(
            model_name="adoption",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "adopted"), _negated=True), ("meeting__isnull", False), _connector="OR"
                ),
                name="adopted_at_a_meeting",
            ),
        ),
        migrations.AddConstraint(
            model_name="adoption",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "dropped"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="adoption_dropped_with_a_reason",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="adoption",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_adoptionevent" ("changed_at", "id", "meeting_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_at", "proposed_by_id", "proposed_for_id", "reason", "recommendation_id", "status", "why") VALUES (NEW."changed_at", NEW."id", NEW."meeting_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."proposed_at", NEW."proposed_by_id", NEW."proposed_for_id", NEW."reason", NEW."recommendation_id", NEW."status", NEW."why"); RETURN NULL;',
                    hash="2788b1d7bd05ad58f6c84dc491533761bf0871b7",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_8fd35",
                    table="recommendations_adoption",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="adoption",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "recommendations_adoptionevent" ("changed_at", "id", "meeting_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_at", "proposed_by_id", "proposed_for_id", "reason", "recommendation_id", "status", "why") VALUES (NEW."changed_at", NEW."id", NEW."meeting_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."proposed_at", NEW."proposed_by_id", NEW."proposed_for_id", NEW."reason", NEW."recommendation_id", NEW."status", NEW."why"); RETURN NULL;',
                    hash="8a39ed4f83f696ca43160be2fd23aa6f2fb220ab",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_1a4ad",
                    table="recommendations_adoption",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="adoption",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_adoptionevent" ("changed_at", "id", "meeting_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_at", "proposed_by_id", "proposed_for_id", "reason", "recommendation_id", "status", "why") VALUES (OLD."changed_at", OLD."id", OLD."meeting_id", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."proposed_at", OLD."proposed_by_id", OLD."proposed_for_id", OLD."reason", OLD."recommendation_id", OLD."status", OLD."why"); RETURN NULL;',
                    hash="ad1acf440f61f0523f12e8ab6d7757aa47221327",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ebaf4",
                    table="recommendations_adoption",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="addressee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", ""), ("organisation__isnull", False)),
                    models.Q(models.Q(("kind", ""), _negated=True), ("organisation", None)),
                    _connector="OR",
                ),
                name="addressee_is_a_kind_or_an_organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="addressee",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", ""), _negated=True),
                fields=("recommendation", "kind"),
                name="one_addressee_a_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="addressee",
            constraint=models.UniqueConstraint(
                fields=("recommendation", "organisation"), name="one_addressee_an_organisation"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="addressee",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_addresseeevent" ("id", "kind", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "recommendation_id") VALUES (NEW."id", NEW."kind", NEW."organisation_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."recommendation_id"); RETURN NULL;',
                    hash="630f0e1e31382e6bcf07ab0ad1596a5249a56f1b",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_96811",
                    table="recommendations_addressee",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="addressee",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "recommendations_addresseeevent" ("id", "kind", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "recommendation_id") VALUES (NEW."id", NEW."kind", NEW."organisation_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."recommendation_id"); RETURN NULL;',
                    hash="214596fbe8a065278fe6ec0f07d7501d961cff56",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_fd92e",
                    table="recommendations_addressee",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="addressee",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_addresseeevent" ("id", "kind", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "recommendation_id") VALUES (OLD."id", OLD."kind", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."recommendation_id"); RETURN NULL;',
                    hash="fac60dda2a9d6b7af2a0d3dba7a1d4921f399c67",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_1a362",
                    table="recommendations_addressee",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="response",
            index=models.Index(fields=["organisation", "review_on"], name="response_of_organisation"),
        ),
        migrations.AddIndex(
            model_name="response",
            index=models.Index(
                condition=models.Q(("owner__isnull", False)), fields=["owner", "review_on"], name="response_of_owner"
            ),
        ),
        migrations.AddConstraint(
            model_name="response",
            constraint=models.UniqueConstraint(
                fields=("recommendation", "organisation"), name="one_response_an_organisation"
            ),
        ),
        migrations.AddConstraint(
            model_name="response",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ("declined", "superseded")), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="response_ends_with_a_reason",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="response",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_responseevent" ("id", "note", "organisation_id", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "recommendation_id", "review_on", "revision", "status", "status_since") VALUES (NEW."id", NEW."note", NEW."organisation_id", NEW."owner_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reason", NEW."recommendation_id", NEW."review_on", NEW."revision", NEW."status", NEW."status_since"); RETURN NULL;',
                    hash="c98a3de0bc9e82e6b028750cbdb2499dc7f0ae21",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d455e",
                    table="recommendations_response",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="response",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "recommendations_responseevent" ("id", "note", "organisation_id", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "recommendation_id", "review_on", "revision", "status", "status_since") VALUES (NEW."id", NEW."note", NEW."organisation_id", NEW."owner_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reason", NEW."recommendation_id", NEW."review_on", NEW."revision", NEW."status", NEW."status_since"); RETURN NULL;',
                    hash="32d9b6e95bc3ed5044fe62fd56b8d47378014033",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_cd260",
                    table="recommendations_response",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="response",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_responseevent" ("id", "note", "organisation_id", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "recommendation_id", "review_on", "revision", "status", "status_since") VALUES (OLD."id", OLD."note", OLD."organisation_id", OLD."owner_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."reason", OLD."recommendation_id", OLD."review_on", OLD."revision", OLD."status", OLD."status_since"); RETURN NULL;',
                    hash="21e2be6c0eb54409e9f8b23f157135920e4976b0",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_c1ee9",
                    table="recommendations_response",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pk__in", []),
                    models.Q(
                        ("commitment__isnull", False),
                        ("document", None),
                        ("meeting", None),
                        ("partnership", None),
                        ("version", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("document", None),
                        ("meeting", None),
                        ("partnership", None),
                        ("version__isnull", False),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("document", None),
                        ("meeting", None),
                        ("partnership__isnull", False),
                        ("version", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("document", None),
                        ("meeting__isnull", False),
                        ("partnership", None),
                        ("version", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("document__isnull", False),
                        ("meeting", None),
                        ("partnership", None),
                        ("version", None),
                    ),
                    _connector="OR",
                ),
                name="evidence_is_one_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.UniqueConstraint(fields=("response", "commitment"), name="one_evidence_a_commitment"),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.UniqueConstraint(fields=("response", "version"), name="one_evidence_a_version"),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.UniqueConstraint(fields=("response", "partnership"), name="one_evidence_a_partnership"),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.UniqueConstraint(fields=("response", "meeting"), name="one_evidence_a_meeting"),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.UniqueConstraint(fields=("response", "document"), name="one_evidence_a_document"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidence",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_evidenceevent" ("added_at", "added_by_id", "commitment_id", "document_id", "id", "meeting_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "response_id", "version_id", "words") VALUES (NEW."added_at", NEW."added_by_id", NEW."commitment_id", NEW."document_id", NEW."id", NEW."meeting_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."response_id", NEW."version_id", NEW."words"); RETURN NULL;',
                    hash="41a1822450c962d9a1efb27fa1a9af8afd3e9bf6",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_8a6a5",
                    table="recommendations_evidence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidence",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "recommendations_evidenceevent" ("added_at", "added_by_id", "commitment_id", "document_id", "id", "meeting_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "response_id", "version_id", "words") VALUES (NEW."added_at", NEW."added_by_id", NEW."commitment_id", NEW."document_id", NEW."id", NEW."meeting_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."response_id", NEW."version_id", NEW."words"); RETURN NULL;',
                    hash="2db5bf115512c9df51ef469bb42951f5de97d5ab",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_c84dc",
                    table="recommendations_evidence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidence",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_evidenceevent" ("added_at", "added_by_id", "commitment_id", "document_id", "id", "meeting_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "response_id", "version_id", "words") VALUES (OLD."added_at", OLD."added_by_id", OLD."commitment_id", OLD."document_id", OLD."id", OLD."meeting_id", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."response_id", OLD."version_id", OLD."words"); RETURN NULL;',
                    hash="7425774de3975cae6a69ec8550402fb68c5da447",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_afdc5",
                    table="recommendations_evidence",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("title"), models.F("year"), name="one_source_a_title_and_year"
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(condition=models.Q(("year__range", (1900, 2200))), name="source_year"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="source",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_sourceevent" ("id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publisher", "recorded_at", "recorded_by_id", "recorded_for_id", "title", "total", "year") VALUES (NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."publisher", NEW."recorded_at", NEW."recorded_by_id", NEW."recorded_for_id", NEW."title", NEW."total", NEW."year"); RETURN NULL;',
                    hash="07ca05193994b866061405a118084e3f023955bc",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_4955a",
                    table="recommendations_source",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="source",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "recommendations_sourceevent" ("id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publisher", "recorded_at", "recorded_by_id", "recorded_for_id", "title", "total", "year") VALUES (NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."publisher", NEW."recorded_at", NEW."recorded_by_id", NEW."recorded_for_id", NEW."title", NEW."total", NEW."year"); RETURN NULL;',
                    hash="57b3fa0e9807c26665f070982cf77cffa725f67d",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_a47a7",
                    table="recommendations_source",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="source",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_sourceevent" ("id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publisher", "recorded_at", "recorded_by_id", "recorded_for_id", "title", "total", "year") VALUES (OLD."id", OLD."note", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."publisher", OLD."recorded_at", OLD."recorded_by_id", OLD."recorded_for_id", OLD."title", OLD."total", OLD."year"); RETURN NULL;',
                    hash="a740ba33bdd76f518f8aab28e15cf195a5638164",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_58780",
                    table="recommendations_source",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="recommendation",
            constraint=models.UniqueConstraint(fields=("source", "position"), name="one_recommendation_a_place"),
        ),
        migrations.AddConstraint(
            model_name="recommendation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference", ""), _negated=True),
                fields=("source", "reference"),
                name="one_recommendation_a_reference",
            ),
        ),
        migrations.AddConstraint(
            model_name="recommendation",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="recommendation_says_something"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recommendation",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_recommendationevent" ("confidence", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "reference", "source_id", "text", "themes") VALUES (NEW."confidence", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position", NEW."reference", NEW."source_id", NEW."text", NEW."themes"); RETURN NULL;',
                    hash="e3a36c09325fa2f1d93a48f8524ed4f1d0d64bd3",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d6b9e",
                    table="recommendations_recommendation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recommendation",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "recommendations_recommendationevent" ("confidence", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "reference", "source_id", "text", "themes") VALUES (NEW."confidence", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position", NEW."reference", NEW."source_id", NEW."text", NEW."themes"); RETURN NULL;',
                    hash="d3037391ce6d20c1da4f08f6d26edb433de5e247",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_f7db8",
                    table="recommendations_recommendation",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recommendation",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_recommendationevent" ("confidence", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "reference", "source_id", "text", "themes") VALUES (OLD."confidence", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."reference", OLD."source_id", OLD."text", OLD."themes"); RETURN NULL;',
                    hash="13ea2fe3beaae26a679a727ecf56dd98a68477ad",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_540f8",
                    table="recommendations_recommendation",
                    when="AFTER",
                ),
            ),
        ),
    ]
