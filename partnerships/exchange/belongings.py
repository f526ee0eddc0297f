"""Asks and offers that were referred to a person, and that a colleague gets when that person leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.exchange.models import Receipt
from partnerships.exchange.services import UnableToRefer, refer_entry
from partnerships.organisations.models import Organisation
from partnerships.organisations.owned import (
    OwnedKind,
    OwnedRecord,
    OwnershipHandover,
    UnableToHandOver,
    former_people_of,
)
from partnerships.people.models import User


def _referrals(organisation_id: int) -> QuerySet[Receipt]:
    """Return the organisation's receipts that are referred to a person and not declined, the oldest referral first."""
    receipts = Receipt.objects.filter(organisation=organisation_id, declined_at=None).exclude(referred_to=None)
    return receipts.select_related("entry__organisation").order_by("referred_at", "pk")


def _open_entries(receipts: Iterable[Receipt]) -> list[OwnedRecord]:
    """Return the referred entries that still take answers."""
    return [
        OwnedRecord(receipt.pk, receipt.entry.title, receipt.entry.get_absolute_url(), receipt.entry.organisation.name)
        for receipt in receipts
        if receipt.entry.is_open
    ]


def _things_referred_to(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _open_entries(_referrals(organisation.pk).filter(referred_to=person))


def _referrals_to_leavers(organisation_id: int, now: dt.datetime) -> QuerySet[Receipt]:
    former_people = former_people_of(organisation_id, timezone.localdate(now))
    return _referrals(organisation_id).filter(referred_to__in=former_people)


def _refer_to_colleague(handover: OwnershipHandover) -> None:
    receipt = Receipt.objects.select_related("entry").get(pk=handover.pk)
    try:
        refer_entry(
            entry=receipt.entry,
            organisation=handover.organisation,
            person=handover.to,
            note_to_them=handover.reason,
            author=handover.author,
            now=handover.now,
        )
    except UnableToRefer as error:
        raise UnableToHandOver(str(error)) from error


REFERRALS = OwnedKind(
    code="referrals",
    label="Asks and offers to answer",
    fields=("exchange.Receipt.referred_to",),
    held=_things_referred_to,
    rows_without_owner=_referrals_to_leavers,
    to_records=_open_entries,
    hand_over=_refer_to_colleague,
    goes_to_colleague=True,
)
