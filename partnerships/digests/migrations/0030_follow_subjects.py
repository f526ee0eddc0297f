"""Let people follow partnerships, organisations, asks, offers, commitments, sites and milestones.

The changes of each of them are numbered.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

#: Who follows which plan. With a key, only one site or milestone of it.
_FOLLOWING = """
CREATE OR REPLACE VIEW {view} AS
SELECT s.id AS subscription_id, s.person_id, s.plan_id, s.how, s.added_for_id, s.frequency, s.confirmed_at, 1::smallint AS rank,
       s.key
  FROM digests_subscription s
 WHERE s.status IN ({statuses}) AND s.plan_id IS NOT NULL
UNION ALL
SELECT s.id, s.person_id, p.id, s.how, s.added_for_id, s.frequency, s.confirmed_at, 2::smallint, s.key
  FROM digests_subscription s
  JOIN plans_plan p ON p.partnership_id = s.partnership_id
 WHERE s.status IN ({statuses})
   AND NOT EXISTS (
       SELECT 1 FROM digests_subscription n
        WHERE n.person_id = s.person_id AND n.plan_id = p.id AND n.key = '' AND n.status = 'ended'
          AND n.refused_at > s.confirmed_at)
UNION ALL
SELECT s.id, s.person_id, o.plan_id, s.how, s.added_for_id, s.frequency, s.confirmed_at, 3::smallint, s.key
  FROM digests_subscription s
  JOIN plans_planowner o ON o.organisation_id = s.organisation_id AND o.ended_at IS NULL
 WHERE s.status IN ({statuses})
   AND NOT EXISTS (
       SELECT 1 FROM digests_subscription n
        WHERE n.person_id = s.person_id AND n.plan_id = o.plan_id AND n.key = '' AND n.status = 'ended'
          AND n.refused_at > s.confirmed_at)
"""

#: Who follows which subject: itself, or a partnership through an organisation that takes part in it.
_SUBJECTS = """
CREATE VIEW digests_subjectfollowing AS
{own}
UNION ALL
SELECT s.id, s.person_id, x.id, s.how, s.added_for_id, s.frequency, s.hears, s.confirmed_at, 2::smallint
  FROM digests_subscription s
  JOIN agreements_party a ON a.organisation_id = s.organisation_id AND a.status = 'accepted'
  JOIN activity_subject x ON x.kind = 'partnership' AND x.record_id = a.partnership_id
 WHERE s.status = 'confirmed'
   AND NOT EXISTS (
       SELECT 1 FROM digests_subscription n
        WHERE n.person_id = s.person_id AND n.partnership_id = a.partnership_id AND n.status = 'ended'
          AND n.refused_at > s.confirmed_at)
"""
_OWN = """
SELECT s.id AS subscription_id, s.person_id, x.id AS subject_id, s.how, s.added_for_id, s.frequency, s.hears,
       s.confirmed_at, 1::smallint AS rank
  FROM digests_subscription s
  JOIN activity_subject x ON x.kind = '{kind}' AND x.record_id = s.{field}_id
 WHERE s.status = 'confirmed' AND s.key = ''
"""
_FIELDS = {
    "plan": "plan",
    "partnership": "partnership",
    "organisation": "organisation",
    "entry": "request",
    "commitment": "commitment",
}

# One statement a transaction makes one row for each subject: the changes of a transaction are numbered together.
_NEWS = """
CREATE FUNCTION digests_note_changes() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.digests_subjectnews (subject_id) SELECT DISTINCT subject_id FROM added;
    RETURN NULL;
END
$$;
CREATE TRIGGER digests_note_changes AFTER INSERT ON activity_change REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION digests_note_changes();
"""

_NEWS_BACK = """
DROP TRIGGER digests_note_changes ON activity_change;
DROP FUNCTION digests_note_changes();
"""

# As for items about plans.
_GUARD = """
CREATE FUNCTION digests_subject_guard() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.id, OLD.delivery_id, OLD.subject_id, OLD.from_number)
       IS DISTINCT FROM (NEW.id, NEW.delivery_id, NEW.subject_id, NEW.from_number)
    THEN
        RAISE EXCEPTION 'The ledger stands: an item of a digest stays what it is';
    END IF;
    IF EXISTS (SELECT 1 FROM public.outbox_email WHERE id = OLD.delivery_id AND settled_at IS NOT NULL) THEN
        RAISE EXCEPTION 'The ledger stands: what a settled digest told neither changes nor goes';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER digests_subject_stands BEFORE UPDATE OR DELETE ON digests_deliverysubject FOR EACH ROW
    EXECUTE FUNCTION digests_subject_guard();
"""

_GUARD_BACK = """
DROP TRIGGER digests_subject_stands ON digests_deliverysubject;
DROP FUNCTION digests_subject_guard();
"""


def _following(view, *statuses):
    return _FOLLOWING.format(view=view, statuses=", ".join(f"'{one}'" for one in statuses))


def _subjects():
    return _SUBJECTS.format(
        own="UNION ALL".join(_OWN.format(kind=kind, field=field) for kind, field in _FIELDS.items())
    )


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0004_number_changes"),
        ("agreements", "0019_notices_reminders_and_objectives"),
        ("commitments", "0007_todays_units"),
        ("digests", "0029_posts_follow"),
        ("exchange", "0012_units_as_a_list"),
        ("organisations", "0006_reword_end_of_organisation"),
        ("plans", "0014_todays_plan_kinds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SubjectFollowing",
            fields=[
                (
                    "subscription",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="digests.subscription",
                    ),
                ),
                ("how", models.CharField(max_length=4)),
                ("frequency", models.CharField(max_length=8)),
                (
                    "hears",
                    models.CharField(
                        choices=[
                            ("everything", "Everything"),
                            ("dates", "Dates and money only"),
                            ("own", "Only what concerns my organisation"),
                        ],
                        max_length=10,
                    ),
                ),
                ("confirmed_at", models.DateTimeField()),
                ("rank", models.SmallIntegerField()),
            ],
            options={
                "db_table": "digests_subjectfollowing",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="DeliverySubject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_number", models.PositiveIntegerField()),
                ("to_number", models.PositiveIntegerField()),
                (
                    "told",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        db_default=[],
                        default=list,
                        help_text="The events told. Others in between were not chosen, not for this reader, or told elsewhere.",
                        size=None,
                    ),
                ),
                (
                    "left_out",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="Why the email leaves it out; empty if it is included.",
                        max_length=100,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SubjectNews",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
        ),
        migrations.CreateModel(
            name="SubjectWatermark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("told_at", models.DateTimeField()),
                ("waiting_since", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("slotted", models.BooleanField(default=False)),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="subscription",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="subscription",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="subscription",
            name="delete_delete",
        ),
        migrations.RemoveConstraint(
            model_name="subscription",
            name="subscription_to_one_thing",
        ),
        migrations.RemoveConstraint(
            model_name="subscription",
            name="one_subscription_a_plan",
        ),
        migrations.AddField(
            model_name="subscription",
            name="commitment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="subscriptions",
                to="commitments.commitment",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="hears",
            field=models.CharField(
                choices=[
                    ("everything", "Everything"),
                    ("dates", "Dates and money only"),
                    ("own", "Only what concerns my organisation"),
                ],
                db_default="everything",
                default="everything",
                help_text="Which changes its digests tell.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="key",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The site or milestone of the plan followed.",
                max_length=80,
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="request",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="subscriptions",
                to="exchange.entry",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionevent",
            name="commitment",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="commitments.commitment",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionevent",
            name="hears",
            field=models.CharField(
                choices=[
                    ("everything", "Everything"),
                    ("dates", "Dates and money only"),
                    ("own", "Only what concerns my organisation"),
                ],
                db_default="everything",
                default="everything",
                help_text="Which changes its digests tell.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="subscriptionevent",
            name="key",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The site or milestone of the plan followed.",
                max_length=80,
            ),
        ),
        migrations.AddField(
            model_name="subscriptionevent",
            name="request",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="exchange.entry",
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("request__isnull", False)),
                fields=["request", "person"],
                name="subscription_request",
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("commitment__isnull", False)),
                fields=["commitment", "person"],
                name="subscription_commitment",
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("key", ""), _negated=True), fields=["plan", "person"], name="subscription_of_piece"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "commitment_id", "confirmed_at", "ended_at", "frequency", "has_own_address", "hears", "how", "id", "key", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "replaces_id", "request_id", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."commitment_id", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."has_own_address", NEW."hears", NEW."how", NEW."id", NEW."key", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."reason", NEW."refused_at", NEW."replaces_id", NEW."request_id", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="ed4a64fba225f10530d88d3eee7745529ef7a9ba",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_c03ec",
                    table="digests_subscription",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "commitment_id", "confirmed_at", "ended_at", "frequency", "has_own_address", "hears", "how", "id", "key", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "replaces_id", "request_id", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."commitment_id", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."has_own_address", NEW."hears", NEW."how", NEW."id", NEW."key", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."reason", NEW."refused_at", NEW."replaces_id", NEW."request_id", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="c218d0962d13dc5dcb886881056a12bdb3191873",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_9f806",
                    table="digests_subscription",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "commitment_id", "confirmed_at", "ended_at", "frequency", "has_own_address", "hears", "how", "id", "key", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "refused_at", "replaces_id", "request_id", "status", "stopped_from", "why") VALUES (OLD."added_by_id", OLD."added_for_id", OLD."asked_at", OLD."commitment_id", OLD."confirmed_at", OLD."ended_at", OLD."frequency", OLD."has_own_address", OLD."hears", OLD."how", OLD."id", OLD."key", OLD."organisation_id", OLD."partnership_id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."reason", OLD."refused_at", OLD."replaces_id", OLD."request_id", OLD."status", OLD."stopped_from", OLD."why"); RETURN NULL;',
                    hash="57af73059a4c466222e5b6bf26628b75a9c8f123",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ad42b",
                    table="digests_subscription",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pk__in", []),
                    models.Q(
                        ("commitment", None),
                        ("organisation", None),
                        ("partnership", None),
                        ("plan__isnull", False),
                        ("request", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("organisation", None),
                        ("partnership__isnull", False),
                        ("plan", None),
                        ("request", None),
                        ("key", ""),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("organisation__isnull", False),
                        ("partnership", None),
                        ("plan", None),
                        ("request", None),
                        ("key", ""),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("organisation", None),
                        ("partnership", None),
                        ("plan", None),
                        ("request__isnull", False),
                        ("key", ""),
                    ),
                    models.Q(
                        ("commitment__isnull", False),
                        ("organisation", None),
                        ("partnership", None),
                        ("plan", None),
                        ("request", None),
                        ("key", ""),
                    ),
                    _connector="OR",
                ),
                name="subscription_to_one_thing",
                violation_error_message="Choose one thing to follow.",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(fields=("person", "plan", "key"), name="one_subscription_a_plan"),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(fields=("person", "request"), name="one_subscription_a_request"),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(fields=("person", "commitment"), name="one_subscription_a_commitment"),
        ),
        migrations.AddField(
            model_name="deliverysubject",
            name="delivery",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="subjects",
                to="digests.delivery",
            ),
        ),
        migrations.AddField(
            model_name="deliverysubject",
            name="subject",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="activity.subject",
            ),
        ),
        migrations.AddField(
            model_name="subjectnews",
            name="subject",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="activity.subject",
            ),
        ),
        migrations.AddField(
            model_name="subjectwatermark",
            name="recipient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="subjectwatermark",
            name="subject",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="activity.subject"
            ),
        ),
        migrations.AddConstraint(
            model_name="deliverysubject",
            constraint=models.UniqueConstraint(fields=("delivery", "subject"), name="one_item_a_subject"),
        ),
        migrations.AddConstraint(
            model_name="deliverysubject",
            constraint=models.CheckConstraint(
                condition=models.Q(("to_number__gte", models.F("from_number"))), name="subject_item_goes_forward"
            ),
        ),
        migrations.AddIndex(
            model_name="subjectwatermark",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="subject_watermark_due"
            ),
        ),
        migrations.AddIndex(
            model_name="subjectwatermark",
            index=models.Index(fields=["subject", "number"], name="watermark_of_subject"),
        ),
        migrations.AddConstraint(
            model_name="subjectwatermark",
            constraint=models.UniqueConstraint(fields=("recipient", "subject"), name="one_watermark_a_subject"),
        ),
        migrations.RunSQL(_following("digests_following", "confirmed"), migrations.RunSQL.noop),
        migrations.RunSQL(_following("digests_standing", "confirmed", "paused"), migrations.RunSQL.noop),
        migrations.RunSQL(_subjects(), "DROP VIEW digests_subjectfollowing"),
        migrations.RunSQL(_NEWS, _NEWS_BACK),
        migrations.RunSQL(_GUARD, _GUARD_BACK),
    ]
