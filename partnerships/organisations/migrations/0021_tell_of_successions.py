import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0020_accepted_parts"),
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
        pgtrigger.migrations.RemoveTrigger(
            model_name="succession",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="succession",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="succession",
            name="delete_delete",
        ),
        migrations.RemoveField(
            model_name="handover",
            name="told_at",
        ),
        migrations.RemoveField(
            model_name="handoverevent",
            name="told_at",
        ),
        migrations.AddField(
            model_name="succession",
            name="is_untold",
            field=models.BooleanField(
                db_default=False, default=False, help_text="It has taken effect, and people are still to be emailed."
            ),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="is_untold",
            field=models.BooleanField(
                db_default=False, default=False, help_text="It has taken effect, and people are still to be emailed."
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handover",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_handoverevent" ("answered_at", "answered_by_id", "applied_at", "basis", "consent", "dispute", "due_on", "evidence", "homes", "id", "kind", "money", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predecessor_id", "proposed_at", "proposed_by_id", "record", "sharing", "state", "succession_id", "successor_id", "title") VALUES (NEW."answered_at", NEW."answered_by_id", NEW."applied_at", NEW."basis", NEW."consent", NEW."dispute", NEW."due_on", NEW."evidence", NEW."homes", NEW."id", NEW."kind", NEW."money", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."predecessor_id", NEW."proposed_at", NEW."proposed_by_id", NEW."record", NEW."sharing", NEW."state", NEW."succession_id", NEW."successor_id", NEW."title"); RETURN NULL;',
                    hash="e8328ad3e58179fad51e65b40426b404eb70d72d",
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
                    func='INSERT INTO "organisations_handoverevent" ("answered_at", "answered_by_id", "applied_at", "basis", "consent", "dispute", "due_on", "evidence", "homes", "id", "kind", "money", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predecessor_id", "proposed_at", "proposed_by_id", "record", "sharing", "state", "succession_id", "successor_id", "title") VALUES (NEW."answered_at", NEW."answered_by_id", NEW."applied_at", NEW."basis", NEW."consent", NEW."dispute", NEW."due_on", NEW."evidence", NEW."homes", NEW."id", NEW."kind", NEW."money", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."predecessor_id", NEW."proposed_at", NEW."proposed_by_id", NEW."record", NEW."sharing", NEW."state", NEW."succession_id", NEW."successor_id", NEW."title"); RETURN NULL;',
                    hash="5bdd65adecc9f8065dc694bc348b0adbeb9ed4da",
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
                    func='INSERT INTO "organisations_handoverevent" ("answered_at", "answered_by_id", "applied_at", "basis", "consent", "dispute", "due_on", "evidence", "homes", "id", "kind", "money", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predecessor_id", "proposed_at", "proposed_by_id", "record", "sharing", "state", "succession_id", "successor_id", "title") VALUES (OLD."answered_at", OLD."answered_by_id", OLD."applied_at", OLD."basis", OLD."consent", OLD."dispute", OLD."due_on", OLD."evidence", OLD."homes", OLD."id", OLD."kind", OLD."money", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."predecessor_id", OLD."proposed_at", OLD."proposed_by_id", OLD."record", OLD."sharing", OLD."state", OLD."succession_id", OLD."successor_id", OLD."title"); RETURN NULL;',
                    hash="8f31677d14a7fbaf85123b44f42fe6dbc5b2d1ae",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_e3909",
                    table="organisations_handover",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="succession",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_successionevent" ("codes_on", "id", "instrument", "instrument_url", "is_untold", "kind", "new_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "proposal", "shadow_on", "source", "source_url", "status", "undoes_id", "vests_on") VALUES (NEW."codes_on", NEW."id", NEW."instrument", NEW."instrument_url", NEW."is_untold", NEW."kind", NEW."new_name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."place", NEW."proposal", NEW."shadow_on", NEW."source", NEW."source_url", NEW."status", NEW."undoes_id", NEW."vests_on"); RETURN NULL;',
                    hash="6e49e3830592305560bd82c788d051cc26d1d14b",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_74ed8",
                    table="organisations_succession",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="succession",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "organisations_successionevent" ("codes_on", "id", "instrument", "instrument_url", "is_untold", "kind", "new_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "proposal", "shadow_on", "source", "source_url", "status", "undoes_id", "vests_on") VALUES (NEW."codes_on", NEW."id", NEW."instrument", NEW."instrument_url", NEW."is_untold", NEW."kind", NEW."new_name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."place", NEW."proposal", NEW."shadow_on", NEW."source", NEW."source_url", NEW."status", NEW."undoes_id", NEW."vests_on"); RETURN NULL;',
                    hash="238932209d557783c7d401d071ba43097d441a95",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_b7b33",
                    table="organisations_succession",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="succession",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_successionevent" ("codes_on", "id", "instrument", "instrument_url", "is_untold", "kind", "new_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "proposal", "shadow_on", "source", "source_url", "status", "undoes_id", "vests_on") VALUES (OLD."codes_on", OLD."id", OLD."instrument", OLD."instrument_url", OLD."is_untold", OLD."kind", OLD."new_name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."place", OLD."proposal", OLD."shadow_on", OLD."source", OLD."source_url", OLD."status", OLD."undoes_id", OLD."vests_on"); RETURN NULL;',
                    hash="1282edc94a83bca64c0c6980838c3be35ad1be7d",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_e2371",
                    table="organisations_succession",
                    when="AFTER",
                ),
            ),
        ),
    ]
