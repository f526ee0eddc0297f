import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0010_posts"),
        ("digests", "0028_guard_items_by_schema"),
        ("plans", "0011_reword_help_texts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="rolerule",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="rolerule",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="rolerule",
            name="delete_delete",
        ),
        migrations.RemoveConstraint(
            model_name="rolerule",
            name="role_rule_fits_its_target",
        ),
        migrations.RemoveConstraint(
            model_name="rolerule",
            name="one_rule_a_role",
        ),
        migrations.AddField(
            model_name="rolerule",
            name="post",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="digest_rules",
                to="agreements.post",
            ),
        ),
        migrations.AddField(
            model_name="roleruleevent",
            name="post",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="agreements.post",
            ),
        ),
        migrations.AlterField(
            model_name="rolerule",
            name="role",
            field=models.CharField(
                choices=[
                    ("members", "Everyone who acts for a party of the partnership"),
                    ("signatories", "Leads of the organisations that must sign"),
                    ("post", "The holder of a post"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="roleruleevent",
            name="role",
            field=models.CharField(
                choices=[
                    ("members", "Everyone who acts for a party of the partnership"),
                    ("signatories", "Leads of the organisations that must sign"),
                    ("post", "The holder of a post"),
                ],
                max_length=12,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolerule",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_roleruleevent" ("id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "post_id", "role", "set_at", "set_by_id") VALUES (NEW."id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."post_id", NEW."role", NEW."set_at", NEW."set_by_id"); RETURN NULL;',
                    hash="0acd517998504d66d8896a56372cfdd9d3695dec",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_11eec",
                    table="digests_rolerule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolerule",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "digests_roleruleevent" ("id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "post_id", "role", "set_at", "set_by_id") VALUES (NEW."id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."post_id", NEW."role", NEW."set_at", NEW."set_by_id"); RETURN NULL;',
                    hash="95586ab33a620880ad4103a9092ddf978807b29c",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_3adfb",
                    table="digests_rolerule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolerule",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_roleruleevent" ("id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "post_id", "role", "set_at", "set_by_id") VALUES (OLD."id", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."post_id", OLD."role", OLD."set_at", OLD."set_by_id"); RETURN NULL;',
                    hash="94e920240ea94793aa2c12ad2c910520a141c706",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_35664",
                    table="digests_rolerule",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="rolerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("partnership__isnull", False), ("plan", None), ("post", None), ("role", "members")),
                    models.Q(("partnership", None), ("plan__isnull", False), ("post", None), ("role", "signatories")),
                    models.Q(("partnership__isnull", False), ("plan", None), ("post__isnull", False), ("role", "post")),
                    models.Q(("partnership", None), ("plan__isnull", False), ("post__isnull", False), ("role", "post")),
                    _connector="OR",
                ),
                name="role_rule_fits_its_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolerule",
            constraint=models.UniqueConstraint(
                fields=("partnership", "plan", "role", "post"), name="one_rule_a_role", nulls_distinct=False
            ),
        ),
    ]
