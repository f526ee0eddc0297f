"""The sweep that emails the next post about a late signature."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet

from partnerships.documents.models import Signatory
from partnerships.documents.services.signing import claim_escalation, lapsed_signatories

S = TypeVar("S", bound=Signatory)


def escalate_late(
    signatories: QuerySet[S], *, must_decide: Callable[[S], bool], tell: Callable[[S], None], now: dt.datetime
) -> int:
    """Tell the next post of each late signatory, once; returns how many.

    A room gives its signatories, whether one still has to decide, and who hears of it: `tell` records emails and
    events in the transaction that claims the signatory. A new deadline can be missed again. Safe to run twice.
    """
    late = lapsed_signatories(signatories, now=now).order_by("pk")
    return sum(_escalate(signatory, must_decide, tell, now) for signatory in late)


@transaction.atomic
def _escalate(signatory: S, must_decide: Callable[[S], bool], tell: Callable[[S], None], now: dt.datetime) -> bool:
    if not must_decide(signatory) or not claim_escalation(signatory, now=now):
        return False
    tell(signatory)
    return True
