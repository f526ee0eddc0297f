"""Add the title and confidentiality of documents in newest versions, for lists, without row history."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0021_addresses_of_sites"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="document",
            name="update_update",
        ),
        migrations.AddField(
            model_name="document",
            name="in_newest",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="document",
            name="restricted",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="document",
            name="title",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="document",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."added_at" IS DISTINCT FROM (NEW."added_at") OR OLD."added_by_id" IS DISTINCT FROM (NEW."added_by_id") OR OLD."content_type" IS DISTINCT FROM (NEW."content_type") OR OLD."file" IS DISTINCT FROM (NEW."file") OR OLD."file_name" IS DISTINCT FROM (NEW."file_name") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."plan_id" IS DISTINCT FROM (NEW."plan_id") OR OLD."sha256" IS DISTINCT FROM (NEW."sha256") OR OLD."size" IS DISTINCT FROM (NEW."size"))',
                    func='INSERT INTO "plans_documentevent" ("added_at", "added_by_id", "content_type", "file", "file_name", "id", "key", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "sha256", "size") VALUES (NEW."added_at", NEW."added_by_id", NEW."content_type", NEW."file", NEW."file_name", NEW."id", NEW."key", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."sha256", NEW."size"); RETURN NULL;',
                    hash="e19bae415ecd70b2f1b30f32d774fbb58ee96c5c",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_f2bf7",
                    table="plans_document",
                    when="AFTER",
                ),
            ),
        ),
    ]
