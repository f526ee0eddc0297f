"""The list of partnerships."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Case, F, OuterRef, QuerySet, Value, When, prefetch_related_objects
from django.db.models.expressions import Combinable
from django.utils import timezone

from partnerships.agreements.former_parties import former_parties, restore_past_values
from partnerships.agreements.forms import PartnershipFilter
from partnerships.agreements.models import (
    FINAL_STATUSES,
    Partnership,
    PartnershipKind,
    PartnershipQuerySet,
    Party,
    Status,
    has_status_on,
)
from partnerships.agreements.queries import find_partnerships, ids_readable_in_full
from partnerships.agreements.queries.calendar import dates_of_partnerships
from partnerships.agreements.queries.dates import gaps_of, has_gap
from partnerships.kit import lists
from partnerships.kit.lists import Column, ListDefinition, hidden_at_first, joined
from partnerships.kit.templatetags.kit import when_due
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import EDITING_ROLES, Area, Membership
from partnerships.organisations.naming import names_of, official_name_at
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User


def _rows(user: User, chosen: Mapping[str, Any]) -> PartnershipQuerySet:
    """Return the partnerships that match the filters."""
    return find_partnerships(
        user=user,
        text=chosen.get("q", ""),
        kind=chosen.get("kind", ""),
        status=chosen.get("status", ""),
        readable_in_full_only=chosen.get("mine", False),
        with_gaps_only=chosen.get("gaps", False),
    )


def _mark_readable_rows(user: User, rows: Sequence[Partnership]) -> None:
    """Set `is_inside` and `is_former` on each row, and the names of its parties.

    `is_inside` means that the reader may read the partnership in full, and `is_former` that the reader's organisation
    has left. Such a row shows the partnership as it was on the day on which the organisation left.
    """
    partnership_ids = [row.pk for row in rows]
    readable_ids = ids_readable_in_full(user, partnership_ids)
    former_parties_by_id = former_parties(user, [pk for pk in partnership_ids if pk not in readable_ids])
    restore_past_values(rows, former_parties_by_id)
    for row in rows:
        row.is_inside = row.pk in readable_ids
        row.is_former = row.pk in former_parties_by_id
    _set_party_names(rows)


def _set_party_names(rows: Sequence[Partnership]) -> None:
    """Set `party_names` on each row to the names of the present parties, in order.

    If the partnership is over, these are the names that the parties had on its last day. The list is empty if the
    reader's organisation has left.
    """
    parties = rows_for(_present_parties, [row.pk for row in rows if not row.is_former])
    last_day_by_id = {row.pk: timezone.localdate(row.status_since) for row in rows if row.status in FINAL_STATUSES}
    name_histories = names_of(
        {organisation_id for partnership_id, organisation_id, _name in parties if partnership_id in last_day_by_id}
    )
    names_by_id: defaultdict[int, list[str]] = defaultdict(list)
    for partnership_id, organisation_id, present_name in parties:
        if partnership_id in last_day_by_id:
            name = name_histories[organisation_id].on(last_day_by_id[partnership_id])
        else:
            name = present_name
        names_by_id[partnership_id].append(name)
    for row in rows:
        row.party_names = names_by_id[row.pk]


def _present_parties(partnership_ids: list[int]) -> QuerySet[Party, tuple[int, int, str]]:
    """Return partnership id, organisation id and name of the present parties of these partnerships."""
    parties = Party.objects.accepted().filter(id_is_among("partnership", partnership_ids)).order_by("role", "pk")
    return parties.values_list("partnership", "organisation", "organisation__name")


def _set_gaps(user: User, rows: Sequence[Partnership]) -> None:
    """Add the days without cover to the rows that the reader may read in full."""
    gaps_by_id = gaps_of(user, [row.pk for row in rows if row.is_inside], timezone.localdate())
    for row in rows:
        row.gap = gaps_by_id.get(row.pk)


def _prefetch_areas(_user: User, rows: Sequence[Partnership]) -> None:
    """Fetch the areas of all rows with one query."""
    prefetch_related_objects(list(rows), "areas")


def _key_unless_left(present_value: Combinable) -> Combinable:
    """Return a sort key that is empty for partnerships that the reader's organisation has left."""
    return Case(When(is_left=False, then=present_value))


def _key_for_insiders(path: str) -> lists.Key:
    """Return a sort key for a field that only people of the parties may read. For others, it is empty."""
    return lambda user: Case(When(pk__in=Partnership.objects.readable_today_by(user).values("pk"), then=F(path)))


def _state_key(_user: User) -> Combinable:
    """Return a sort key for today's status, worked out from the dates."""
    today = timezone.localdate()
    states = [When(has_status_on(code, today), then=Value(code)) for code in Status.values]
    return _key_unless_left(Case(*states))


def _party_names_key(_user: User) -> Combinable:
    """Return a sort key for the names of the parties, as `_set_party_names` shows them."""
    parties = Party.objects.accepted().filter(partnership=OuterRef("pk")).order_by("role", "pk")
    parties_with_last_name = parties.annotate(name_then=official_name_at("partnership__status_since"))
    names = Case(
        When(status__in=FINAL_STATUSES, then=joined(parties_with_last_name, "name_then")),
        default=joined(parties, "organisation__name"),
    )
    return _key_unless_left(names)


def _area_names_key(_user: User) -> Combinable:
    """Return a sort key for the names of the areas."""
    areas = Area.objects.filter(partnerships=OuterRef("pk")).order_by("name", "pk")
    return _key_unless_left(joined(areas, "name"))


def _party_words(row: Any) -> str:
    """Return the names of the present parties, or say that the reader's organisation has left."""
    if row.is_former:
        return "Your organisation has left"
    return "; ".join(row.party_names)


def _value_for_insiders(name: str) -> Any:
    """Return a cell value that is empty unless the reader may read the partnership in full."""
    return lambda row: getattr(row, name) if row.is_inside else None


def _review_words(row: Any) -> str:
    """Return the review date in words, or "" if the reader may not see the date."""
    if not row.is_inside:
        return ""
    return when_due(row.review_on, is_open=not row.is_over)


_MAIN_COLUMNS = (
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
        key=lambda _user: _key_unless_left(F("kind")),
        choices=PartnershipKind.all_choices,
        covered="kind",
        is_grouped=True,
    ),
    Column(name="parties", label="Parties", value=_party_words, key=_party_names_key, covered="q"),
    Column(
        name="status",
        label="Status",
        kind=lists.Kind.CHOICE,
        value=lambda row: row.state_label,
        key=_state_key,
        tag=lambda row: row.state,
        choices=lambda: Status.choices,
        covered="status",
        is_grouped=True,
    ),
    Column(
        name="review",
        label="Review",
        kind=lists.Kind.DAY,
        value=_value_for_insiders("review_on"),
        key=_key_for_insiders("review_on"),
        words=_review_words,
    ),
)
#: Readers can choose to show these. Dates and budget are blank for readers outside of the partnership.
_HIDDEN_COLUMNS = hidden_at_first(
    Column(
        name="areas",
        label="Areas",
        value=lambda row: None if row.is_former else "; ".join(sorted(area.name for area in row.areas.all())),
        key=_area_names_key,
        ready=_prefetch_areas,
    ),
    Column(
        name="starts",
        label="Starts",
        kind=lists.Kind.DAY,
        value=_value_for_insiders("starts_on"),
        key=_key_for_insiders("starts_on"),
    ),
    Column(
        name="ends",
        label="Ends",
        kind=lists.Kind.DAY,
        value=_value_for_insiders("ends_on"),
        key=_key_for_insiders("ends_on"),
    ),
    Column(
        name="budget",
        label="Annual budget (£)",
        kind=lists.Kind.NUMBER,
        value=_value_for_insiders("annual_budget"),
        key=_key_for_insiders("annual_budget"),
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
        ready=_set_gaps,
        is_nullable=False,
    ),
)

PARTNERSHIPS = ListDefinition(
    slug="partnerships",
    title="Partnerships",
    one="partnership",
    address="agreements:list",
    columns=(*_MAIN_COLUMNS, *_HIDDEN_COLUMNS),
    rows=_rows,
    readable=lambda user: find_partnerships(user=user),
    form=lambda parameters, _user: PartnershipFilter(parameters),
    sort=lambda _chosen: "title",
    template="agreements/list.html",
    dates=dates_of_partnerships,
    empty=("No partnerships yet", "A lead of your organisation can start one and invite others."),
    ready=_mark_readable_rows,
    followed=lambda row: row,
    context=lambda user: {"may_create": bool(Membership.objects.organisations_of(user, *EDITING_ROLES))},
)
