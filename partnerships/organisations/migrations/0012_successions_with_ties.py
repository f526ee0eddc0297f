"""Give successions a status, partial dates and ties. Existing successions have taken effect."""

import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import partnerships.kit.partial_dates
import partnerships.kit.vocabularies


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0011_no_own_parent"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="Function",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        help_text="Stored with each record, in exports and in addresses; it cannot be changed later.",
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-z][a-z0-9_]*\\Z",
                                "Use a to z, digits and underscores, and begin with a to z: data_sharing.",
                            )
                        ],
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        help_text="What people read in forms, filters, emails and exports.", max_length=120
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(default=0, help_text="Place in lists: lower numbers come first."),
                ),
                (
                    "active",
                    models.BooleanField(
                        default=True,
                        help_text="Untick to retire it: nobody can choose it any more; old records keep it.",
                        verbose_name="offered",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="FunctionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "code",
                    models.CharField(
                        help_text="Stored with each record, in exports and in addresses; it cannot be changed later.",
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-z][a-z0-9_]*\\Z",
                                "Use a to z, digits and underscores, and begin with a to z: data_sharing.",
                            )
                        ],
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        help_text="What people read in forms, filters, emails and exports.", max_length=120
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(default=0, help_text="Place in lists: lower numbers come first."),
                ),
                (
                    "active",
                    models.BooleanField(
                        default=True,
                        help_text="Untick to retire it: nobody can choose it any more; old records keep it.",
                        verbose_name="offered",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SuccessionTie",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("successor", "Successor"),
                            ("continuing", "Continues"),
                            ("caretaker", "Caretaker"),
                            ("hosting", "Host"),
                            ("nominated", "Nominated"),
                            ("preparing", "Preparing"),
                        ],
                        default="successor",
                        max_length=12,
                    ),
                ),
                ("share", models.DecimalField(blank=True, decimal_places=8, max_digits=9, null=True)),
                (
                    "geography",
                    models.CharField(
                        blank=True,
                        help_text="The areas in which the share was measured, such as “LAD 2025”.",
                        max_length=80,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SuccessionTieEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("successor", "Successor"),
                            ("continuing", "Continues"),
                            ("caretaker", "Caretaker"),
                            ("hosting", "Host"),
                            ("nominated", "Nominated"),
                            ("preparing", "Preparing"),
                        ],
                        default="successor",
                        max_length=12,
                    ),
                ),
                ("share", models.DecimalField(blank=True, decimal_places=8, max_digits=9, null=True)),
                (
                    "geography",
                    models.CharField(
                        blank=True,
                        help_text="The areas in which the share was measured, such as “LAD 2025”.",
                        max_length=80,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveField(
            model_name="succession",
            name="predecessors",
        ),
        migrations.RemoveField(
            model_name="succession",
            name="successors",
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
        migrations.RenameField(model_name="succession", old_name="on", new_name="vests_on"),
        migrations.RenameField(model_name="successionevent", old_name="on", new_name="vests_on"),
        migrations.AddField(
            model_name="succession",
            name="codes_on",
            field=partnerships.kit.partial_dates.PartialDateColumn(
                blank=True, db_collation="C", help_text="From when the new codes are used.", max_length=10, null=True
            ),
        ),
        migrations.AddField(
            model_name="succession",
            name="instrument_url",
            field=models.URLField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="succession",
            name="new_name",
            field=models.CharField(blank=True, help_text="The name after a rename.", max_length=300),
        ),
        migrations.AddField(
            model_name="succession",
            name="place",
            field=models.CharField(blank=True, help_text="The place it is about, such as a county.", max_length=120),
        ),
        migrations.AddField(
            model_name="succession",
            name="proposal",
            field=models.CharField(
                blank=True, help_text="Which of several proposals for the place it is part of.", max_length=120
            ),
        ),
        migrations.AddField(
            model_name="succession",
            name="shadow_on",
            field=partnerships.kit.partial_dates.PartialDateColumn(
                blank=True,
                db_collation="C",
                help_text="Election, or start of the shadow authority.",
                max_length=10,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="succession",
            name="source_url",
            field=models.URLField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="succession",
            name="status",
            field=models.CharField(
                choices=[
                    ("proposed", "Proposed"),
                    ("consulted", "Consulted on"),
                    ("order_laid", "Order laid"),
                    ("order_made", "Order made"),
                    ("shadow", "Shadow"),
                    ("effective", "Effective"),
                    ("cancelled", "Cancelled"),
                ],
                default="effective",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="succession",
            name="undoes",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_by",
                to="organisations.succession",
            ),
        ),
        migrations.AlterField(
            model_name="succession",
            name="vests_on",
            field=partnerships.kit.partial_dates.PartialDateColumn(
                blank=True,
                db_collation="C",
                help_text="Vesting day: the first day of the successors.",
                max_length=10,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="codes_on",
            field=partnerships.kit.partial_dates.PartialDateColumn(
                blank=True, db_collation="C", help_text="From when the new codes are used.", max_length=10, null=True
            ),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="instrument_url",
            field=models.URLField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="new_name",
            field=models.CharField(blank=True, help_text="The name after a rename.", max_length=300),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="place",
            field=models.CharField(blank=True, help_text="The place it is about, such as a county.", max_length=120),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="proposal",
            field=models.CharField(
                blank=True, help_text="Which of several proposals for the place it is part of.", max_length=120
            ),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="shadow_on",
            field=partnerships.kit.partial_dates.PartialDateColumn(
                blank=True,
                db_collation="C",
                help_text="Election, or start of the shadow authority.",
                max_length=10,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="source_url",
            field=models.URLField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="status",
            field=models.CharField(
                choices=[
                    ("proposed", "Proposed"),
                    ("consulted", "Consulted on"),
                    ("order_laid", "Order laid"),
                    ("order_made", "Order made"),
                    ("shadow", "Shadow"),
                    ("effective", "Effective"),
                    ("cancelled", "Cancelled"),
                ],
                default="effective",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="undoes",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.succession",
            ),
        ),
        migrations.AlterField(
            model_name="successionevent",
            name="vests_on",
            field=partnerships.kit.partial_dates.PartialDateColumn(
                blank=True,
                db_collation="C",
                help_text="Vesting day: the first day of the successors.",
                max_length=10,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="succession",
            name="kind",
            field=models.CharField(
                choices=[
                    ("merge", "Merged"),
                    ("absorb", "Absorbed"),
                    ("split", "Split"),
                    ("replace", "Replaced"),
                    ("rename", "Renamed"),
                    ("recode", "Recoded"),
                    ("boundary_change", "Boundary change"),
                    ("function_transfer", "Functions transferred"),
                    ("amalgamation", "Amalgamation"),
                    ("transfer_of_engagements", "Transfer of engagements"),
                    ("conversion", "Conversion"),
                    ("dissolution", "Dissolution"),
                ],
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="succession",
            name="source",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AlterField(
            model_name="successionevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("merge", "Merged"),
                    ("absorb", "Absorbed"),
                    ("split", "Split"),
                    ("replace", "Replaced"),
                    ("rename", "Renamed"),
                    ("recode", "Recoded"),
                    ("boundary_change", "Boundary change"),
                    ("function_transfer", "Functions transferred"),
                    ("amalgamation", "Amalgamation"),
                    ("transfer_of_engagements", "Transfer of engagements"),
                    ("conversion", "Conversion"),
                    ("dissolution", "Dissolution"),
                ],
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="successionevent",
            name="source",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AlterField(
            model_name="succession",
            name="status",
            field=models.CharField(
                choices=[
                    ("proposed", "Proposed"),
                    ("consulted", "Consulted on"),
                    ("order_laid", "Order laid"),
                    ("order_made", "Order made"),
                    ("shadow", "Shadow"),
                    ("effective", "Effective"),
                    ("cancelled", "Cancelled"),
                ],
                default="proposed",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="successionevent",
            name="status",
            field=models.CharField(
                choices=[
                    ("proposed", "Proposed"),
                    ("consulted", "Consulted on"),
                    ("order_laid", "Order laid"),
                    ("order_made", "Order made"),
                    ("shadow", "Shadow"),
                    ("effective", "Effective"),
                    ("cancelled", "Cancelled"),
                ],
                default="proposed",
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            model_name="succession",
            index=models.Index(fields=["status", "vests_on"], name="succession_status_vests"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="succession",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_successionevent" ("codes_on", "id", "instrument", "instrument_url", "kind", "new_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "proposal", "shadow_on", "source", "source_url", "status", "undoes_id", "vests_on") VALUES (NEW."codes_on", NEW."id", NEW."instrument", NEW."instrument_url", NEW."kind", NEW."new_name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."place", NEW."proposal", NEW."shadow_on", NEW."source", NEW."source_url", NEW."status", NEW."undoes_id", NEW."vests_on"); RETURN NULL;',
                    hash="05af6ee2828315d8264e22b5822b72e0a5a06b44",
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
                    func='INSERT INTO "organisations_successionevent" ("codes_on", "id", "instrument", "instrument_url", "kind", "new_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "proposal", "shadow_on", "source", "source_url", "status", "undoes_id", "vests_on") VALUES (NEW."codes_on", NEW."id", NEW."instrument", NEW."instrument_url", NEW."kind", NEW."new_name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."place", NEW."proposal", NEW."shadow_on", NEW."source", NEW."source_url", NEW."status", NEW."undoes_id", NEW."vests_on"); RETURN NULL;',
                    hash="deae177c2107b1185100bb1bd791dd5de2b42c29",
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
                    func='INSERT INTO "organisations_successionevent" ("codes_on", "id", "instrument", "instrument_url", "kind", "new_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "proposal", "shadow_on", "source", "source_url", "status", "undoes_id", "vests_on") VALUES (OLD."codes_on", OLD."id", OLD."instrument", OLD."instrument_url", OLD."kind", OLD."new_name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."place", OLD."proposal", OLD."shadow_on", OLD."source", OLD."source_url", OLD."status", OLD."undoes_id", OLD."vests_on"); RETURN NULL;',
                    hash="ef72850a387154e2052ca9e820034d56ab00b5b3",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_e2371",
                    table="organisations_succession",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="succession",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undoes__isnull", False), models.Q(("status", "cancelled"), _negated=True)),
                fields=("undoes",),
                name="succession_undone_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="succession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("undoes", None), models.Q(("undoes", models.F("id")), _negated=True), _connector="OR"
                ),
                name="succession_undoes_another",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="function",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_functionevent" ("active", "code", "id", "label", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position") VALUES (NEW."active", NEW."code", NEW."id", NEW."label", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position"); RETURN NULL;',
                    hash="189e7db80f6c2651266e7a7c36c67be06759bdbc",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_77de0",
                    table="organisations_function",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="function",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "organisations_functionevent" ("active", "code", "id", "label", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position") VALUES (NEW."active", NEW."code", NEW."id", NEW."label", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position"); RETURN NULL;',
                    hash="6fe8588d4f903b7dadd6dd28f6b928b2ef87d72b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_4c3f4",
                    table="organisations_function",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="function",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_functionevent" ("active", "code", "id", "label", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position") VALUES (OLD."active", OLD."code", OLD."id", OLD."label", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position"); RETURN NULL;',
                    hash="58db89f30121c766dba7d5c1a143aa1da09c4c6c",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ca21f",
                    table="organisations_function",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="functionevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="functionevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="organisations.function",
            ),
        ),
        migrations.AddField(
            model_name="successiontie",
            name="function",
            field=partnerships.kit.vocabularies.VocabularyKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.function",
                to_field="code",
            ),
        ),
        migrations.AddField(
            model_name="successiontie",
            name="predecessor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ties_as_predecessor",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="successiontie",
            name="succession",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="ties", to="organisations.succession"
            ),
        ),
        migrations.AddField(
            model_name="successiontie",
            name="successor",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ties_as_successor",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="successiontieevent",
            name="function",
            field=partnerships.kit.vocabularies.VocabularyKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.function",
                to_field="code",
            ),
        ),
        migrations.AddField(
            model_name="successiontieevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="successiontieevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="organisations.successiontie",
            ),
        ),
        migrations.AddField(
            model_name="successiontieevent",
            name="predecessor",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="successiontieevent",
            name="succession",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.succession",
            ),
        ),
        migrations.AddField(
            model_name="successiontieevent",
            name="successor",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="successiontie",
            constraint=models.UniqueConstraint(
                fields=("succession", "predecessor", "successor", "function"),
                name="one_tie_a_function",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="successiontie",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("share", None),
                    models.Q(("share__gt", 0), ("share__lte", 1), models.Q(("geography", ""), _negated=True)),
                    _connector="OR",
                ),
                name="tie_share_is_of_a_geography",
            ),
        ),
        migrations.AddConstraint(
            model_name="successiontie",
            constraint=models.CheckConstraint(
                condition=models.Q(("share", None), ("successor__isnull", False), _connector="OR"),
                name="tie_share_goes_to_somebody",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="successiontie",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_successiontieevent" ("function_id", "geography", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predecessor_id", "role", "share", "succession_id", "successor_id") VALUES (NEW."function_id", NEW."geography", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."predecessor_id", NEW."role", NEW."share", NEW."succession_id", NEW."successor_id"); RETURN NULL;',
                    hash="25b0cfd3197a7d80bc1cb9f60de704bd74276276",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_095d8",
                    table="organisations_successiontie",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="successiontie",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "organisations_successiontieevent" ("function_id", "geography", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predecessor_id", "role", "share", "succession_id", "successor_id") VALUES (NEW."function_id", NEW."geography", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."predecessor_id", NEW."role", NEW."share", NEW."succession_id", NEW."successor_id"); RETURN NULL;',
                    hash="d176f664d357c0c31ee7ddbfd71bb5c3dfe73e77",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_b2006",
                    table="organisations_successiontie",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="successiontie",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_successiontieevent" ("function_id", "geography", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predecessor_id", "role", "share", "succession_id", "successor_id") VALUES (OLD."function_id", OLD."geography", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."predecessor_id", OLD."role", OLD."share", OLD."succession_id", OLD."successor_id"); RETURN NULL;',
                    hash="933e6ecea58c70125e48b5362075d7fb820a679d",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_72619",
                    table="organisations_successiontie",
                    when="AFTER",
                ),
            ),
        ),
    ]
