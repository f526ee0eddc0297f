"""The records of the exchange that move to a successor when an organisation ends.

They are asks, offers, answers and facilitators.
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


def _own_entries(organisation: Organisation, day: dt.date) -> QuerySet[Entry]:
    return Entry.objects.filter(organisation=organisation).exclude(status__in=FINAL_STATUSES)


def _held_entry(entry: Entry, organisation: Organisation) -> HeldRecord:
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
    "entries",
    "Asks and offers",
    (Column("exchange.Entry.organisation"),),
    _own_entries,
    _held_entry,
    target="entry",
    within=lambda entry: ("partnership", entry.partnership_id) if entry.partnership_id else ("", None),
)


def _entries_addressed_to(organisation: Organisation, day: dt.date) -> QuerySet[Entry]:
    return Entry.objects.live().filter(addressees__organisation=organisation)


ADDRESSED = Obligation(
    "addressed",
    "Asks and offers addressed to it",
    (
        Column("exchange.Addressee.organisation", "entry", cannot_move_to=lambda target: Q(entry__organisation=target)),
        Column("exchange.Receipt.organisation", "entry", cannot_move_to=lambda target: Q(entry__organisation=target)),
        Column("exchange.Question.organisation", "entry", Q(answered_at=None)),
    ),
    _entries_addressed_to,
    _held_entry,
    target="entry",
)


def _withdraw(move: RecordMove) -> dict[str, Any]:
    """Return the values that withdraw an answer, which cannot move to a successor that shared the entry itself."""
    return {"status": ResponseStatus.WITHDRAWN.value, "reason": move.reason, "decided_at": move.now}


ANSWERS = Obligation(
    "answers",
    "Answers waiting for a decision",
    (
        Column(
            "exchange.Response.organisation",
            cannot_move_to=lambda target: Q(entry__organisation=target),
            end_values=_withdraw,
        ),
    ),
    lambda organisation, _day: Response.objects.waiting().filter(organisation=organisation).select_related("entry"),
    lambda response, _organisation: HeldRecord(
        pk=response.pk,
        title=response.entry.title,
        path=response.entry.get_absolute_url(),
        what="Answer",
        generic_title=f"Answer {response.pk}",
    ),
    target="response",
    within=lambda response: ("entry", response.entry_id),
)
FACILITATORS = Obligation(
    "entry_facilitators",
    "Facilitators of asks and offers",
    (Column("exchange.EntryFacilitator.organisation"),),
    lambda organisation, _day: EntryFacilitator.objects.filter(organisation=organisation, ended_at=None).select_related(
        "entry", "person"
    ),
    lambda facilitator, _organisation: HeldRecord(
        pk=facilitator.pk,
        title=facilitator.person.display_name,
        path=facilitator.entry.get_absolute_url(),
        what=facilitator.entry.title,
        generic_title=f"Facilitator {facilitator.pk}",
    ),
)


def register() -> None:
    """Register which records move to a successor.

    Dismissals and introductions follow the organisation that made them.
    """
    for obligation in (ENTRIES, ADDRESSED, ANSWERS, FACILITATORS):
        register_obligation(obligation)
    register_following_columns("exchange.Dismissal.organisation", "exchange.Introduction.organisation")
