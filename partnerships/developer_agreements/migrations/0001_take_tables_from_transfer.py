"""Take over the tables of developer agreements, which the transfer room has renamed.

Rows and history stay as they are.
"""

from collections.abc import Callable

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

MODELS = ["developeragreement", "agreementpromise", "developeragreementevent", "agreementpromiseevent"]


def move_content_types(old: str, new: str) -> Callable[[Apps, BaseDatabaseSchemaEditor], None]:
    """Return an operation that moves the content types, so that permissions and the admin log still refer to them."""

    def move(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        content_types = apps.get_model("contenttypes", "ContentType").objects.using(schema_editor.connection.alias)
        content_types.filter(app_label=old, model__in=MODELS).update(app_label=new)

    return move


class Migration(migrations.Migration):
    dependencies = [
        ("commitments", "0003_forget_claims_of_reminders"),
        ("organisations", "0005_own_sign_in_stays_required"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("transfer", "0003_hand_agreements_to_their_room"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="AgreementPromise",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "commitment",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="promised_in",
                                to="commitments.commitment",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="DeveloperAgreement",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("reference", models.CharField(max_length=200)),
                        ("kind", models.CharField(max_length=120)),
                        ("planning_application", models.CharField(blank=True, max_length=300)),
                        ("document_url", models.URLField(blank=True, max_length=1000)),
                        ("agreed_on", models.DateField(blank=True, null=True)),
                        ("ended_on", models.DateField(blank=True, null=True)),
                        (
                            "run_id",
                            models.BigIntegerField(
                                help_text="The number of the import that added it.", verbose_name="import run"
                            ),
                        ),
                        (
                            "organisation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="developer_agreements",
                                to="organisations.organisation",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="AgreementPromiseEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.BigIntegerField()),
                        (
                            "commitment",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="commitments.commitment",
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
                                to="developer_agreements.agreementpromise",
                            ),
                        ),
                        (
                            "agreement",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="developer_agreements.developeragreement",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.AddField(
                    model_name="agreementpromise",
                    name="agreement",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="promises",
                        to="developer_agreements.developeragreement",
                    ),
                ),
                migrations.CreateModel(
                    name="DeveloperAgreementEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.BigIntegerField()),
                        ("reference", models.CharField(max_length=200)),
                        ("kind", models.CharField(max_length=120)),
                        ("planning_application", models.CharField(blank=True, max_length=300)),
                        ("document_url", models.URLField(blank=True, max_length=1000)),
                        ("agreed_on", models.DateField(blank=True, null=True)),
                        ("ended_on", models.DateField(blank=True, null=True)),
                        (
                            "run_id",
                            models.BigIntegerField(
                                help_text="The number of the import that added it.", verbose_name="import run"
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
                                to="developer_agreements.developeragreement",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.AddConstraint(
                    model_name="developeragreement",
                    constraint=models.UniqueConstraint(
                        fields=("organisation", "reference"), name="one_agreement_a_reference"
                    ),
                ),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="developeragreement",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "developer_agreements_developeragreementevent" ("agreed_on", "document_url", "ended_on", "id", "kind", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "planning_application", "reference", "run_id") VALUES (NEW."agreed_on", NEW."document_url", NEW."ended_on", NEW."id", NEW."kind", NEW."organisation_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."planning_application", NEW."reference", NEW."run_id"); RETURN NULL;',
                    hash="d3e947a46adb55bebc1d79921374db085fcef1a9",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_61194",
                    table="developer_agreements_developeragreement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="developeragreement",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "developer_agreements_developeragreementevent" ("agreed_on", "document_url", "ended_on", "id", "kind", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "planning_application", "reference", "run_id") VALUES (NEW."agreed_on", NEW."document_url", NEW."ended_on", NEW."id", NEW."kind", NEW."organisation_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."planning_application", NEW."reference", NEW."run_id"); RETURN NULL;',
                    hash="8a247ef63ea796d284a13aa6347649ca8a5335be",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_abbf0",
                    table="developer_agreements_developeragreement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="developeragreement",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "developer_agreements_developeragreementevent" ("agreed_on", "document_url", "ended_on", "id", "kind", "organisation_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "planning_application", "reference", "run_id") VALUES (OLD."agreed_on", OLD."document_url", OLD."ended_on", OLD."id", OLD."kind", OLD."organisation_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."planning_application", OLD."reference", OLD."run_id"); RETURN NULL;',
                    hash="11196f316cade22d63b2be43eddafa716349221c",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_f2c96",
                    table="developer_agreements_developeragreement",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="agreementpromise",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "developer_agreements_agreementpromiseevent" ("agreement_id", "commitment_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."agreement_id", NEW."commitment_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;',
                    hash="b8bad4f95f2f1bf07b9989005a9d1876cede3565",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_3b8e3",
                    table="developer_agreements_agreementpromise",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="agreementpromise",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "developer_agreements_agreementpromiseevent" ("agreement_id", "commitment_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."agreement_id", NEW."commitment_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;',
                    hash="805955a60ea91587d1b466eaa145d3b3fb46e444",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_93149",
                    table="developer_agreements_agreementpromise",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="agreementpromise",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "developer_agreements_agreementpromiseevent" ("agreement_id", "commitment_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."agreement_id", OLD."commitment_id", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id"); RETURN NULL;',
                    hash="784a14c2559d1431d3e616db70947d01a85c05f0",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_a83a2",
                    table="developer_agreements_agreementpromise",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunPython(
            move_content_types("transfer", "developer_agreements"),
            move_content_types("developer_agreements", "transfer"),
        ),
    ]
