"""Prepare the filters, headings, rows and choices of a list for its page.

Some parts are written as HTML without templates, which would be too slow for long lists (`partnerships.kit.html`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from partnerships.kit.active_filters import Chip, active_filters
from partnerships.kit.html import escaped
from partnerships.kit.lists import Column, Kind, ListDefinition
from partnerships.kit.templatetags.kit import long_date, status_tag
from partnerships.kit.text import figure, shorten
from partnerships.lists.reading import EVERYTHING, Listing

#: A sentence shows at most this many characters of a row's name.
_MAX_NAME = 90


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column, with the address that sorts by the column."""

    label: str
    href: str
    is_number: bool
    #: How the list is sorted by this column: "ascending", "descending" or "" (not at all).
    sorted: str

    @property
    def html(self) -> SafeString:
        """Return the heading as HTML."""
        classes = "govuk-table__header"
        if self.is_number:
            classes += " govuk-table__header--numeric"
        aria_sort, mark, next_order = "", "", "sort by this column"
        if self.sorted:
            aria_sort = f' aria-sort="{self.sorted}"'
            arrow = "▲" if self.sorted == "ascending" else "▼"
            mark = f'<span class="cg-sort__mark" aria-hidden="true">{arrow}</span>'
            next_order = "sort the other way"
        return SafeString(
            f'<th scope="col" role="columnheader" class="{classes}"{aria_sort}>'
            f'<a class="cg-sort" href="{escaped(self.href)}">{escaped(self.label)}'
            f'<span class="govuk-visually-hidden">, {next_order}</span>{mark}</a></th>'
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row."""

    label: str
    html: SafeString
    is_number: bool
    is_day: bool = False

    @property
    def classes(self) -> str:
        """Return the CSS classes of the cell. Phones hide an empty cell."""
        classes = "govuk-table__cell"
        if self.is_number:
            classes += " govuk-table__cell--numeric"
        if not self.html:
            classes += " cg-stack__empty"
        elif self.is_day:
            classes += " cg-list-table__day"
        return classes


#: The cell with the tick box that chooses a row. `{0}` is the row's id, `{1}` its name.
_PICK = (
    '<td role="cell" class="govuk-table__cell cg-pick cg-no-print">'
    '<div class="govuk-checkboxes govuk-checkboxes--small"><div class="govuk-checkboxes__item">'
    '<input class="govuk-checkboxes__input" type="checkbox" form="bulk" id="row-{0}" name="row" value="{0}">'
    '<label class="govuk-label govuk-checkboxes__label" for="row-{0}">'
    '<span class="govuk-visually-hidden">Choose {1}</span></label></div></div></td>'
)


def chips_of(listing: Listing) -> list[Chip]:
    """Return the filters in use, each with the address of the list without that filter."""
    chips = active_filters(listing.form, listing.parameters)
    # An address without parameters would open the reader's default view instead of everything.
    return [replace(chip, href=EVERYTHING) if chip.href == "?" else chip for chip in chips]


def headings(listing: Listing) -> list[Heading]:
    """Return the headings of the columns that are shown."""
    shown_headings = []
    for column in listing.columns:
        sort_after_click, direction = column.name, ""
        if listing.sort == column.name:
            sort_after_click, direction = f"-{column.name}", "ascending"
        elif listing.sort == f"-{column.name}":
            direction = "descending"
        heading = Heading(
            label=column.label,
            href=listing.address(sort=sort_after_click),
            is_number=column.kind is Kind.NUMBER,
            sorted=direction,
        )
        shown_headings.append(heading)
    return shown_headings


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table, with the id and the name of its record."""

    pk: int
    name: str
    cells: list[Cell]

    @property
    def html(self) -> SafeString:
        """Return the row as HTML."""
        header, *cells = self.cells
        parts = [
            _PICK.format(self.pk, escaped(self.name)),
            f'<th scope="row" role="rowheader" class="govuk-table__header">{header.html}</th>',
        ]
        parts += [
            f'<td role="cell" class="{cell.classes}" data-label="{escaped(cell.label)}">{cell.html}</td>'
            for cell in cells
        ]
        # Join the cells with spaces, so that the words of two cells do not run together where tags are removed.
        return SafeString(f'<tr role="row">{" ".join(parts)}</tr> ')


def rows_with_cells(listing: Listing, records: Sequence[Any]) -> list[Row]:
    """Return a row for each record, with a cell for each column that is shown."""
    return [
        Row(record.pk, name_of(listing.definition, record), [_cell(column, record) for column in listing.columns])
        for record in records
    ]


def name_of(definition: ListDefinition, row: Any) -> str:
    """Return the name of a row, shortened for a sentence."""
    return shorten(str(definition.first.value(row)), _MAX_NAME)


def _cell(column: Column, row: Any) -> Cell:
    """Return the cell of a row, with the value in words, as a coloured tag or as a link."""
    words: str | SafeString = column.words(row) if column.words else in_words(column.value(row))
    tag_code = column.tag(row) if words and column.tag else ""
    if tag_code:
        words = status_tag(words, tag_code)
    html = escaped(words)
    href = column.href(row) if words and column.href else ""
    if href:
        html = f'<a class="govuk-link" href="{escaped(href)}">{html}</a>'
    is_number, is_day = column.kind is Kind.NUMBER, column.kind is Kind.DAY
    return Cell(label=column.label, html=SafeString(html), is_number=is_number, is_day=is_day)


def in_words(value: Any) -> str:
    """Return a value in words, such as “Yes”, “3 March 2027”, “1,250” or "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dt.date):
        return long_date(value)
    if isinstance(value, int | Decimal):
        return figure(value)
    return str(value)


#: The tick box of a column, and its position among the columns that are shown.
_COLUMN_CHOICE = (
    '<li class="cg-columns__item">'
    '<div class="govuk-checkboxes govuk-checkboxes--small"><div class="govuk-checkboxes__item">'
    '<input class="govuk-checkboxes__input" type="checkbox" id="show-{name}" name="show" value="{name}"{checked}>'
    '<label class="govuk-label govuk-checkboxes__label" for="show-{name}">{label}</label></div></div>'
    '<label class="govuk-visually-hidden" for="place-{name}">Position of {label}</label>'
    '<input class="govuk-input govuk-input--width-2" id="place-{name}" name="place-{name}" inputmode="numeric"'
    ' value="{position}"></li>'
)


def column_choices(listing: Listing) -> SafeString:
    """Return the choices of columns as HTML. The columns that are shown come first, in their order."""
    shown_columns = list(listing.columns)
    hidden_columns = [column for column in listing.definition.columns if column not in shown_columns]
    choices = [
        _COLUMN_CHOICE.format(
            name=escaped(column.name),
            label=escaped(column.label),
            checked=" checked" if position <= len(shown_columns) else "",
            position=position,
        )
        for position, column in enumerate([*shown_columns, *hidden_columns], start=1)
    ]
    return SafeString("\n".join(choices))


def sort_choices(listing: Listing) -> list[tuple[str, str]]:
    """Return the parameter and the label of each order, such as `("-year", "Year: largest first")`.

    The first choice is the list's own order, which may depend on its filters.
    """
    choices = [("", "Usual order")]
    for column in listing.definition.columns:
        ascending, descending = _DIRECTIONS[column.kind]
        choices.append((column.name, f"{column.label}: {ascending}"))
        choices.append((f"-{column.name}", f"{column.label}: {descending}"))
    return choices


def group_choices(listing: Listing) -> list[tuple[str, str]]:
    """Return the parameter and the label of each column by which the list can be counted."""
    columns = [column for column in listing.definition.columns if column.is_grouped]
    return [("", "Nothing"), *((column.name, column.label) for column in columns)]


#: The labels of ascending and descending order, by kind of column.
_DIRECTIONS = {
    Kind.TEXT: ("A to Z", "Z to A"),
    Kind.CHOICE: ("first to last", "last to first"),
    Kind.DAY: ("earliest first", "latest first"),
    Kind.PARTIAL: ("earliest first", "latest first"),
    Kind.MOMENT: ("earliest first", "latest first"),
    Kind.NUMBER: ("smallest first", "largest first"),
    Kind.FLAG: ("no first", "yes first"),
}
