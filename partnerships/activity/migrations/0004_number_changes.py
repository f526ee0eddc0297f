"""Number the changes of the records that people follow.

Past changes are numbered in the order of their events; triggers number all later changes.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# The kinds of event that followers are told of, as they were when this was written.
TOLD = """
partnership.opened partnership.terms_changed partnership.status_changed partnership.cover_gap partnership.notice_given
partnership.notice_withdrawn partnership.successor_opened partnership.party_invited partnership.invitation_accepted
partnership.invitation_declined partnership.invitation_withdrawn partnership.party_left partnership.party_removed
partnership.party_role_changed partnership.document_added partnership.document_removed partnership.document_restored
partnership.settings_changed partnership.amendment_proposed partnership.amendment_withdrawn partnership.terms_put_up
partnership.terms_signed partnership.terms_signed_on_paper partnership.terms_declined partnership.terms_taken_back
partnership.terms_lapsed partnership.terms_accepted partnership.terms_agreed partnership.terms_in_force
partnership.group_started partnership.objective_added partnership.objective_changed partnership.objective_status
partnership.objective_progress post.created post.filled post.vacated post.contact_changed post.ended
commitment.proposed commitment.action_noted commitment.terms_changed commitment.giving_confirmed
commitment.receiving_confirmed commitment.due_date_moved commitment.proposal_withdrawn commitment.proposal_declined
commitment.cancelled commitment.superseded commitment.progress_reported commitment.delivery_verified
commitment.delivery_sent_back commitment.action_verified commitment.action_sent_back commitment.moved_to_successor
commitment.read_from_register commitment.reports_read_from_register commitment.withdrawn_in_register
ask.changed ask.shared ask.marked_agreed ask.withdrawn ask.lapsed ask.closed_to_answers ask.declined
ask.declined_by_all ask.acknowledged ask.answered ask.agreed ask.committed ask.met ask.delivered ask.rest_lapsed
ask.reopened offer.changed offer.shared offer.marked_agreed offer.withdrawn offer.lapsed offer.closed_to_answers
offer.declined offer.answered offer.agreed offer.committed offer.met offer.delivered offer.rest_lapsed offer.reopened
answer.accepted answer.declined answer.withdrawn
conversation.planned conversation.recorded conversation.changed conversation.called_off conversation.circulated
conversation.agreed conversation.file_added conversation.file_removed facilitator.accepted facilitator.ended
meeting.cycle_set meeting.cycle_stopped meeting.planned meeting.changed meeting.called_off meeting.agenda_circulated
meeting.attendance_recorded meeting.paper_added meeting.paper_removed reporting.set_up reporting.changed
reporting.ended report.submitted report.accepted report.returned report.waived
organisation.changed organisation.ended organisation.succession_recorded organisation.identifier_added
organisation.identifier_corrected organisation.name_added organisation.area_added organisation.area_ended
plan.version_published plan.status_changed plan.audience_changed plan.sign_off_asked plan.due_day_changed
plan.version_approved plan.version_approved_with_condition plan.version_rejected plan.condition_met plan.agreed
plan.ownership_started plan.ownership_ended plan.left_partnership plan.partnership_lost_plan
"""

# By kind of subject: which records of an event's target belong to it, and the SQL of the subject's number.
SUBJECTS = {
    "partnership": ("'partnership'", "target_id"),
    "organisation": ("'organisation'", "target_id"),
    "plan": (
        "'plan', 'plan_signing', 'plan_version'",
        "CASE target_kind WHEN 'plan_version' THEN (data ->> 'plan')::bigint ELSE target_id END",
    ),
    "entry": ("'entry'", "target_id"),
    "commitment": ("'commitment'", "target_id"),
    "conversation": ("'conversation', 'conversation_side'", "target_id"),
}

# One pass over the events for each kind of subject.
NUMBER = """
WITH told AS MATERIALIZED (
    SELECT id, {number} AS record_id FROM activity_event WHERE kind = ANY ({told}) AND target_kind IN ({targets})
     UNION
    SELECT id, within_id FROM activity_event WHERE kind = ANY ({told}) AND within_kind = '{kind}'
), subjects AS (
    INSERT INTO activity_subject (kind, record_id, last_number)
    SELECT '{kind}', record_id, count(*) FROM told WHERE record_id IS NOT NULL GROUP BY record_id ORDER BY record_id
    RETURNING id, record_id
)
INSERT INTO activity_change (subject_id, number, event_id)
SELECT s.id, row_number() OVER (PARTITION BY s.id ORDER BY t.id), t.id
  FROM told t JOIN subjects s USING (record_id) ORDER BY t.id
"""


def number(apps, schema_editor):
    told = f"regexp_split_to_array('{TOLD.strip()}', '\\s+')"
    for kind, (targets, column) in SUBJECTS.items():
        schema_editor.execute(NUMBER.format(kind=kind, targets=targets, number=column, told=told))


class Migration(migrations.Migration):
    dependencies = [("activity", "0003_code_events")]

    # Foreign keys are added after all this, and so are checked once for all rows.
    operations = [
        migrations.CreateModel(
            name="Subject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("partnership", "Partnership"),
                            ("organisation", "Organisation"),
                            ("plan", "Plan"),
                            ("entry", "Ask or offer"),
                            ("commitment", "Commitment"),
                            ("conversation", "Conversation"),
                        ],
                        max_length=20,
                    ),
                ),
                ("record_id", models.BigIntegerField()),
                ("last_number", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField()),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="activity.event"
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="activity.subject",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Unnumbered",
            fields=[("event_id", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.RunPython(number, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="subject",
            constraint=models.UniqueConstraint(fields=("kind", "record_id"), name="one_subject_per_record"),
        ),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.UniqueConstraint(fields=("subject", "number"), name="one_change_per_number"),
        ),
        migrations.AddField(
            model_name="event",
            name="audience",
            field=models.CharField(
                blank=True,
                choices=[
                    ("inside", "Only people with an account who may see the record"),
                    ("outside", "Stakeholders without an account too"),
                    ("marked", "Stakeholders without an account too, while the record is marked so"),
                ],
                default="",
                help_text="Blank: told to nobody.",
                max_length=10,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="event",
            name="subjects",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60), blank=True, default=list, size=None
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="change",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="8d54518122558c869891e91114b739c93e688293",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_af091",
                    table="activity_change",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="event",
            trigger=pgtrigger.compiler.Trigger(
                name="to_number",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (cardinality(NEW.subjects) > 0)",
                    constraint="CONSTRAINT",
                    func="INSERT INTO activity_unnumbered (event_id) VALUES (NEW.id); RETURN NULL;",
                    hash="75b95c285fdadcbb673a4cc83c48fec964209161",
                    operation="INSERT",
                    pgid="pgtrigger_to_number_b7a7f",
                    table="activity_event",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="unnumbered",
            trigger=pgtrigger.compiler.Trigger(
                name="number",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    constraint="CONSTRAINT",
                    func="\nIF NOT EXISTS (SELECT FROM activity_unnumbered WHERE event_id = NEW.event_id) THEN\n    RETURN NULL;\nEND IF;\nWITH unnumbered AS (\n    DELETE FROM activity_unnumbered RETURNING event_id\n), told AS (\n    SELECT e.id, split_part(s, ':', 1) AS kind, split_part(s, ':', 2)::bigint AS record_id\n      FROM unnumbered u JOIN activity_event e ON e.id = u.event_id, unnest(e.subjects) s\n), counted AS (\n    SELECT kind, record_id, count(*) AS added FROM told GROUP BY kind, record_id\n), locked AS (\n    INSERT INTO activity_subject AS subject (kind, record_id, last_number)\n    SELECT kind, record_id, added FROM counted ORDER BY kind, record_id\n        ON CONFLICT (kind, record_id) DO UPDATE SET last_number = subject.last_number + excluded.last_number\n    RETURNING id, kind, record_id, last_number\n)\nINSERT INTO activity_change (subject_id, number, event_id)\nSELECT l.id, l.last_number - c.added + row_number() OVER (PARTITION BY l.id ORDER BY t.id), t.id\n  FROM told t JOIN counted c USING (kind, record_id) JOIN locked l USING (kind, record_id);\nRETURN NULL;\n",
                    hash="710225bc9c129bf79b1ffbec116190c720f248e0",
                    operation="INSERT",
                    pgid="pgtrigger_number_ffd37",
                    table="activity_unnumbered",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
    ]
