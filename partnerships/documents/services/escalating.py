"""Escalate late signatures to the next post of the signatory."""

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
    """Escalate each late signatory once, and return how many.

    `must_decide` says whether a signatory still has to decide. `tell` emails the next post; it runs in the transaction
    that marks the signatory as escalated. A new deadline can be escalated again. Safe to run twice.
    """
    late_signatories = lapsed_signatories(signatories, now=now).order_by("pk")
    return sum(_escalate(signatory, must_decide, tell, now) for signatory in late_signatories)


@transaction.atomic
def _escalate(signatory: S, must_decide: Callable[[S], bool], tell: Callable[[S], None], now: dt.datetime) -> bool:
    if not must_decide(signatory) or not claim_escalation(signatory, now=now):
        return False
    tell(signatory)
    return True
