"""The list of partnerships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Case, F, OuterRef, Value, When, prefetch_related_objects
from django.db.models.expressions import Combinable
from django.utils import timezone

from partnerships.agreements.forms import PartnershipFilter
from partnerships.agreements.models import (
    OVER,
    Partnership,
    PartnershipKind,
    PartnershipQuerySet,
    Party,
    Status,
    has_status_on,
)
from partnerships.agreements.past import former_parties, set_back
from partnerships.agreements.queries import find_partnerships, inside_among
from partnerships.agreements.queries.calendar import dates_of
from partnerships.agreements.queries.dates import gaps_of, has_gap
from partnerships.agreements.queries.parties import ended_names
from partnerships.kit import lists
from partnerships.kit.lists import Column, ListDefinition, hidden_at_first, joined
from partnerships.kit.templatetags.kit import when_due
from partnerships.organisations.models import EDITING_ROLES, Area, Membership
from partnerships.organisations.naming import named_then, show_as_at
from partnerships.people.models import User


def _rows(user: User, chosen: Mapping[str, Any]) -> PartnershipQuerySet:
    return find_partnerships(
        user=user,
        text=chosen.get("q", ""),
        kind=chosen.get("kind", ""),
        status=chosen.get("status", ""),
        mine=chosen.get("mine", False),
        gaps=chosen.get("gaps", False),
    ).for_listing()


def _ready(user: User, rows: Sequence[Partnership]) -> None:
    """Say which the reader reads in full, and show those that it left as they were then."""
    numbers = [row.pk for row in rows]
    inside = inside_among(user, numbers)
    former = former_parties(user, [pk for pk in numbers if pk not in inside])
    set_back(rows, former)
    for row in rows:
        row.is_inside, row.is_former = row.pk in inside, row.pk in former
    show_as_at(named for row in rows if not row.is_former for named in ended_names(row, row.parties.all()))


def _ready_gaps(user: User, rows: Sequence[Partnership]) -> None:
    """The days without cover of those that the reader reads in full."""
    gaps = gaps_of(user, [row.pk for row in rows if row.is_inside], timezone.localdate())
    for row in rows:
        row.gap = gaps.get(row.pk)


def _ready_areas(_user: User, rows: Sequence[Partnership]) -> None:
    prefetch_related_objects(list(rows), "areas")


def _today(user: User, readable: Combinable) -> Combinable:
    """What a partnership holds today, empty for those that only a former party reads."""
    return Case(When(is_left=False, then=readable))


def _inside(path: str) -> lists.Key:
    """The key of what only people of its parties read, empty for others."""
    return lambda user: Case(When(pk__in=Partnership.objects.inside_for(user).values("pk"), then=F(path)))


def _state(user: User) -> Combinable:
    """The status of today, worked out from the dates."""
    today = timezone.localdate()
    states = [When(has_status_on(code, today), then=Value(code)) for code in Status.values]
    return _today(user, Case(*states))


def _parties(user: User) -> Combinable:
    present = Party.objects.present().filter(partnership=OuterRef("pk")).order_by("role", "pk")
    then = present.annotate(then=named_then("partnership__status_since"))
    names = Case(When(status__in=OVER, then=joined(then, "then")), default=joined(present, "organisation__name"))
    return _today(user, names)


def _areas(user: User) -> Combinable:
    areas = Area.objects.filter(partnerships=OuterRef("pk")).order_by("name", "pk")
    return _today(user, joined(areas, "name"))


def _party_words(row: Any) -> str:
    if row.is_former:
        return "Your organisation has left"
    return "; ".join(party.organisation.name for party in row.parties.all() if party.is_present)


def _if_inside(name: str) -> Any:
    return lambda row: getattr(row, name) if row.is_inside else None


def _review_words(row: Any) -> str:
    return when_due(row.review_on, is_open=not row.is_over) if row.is_inside else ""


_SHOWN = (
    Column(
        name="title",
        label="Partnership",
        value=lambda row: row.title,
        key="listed_as",
        href=Partnership.get_absolute_url,
        covered="q",
        is_nullable=False,
    ),
    Column(
        name="kind",
        label="Kind",
        kind=lists.Kind.CHOICE,
        value=lambda row: row.kind.label,
        key=lambda user: _today(user, F("kind")),
        choices=PartnershipKind.all_choices,
        covered="kind",
        is_grouped=True,
    ),
    Column(name="parties", label="Parties", value=_party_words, key=_parties, covered="q"),
    Column(
        name="status",
        label="Status",
        kind=lists.Kind.CHOICE,
        value=lambda row: row.state_label,
        key=_state,
        tag=lambda row: row.state,
        choices=lambda: Status.choices,
        covered="status",
        is_grouped=True,
    ),
    Column(
        name="review",
        label="Review",
        kind=lists.Kind.DAY,
        value=_if_inside("review_on"),
        key=_inside("review_on"),
        words=_review_words,
    ),
)
#: Dates and budget are blank for readers outside.
_TERMS = hidden_at_first(
    Column(
        name="areas",
        label="Areas",
        value=lambda row: None if row.is_former else "; ".join(sorted(area.name for area in row.areas.all())),
        key=_areas,
        ready=_ready_areas,
    ),
    Column(
        name="starts",
        label="Starts",
        kind=lists.Kind.DAY,
        value=_if_inside("starts_on"),
        key=_inside("starts_on"),
    ),
    Column(name="ends", label="Ends", kind=lists.Kind.DAY, value=_if_inside("ends_on"), key=_inside("ends_on")),
    Column(
        name="budget",
        label="Annual budget (£)",
        kind=lists.Kind.NUMBER,
        value=_if_inside("annual_budget"),
        key=_inside("annual_budget"),
        is_summed=True,
    ),
    Column(
        name="gap",
        label="Days without cover",
        kind=lists.Kind.FLAG,
        value=lambda row: row.gap is not None,
        words=lambda row: row.gap.description if row.gap else "",
        key=lambda user: Case(When(has_gap(user, timezone.localdate()), then=Value(True)), default=Value(False)),
        covered="gaps",
        ready=_ready_gaps,
        is_nullable=False,
    ),
)

PARTNERSHIPS = ListDefinition(
    slug="partnerships",
    title="Partnerships",
    one="partnership",
    address="agreements:list",
    columns=(*_SHOWN, *_TERMS),
    rows=_rows,
    readable=lambda user: find_partnerships(user=user).for_listing(),
    form=lambda parameters, _user: PartnershipFilter(parameters),
    sort=lambda _chosen: "title",
    template="agreements/list.html",
    dates=dates_of,
    empty=("No partnerships yet", "A lead of your organisation can start one and invite others."),
    ready=_ready,
    followed=lambda row: row,
    context=lambda user: {"may_create": bool(Membership.objects.organisations_of(user, *EDITING_ROLES))},
)
