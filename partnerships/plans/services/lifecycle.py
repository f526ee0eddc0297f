"""Change a plan's status or audience by hand, and choose its baseline."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import FINAL_STATUSES, TRANSITIONS, Audience, Plan, Status
from partnerships.plans.rights import rights_over
from partnerships.plans.services.recording import (
    acting_organisation,
    event_target,
    journal_audience,
    lock_plan,
    record_event,
)
from partnerships.plans.services.sharing import journal_ended_shares

#: The statuses to which a person may change a plan, by its present status. Publishing, asking for signatures and
#: signing change the status too.
BY_HAND: dict[str, tuple[str, ...]] = {
    Status.DRAFT: (Status.CLOSED,),
    Status.SHARED: (Status.SUPERSEDED, Status.CLOSED),
    Status.AWAITING_SIGN_OFF: (Status.SHARED, Status.SUPERSEDED, Status.CLOSED),
    Status.AGREED: (Status.MONITORING, Status.SUPERSEDED, Status.CLOSED),
    Status.MONITORING: (Status.SUPERSEDED, Status.CLOSED),
}


class UnableToChangeStatus(Exception):
    """The change is not allowed, or has no reason or no successor."""


class UnableToPinBaseline(Exception):
    """The version does not exist or is under embargo."""


def possible_statuses(plan: Plan) -> tuple[Status, ...]:
    """Return the statuses to which a person may change the plan now."""
    return tuple(Status(status) for status in BY_HAND.get(plan.status, ()) if status in TRANSITIONS[plan.status])


@transaction.atomic
def change_status(
    *, plan: Plan, to: str, reason: str, author: User | None, now: dt.datetime, successor: Plan | None = None
) -> Plan:
    """Change the status of a plan by hand. Raises `UnableToChangeStatus`.

    A superseded plan needs a `successor`, which is the plan that replaces it.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_publish)
    reason = reason.strip()
    if to not in possible_statuses(plan):
        new_label = Status(to).label.lower() if to in Status.values else to
        raise UnableToChangeStatus(
            f"You cannot change this plan from {plan.get_status_display().lower()} to {new_label}. Choose another "
            "status."
        )
    if not reason:
        raise UnableToChangeStatus("Enter a reason.")
    if to == Status.SUPERSEDED:
        plan.superseded_by = _checked_successor(plan, successor, author)

    # Nobody can open the draft of a plan that is over, so its shares must not be active again after a restore.
    if to in FINAL_STATUSES:
        journal_ended_shares(plan, now=now)
    status_before = plan.status
    plan.status = to
    plan.save(update_fields=["status", "superseded_by"])

    record_event(
        plan,
        EventKind.STATUS_CHANGED,
        author=author,
        organisation=acting_organisation(plan, author),
        target=event_target(plan),
        now=now,
        data={
            "title": plan.title,
            "reason": reason,
            "before": {"status": status_before},
            "after": {"status": plan.status},
        },
    )
    return plan


def _checked_successor(plan: Plan, successor: Plan | None, author: User | None) -> Plan:
    """Return the successor if it can replace the plan. Raises `UnableToChangeStatus`.

    Raises `UnableToAct` if the author may not read the successor.
    """
    if successor is None or successor.pk == plan.pk or successor.is_over or successor.superseded_by_id == plan.pk:
        raise UnableToChangeStatus("Choose the plan that replaces this one.")
    require(author is None or Plan.objects.published_for(author).filter(pk=successor.pk).exists())
    return successor


@transaction.atomic
def change_audience(*, plan: Plan, audience: str, reason: str, author: User | None, now: dt.datetime) -> Plan:
    """Change who may read the published versions. Raises `UnableToChangeStatus`."""
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_publish)
    reason = reason.strip()
    if audience not in Audience.values:
        raise UnableToChangeStatus("Choose who can read the plan.")
    if audience == Audience.PARTNERSHIP and plan.partnership_id is None:
        raise UnableToChangeStatus("This plan does not belong to a partnership. Choose another audience.")
    if audience == plan.audience:
        return plan
    if not reason:
        raise UnableToChangeStatus("Enter a reason.")

    audience_before = plan.audience
    plan.audience = audience
    plan.save(update_fields=["audience"])
    journal_audience(plan, now=now)

    record_event(
        plan,
        EventKind.AUDIENCE_CHANGED,
        author=author,
        organisation=acting_organisation(plan, author),
        target=event_target(plan),
        now=now,
        data={
            "title": plan.title,
            "reason": reason,
            "before": {"audience": audience_before},
            "after": {"audience": audience},
        },
    )
    return plan


@transaction.atomic
def pin_baseline(*, plan: Plan, number: int | None, author: User, now: dt.datetime) -> Plan:
    """Make a version the baseline, or remove the baseline (None). Raises `UnableToPinBaseline`."""
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_publish)
    if number is not None and not plan.versions.filter(number=number).exists():
        raise UnableToPinBaseline(f"This plan has no version {number}. Choose a version from its history.")
    if number is not None and number > plan.announced_number:
        raise UnableToPinBaseline(
            f"Version {number} is under embargo, and making it the baseline would reveal it. Wait until the embargo "
            "has ended."
        )
    number_before = plan.baseline_number
    if number == number_before:
        return plan

    plan.baseline_number = number
    plan.save(update_fields=["baseline_number"])
    record_event(
        plan,
        EventKind.BASELINE_PINNED if number else EventKind.BASELINE_UNPINNED,
        author=author,
        organisation=acting_organisation(plan, author),
        now=now,
        data={"title": plan.title, "before": {"baseline": number_before}, "after": {"baseline": number}},
    )
    return plan
