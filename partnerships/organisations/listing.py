"""Define the columns, filters and rows of the list of organisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Case, OuterRef, Value, When, prefetch_related_objects
from django.db.models.expressions import Combinable
from django.db.models.functions import Collate
from django.http import QueryDict

from partnerships.kit import lists
from partnerships.kit.lists import Column, ListDefinition, hidden_at_first, joined
from partnerships.organisations.forms import DirectoryFilter
from partnerships.organisations.models import (
    Area,
    CouncilType,
    Identifier,
    Kind,
    Organisation,
    OrganisationQuerySet,
    Scheme,
    Status,
)
from partnerships.organisations.queries import find_organisations
from partnerships.people.models import User


def _readable(user: User) -> OrganisationQuerySet:
    """Return every organisation that the person can read, with what the columns need."""
    return _with_numbers(find_organisations(user=user))


def _with_numbers(organisations: OrganisationQuerySet) -> OrganisationQuerySet:
    """Add the region, and `shown_numbers`: the organisation's numbers in public registers as one text."""
    return organisations.select_related("region").annotate(shown_numbers=_numbers(Collate("value", "C")))


#: If one of these filters is used, the list also shows organisations that have ended.
_FILTERS_WITH_ENDED = ("q", "ended", "status", "ends_from", "ends_to")


def _rows(user: User, chosen: Mapping[str, Any]) -> OrganisationQuerySet:
    """Return the organisations that match the filters. Those that have ended appear only if a filter asks for them."""
    organisations = find_organisations(
        user=user, text=chosen.get("q", ""), region=chosen.get("region"), area=chosen.get("area")
    )
    if not any(chosen.get(name) for name in _FILTERS_WITH_ENDED):
        organisations = organisations.current()
    if chosen.get("mine"):
        organisations = organisations.filter(pk__in=Organisation.objects.of_person(user).values("pk"))
    return _with_numbers(organisations)


def _form(parameters: QueryDict, _user: User) -> DirectoryFilter:
    return DirectoryFilter(parameters)


def _add_areas(_user: User, rows: Sequence[Organisation]) -> None:
    prefetch_related_objects(list(rows), "areas")


def _add_parents(_user: User, rows: Sequence[Organisation]) -> None:
    prefetch_related_objects(list(rows), "parent")


def _numbers(order: str | Collate) -> Combinable:
    """Return the SQL expression for the organisation's numbers in public registers, in this order."""
    identifiers = Identifier.objects.exclude(scheme=Scheme.NETWORK).filter(organisation=OuterRef("pk"))
    return joined(identifiers.order_by(order), "value")


def _areas(_user: User) -> Combinable:
    """Return the SQL expression for the names of the areas that the organisation serves, in one text."""
    return joined(Area.objects.filter(organisations=OuterRef("pk")).order_by("name", "pk"), "name")


def _is_missing_from_list(_user: User) -> Combinable:
    """Return the SQL expression for whether the latest imported list lacks the organisation."""
    return Case(When(missing_since__isnull=False, then=Value(True)), default=Value(False))


def _area_words(row: Organisation) -> str:
    return "; ".join(sorted(area.name for area in row.areas.all()))


_SHOWN = (
    Column(
        name="name",
        label="Organisation",
        value=lambda row: row.name,
        href=Organisation.get_absolute_url,
        covered="q",
        is_nullable=False,
    ),
    Column(
        name="kind",
        label="Kind",
        kind=lists.Kind.CHOICE,
        value=lambda row: Kind(row.kind).label,
        choices=lambda: Kind.choices,
        is_nullable=False,
        is_grouped=True,
    ),
    Column(
        name="region",
        label="Region",
        value=lambda row: row.region.name if row.region else None,
        key="region__name",
        is_grouped=True,
    ),
    Column(
        name="numbers",
        label="Numbers",
        value=lambda row: row.shown_numbers,
        key=lambda _user: _numbers("value"),
        covered="q",
    ),
    Column(
        name="status",
        label="Status",
        kind=lists.Kind.CHOICE,
        value=lambda row: Status(row.status).label,
        tag=lambda row: row.status,
        choices=lambda: Status.choices,
        is_nullable=False,
        is_grouped=True,
    ),
)
#: Columns that pages show as tags, for example “Demonstration”.
_MARKS = (
    Column(
        name="check",
        label="Not in the latest list",
        kind=lists.Kind.FLAG,
        value=lambda row: row.needs_checking,
        words=lambda row: "Not in the latest list, so please check" if row.needs_checking else "",
        tag=lambda _row: "check",
        key=_is_missing_from_list,
        is_nullable=False,
    ),
    Column(
        name="demonstration",
        label="Demonstration",
        kind=lists.Kind.FLAG,
        value=lambda row: row.is_demonstration,
        words=lambda row: "Demonstration" if row.is_demonstration else "",
        tag=lambda _row: "demonstration",
        key="is_demonstration",
        is_nullable=False,
    ),
)
_NAMES_AND_PLACE = hidden_at_first(
    Column(
        name="short_name",
        label="Short name",
        value=lambda row: row.short_name or None,
    ),
    Column(
        name="council_type",
        label="Type of council",
        kind=lists.Kind.CHOICE,
        value=lambda row: row.get_council_type_display() or None,
        choices=lambda: CouncilType.choices,
        is_grouped=True,
    ),
    Column(
        name="areas",
        label="Areas served",
        value=_area_words,
        key=_areas,
        covered="area",
        ready=_add_areas,
    ),
    Column(
        name="parent",
        label="Part of",
        value=lambda row: row.parent.name if row.parent else None,
        key="parent__name",
        is_grouped=True,
        ready=_add_parents,
    ),
)
#: Columns with data from the registers of providers.
_REGISTRATION = hidden_at_first(
    Column(
        name="designation",
        label="Designation",
        value=lambda row: row.designation or None,
        is_grouped=True,
    ),
    Column(
        name="legal_form",
        label="Legal form",
        value=lambda row: row.legal_form or None,
        is_grouped=True,
    ),
    Column(name="website", label="Website", value=lambda row: row.website or None),
)
_DATES = hidden_at_first(
    Column(name="begins", label="Began", kind=lists.Kind.DAY, value=lambda row: row.valid_from, key="valid_from"),
    Column(name="ends", label="Ended", kind=lists.Kind.DAY, value=lambda row: row.valid_to, key="valid_to"),
)

LIST = ListDefinition(
    slug="organisations",
    title="Organisations",
    one="organisation",
    address="organisations:list",
    columns=(*_SHOWN, *_MARKS, *_NAMES_AND_PLACE, *_REGISTRATION, *_DATES),
    rows=_rows,
    readable=_readable,
    form=_form,
    sort=lambda _chosen: "name",
    template="organisations/list.html",
    followed=lambda row: row,
    empty=("No organisations yet", "An administrator imports organisations from the published lists."),
    unmatched="Try a shorter name, an earlier name, or remove a filter.",
    below="organisations/_not_here.html",
)
