"""Change the status of a locked partnership, on request or because a date has come."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.agreements.departures import PartnershipEnding, run_ending_hooks
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import OVER, Partnership, Status, gap_between, last_day
from partnerships.agreements.queries.dates import leads_who_decide
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.organisations.models import Organisation
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

#: Reason that the history gives for a change of status on a date.
DUE_REASONS = {
    Status.ACTIVE: "Its start date has come.",
    Status.UNDER_REVIEW: "Its review date has come.",
    Status.ENDED: "Its end date has come.",
}


def set_status(
    locked: Partnership,
    status: str,
    *,
    reason: str,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> None:
    """Set the status of a locked partnership, record the event, and bring about the consequences.

    When a partnership ends, its working groups end. When a successor starts, the partnership before it is renewed.
    """
    today = timezone.localdate(now)
    previous_status, final_day = locked.status, last_day(locked)
    locked.status, locked.status_since = status, now
    if status == Status.ACTIVE and locked.starts_on is None:
        # A partnership cannot start after its own review or end.
        locked.starts_on = min(today, locked.review_on or today, locked.ends_on or today)
    if status in OVER:
        has_run_out = final_day is not None and final_day <= today
        locked.ends_on = final_day if has_run_out else max(today, locked.starts_on or today)
    locked.save(update_fields=["status", "status_since", "starts_on", "ends_on"])

    if status in OVER:
        # Run the hooks before the event is recorded: other rooms must lock their rows before an event gets its number.
        ending_reason = reason if status == Status.RENEWED else f"The partnership has ended. {reason}"
        run_ending_hooks(PartnershipEnding(partnership=locked, reason=ending_reason, author=author, now=now))
    record_event(
        locked,
        EventKind.STATUS_CHANGED,
        author=author,
        now=now,
        organisation=organisation,
        data={"before": {"status": previous_status}, "after": {"status": status}, "reason": reason},
    )
    if status == Status.ENDED:
        _end_groups(locked, author=author, now=now)
    is_starting = status == Status.ACTIVE and previous_status in (Status.AWAITING_SIGN_OFF, Status.AGREED)
    if is_starting and locked.redefines_id:
        _close_predecessor(locked, author=author, now=now)


def _end_groups(parent: Partnership, *, author: User | None, now: dt.datetime) -> None:
    """End the working groups of a partnership that has ended, except groups that outlive it."""
    groups = Partnership.objects.filter(as_group__parent=parent, as_group__outlives_parent=False).live()
    for pk in groups.order_by("pk").values_list("pk", flat=True):
        group = lock_partnership(pk)
        if not group.is_over_on(timezone.localdate(now)):
            set_status(group, Status.ENDED, reason=f"{parent.title} has ended.", author=author, now=now)


def _close_predecessor(successor: Partnership, *, author: User | None, now: dt.datetime) -> None:
    """Mark the predecessor as renewed, or as ended if days without cover lie before the successor."""
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


def record_due_step(locked: Partnership, *, now: dt.datetime) -> bool:
    """Store the status that follows from the dates, and email the leads of the parties.

    Call with the partnership locked. Returns whether the status changed.
    """
    today = timezone.localdate(now)
    state = locked.state_on(today)
    if state == locked.status:
        return False
    if locked.status == Status.AGREED and state == Status.UNDER_REVIEW:
        set_status(locked, Status.ACTIVE, reason=DUE_REASONS[Status.ACTIVE], author=None, now=now)
    dates = [str(day) for day in (locked.starts_on, locked.review_on, last_day(locked))]
    ended_by_notice = state == Status.ENDED and last_day(locked) == locked.notice_ends_on
    reason = "The notice period is over." if ended_by_notice else DUE_REASONS[state]
    set_status(locked, state, reason=reason, author=None, now=now)
    record_emails(
        kind="agreements.date_came",
        people=leads_who_decide(locked).values_list("pk", flat=True),
        params={
            "partnership": locked.pk,
            "status": str(state),
            "on": today.isoformat(),
            # The slot identifies the email. It has no day of sending, because after a restore the job may store the
            # status on another day.
            "slot": {"partnership": locked.pk, "status": str(state), "dates": dates},
        },
        now=now,
    )
    return True
