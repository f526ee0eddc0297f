"""Services for delivery: progress, risks, escalation and verification."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import UNDER_WAY_STATUSES, Commitment, Progress, Status, commitment_readers
from partnerships.commitments.quantities import delivered_words
from partnerships.commitments.registry import call_listeners
from partnerships.commitments.rights import acting_organisation, rights_over
from partnerships.commitments.services.emails import email_deciding_leads, email_people_concerned, email_person
from partnerships.commitments.services.recording import lock_commitment, record_event
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: Statuses that a report may set.
REPORTABLE = (Status.IN_PROGRESS, Status.AT_RISK, Status.BLOCKED, Status.DONE)


class UnableToRecordProgress(Exception):
    """The commitment is not under way, a colleague has just reported, or the report is incomplete."""


class UnableToEscalate(Exception):
    """The commitment is not under way, or the person may not see it."""


class UnableToVerify(Exception):
    """The commitment has not been reported done, or the reason is missing."""


def exceeds_promise(commitment: Commitment, amount: Decimal) -> bool:
    """Return whether a total is more than was promised and more than was last reported."""
    return commitment.quantity is not None and amount > max(commitment.quantity, commitment.delivered_quantity)


@transaction.atomic
def record_progress(
    *,
    commitment: Commitment,
    status: str,
    author: User,
    now: dt.datetime,
    delivered: Decimal | None = None,
    note_text: str = "",
    blocker: str = "",
    newest_seen_id: int | None = None,
) -> Progress:
    """Record a progress report. Raises `UnableToRecordProgress`.

    - `status` is in progress, at risk, blocked (which needs a `blocker`) or done (which needs the whole quantity).
    - `delivered` is the total so far. Without it, the total does not change. A total that is lower than before or
      higher than promised needs a note.
    - `newest_seen_id` is the id of the newest report that the author saw, or 0 if there was none. The report is refused
      if there is a newer one, for example because the same form was sent twice.
    """
    commitment = lock_commitment(commitment)
    rights = rights_over(commitment, author, now)
    if not commitment.is_under_way:
        raise UnableToRecordProgress(
            f"{commitment.reference} is {commitment.status_words}, so you cannot report progress on it."
        )
    require(rights.may_report, "Only editors and leads of the organisation that made the promise can report progress.")
    _check_is_newest(commitment, newest_seen_id)
    _check_status(status, blocker)
    if delivered is not None and commitment.quantity is None:
        raise UnableToRecordProgress("No quantity was promised, so describe the delivery in the note.")
    total = commitment.delivered_quantity if delivered is None else delivered
    _check_total(commitment, status, total, note=note_text)

    status_before = commitment.get_status_display()
    report = Progress.objects.create(
        commitment=commitment,
        delivered_before=commitment.delivered_quantity,
        delivered=total,
        status=status,
        note=note_text.strip(),
        by=author,
        organisation=acting_organisation(rights),
        at=now,
    )
    _apply_report(commitment, report, blocker)

    _record_report(commitment, report, status_before=status_before, organisation=acting_organisation(rights))
    call_listeners(commitment=commitment, author=author, now=now)
    if commitment.is_done:
        email_deciding_leads("done", commitment, author=author, now=now)
    return report


def _check_is_newest(commitment: Commitment, newest_seen_id: int | None) -> None:
    """Raise `UnableToRecordProgress` if there is a newer report than the author saw. None skips the check."""
    newest_id = commitment.progress.order_by("pk").values_list("pk", flat=True).last() or 0
    if newest_seen_id is not None and newest_seen_id != newest_id:
        raise UnableToRecordProgress("A colleague has just reported progress. Check their report first.")


def _apply_report(commitment: Commitment, report: Progress, blocker: str) -> None:
    """Save the status and the total of a report on the locked commitment."""
    if report.status != commitment.status:
        commitment.status = report.status
        commitment.status_since = report.at
    commitment.delivered_quantity = report.delivered
    commitment.blocker = blocker.strip() if report.status in (Status.BLOCKED, Status.AT_RISK) else ""
    if report.status in (Status.IN_PROGRESS, Status.DONE):
        # The work continues, so nobody needs to help any more.
        commitment.escalated_to = None
        commitment.escalated_at = None
    is_done = report.status == Status.DONE
    commitment.done_at = report.at if is_done else None
    commitment.done_by = report.by if is_done else None
    commitment.save(
        update_fields=[
            "status",
            "status_since",
            "delivered_quantity",
            "blocker",
            "escalated_to",
            "escalated_at",
            "done_at",
            "done_by",
        ]
    )


def _check_status(status: str, blocker: str) -> None:
    """Raise `UnableToRecordProgress` for a status that a report cannot set, or for blocked without a blocker."""
    if status not in REPORTABLE:
        raise UnableToRecordProgress("Choose in progress, at risk, blocked or done.")
    if status == Status.BLOCKED and not blocker.strip():
        raise UnableToRecordProgress("Enter what is blocking the work.")


def _check_total(commitment: Commitment, status: str, total: Decimal, *, note: str) -> None:
    """Raise `UnableToRecordProgress` if the total is impossible, needs a note, or is too low for the status done."""
    total_words = delivered_words(total, commitment.quantity, commitment.unit)
    has_note = bool(note.strip())
    if total < 0:
        raise UnableToRecordProgress("The amount delivered cannot be less than 0. Enter 0 or more.")
    if total < commitment.delivered_quantity and not has_note:
        raise UnableToRecordProgress(
            "The total is lower than in the last report. Explain why in the note, or correct the total."
        )
    if exceeds_promise(commitment, total) and not has_note:
        raise UnableToRecordProgress(
            f"{total_words} is more than was promised. Explain why in the note, or correct the total."
        )
    if status == Status.DONE and commitment.quantity is not None and total < commitment.quantity:
        raise UnableToRecordProgress(f"Only {total_words} have been delivered. Report the rest, or propose new terms.")


def _record_report(
    commitment: Commitment, report: Progress, *, status_before: str, organisation: Organisation | None
) -> None:
    """Record the event of a progress report, with the status and the total before and after it."""
    before = {"status": status_before}
    after = {"status": commitment.get_status_display()}
    if commitment.quantity is not None:
        before["delivered"] = delivered_words(report.delivered_before, commitment.quantity, commitment.unit)
        after["delivered"] = delivered_words(report.delivered, commitment.quantity, commitment.unit)
    record_event(
        commitment,
        EventKind.PROGRESS_REPORTED,
        author=report.by,
        organisation=organisation,
        now=report.at,
        before=before,
        after=after,
        reason=commitment.blocker or report.note,
    )


@transaction.atomic
def escalate(*, commitment: Commitment, helper: User, author: User, now: dt.datetime, reason: str = "") -> Commitment:
    """Escalate a commitment to a person who can see it, and email this person. Raises `UnableToEscalate`."""
    commitment = lock_commitment(commitment)
    rights = rights_over(commitment, author, now)
    if commitment.status not in UNDER_WAY_STATUSES:
        raise UnableToEscalate(f"{commitment.reference} is {commitment.status_words}, so you cannot escalate it.")
    require(rights.may_escalate, "Only editors and leads of the two organisations can escalate this commitment.")
    if not commitment_readers(commitment).filter(pk=helper.pk).exists():
        raise UnableToEscalate(f"{helper.display_name} cannot see this commitment. Choose someone who can.")

    commitment.escalated_to = helper
    commitment.escalated_at = now
    commitment.save(update_fields=["escalated_to", "escalated_at"])
    record_event(
        commitment,
        EventKind.ESCALATED,
        author=author,
        organisation=acting_organisation(rights),
        now=now,
        escalated_to=helper.pk,
        reason=reason.strip(),
    )
    email_person("escalation", helper, commitment, author=author, now=now)
    return commitment


@transaction.atomic
def verify_delivery(*, commitment: Commitment, author: User, now: dt.datetime, note_text: str = "") -> Commitment:
    """Verify a delivery for the receiver, or an action as its second person. Raises `UnableToVerify`."""
    commitment, verifier = _lock_to_verify(commitment, author, now)

    commitment.status = Status.VERIFIED
    commitment.status_since = now
    commitment.verified_by = author
    commitment.verified_at = now
    commitment.save(update_fields=["status", "status_since", "verified_by", "verified_at"])

    record_event(
        commitment,
        EventKind.ACTION_VERIFIED if commitment.is_action else EventKind.DELIVERY_VERIFIED,
        author=author,
        organisation=verifier,
        now=now,
        before=Status.DONE.label,
        after=Status.VERIFIED.label,
        reason=note_text.strip(),
    )
    call_listeners(commitment=commitment, author=author, now=now)
    email_people_concerned("answered", commitment, author=author, now=now, verified=True)
    return commitment


@transaction.atomic
def send_back(*, commitment: Commitment, reason: str, author: User, now: dt.datetime) -> Commitment:
    """Send a delivery or action back because something is missing. Raises `UnableToVerify`."""
    commitment, verifier = _lock_to_verify(commitment, author, now)
    reason = reason.strip()
    if not reason:
        raise UnableToVerify("Enter what is missing.")

    commitment.status = Status.IN_PROGRESS
    commitment.status_since = now
    commitment.done_at = None
    commitment.done_by = None
    commitment.save(update_fields=["status", "status_since", "done_at", "done_by"])
    Progress.objects.create(
        commitment=commitment,
        delivered_before=commitment.delivered_quantity,
        delivered=commitment.delivered_quantity,
        status=Status.IN_PROGRESS,
        note=reason,
        by=author,
        organisation=verifier,
        at=now,
    )

    record_event(
        commitment,
        EventKind.ACTION_SENT_BACK if commitment.is_action else EventKind.DELIVERY_SENT_BACK,
        author=author,
        organisation=verifier,
        now=now,
        before=Status.DONE.label,
        after=Status.IN_PROGRESS.label,
        reason=reason,
    )
    call_listeners(commitment=commitment, author=author, now=now)
    email_people_concerned("answered", commitment, author=author, now=now, verified=False)
    return commitment


def _lock_to_verify(commitment: Commitment, author: User, now: dt.datetime) -> tuple[Commitment, Organisation | None]:
    """Lock a commitment that the author may verify, and return it with the organisation that verifies.

    Raises `UnableToVerify` if it has not been reported done.
    """
    commitment = lock_commitment(commitment)
    if not commitment.is_done or commitment.is_over:
        raise UnableToVerify(f"{commitment.reference} is {commitment.status_words}, so there is nothing to verify.")
    rights = rights_over(commitment, author, now)
    if commitment.is_action:
        require(
            rights.verifies,
            "Only editors of the two organisations can verify the action. "
            "If you own it or reported it as done, ask a colleague.",
        )
        return commitment, acting_organisation(rights)
    require(rights.verifies, "Only a lead of the receiving organisation can verify the delivery.")
    return commitment, commitment.receiver
