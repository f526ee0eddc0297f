"""A list as its page shows it: headings, cells and cards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from partnerships.kit.active_filters import Chip, active_filters
from partnerships.kit.html import escaped
from partnerships.kit.lists import Column, Kind, ListDefinition, quoted
from partnerships.kit.templatetags.kit import long_date, status_tag
from partnerships.kit.text import figure, shorten
from partnerships.lists.reading import EVERYTHING, Listing

#: A row's name is cut off here where it stands in a sentence.
_MAX_NAME = 90


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column, with the address that sorts by it."""

    label: str
    href: str
    is_number: bool
    #: "ascending", "descending" or "".
    sorted: str

    @property
    def next_words(self) -> str:
        """What the link does."""
        return "sort the other way" if self.sorted else "sort by this"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row."""

    label: str
    html: SafeString
    is_number: bool
    is_day: bool = False

    @property
    def classes(self) -> str:
        """The classes of a cell of a table; a phone leaves out an empty one."""
        classes = "govuk-table__cell"
        if self.is_number:
            classes += " govuk-table__cell--numeric"
        if not self.html:
            classes += " cg-stack__empty"
        elif self.is_day:
            classes += " cg-list-table__day"
        return classes


#: The box to choose a row by, with its number and name.
_PICK = (
    '<td role="cell" class="govuk-table__cell cg-pick cg-no-print">'
    '<div class="govuk-checkboxes govuk-checkboxes--small"><div class="govuk-checkboxes__item">'
    '<input class="govuk-checkboxes__input" type="checkbox" form="bulk" id="row-{0}" name="row" value="{0}">'
    '<label class="govuk-label govuk-checkboxes__label" for="row-{0}">'
    '<span class="govuk-visually-hidden">Choose {1}</span></label></div></div></td>'
)


def chips_of(listing: Listing) -> list[Chip]:
    """The filters in use.

    Without the last one the list shows everything, not the reader's default view.
    """
    chips = active_filters(listing.form, listing.parameters)
    return [replace(chip, href=EVERYTHING) if chip.href == "?" else chip for chip in chips]


def headings(listing: Listing) -> list[Heading]:
    """The headings of the columns that are shown."""
    shown_headings = []
    for column in listing.columns:
        is_sorted = listing.sort.lstrip("-") == column.name
        descending = listing.sort.startswith("-")
        wanted = f"-{column.name}" if is_sorted and not descending else column.name
        state = ("descending" if descending else "ascending") if is_sorted else ""
        shown_headings.append(Heading(column.label, listing.address(sort=wanted), column.kind is Kind.NUMBER, state))
    return shown_headings


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: its number, what names it, and its cells."""

    pk: int
    name: str
    cells: list[Cell]

    @property
    def html(self) -> SafeString:
        """Its row of the table, written without a template: see `partnerships.kit.html`."""
        first, *others = self.cells
        parts = [
            _PICK.format(self.pk, escaped(self.name)),
            f'<th scope="row" role="rowheader" class="govuk-table__header">{first.html}</th>',
            *(
                f'<td role="cell" class="{cell.classes}" data-label="{escaped(cell.label)}">{cell.html}</td>'
                for cell in others
            ),
        ]
        # Spaces, so that cells are words apart where tags are left out.
        return SafeString(f'<tr role="row">{" ".join(parts)}</tr> ')


def table(listing: Listing, rows: Sequence[Any]) -> list[Row]:
    """The rows with their cells."""
    return [
        Row(row.pk, name_of(listing.definition, row), [_cell(column, row) for column in listing.columns])
        for row in rows
    ]


def name_of(definition: ListDefinition, row: Any) -> str:
    """What names a row, cut off."""
    return shorten(str(definition.first.value(row)), _MAX_NAME)


def _cell(column: Column, row: Any) -> Cell:
    words: str | SafeString = column.words(row) if column.words else in_words(column.value(row))
    if words and column.tag and (code := column.tag(row)):
        words = status_tag(words, code)
    html = escaped(words)
    if html and column.href and (href := column.href(row)):
        html = f'<a class="govuk-link" href="{escaped(href)}">{html}</a>'
    return Cell(column.label, SafeString(html), column.kind is Kind.NUMBER, column.kind is Kind.DAY)


def in_words(value: Any) -> str:
    """A value as pages show it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dt.date):
        return long_date(value)
    if isinstance(value, int | Decimal):
        return figure(value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with the same value in one column.

    It says how many they are, their sums, and the address of the list with these alone.
    """

    label: str
    href: str
    count: int
    sums: list[str]


def groups(listing: Listing) -> list[Group]:
    """The groups of the column that was chosen; none if no column was."""
    column = listing.group
    if column is None:
        return []
    counted = listing.counted(column)
    labels = _labels(column, [row["list_group"] for row in counted])
    is_linked = _finds_by_key(listing, column)
    shown_groups = []
    for row in counted:
        key = row["list_group"]
        label = labels.get(key, "")
        value = quoted(key) if column.kind is Kind.TEXT and label else str(key)
        href = listing.address(**{column.name: value, "group": ""}) if label and value and is_linked else ""
        sums = [_sum_words(row, column) for column in listing.summed]
        shown_groups.append(Group(label or "None", href, row["list_count"], sums))
    return shown_groups


def _labels(column: Column, keys: Sequence[Any]) -> Mapping[Any, str]:
    """What the groups with these keys are called."""
    if column.kind is Kind.CHOICE:
        return dict(column.choices())
    if column.group_words is not None:
        return column.group_words([key for key in keys if key])
    return {key: in_words(key) for key in keys}


def _finds_by_key(listing: Listing, column: Column) -> bool:
    """Whether the parameter with a column's name finds by its key.

    One by a record wants the record's number.
    """
    is_own = column.covered in ("", column.name)
    wants_code = isinstance(listing.form.fields.get(column.name), forms.ChoiceField)
    return is_own and (column.kind is Kind.CHOICE or not wants_code)


def _sum_words(row: Mapping[str, Any], column: Column) -> str:
    """The sum of a group; none where its rows count different things."""
    several = column.summed_by and row[f"kinds_{column.name}"] > 1
    return "Several units" if several else in_words(row[f"sum_{column.name}"])


def column_choices(listing: Listing) -> list[tuple[Column, bool, int]]:
    """Each column, whether it is shown, and its place.

    Shown columns come first.
    """
    shown = list(listing.columns)
    other_columns = [column for column in listing.definition.columns if column not in shown]
    return [(column, column in shown, place) for place, column in enumerate([*shown, *other_columns], start=1)]


def sort_choices(listing: Listing) -> list[tuple[str, str, bool]]:
    """What rows can be sorted by: parameter, words, and whether they are.

    First the list's own order, which may follow from its filters.
    """
    chosen = listing.parameters.get("sort", "")
    choices = [("", "Usual order", not chosen)]
    for column in listing.definition.columns:
        up, down = _DIRECTIONS[column.kind]
        for name, words in ((column.name, up), (f"-{column.name}", down)):
            choices.append((name, f"{column.label}: {words}", name == chosen))
    return choices


#: How the two directions are called.
_DIRECTIONS = {
    Kind.TEXT: ("A to Z", "Z to A"),
    Kind.CHOICE: ("first to last", "last to first"),
    Kind.DAY: ("earliest first", "latest first"),
    Kind.PARTIAL: ("earliest first", "latest first"),
    Kind.MOMENT: ("earliest first", "latest first"),
    Kind.NUMBER: ("smallest first", "largest first"),
    Kind.FLAG: ("no first", "yes first"),
}
