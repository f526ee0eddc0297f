"""The routes of one reader: routes with the reader's ids, and the SQL that selects records with them.

For example, Amina's ids on the route from a plan to its owners are the ids of the organisations for which she acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Model, OuterRef, Q, QuerySet

from partnerships.organisations.holdings import (
    CheckedForEachRow,
    Ids,
    held_record_ids,
    id_is_among,
    is_for_a_few_records,
)
from partnerships.organisations.models import Membership
from partnerships.organisations.routes import (
    EVERYTHING,
    NOTHING,
    JoiningRows,
    Network,
    People,
    SplitRoute,
    among_records,
)
from partnerships.people.models import User


class ReaderRoute(NamedTuple):
    """A split route with the ids of one reader."""

    split: SplitRoute
    #: The reader's own id or the ids of their organisations. None on a route to everyone who can sign in.
    own_ids: Ids | None = None
    #: The ids of records that joining rows of these organisations refer to, if the page has already read these rows.
    held_ids: Ids | None = None

    @property
    def id_lists(self) -> list[Ids]:
        """The one or two lists of ids; none on a route to everyone who can sign in."""
        return [ids for ids in (self.own_ids, self.held_ids) if ids is not None]

    @property
    def selects_nothing(self) -> bool:
        """True if it is known without a query that the route selects no record, because a list of ids is empty."""
        return any(isinstance(ids, list) and not ids for ids in self.id_lists)

    @property
    def reads_joining_rows(self) -> bool:
        """True if the route must read rows of another table, whose ids are not known."""
        return self.split.joining is not None and self.held_ids is None


def reader_route(split: SplitRoute, user: User) -> ReaderRoute:
    """Return the route with the ids of this reader."""
    route = split.route
    if isinstance(route, Network):
        return ReaderRoute(split)
    if isinstance(route, People):
        return ReaderRoute(split, own_ids=[user.pk])
    own_organisations = Membership.objects.organisations_of(user, *route.roles)
    if split.joining is None:
        return ReaderRoute(split, own_organisations)
    held_ids = held_record_ids(
        split.joining.model,
        split.joining.key,
        split.rows_condition,
        person_id=user.pk,
        everywhere=partial(Membership.objects.organisations_of, user),
        organisations=own_organisations,
    )
    return ReaderRoute(split, own_organisations, held_ids)


def reached_by_any(model: type[Model], routes: Sequence[ReaderRoute]) -> Q:
    """Return the condition that at least one of these routes selects a record."""
    has_network_route = any(isinstance(route.split.route, Network) for route in routes)
    use_union = len(routes) > 1 and not has_network_route and not is_for_a_few_records()
    if use_union:
        # Each query of a union can use an index. PostgreSQL uses none for the same conditions joined by OR.
        first_query, *other_queries = [_ids_reached_by(model, route) for route in routes]
        return Q(pk__in=first_query.union(*other_queries, all=True))
    # PostgreSQL checks conditions in this order, so columns of the record come before rows of other tables.
    cheapest_first = sorted(routes, key=lambda route: route.reads_joining_rows)
    return reduce(or_, [_reached_by(model, route) for route in cheapest_first], NOTHING)


def _reached_by(model: type[Model], route: ReaderRoute) -> Q:
    """Return the condition that one route selects a record.

    The joining rows (for example parties) are in a subquery, so that PostgreSQL can use an index on the record.
    """
    split, own_ids, held_ids = route
    joining = split.joining
    if isinstance(split.route, Network) or own_ids is None:
        return among_records(model, split.route.when or EVERYTHING)
    unsplit_condition = split.route.when & id_is_among(split.route.path, own_ids)
    if joining is None:
        return among_records(model, unsplit_condition)
    if split.is_mixed:
        if held_ids is not None:
            unsplit_condition &= id_is_among(joining.column, held_ids)
        if is_for_a_few_records():
            return Q(CheckedForEachRow(model._default_manager.filter(unsplit_condition, pk=OuterRef("pk"))))
        return among_records(model, unsplit_condition)
    if held_ids is not None:
        return among_records(model, split.record_condition & id_is_among(joining.column, held_ids))
    rows = _joining_rows(split, joining, own_ids)
    if is_for_a_few_records():
        return split.record_condition & Q(CheckedForEachRow(rows.filter(**{joining.key: OuterRef(joining.column)})))
    return among_records(model, split.record_condition & id_is_among(joining.column, rows.values(joining.key)))


def _ids_reached_by(model: type[Model], route: ReaderRoute) -> QuerySet[Any, Any]:
    """Return a query of the ids of the records that one route selects."""
    record_ids = _ids_in_deciding_rows(route)
    if record_ids is None:
        record_ids = model._default_manager.order_by().filter(_reached_by(model, route)).values("pk")
    return record_ids


def _ids_in_deciding_rows(route: ReaderRoute) -> QuerySet[Any, Any] | None:
    """Return a query of record ids that reads only the joining rows, or None if these rows alone do not decide.

    For example, the owners of plans decide who may see a plan, so their foreign keys are the ids of the plans.
    """
    split, own_ids, _held_ids = route
    joining = split.joining
    if joining is None or own_ids is None or not route.reads_joining_rows:
        return None
    rows_refer_to_records = joining.column == "pk"
    depends_on_record = split.is_mixed or bool(split.record_condition)
    if depends_on_record or not rows_refer_to_records:
        return None
    return _joining_rows(split, joining, own_ids).order_by().values(joining.key)


def _joining_rows(split: SplitRoute, joining: JoiningRows, own_ids: Ids) -> QuerySet[Any]:
    """Return the joining rows of a route that belong to these organisations."""
    return joining.model._base_manager.filter(split.rows_condition & id_is_among("organisation", own_ids))
