"""Withdraw invitations to partnerships that were over before their end withdrew them."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.agreements.departures import PartnershipEnding
from partnerships.agreements.models import OVER, Party, PartyStatus
from partnerships.agreements.services.parties import withdraw_with_partnership
from partnerships.agreements.services.recording import lock_partnership


def withdraw_left_over_invitations(*, now: dt.datetime) -> int:
    """Withdraw unanswered invitations to partnerships that are over; returns how many.

    Ending a partnership withdraws them by itself; this finds those from before it did. May run twice.
    """
    waiting = Party.objects.filter(status=PartyStatus.INVITED, partnership__status__in=OVER)
    partnerships = waiting.order_by("partnership").values_list("partnership", flat=True).distinct()
    return sum(_withdraw(pk, now) for pk in partnerships)


@transaction.atomic
def _withdraw(pk: int, now: dt.datetime) -> int:
    partnership = lock_partnership(pk)
    count = partnership.parties.filter(status=PartyStatus.INVITED).count()
    withdraw_with_partnership(
        PartnershipEnding(partnership=partnership, reason="The partnership is over.", author=None, now=now)
    )
    return count
