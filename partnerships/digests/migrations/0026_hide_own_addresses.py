"""Record for each stakeholder whether they gave their present address themselves."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# The log says who moved their digests, or changed the address of their account after an organisation had added them.
KNOWN = """
UPDATE digests_subscription s SET has_own_address = true
 WHERE s.added_for_id IS NOT NULL
   AND (EXISTS (SELECT 1 FROM activity_event e WHERE e.target_kind = 'subscription' AND e.target_id = s.id
                   AND e.kind = 'subscription.asked_at_new_address')
        OR EXISTS (SELECT 1 FROM activity_event e WHERE e.target_kind = 'person' AND e.target_id = s.person_id
                      AND e.kind = 'person.email_changed' AND e.at >= s.asked_at));
"""


class Migration(migrations.Migration):
    dependencies = [("digests", "0025_guard_items_of_digests"), ("activity", "0003_code_events")]

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
            name="has_own_address",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The person gave this address themselves, so the organisation that added them does not see it.",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionevent",
            name="has_own_address",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The person gave this address themselves, so the organisation that added them does not see it.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "confirmed_at", "ended_at", "frequency", "has_own_address", "how", "id", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "replaces_id", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."has_own_address", NEW."how", NEW."id", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."reason", NEW."refused_at", NEW."replaces_id", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="df3c6b9170b52a0f9fb554a7393b9f0778f2e486",
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
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "confirmed_at", "ended_at", "frequency", "has_own_address", "how", "id", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "replaces_id", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."has_own_address", NEW."how", NEW."id", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."reason", NEW."refused_at", NEW."replaces_id", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="51a2768166669010ce042015f784f99083b501c5",
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
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "confirmed_at", "ended_at", "frequency", "has_own_address", "how", "id", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "replaces_id", "status", "stopped_from", "why") VALUES (OLD."added_by_id", OLD."added_for_id", OLD."asked_at", OLD."confirmed_at", OLD."ended_at", OLD."frequency", OLD."has_own_address", OLD."how", OLD."id", OLD."organisation_id", OLD."partnership_id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."reason", OLD."refused_at", OLD."replaces_id", OLD."status", OLD."stopped_from", OLD."why"); RETURN NULL;',
                    hash="426448e51c7b5c8de1710aa5ede4be574d567648",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ad42b",
                    table="digests_subscription",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
