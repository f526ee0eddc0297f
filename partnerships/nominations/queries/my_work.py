"""What waits for a person in nominations, for My work.

Returns to decide about, and disputed ones to correct.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from partnerships.agreements.models import PartyStatus
from partnerships.kit.waiting import Waiting
from partnerships.nominations.models import NominationsReturn, ReturnStatus
from partnerships.organisations.audience import Organisations, Reach
from partnerships.organisations.models import EDITING_ROLES
from partnerships.organisations.statements import rows_for
from partnerships.organisations.waiting import Source
from partnerships.people.models import User


def _editors(side: str) -> tuple[Organisations, ...]:
    """Editors and leads of the council or the provider, while it takes part."""
    takes_part = Q(**{f"agreement__{side}__status": PartyStatus.ACCEPTED})
    return (Organisations(f"agreement__{side}__organisation", when=takes_part, roles=EDITING_ROLES),)


def _sent() -> Reach:
    return Reach(NominationsReturn.objects.filter(status=ReturnStatus.SENT), _editors("council"))


def _disputed() -> Reach:
    to_correct = NominationsReturn.objects.filter(status__in=[ReturnStatus.DISPUTED, ReturnStatus.REOPENED])
    return Reach(to_correct, _editors("provider"))


def _sent_to(user: User) -> QuerySet[NominationsReturn]:
    return _sent().of(user).select_related("agreement__partnership").order_by("sent_at", "pk")


def _disputed_of(user: User) -> QuerySet[NominationsReturn]:
    return _disputed().of(user).select_related("agreement__partnership").order_by("sent_at", "pk")


def _waiting(what: str, nominations_return: NominationsReturn) -> Waiting:
    return Waiting(
        what=what,
        title=f"Nominations, {nominations_return.quarter}",
        path=nominations_return.get_absolute_url(),
        since=nominations_return.sent_at,
        within=nominations_return.agreement.partnership.title,
    )


def _returns_to_decide(user: User, now: dt.datetime) -> list[Waiting]:
    return [_waiting("Confirm or dispute this return", row) for row in rows_for(_sent_to, user)]


def _returns_to_correct(user: User, now: dt.datetime) -> list[Waiting]:
    return [
        _waiting(f"Correct this {'disputed' if row.is_disputed else 'reopened'} return", row)
        for row in rows_for(_disputed_of, user)
    ]


WAITING = (
    Source(_returns_to_decide, lambda _: (_sent(),)),
    Source(_returns_to_correct, lambda _: (_disputed(),)),
)
