"""The list of asks and offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Case, F, OuterRef, Q, TextField, Value, When
from django.db.models.expressions import Combinable
from django.utils.safestring import SafeString

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.commitments.models import Unit
from partnerships.exchange.bulk import ACTIONS
from partnerships.exchange.forms.filters import FilterForm, filters_of
from partnerships.exchange.html import cards_html
from partnerships.exchange.models import (
    FINAL_STATUSES,
    UNANSWERED_STATUSES,
    Addressee,
    Audience,
    Direction,
    Entry,
    EntryQuerySet,
    Status,
    Theme,
)
from partnerships.exchange.queries import board as boards
from partnerships.exchange.queries.calendar import closing_dates_of
from partnerships.exchange.queries.listings import name_as_at
from partnerships.exchange.queries.matches import with_match_counts
from partnerships.exchange.queries.permission_sql import reader_of
from partnerships.kit import lists
from partnerships.kit.exports import day_of
from partnerships.kit.lists import Column, ListDefinition, hidden_at_first, joined
from partnerships.kit.templatetags.kit import age, long_date, when_due
from partnerships.organisations.columns import organisation_column
from partnerships.organisations.models import Area, Organisation
from partnerships.organisations.naming import displayed_name_at
from partnerships.people.models import User


class ListForm(FilterForm):
    """The filters of the board, and a filter by the person's own organisations."""

    mine = forms.BooleanField(label="Only from my organisations", required=False)


def _rows(user: User, chosen: Mapping[str, Any]) -> EntryQuerySet:
    """Return the entries that the person may read and that pass the filters, with the organisations asked."""
    entries = boards.board_entries(user, filters_of(chosen)).for_listing()
    if chosen.get("mine"):
        entries = entries.filter(organisation__in=Organisation.objects.of_person(user).values("pk"))
    return entries.annotate(asked=_asked(user))


def _asked(user: User) -> Combinable:
    """Return the expression for the names of the asked organisations, as far as the reader may know them.

    Readers inside the partnership see its parties. The entry's organisation sees all named addressees; an addressee
    sees only itself.
    """
    own_organisations = Organisation.objects.of_person(user).values("pk")
    readable_partnerships = Partnership.objects.readable_today_by(user).values("pk")

    parties = Party.objects.accepted().exclude(role=PartyRole.OBSERVER).filter(partnership=OuterRef("partnership"))
    other_parties = parties.exclude(organisation=OuterRef("organisation")).order_by("organisation__name", "pk")

    name_shown = displayed_name_at("entry__shared_at", is_over=Q(entry__status__in=FINAL_STATUSES))
    addressees = Addressee.objects.filter(entry=OuterRef("pk")).annotate(shown=name_shown)
    addressees = addressees.order_by("organisation__name", "pk")
    other_addressees = addressees.exclude(organisation=OuterRef("organisation"))
    own_addressees = addressees.filter(organisation__in=own_organisations)
    return Case(
        When(audience=Audience.NETWORK, then=Value("Everyone in the network")),
        When(
            audience=Audience.PARTNERSHIP,
            partnership__in=readable_partnerships,
            then=joined(other_parties, "organisation__name"),
        ),
        When(
            audience=Audience.NAMED,
            organisation__in=own_organisations,
            then=joined(other_addressees, "shown"),
        ),
        When(audience=Audience.NAMED, then=joined(own_addressees, "shown")),
        default=Value(""),
        output_field=TextField(),
    )


def _areas(user: User) -> Combinable:
    """Return the expression for the names of an entry's areas."""
    areas = Area.objects.filter(entries=OuterRef("pk")).order_by("name", "pk")
    return joined(areas, "name")


def _waiting(user: User) -> Combinable:
    """Return the expression for the moment since which an entry waits for an answer; NULL if it does not wait."""
    return Case(When(Q(status__in=UNANSWERED_STATUSES, answered_at=None, standing=False), then=F("shared_at")))


def _waiting_words(row: Entry) -> str:
    """Return since when an entry waits for an answer and how long that is, or "" if it does not wait."""
    if row.waiting_since is None:
        return ""
    return f"{long_date(row.waiting_since)}, {age(row.waiting_since)}"


def _closing_words(row: Entry) -> str:
    """Return the closing date in words, such as "in 3 days"."""
    return when_due(row.closes_on, is_open=row.is_open)


def _cards(user: User, rows: Sequence[Entry]) -> list[SafeString]:
    """Return each entry as a card, with the number of its matches."""
    cards = [boards.card_of(row) for row in rows]
    return cards_html(with_match_counts(cards, reader_of(user)))


#: Columns that the list shows before the reader chooses others.
_MAIN_COLUMNS = (
    Column(
        name="title",
        label="Title",
        value=lambda row: row.title,
        href=Entry.get_absolute_url,
        covered="q",
        is_nullable=False,
    ),
    Column(
        name="direction",
        label="Ask or offer",
        kind=lists.Kind.CHOICE,
        value=lambda row: Direction(row.direction).label,
        choices=lambda: Direction.choices,
        covered="direction",
        is_nullable=False,
        is_grouped=True,
    ),
    organisation_column(
        name="organisation",
        label="Organisation",
        value=lambda row: row.organisation.name,
        organisation_path="organisation",
        moment_path="shared_at",
        covered="organisation",
        is_nullable=False,
    ),
    Column(
        name="waiting_since",
        label="Unanswered since",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.waiting_since),
        key=_waiting,
        words=_waiting_words,
    ),
    Column(name="asked", label="Who is asked", value=lambda row: row.asked, is_grouped=True),
    Column(
        name="status",
        label="Status",
        kind=lists.Kind.CHOICE,
        value=lambda row: row.status_words,
        tag=lambda row: row.status,
        choices=lambda: [choice for choice in Status.choices if choice[0] != Status.DRAFT],
        covered="status",
        is_nullable=False,
        is_grouped=True,
    ),
)
_SUBJECT_COLUMNS = hidden_at_first(
    Column(
        name="theme",
        label="Theme",
        kind=lists.Kind.CHOICE,
        value=lambda row: Theme.label_of(row.theme),
        choices=Theme.all_choices,
        covered="theme",
        is_nullable=False,
        is_grouped=True,
    ),
    Column(
        name="shared",
        label="Shared",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.shared_at),
        key="shared_at",
        is_nullable=False,
    ),
    Column(
        name="closes",
        label="Closing date",
        kind=lists.Kind.DAY,
        value=lambda row: row.closes_on,
        key="closes_on",
        words=_closing_words,
    ),
)
#: The list adds up the quantities of each unit separately.
_AMOUNT_COLUMNS = hidden_at_first(
    Column(
        name="quantity",
        label="Quantity",
        kind=lists.Kind.NUMBER,
        value=lambda row: row.quantity,
        is_summed=True,
        summed_by="unit",
    ),
    Column(
        name="unit",
        label="Unit",
        kind=lists.Kind.CHOICE,
        value=lambda row: Unit.label_of(row.unit) if row.unit else None,
        choices=Unit.all_choices,
        is_grouped=True,
    ),
)
_PLACE_COLUMNS = hidden_at_first(
    Column(
        name="areas",
        label="Areas",
        value=lambda row: "; ".join(area.name for area in row.areas.all()),
        key=_areas,
        covered="area",
    ),
    Column(name="site", label="Site", value=lambda row: row.site),
)
_DETAIL_COLUMNS = hidden_at_first(
    Column(name="available_from", label="From", kind=lists.Kind.DAY, value=lambda row: row.available_from),
    Column(name="available_until", label="Until", kind=lists.Kind.DAY, value=lambda row: row.available_until),
    Column(
        name="standing",
        label="Standing offer",
        kind=lists.Kind.FLAG,
        value=lambda row: row.standing,
        covered="standing",
        is_nullable=False,
    ),
    Column(
        name="statement",
        label="Statement",
        value=lambda row: row.statement,
        covered="q",
        is_nullable=False,
    ),
)

LIST = ListDefinition(
    slug="asks",
    title="Asks and offers",
    one="ask or offer",
    address="exchange:list",
    columns=(*_MAIN_COLUMNS, *_SUBJECT_COLUMNS, *_AMOUNT_COLUMNS, *_PLACE_COLUMNS, *_DETAIL_COLUMNS),
    rows=_rows,
    readable=lambda user: Entry.objects.visible_to(user).exclude(shared_at=None).for_listing(),
    form=lambda parameters, _user: ListForm(parameters),
    sort=lambda chosen: "shared" if chosen.get("oldest") else "-shared",
    template="exchange/list.html",
    dates=closing_dates_of,
    empty=("No asks or offers yet", "Partners’ asks and offers appear here as soon as they share them."),
    ready=lambda _user, rows: name_as_at(rows),
    cards=_cards,
    actions=ACTIONS,
    followed=lambda row: row,
    context=lambda user: {"may_write": bool(reader_of(user).editing)},
)
