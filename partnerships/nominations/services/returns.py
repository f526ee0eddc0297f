"""Start, complete and send quarterly returns, confirm or dispute their lines, and reopen them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from partnerships.kit.rights import require
from partnerships.nominations.event_kinds import EventKind
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import (
    Decision,
    NominationsAgreement,
    NominationsReturn,
    Refusal,
    ReturnLine,
    ReturnStatus,
)
from partnerships.nominations.queries.agreement import period_in_force
from partnerships.nominations.rights import rights_over
from partnerships.nominations.services.recording import journal_status, lock_agreement, record_event
from partnerships.nominations.services.records import create_record
from partnerships.organisations.queries import leads_of
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

#: The largest number of offers or refusals in a line. A larger number is a typing error.
MAX_NUMBER = 100_000
#: The fields of a line that store the council's decision.
_DECISION_FIELDS = ("decision", "decided_at", "decided_by")


class UnableToReport(Exception):
    """Raised if the quarter is not over or has no agreed shares, or the return cannot be changed or sent now."""


class UnableToDecide(Exception):
    """Raised if the return is not waiting for the council or was sent again, or a reason is missing."""


class FiguresChanged(UnableToReport):
    """Raised if another person has saved other figures for the same lines since the author opened the page."""


@dataclass(frozen=True, slots=True)
class Supplement:
    """The figures of a line that CORE does not contain, so that the provider must add them."""

    offers: int | None = None
    #: Vacancies without a nominee in time. `in_time` are those with a nominee in time.
    not_supplied: int = 0
    #: The number of refused nominees by ground.
    refusals: Mapping[str, int] = field(default_factory=dict)
    in_time: int | None = None


def lock_return(nominations_return: NominationsReturn) -> NominationsReturn:
    """Lock the partnership and then the return, and return the locked return."""
    agreement = lock_agreement(nominations_return.agreement)
    nominations_return = NominationsReturn.objects.select_for_update(of=("self",)).get(pk=nominations_return.pk)
    nominations_return.agreement = agreement
    return nominations_return


def record_return_event(
    nominations_return: NominationsReturn,
    event: EventKind,
    *,
    of_council: bool = False,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Record an event about a return, as an act of the provider or, with `of_council`, of the council."""
    agreement = nominations_return.agreement
    record_event(
        agreement,
        event,
        return_id=nominations_return.pk,
        quarter=str(nominations_return.quarter),
        organisation=agreement.council_body if of_council else agreement.provider_body,
        author=author,
        now=now,
    )


def lock_return_to_edit(nominations_return: NominationsReturn, author: User, now: dt.datetime) -> NominationsReturn:
    """Lock and return a return that the author may change now, even if the partnership is over.

    Raises `UnableToAct` and `UnableToReport`.
    """
    nominations_return = lock_return(nominations_return)
    require(rights_over(nominations_return.agreement, author, now).may_report)
    if not nominations_return.is_writable:
        raise UnableToReport(
            "This return has been sent to the council, so you cannot change it now. You can change the return again if "
            "the council disputes it."
        )
    return nominations_return


@transaction.atomic
def start_return(
    *, agreement: NominationsAgreement, starts_on: dt.date, author: User, now: dt.datetime
) -> NominationsReturn:
    """Start the return of a quarter, or return the existing one. Raises `UnableToReport`.

    The quarter must be over, or the agreement must have ended in the quarter.
    """
    agreement = lock_agreement(agreement)
    require(rights_over(agreement, author, now).may_report)
    try:
        quarter = Quarter(starts_on)
    except ValueError as error:
        raise UnableToReport(str(error)) from error
    nominations_return = NominationsReturn.objects.filter(agreement=agreement, starts_on=starts_on).first()
    if nominations_return is not None:
        return nominations_return
    period = period_in_force(agreement, quarter)
    if period is None:
        raise UnableToReport(
            "No terms with shares for nominations were in force in this quarter. Choose another quarter."
        )
    if period.last_day >= timezone.localdate(now):
        raise UnableToReport("This quarter is not over yet. Start its return once the quarter has ended.")
    nominations_return = NominationsReturn.objects.create(agreement=agreement, starts_on=starts_on, begun_at=now)
    record_return_event(nominations_return, EventKind.RETURN_STARTED, author=author, now=now)
    return nominations_return


def saved_supplements(lines: Iterable[ReturnLine]) -> dict[int, Supplement]:
    """Return the saved figures of lines by the id of the line. The refusals of the lines should be prefetched."""
    return {
        line.pk: Supplement(
            offers=line.offers,
            not_supplied=line.not_supplied,
            refusals={refusal.ground: refusal.number for refusal in line.refusals.all()},
            in_time=line.in_time,
        )
        for line in lines
    }


@transaction.atomic
def complete_return(
    *,
    nominations_return: NominationsReturn,
    figures: Mapping[int, Supplement],
    figures_seen: Mapping[int, Supplement],
    author: User,
    now: dt.datetime,
) -> None:
    """Save the figures that CORE does not contain, for the lines that the author changed.

    `figures` and `figures_seen` are by the id of the line. `figures_seen` are those that the page showed to the author.
    If another person has changed one of the same lines since, raises `FiguresChanged` and saves nothing. Raises
    `UnableToReport` for figures that cannot be right.
    """
    nominations_return = lock_return_to_edit(nominations_return, author, now)
    line_by_pk = {line.pk: line for line in nominations_return.lines.prefetch_related("refusals").order_by("pk")}
    if not figures.keys() <= line_by_pk.keys():
        raise UnableToReport(
            "The lettings have been counted again since you opened this page. Check the new figures first."
        )

    saved_figures = saved_supplements(line_by_pk.values())
    new_figures = {
        pk: supplement
        for pk, supplement in figures.items()
        if supplement not in (figures_seen.get(pk), saved_figures[pk])
    }
    # Another person has saved a line since the author saw it, and the author wants to save other figures.
    conflicts = [line_by_pk[pk].words for pk in sorted(new_figures) if saved_figures[pk] != figures_seen.get(pk)]
    if conflicts:
        raise FiguresChanged(
            f"Another person saved other figures while you filled in the table: {'; '.join(conflicts)}. Their figures "
            "are shown below yours. Check yours, then save again."
        )

    for pk, supplement in sorted(new_figures.items()):
        _save_supplement(line_by_pk[pk], supplement)
    record_return_event(nominations_return, EventKind.RETURN_COMPLETED, author=author, now=now)


def _save_supplement(line: ReturnLine, supplement: Supplement) -> None:
    """Save the figures of one line. If they differ, the council must decide about the line again."""
    refusals = {ground.strip()[:300]: number for ground, number in supplement.refusals.items() if number}
    _check_supplement(line, supplement, refusals)

    previous_figures = line.counted
    previous_refusals = dict(line.refusals.values_list("ground", "number"))
    line.offers = supplement.offers
    line.not_supplied = supplement.not_supplied
    line.in_time = supplement.in_time
    if line.counted != previous_figures or refusals != previous_refusals:
        clear_decision(line)
    line.save(update_fields=["offers", "not_supplied", "in_time", *_DECISION_FIELDS])

    for refusal in line.refusals.exclude(ground__in=refusals):
        refusal.delete()
    for ground, number in sorted(refusals.items()):
        Refusal.objects.update_or_create(line=line, ground=ground, defaults={"number": number})


def _check_supplement(line: ReturnLine, supplement: Supplement, refusals: Mapping[str, int]) -> None:
    """Raise `UnableToReport` if a number is out of range, or the line would have more homes than were let."""
    numbers = [supplement.offers or 0, supplement.not_supplied, supplement.in_time or 0, *refusals.values()]
    if any(not 0 <= number <= MAX_NUMBER for number in numbers) or "" in refusals:
        raise UnableToReport(
            f"{line.words}: enter numbers from 0 to {MAX_NUMBER:,}, and a ground for each refused nominee."
        )
    if line.nominated + supplement.not_supplied > line.lettings:
        raise UnableToReport(
            f"{line.words}: {line.nominated} of {line.lettings} homes went to nominees. Enter at most "
            f"{line.lettings - line.nominated} without a nominee in time."
        )
    if supplement.in_time is not None and supplement.in_time + supplement.not_supplied > line.lettings:
        raise UnableToReport(
            f"{line.words}: {supplement.not_supplied} of {line.lettings} homes had no nominee in time. Enter at most "
            f"{line.lettings - supplement.not_supplied} with a nominee in time."
        )


def clear_decision(line: ReturnLine) -> None:
    """Clear the council's decision on a line, but keep its reason. The caller saves the line."""
    line.decision = ""
    line.decided_at = None
    line.decided_by = None


@transaction.atomic
def send_return(
    *, nominations_return: NominationsReturn, answers: Mapping[int, str] | None = None, author: User, now: dt.datetime
) -> None:
    """Send a return to the council, and email the council's leads.

    The council must decide again about the lines that it disputed, but not about confirmed lines that have not changed.
    `answers` are the provider's answers to the disputes, by the id of the line. Raises `UnableToReport`, for example if
    the lettings are not counted yet.
    """
    nominations_return = lock_return_to_edit(nominations_return, author, now)
    run = getattr(nominations_return, "run", None)
    if run is None or run.finished_at is None:
        raise UnableToReport("Upload the lettings first, and wait until they are counted.")

    # A line with a reason was disputed.
    for line in nominations_return.lines.exclude(decision=Decision.CONFIRMED).exclude(reason="").order_by("pk"):
        clear_decision(line)
        line.answer = (answers or {}).get(line.pk, "").strip()
        line.save(update_fields=[*_DECISION_FIELDS, "answer"])
    nominations_return.status = ReturnStatus.SENT
    nominations_return.sent_at = now
    nominations_return.sent_by = author
    nominations_return.sendings += 1
    nominations_return.save(update_fields=["status", "sent_at", "sent_by", "sendings"])

    record_return_event(nominations_return, EventKind.RETURN_SENT, author=author, now=now)
    journal_status(nominations_return, now=now)
    provider, council = nominations_return.agreement.provider_body, nominations_return.agreement.council_body
    record_emails(
        kind="nominations.return_sent",
        people=leads_of(council).exclude(pk=author.pk).values_list("pk", flat=True),
        params={"return": nominations_return.pk, "sending": nominations_return.sendings},
        sender_id=provider.pk,
        now=now,
    )


@transaction.atomic
def decide_lines(
    *,
    nominations_return: NominationsReturn,
    sending: int,
    decisions: Mapping[int, tuple[Decision, str]],
    author: User,
    now: dt.datetime,
) -> None:
    """Save the council's decisions, by the id of the line. A dispute needs a reason.

    Once every line has a decision, the return is settled. If a line is disputed, the provider can change the return
    again instead. Either way, the provider gets an email. `sending` is the number of `sendings` when the author read
    the return. Raises `UnableToDecide`, for example if the provider has sent it again since.
    """
    nominations_return = lock_return(nominations_return)
    require(rights_over(nominations_return.agreement, author, now).may_decide)
    if not nominations_return.is_sent:
        raise UnableToDecide("This return is not waiting for the council, so you cannot confirm or dispute its lines.")
    if nominations_return.sendings != sending:
        raise UnableToDecide(
            "The provider has sent this return again since you opened the page. Read the new figures first."
        )
    lines = {line.pk: line for line in nominations_return.lines.order_by("pk")}
    if not decisions.keys() <= lines.keys():
        raise UnableToDecide("Some of these lines belong to another return. Open this return again.")

    for pk, (decision, reason) in sorted(decisions.items()):
        _decide(lines[pk], Decision(decision), reason.strip(), author, now)
    record_return_event(nominations_return, EventKind.LINES_DECIDED, of_council=True, author=author, now=now)
    if all(line.decision for line in lines.values()):
        _settle_or_send_back(nominations_return, list(lines.values()), author, now)


def _decide(line: ReturnLine, decision: Decision, reason: str, author: User, now: dt.datetime) -> None:
    """Save the council's decision on one line."""
    if decision == Decision.DISPUTED and not reason:
        raise UnableToDecide(f"{line.words}: enter why you dispute this line.")
    if decision == Decision.DISPUTED:
        line.reason = reason
        line.answer = ""
    line.decision = decision
    line.decided_at = now
    line.decided_by = author
    line.save(update_fields=[*_DECISION_FIELDS, "reason", "answer"])


def _settle_or_send_back(
    nominations_return: NominationsReturn, lines: list[ReturnLine], author: User, now: dt.datetime
) -> None:
    """Settle a return whose lines are all decided, or send it back to the provider if a line is disputed.

    A settled return gets a record. Both results are emailed to the provider.
    """
    if any(line.decision == Decision.DISPUTED for line in lines):
        nominations_return.status = ReturnStatus.DISPUTED
        nominations_return.settled_at = None
        nominations_return.save(update_fields=["status", "settled_at"])
    else:
        nominations_return.status = ReturnStatus.SETTLED
        nominations_return.settled_at = now
        nominations_return.confirmations += 1
        nominations_return.save(update_fields=["status", "settled_at", "confirmations"])
        create_record(nominations_return, author=author, now=now)
        record_return_event(nominations_return, EventKind.RETURN_AGREED, of_council=True, author=author, now=now)
    journal_status(nominations_return, now=now)

    provider, council = nominations_return.agreement.provider_body, nominations_return.agreement.council_body
    recipient_ids = {*leads_of(provider).values_list("pk", flat=True), nominations_return.sent_by_id}
    record_emails(
        kind="nominations.return_decided",
        people=sorted(pk for pk in recipient_ids if pk not in (None, author.pk)),
        params={"return": nominations_return.pk, "sending": nominations_return.sendings},
        sender_id=council.pk,
        now=now,
    )


@transaction.atomic
def reopen_return(*, nominations_return: NominationsReturn, reason: str, author: User, now: dt.datetime) -> None:
    """Reopen a confirmed return, so that the provider can correct it, and email the leads of both sides.

    Either side may reopen it, with a reason. The existing record does not change, and the council must confirm every
    line again. Raises `UnableToReport`.
    """
    nominations_return = lock_return(nominations_return)
    rights = rights_over(nominations_return.agreement, author, now)
    require(rights.may_reopen)
    if not nominations_return.is_settled:
        raise UnableToReport(
            f"You can reopen only a confirmed return. This return is {nominations_return.get_status_display().lower()}."
        )
    if not reason.strip():
        raise UnableToReport("Enter what needs to be corrected.")

    for line in nominations_return.lines.order_by("pk"):
        clear_decision(line)
        line.reason = ""
        line.answer = ""
        line.save(update_fields=[*_DECISION_FIELDS, "reason", "answer"])
    nominations_return.status = ReturnStatus.REOPENED
    nominations_return.settled_at = None
    nominations_return.correction = reason.strip()
    nominations_return.save(update_fields=["status", "settled_at", "correction"])

    record_return_event(
        nominations_return, EventKind.RETURN_REOPENED, of_council=not rights.may_report, author=author, now=now
    )
    journal_status(nominations_return, now=now)
    provider, council = nominations_return.agreement.provider_body, nominations_return.agreement.council_body
    lead_ids = {*leads_of(provider).values_list("pk", flat=True), *leads_of(council).values_list("pk", flat=True)}
    record_emails(
        kind="nominations.return_reopened",
        people=sorted(lead_ids - {author.pk}),
        params={"return": nominations_return.pk, "sending": nominations_return.sendings, "author": author.pk},
        sender_id=(provider if rights.may_report else council).pk,
        now=now,
    )
