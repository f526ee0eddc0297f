"""Let a subscription replace one at an earlier address of the same person."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("digests", "0019_pauses_are_looked_up"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="subscription",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="subscription",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="subscription",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="subscription",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                help_text="The same at an earlier address, which ends once this one is confirmed.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="digests.subscription",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionevent",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="The same at an earlier address, which ends once this one is confirmed.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="digests.subscription",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "confirmed_at", "ended_at", "frequency", "how", "id", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "replaces_id", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."how", NEW."id", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."reason", NEW."refused_at", NEW."replaces_id", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="6d331381c6b9b328861be537b5c4408947de3344",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_c03ec",
                    table="digests_subscription",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "confirmed_at", "ended_at", "frequency", "how", "id", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "replaces_id", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."how", NEW."id", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."reason", NEW."refused_at", NEW."replaces_id", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="7dbb219c9dc825938cd786e547062b0f097e618b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_9f806",
                    table="digests_subscription",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "confirmed_at", "ended_at", "frequency", "how", "id", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "replaces_id", "status", "stopped_from", "why") VALUES (OLD."added_by_id", OLD."added_for_id", OLD."asked_at", OLD."confirmed_at", OLD."ended_at", OLD."frequency", OLD."how", OLD."id", OLD."organisation_id", OLD."partnership_id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."reason", OLD."refused_at", OLD."replaces_id", OLD."status", OLD."stopped_from", OLD."why"); RETURN NULL;',
                    hash="1ec9df318a379251aa31242fed6009d509fff041",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ad42b",
                    table="digests_subscription",
                    when="AFTER",
                ),
            ),
        ),
    ]
