"""SQL that Django makes once a day for nobody in particular, to be run for whoever asks.

Composing and planning what a person may read costs more than finding it. The routes say it once (`models/entries.py`);
here their SQL is kept with stand-ins in place of the reader's organisations, and these are looked up first. That the
quick way and `visible_to` cannot disagree is proved in tests/exchange/test_fast_queries.py.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.exchange.models import ROUTES, Dismissal, Entry
from partnerships.kit.database import rows_planned_once
from partnerships.organisations.audience import Network, Organisations, People
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User

#: Stand in for the reader and for the reader's organisations. No row has such a number.
READER = -9_007_199_254_740_991
OWN = -9_007_199_254_740_990

#: SQL with the places for its values.
Fragment = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who asks: all that their rights to read entries come from."""

    person_id: int
    #: Numbers and names, the one they have acted for longest first, as in every page's header.
    acts_for: tuple[tuple[int, str], ...]
    editing: tuple[int, ...]
    #: Whether the network's own pages are theirs: they are active and more than a stakeholder.
    has_account: bool
    today: dt.date

    @property
    def organisations(self) -> tuple[int, ...]:
        """The numbers of the organisations they act for."""
        return tuple(number for number, _ in self.acts_for)

    @property
    def acting_for(self) -> Organisation | None:
        """The organisation that the header names; what else is said of it is not read."""
        return Organisation(pk=self.acts_for[0][0], name=self.acts_for[0][1]) if self.acts_for else None


def reader_of(user: User) -> Reader:
    """The reader with the organisations that they act and edit for today; of none when they are not active."""
    today = timezone.localdate()
    if not user.is_active:
        return Reader(user.pk, (), (), has_account=False, today=today)
    rows = rows_planned_once(*_bound(_memberships(today), user.pk, ()))
    return Reader(
        person_id=user.pk,
        acts_for=tuple((organisation, name) for organisation, name, _ in rows),
        editing=tuple(organisation for organisation, _, role in rows if role in EDITING_ROLES),
        has_account=not user.is_stakeholder,
        today=today,
    )


@lru_cache(maxsize=2)
def _memberships(today: dt.date) -> Fragment:
    current = Membership.objects.current(today).filter(person_id=READER)
    return statement(current.order_by("starts_on", "pk").values_list("organisation", "organisation__name", "role"))


def readable_when(*, has_account: bool) -> Q:
    """The condition of `visible_to` for a reader whose organisations are yet to be put in."""
    condition = Q(pk__in=[])
    for route in ROUTES:
        if isinstance(route, Network):
            condition |= route.when if has_account else Q(pk__in=[])
        else:
            condition |= Q(pk__in=Entry.objects.filter(reached_by(route)).order_by().values("pk"))
    return condition


def reached_by(route: Organisations | People) -> Q:
    """The condition that an entry reaches the reader, or one of the organisations yet to be put in, by this route."""
    if isinstance(route, People):
        return route.when & Q(**{route.path: READER})
    if route.roles:
        raise NotImplementedError("Entries reach organisations whole; a route by roles needs the reader's roles here.")
    return route.when & Q(**{f"{route.path}__in": [OWN]})


def readable_to(reader: Reader) -> Fragment:
    """The condition on `exchange_entry` under which this person may read an entry."""
    return for_reader(_readable(reader.has_account, reader.today), reader)


@lru_cache(maxsize=4)
def _readable(has_account: bool, today: dt.date) -> Fragment:
    query = Entry.objects.filter(readable_when(has_account=has_account)).query
    sql, values = query.get_compiler(connection=connection).compile(query.where)
    return f"({sql})", tuple(values)


def put_aside_by(reader: Reader) -> Fragment:
    """The ids of matches that an organisation of the person said are none."""
    return for_reader(_put_aside(), reader)


@lru_cache(maxsize=1)
def _put_aside() -> Fragment:
    return statement(Dismissal.objects.filter(organisation__in=[OWN]).order_by().values("match"))


def for_reader(fragment: Fragment, reader: Reader) -> Fragment:
    """The fragment with the reader in the stand-ins' places."""
    return _bound(fragment, reader.person_id, reader.organisations)


def _bound(fragment: Fragment, person_id: int, organisations: tuple[int, ...]) -> Fragment:
    sql, values = fragment
    own = organisations or (OWN,)
    first, *rest = sql.split("%s")
    parts: list[str] = [first]
    bound: list[Any] = []
    for value, part in zip(values, rest, strict=True):
        if value == OWN:
            parts += [", ".join(["%s"] * len(own)), part]
            bound += own
        else:
            parts += ["%s", part]
            bound.append(person_id if value == READER else value)
    return "".join(parts), tuple(bound)


def statement(queryset: QuerySet[Any, Any]) -> Fragment:
    """The SQL of a queryset and its values."""
    sql, values = queryset.query.sql_with_params()
    return sql, tuple(values)


def joined(*parts: Fragment) -> Fragment:
    """The rows of all these statements, one after another; each keeps its own order."""
    sql = " UNION ALL ".join(f"({sql})" for sql, _ in parts)
    return sql, tuple(value for _, values in parts for value in values)
