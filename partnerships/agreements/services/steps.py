"""Change the status of a locked partnership, on request or because a date has come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from partnerships.agreements.departures import PartnershipEnding, run_ending_hooks
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import FINAL_STATUSES, Partnership, Status, gap_between, last_day
from partnerships.agreements.queries.dates import leads_who_decide
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.organisations.models import Organisation
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

#: Reason that the history gives for a change of status on a date.
DUE_REASONS = {
    Status.ACTIVE: "The partnership reached its start date.",
    Status.UNDER_REVIEW: "The partnership reached its review date.",
    Status.ENDED: "The partnership reached its end date.",
}


def set_status(
    partnership: Partnership,
    status: str,
    *,
    reason: str,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> None:
    """Set the status of a locked partnership, and record the event.

    When a partnership ends, its working groups end too. When a successor starts, its predecessor becomes renewed.
    """
    previous_status = partnership.status
    _save_status(partnership, status, now=now)

    if status in FINAL_STATUSES:
        # Run the hooks before recording the event, because other rooms must lock their rows before it gets a number.
        ending_reason = reason if status == Status.RENEWED else f"The partnership has ended. {reason}"
        run_ending_hooks(PartnershipEnding(partnership=partnership, reason=ending_reason, author=author, now=now))
    record_event(
        partnership,
        EventKind.STATUS_CHANGED,
        author=author,
        now=now,
        organisation=organisation,
        data={"before": {"status": previous_status}, "after": {"status": status}, "reason": reason},
    )

    if status == Status.ENDED:
        _end_groups(partnership, author=author, now=now)
    is_starting = status == Status.ACTIVE and previous_status in (Status.AWAITING_SIGN_OFF, Status.AGREED)
    if is_starting and partnership.redefines_id:
        _close_predecessor(partnership, author=author, now=now)


def _save_status(partnership: Partnership, status: str, *, now: dt.datetime) -> None:
    """Save a new status.

    A partnership that starts also gets a first day, and a partnership that is over a last day.
    """
    today = timezone.localdate(now)
    # The last day depends on the status, so it is read before the status changes.
    final_day = last_day(partnership)
    partnership.status = status
    partnership.status_since = now
    if status == Status.ACTIVE and partnership.starts_on is None:
        # A partnership cannot start after its own review or end.
        partnership.starts_on = min(today, partnership.review_on or today, partnership.ends_on or today)
    if status in FINAL_STATUSES:
        has_run_out = final_day is not None and final_day <= today
        partnership.ends_on = final_day if has_run_out else max(today, partnership.starts_on or today)
    partnership.save(update_fields=["status", "status_since", "starts_on", "ends_on"])


def _end_groups(parent: Partnership, *, author: User | None, now: dt.datetime) -> None:
    """End the working groups of a partnership that has ended, except groups that outlive it."""
    groups = Partnership.objects.filter(as_group__parent=parent, as_group__outlives_parent=False).live()
    for pk in groups.order_by("pk").values_list("pk", flat=True):
        group = lock_partnership(pk)
        if not group.is_over_on(timezone.localdate(now)):
            set_status(group, Status.ENDED, reason=f"{parent.title} has ended.", author=author, now=now)


def _close_predecessor(successor: Partnership, *, author: User | None, now: dt.datetime) -> None:
    """Mark the predecessor as renewed, or as ended if there are days without cover before the successor."""
    assert successor.redefines_id is not None
    today = timezone.localdate(now)
    predecessor = lock_partnership(successor.redefines_id)
    gap = gap_between(predecessor, successor, today)
    if gap is not None:
        record_event(successor, EventKind.COVER_GAP, author=None, now=now, data={"after": {"cover": gap.description}})
        record_due_step(predecessor, now=now)
        return

    is_review_due = predecessor.review_on is not None and predecessor.review_on <= today
    if predecessor.status == Status.ACTIVE and is_review_due:
        set_status(predecessor, Status.UNDER_REVIEW, reason=DUE_REASONS[Status.UNDER_REVIEW], author=None, now=now)
    if predecessor.status == Status.UNDER_REVIEW:
        set_status(predecessor, Status.RENEWED, reason=f"Renewed as {successor.title}.", author=author, now=now)


def record_due_step(partnership: Partnership, *, now: dt.datetime) -> bool:
    """Store the status that follows from the dates, and email the leads of the parties.

    Call with the partnership locked. Returns whether the status changed.
    """
    due_status = partnership.state_on(timezone.localdate(now))
    if due_status == partnership.status:
        return False
    if partnership.status == Status.AGREED and due_status == Status.UNDER_REVIEW:
        # The job did not run between the start and the review, so the start is recorded first.
        set_status(partnership, Status.ACTIVE, reason=DUE_REASONS[Status.ACTIVE], author=None, now=now)

    # Read before the status changes, because the last day depends on the status.
    final_day = last_day(partnership)
    dates = [str(day) for day in (partnership.starts_on, partnership.review_on, final_day)]
    is_ended_by_notice = due_status == Status.ENDED and final_day == partnership.notice_ends_on
    reason = "The notice period is over." if is_ended_by_notice else DUE_REASONS[due_status]
    set_status(partnership, due_status, reason=reason, author=None, now=now)
    _email_due_step(partnership, due_status, dates, now=now)
    return True


def _email_due_step(partnership: Partnership, status: Status, dates: Sequence[str], *, now: dt.datetime) -> None:
    """Email the leads of the parties that a date has changed the status."""
    record_emails(
        kind="agreements.date_came",
        people=leads_who_decide(partnership).values_list("pk", flat=True),
        params={
            "partnership": partnership.pk,
            "status": str(status),
            "on": timezone.localdate(now).isoformat(),
            # The slot identifies the email. It has no day of sending, because after a restore the job may store the
            # status on another day.
            "slot": {"partnership": partnership.pk, "status": str(status), "dates": list(dates)},
        },
        now=now,
    )
