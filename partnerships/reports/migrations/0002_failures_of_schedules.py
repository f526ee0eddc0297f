import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0001_initial"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="schedule",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="schedule",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="schedule",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="schedule",
            name="failures",
            field=models.PositiveSmallIntegerField(default=0, help_text="How often making it failed since it was due."),
        ),
        migrations.AddField(
            model_name="scheduleevent",
            name="failures",
            field=models.PositiveSmallIntegerField(default=0, help_text="How often making it failed since it was due."),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schedule",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "reports_scheduleevent" ("created_at", "created_by_id", "ended_at", "every", "failures", "first_on", "id", "name", "next_on", "organisation_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "question", "report") VALUES (NEW."created_at", NEW."created_by_id", NEW."ended_at", NEW."every", NEW."failures", NEW."first_on", NEW."id", NEW."name", NEW."next_on", NEW."organisation_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."question", NEW."report"); RETURN NULL;',
                    hash="caff9f59bedd9eeb4520e8e7312e1eeac881076a",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_712d4",
                    table="reports_schedule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schedule",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "reports_scheduleevent" ("created_at", "created_by_id", "ended_at", "every", "failures", "first_on", "id", "name", "next_on", "organisation_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "question", "report") VALUES (NEW."created_at", NEW."created_by_id", NEW."ended_at", NEW."every", NEW."failures", NEW."first_on", NEW."id", NEW."name", NEW."next_on", NEW."organisation_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."question", NEW."report"); RETURN NULL;',
                    hash="eef5cae3b2bf56d4c2479719cf15679985084b36",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_ae15d",
                    table="reports_schedule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="schedule",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "reports_scheduleevent" ("created_at", "created_by_id", "ended_at", "every", "failures", "first_on", "id", "name", "next_on", "organisation_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "question", "report") VALUES (OLD."created_at", OLD."created_by_id", OLD."ended_at", OLD."every", OLD."failures", OLD."first_on", OLD."id", OLD."name", OLD."next_on", OLD."organisation_id", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."question", OLD."report"); RETURN NULL;',
                    hash="02a651b7b052b25cfd4b96c96a6f7b48305bf1ac",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_6d104",
                    table="reports_schedule",
                    when="AFTER",
                ),
            ),
        ),
    ]
