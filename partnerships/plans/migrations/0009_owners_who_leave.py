"""Let ownerships end, be offered and be handed over; record for whom drafts are shared, and each opening."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0004_contact_days"),
        ("organisations", "0003_missing_from_each_register"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("plans", "0008_papers_of_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OwnershipOffer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "hands_over",
                    models.BooleanField(help_text="The organisation that offers gives its own ownership up."),
                ),
                ("offered_at", models.DateTimeField()),
                ("message", models.TextField(blank=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("accepted", models.BooleanField(null=True)),
                ("reason", models.TextField(blank=True, help_text="Why it was declined.")),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="OwnershipOfferEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "hands_over",
                    models.BooleanField(help_text="The organisation that offers gives its own ownership up."),
                ),
                ("offered_at", models.DateTimeField()),
                ("message", models.TextField(blank=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("accepted", models.BooleanField(null=True)),
                ("reason", models.TextField(blank=True, help_text="Why it was declined.")),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PastPartnership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("owners", "Its owners only"),
                            ("partnership", "The partnership"),
                            ("network", "Everyone signed in"),
                            ("public", "The public"),
                        ],
                        help_text="Who could read the plan until then.",
                        max_length=12,
                    ),
                ),
                ("left_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PastPartnershipEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("owners", "Its owners only"),
                            ("partnership", "The partnership"),
                            ("network", "Everyone signed in"),
                            ("public", "The public"),
                        ],
                        help_text="Who could read the plan until then.",
                        max_length=12,
                    ),
                ),
                ("left_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ShareOpening",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shown_at", models.DateTimeField(help_text="When the showing began under which it was opened.")),
                ("at", models.DateTimeField()),
                (
                    "how",
                    models.CharField(
                        choices=[
                            ("screen", "On screen"),
                            ("compared", "On screen, compared with a version"),
                            ("paper", "On paper"),
                            ("pdf", "As a PDF"),
                            ("csv", "As a spreadsheet"),
                            ("document", "A document in it"),
                        ],
                        max_length=8,
                    ),
                ),
                ("what", models.CharField(blank=True, help_text="The name of the document.", max_length=200)),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="planowner",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="planowner",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="planowner",
            name="delete_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="share",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="share",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="share",
            name="delete_delete",
        ),
        migrations.RemoveConstraint(
            model_name="planowner",
            name="one_owner_row",
        ),
        migrations.RemoveField(
            model_name="plan",
            name="organisations",
        ),
        migrations.AddField(
            model_name="planowner",
            name="began_at",
            field=models.DateTimeField(blank=True, help_text="Empty: since the plan was begun.", null=True),
        ),
        migrations.AddField(
            model_name="planowner",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="planowner",
            name="ended_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("left", "It left the partnership, or was removed from it"),
                    ("handed_over", "It handed over to another organisation"),
                    ("given_up", "It gave its ownership up"),
                ],
                max_length=11,
            ),
        ),
        migrations.AddField(
            model_name="planownerevent",
            name="began_at",
            field=models.DateTimeField(blank=True, help_text="Empty: since the plan was begun.", null=True),
        ),
        migrations.AddField(
            model_name="planownerevent",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="planownerevent",
            name="ended_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("left", "It left the partnership, or was removed from it"),
                    ("handed_over", "It handed over to another organisation"),
                    ("given_up", "It gave its ownership up"),
                ],
                max_length=11,
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="organisation",
            field=models.ForeignKey(
                help_text="As one of which it is shown.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="shown_for",
            field=models.ForeignKey(
                help_text="The owner that shows it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="shareevent",
            name="organisation",
            field=models.ForeignKey(
                db_constraint=False,
                help_text="As one of which it is shown.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="shareevent",
            name="shown_for",
            field=models.ForeignKey(
                db_constraint=False,
                help_text="The owner that shows it.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AlterField(
            model_name="share",
            name="opened_at",
            field=models.DateTimeField(blank=True, help_text="First opened since it was last shown.", null=True),
        ),
        migrations.AlterField(
            model_name="shareevent",
            name="opened_at",
            field=models.DateTimeField(blank=True, help_text="First opened since it was last shown.", null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="planowner",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_planownerevent" ("began_at", "ended_at", "ended_because", "id", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id") VALUES (NEW."began_at", NEW."ended_at", NEW."ended_because", NEW."id", NEW."organisation_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id"); RETURN NULL;',
                    hash="75b3ace641e550636224f2d5095c26c359a55ac9",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_9e986",
                    table="plans_planowner",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="planowner",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plans_planownerevent" ("began_at", "ended_at", "ended_because", "id", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id") VALUES (NEW."began_at", NEW."ended_at", NEW."ended_because", NEW."id", NEW."organisation_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id"); RETURN NULL;',
                    hash="6039db2d0214952254084228417725f2f73760ec",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_c8ded",
                    table="plans_planowner",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="planowner",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_planownerevent" ("began_at", "ended_at", "ended_because", "id", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id") VALUES (OLD."began_at", OLD."ended_at", OLD."ended_because", OLD."id", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id"); RETURN NULL;',
                    hash="73c803e5a9fc53c37f6a7b9fdaf689b97f6e9558",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_51ff3",
                    table="plans_planowner",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="share",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_shareevent" ("ends_on", "id", "invited_at", "may_comment", "message", "opened_at", "organisation_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "revoked_at", "shared_at", "shared_by_id", "shown_for_id") VALUES (NEW."ends_on", NEW."id", NEW."invited_at", NEW."may_comment", NEW."message", NEW."opened_at", NEW."organisation_id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."revoked_at", NEW."shared_at", NEW."shared_by_id", NEW."shown_for_id"); RETURN NULL;',
                    hash="7f52ee925a97eb472c9829e77977a3b1da81b88b",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_9ee1b",
                    table="plans_share",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="share",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plans_shareevent" ("ends_on", "id", "invited_at", "may_comment", "message", "opened_at", "organisation_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "revoked_at", "shared_at", "shared_by_id", "shown_for_id") VALUES (NEW."ends_on", NEW."id", NEW."invited_at", NEW."may_comment", NEW."message", NEW."opened_at", NEW."organisation_id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."revoked_at", NEW."shared_at", NEW."shared_by_id", NEW."shown_for_id"); RETURN NULL;',
                    hash="e69319f692897ed4ad27e2acee74b371ec526a8f",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_e1bb1",
                    table="plans_share",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="share",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_shareevent" ("ends_on", "id", "invited_at", "may_comment", "message", "opened_at", "organisation_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "revoked_at", "shared_at", "shared_by_id", "shown_for_id") VALUES (OLD."ends_on", OLD."id", OLD."invited_at", OLD."may_comment", OLD."message", OLD."opened_at", OLD."organisation_id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."revoked_at", OLD."shared_at", OLD."shared_by_id", OLD."shown_for_id"); RETURN NULL;',
                    hash="08a5def3be64011acaf5593d93c1a2b35015f962",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_0fe09",
                    table="plans_share",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="planowner",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("plan", "organisation"), name="one_present_owner_row"
            ),
        ),
        migrations.AddConstraint(
            model_name="planowner",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended_at", None), ("ended_at__gte", models.F("began_at")), _connector="OR"),
                name="owner_ends_after_it_begins",
            ),
        ),
        migrations.AddField(
            model_name="ownershipoffer",
            name="answered_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="ownershipoffer",
            name="offered_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="ownershipoffer",
            name="offered_for",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation"
            ),
        ),
        migrations.AddField(
            model_name="ownershipoffer",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ownership_offers",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="ownershipoffer",
            name="partnership",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agreements.partnership",
            ),
        ),
        migrations.AddField(
            model_name="ownershipoffer",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="ownership_offers", to="plans.plan"
            ),
        ),
        migrations.AddField(
            model_name="ownershipofferevent",
            name="answered_by",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="ownershipofferevent",
            name="offered_by",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="ownershipofferevent",
            name="offered_for",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="ownershipofferevent",
            name="organisation",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="ownershipofferevent",
            name="partnership",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="agreements.partnership",
            ),
        ),
        migrations.AddField(
            model_name="ownershipofferevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="ownershipofferevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="plans.ownershipoffer",
            ),
        ),
        migrations.AddField(
            model_name="ownershipofferevent",
            name="plan",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="plans.plan",
            ),
        ),
        migrations.AddField(
            model_name="pastpartnership",
            name="partnership",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="past_plans", to="agreements.partnership"
            ),
        ),
        migrations.AddField(
            model_name="pastpartnership",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="past_partnerships", to="plans.plan"
            ),
        ),
        migrations.AddField(
            model_name="pastpartnershipevent",
            name="partnership",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="agreements.partnership",
            ),
        ),
        migrations.AddField(
            model_name="pastpartnershipevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="pastpartnershipevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="plans.pastpartnership",
            ),
        ),
        migrations.AddField(
            model_name="pastpartnershipevent",
            name="plan",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="plans.plan",
            ),
        ),
        migrations.AddField(
            model_name="shareopening",
            name="share",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="openings", to="plans.share"
            ),
        ),
        migrations.AddConstraint(
            model_name="ownershipoffer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("answered_at", None), ("withdrawn_at", None)),
                fields=("plan", "organisation"),
                name="one_waiting_offer_an_organisation",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ownershipoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_ownershipofferevent" ("accepted", "answered_at", "answered_by_id", "hands_over", "id", "message", "offered_at", "offered_by_id", "offered_for_id", "organisation_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "withdrawn_at") VALUES (NEW."accepted", NEW."answered_at", NEW."answered_by_id", NEW."hands_over", NEW."id", NEW."message", NEW."offered_at", NEW."offered_by_id", NEW."offered_for_id", NEW."organisation_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."reason", NEW."withdrawn_at"); RETURN NULL;',
                    hash="b23db5ed11225b62fae1295f14eafb5af9769f9d",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_f8aa3",
                    table="plans_ownershipoffer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ownershipoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plans_ownershipofferevent" ("accepted", "answered_at", "answered_by_id", "hands_over", "id", "message", "offered_at", "offered_by_id", "offered_for_id", "organisation_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "withdrawn_at") VALUES (NEW."accepted", NEW."answered_at", NEW."answered_by_id", NEW."hands_over", NEW."id", NEW."message", NEW."offered_at", NEW."offered_by_id", NEW."offered_for_id", NEW."organisation_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."reason", NEW."withdrawn_at"); RETURN NULL;',
                    hash="866693f251eb9e22db6119e2ed51adf0fb430220",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_5d8c6",
                    table="plans_ownershipoffer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ownershipoffer",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_ownershipofferevent" ("accepted", "answered_at", "answered_by_id", "hands_over", "id", "message", "offered_at", "offered_by_id", "offered_for_id", "organisation_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "withdrawn_at") VALUES (OLD."accepted", OLD."answered_at", OLD."answered_by_id", OLD."hands_over", OLD."id", OLD."message", OLD."offered_at", OLD."offered_by_id", OLD."offered_for_id", OLD."organisation_id", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."reason", OLD."withdrawn_at"); RETURN NULL;',
                    hash="71d964a7d2aeb4c90af1ffefe8ec260b745bd567",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_5cbe8",
                    table="plans_ownershipoffer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pastpartnership",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_pastpartnershipevent" ("audience", "id", "left_at", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id") VALUES (NEW."audience", NEW."id", NEW."left_at", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id"); RETURN NULL;',
                    hash="c0365287a7a6a52fc3a56e5094fb3d4a84b697b8",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_03097",
                    table="plans_pastpartnership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pastpartnership",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plans_pastpartnershipevent" ("audience", "id", "left_at", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id") VALUES (NEW."audience", NEW."id", NEW."left_at", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id"); RETURN NULL;',
                    hash="629f68dae6f9beefe79961761dde1a6a3ff9c063",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_c9c45",
                    table="plans_pastpartnership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pastpartnership",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_pastpartnershipevent" ("audience", "id", "left_at", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id") VALUES (OLD."audience", OLD."id", OLD."left_at", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id"); RETURN NULL;',
                    hash="ea0657960a276aacf7a3a9c7322ba5cb39c85e1a",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_b7ca9",
                    table="plans_pastpartnership",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="shareopening",
            index=models.Index(fields=["share", "-at"], name="share_opening"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="shareopening",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="4aa9e33efe405461911c1a0da372e46507d5b4b9",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_e3f62",
                    table="plans_shareopening",
                    when="BEFORE",
                ),
            ),
        ),
    ]
