import django.contrib.postgres.constraints
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0009_dates_by_the_clock"),
        ("organisations", "0006_reword_end_of_organisation"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Holder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(blank=True, help_text="Of a contact without an account.", max_length=150)),
                (
                    "email",
                    models.EmailField(
                        blank=True, help_text="Of somebody with an account: another address.", max_length=254
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=40)),
                (
                    "working_days",
                    models.CharField(blank=True, help_text="Such as “Monday to Wednesday”.", max_length=100),
                ),
                ("note", models.CharField(blank=True, help_text="Such as “Call before noon”.", max_length=300)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(blank=True, null=True)),
                (
                    "is_alone",
                    models.BooleanField(
                        default=True, help_text="Whether the post has one holder at a time, by its role."
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Why they took the post up, or gave it up.", max_length=300),
                ),
                ("added_at", models.DateTimeField()),
                (
                    "cleared_at",
                    models.DateTimeField(
                        blank=True, help_text="When the contact data was emptied: by request, or by its age.", null=True
                    ),
                ),
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
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="posts_held",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Post",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("lead", "Lead"),
                            ("deputy", "Deputy"),
                            ("signatory", "Signatory"),
                            ("finance", "Finance"),
                            ("nominations", "Nominations"),
                            ("planning", "Planning"),
                            ("communications", "Communications"),
                            ("escalation", "Escalation"),
                            ("team", "Team"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "title",
                    models.CharField(blank=True, help_text="Such as “Head of housing strategy”.", max_length=150),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "ended_on",
                    models.DateField(blank=True, help_text="The first day on which it no longer existed.", null=True),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="posts",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "partnership",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: a post of the whole organisation.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="posts",
                        to="agreements.partnership",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HolderEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(blank=True, null=True)),
                (
                    "is_alone",
                    models.BooleanField(
                        default=True, help_text="Whether the post has one holder at a time, by its role."
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Why they took the post up, or gave it up.", max_length=300),
                ),
                ("added_at", models.DateTimeField()),
                (
                    "cleared_at",
                    models.DateTimeField(
                        blank=True, help_text="When the contact data was emptied: by request, or by its age.", null=True
                    ),
                ),
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
                    "person",
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
                        to="agreements.holder",
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="agreements.post",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="holder",
            name="post",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="holders", to="agreements.post"
            ),
        ),
        migrations.CreateModel(
            name="PostEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("lead", "Lead"),
                            ("deputy", "Deputy"),
                            ("signatory", "Signatory"),
                            ("finance", "Finance"),
                            ("nominations", "Nominations"),
                            ("planning", "Planning"),
                            ("communications", "Communications"),
                            ("escalation", "Escalation"),
                            ("team", "Team"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "title",
                    models.CharField(blank=True, help_text="Such as “Head of housing strategy”.", max_length=150),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "ended_on",
                    models.DateField(blank=True, help_text="The first day on which it no longer existed.", null=True),
                ),
                (
                    "created_by",
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
                    "partnership",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Empty: a post of the whole organisation.",
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
                        to="agreements.post",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["partnership", "organisation", "role"], name="post_partnership"),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_on", None)),
                fields=("organisation", "partnership", "role", "title"),
                name="one_open_post_a_title",
                nulls_distinct=False,
                violation_error_message="There is already a post with this role and title.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="post",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "agreements_postevent" ("created_at", "created_by_id", "ended_on", "id", "organisation_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "title") VALUES (NEW."created_at", NEW."created_by_id", NEW."ended_on", NEW."id", NEW."organisation_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."role", NEW."title"); RETURN NULL;',
                    hash="e82c051b8fa55fe92c7761943387ba926db3ea0d",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d9aa9",
                    table="agreements_post",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="post",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "agreements_postevent" ("created_at", "created_by_id", "ended_on", "id", "organisation_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "title") VALUES (NEW."created_at", NEW."created_by_id", NEW."ended_on", NEW."id", NEW."organisation_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."role", NEW."title"); RETURN NULL;',
                    hash="74d985198dfca5fad78a2ce7c31c0409de16d9e7",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_b1e20",
                    table="agreements_post",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="post",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "agreements_postevent" ("created_at", "created_by_id", "ended_on", "id", "organisation_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "title") VALUES (OLD."created_at", OLD."created_by_id", OLD."ended_on", OLD."id", OLD."organisation_id", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."role", OLD."title"); RETURN NULL;',
                    hash="d871aa88ebb66d29aded9986f70c3d7b8591fe08",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_128e5",
                    table="agreements_post",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="holder",
            index=models.Index(fields=["person", "post"], name="holder_person"),
        ),
        migrations.AddConstraint(
            model_name="holder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("person__isnull", False),
                    models.Q(("name", ""), _negated=True),
                    ("cleared_at__isnull", False),
                    _connector="OR",
                ),
                name="holder_is_somebody",
                violation_error_message="Choose a person or write a name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="holder",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on", None), ("ends_on__gte", models.F("starts_on")), _connector="OR"),
                name="holder_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="holder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ends_on", None)), fields=("post", "person"), name="one_open_holding_a_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="holder",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("is_alone", True)),
                expressions=[
                    (
                        models.Func(models.F("post_id"), models.F("post_id"), models.Value("[]"), function="int8range"),
                        "&&",
                    ),
                    (models.Func(models.F("starts_on"), models.F("ends_on"), function="daterange"), "&&"),
                ],
                name="one_holder_at_a_time",
                violation_error_message="Somebody else holds this post on some of these days.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="holder",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "agreements_holderevent" ("added_at", "added_by_id", "cleared_at", "ends_on", "id", "is_alone", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "post_id", "reason", "starts_on") VALUES (NEW."added_at", NEW."added_by_id", NEW."cleared_at", NEW."ends_on", NEW."id", NEW."is_alone", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."post_id", NEW."reason", NEW."starts_on"); RETURN NULL;',
                    hash="b216f4acab83e5ef238c7ff3e9430448f0097040",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_7d3a4",
                    table="agreements_holder",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="holder",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."added_at" IS DISTINCT FROM (NEW."added_at") OR OLD."added_by_id" IS DISTINCT FROM (NEW."added_by_id") OR OLD."cleared_at" IS DISTINCT FROM (NEW."cleared_at") OR OLD."ends_on" IS DISTINCT FROM (NEW."ends_on") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_alone" IS DISTINCT FROM (NEW."is_alone") OR OLD."person_id" IS DISTINCT FROM (NEW."person_id") OR OLD."post_id" IS DISTINCT FROM (NEW."post_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."starts_on" IS DISTINCT FROM (NEW."starts_on"))',
                    func='INSERT INTO "agreements_holderevent" ("added_at", "added_by_id", "cleared_at", "ends_on", "id", "is_alone", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "post_id", "reason", "starts_on") VALUES (NEW."added_at", NEW."added_by_id", NEW."cleared_at", NEW."ends_on", NEW."id", NEW."is_alone", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."post_id", NEW."reason", NEW."starts_on"); RETURN NULL;',
                    hash="13214d1bff39c537b54039492643fdc9ef74f1a2",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_dec60",
                    table="agreements_holder",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="holder",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "agreements_holderevent" ("added_at", "added_by_id", "cleared_at", "ends_on", "id", "is_alone", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "post_id", "reason", "starts_on") VALUES (OLD."added_at", OLD."added_by_id", OLD."cleared_at", OLD."ends_on", OLD."id", OLD."is_alone", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."post_id", OLD."reason", OLD."starts_on"); RETURN NULL;',
                    hash="13829a263603c56d1bbb3f59df9452bd525991aa",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_f4b04",
                    table="agreements_holder",
                    when="AFTER",
                ),
            ),
        ),
    ]
