"""What a list is: its rows, its columns, and what each column sorts and filters by.

A room declares its lists in `listing.py` and registers them at start-up. The pages are those of the room `lists`, which
lies above: a room gives one of them an address with `list_page` and `list_export`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

from django import forms
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, F, Func, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Length, NullIf
from django.http import HttpRequest, HttpResponseBase, QueryDict

from partnerships.kit.forms import AutocompleteSelectMultiple, DayField, Form, Helper

if TYPE_CHECKING:
    import django_filters as filters

    from partnerships.kit.calendars import CalendarEntry
else:
    from partnerships.kit.late import late

    filters = late("django_filters")

#: Choices up to this many are boxes to tick; more are a list to search.
_MAX_BOXES = 12
#: The longest words that a filter takes.
_MAX_WORDS = 200


class Kind(Enum):
    """What a column holds: how it is sorted, filtered, shown and exported."""

    TEXT = "text"
    CHOICE = "choice"
    DAY = "day"
    #: A date as precise as it is known, in ISO form: 2027, 2027-04 or 2027-04-01. A quarter is its last month.
    PARTIAL = "partial"
    MOMENT = "moment"
    NUMBER = "number"
    FLAG = "flag"


#: What a column sorts and filters by: a path of fields, or an expression for the reader.
Key = str | Callable[[Any], Combinable]
Choices = Callable[[], Iterable[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a list.

    `value` is what exports hold: text, number, date, moment, yes or no; None is an empty cell. `key` has one value for
    each row, and must hide what `value` hides: people sort by it. A choice's key is its code, its value the label.
    `sorts_by` is what rows are sorted by instead, such as a field in the same order as the key, which an index serves.
    `is_nullable`: a cell may be empty, also where the field then has an empty text; such rows come last.
    `words` replaces the value on pages, `href` makes it a link, and `tag` gives the code of a status tag. `covered`
    names the list's own filter that finds by this column. `ready` adds to the rows what only its cells show.
    `summed_by` names the column with the unit of its numbers: those in different units have no sum.

    Text may be found and grouped otherwise than by its key: `found_by` gives the condition for words, and `group_words`
    the labels of groups by their keys. `found_words` says in one sentence why words find more than the cells show.
    """

    name: str
    label: str
    value: Callable[[Any], Any]
    kind: Kind = Kind.TEXT
    key: Key = ""
    words: Callable[[Any], str] | None = None
    href: Callable[[Any], str] | None = None
    tag: Callable[[Any], str] | None = None
    choices: Choices = tuple
    covered: str = ""
    sorts_by: Key = ""
    ready: Callable[[Any, Sequence[Any]], object] | None = None
    is_nullable: bool = True
    is_shown: bool = True
    is_grouped: bool = False
    is_summed: bool = False
    summed_by: str = ""
    found_by: Callable[[str], Q] | None = None
    found_words: str = ""
    group_words: Callable[[Collection[str]], Mapping[str, str]] | None = None

    @property
    def alias(self) -> str:
        """The name of its key in queries."""
        return f"list_{self.name}"

    def expression(self, reader: Any) -> Combinable:
        """The key as an expression."""
        return _expression(self.key or self.name, reader)

    def sort_expression(self, reader: Any) -> Combinable:
        """What rows are sorted by.

        Choices in their own order, else `sorts_by` or the key; null for an empty cell.
        """
        if self.sorts_by:
            return _expression(self.sorts_by, reader)
        if self.kind is not Kind.CHOICE:
            key = self.expression(reader)
            is_text = self.is_nullable and self.kind in (Kind.TEXT, Kind.PARTIAL)
            return NullIf(key, Value(""), output_field=TextField()) if is_text else key
        codes = [code for code, _ in self.choices() if code or not self.is_nullable]
        places = [When(**{self.alias: code}, then=Value(place)) for place, code in enumerate(codes)]
        others = None if self.is_nullable else Value(len(codes))
        return Case(*places, default=others) if places else self.expression(reader)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of its filters."""
        if self.kind in (Kind.TEXT, Kind.CHOICE, Kind.FLAG):
            return (self.name,)
        ends = ("min", "max") if self.kind is Kind.NUMBER else ("from", "to")
        return tuple(f"{self.name}_{end}" for end in ends)

    def filters(self) -> dict[str, Any]:
        """The filters that find rows by this column, by parameter."""
        return dict(zip(self.parameters, self._made_filters(), strict=True))

    def _made_filters(self) -> tuple[Any, ...]:
        """A filter for each of the parameters."""
        label, common = self.label, {"field_name": self.alias}
        if self.kind is Kind.TEXT:
            return (filters.CharFilter(**common, label=label, method=self._with_words, max_length=_MAX_WORDS),)
        if self.kind is Kind.FLAG:
            # The filter in use is shown by its choice alone.
            yes_or_no = [("True", f"{label}: yes"), ("False", f"{label}: no")]
            return (filters.ChoiceFilter(**common, label=label, choices=yes_or_no, empty_label="Yes or no"),)
        if self.kind is Kind.CHOICE:
            choices = list(self.choices())
            widget = forms.CheckboxSelectMultiple if len(choices) <= _MAX_BOXES else AutocompleteSelectMultiple
            several = filters.MultipleChoiceFilter(
                **common, label=label, choices=choices, distinct=False, widget=widget
            )
            return (several,)
        if self.kind is Kind.NUMBER:
            return (
                filters.NumberFilter(**common, label=f"{label}, at least", lookup_expr="gte"),
                filters.NumberFilter(**common, label=f"{label}, at most", lookup_expr="lte"),
            )
        if self.kind is Kind.PARTIAL:
            return (
                _day_filter(**common, label=f"{label}, from", method=_partial_from),
                _day_filter(**common, label=f"{label}, to", method=_partial_to),
            )
        day = "date__" if self.kind is Kind.MOMENT else ""
        return (
            _day_filter(**common, label=f"{label}, from", lookup_expr=f"{day}gte"),
            _day_filter(**common, label=f"{label}, to", lookup_expr=f"{day}lte"),
        )

    def _with_words(self, rows: QuerySet[Any], field: str, words: str) -> QuerySet[Any]:
        """Rows whose text has these words, or is exactly this text if it is in quotation marks."""
        if (whole := unquoted(words)) is not None:
            return rows.filter(**{field: whole})
        return rows.filter(self.found_by(words) if self.found_by else Q(**{f"{field}__icontains": words}))


def hidden_at_first(*columns: Column) -> tuple[Column, ...]:
    """Columns that a list shows only to readers who choose them."""
    return tuple(replace(column, is_shown=False) for column in columns)


def _expression(key: Key, reader: Any) -> Combinable:
    return key(reader) if callable(key) else F(key)


def quoted(text: str) -> str:
    """The words that find this text alone. Empty if it is too long for a filter."""
    return f'"{text}"' if len(text) + 2 <= _MAX_WORDS else ""


def unquoted(words: str) -> str | None:
    """The whole text that these words ask for; None if they ask for a part."""
    return words[1:-1] if len(words) > 2 and words[0] == words[-1] == '"' else None


def _partial_from(rows: QuerySet[Any], name: str, day: dt.date) -> QuerySet[Any]:
    """Rows whose date may be on the day or later: its last possible day counts."""
    return rows.exclude(**{name: ""}).filter(**{f"{name}__gte": _as_precise(name, day)})


def _partial_to(rows: QuerySet[Any], name: str, day: dt.date) -> QuerySet[Any]:
    """Rows whose date may be on the day or earlier: its first possible day counts."""
    return rows.exclude(**{name: ""}).filter(**{f"{name}__lte": _as_precise(name, day)})


def _as_precise(name: str, day: dt.date) -> Combinable:
    """The day as precise as the date of the row: 2027-04 beside a month."""
    return Func(Value(day.isoformat()), Length(name), function="LEFT", output_field=TextField())


def _day_filter(**given: Any) -> Any:
    """A filter with the one date field, which reads days as people write them."""
    made = filters.Filter(**given)
    made.field_class = DayField
    return made


def _tells_nobody(**_of_what: Any) -> None:
    """Nothing to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAction:
    """Something that a list does with several rows at once, each with the rights of the person and under its lock.

    `label` is a verb and a noun. `form(data, person, rows)` asks what is the same for all; its helper says what the
    button says. `left_out(person, rows, now)` says by number why a row would be left out. `change(row=, person=,
    chosen=, now=)` calls the service for one row; it raises one of `refusals`, or `UnableToAct`, where the row stays
    as it is. `tell(rows=, person=, chosen=, now=)` is called once, with the rows that were changed: it records one
    email for each recipient.
    """

    name: str
    label: str
    #: "the owner has been changed", after "3 commitments:".
    done: str
    form: Callable[[QueryDict | None, Any, Sequence[Any]], forms.Form]
    left_out: Callable[[Any, Sequence[Any], Any], Mapping[int, str]]
    change: Callable[..., object]
    refusals: tuple[type[Exception], ...] = ()
    tell: Callable[..., object] = _tells_nobody


class _OnlyButton(Form):
    """Nothing to fill in."""

    def __init__(self, data: QueryDict | None, words: str) -> None:
        super().__init__(data)
        self.helper = Helper(self, submit=words)


def only_button(words: str) -> Callable[[QueryDict | None, Any, Sequence[Any]], forms.Form]:
    """The form of an action that asks for nothing: its button, with these words."""
    return lambda data, _person, _rows: _OnlyButton(data, words)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDefinition:
    """A list of one kind of record.

    `form` makes the list's own filters, and `rows` the rows that the reader may see and these filters find. The first
    column names the record and is always shown. `ready` adds to the rows of a page what their cells show, in few
    queries; what only one column shows, that column's `ready` adds. Call `make_ready` for both. `cards` draws the rows
    as cards of the room's own. `template` extends `lists/list.html`.
    """

    slug: str
    #: The plural, as in "12 partnerships", and the singular.
    title: str
    one: str
    address: str
    columns: Sequence[Column]
    rows: Callable[[Any, Mapping[str, Any]], QuerySet[Any]]
    #: Every row that the reader may see, without filters: emails name from it the rows that left a view.
    readable: Callable[[Any], QuerySet[Any]]
    form: Callable[[QueryDict, Any], forms.Form]
    #: A column's name, with "-" before it for descending order; it may depend on the list's own filters.
    sort: Callable[[Mapping[str, Any]], str]
    template: str = "lists/list.html"
    #: What the page says where there is no row at all: a heading and a sentence.
    empty: tuple[str, str] = ("", "")
    #: What it says where the filters find nothing.
    unmatched: str = "Nothing matches these filters. Remove a filter to see more."
    #: A template below the results, which changes with the filters.
    below: str = ""
    ready: Callable[[Any, Sequence[Any]], object] = lambda _reader, _rows: None
    cards: Callable[[Any, Sequence[Any]], Sequence[str]] | None = None
    #: What its template shows besides the list.
    context: Callable[[Any], Mapping[str, Any]] = lambda _reader: {}
    #: What can be done with several rows at once.
    actions: Sequence[BulkAction] = ()
    #: What can be followed of a row, so that digests tell of its changes: the row itself, its plan or its partnership.
    followed: Callable[[Any], Any] | None = None
    #: What the list calls doing so with several rows.
    follow_words: str = "Follow"
    #: The dates of rows for calendars, by their numbers, as far as the reader may read them; None without dates.
    dates: Callable[[Any, Collection[int]], Sequence[CalendarEntry]] | None = None
    #: Whether somebody may open its page; most lists are open to everybody and show what each may read.
    may_open: Callable[[Any], bool] = lambda _reader: True
    #: Whether an index has its own order, in which PostgreSQL checks rights row by row, also to count some.
    is_in_order: bool = False
    #: Whether all rows are sorted because no index has its order: what they show is then joined to the first alone.
    numbers_first: bool = False
    #: For lists too long to sort: by another column than its own, the page sorts and counts only this many rows, the
    #: newest. Files have all.
    max_sorted: int | None = None
    by_name: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def is_in_calendars(self) -> bool:
        """Whether calendars show dates of its rows.

        Templates ask this, for they would call `dates`.
        """
        return self.dates is not None

    @property
    def first(self) -> Column:
        """The column that names the record."""
        return self.columns[0]

    def make_ready(self, reader: Any, rows: Sequence[Any], columns: Iterable[Column]) -> None:
        """Add to the rows what the cells of these columns show."""
        self.ready(reader, rows)
        for column in columns:
            if column.ready is not None:
                column.ready(reader, rows)


_definitions: dict[str, ListDefinition] = {}


def register_list(definition: ListDefinition) -> None:
    """Add a list, at start-up."""
    _definitions[definition.slug] = definition


def find_list(slug: str) -> ListDefinition | None:
    """The list with this name, or None."""
    return _definitions.get(slug)


def all_lists() -> list[ListDefinition]:
    """All lists, by title."""
    return sorted(_definitions.values(), key=lambda definition: definition.title)


class Pages(Protocol):
    """The views of the room above."""

    def show(self, request: HttpRequest, definition: ListDefinition, /) -> HttpResponseBase:
        """The page of a list."""

    def export(self, request: HttpRequest, definition: ListDefinition, form: str, /) -> HttpResponseBase:
        """A file of what the list shows, of all its pages."""


_pages: list[Pages] = []


def register_pages(pages: Pages) -> None:
    """Say which room shows lists, at start-up."""
    _pages[:] = [pages]


def list_page(slug: str) -> Callable[..., HttpResponseBase]:
    """The view of a list, for an address of its room."""

    @wraps(list_page)
    def view(request: HttpRequest) -> HttpResponseBase:
        return _pages[0].show(request, _definitions[slug])

    return view


def list_export(slug: str, form: str) -> Callable[..., HttpResponseBase]:
    """The view of a list's file, for an address of its room."""

    @wraps(list_export)
    def view(request: HttpRequest) -> HttpResponseBase:
        return _pages[0].export(request, _definitions[slug], form)

    return view


def joined(rows: QuerySet[Any], path: str) -> Combinable:
    """The names of many related records as one text, for a key: `Fareham; Gosport`."""
    names = ArraySubquery(rows.values(path))
    return Func(names, Value("; "), function="array_to_string", output_field=TextField())
