"""Let published expectations from surveys be evidence."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0028_vacancies_without_nominees"),
        ("commitments", "0010_drop_reminder_choice"),
        ("conversations", "0011_settle_what_ended_before"),
        ("plans", "0021_addresses_of_sites"),
        ("recommendations", "0001_initial"),
        ("surveys", "0002_first_question_set"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="evidence",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="evidence",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="evidence",
            name="delete_delete",
        ),
        migrations.RemoveConstraint(
            model_name="evidence",
            name="evidence_is_one_record",
        ),
        migrations.AddField(
            model_name="evidence",
            name="expectation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="surveys.figure",
            ),
        ),
        migrations.AddField(
            model_name="evidenceevent",
            name="expectation",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="surveys.figure",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidence",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_evidenceevent" ("added_at", "added_by_id", "commitment_id", "document_id", "expectation_id", "id", "meeting_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "response_id", "version_id", "words") VALUES (NEW."added_at", NEW."added_by_id", NEW."commitment_id", NEW."document_id", NEW."expectation_id", NEW."id", NEW."meeting_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."response_id", NEW."version_id", NEW."words"); RETURN NULL;',
                    hash="11327a39b825fbbae00da9bbbc9e9c25f96ed67e",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_8a6a5",
                    table="recommendations_evidence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidence",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "recommendations_evidenceevent" ("added_at", "added_by_id", "commitment_id", "document_id", "expectation_id", "id", "meeting_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "response_id", "version_id", "words") VALUES (NEW."added_at", NEW."added_by_id", NEW."commitment_id", NEW."document_id", NEW."expectation_id", NEW."id", NEW."meeting_id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."response_id", NEW."version_id", NEW."words"); RETURN NULL;',
                    hash="8a04fe33a08ef7b68864ce8fc21ab9fdb8bf73df",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_c84dc",
                    table="recommendations_evidence",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="evidence",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "recommendations_evidenceevent" ("added_at", "added_by_id", "commitment_id", "document_id", "expectation_id", "id", "meeting_id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "response_id", "version_id", "words") VALUES (OLD."added_at", OLD."added_by_id", OLD."commitment_id", OLD."document_id", OLD."expectation_id", OLD."id", OLD."meeting_id", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."response_id", OLD."version_id", OLD."words"); RETURN NULL;',
                    hash="ef98e409507fc73cf9d3118e2c39e612365df050",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_afdc5",
                    table="recommendations_evidence",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pk__in", []),
                    models.Q(
                        ("commitment__isnull", False),
                        ("document", None),
                        ("expectation", None),
                        ("meeting", None),
                        ("partnership", None),
                        ("version", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("document", None),
                        ("expectation", None),
                        ("meeting", None),
                        ("partnership", None),
                        ("version__isnull", False),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("document", None),
                        ("expectation", None),
                        ("meeting", None),
                        ("partnership__isnull", False),
                        ("version", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("document", None),
                        ("expectation", None),
                        ("meeting__isnull", False),
                        ("partnership", None),
                        ("version", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("document__isnull", False),
                        ("expectation", None),
                        ("meeting", None),
                        ("partnership", None),
                        ("version", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("document", None),
                        ("expectation__isnull", False),
                        ("meeting", None),
                        ("partnership", None),
                        ("version", None),
                    ),
                    _connector="OR",
                ),
                name="evidence_is_one_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.UniqueConstraint(fields=("response", "expectation"), name="one_evidence_a_expectation"),
        ),
    ]
