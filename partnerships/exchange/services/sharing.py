"""The service that shares asks and offers with the organisations that they ask, and its checks."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.exchange.models import Audience, Entry, Status, theme_number
from partnerships.exchange.queries.addressing import parties_able_to_answer
from partnerships.exchange.queries.places import read_areas
from partnerships.exchange.reach import matching_keys
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.recording import (
    UnableToChangeEntry,
    change_status,
    event_kind_of,
    lock_entry,
    record_event,
)
from partnerships.kit.rights import require
from partnerships.people.models import User


class UnableToShareEntry(UnableToChangeEntry):
    """Raised if the entry is not a draft, or cannot ask its organisations."""


@transaction.atomic
def share_entry(*, entry: Entry, author: User | None, now: dt.datetime) -> Entry:
    """Share a draft with the organisations that it asks. Raises `UnableToShareEntry`."""
    lock_entry(entry)
    require(rights_over(entry, author, now).may_edit)
    today = timezone.localdate(now)
    addressee_ids = set(entry.addressees.values_list("organisation_id", flat=True))
    check_addressing(entry, addressee_ids, UnableToShareEntry, today)
    if entry.closes_on is None and not entry.standing:
        entry.closes_on = entry.available_until
    check_closing_date(entry, today, UnableToShareEntry)

    status_change = change_status(entry, Status.SHARED, now=now, error=UnableToShareEntry)
    entry.shared_at = now
    entry.is_open = True
    set_matching_keys(entry)
    entry.save()

    record_event(
        entry,
        event=event_kind_of(entry, "shared"),
        author=author,
        organisation=entry.organisation_id,
        now=now,
        **status_change,
    )
    return entry


def set_matching_keys(entry: Entry) -> None:
    """Set the keys by which matching finds an entry, and mark the entry as due for matching.

    The caller saves the entry. Without areas of its own, the entry has the areas that its organisation serves.
    """
    register = read_areas()
    area_ids = list(entry.areas.values_list("pk", flat=True)) or register.served_by(entry.organisation_id)
    entry.reach = matching_keys(theme_number(entry.theme), area_ids, register.places)
    entry.matched_at = None


def check_closing_date(entry: Entry, today: dt.date, error: type[UnableToChangeEntry]) -> None:
    """Raise `error` if the entry closes before today."""
    if entry.closes_on is not None and entry.closes_on < today:
        raise error("The closing date cannot be in the past. Choose a later date.")


def check_addressing(entry: Entry, addressee_ids: set[int], error: type[UnableToChangeEntry], today: dt.date) -> None:
    """Raise `error` if the entry cannot be shared with its audience, or cannot ask these organisations.

    Observers are never asked. An entry of a partnership comes from a present party and asks present parties.
    """
    if entry.organisation.is_ended:
        raise error(f"{entry.organisation.name} has ended, so you cannot share an ask or offer for it.")
    if entry.audience == Audience.NETWORK and entry.partnership_id:
        raise error("To share with the whole network, leave the partnership empty.")
    if entry.audience != Audience.NAMED and addressee_ids:
        raise error("Choose organisations only if you share with named partners.")
    if entry.audience == Audience.PARTNERSHIP and entry.partnership is None:
        raise error("Choose the partnership to share this ask or offer with.")
    if entry.audience == Audience.NAMED and not addressee_ids:
        raise error("Choose at least one organisation.")
    if entry.organisation_id in addressee_ids:
        raise error("You cannot share with your own organisation. Choose other organisations.")
    if entry.partnership is not None:
        _check_parties(entry, entry.partnership, addressee_ids, error, today)


def _check_parties(
    entry: Entry,
    partnership: Partnership,
    addressee_ids: set[int],
    error: type[UnableToChangeEntry],
    today: dt.date,
) -> None:
    """Raise `error` unless the entry comes from a present party and asks present parties that may answer."""
    if partnership.is_over_on(today):
        raise error(f"{partnership.title} has ended, so you cannot share with it. Choose another partnership.")
    party_ids = parties_able_to_answer(partnership.pk)
    if entry.organisation_id not in party_ids:
        raise error(
            f"{entry.organisation.name} is not a party to {partnership.title}, or is only an observer. "
            "Choose another partnership."
        )
    if addressee_ids - party_ids:
        raise error(f"Choose only parties to {partnership.title} that are not observers.")
    if entry.audience == Audience.PARTNERSHIP and party_ids == {entry.organisation_id}:
        raise error(
            f"{partnership.title} has no other party that could answer yet. "
            "Save a draft, and share it when another party has joined."
        )
