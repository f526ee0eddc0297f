"""The SQL of reading rights, compiled once a day with placeholders for the reader's ids.

Django takes longer to compose the condition on readable entries than PostgreSQL takes to find them. So the SQL is
cached with placeholders. Each request replaces these with the ids of the reader and of the reader's organisations.

tests/exchange/test_fast_queries.py checks that the SQL finds the same entries as `Entry.objects.visible_to`.
docs/decisions/0032-what-the-board-caches.md shows what the cache saves.
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
from partnerships.kit.database import rows_of
from partnerships.organisations.audience import Network, Organisations, People
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User

#: Placeholder for the id of the reader. No row has this id.
READER = -9_007_199_254_740_991
#: Placeholder for the ids of the reader's organisations. No row has this id.
OWN = -9_007_199_254_740_990

#: SQL with its values.
Fragment = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Reader:
    """A person, with the organisations on which the person's right to read entries depends."""

    person_id: int
    #: The ids and names of the person's organisations, the longest-held role first, as in the header of every page.
    acts_for: tuple[tuple[int, str], ...]
    #: The ids of the organisations for which the person is an editor or lead.
    editing: tuple[int, ...]
    #: Whether the person may read entries for the whole network, being active and not only a stakeholder.
    has_account: bool
    today: dt.date

    @property
    def organisations(self) -> tuple[int, ...]:
        """Return the ids of the organisations that the person acts for."""
        return tuple(pk for pk, _name in self.acts_for)

    @property
    def acting_for(self) -> Organisation | None:
        """Return the organisation in the header of the page, with only its id and name."""
        if not self.acts_for:
            return None
        pk, name = self.acts_for[0]
        return Organisation(pk=pk, name=name)


def reader_of(user: User) -> Reader:
    """Return the reader with the organisations that the person acts for today. An inactive person acts for none."""
    today = timezone.localdate()
    if not user.is_active:
        return Reader(person_id=user.pk, acts_for=(), editing=(), has_account=False, today=today)
    # `remembered_for` returns None outside a request, because only pages remember what they have read.
    memberships: list[tuple[Any, ...]] | None = Membership.objects.remembered_for(user)
    if memberships is None:
        memberships = rows_of(*_with_ids(_memberships_sql(today), user.pk, ()))
    return Reader(
        person_id=user.pk,
        acts_for=tuple((organisation_id, name) for organisation_id, _role, name, *_rest in memberships),
        editing=tuple(organisation_id for organisation_id, role, *_rest in memberships if role in EDITING_ROLES),
        has_account=not user.is_stakeholder,
        today=today,
    )


@lru_cache(maxsize=2)
def _memberships_sql(today: dt.date) -> Fragment:
    """Return the SQL for the person's memberships on a day, the longest-held role first."""
    memberships = Membership.objects.current(today).filter(person_id=READER).order_by("starts_on", "pk")
    return sql_of(memberships.values_list("organisation", "role", "organisation__name"))


def readable_when(*, has_account: bool) -> Q:
    """Return the condition on entries that a reader may read, with placeholders for the reader."""
    condition = Q(pk__in=[])  # matches no entry; each route adds a condition
    for route in ROUTES:
        if isinstance(route, Network):
            if has_account:
                condition |= route.when
        else:
            condition |= Q(pk__in=Entry.objects.filter(is_reached_by(route)).order_by().values("pk"))
    return condition


def is_reached_by(route: Organisations | People) -> Q:
    """Return the condition that this route makes an entry visible to the reader, with placeholders."""
    if isinstance(route, People):
        return route.when & Q((route.path, READER))
    if route.roles:
        raise NotImplementedError("Routes of entries cannot depend on roles, because `Reader` does not have them.")
    return route.when & Q((f"{route.path}__in", [OWN]))


def readable_to(reader: Reader) -> Fragment:
    """Return the SQL condition on `exchange_entry` that this person may read an entry."""
    return for_reader(_readable_sql(reader.has_account, reader.today), reader)


@lru_cache(maxsize=4)
def _readable_sql(has_account: bool, today: dt.date) -> Fragment:
    """Return the SQL condition on readable entries, with placeholders.

    `today` is only a part of the cache's key, so that Django compiles the SQL again each day.
    """
    query = Entry.objects.filter(readable_when(has_account=has_account)).query
    sql, values = query.get_compiler(connection=connection).compile(query.where)
    return f"({sql})", tuple(values)


def dismissed_match_ids(reader: Reader) -> Fragment:
    """Return the SQL for the ids of the matches that an organisation of the person dismissed."""
    return for_reader(_dismissed_matches_sql(), reader)


@lru_cache(maxsize=1)
def _dismissed_matches_sql() -> Fragment:
    """Return the SQL for the ids of dismissed matches, with placeholders."""
    return sql_of(Dismissal.objects.filter(organisation__in=[OWN]).order_by().values("match"))


def for_reader(fragment: Fragment, reader: Reader) -> Fragment:
    """Return the SQL with the reader's ids in place of the placeholders."""
    return _with_ids(fragment, reader.person_id, reader.organisations)


def _with_ids(fragment: Fragment, person_id: int, organisation_ids: tuple[int, ...]) -> Fragment:
    """Return the SQL with these ids in place of the placeholders.

    `READER` becomes the id of the person. `OWN` becomes the ids of the organisations, each with a `%s`. For example,
    with two organisations, `IN (%s)` becomes `IN (%s, %s)`. Without organisations, `OWN` remains, which is the id of no
    row.
    """
    sql, values = fragment
    own_ids = organisation_ids or (OWN,)
    first_text, *texts_after_values = sql.split("%s")
    new_sql = [first_text]
    new_values: list[Any] = []
    for value, text in zip(values, texts_after_values, strict=True):
        if value == OWN:
            new_sql += [", ".join(["%s"] * len(own_ids)), text]
            new_values += own_ids
        else:
            new_sql += ["%s", text]
            new_values.append(person_id if value == READER else value)
    return "".join(new_sql), tuple(new_values)


def sql_of(queryset: QuerySet[Any, Any]) -> Fragment:
    """Return the SQL of a queryset, with its values."""
    sql, values = queryset.query.sql_with_params()
    return sql, tuple(values)


def union_all(*parts: Fragment) -> Fragment:
    """Return one statement with the rows of all these statements. The order within each statement is kept."""
    statements: list[str] = []
    all_values: list[Any] = []
    for sql, values in parts:
        statements.append(f"({sql})")
        all_values += values
    return " UNION ALL ".join(statements), tuple(all_values)
