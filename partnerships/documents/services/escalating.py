"""Escalate late signatures on plans and terms."""

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
    signatories: QuerySet[S],
    *,
    must_decide: Callable[[S], bool],
    email_next_post: Callable[[S], None],
    now: dt.datetime,
) -> int:
    """Escalate each late signatory once, and return how many were escalated.

    `must_decide` returns whether a signatory still has to decide. `email_next_post` runs in the transaction that
    marks the signatory as escalated, so a second run sends no second email. After a new deadline, the signatory can be
    escalated again.
    """
    late_signatories = lapsed_signatories(signatories, now=now).order_by("pk")
    return sum(_escalate(signatory, must_decide, email_next_post, now) for signatory in late_signatories)


@transaction.atomic
def _escalate(
    signatory: S, must_decide: Callable[[S], bool], email_next_post: Callable[[S], None], now: dt.datetime
) -> bool:
    """Escalate one signatory, unless the signatory has decided or another run has escalated them."""
    if not must_decide(signatory) or not claim_escalation(signatory, now=now):
        return False
    email_next_post(signatory)
    return True
