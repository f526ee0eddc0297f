"""Asks and offers referred to a colleague, as things that people own."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from partnerships.exchange.models import Receipt
from partnerships.exchange.services import UnableToRefer, refer_entry
from partnerships.organisations.models import Organisation
from partnerships.organisations.owned import Handover, OwnedKind, Thing, UnableToHandOver, left_by
from partnerships.people.models import User


def _open(organisation: Organisation) -> QuerySet[Receipt]:
    return Receipt.objects.filter(organisation=organisation, declined_at=None).exclude(referred_to=None)


def _things(receipts: QuerySet[Receipt]) -> list[Thing]:
    ordered = receipts.select_related("entry__organisation").order_by("referred_at", "pk")
    return [
        Thing(receipt.pk, receipt.entry.title, receipt.entry.get_absolute_url(), receipt.entry.organisation.name)
        for receipt in ordered
        if receipt.entry.is_open
    ]


def _held(person: User, organisation: Organisation, day: dt.date) -> list[Thing]:
    return _things(_open(organisation).filter(referred_to=person))


def _left(organisation: Organisation, day: dt.date) -> list[Thing]:
    return _things(_open(organisation).filter(referred_to__in=left_by(organisation, day)))


def _refer(handover: Handover) -> None:
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
    held=_held,
    left=_left,
    hand_over=_refer,
    goes_to_colleague=True,
)
