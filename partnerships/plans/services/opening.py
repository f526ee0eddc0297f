"""Open versions to their readers, at once or when an embargo ends."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from partnerships.documents.services import UnableToPublish
from partnerships.kit.dates import long_time
from partnerships.people.models import User
from partnerships.plans.content import Content
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import Plan, Status, Version
from partnerships.plans.services.drafting import year_of_date
from partnerships.plans.services.recording import lock_plan, record_event
from partnerships.plans.services.signatories import ask_all_again
from partnerships.plans.signals import version_published

log = structlog.get_logger(__name__)


class UnableToEmbargo(UnableToPublish):
    """The embargo would end in the past, or before the embargo of the last version."""


def embargo_end(plan: Plan, requested_end: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """Return when the embargo of the next version ends, or None if it has no embargo.

    If the present version is under embargo, the embargo of the next version does not end earlier, because the next
    version includes the changes of the present version. Raises `UnableToEmbargo`.
    """
    if requested_end is not None and requested_end <= now:
        raise UnableToEmbargo(
            "The end of the embargo is in the past. Choose a later time, or leave the day empty to publish now."
        )
    current_end = plan.embargoed_until
    if current_end is None or current_end <= now:
        return requested_end
    if requested_end is None:
        return current_end
    if requested_end < current_end:
        raise UnableToEmbargo(
            f"Version {plan.current_number} is under embargo until {moment_in_words(current_end)}, and this version "
            "includes its changes. Choose that time or a later one, or leave the day empty to publish them together."
        )
    return requested_end


def moment_in_words(moment: dt.datetime) -> str:
    """Return a moment in the site's time zone, for example "12 November 2026, 09:14"."""
    return long_time(timezone.localtime(moment))


def copy_title_and_period(plan: Plan, version: Version, content: Content) -> None:
    """Copy the title and period of a version to the plan. This does not save the plan.

    The embargo of a version applies to its title and period too, so call this only once the embargo has ended.
    """
    plan.title = version.title
    plan.period_start = year_of_date(content["about"]["period_start"])
    plan.period_end = year_of_date(content["about"]["period_end"])


def open_version(plan: Plan, version: Version, at: dt.datetime) -> None:
    """Update the status and numbers of a plan for a version that its readers can see from `at`.

    This does not save the plan. If the version is not minor, an agreed or monitored plan is awaiting sign-off again.
    """
    substantive_versions = plan.versions.filter(number__lte=version.number, minor=False).order_by("-number")
    substantive_number = substantive_versions.values_list("number", flat=True).first() or 0
    if substantive_number > plan.substantive_number and plan.status in (Status.AGREED, Status.MONITORING):
        plan.status = Status.AWAITING_SIGN_OFF
    plan.substantive_number = max(plan.substantive_number, substantive_number)
    plan.last_published_at = at
    plan.open_number = version.number


def ask_for_signatures(plan: Plan, *, substantive_before: int, author: User | None, now: dt.datetime) -> None:
    """Ask the signatories to sign again if a version that is not minor has followed version `substantive_before`."""
    if plan.substantive_number > substantive_before and plan.is_awaiting_sign_off:
        ask_all_again(plan, author=author, now=now)


def lift_embargoes(*, now: dt.datetime) -> int:
    """Open the versions with an embargo that has ended, and return for how many plans.

    This is safe to run twice or late. If a plan fails, the error is logged, the other plans continue, and the next run
    tries the plan again.
    """
    due_versions = Version.objects.filter(
        plan=OuterRef("pk"), number__gt=OuterRef("open_number"), embargo_until__lte=now
    )
    plans = Plan.objects.filter(Exists(due_versions), open_number__lt=F("current_number")).order_by("pk")
    plan_count = 0
    for pk in plans.values_list("pk", flat=True):
        try:
            plan_count += _open_newest(pk, now)
        except Exception as error:  # noqa: BLE001 - a fault in one plan must not delay the others
            log.error("embargo_not_lifted", plan=pk, kind=type(error).__name__)
    return plan_count


@transaction.atomic
def _open_newest(plan_pk: int, now: dt.datetime) -> bool:
    """Open the newest version of a plan that has no embargo now, and return whether there was such a version."""
    plan = lock_plan(Plan(pk=plan_pk))
    is_due = Q(embargo_until=None) | Q(embargo_until__lte=now)
    version = plan.versions.filter(is_due, number__gt=plan.open_number).order_by("-number").first()
    if version is None:
        return False

    open_number_before, status_before = plan.open_number, plan.status
    substantive_before = plan.substantive_number
    copy_title_and_period(plan, version, version.content)
    open_version(plan, version, version.embargo_until or version.published_at)
    if version.number == plan.current_number:
        plan.embargoed_until = None
    plan.save()

    record_event(
        plan,
        EventKind.EMBARGO_LIFTED,
        author=None,
        organisation=None,
        target=version,
        now=now,
        data={
            "title": version.title,
            "number": version.number,
            "before": {"version": open_number_before, "status": status_before},
            "after": {"version": version.number, "status": plan.status},
        },
    )
    ask_for_signatures(plan, substantive_before=substantive_before, author=None, now=now)
    version_published.send(sender=Version, version=version)
    return True
