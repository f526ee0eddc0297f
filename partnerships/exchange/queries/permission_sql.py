"""The SQL of reading rights, compiled once a day with placeholders for the reader's ids.

Django takes longer to compose the condition on readable entries than PostgreSQL takes to find the entries. So the SQL
of the routes (`models/entries.py`) is cached with placeholders, which each request replaces by the ids of the reader
and of the reader's organisations. tests/exchange/test_fast_queries.py shows that the SQL always agrees with
`visible_to`; docs/decisions/0032-what-the-board-caches.md shows what the cache saves.
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
    """Return the reader with the organisations that the person acts for today; an inactive person acts for none."""
    today = timezone.localdate()
    if not user.is_active:
        return Reader(person_id=user.pk, acts_for=(), editing=(), has_account=False, today=today)
    # None outside a page, because only pages remember their results.
    rows: list[tuple[Any, ...]] | None = Membership.objects.remembered_for(user)
    if rows is None:
        rows = rows_of(*_filled(_memberships(today), user.pk, ()))
    return Reader(
        person_id=user.pk,
        acts_for=tuple((organisation_id, name) for organisation_id, _role, name, *_rest in rows),
        editing=tuple(organisation_id for organisation_id, role, *_rest in rows if role in EDITING_ROLES),
        has_account=not user.is_stakeholder,
        today=today,
    )


@lru_cache(maxsize=2)
def _memberships(today: dt.date) -> Fragment:
    """Return the SQL for the person's memberships on a day, the longest-held role first."""
    memberships = Membership.objects.current(today).filter(person_id=READER).order_by("starts_on", "pk")
    return sql_of(memberships.values_list("organisation", "role", "organisation__name"))


def readable_when(*, has_account: bool) -> Q:
    """Return the condition of `visible_to`, with placeholders for the reader."""
    # This condition matches no entry. Each route adds its own.
    condition = Q(pk__in=[])
    for route in ROUTES:
        if isinstance(route, Network):
            if has_account:
                condition |= route.when
        else:
            condition |= Q(pk__in=Entry.objects.filter(is_reached_by(route)).order_by().values("pk"))
    return condition


def is_reached_by(route: Organisations | People) -> Q:
    """Return the condition that this route makes an entry readable, with placeholders for the reader."""
    if isinstance(route, People):
        return route.when & Q((route.path, READER))
    if route.roles:
        raise NotImplementedError("No route of entries depends on roles; one that does needs the reader's roles here.")
    return route.when & Q((f"{route.path}__in", [OWN]))


def readable_to(reader: Reader) -> Fragment:
    """Return the SQL condition on `exchange_entry` that this person may read an entry."""
    return for_reader(_readable(reader.has_account, reader.today), reader)


@lru_cache(maxsize=4)
def _readable(has_account: bool, today: dt.date) -> Fragment:
    """Return the SQL of `readable_when`. Django compiles the SQL once a day."""
    query = Entry.objects.filter(readable_when(has_account=has_account)).query
    sql, values = query.get_compiler(connection=connection).compile(query.where)
    return f"({sql})", tuple(values)


def dismissed_match_ids(reader: Reader) -> Fragment:
    """Return the SQL for the ids of the matches that an organisation of the person dismissed."""
    return for_reader(_dismissed(), reader)


@lru_cache(maxsize=1)
def _dismissed() -> Fragment:
    """Return the SQL of `dismissed_match_ids`, with placeholders."""
    return sql_of(Dismissal.objects.filter(organisation__in=[OWN]).order_by().values("match"))


def for_reader(fragment: Fragment, reader: Reader) -> Fragment:
    """Return the SQL with the reader's ids in place of the placeholders."""
    return _filled(fragment, reader.person_id, reader.organisations)


def _filled(fragment: Fragment, person_id: int, organisations: tuple[int, ...]) -> Fragment:
    """Return the SQL with these ids in place of the placeholders.

    The placeholder `OWN` becomes a list of ids, with a %s for each. Without organisations the placeholder stays; no row
    has it as an id.
    """
    sql, values = fragment
    own_ids = organisations or (OWN,)
    first_part, *parts_after_values = sql.split("%s")
    filled_sql = [first_part]
    filled_values: list[Any] = []
    for value, part in zip(values, parts_after_values, strict=True):
        if value == OWN:
            filled_sql += [", ".join(["%s"] * len(own_ids)), part]
            filled_values += own_ids
        else:
            filled_sql += ["%s", part]
            filled_values.append(person_id if value == READER else value)
    return "".join(filled_sql), tuple(filled_values)


def sql_of(queryset: QuerySet[Any, Any]) -> Fragment:
    """Return the SQL of a queryset, with its values."""
    sql, values = queryset.query.sql_with_params()
    return sql, tuple(values)


def union_all(*parts: Fragment) -> Fragment:
    """Return one statement with the rows of all these statements, each part in its own order."""
    statements: list[str] = []
    all_values: list[Any] = []
    for sql, values in parts:
        statements.append(f"({sql})")
        all_values += values
    return " UNION ALL ".join(statements), tuple(all_values)
