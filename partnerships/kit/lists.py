"""Definitions of lists, with their rows, their columns, and how each column is sorted and filtered.

A room declares its lists in `listing.py`, registers them at start-up, and gives them URLs with `list_page` and
`list_export`. The room `lists`, which lies above, shows them.
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

#: A filter with at most this many choices has checkboxes; one with more has a select with autocomplete.
_MAX_CHECKBOXES = 12
#: The maximum length of the text of a filter.
_MAX_FILTER_LENGTH = 200


class Kind(Enum):
    """The type of a column's values, which decides how it is sorted, filtered, shown and exported."""

    TEXT = "text"
    CHOICE = "choice"
    DAY = "day"
    #: A date in ISO form, perhaps without day or month: 2027, 2027-04 or 2027-04-01. A quarter is its last month.
    PARTIAL = "partial"
    MOMENT = "moment"
    NUMBER = "number"
    FLAG = "flag"


#: The database value of a column, as a path of fields or a function from the reader to an expression.
Key = str | Callable[[Any], Combinable]
Choices = Callable[[], Iterable[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a list.

    Sorting and filtering must not reveal what a reader may not see. So `key` must hide everything that `value` hides.
    """

    name: str
    label: str
    #: The value of a row in exports, as a text, number, date, moment or boolean. None is an empty cell. The value of a
    #: choice is its label.
    value: Callable[[Any], Any]
    kind: Kind = Kind.TEXT
    #: The database value of a row, by default the field called `name`. The database value of a choice is its code.
    key: Key = ""
    #: The text of a row on pages, if it is not the value.
    words: Callable[[Any], str] | None = None
    #: The address that a cell links to, and the code of its status tag.
    href: Callable[[Any], str] | None = None
    tag: Callable[[Any], str] | None = None
    choices: Choices = tuple
    #: The name of the list's own filter that already filters by this column, or "" if there is none.
    covered: str = ""
    #: What sorts rows instead of the key, such as an indexed field with the same order.
    sorts_by: Key = ""
    #: A function that adds to the rows the data that only this column shows.
    ready: Callable[[Any, Sequence[Any]], object] | None = None
    #: Whether a cell may be empty (null, or an empty text). Rows with an empty cell are last.
    is_nullable: bool = True
    is_shown: bool = True
    is_grouped: bool = False
    is_summed: bool = False
    #: The column with the unit of the numbers, because numbers in different units are not summed.
    summed_by: str = ""
    #: A text filter that looks elsewhere than in the key. `found_words` is a sentence that explains why it finds more
    #: than the cells show.
    found_by: Callable[[str], Q] | None = None
    found_words: str = ""
    #: Labels of groups by their keys, if the key is not the label.
    group_words: Callable[[Collection[str]], Mapping[str, str]] | None = None

    @property
    def alias(self) -> str:
        """Return the name of the key in queries."""
        return f"list_{self.name}"

    def expression(self, reader: Any) -> Combinable:
        """Return the key as an expression."""
        return _expression(self.key or self.name, reader)

    def sort_expression(self, reader: Any) -> Combinable:
        """Return the expression that sorts rows, which is `sorts_by` or the key, and null for an empty cell.

        Choices are sorted in their own order.
        """
        if self.sorts_by:
            return _expression(self.sorts_by, reader)
        if self.kind is not Kind.CHOICE:
            key = self.expression(reader)
            may_be_empty_text = self.is_nullable and self.kind in (Kind.TEXT, Kind.PARTIAL)
            return NullIf(key, Value(""), output_field=TextField()) if may_be_empty_text else key
        codes = [code for code, _ in self.choices() if code or not self.is_nullable]
        if not codes:
            return self.expression(reader)
        whens = [When(**{self.alias: code}, then=Value(position)) for position, code in enumerate(codes)]
        return Case(*whens, default=None if self.is_nullable else Value(len(codes)))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return the GET parameters of the column's filters."""
        if self.kind in (Kind.TEXT, Kind.CHOICE, Kind.FLAG):
            return (self.name,)
        ends = ("min", "max") if self.kind is Kind.NUMBER else ("from", "to")
        return tuple(f"{self.name}_{end}" for end in ends)

    def filters(self) -> dict[str, Any]:
        """Return the column's filters, by their GET parameters."""
        return dict(zip(self.parameters, self._filters(), strict=True))

    def _filters(self) -> tuple[Any, ...]:
        """Return a filter for each of the parameters."""
        label, common = self.label, {"field_name": self.alias}
        if self.kind is Kind.TEXT:
            return (filters.CharFilter(**common, label=label, method=self._filter_text, max_length=_MAX_FILTER_LENGTH),)
        if self.kind is Kind.FLAG:
            # The choices repeat the label, because the chip of an active filter shows only its choice.
            yes_or_no = [("True", f"{label}: yes"), ("False", f"{label}: no")]
            return (filters.ChoiceFilter(**common, label=label, choices=yes_or_no, empty_label="Yes or no"),)
        if self.kind is Kind.CHOICE:
            choices = list(self.choices())
            widget = forms.CheckboxSelectMultiple if len(choices) <= _MAX_CHECKBOXES else AutocompleteSelectMultiple
            choice_filter = filters.MultipleChoiceFilter(
                **common, label=label, choices=choices, distinct=False, widget=widget
            )
            return (choice_filter,)
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

    def _filter_text(self, rows: QuerySet[Any], field: str, text: str) -> QuerySet[Any]:
        """Return the rows whose text contains this text, or equals it if it is in quotation marks."""
        exact_text = unquoted(text)
        if exact_text is not None:
            return rows.filter(**{field: exact_text})
        return rows.filter(self.found_by(text) if self.found_by else Q(**{f"{field}__icontains": text}))


def hidden_at_first(*columns: Column) -> tuple[Column, ...]:
    """Return the same columns, shown only to readers who choose them."""
    return tuple(replace(column, is_shown=False) for column in columns)


def _expression(key: Key, reader: Any) -> Combinable:
    return key(reader) if callable(key) else F(key)


def quoted(text: str) -> str:
    """Return the filter text that matches only this text, or "" if it would be too long."""
    return f'"{text}"' if len(text) + 2 <= _MAX_FILTER_LENGTH else ""


def unquoted(filter_text: str) -> str | None:
    """Return the text that a filter text in quotation marks must match exactly, or None without quotation marks."""
    is_quoted = len(filter_text) > 2 and filter_text[0] == filter_text[-1] == '"'
    return filter_text[1:-1] if is_quoted else None


def _partial_from(rows: QuerySet[Any], name: str, day: dt.date) -> QuerySet[Any]:
    """Return the rows whose date may be on the day or later, by the last possible day of each date."""
    return rows.exclude(**{name: ""}).filter(**{f"{name}__gte": _as_precise(name, day)})


def _partial_to(rows: QuerySet[Any], name: str, day: dt.date) -> QuerySet[Any]:
    """Return the rows whose date may be on the day or earlier, by the first possible day of each date."""
    return rows.exclude(**{name: ""}).filter(**{f"{name}__lte": _as_precise(name, day)})


def _as_precise(name: str, day: dt.date) -> Combinable:
    """Return the day with the precision of the row's date, such as 2027-04 to compare with a month."""
    return Func(Value(day.isoformat()), Length(name), function="LEFT", output_field=TextField())


def _day_filter(**options: Any) -> Any:
    """Return a filter with our date field, which reads days as people write them."""
    day_filter = filters.Filter(**options)
    day_filter.field_class = DayField
    return day_filter


def _send_no_email(**_facts: Any) -> None:
    """Send no email after a bulk action, which is the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAction:
    """An action on several rows of a list. Each row is locked, and its rights are checked, separately."""

    name: str
    #: A verb and a noun.
    label: str
    #: The end of the message after the action, such as "the owner has been changed" after "3 commitments:".
    done: str
    #: `form(data, person, rows)` builds the form for the values that all rows get. Its helper has the button's text.
    form: Callable[[QueryDict | None, Any, Sequence[Any]], forms.Form]
    #: `left_out(person, rows, now)` returns the reasons why rows would be left out, by their ids.
    left_out: Callable[[Any, Sequence[Any], Any], Mapping[int, str]]
    #: `change(row=, person=, chosen=, now=)` calls the service for one row. It raises `UnableToAct`, or one of
    #: `refusals`, if the row cannot be changed.
    change: Callable[..., object]
    refusals: tuple[type[Exception], ...] = ()
    #: `tell(rows=, person=, chosen=, now=)` is called once, with all changed rows, and records an email for each
    #: recipient.
    tell: Callable[..., object] = _send_no_email


class _ButtonForm(Form):
    """A form without fields."""

    def __init__(self, data: QueryDict | None, button: str) -> None:
        super().__init__(data)
        self.helper = Helper(self, submit=button)


def only_button(button: str) -> Callable[[QueryDict | None, Any, Sequence[Any]], forms.Form]:
    """Return the `form` of an action that needs no input, with only a button with this text."""
    return lambda data, _person, _rows: _ButtonForm(data, button)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDefinition:
    """A list of one kind of record. Its first column has the record's name and is always shown."""

    slug: str
    #: The plural, as in "12 partnerships". `one` is the singular.
    title: str
    one: str
    address: str
    columns: Sequence[Column]
    #: The rows that the reader may see, reduced by the list's own filters.
    rows: Callable[[Any, Mapping[str, Any]], QuerySet[Any]]
    #: Every row that the reader may see, without filters. Emails use it to name the rows that left a saved view.
    readable: Callable[[Any], QuerySet[Any]]
    #: The form of the list's own filters.
    form: Callable[[QueryDict, Any], forms.Form]
    #: The default order, as a column's name, after "-" if descending. It may depend on the list's own filters.
    sort: Callable[[Mapping[str, Any]], str]
    #: The template of the page, which extends `lists/list.html`.
    template: str = "lists/list.html"
    #: The heading and the sentence of the page if the list has no rows.
    empty: tuple[str, str] = ("", "")
    #: The sentence of the page if no row matches the filters.
    unmatched: str = "Nothing matches these filters. Remove a filter to see more."
    #: A template below the results, which changes with the filters.
    below: str = ""
    #: Adds to the rows of a page the data that their cells show, in few queries. Call `make_ready` instead, which also
    #: calls the same function of each column.
    ready: Callable[[Any, Sequence[Any]], object] = lambda _reader, _rows: None
    #: The rows as cards in the room's own design (HTML).
    cards: Callable[[Any, Sequence[Any]], Sequence[str]] | None = None
    #: More context for the template.
    context: Callable[[Any], Mapping[str, Any]] = lambda _reader: {}
    #: Actions on several rows at once.
    actions: Sequence[BulkAction] = ()
    #: The record that a reader of a row can follow in digests, which is the row itself, its plan or its partnership.
    followed: Callable[[Any], Any] | None = None
    #: The label of the action that follows several rows.
    follow_words: str = "Follow"
    #: The dates of rows, by their ids, that the reader may see in a calendar, or None if the list has no dates.
    dates: Callable[[Any, Collection[int]], Sequence[CalendarEntry]] | None = None
    #: Whether a person may open the page. Most lists are open to everybody, and show each reader their rows.
    may_open: Callable[[Any], bool] = lambda _reader: True
    #: Whether an index has the default order. PostgreSQL then checks rights row by row, even to count rows.
    is_in_order: bool = False
    #: Whether no index has the order, so that PostgreSQL must sort all rows. The query then sorts only ids, and joins
    #: the columns of the page's rows afterwards.
    numbers_first: bool = False
    #: Some lists are too long to sort. If the reader sorts by another column than the default, the page sorts and
    #: counts only this many of the newest rows. Exports have all rows.
    max_sorted: int | None = None
    by_name: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def is_in_calendars(self) -> bool:
        """Whether calendars show dates of the list's rows. Templates cannot check `dates`: they would call it."""
        return self.dates is not None

    @property
    def first(self) -> Column:
        """Return the column with the record's name."""
        return self.columns[0]

    def make_ready(self, reader: Any, rows: Sequence[Any], columns: Iterable[Column]) -> None:
        """Add to the rows the data that the cells of these columns show."""
        self.ready(reader, rows)
        for column in columns:
            if column.ready is not None:
                column.ready(reader, rows)


_definitions: dict[str, ListDefinition] = {}


def register_list(definition: ListDefinition) -> None:
    """Register a list, at start-up."""
    _definitions[definition.slug] = definition


def find_list(slug: str) -> ListDefinition | None:
    """Return the list with this slug, or None."""
    return _definitions.get(slug)


def all_lists() -> list[ListDefinition]:
    """Return all lists, by title."""
    return sorted(_definitions.values(), key=lambda definition: definition.title)


class Pages(Protocol):
    """The views that show lists. The room `lists`, which is above this one, has them."""

    def show(self, request: HttpRequest, definition: ListDefinition, /) -> HttpResponseBase:
        """Return the page of a list."""

    def export(self, request: HttpRequest, definition: ListDefinition, form: str, /) -> HttpResponseBase:
        """Return a file with the rows of all pages of a list. `form` is its format, such as "csv"."""


_pages: list[Pages] = []


def register_pages(pages: Pages) -> None:
    """Register the views that show lists, at start-up."""
    _pages[:] = [pages]


def list_page(slug: str) -> Callable[..., HttpResponseBase]:
    """Return the view of a list, for a URL of the list's room."""

    @wraps(list_page)
    def view(request: HttpRequest) -> HttpResponseBase:
        return _pages[0].show(request, _definitions[slug])

    return view


def list_export(slug: str, form: str) -> Callable[..., HttpResponseBase]:
    """Return the view of a list's export, for a URL of the list's room."""

    @wraps(list_export)
    def view(request: HttpRequest) -> HttpResponseBase:
        return _pages[0].export(request, _definitions[slug], form)

    return view


def joined(rows: QuerySet[Any], path: str) -> Combinable:
    """Return the names of related records as one text, such as `Fareham; Gosport`, for the key of a column."""
    names = ArraySubquery(rows.values(path))
    return Func(names, Value("; "), function="array_to_string", output_field=TextField())
