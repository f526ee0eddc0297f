"""Asks, offers, answers and facilitators as things that an organisation holds."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet

from partnerships.commitments.quantities import homes_and_money
from partnerships.exchange.models import OVER, Entry, EntryFacilitator, Response, ResponseStatus
from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import (
    Column,
    Held,
    Moving,
    Obligation,
    register_following,
    register_obligation,
)


def _entries(organisation: Organisation, day: dt.date) -> QuerySet[Entry]:
    return Entry.objects.filter(organisation=organisation).exclude(status__in=OVER)


def _entry(entry: Entry, organisation: Organisation) -> Held:
    words = f"{entry.get_direction_display()}, {entry.get_status_display().lower()}"
    title = entry.title if entry.shared_at else f"Draft {entry.get_direction_display().lower()} {entry.pk}"
    outside = f"{entry.get_direction_display()} {entry.pk}"
    homes, money = homes_and_money(entry.quantity, entry.unit)
    return Held(entry.pk, title, entry.get_absolute_url(), words, homes=homes, money=money, outside=outside)


ENTRIES = Obligation(
    "entries",
    "Asks and offers",
    (Column("exchange.Entry.organisation"),),
    _entries,
    _entry,
    target="entry",
    within=lambda one: ("partnership", one.partnership_id) if one.partnership_id else ("", None),
)


def _addressed(organisation: Organisation, day: dt.date) -> QuerySet[Entry]:
    return Entry.objects.live().filter(addressees__organisation=organisation)


ADDRESSED = Obligation(
    "addressed",
    "Asks and offers addressed to it",
    (
        Column("exchange.Addressee.organisation", "entry", locked=lambda target: Q(entry__organisation=target)),
        Column("exchange.Receipt.organisation", "entry", locked=lambda target: Q(entry__organisation=target)),
        Column("exchange.Question.organisation", "entry", Q(answered_at=None)),
    ),
    _addressed,
    _entry,
    target="entry",
)


def _withdraw(moving: Moving) -> dict[str, Any]:
    return {"status": ResponseStatus.WITHDRAWN.value, "reason": moving.reason, "decided_at": moving.now}


ANSWERS = Obligation(
    "answers",
    "Answers waiting for a decision",
    (
        Column(
            "exchange.Response.organisation",
            locked=lambda target: Q(entry__organisation=target),
            ending=_withdraw,
        ),
    ),
    lambda organisation, _: Response.objects.waiting().filter(organisation=organisation).select_related("entry"),
    lambda one, _: Held(one.pk, one.entry.title, one.entry.get_absolute_url(), "Answer", outside=f"Answer {one.pk}"),
    target="response",
    within=lambda one: ("entry", one.entry_id),
)
FACILITATORS = Obligation(
    "entry_facilitators",
    "Facilitators of asks and offers",
    (Column("exchange.EntryFacilitator.organisation"),),
    lambda organisation, _: EntryFacilitator.objects.filter(organisation=organisation, ended_at=None).select_related(
        "entry", "person"
    ),
    lambda one, _: Held(
        one.pk,
        one.person.display_name,
        one.entry.get_absolute_url(),
        one.entry.title,
        outside=f"Facilitator {one.pk}",
    ),
)


def register() -> None:
    """Register them, and what was dismissed or introduced."""
    for kind in (ENTRIES, ADDRESSED, ANSWERS, FACILITATORS):
        register_obligation(kind)
    register_following("exchange.Dismissal.organisation", "exchange.Introduction.organisation")
