"""Store the newest version of each plan that readers were notified about."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

#: An embargo that the clock has not lifted yet still holds the newest version back.
OPEN_NUMBERS = """
UPDATE plans_plan SET open_number = CASE WHEN embargoed_until IS NULL THEN current_number ELSE COALESCE((
    SELECT max(number) FROM plans_version
     WHERE plan_id = plans_plan.id AND number < plans_plan.current_number
       AND (embargo_until IS NULL OR embargo_until <= now())
), 0) END WHERE current_number > 0
"""


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0002_history_of_deletions"),
        ("organisations", "0002_history_of_deletions"),
        ("plans", "0003_commitments_from_plans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="plan",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="plan",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="plan",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="plan",
            name="open_number",
            field=models.PositiveIntegerField(
                default=0, help_text="The newest version that is not, or no longer, under embargo."
            ),
        ),
        migrations.AddField(
            model_name="planevent",
            name="open_number",
            field=models.PositiveIntegerField(
                default=0, help_text="The newest version that is not, or no longer, under embargo."
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("open_number__lte", models.F("current_number"))), name="plan_open_published"
            ),
        ),
        migrations.RunSQL(OPEN_NUMBERS, migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_planevent" ("audience", "baseline_number", "created_at", "created_by_id", "current_number", "embargoed_until", "external_reference", "first_published_at", "id", "kind", "last_published_at", "open_at", "open_number", "partnership_id", "period_end", "period_start", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "substantive_number", "superseded_by_id", "title") VALUES (NEW."audience", NEW."baseline_number", NEW."created_at", NEW."created_by_id", NEW."current_number", NEW."embargoed_until", NEW."external_reference", NEW."first_published_at", NEW."id", NEW."kind", NEW."last_published_at", NEW."open_at", NEW."open_number", NEW."partnership_id", NEW."period_end", NEW."period_start", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."status", NEW."substantive_number", NEW."superseded_by_id", NEW."title"); RETURN NULL;',
                    hash="0c5f79f9e13bf9f405025ff0aeef0db163450994",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_8b340",
                    table="plans_plan",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "plans_planevent" ("audience", "baseline_number", "created_at", "created_by_id", "current_number", "embargoed_until", "external_reference", "first_published_at", "id", "kind", "last_published_at", "open_at", "open_number", "partnership_id", "period_end", "period_start", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "substantive_number", "superseded_by_id", "title") VALUES (NEW."audience", NEW."baseline_number", NEW."created_at", NEW."created_by_id", NEW."current_number", NEW."embargoed_until", NEW."external_reference", NEW."first_published_at", NEW."id", NEW."kind", NEW."last_published_at", NEW."open_at", NEW."open_number", NEW."partnership_id", NEW."period_end", NEW."period_start", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."status", NEW."substantive_number", NEW."superseded_by_id", NEW."title"); RETURN NULL;',
                    hash="949f087c5764aeb217866e16c4c11878f71063cc",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_ee9c7",
                    table="plans_plan",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="plan",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "plans_planevent" ("audience", "baseline_number", "created_at", "created_by_id", "current_number", "embargoed_until", "external_reference", "first_published_at", "id", "kind", "last_published_at", "open_at", "open_number", "partnership_id", "period_end", "period_start", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "substantive_number", "superseded_by_id", "title") VALUES (OLD."audience", OLD."baseline_number", OLD."created_at", OLD."created_by_id", OLD."current_number", OLD."embargoed_until", OLD."external_reference", OLD."first_published_at", OLD."id", OLD."kind", OLD."last_published_at", OLD."open_at", OLD."open_number", OLD."partnership_id", OLD."period_end", OLD."period_start", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."status", OLD."substantive_number", OLD."superseded_by_id", OLD."title"); RETURN NULL;',
                    hash="bd5aad7c7f9048b152ca75d7498d2422a87fd5d5",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_3e165",
                    table="plans_plan",
                    when="AFTER",
                ),
            ),
        ),
    ]
