"""A list with the filters, columns and order of an address or a saved view, and the rows that match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.db.models.expressions import OrderBy
from django.http import QueryDict

from partnerships.kit.active_filters import PAGING_PARAMETERS
from partnerships.kit.http import sorted_by
from partnerships.kit.lists import Column, ListDefinition, find_list, unquoted
from partnerships.kit.record_fields import UNREADABLE
from partnerships.organisations.holdings import for_a_few_records
from partnerships.organisations.statements import count_for, count_lookup, lookup, read_ahead, rows_for

#: Parameters that arrange a list. All others are filters. `from` is the id of the saved view that the reader changed.
ARRANGING = ("columns", "sort", "group", "look", "from")
TABLE, CARDS = "table", "cards"
#: Parameters that change neither the rows nor their order.
_PLAIN = frozenset({"columns", "look", "from"})
#: The query string of a list without filters. Without it, the list would open with the reader's default view.
EVERYTHING = "?view="
#: At most this many values of a parameter, and characters of a value, are read from an address.
_MAX_VALUES, _MAX_LENGTH = 100, 200


@dataclass
class Listing:
    """A list with the filters, columns and order that one reader requested.

    `parameters` are those parameters of the address that the list has, without the number of the page.
    """

    definition: ListDefinition
    reader: Any
    parameters: QueryDict
    columns: Sequence[Column]
    has_chosen_columns: bool
    look: str
    #: The form of the list's own filters, bound to the parameters.
    own_form: forms.Form
    #: The filters of columns, each with its column, by parameter. `form` adds them.
    _filters: dict[str, tuple[Column, Any]] = field(default_factory=dict)

    @cached_property
    def form(self) -> forms.Form:
        """Return the form of the list's own filters, with the filters of columns that are shown or filtered."""
        form = self.own_form
        shown_names = {column.name for column in self.columns}
        for column in self.definition.columns:
            if column.covered or column.name in form.fields:
                continue
            if column.name in shown_names or any(self.parameters.get(name) for name in column.parameters):
                self._filters |= {name: (column, filter_) for name, filter_ in column.filters().items()}
        form.fields |= {name: filter_.field for name, (_, filter_) in self._filters.items()}
        return form

    @cached_property
    def filter_values(self) -> dict[str, Any]:
        """Return the valid values of the filters, by parameter."""
        self.form.is_valid()
        return self.form.cleaned_data

    @cached_property
    def sort(self) -> str:
        """Return the name of the column by which rows are sorted, after a "-" if in descending order."""
        parameter = self.parameters.get("sort", "")
        return (
            parameter if parameter.lstrip("-") in self.definition.by_name else self.definition.sort(self.filter_values)
        )

    @property
    def sorted_by(self) -> Column:
        """Return the column by which rows are sorted."""
        return self.definition.by_name[self.sort.lstrip("-")]

    def matching_rows(self) -> QuerySet[Any]:
        """Return the rows that the reader may see and that match the filters, in no order."""
        readable_values = {name: _without_unreadable(value) for name, value in self.filter_values.items()}
        rows: QuerySet[Any] = self.definition.rows(self.reader, readable_values)
        if any(self.filter_values[name] and not value for name, value in readable_values.items()):
            return rows.none()  # a filter names only records that the reader cannot see
        filters_in_use = {
            name: (column, filter_)
            for name, (column, filter_) in self._filters.items()
            if self.filter_values.get(name) not in (None, "", [])
        }
        for column in {column.name: column for column, _ in filters_in_use.values()}.values():
            rows = rows.alias(**{column.alias: column.expression(self.reader)})
        for name, (_, filter_) in filters_in_use.items():
            rows = filter_.filter(rows, self.filter_values[name])
        return rows

    @cached_property
    def page_query(self) -> QuerySet[Any]:
        """Return the matching rows as a queryset that is built once, although a page shows, counts and groups them."""
        return self.matching_rows()

    @property
    def explanations(self) -> list[str]:
        """Return sentences that explain why rows match although their cells do not show the words of a filter."""
        sentences = {
            column.found_words: None
            for column in self.definition.columns
            if (text := self.filter_values.get(column.name)) and unquoted(str(text)) is None
        }
        return [sentence for sentence in sentences if sentence]

    @property
    def group(self) -> Column | None:
        """Return the column by which rows are counted, or None if the reader chose none."""
        column = self.definition.by_name.get(self.parameters.get("group", ""))
        return column if column is not None and column.is_grouped else None

    @property
    def summed(self) -> list[Column]:
        """Return the columns whose sums are shown with the counts of groups."""
        return [column for column in self.columns if column.is_summed]

    def countable_rows(self) -> QuerySet[Any]:
        """Return the rows to group and sum, in no order. If the list is too long, these are only its newest rows."""
        return self._newest(self.page_query).order_by()

    def sortable(self) -> QuerySet[Any]:
        """Return the rows with `list_sort`, the value by which they are sorted."""
        column = self.sorted_by
        rows = self.page_query.alias(**{column.alias: column.expression(self.reader)})
        sortable_rows: QuerySet[Any] = rows.annotate(list_sort=column.sort_expression(self.reader))
        return sortable_rows

    def rows_to_show(self) -> QuerySet[Any]:
        """Return the rows for pages, not ordered.

        If the list is too long to sort by this column, return only the newest rows.
        """
        return self._newest(self.sortable()) if self._is_resorted else self.sortable()

    @property
    def _is_resorted(self) -> bool:
        """Return whether the reader sorts by another column than the default."""
        return self.sorted_by.name != self.definition.sort(self.filter_values).lstrip("-")

    @cached_property
    def older(self) -> int | None:
        """Return the id of the newest row that is left out of sorting and counting, or None if none is left out.

        A list with `max_sorted` sorts and groups only that many of its newest rows, because more would be too slow.
        """
        max_sorted = self.definition.max_sorted
        if max_sorted is None or not (self._is_resorted or self.group):
            return None
        ids_newest_first = self.page_query.order_by("-pk").values_list("pk", flat=True)
        first_older_id = list(ids_newest_first[max_sorted : max_sorted + 1])
        return first_older_id[0] if first_older_id else None

    def _newest(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows without those that are too old to be sorted and counted."""
        return rows if self.older is None else rows.filter(pk__gt=self.older)

    @property
    def order(self) -> tuple[str, str]:
        """Return the columns by which `sortable` is ordered.

        The last column is unique, so that pages never repeat a row.
        """
        return ("-list_sort", "-pk") if self.sort.startswith("-") else ("list_sort", "pk")

    @property
    def nullable(self) -> tuple[str, ...]:
        """Return the sorting columns that may be null."""
        return ("list_sort",) if self.sorted_by.is_nullable else ()

    @property
    def sorting(self) -> list[OrderBy | str]:
        """Return the arguments for `sortable().order_by`."""
        return sorted_by(self.order, self.nullable)

    @property
    def is_plain(self) -> bool:
        """Return whether the list has no filters and the default order, whatever its columns and layout."""
        return set(self.parameters) <= _PLAIN and find_list(self.definition.slug) is self.definition

    def read_ahead(self, size: int, max_counted: int) -> None:
        """Read the first rows and count the rows of a plain list in one query.

        The query also reads what the page's header needs.
        """
        slug = self.definition.slug
        if self.is_plain:
            read_ahead(
                [
                    lookup(_first_rows, self.reader, slug=slug, size=size),
                    count_lookup(_ids_to_count, self.reader, slug=slug, size=max_counted),
                ]
            )

    def first(self, size: int) -> list[Any]:
        """Return the first rows in order. The SQL of a plain list is compiled once per process."""
        if self.is_plain:
            return rows_for(_first_rows, self.reader, slug=self.definition.slug, size=size)
        return list(self.rows_to_show().order_by(*self.sorting)[:size])

    def count(self, max_counted: int) -> int:
        """Return the number of rows, counted up to a limit."""
        if self.is_plain:
            return count_for(_ids_to_count, self.reader, slug=self.definition.slug, size=max_counted)
        return self.page_query.order_by()[:max_counted].count()

    def address(self, **changes: str) -> str:
        """Return the query string with some parameters changed. A parameter that is "" is removed."""
        changed_parameters = self.parameters.copy()
        for name, value in changes.items():
            changed_parameters.pop(name, None)
            if value:
                changed_parameters[name] = value
        return f"?{changed_parameters.urlencode()}" if changed_parameters else EVERYTHING

    @property
    def state(self) -> dict[str, Any]:
        """Return the filters and arrangement that a saved view stores, as JSON."""
        return {
            "filters": {name: self.parameters.getlist(name) for name in self.parameters if name not in ARRANGING},
            "columns": [column.name for column in self.columns] if self.has_chosen_columns else [],
            "sort": self.parameters.get("sort", ""),
            "group": self.parameters.get("group", ""),
            "look": self.parameters.get("look", ""),
        }


def _plain_listing(reader: Any, slug: str) -> Listing:
    """Return a list without filters, in its default order."""
    definition = find_list(slug)
    assert definition is not None, "Only registered lists are plain."
    return read(definition, reader, QueryDict())


def _first_rows(reader: Any, *, slug: str, size: int) -> QuerySet[Any]:
    """Return the first rows of a plain list.

    If no index has the list's order (`numbers_first`), PostgreSQL must sort all rows. To do so faster, it sorts only
    their ids, and reads the other columns for the first rows only. It then checks the rights of each of these few rows.
    """
    listing = _plain_listing(reader, slug)
    rows: QuerySet[Any] = listing.sortable().order_by(*listing.sorting)
    if not listing.definition.numbers_first:
        return rows[:size]
    first_ids = rows.select_related(None).values("pk")[:size]
    with for_a_few_records():
        full_rows = _plain_listing(reader, slug).sortable().order_by(*listing.sorting)
    return full_rows.filter(pk__in=first_ids)


def _ids_to_count(reader: Any, *, slug: str, size: int) -> QuerySet[Any]:
    """Return ids of rows of a plain list, to count them up to `size`.

    If an index has the list's order, the ids are in this order. PostgreSQL can then stop once it has enough of them.
    """
    listing = _plain_listing(reader, slug)
    if listing.definition.is_in_order:
        rows = listing.sortable().order_by(*listing.sorting)
    else:
        rows = listing.matching_rows().order_by()
    ids: QuerySet[Any] = rows.values_list("pk", flat=True)[:size]
    return ids


def _without_unreadable(value: Any) -> Any:
    """Return the value of a filter without the records that the reader cannot see."""
    if isinstance(value, list):
        return [item for item in value if item is not UNREADABLE]
    return None if value is UNREADABLE else value


def parameters_of(state: Mapping[str, Any]) -> QueryDict:
    """Return the parameters of the address that shows a saved view with this `state`."""
    parameters = QueryDict(mutable=True)
    for name, values in state.get("filters", {}).items():
        parameters.setlist(name, [str(value) for value in values])
    for name, value in (("columns", ",".join(state.get("columns", []))), ("sort", state.get("sort", ""))):
        if value:
            parameters[name] = value
    for name in ("group", "look"):
        if state.get(name):
            parameters[name] = state[name]
    return parameters


def read(definition: ListDefinition, reader: Any, address_parameters: QueryDict) -> Listing:
    """Return the list with the parameters of an address, without parameters that the list does not have."""
    limited_parameters = _limited(address_parameters)
    form = definition.form(limited_parameters, reader)
    filter_names = set(form.fields)
    for column in definition.columns:
        if not column.covered and column.name not in filter_names:
            filter_names |= set(column.parameters)

    parameters = QueryDict(mutable=True)
    for name in limited_parameters:
        if name in filter_names:
            parameters.setlist(name, limited_parameters.getlist(name))
    for name in ARRANGING:
        if address_parameters.get(name):
            parameters.setlist(name, [str(address_parameters[name])[:_MAX_LENGTH]])

    chosen_columns = _chosen_columns(definition, address_parameters)
    default_columns = [
        column for column in definition.columns if column.is_shown or _is_filtered_by(column, parameters)
    ]
    if chosen_columns:
        parameters["columns"] = ",".join(column.name for column in chosen_columns)
    else:
        parameters.pop("columns", None)
    return Listing(
        definition=definition,
        reader=reader,
        parameters=parameters,
        columns=chosen_columns or default_columns,
        has_chosen_columns=bool(chosen_columns),
        look=CARDS if address_parameters.get("look") == CARDS else TABLE,
        own_form=form,
    )


def _limited(address_parameters: QueryDict) -> QueryDict:
    """Return the parameters of an address without paging and empty values, cut to the limits."""
    limited_parameters = QueryDict(mutable=True)
    for name in address_parameters:
        values = [value[:_MAX_LENGTH] for value in address_parameters.getlist(name) if value][:_MAX_VALUES]
        if name not in PAGING_PARAMETERS and values:
            limited_parameters.setlist(name, values)
    return limited_parameters


def read_again(definition: ListDefinition, reader: Any, query: str) -> Listing:
    """Return the list with the parameters of a stored query string."""
    return read(definition, reader, QueryDict(query))


def _is_filtered_by(column: Column, parameters: QueryDict) -> bool:
    """Return whether a filter in use is on this column, so that the list shows the column."""
    names = {column.covered} if column.covered else {column.name, *column.parameters}
    return any(name in parameters for name in names)


def _chosen_columns(definition: ListDefinition, address_parameters: QueryDict) -> list[Column]:
    """Return the columns that the reader chose, in their order, or an empty list for the default columns.

    The list's first column is always included, because it names the row.
    """
    if "show" in address_parameters:  # the form “Choose columns” sends a position for each column
        position_by_name = {name: _position(address_parameters.get(f"place-{name}", "")) for name in definition.by_name}
        ticked_names = [name for name in definition.by_name if name in address_parameters.getlist("show")]
        names = sorted(ticked_names, key=lambda name: position_by_name[name])
    else:
        names = [name for name in address_parameters.get("columns", "").split(",") if name in definition.by_name]
    if not names:
        return []
    if definition.first.name not in names:
        names.insert(0, definition.first.name)
    return [definition.by_name[name] for name in dict.fromkeys(names)]


def _position(text: str) -> int:
    """Return the position that the reader typed. Anything but a number under 1,000 puts the column last."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 999
