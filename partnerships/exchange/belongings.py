"""Asks and offers that were referred to a person, and that a colleague gets when that person leaves."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

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


def _referrals(organisation: Organisation) -> QuerySet[Receipt]:
    """Return the organisation's receipts that are referred to a person and not declined."""
    return Receipt.objects.filter(organisation=organisation, declined_at=None).exclude(referred_to=None)


def _open_entries(receipts: QuerySet[Receipt]) -> list[OwnedRecord]:
    """Return the referred entries that still take answers, the oldest referral first."""
    ordered = receipts.select_related("entry__organisation").order_by("referred_at", "pk")
    return [
        OwnedRecord(receipt.pk, receipt.entry.title, receipt.entry.get_absolute_url(), receipt.entry.organisation.name)
        for receipt in ordered
        if receipt.entry.is_open
    ]


def _things_referred_to(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _open_entries(_referrals(organisation).filter(referred_to=person))


def _things_referred_to_leavers(organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _open_entries(_referrals(organisation).filter(referred_to__in=former_people_of(organisation, day)))


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
    left=_things_referred_to_leavers,
    hand_over=_refer_to_colleague,
    goes_to_colleague=True,
)
