"""Make successions take effect on their day, pass their records on, and email people. A timed task does this."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from partnerships.kit.operators import alert_operators
from partnerships.organisations.handovers import has_records_to_return
from partnerships.organisations.holding_counts import count_held
from partnerships.organisations.lineage import (
    effective_succession,
    ending_predecessors,
    is_in_force,
    successions_of_order,
)
from partnerships.organisations.models import (
    CERTAIN_STATUSES,
    HandoverState,
    Membership,
    Succession,
    SuccessionStatus,
    SuccessionTie,
)
from partnerships.organisations.services.handover_batches import apply_handovers, undo_handovers
from partnerships.organisations.services.organisations import UnableToDissolve
from partnerships.organisations.services.proposals import email_proposals
from partnerships.organisations.services.successions import UnableToChangeSuccession
from partnerships.organisations.services.taking_effect import take_effect
from partnerships.organisations.vesting_hooks import run_vesting_hooks
from partnerships.outbox.services import record_emails

#: The largest number of characters in `refused_because`.
_MAX_REFUSAL = 500
#: People are not emailed about a succession that passed nothing on if it vested longer ago than this.
EMAILED_WITHIN = dt.timedelta(days=365)


def hand_over_due(*, now: dt.datetime) -> int:
    """Process the due successions, and return the number of lines and rows that moved.

    This can be called again at any time. If one succession fails, the others are still processed, and its error is
    raised at the end.
    """
    count, errors = process_due_successions(now=now)
    for error in errors.values():
        raise error
    return count


def process_due_successions(*, now: dt.datetime) -> tuple[int, dict[int, Exception]]:
    """Make due successions take effect, pass their records on, and email people about them and about proposed lines.

    Returns the number of lines and rows that moved, and errors by succession id.
    """
    errors = _take_due_effect(now)
    count = _move_due_records(errors, now)
    _email_due_successions(errors, now)
    email_proposals(now=now)
    return count, errors


def _move_due_records(errors: dict[int, Exception], now: dt.datetime) -> int:
    """Pass on or return the records of effective successions, and return the number of lines and rows that moved.

    Adds unexpected errors to `errors`, by succession id.
    """
    count = 0
    has_lines_to_process = Q(handovers__state__in=[HandoverState.ACCEPTED, HandoverState.APPLIED])
    # A succession that failed is processed once more, even without lines, so that its refusal is removed.
    was_refused = ~Q(refused_because="")
    effective = Succession.objects.filter(status=SuccessionStatus.EFFECTIVE).order_by("pk")
    for succession in effective.filter(has_lines_to_process | was_refused).distinct():
        refusal = ""
        try:
            count += _pass_on_or_return(succession, now)
        except Exception as error:  # noqa: BLE001 - one failed succession must not stop the others
            errors[succession.pk] = error
            refusal = _unexpected_error_in_words(error)
        _save_refusal(succession, refusal, now=now)
    return count


def _email_due_successions(errors: dict[int, Exception], now: dt.datetime) -> None:
    """Email people about effective successions. Adds unexpected errors to `errors`, after any earlier errors."""
    for succession in Succession.objects.filter(status=SuccessionStatus.EFFECTIVE, is_untold=True).order_by("pk"):
        try:
            email_succession(succession=succession, now=now)
        except Exception as error:  # noqa: BLE001 - one failed succession must not stop the others
            errors.setdefault(succession.pk, error)


def _take_due_effect(now: dt.datetime) -> dict[int, Exception]:
    """Make successions take effect on their day, and return unexpected errors by succession id.

    If a succession is refused, the reason is saved for administrators, and the next run tries it again.
    """
    today = timezone.localdate(now)
    errors: dict[int, Exception] = {}
    for succession in Succession.objects.filter(status__in=CERTAIN_STATUSES).pending().order_by("pk"):
        if succession.vests_on is None or succession.vests_on.latest > today:
            continue
        refusal = ""
        try:
            take_effect(succession=succession, author=None, now=now)
        except (UnableToChangeSuccession, UnableToDissolve) as error:
            refusal = str(error)[:_MAX_REFUSAL]
        except Exception as error:  # noqa: BLE001 - one failed succession must not stop the others
            errors[succession.pk] = error
            refusal = _unexpected_error_in_words(error)
        if _save_refusal(succession, refusal, now=now) and refusal:
            alert_operators(
                f"Succession {succession.pk} could not take effect", f"{refusal}\nWe try again every five minutes."
            )
    return errors


def _unexpected_error_in_words(error: Exception) -> str:
    # Only the type, because the message may contain data that administrators may not read.
    return f"An unexpected error: {type(error).__name__}."


def _save_refusal(succession: Succession, refusal: str, *, now: dt.datetime) -> bool:
    """Save why a succession was refused, or "" if it was not; return True if the text has changed."""
    if refusal == succession.refused_because:
        return False
    refused_at = now if refusal else None
    Succession.objects.filter(pk=succession.pk).update(refused_because=refusal, refused_at=refused_at)
    return True


def _pass_on_or_return(succession: Succession, now: dt.datetime) -> int:
    """Apply the lines of a succession in force, or undo the lines of an undone succession; return their number."""
    if is_in_force(succession):
        return apply_handovers(succession=succession, now=now)
    return undo_handovers(succession=succession, now=now)


@transaction.atomic
def email_succession(*, succession: Succession, now: dt.datetime) -> None:
    """Email the people who act for the organisations of a succession, and let other rooms email their own recipients.

    One email covers all successions of an order. It is sent once every accepted line has been applied or undone. If
    more records pass on later, only the other rooms' hooks are called. They email people who read in the first email
    that a record had no successor yet.
    """
    same_order = (
        successions_of_order(succession).filter(status=SuccessionStatus.EFFECTIVE).select_for_update(of=("self",))
    )
    in_force_by_id = {member.pk: member for member in same_order if is_in_force(member)}
    locked_succession = in_force_by_id.get(succession.pk)
    if locked_succession is None or not locked_succession.is_untold:
        return

    first_told_at = locked_succession.told_at
    is_later = first_told_at is not None
    # The first email covers all successions of the order. A later email covers those that were in the same first email.
    group = [
        member
        for member in in_force_by_id.values()
        if member.told_at == first_told_at and (is_later or member.is_untold)
    ]
    if any(_is_moving(member) for member in group):
        return
    for member in group:
        member.is_untold = False
        member.told_at = member.told_at or now
        member.save(update_fields=["is_untold", "told_at"])

    successions_with_news = [member for member in group if _is_news(member, timezone.localdate(now))]
    if not successions_with_news:
        return
    if not is_later:
        _email_members(successions_with_news, now)
    run_vesting_hooks(successions_with_news, is_later=is_later, now=now)


def _is_moving(succession: Succession) -> bool:
    """Return True if lines still have to be applied or undone."""
    if succession.undoes is not None and has_records_to_return(succession.undoes):
        return True
    # Lines belong to the first succession, even if it was undone and this one makes it effective again.
    successions_with_lines = {succession, effective_succession(succession)}
    return any(member.handovers.ready_to_apply().exists() for member in successions_with_lines)


def _email_members(successions: Sequence[Succession], now: dt.datetime) -> None:
    """Email everyone who acts for a predecessor or successor, each person once."""
    day = timezone.localdate(now)
    ties = SuccessionTie.objects.filter(succession__in=successions)
    is_on_either_side = Q(organisation__in=ties.values("predecessor")) | Q(organisation__in=ties.values("successor"))
    person_ids = Membership.objects.current(day).filter(is_on_either_side).values_list("person", flat=True)
    ended_by_id = {
        organisation.pk: organisation for member in successions for organisation in ending_predecessors(member)
    }

    first_succession, *other_successions = successions
    # The slot identifies the email. It leaves out the counts, which may differ if the email is recorded again after a
    # restore.
    slot = {"succession": first_succession.pk, "also": [other.pk for other in other_successions]}
    waiting_counts = {str(pk): count_held(organisation, day) for pk, organisation in ended_by_id.items()}
    record_emails(
        kind="organisations.handed_over",
        people=sorted(set(person_ids)),
        params={"slot": slot, **slot, "waiting": waiting_counts},
        now=now,
    )


def _is_news(succession: Succession, day: dt.date) -> bool:
    """Return True if people should be emailed about the succession.

    Another organisation must follow. The succession must also be recent, or must have passed records on.
    """
    if not succession.ties.exclude(successor=F("predecessor")).exists():
        return False
    vests = succession.vests_on
    is_recent = vests is not None and vests.latest > day - EMAILED_WITHIN
    return is_recent or succession.handovers.filter(state=HandoverState.APPLIED).exists()
