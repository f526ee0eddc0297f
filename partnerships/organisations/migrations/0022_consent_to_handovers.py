import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0021_tell_of_successions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="handover",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="handover",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="handover",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="handover",
            name="consent_from",
            field=models.CharField(blank=True, db_default="", help_text="Who gave the consent.", max_length=200),
        ),
        migrations.AddField(
            model_name="handover",
            name="consent_on",
            field=models.DateField(blank=True, help_text="When the consent was given.", null=True),
        ),
        migrations.AddField(
            model_name="handoverevent",
            name="consent_from",
            field=models.CharField(blank=True, db_default="", help_text="Who gave the consent.", max_length=200),
        ),
        migrations.AddField(
            model_name="handoverevent",
            name="consent_on",
            field=models.DateField(blank=True, help_text="When the consent was given.", null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handover",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_handoverevent" ("answered_at", "answered_by_id", "applied_at", "basis", "consent", "consent_from", "consent_on", "dispute", "due_on", "evidence", "homes", "id", "kind", "money", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predecessor_id", "proposed_at", "proposed_by_id", "record", "sharing", "state", "succession_id", "successor_id", "title") VALUES (NEW."answered_at", NEW."answered_by_id", NEW."applied_at", NEW."basis", NEW."consent", NEW."consent_from", NEW."consent_on", NEW."dispute", NEW."due_on", NEW."evidence", NEW."homes", NEW."id", NEW."kind", NEW."money", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."predecessor_id", NEW."proposed_at", NEW."proposed_by_id", NEW."record", NEW."sharing", NEW."state", NEW."succession_id", NEW."successor_id", NEW."title"); RETURN NULL;',
                    hash="69160cbfba544d36854441a21695dbd3ed266cf5",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_3d3a2",
                    table="organisations_handover",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handover",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "organisations_handoverevent" ("answered_at", "answered_by_id", "applied_at", "basis", "consent", "consent_from", "consent_on", "dispute", "due_on", "evidence", "homes", "id", "kind", "money", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predecessor_id", "proposed_at", "proposed_by_id", "record", "sharing", "state", "succession_id", "successor_id", "title") VALUES (NEW."answered_at", NEW."answered_by_id", NEW."applied_at", NEW."basis", NEW."consent", NEW."consent_from", NEW."consent_on", NEW."dispute", NEW."due_on", NEW."evidence", NEW."homes", NEW."id", NEW."kind", NEW."money", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."predecessor_id", NEW."proposed_at", NEW."proposed_by_id", NEW."record", NEW."sharing", NEW."state", NEW."succession_id", NEW."successor_id", NEW."title"); RETURN NULL;',
                    hash="baa22569dc115479c9a38e88539820a5ff9ae352",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_00534",
                    table="organisations_handover",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handover",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_handoverevent" ("answered_at", "answered_by_id", "applied_at", "basis", "consent", "consent_from", "consent_on", "dispute", "due_on", "evidence", "homes", "id", "kind", "money", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predecessor_id", "proposed_at", "proposed_by_id", "record", "sharing", "state", "succession_id", "successor_id", "title") VALUES (OLD."answered_at", OLD."answered_by_id", OLD."applied_at", OLD."basis", OLD."consent", OLD."consent_from", OLD."consent_on", OLD."dispute", OLD."due_on", OLD."evidence", OLD."homes", OLD."id", OLD."kind", OLD."money", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."predecessor_id", OLD."proposed_at", OLD."proposed_by_id", OLD."record", OLD."sharing", OLD."state", OLD."succession_id", OLD."successor_id", OLD."title"); RETURN NULL;',
                    hash="055f98e84719c1736acb276b5d30e75ba9cc5482",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_e3909",
                    table="organisations_handover",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="handover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("consent_on", None),
                    models.Q(("consent_from", ""), ("evidence", ""), _connector="OR", _negated=True),
                    _connector="OR",
                ),
                name="handover_consent_is_proven",
            ),
        ),
    ]
