"""Record a change of status, by hand or by the clock, on a locked partnership."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.agreements.departures import PartnershipEnding, settle_ending
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import OVER, Partnership, Status, gap_between, last_day
from partnerships.agreements.queries.dates import leads_who_decide
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.organisations.models import Organisation
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

#: What history says of a step that a date caused.
DUE_REASONS = {
    Status.ACTIVE: "Its start date has come.",
    Status.UNDER_REVIEW: "Its review date has come.",
    Status.ENDED: "Its end date has come.",
}


def take_status(
    locked: Partnership,
    status: str,
    *,
    reason: str,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> None:
    """Set the status and record it.

    A successor that starts renews the old one.
    """
    was, today, ended = locked.status, timezone.localdate(now), last_day(locked)
    locked.status, locked.status_since = status, now
    if status == Status.ACTIVE and locked.starts_on is None:
        locked.starts_on = min(today, locked.review_on or today, locked.ends_on or today)
    if status in OVER:
        locked.ends_on = ended if ended is not None and ended <= today else max(today, locked.starts_on or today)
    locked.save(update_fields=["status", "status_since", "starts_on", "ends_on"])
    if status in OVER:
        # Before the event: rooms lock their rows before the numbers of changes.
        words = reason if status == Status.RENEWED else f"The partnership has ended. {reason}"
        settle_ending(PartnershipEnding(partnership=locked, reason=words, author=author, now=now))
    record_event(
        locked,
        EventKind.STATUS_CHANGED,
        author=author,
        now=now,
        organisation=organisation,
        data={"before": {"status": was}, "after": {"status": status}, "reason": reason},
    )
    if status == Status.ENDED:
        _end_groups(locked, author=author, now=now)
    if status == Status.ACTIVE and was in (Status.AWAITING_SIGN_OFF, Status.AGREED) and locked.redefines_id:
        _settle_former(locked, author=author, now=now)


def _end_groups(parent: Partnership, *, author: User | None, now: dt.datetime) -> None:
    """End the working groups of a partnership that has ended, except those that outlive it."""
    groups = Partnership.objects.filter(as_group__parent=parent, as_group__outlives_parent=False).live()
    for number in groups.order_by("pk").values_list("pk", flat=True):
        group = lock_partnership(number)
        if not group.is_over_on(timezone.localdate(now)):
            take_status(group, Status.ENDED, reason=f"{parent.title} has ended.", author=author, now=now)


def _settle_former(successor: Partnership, *, author: User | None, now: dt.datetime) -> None:
    """Mark the old one as renewed, or as ended if it ended days before."""
    assert successor.redefines_id is not None
    former = lock_partnership(successor.redefines_id)
    gap = gap_between(former, successor, timezone.localdate(now))
    if gap is not None:
        record_event(successor, EventKind.COVER_GAP, author=None, now=now, data={"after": {"cover": gap.words}})
    today = timezone.localdate(now)
    if gap is not None:
        record_due_step(former, now=now)
    elif former.status == Status.ACTIVE and former.review_on is not None and former.review_on <= today:
        take_status(former, Status.UNDER_REVIEW, reason=DUE_REASONS[Status.UNDER_REVIEW], author=None, now=now)
    if gap is None and former.status == Status.UNDER_REVIEW:
        take_status(former, Status.RENEWED, reason=f"Renewed as {successor.title}.", author=author, now=now)


def record_due_step(locked: Partnership, *, now: dt.datetime) -> bool:
    """Record the status that its dates gave it, and email; whether it had one.

    Emails the leads of its parties.
    """
    today = timezone.localdate(now)
    state = locked.state_on(today)
    if state == locked.status:
        return False
    if locked.status == Status.AGREED and state == Status.UNDER_REVIEW:
        take_status(locked, Status.ACTIVE, reason=DUE_REASONS[Status.ACTIVE], author=None, now=now)
    dates = [str(day) for day in (locked.starts_on, locked.review_on, last_day(locked))]
    by_notice = state == Status.ENDED and last_day(locked) == locked.notice_ends_on
    reason = "The notice period is over." if by_notice else DUE_REASONS[state]
    take_status(locked, state, reason=reason, author=None, now=now)
    record_emails(
        kind="agreements.date_came",
        people=leads_who_decide(locked).values_list("pk", flat=True),
        params={
            "partnership": locked.pk,
            "status": str(state),
            "on": today.isoformat(),
            # The job may record it on another day after a restore.
            "slot": {"partnership": locked.pk, "status": str(state), "dates": dates},
        },
        now=now,
    )
    return True
