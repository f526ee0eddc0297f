"""End the ownerships of former parties, and the sharing of drafts with their people.

The leads of every owner, present and former, find what was ended on the page "Ownership of plans", and in the history
of each plan.
"""

from django.db import connection, migrations
from django.utils import timezone

# Fill in the organisation for which a person sees a draft (a party, if they act for one) and the owner that shares it
# (the owner for which the sharer acts, else the first).
SHOWN = """
UPDATE plans_share s SET
    organisation_id = (
        SELECT m.organisation_id FROM organisations_membership m
          JOIN plans_plan p ON p.id = s.plan_id
          LEFT JOIN agreements_party a ON a.partnership_id = p.partnership_id
               AND a.organisation_id = m.organisation_id AND a.status IN ('accepted', 'left')
         WHERE m.person_id = s.person_id AND m.accepted_at IS NOT NULL AND m.starts_on <= current_date
           AND (m.ends_on IS NULL OR m.ends_on > current_date)
         ORDER BY a.id IS NULL, m.id LIMIT 1),
    shown_for_id = (
        SELECT o.organisation_id FROM plans_planowner o
          LEFT JOIN organisations_membership m ON m.organisation_id = o.organisation_id
               AND m.person_id = s.shared_by_id AND m.accepted_at IS NOT NULL
         WHERE o.plan_id = s.plan_id AND o.ended_at IS NULL
         ORDER BY m.id IS NULL, m.ends_on IS NOT NULL, o.id LIMIT 1)
 WHERE s.organisation_id IS NULL AND s.shown_for_id IS NULL
"""

# Copy the openings of shares that were renewed since; only the row history has them.
OPENED = """
INSERT INTO plans_shareopening (share_id, shown_at, at, how, what)
SELECT e.pgh_obj_id, min(e.shared_at), e.opened_at, 'screen', ''
  FROM plans_shareevent e JOIN plans_share s ON s.id = e.pgh_obj_id
 WHERE e.opened_at IS NOT NULL
 GROUP BY e.pgh_obj_id, e.opened_at
"""


def fill_in(apps, schema_editor):
    with connection.cursor() as cursor:
        for statement in (SHOWN, OPENED):
            cursor.execute(statement)


def end_ownerships(apps, schema_editor):
    PlanOwner = apps.get_model("plans", "PlanOwner")
    now = timezone.now()
    former_owners = []
    owners = PlanOwner._base_manager.filter(ended_at=None, plan__partnership__isnull=False)
    for owner in owners.select_related("plan__partnership", "organisation").order_by("pk"):
        left_at = _left_at(apps, owner, now)
        if left_at is not None:
            former_owners.append((left_at, owner.pk, owner))

    # Go through the owners in the order in which they left the partnership: the last owner of a plan keeps the plan, and
    # takes it out of the partnership.
    for left_at, _pk, owner in sorted(former_owners, key=lambda row: row[:2]):
        other_owners = PlanOwner._base_manager.filter(plan=owner.plan, ended_at=None).exclude(pk=owner.pk)
        if other_owners.exists():
            owner.ended_at, owner.ended_because = max(left_at, owner.began_at or left_at), "left"
            owner.save(update_fields=["ended_at", "ended_because"])
            _note(apps, owner, "owns the plan no longer", now, {"before": {"owner": owner.organisation.name}})
        else:
            _leave_along(apps, owner, now)


def _left_at(apps, owner, now):
    """Return when the owner left the plan's partnership; None if it is still a party or never was one."""
    Party, PartyEvent = apps.get_model("agreements", "Party"), apps.get_model("agreements", "PartyEvent")
    party = Party.objects.filter(partnership=owner.plan.partnership_id, organisation=owner.organisation_id).first()
    if party is None or party.status == "accepted":
        return None
    if party.status == "left":
        return party.left_at or now
    # The party was invited again since it left, so only the row history says when it left.
    former_state = PartyEvent.objects.filter(pgh_obj_id=party.pk, status="left").order_by("-pgh_id").first()
    return None if former_state is None else former_state.left_at or now


def _leave_along(apps, owner, now):
    """Remove the plan from the partnership today, so that its parties can still read what they could read until now."""
    plan = owner.plan
    before, title = plan.audience, plan.partnership.title
    PastPartnership = apps.get_model("plans", "PastPartnership")
    PastPartnership.objects.create(plan=plan, partnership=plan.partnership, audience=before, left_at=now)
    plan.partnership = None
    if before == "partnership":
        plan.audience = "owners"
    plan.save(update_fields=["partnership", "audience"])
    changes = {"before": {"audience": before, "partnership": title}, "after": {"audience": plan.audience}}
    _note(apps, owner, "left the partnership with its only owner", now, changes)


def _note(apps, owner, verb, now, changes):
    plan = owner.plan
    apps.get_model("activity", "Event").objects.create(
        actor_id=None,
        organisation_id=owner.organisation_id,
        verb=verb,
        target_kind="plan" if plan.current_number else "plan_draft",
        target_id=plan.pk,
        within_kind="plan",
        within_id=plan.pk,
        at=now,
        data={
            "plan": plan.pk,
            "title": plan.title,
            "reason": "It had left the partnership before.",
            **changes,
        },
    )


def end_showings(apps, schema_editor):
    """End the sharing of drafts with people of former parties, and sharing by former owners."""
    Share = apps.get_model("plans", "Share")
    Party = apps.get_model("agreements", "Party")
    PlanOwner = apps.get_model("plans", "PlanOwner")
    now = timezone.now()
    for share in Share.objects.filter(revoked_at=None).select_related("plan").order_by("pk"):
        parties_left_since = Party.objects.filter(
            partnership=share.plan.partnership_id,
            organisation=share.organisation_id,
            status="left",
            left_at__gte=share.shared_at,
        )
        owners = PlanOwner._base_manager.filter(plan=share.plan_id, organisation=share.shown_for_id, ended_at=None)
        if parties_left_since.exists() or not owners.exists():
            share.revoked_at = now
            share.save(update_fields=["revoked_at"])


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0009_owners_who_leave"),
        ("activity", "0002_exports_and_contexts"),
    ]

    operations = [
        migrations.RunPython(fill_in, migrations.RunPython.noop),
        migrations.RunPython(end_ownerships, migrations.RunPython.noop),
        migrations.RunPython(end_showings, migrations.RunPython.noop),
    ]
