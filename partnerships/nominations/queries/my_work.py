"""Entries of My work for returns that the council must decide on, or the provider must correct."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from partnerships.agreements.models import PartyStatus
from partnerships.kit.waiting import WaitingTask
from partnerships.nominations.models import NominationsReturn, ReturnStatus
from partnerships.organisations.audience import Organisations, Reach
from partnerships.organisations.models import EDITING_ROLES
from partnerships.organisations.statements import lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User


def _routes_to_editors(side: str) -> tuple[Organisations, ...]:
    """Return routes to the editors and leads of the council or the provider, while that organisation is a party."""
    is_party = Q(**{f"agreement__{side}__status": PartyStatus.ACCEPTED})
    return (Organisations(f"agreement__{side}__organisation", when=is_party, roles=EDITING_ROLES),)


def _reach_of_returns_to_decide() -> Reach:
    return Reach(NominationsReturn.objects.filter(status=ReturnStatus.SENT), _routes_to_editors("council"))


def _reach_of_returns_to_correct() -> Reach:
    returns = NominationsReturn.objects.filter(status__in=[ReturnStatus.DISPUTED, ReturnStatus.REOPENED])
    return Reach(returns, _routes_to_editors("provider"))


def _returns_to_decide(user: User) -> QuerySet[NominationsReturn]:
    return _reach_of_returns_to_decide().of(user).select_related("agreement__partnership").order_by("sent_at", "pk")


def _returns_to_correct(user: User) -> QuerySet[NominationsReturn]:
    return _reach_of_returns_to_correct().of(user).select_related("agreement__partnership").order_by("sent_at", "pk")


def _task(action: str, nominations_return: NominationsReturn) -> WaitingTask:
    return WaitingTask(
        action=action,
        title=f"Nominations, {nominations_return.quarter}",
        path=nominations_return.get_absolute_url(),
        since=nominations_return.sent_at,
        partnership_title=nominations_return.agreement.partnership.title,
    )


def _tasks_to_decide(user: User, now: dt.datetime) -> list[WaitingTask]:
    return [_task("Confirm or dispute this return", row) for row in rows_for(_returns_to_decide, user)]


def _tasks_to_correct(user: User, now: dt.datetime) -> list[WaitingTask]:
    return [
        _task(f"Correct this {'disputed' if row.is_disputed else 'reopened'} return", row)
        for row in rows_for(_returns_to_correct, user)
    ]


TASK_SOURCES = (
    TaskSource(
        _tasks_to_decide,
        lambda _: (_reach_of_returns_to_decide(),),
        lookups=lambda user, _: (lookup(_returns_to_decide, user),),
    ),
    TaskSource(
        _tasks_to_correct,
        lambda _: (_reach_of_returns_to_correct(),),
        lookups=lambda user, _: (lookup(_returns_to_correct, user),),
    ),
)
