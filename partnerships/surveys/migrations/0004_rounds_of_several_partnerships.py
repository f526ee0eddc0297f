"""Add rounds of several partnerships, the moderator's agreement, and conversations that followed from a result."""

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
        ("exchange", "0018_views_replace_saved_filters"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("surveys", "0003_languages_are_chosen_on_the_page"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Joining",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="JoiningEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("asked_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="action",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="action",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="action",
            name="delete_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="round",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="round",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="round",
            name="delete_delete",
        ),
        migrations.RemoveConstraint(
            model_name="action",
            name="action_is_one_thing",
        ),
        migrations.RemoveConstraint(
            model_name="round",
            name="anonymous_rounds_have_key_and_moderator",
        ),
        migrations.AddField(
            model_name="action",
            name="conversation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="conversations.conversation",
            ),
        ),
        migrations.AddField(
            model_name="actionevent",
            name="conversation",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="conversations.conversation",
            ),
        ),
        migrations.AddField(
            model_name="round",
            name="floor",
            field=models.PositiveSmallIntegerField(default=5, help_text="Answers that a figure needs."),
        ),
        migrations.AddField(
            model_name="round",
            name="moderator_agreed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="round",
            name="moderator_asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="roundevent",
            name="floor",
            field=models.PositiveSmallIntegerField(default=5, help_text="Answers that a figure needs."),
        ),
        migrations.AddField(
            model_name="roundevent",
            name="moderator_agreed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="roundevent",
            name="moderator_asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="action",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "surveys_actionevent" ("added_at", "added_by_id", "commitment_id", "conversation_id", "entry_id", "id", "meeting_id", "objective_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "round_id", "theme") VALUES (NEW."added_at", NEW."added_by_id", NEW."commitment_id", NEW."conversation_id", NEW."entry_id", NEW."id", NEW."meeting_id", NEW."objective_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."round_id", NEW."theme"); RETURN NULL;',
                    hash="c373f3c2a8657a6363a0901887bdc3f168a151f4",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_fb61d",
                    table="surveys_action",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="action",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "surveys_actionevent" ("added_at", "added_by_id", "commitment_id", "conversation_id", "entry_id", "id", "meeting_id", "objective_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "round_id", "theme") VALUES (NEW."added_at", NEW."added_by_id", NEW."commitment_id", NEW."conversation_id", NEW."entry_id", NEW."id", NEW."meeting_id", NEW."objective_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."round_id", NEW."theme"); RETURN NULL;',
                    hash="4679003464c63148e16c1dc98b338e84d6ff4f1d",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_ce634",
                    table="surveys_action",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="action",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "surveys_actionevent" ("added_at", "added_by_id", "commitment_id", "conversation_id", "entry_id", "id", "meeting_id", "objective_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "round_id", "theme") VALUES (OLD."added_at", OLD."added_by_id", OLD."commitment_id", OLD."conversation_id", OLD."entry_id", OLD."id", OLD."meeting_id", OLD."objective_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."round_id", OLD."theme"); RETURN NULL;',
                    hash="e8a393827400deb652802fdb3b4b7607c5964334",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_5b361",
                    table="surveys_action",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="round",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "surveys_roundevent" ("answered_at_least", "asked", "closed_at", "closes_on", "counted", "created_at", "floor", "id", "moderator_agreed_at", "moderator_asked_at", "moderator_id", "number", "opened_at", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "public_key", "question_set_id", "reason", "reminded_on", "status", "title", "way") VALUES (NEW."answered_at_least", NEW."asked", NEW."closed_at", NEW."closes_on", NEW."counted", NEW."created_at", NEW."floor", NEW."id", NEW."moderator_agreed_at", NEW."moderator_asked_at", NEW."moderator_id", NEW."number", NEW."opened_at", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."public_key", NEW."question_set_id", NEW."reason", NEW."reminded_on", NEW."status", NEW."title", NEW."way"); RETURN NULL;',
                    hash="6a99e7382fab45cc3a91459a11d061fa8f3871bc",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_96162",
                    table="surveys_round",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="round",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "surveys_roundevent" ("answered_at_least", "asked", "closed_at", "closes_on", "counted", "created_at", "floor", "id", "moderator_agreed_at", "moderator_asked_at", "moderator_id", "number", "opened_at", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "public_key", "question_set_id", "reason", "reminded_on", "status", "title", "way") VALUES (NEW."answered_at_least", NEW."asked", NEW."closed_at", NEW."closes_on", NEW."counted", NEW."created_at", NEW."floor", NEW."id", NEW."moderator_agreed_at", NEW."moderator_asked_at", NEW."moderator_id", NEW."number", NEW."opened_at", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."public_key", NEW."question_set_id", NEW."reason", NEW."reminded_on", NEW."status", NEW."title", NEW."way"); RETURN NULL;',
                    hash="72422471eab935130a8dba3e67c115a79e045e0f",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_a55d4",
                    table="surveys_round",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="round",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "surveys_roundevent" ("answered_at_least", "asked", "closed_at", "closes_on", "counted", "created_at", "floor", "id", "moderator_agreed_at", "moderator_asked_at", "moderator_id", "number", "opened_at", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "public_key", "question_set_id", "reason", "reminded_on", "status", "title", "way") VALUES (OLD."answered_at_least", OLD."asked", OLD."closed_at", OLD."closes_on", OLD."counted", OLD."created_at", OLD."floor", OLD."id", OLD."moderator_agreed_at", OLD."moderator_asked_at", OLD."moderator_id", OLD."number", OLD."opened_at", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."public_key", OLD."question_set_id", OLD."reason", OLD."reminded_on", OLD."status", OLD."title", OLD."way"); RETURN NULL;',
                    hash="1e197a42db0a6f8e8b5170db426ec022b6669cc3",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_32569",
                    table="surveys_round",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="action",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pk__in", []),
                    models.Q(
                        ("commitment", None),
                        ("conversation", None),
                        ("entry", None),
                        ("meeting", None),
                        ("objective__isnull", False),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("conversation", None),
                        ("entry__isnull", False),
                        ("meeting", None),
                        ("objective", None),
                    ),
                    models.Q(
                        ("commitment__isnull", False),
                        ("conversation", None),
                        ("entry", None),
                        ("meeting", None),
                        ("objective", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("conversation", None),
                        ("entry", None),
                        ("meeting__isnull", False),
                        ("objective", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("conversation__isnull", False),
                        ("entry", None),
                        ("meeting", None),
                        ("objective", None),
                    ),
                    _connector="OR",
                ),
                name="action_is_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="action",
            constraint=models.UniqueConstraint(fields=("round", "theme", "objective"), name="one_action_a_objective"),
        ),
        migrations.AddConstraint(
            model_name="action",
            constraint=models.UniqueConstraint(fields=("round", "theme", "entry"), name="one_action_a_entry"),
        ),
        migrations.AddConstraint(
            model_name="action",
            constraint=models.UniqueConstraint(fields=("round", "theme", "commitment"), name="one_action_a_commitment"),
        ),
        migrations.AddConstraint(
            model_name="action",
            constraint=models.UniqueConstraint(fields=("round", "theme", "meeting"), name="one_action_a_meeting"),
        ),
        migrations.AddConstraint(
            model_name="action",
            constraint=models.UniqueConstraint(
                fields=("round", "theme", "conversation"), name="one_action_a_conversation"
            ),
        ),
        # Those named before had agreed by other means.
        migrations.RunSQL(
            "UPDATE surveys_round SET moderator_agreed_at = opened_at WHERE status = 'open' AND way = 'anonymous'",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="round",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "open"), ("way", "anonymous"), _negated=True),
                    models.Q(
                        ("moderator__isnull", False),
                        ("moderator_agreed_at__isnull", False),
                        ("public_key__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="anonymous_rounds_have_key_and_moderator",
            ),
        ),
        migrations.AddConstraint(
            model_name="round",
            constraint=models.CheckConstraint(condition=models.Q(("floor__in", [5, 10])), name="floor_of_five_or_ten"),
        ),
        migrations.AddField(
            model_name="joining",
            name="accepted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="joining",
            name="asked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="joining",
            name="partnership",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="joint_surveys", to="agreements.partnership"
            ),
        ),
        migrations.AddField(
            model_name="joining",
            name="round",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="joinings", to="surveys.round"
            ),
        ),
        migrations.AddField(
            model_name="joiningevent",
            name="accepted_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="joiningevent",
            name="asked_by",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="joiningevent",
            name="partnership",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="agreements.partnership",
            ),
        ),
        migrations.AddField(
            model_name="joiningevent",
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
            model_name="joiningevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="surveys.joining",
            ),
        ),
        migrations.AddField(
            model_name="joiningevent",
            name="round",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="surveys.round",
            ),
        ),
        migrations.AddConstraint(
            model_name="joining",
            constraint=models.UniqueConstraint(fields=("round", "partnership"), name="one_joining_a_partnership"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="joining",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "surveys_joiningevent" ("accepted_at", "accepted_by_id", "asked_at", "asked_by_id", "id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "round_id") VALUES (NEW."accepted_at", NEW."accepted_by_id", NEW."asked_at", NEW."asked_by_id", NEW."id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."round_id"); RETURN NULL;',
                    hash="c55b1b26c9980be3211465a8c3c251aa296538be",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_653f1",
                    table="surveys_joining",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="joining",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "surveys_joiningevent" ("accepted_at", "accepted_by_id", "asked_at", "asked_by_id", "id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "round_id") VALUES (NEW."accepted_at", NEW."accepted_by_id", NEW."asked_at", NEW."asked_by_id", NEW."id", NEW."partnership_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."round_id"); RETURN NULL;',
                    hash="efde66a75923da92bbaeaab81ee24d0b31bb83cc",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_708fd",
                    table="surveys_joining",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="joining",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "surveys_joiningevent" ("accepted_at", "accepted_by_id", "asked_at", "asked_by_id", "id", "partnership_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "round_id") VALUES (OLD."accepted_at", OLD."accepted_by_id", OLD."asked_at", OLD."asked_by_id", OLD."id", OLD."partnership_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."round_id"); RETURN NULL;',
                    hash="59df313d41e32c66e4b02d866b82de7c429d4efb",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_c9588",
                    table="surveys_joining",
                    when="AFTER",
                ),
            ),
        ),
    ]
