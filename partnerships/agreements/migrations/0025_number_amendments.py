"""Number the amendments of each partnership from 1. The first terms are not an amendment."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

#: Before the triggers are back: numbering what is there is no change that anybody made.
NUMBER = """
UPDATE agreements_termsproposal AS proposal SET amendment_number = numbered.place
FROM (
    SELECT id, row_number() OVER (PARTITION BY partnership_id ORDER BY number) AS place
    FROM agreements_termsproposal WHERE based_on_id IS NOT NULL
) AS numbered
WHERE numbered.id = proposal.id
"""


class Migration(migrations.Migration):
    """Add `amendment_number`; addresses of pages still use `number`, which counts all proposals."""

    dependencies: ClassVar = [
        ("agreements", "0024_close_proposals_of_ended"),
    ]

    operations: ClassVar = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="termsproposal",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="termsproposal",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="termsproposal",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="termsproposal",
            name="amendment_number",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="termsproposalevent",
            name="amendment_number",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.RunSQL(NUMBER, migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name="termsproposal",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "agreements_termsproposalevent" ("amendment_number", "author_id", "based_on_id", "clean_revision", "created_at", "decided_at", "declarations", "from_day", "id", "number", "outcome", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_by_id", "reason", "revision", "sign_by", "status", "updated_at", "updated_by_id") VALUES (NEW."amendment_number", NEW."author_id", NEW."based_on_id", NEW."clean_revision", NEW."created_at", NEW."decided_at", NEW."declarations", NEW."from_day", NEW."id", NEW."number", NEW."outcome", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."proposed_by_id", NEW."reason", NEW."revision", NEW."sign_by", NEW."status", NEW."updated_at", NEW."updated_by_id"); RETURN NULL;',
                    hash="d60b807db3018457c5a898eafee8ed951c441b77",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_68ff2",
                    table="agreements_termsproposal",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="termsproposal",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."amendment_number" IS DISTINCT FROM (NEW."amendment_number") OR OLD."author_id" IS DISTINCT FROM (NEW."author_id") OR OLD."based_on_id" IS DISTINCT FROM (NEW."based_on_id") OR OLD."clean_revision" IS DISTINCT FROM (NEW."clean_revision") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."decided_at" IS DISTINCT FROM (NEW."decided_at") OR OLD."declarations" IS DISTINCT FROM (NEW."declarations") OR OLD."from_day" IS DISTINCT FROM (NEW."from_day") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."outcome" IS DISTINCT FROM (NEW."outcome") OR OLD."partnership_id" IS DISTINCT FROM (NEW."partnership_id") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."revision" IS DISTINCT FROM (NEW."revision") OR OLD."sign_by" IS DISTINCT FROM (NEW."sign_by") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at") OR OLD."updated_by_id" IS DISTINCT FROM (NEW."updated_by_id"))',
                    func='INSERT INTO "agreements_termsproposalevent" ("amendment_number", "author_id", "based_on_id", "clean_revision", "created_at", "decided_at", "declarations", "from_day", "id", "number", "outcome", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_by_id", "reason", "revision", "sign_by", "status", "updated_at", "updated_by_id") VALUES (NEW."amendment_number", NEW."author_id", NEW."based_on_id", NEW."clean_revision", NEW."created_at", NEW."decided_at", NEW."declarations", NEW."from_day", NEW."id", NEW."number", NEW."outcome", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."proposed_by_id", NEW."reason", NEW."revision", NEW."sign_by", NEW."status", NEW."updated_at", NEW."updated_by_id"); RETURN NULL;',
                    hash="ec7d5e7094c1f351c6e02febe1baf3b261e0ad37",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_35d05",
                    table="agreements_termsproposal",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="termsproposal",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "agreements_termsproposalevent" ("amendment_number", "author_id", "based_on_id", "clean_revision", "created_at", "decided_at", "declarations", "from_day", "id", "number", "outcome", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_by_id", "reason", "revision", "sign_by", "status", "updated_at", "updated_by_id") VALUES (OLD."amendment_number", OLD."author_id", OLD."based_on_id", OLD."clean_revision", OLD."created_at", OLD."decided_at", OLD."declarations", OLD."from_day", OLD."id", OLD."number", OLD."outcome", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."proposed_by_id", OLD."reason", OLD."revision", OLD."sign_by", OLD."status", OLD."updated_at", OLD."updated_by_id"); RETURN NULL;',
                    hash="c34891f07c9b11528d795a44c04887b1f8594e3f",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_4ed2a",
                    table="agreements_termsproposal",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="termsproposal",
            constraint=models.UniqueConstraint(
                fields=("partnership", "amendment_number"), name="one_amendment_a_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="termsproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amendment_number", None), ("based_on", None)),
                    models.Q(("amendment_number__gt", 0), ("based_on__isnull", False)),
                    _connector="OR",
                ),
                name="amendments_are_numbered",
            ),
        ),
    ]
