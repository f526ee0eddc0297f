import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("digests", "0004_matches_told"),
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
            name="refused_at",
            field=models.DateTimeField(
                blank=True, help_text="When the person themselves said no: nobody asks them again soon.", null=True
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="stopped_from",
            field=models.CharField(
                blank=True,
                choices=[
                    ("asked", "Waiting for confirmation"),
                    ("confirmed", "Active"),
                    ("paused", "Paused"),
                    ("ended", "Ended"),
                    ("suppressed", "Stopped: their mail comes back"),
                ],
                help_text="What it was when mail to the address was stopped, and is again when the address is released.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="subscriptionevent",
            name="refused_at",
            field=models.DateTimeField(
                blank=True, help_text="When the person themselves said no: nobody asks them again soon.", null=True
            ),
        ),
        migrations.AddField(
            model_name="subscriptionevent",
            name="stopped_from",
            field=models.CharField(
                blank=True,
                choices=[
                    ("asked", "Waiting for confirmation"),
                    ("confirmed", "Active"),
                    ("paused", "Paused"),
                    ("ended", "Ended"),
                    ("suppressed", "Stopped: their mail comes back"),
                ],
                help_text="What it was when mail to the address was stopped, and is again when the address is released.",
                max_length=10,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "confirmed_at", "ended_at", "frequency", "how", "id", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."how", NEW."id", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."reason", NEW."refused_at", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="7d81178d7296584abbe55d29d4a1fd8300d08d27",
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
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "confirmed_at", "ended_at", "frequency", "how", "id", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."how", NEW."id", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."reason", NEW."refused_at", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="0ccd2ec2a3e3771b6d4a0923c260bac61cee504a",
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
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "confirmed_at", "ended_at", "frequency", "how", "id", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "status", "stopped_from", "why") VALUES (OLD."added_by_id", OLD."added_for_id", OLD."asked_at", OLD."confirmed_at", OLD."ended_at", OLD."frequency", OLD."how", OLD."id", OLD."organisation_id", OLD."partnership_id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."reason", OLD."refused_at", OLD."status", OLD."stopped_from", OLD."why"); RETURN NULL;',
                    hash="8f0fe478a9157f4d19bba5c9b444a96ee626c86d",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ad42b",
                    table="digests_subscription",
                    when="AFTER",
                ),
            ),
        ),
    ]
