"""Let a calendar address belong to a saved view."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    # Until it is gone, old code reads an address of a view as one of its owner's own dates: nobody else's.
    safe_beside_old_code = "The table is small; old code makes no address of a view, and shows nobody others' dates."
    dependencies = [
        ("agreements", "0028_vacancies_without_nominees"),
        ("calendars", "0002_reviews_of_responses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="calendaraddress",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="calendaraddress",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="calendaraddress",
            name="delete_delete",
        ),
        migrations.RemoveConstraint(
            model_name="calendaraddress",
            name="one_calendar_address_each",
        ),
        migrations.AddField(
            model_name="calendaraddress",
            name="view_number",
            field=models.BigIntegerField(
                blank=True,
                help_text="The number of a saved view of a list, whose room lies above.",
                null=True,
                verbose_name="saved view",
            ),
        ),
        migrations.AddField(
            model_name="calendaraddressevent",
            name="view_number",
            field=models.BigIntegerField(
                blank=True,
                help_text="The number of a saved view of a list, whose room lies above.",
                null=True,
                verbose_name="saved view",
            ),
        ),
        migrations.AlterField(
            model_name="calendaraddress",
            name="partnership",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty, as the view: the person's own dates.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="agreements.partnership",
            ),
        ),
        migrations.AlterField(
            model_name="calendaraddressevent",
            name="partnership",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Empty, as the view: the person's own dates.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="agreements.partnership",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="calendaraddress",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "calendars_calendaraddressevent" ("id", "kinds", "made_at", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "view_number") VALUES (NEW."id", NEW."kinds", NEW."made_at", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."view_number"); RETURN NULL;',
                    hash="adb6c7eea0127584db6838a02597a054874435ea",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_18215",
                    table="calendars_calendaraddress",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="calendaraddress",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kinds" IS DISTINCT FROM (NEW."kinds") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at") OR OLD."partnership_id" IS DISTINCT FROM (NEW."partnership_id") OR OLD."person_id" IS DISTINCT FROM (NEW."person_id") OR OLD."view_number" IS DISTINCT FROM (NEW."view_number"))',
                    func='INSERT INTO "calendars_calendaraddressevent" ("id", "kinds", "made_at", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "view_number") VALUES (NEW."id", NEW."kinds", NEW."made_at", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."view_number"); RETURN NULL;',
                    hash="2dcc1f551a3087f28fbaa5005097ffda04569f16",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_4533d",
                    table="calendars_calendaraddress",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="calendaraddress",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "calendars_calendaraddressevent" ("id", "kinds", "made_at", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "view_number") VALUES (OLD."id", OLD."kinds", OLD."made_at", OLD."partnership_id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."view_number"); RETURN NULL;',
                    hash="1fb3e382b6e8053827d1450e056230d699d65882",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ec6e3",
                    table="calendars_calendaraddress",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="calendaraddress",
            constraint=models.UniqueConstraint(
                fields=("person", "partnership", "view_number"),
                name="one_calendar_address_of_each",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="calendaraddress",
            constraint=models.CheckConstraint(
                condition=models.Q(("partnership", None), ("view_number", None), _connector="OR"),
                name="calendar_of_partnership_or_view",
            ),
        ),
    ]
