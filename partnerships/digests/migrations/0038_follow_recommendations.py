"""Let people follow recommendations."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

#: Who follows which subject: itself, or a partnership through an organisation that takes part in it.
_OWN = """
SELECT s.id AS subscription_id, s.person_id, x.id AS subject_id, s.how, s.added_for_id, s.frequency, s.hears,
       s.confirmed_at, 1::smallint AS rank
  FROM digests_subscription s
  JOIN activity_subject x ON x.kind = '{kind}' AND x.record_id = s.{field}_id
 WHERE s.status = 'confirmed' AND s.key = ''
"""
_THROUGH_ORGANISATIONS = """
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
_FIELDS = {
    "plan": "plan",
    "partnership": "partnership",
    "organisation": "organisation",
    "entry": "request",
    "commitment": "commitment",
}


def _view(fields):
    own = [_OWN.format(kind=kind, field=field) for kind, field in fields.items()]
    return "CREATE OR REPLACE VIEW digests_subjectfollowing AS" + "UNION ALL".join([*own, _THROUGH_ORGANISATIONS])


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0028_vacancies_without_nominees"),
        ("commitments", "0010_drop_reminder_choice"),
        ("digests", "0037_words_for_reports"),
        ("exchange", "0018_views_replace_saved_filters"),
        ("organisations", "0024_tell_of_orders"),
        ("plans", "0019_settle_years_of_plans"),
        ("recommendations", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
        migrations.AddField(
            model_name="subscription",
            name="recommendation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="subscriptions",
                to="recommendations.recommendation",
            ),
        ),
        migrations.AddField(
            model_name="subscriptionevent",
            name="recommendation",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="recommendations.recommendation",
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("recommendation__isnull", False)),
                fields=["recommendation", "person"],
                name="subscription_recommendation",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subscription",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "commitment_id", "confirmed_at", "ended_at", "frequency", "has_own_address", "hears", "how", "id", "key", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "recommendation_id", "refused_at", "replaces_id", "request_id", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."commitment_id", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."has_own_address", NEW."hears", NEW."how", NEW."id", NEW."key", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."reason", NEW."recommendation_id", NEW."refused_at", NEW."replaces_id", NEW."request_id", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="98e819c9034bd42cb18c4f34ec84286a30624717",
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
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "commitment_id", "confirmed_at", "ended_at", "frequency", "has_own_address", "hears", "how", "id", "key", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "recommendation_id", "refused_at", "replaces_id", "request_id", "status", "stopped_from", "why") VALUES (NEW."added_by_id", NEW."added_for_id", NEW."asked_at", NEW."commitment_id", NEW."confirmed_at", NEW."ended_at", NEW."frequency", NEW."has_own_address", NEW."hears", NEW."how", NEW."id", NEW."key", NEW."organisation_id", NEW."partnership_id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."reason", NEW."recommendation_id", NEW."refused_at", NEW."replaces_id", NEW."request_id", NEW."status", NEW."stopped_from", NEW."why"); RETURN NULL;',
                    hash="3b6ecac77f5102371f0ae1a6c933a8e16bb15305",
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
                    func='INSERT INTO "digests_subscriptionevent" ("added_by_id", "added_for_id", "asked_at", "commitment_id", "confirmed_at", "ended_at", "frequency", "has_own_address", "hears", "how", "id", "key", "organisation_id", "partnership_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "reason", "recommendation_id", "refused_at", "replaces_id", "request_id", "status", "stopped_from", "why") VALUES (OLD."added_by_id", OLD."added_for_id", OLD."asked_at", OLD."commitment_id", OLD."confirmed_at", OLD."ended_at", OLD."frequency", OLD."has_own_address", OLD."hears", OLD."how", OLD."id", OLD."key", OLD."organisation_id", OLD."partnership_id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."plan_id", OLD."reason", OLD."recommendation_id", OLD."refused_at", OLD."replaces_id", OLD."request_id", OLD."status", OLD."stopped_from", OLD."why"); RETURN NULL;',
                    hash="4875f39c18c154da761d0dc91eb49dd0aa4696f3",
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
                        ("recommendation", None),
                        ("request", None),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("organisation", None),
                        ("partnership__isnull", False),
                        ("plan", None),
                        ("recommendation", None),
                        ("request", None),
                        ("key", ""),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("organisation__isnull", False),
                        ("partnership", None),
                        ("plan", None),
                        ("recommendation", None),
                        ("request", None),
                        ("key", ""),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("organisation", None),
                        ("partnership", None),
                        ("plan", None),
                        ("recommendation", None),
                        ("request__isnull", False),
                        ("key", ""),
                    ),
                    models.Q(
                        ("commitment__isnull", False),
                        ("organisation", None),
                        ("partnership", None),
                        ("plan", None),
                        ("recommendation", None),
                        ("request", None),
                        ("key", ""),
                    ),
                    models.Q(
                        ("commitment", None),
                        ("organisation", None),
                        ("partnership", None),
                        ("plan", None),
                        ("recommendation__isnull", False),
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
            constraint=models.UniqueConstraint(
                fields=("person", "recommendation"), name="one_subscription_a_recommendation"
            ),
        ),
        migrations.RunSQL(_view(_FIELDS | {"recommendation": "recommendation"}), _view(_FIELDS)),
    ]
