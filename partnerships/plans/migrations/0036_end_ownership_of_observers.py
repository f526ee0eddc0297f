"""End the ownerships of observers, as services do now when a party becomes an observer.

An observer that is the only owner keeps its plan: its leads find it on the page "Ownership of plans" and offer it to
another member. What was ended is on the same page, and in the history of each plan.
"""

from django.db import connection, migrations
from django.utils import timezone

# Select the ownerships of observers, and lock the rows of their plans, as services do.
OWNED = """
SELECT o.id FROM plans_planowner o
  JOIN plans_plan p ON p.id = o.plan_id
  JOIN agreements_party a ON a.partnership_id = p.partnership_id AND a.organisation_id = o.organisation_id
 WHERE o.ended_at IS NULL AND a.status = 'accepted' AND a.role = 'observer'
 ORDER BY p.id, o.id FOR NO KEY UPDATE OF p
"""

OFFERED = """
UPDATE plans_ownershipoffer o SET withdrawn_at = now() FROM agreements_party a
 WHERE o.answered_at IS NULL AND o.withdrawn_at IS NULL
   AND a.partnership_id = o.partnership_id AND a.organisation_id = o.organisation_id
   AND a.status = 'accepted' AND a.role = 'observer'
"""


def end_ownerships(apps, schema_editor):
    PlanOwner = apps.get_model("plans", "PlanOwner")
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(OWNED)
        observer_ids = [pk for (pk,) in cursor.fetchall()]
    for owner in PlanOwner._base_manager.filter(pk__in=observer_ids, ended_at=None).order_by("plan_id", "pk"):
        present_owners = PlanOwner._base_manager.filter(plan=owner.plan_id, ended_at=None)
        if present_owners.exclude(pk=owner.pk).exists():
            _end(apps, owner, now)


def withdraw_offers(apps, schema_editor):
    """Withdraw offers of plans to observers of the partnership."""
    with connection.cursor() as cursor:
        cursor.execute(OFFERED)


def _end(apps, owner, now):
    """End an ownership with the offers and the shares of the draft that this owner made."""
    plan = apps.get_model("plans", "Plan")._base_manager.get(pk=owner.plan_id)
    organisation = apps.get_model("organisations", "Organisation")._base_manager.get(pk=owner.organisation_id)
    owner.ended_at, owner.ended_because = max(now, owner.began_at or now), "left"
    owner.save(update_fields=["ended_at", "ended_because"])
    shares = apps.get_model("plans", "Share").objects.filter(plan=plan.pk, shown_for=organisation.pk, revoked_at=None)
    shares.update(revoked_at=now)
    offers = apps.get_model("plans", "OwnershipOffer").objects.filter(plan=plan.pk, offered_for=organisation.pk)
    offers.filter(answered_at=None, withdrawn_at=None).update(withdrawn_at=now)
    apps.get_model("activity", "Event").objects.create(
        actor_id=None,
        organisation_id=organisation.pk,
        kind="plan.ownership_ended",
        target_kind="plan" if plan.current_number else "plan_draft",
        target_id=plan.pk,
        within_kind="plan",
        within_id=plan.pk,
        at=now,
        data={
            "plan": plan.pk,
            "title": plan.title,
            "owner": organisation.pk,
            "reason": "It had become an observer before.",
            "before": {"owner": organisation.name},
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0035_observers_own_no_plans"),
        ("activity", "0009_reword_help_of_events"),
        ("agreements", "0031_reword_help_of_late_signatures"),
    ]

    operations = [
        migrations.RunPython(end_ownerships, migrations.RunPython.noop),
        migrations.RunPython(withdraw_offers, migrations.RunPython.noop),
    ]
