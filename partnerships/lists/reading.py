"""A list with the filters, columns and order of an address or a saved view, and the rows that it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.db.models import Count, QuerySet, Sum, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import NullIf
from django.http import QueryDict

from partnerships.kit.active_filters import PAGING_PARAMETERS
from partnerships.kit.http import sorted_by
from partnerships.kit.lists import Column, ListDefinition, find_list, unquoted
from partnerships.kit.record_fields import UNREADABLE
from partnerships.organisations.holdings import one_by_one
from partnerships.organisations.statements import count_for, count_lookup, lookup, read_ahead, rows_for

#: Parameters that arrange a list; all others are filters. `from` is the saved view that the reader then changed.
ARRANGING = ("columns", "sort", "group", "look", "from")
TABLE, CARDS = "table", "cards"
#: Parameters that change neither the rows nor their order.
_PLAIN = frozenset({"columns", "look", "from"})
#: The query string of a list without filters, whatever view it opens with.
EVERYTHING = "?view="
#: A list shows this many groups, the largest first.
MAX_GROUPS = 100
#: Values of one parameter, and characters of a value, that are read from an address.
_MAX_VALUES, _MAX_LENGTH = 100, 200


@dataclass
class Listing:
    """A list as one reader wants it: with filters, columns and order.

    `parameters` are those of its address, without the page.
    """

    definition: ListDefinition
    reader: Any
    parameters: QueryDict
    columns: Sequence[Column]
    has_chosen_columns: bool
    look: str
    #: The list's own filters, with what was sent.
    own_form: forms.Form
    _filters: dict[str, tuple[Column, Any]] = field(default_factory=dict)

    @cached_property
    def form(self) -> forms.Form:
        """The list's own filters, and those of its columns that are shown or in use."""
        form = self.own_form
        shown = {column.name for column in self.columns}
        for column in self.definition.columns:
            if column.covered or column.name in form.fields:
                continue
            if column.name in shown or any(self.parameters.get(name) for name in column.parameters):
                self._filters |= {name: (column, filter_) for name, filter_ in column.filters().items()}
        form.fields |= {name: filter_.field for name, (_, filter_) in self._filters.items()}
        return form

    @cached_property
    def chosen(self) -> dict[str, Any]:
        """The values of the filters that are valid."""
        self.form.is_valid()
        return self.form.cleaned_data

    @cached_property
    def sort(self) -> str:
        """The name of the column that the rows are sorted by, with "-" for the last first."""
        parameter = self.parameters.get("sort", "")
        return parameter if parameter.lstrip("-") in self.definition.by_name else self.definition.sort(self.chosen)

    @property
    def sorted_by(self) -> Column:
        """The column that the rows are sorted by."""
        return self.definition.by_name[self.sort.lstrip("-")]

    def found(self) -> QuerySet[Any]:
        """The rows that the reader may see and the filters find; not ordered."""
        readable_values = {name: _without_unreadable(value) for name, value in self.chosen.items()}
        rows: QuerySet[Any] = self.definition.rows(self.reader, readable_values)
        if any(self.chosen[name] and not value for name, value in readable_values.items()):
            return rows.none()  # a filter names only records that the reader cannot see
        filters_in_use = {
            name: (column, filter_)
            for name, (column, filter_) in self._filters.items()
            if self.chosen.get(name) not in (None, "", [])
        }
        for column in {column.name: column for column, _ in filters_in_use.values()}.values():
            rows = rows.alias(**{column.alias: column.expression(self.reader)})
        for name, (_, filter_) in filters_in_use.items():
            rows = filter_.filter(rows, self.chosen[name])
        return rows

    @cached_property
    def of_page(self) -> QuerySet[Any]:
        """The rows as of now, composed once: a page shows some of them and counts them."""
        return self.found()

    @property
    def explanations(self) -> list[str]:
        """Sentences that say why filters in use find rows in which the words are not shown."""
        sentences = {
            column.found_words: None
            for column in self.definition.columns
            if (words := self.chosen.get(column.name)) and unquoted(str(words)) is None
        }
        return [sentence for sentence in sentences if sentence]

    @property
    def group(self) -> Column | None:
        """The column that the rows are counted by, if one was chosen."""
        column = self.definition.by_name.get(self.parameters.get("group", ""))
        return column if column is not None and column.is_grouped else None

    @property
    def summed(self) -> list[Column]:
        """The columns whose sums are shown beside the counts."""
        return [column for column in self.columns if column.is_summed]

    def counted(self, column: Column) -> list[dict[str, Any]]:
        """Counts and sums of the rows by the key of a column (`list_group`), the largest group first.

        For a sum of quantities, it also counts the different units (`kinds_quantity`).
        """
        rows = self._newest(self.of_page).order_by()
        rows = rows.annotate(list_group=column.expression(self.reader)).values("list_group")
        sums = {f"sum_{column.name}": Sum(column.expression(self.reader)) for column in self.summed}
        kinds = {
            f"kinds_{column.name}": Count(
                NullIf(self.definition.by_name[column.summed_by].expression(self.reader), Value("")), distinct=True
            )
            for column in self.summed
            if column.summed_by
        }
        return list(
            rows.annotate(list_count=Count("pk"), **sums, **kinds).order_by("-list_count", "list_group")[:MAX_GROUPS]
        )

    def sortable(self) -> QuerySet[Any]:
        """The rows with the value that they are sorted by (see `order`)."""
        column = self.sorted_by
        rows = self.of_page.alias(**{column.alias: column.expression(self.reader)})
        sortable: QuerySet[Any] = rows.annotate(list_sort=column.sort_expression(self.reader))
        return sortable

    def listed(self) -> QuerySet[Any]:
        """The rows of a page. If the list is too long to sort by this column, only its newest rows."""
        return self._newest(self.sortable()) if self._is_resorted else self.sortable()

    @property
    def _is_resorted(self) -> bool:
        """Whether it is sorted by another column than its default."""
        return self.sorted_by.name != self.definition.sort(self.chosen).lstrip("-")

    @cached_property
    def older(self) -> int | None:
        """The id of the newest row that is too old to be sorted and counted; None if all rows are."""
        max_sorted = self.definition.max_sorted
        if max_sorted is None or not (self._is_resorted or self.group):
            return None
        return next(iter(self.of_page.order_by("-pk").values_list("pk", flat=True)[max_sorted : max_sorted + 1]), None)

    def _newest(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that are newer than `older`."""
        return rows if self.older is None else rows.filter(pk__gt=self.older)

    @property
    def order(self) -> tuple[str, str]:
        """The order of `sortable`; it ends in a unique key."""
        return ("-list_sort", "-pk") if self.sort.startswith("-") else ("list_sort", "pk")

    @property
    def nullable(self) -> tuple[str, ...]:
        """Columns of the order that may be null."""
        return ("list_sort",) if self.sorted_by.is_nullable else ()

    @property
    def sorting(self) -> list[OrderBy | str]:
        """The order of `sortable`, as the database takes it."""
        return sorted_by(self.order, self.nullable)

    @property
    def is_plain(self) -> bool:
        """Whether it has no filters and the default order, so that only columns and look may be chosen."""
        return set(self.parameters) <= _PLAIN and find_list(self.definition.slug) is self.definition

    def read_ahead(self, size: int, max_counted: int) -> None:
        """Read in one query what `first`, `count` and the page's header need."""
        slug = self.definition.slug
        if self.is_plain:
            read_ahead(
                [
                    lookup(_first_rows, self.reader, slug=slug, size=size),
                    count_lookup(_some_rows, self.reader, slug=slug, size=max_counted),
                ]
            )

    def first(self, size: int) -> list[Any]:
        """The first rows in order. The SQL of the plain list is composed once per process."""
        if self.is_plain:
            return rows_for(_first_rows, self.reader, slug=self.definition.slug, size=size)
        return list(self.listed().order_by(*self.sorting)[:size])

    def count(self, max_counted: int) -> int:
        """The number of rows, counted up to a limit."""
        if self.is_plain:
            return count_for(_some_rows, self.reader, slug=self.definition.slug, size=max_counted)
        return self.of_page.order_by()[:max_counted].count()

    def address(self, **changes: str) -> str:
        """The query string with some parameters changed; "" removes one."""
        changed = self.parameters.copy()
        for name, value in changes.items():
            changed.pop(name, None)
            if value:
                changed[name] = value
        return f"?{changed.urlencode()}" if changed else EVERYTHING

    @property
    def state(self) -> dict[str, Any]:
        """The filters and arrangement that a saved view stores, as JSON."""
        return {
            "filters": {name: self.parameters.getlist(name) for name in self.parameters if name not in ARRANGING},
            "columns": [column.name for column in self.columns] if self.has_chosen_columns else [],
            "sort": self.parameters.get("sort", ""),
            "group": self.parameters.get("group", ""),
            "look": self.parameters.get("look", ""),
        }


def _plain(reader: Any, slug: str) -> Listing:
    definition = find_list(slug)
    assert definition is not None, "Only lists that are registered are plain."
    return read(definition, reader, QueryDict())


def _first_rows(reader: Any, *, slug: str, size: int) -> QuerySet[Any]:
    listed = _plain(reader, slug)
    rows: QuerySet[Any] = listed.sortable().order_by(*listed.sorting)
    if not listed.definition.numbers_first:
        return rows[:size]
    with one_by_one():
        whole = _plain(reader, slug).sortable().order_by(*listed.sorting)
    return whole.filter(pk__in=rows.select_related(None).values("pk")[:size])


def _some_rows(reader: Any, *, slug: str, size: int) -> QuerySet[Any]:
    """Ids of rows, to count them. In order if an index has the order: PostgreSQL then stops when there are enough."""
    listed = _plain(reader, slug)
    in_order = listed.definition.is_in_order
    ordered_rows = listed.sortable().order_by(*listed.sorting) if in_order else listed.found().order_by()
    rows: QuerySet[Any] = ordered_rows.values_list("pk", flat=True)[:size]
    return rows


def _without_unreadable(value: Any) -> Any:
    """The value of a filter without records that the reader cannot see."""
    if isinstance(value, list):
        return [item for item in value if item is not UNREADABLE]
    return None if value is UNREADABLE else value


def parameters_of(state: Mapping[str, Any]) -> QueryDict:
    """The parameters of the address that shows a saved view with this `state`."""
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


def read(definition: ListDefinition, reader: Any, sent: QueryDict) -> Listing:
    """The list with these parameters; unknown ones are ignored."""
    columns = _columns(definition, sent)
    limited, parameters = QueryDict(mutable=True), QueryDict(mutable=True)
    for name in sent:
        values = [value[:_MAX_LENGTH] for value in sent.getlist(name) if value][:_MAX_VALUES]
        if name not in PAGING_PARAMETERS and values:
            limited.setlist(name, values)
    form = definition.form(limited, reader)
    fields = set(form.fields)
    for column in definition.columns:
        if not column.covered and column.name not in fields:
            fields |= set(column.parameters)
    for name in limited:
        if name in fields:
            parameters.setlist(name, limited.getlist(name))
    for name in ARRANGING:
        if sent.get(name):
            parameters.setlist(name, [str(sent[name])[:_MAX_LENGTH]])
    if columns:
        parameters["columns"] = ",".join(column.name for column in columns)
    else:
        parameters.pop("columns", None)
    return Listing(
        definition=definition,
        reader=reader,
        parameters=parameters,
        columns=columns
        or [column for column in definition.columns if column.is_shown or _is_filtered_by(column, parameters)],
        has_chosen_columns=bool(columns),
        look=CARDS if sent.get("look") == CARDS else TABLE,
        own_form=form,
    )


def read_again(definition: ListDefinition, reader: Any, query: str) -> Listing:
    """The list with the parameters of a query string."""
    return read(definition, reader, QueryDict(query))


def _is_filtered_by(column: Column, parameters: QueryDict) -> bool:
    """Whether a filter in use is on this column. The column is then shown."""
    names = {column.covered} if column.covered else {column.name, *column.parameters}
    return any(name in parameters for name in names)


def _columns(definition: ListDefinition, sent: QueryDict) -> list[Column]:
    """The columns that the reader chose, in their order, and always the first of the list; empty if they chose none."""
    if "show" in sent:  # sent by the form, with a place for each column
        places = {name: _place(sent.get(f"place-{name}", "")) for name in definition.by_name}
        names = sorted(
            (name for name in definition.by_name if name in sent.getlist("show")),
            key=lambda name: (places[name], list(definition.by_name).index(name)),
        )
    else:
        names = [name for name in sent.get("columns", "").split(",") if name in definition.by_name]
    if not names:
        return []
    first = definition.first.name
    return [definition.by_name[name] for name in dict.fromkeys([first, *names] if first not in names else names)]


def _place(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 999
