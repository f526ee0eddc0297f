"""Record in which nation's working days a person wants digests, instead of only whether on working days."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

TABLES = ("digests_preference", "digests_preferenceevent")
#: What was "working days only" meant the bank holidays of England and Wales; history says so too.
CHANGE = """
ALTER TABLE {table} ALTER COLUMN working_days_only TYPE varchar(17)
      USING CASE WHEN working_days_only THEN 'england-and-wales' ELSE '' END;
ALTER TABLE {table} RENAME COLUMN working_days_only TO working_days_of;
ALTER TABLE {table} ALTER COLUMN working_days_of SET DEFAULT '';
"""
BACK = """
ALTER TABLE {table} ALTER COLUMN working_days_of DROP DEFAULT;
ALTER TABLE {table} ALTER COLUMN working_days_of TYPE boolean USING working_days_of <> '';
ALTER TABLE {table} RENAME COLUMN working_days_of TO working_days_only;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("digests", "0033_keep_stops_to_undo"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="preference",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="preference",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="preference",
            name="delete_delete",
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(CHANGE.format(table=table), BACK.format(table=table)) for table in TABLES
            ],
            state_operations=[
                migrations.RemoveField(
                    model_name="preference",
                    name="working_days_only",
                ),
                migrations.RemoveField(
                    model_name="preferenceevent",
                    name="working_days_only",
                ),
                migrations.AddField(
                    model_name="preference",
                    name="working_days_of",
                    field=models.CharField(
                        blank=True,
                        choices=[
                            ("england-and-wales", "England and Wales"),
                            ("scotland", "Scotland"),
                            ("northern-ireland", "Northern Ireland"),
                        ],
                        db_default="",
                        default="",
                        help_text="The nation whose weekends and bank holidays bring no digests; none: any day.",
                        max_length=17,
                    ),
                ),
                migrations.AddField(
                    model_name="preferenceevent",
                    name="working_days_of",
                    field=models.CharField(
                        blank=True,
                        choices=[
                            ("england-and-wales", "England and Wales"),
                            ("scotland", "Scotland"),
                            ("northern-ireland", "Northern Ireland"),
                        ],
                        db_default="",
                        default="",
                        help_text="The nation whose weekends and bank holidays bring no digests; none: any day.",
                        max_length=17,
                    ),
                ),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="preference",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_preferenceevent" ("days", "frequency", "hour", "id", "introduced_at", "more_hours", "paused_from", "paused_until", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "refused_at", "tells_matches", "weekday", "working_days_of") VALUES (NEW."days", NEW."frequency", NEW."hour", NEW."id", NEW."introduced_at", NEW."more_hours", NEW."paused_from", NEW."paused_until", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."refused_at", NEW."tells_matches", NEW."weekday", NEW."working_days_of"); RETURN NULL;',
                    hash="6b97cf0bbe0a67135db2259c1359148e531277bc",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_cd092",
                    table="digests_preference",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="preference",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."days" IS DISTINCT FROM (NEW."days") OR OLD."frequency" IS DISTINCT FROM (NEW."frequency") OR OLD."hour" IS DISTINCT FROM (NEW."hour") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."introduced_at" IS DISTINCT FROM (NEW."introduced_at") OR OLD."more_hours" IS DISTINCT FROM (NEW."more_hours") OR OLD."paused_from" IS DISTINCT FROM (NEW."paused_from") OR OLD."paused_until" IS DISTINCT FROM (NEW."paused_until") OR OLD."person_id" IS DISTINCT FROM (NEW."person_id") OR OLD."refused_at" IS DISTINCT FROM (NEW."refused_at") OR OLD."tells_matches" IS DISTINCT FROM (NEW."tells_matches") OR OLD."weekday" IS DISTINCT FROM (NEW."weekday") OR OLD."working_days_of" IS DISTINCT FROM (NEW."working_days_of"))',
                    func='INSERT INTO "digests_preferenceevent" ("days", "frequency", "hour", "id", "introduced_at", "more_hours", "paused_from", "paused_until", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "refused_at", "tells_matches", "weekday", "working_days_of") VALUES (NEW."days", NEW."frequency", NEW."hour", NEW."id", NEW."introduced_at", NEW."more_hours", NEW."paused_from", NEW."paused_until", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."refused_at", NEW."tells_matches", NEW."weekday", NEW."working_days_of"); RETURN NULL;',
                    hash="b8b22e18213afee5340c9b2fddcbe5eeedf2dab9",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_2307b",
                    table="digests_preference",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="preference",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_preferenceevent" ("days", "frequency", "hour", "id", "introduced_at", "more_hours", "paused_from", "paused_until", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "refused_at", "tells_matches", "weekday", "working_days_of") VALUES (OLD."days", OLD."frequency", OLD."hour", OLD."id", OLD."introduced_at", OLD."more_hours", OLD."paused_from", OLD."paused_until", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."refused_at", OLD."tells_matches", OLD."weekday", OLD."working_days_of"); RETURN NULL;',
                    hash="b8e1ca97306948f34c50463c84525a4b64ae97c5",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_3970d",
                    table="digests_preference",
                    when="AFTER",
                ),
            ),
        ),
    ]
