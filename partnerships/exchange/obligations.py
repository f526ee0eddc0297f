"""What happens to asks, offers, answers and their facilitators when an organisation ends and another succeeds it.

Open asks and offers, answers waiting for a decision and current facilitators pass to the successor. Closed ones stay as
they are.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet

from partnerships.commitments.quantities import homes_and_money
from partnerships.exchange.models import FINAL_STATUSES, Entry, EntryFacilitator, Response, ResponseStatus
from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import (
    Column,
    HeldRecord,
    Obligation,
    RecordMove,
    register_following_columns,
    register_obligation,
)


def _own_open_entries(organisation: Organisation, _day: dt.date) -> QuerySet[Entry]:
    return Entry.objects.filter(organisation=organisation).exclude(status__in=FINAL_STATUSES)


def _describe_entry(entry: Entry, _organisation: Organisation) -> HeldRecord:
    """Describe an entry for the handover page. A draft is shown without its title, because others may not read it."""
    direction = entry.get_direction_display()
    homes, money = homes_and_money(entry.quantity, entry.unit)
    return HeldRecord(
        pk=entry.pk,
        title=entry.title if entry.shared_at else f"Draft {entry.noun} {entry.pk}",
        path=entry.get_absolute_url(),
        what=f"{direction}, {entry.get_status_display().lower()}",
        homes=homes,
        money=money,
        generic_title=f"{direction} {entry.pk}",
    )


ENTRIES = Obligation(
    code="entries",
    label="Asks and offers",
    columns=(Column("exchange.Entry.organisation"),),
    records=_own_open_entries,
    describe=_describe_entry,
    target="entry",
    within=lambda entry: ("partnership", entry.partnership_id) if entry.partnership_id else ("", None),
)


def _entries_addressed_to(organisation: Organisation, _day: dt.date) -> QuerySet[Entry]:
    return Entry.objects.live().filter(addressees__organisation=organisation)


def _is_entry_of_successor(successor_id: int) -> Q:
    """Return the condition that the successor itself made the ask or offer.

    Such a row stays. If it moved, the successor would be asked by itself.
    """
    return Q(entry__organisation=successor_id)


ADDRESSED = Obligation(
    code="addressed",
    label="Asks and offers addressed to it",
    columns=(
        Column("exchange.Addressee.organisation", record="entry", cannot_move_to=_is_entry_of_successor),
        Column("exchange.Receipt.organisation", record="entry", cannot_move_to=_is_entry_of_successor),
        Column("exchange.Question.organisation", record="entry", only=Q(answered_at=None)),
    ),
    records=_entries_addressed_to,
    describe=_describe_entry,
    target="entry",
)


def _answers_waiting_for_decision(organisation: Organisation, _day: dt.date) -> QuerySet[Response]:
    return Response.objects.waiting().filter(organisation=organisation).select_related("entry")


def _describe_answer(answer: Response, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=answer.pk,
        title=answer.entry.title,
        path=answer.entry.get_absolute_url(),
        what="Answer",
        generic_title=f"Answer {answer.pk}",
    )


def _withdraw(move: RecordMove) -> dict[str, Any]:
    """Return the new values of an answer if the successor has its own answer. It is withdrawn."""
    return {"status": ResponseStatus.WITHDRAWN.value, "reason": move.reason, "decided_at": move.now}


ANSWERS = Obligation(
    code="answers",
    label="Answers waiting for a decision",
    columns=(Column("exchange.Response.organisation", cannot_move_to=_is_entry_of_successor, end_values=_withdraw),),
    records=_answers_waiting_for_decision,
    describe=_describe_answer,
    target="response",
    within=lambda answer: ("entry", answer.entry_id),
)


def _current_facilitators(organisation: Organisation, _day: dt.date) -> QuerySet[EntryFacilitator]:
    facilitators = EntryFacilitator.objects.filter(organisation=organisation, ended_at=None)
    return facilitators.select_related("entry", "person")


def _describe_facilitator(facilitator: EntryFacilitator, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=facilitator.pk,
        title=facilitator.person.display_name,
        path=facilitator.entry.get_absolute_url(),
        what=facilitator.entry.title,
        generic_title=f"Facilitator {facilitator.pk}",
    )


FACILITATORS = Obligation(
    code="entry_facilitators",
    label="Facilitators of asks and offers",
    columns=(Column("exchange.EntryFacilitator.organisation"),),
    records=_current_facilitators,
    describe=_describe_facilitator,
)


def register() -> None:
    """Register the records that pass to a successor.

    The organisations of dismissals and introductions change only in a merge.
    """
    for obligation in (ENTRIES, ADDRESSED, ANSWERS, FACILITATORS):
        register_obligation(obligation)
    register_following_columns("exchange.Dismissal.organisation", "exchange.Introduction.organisation")
