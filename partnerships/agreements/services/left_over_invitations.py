"""Withdraw old invitations to partnerships that are over."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.agreements.departures import PartnershipEnding
from partnerships.agreements.models import FINAL_STATUSES, Party, PartyStatus
from partnerships.agreements.services.invitations import withdraw_with_partnership
from partnerships.agreements.services.recording import lock_partnership


def withdraw_left_over_invitations(*, now: dt.datetime) -> int:
    """Withdraw open invitations to partnerships that are over, and return how many.

    Since these invitations were sent, the site has changed. Now, an invitation is withdrawn when its partnership ends.
    Safe to run twice.
    """
    invited_parties = Party.objects.filter(status=PartyStatus.INVITED, partnership__status__in=FINAL_STATUSES)
    partnership_ids = invited_parties.order_by("partnership").values_list("partnership", flat=True).distinct()
    return sum(_withdraw_invitations_to(pk, now) for pk in partnership_ids)


@transaction.atomic
def _withdraw_invitations_to(partnership_id: int, now: dt.datetime) -> int:
    """Withdraw the open invitations to one partnership, and return how many."""
    partnership = lock_partnership(partnership_id)
    count = partnership.parties.filter(status=PartyStatus.INVITED).count()
    withdraw_with_partnership(
        PartnershipEnding(partnership=partnership, reason="The partnership has ended.", author=None, now=now)
    )
    return count
