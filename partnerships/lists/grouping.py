"""Group the rows of a list by a column, with the number and the sums of the rows of each group."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Count, Sum, Value
from django.db.models.functions import NullIf

from partnerships.kit.lists import Column, Kind, quoted
from partnerships.lists.presenting import in_words
from partnerships.lists.reading import Listing

#: A list shows this many groups, the largest first.
MAX_GROUPS = 100


@dataclass(frozen=True, slots=True)
class Group:
    """The number and the sums of rows with the same value in one column, and the address of a list of these rows."""

    label: str
    href: str
    count: int
    sums: list[str]


def groups(listing: Listing) -> list[Group]:
    """Return the rows grouped by the chosen column, or no groups if none is chosen."""
    column = listing.group
    if column is None:
        return []
    group_counts = count_groups(listing, column)
    label_by_key = _labels(column, [group.key for group in group_counts])
    can_filter = _can_filter_by_key(listing, column)
    shown_groups = []
    for group in group_counts:
        label = label_by_key.get(group.key, "")
        shown_groups.append(
            Group(
                label=label or "None",
                href=_group_href(listing, column, group.key) if can_filter and label else "",
                count=group.row_count,
                sums=[_sum_in_words(group, summed_column) for summed_column in listing.summed],
            )
        )
    return shown_groups


@dataclass(frozen=True, slots=True)
class GroupCount:
    """The number and the sums of the rows with the same key in one column."""

    key: Any
    row_count: int
    #: By the name of the summed column.
    sums: Mapping[str, Any]
    #: The names of summed columns with figures in different units.
    columns_with_several_units: Collection[str]


def count_groups(listing: Listing, column: Column) -> list[GroupCount]:
    """Return the number and the sums of the rows for each key of a column, the largest group first."""
    keyed_rows = listing.countable_rows().annotate(list_group=column.expression(listing.reader)).values("list_group")
    sums = {f"sum_{summed.name}": Sum(summed.expression(listing.reader)) for summed in listing.summed}
    unit_counts = {
        f"units_{summed.name}": _unit_count(listing, summed) for summed in listing.summed if summed.summed_by
    }
    group_rows = keyed_rows.annotate(list_count=Count("pk"), **sums, **unit_counts)
    return [
        GroupCount(
            key=row["list_group"],
            row_count=row["list_count"],
            sums={summed.name: row[f"sum_{summed.name}"] for summed in listing.summed},
            columns_with_several_units={
                summed.name for summed in listing.summed if summed.summed_by and row[f"units_{summed.name}"] > 1
            },
        )
        for row in group_rows.order_by("-list_count", "list_group")[:MAX_GROUPS]
    ]


def _unit_count(listing: Listing, summed: Column) -> Count:
    """Return an expression for the number of different units of a column's figures, without empty units."""
    unit = listing.definition.by_name[summed.summed_by].expression(listing.reader)
    return Count(NullIf(unit, Value("")), distinct=True)


def _labels(column: Column, keys: Sequence[Any]) -> Mapping[Any, str]:
    """Return the labels of groups by their keys."""
    if column.kind is Kind.CHOICE:
        return dict(column.choices())
    if column.group_words is not None:
        return column.group_words([key for key in keys if key])
    return {key: in_words(key) for key in keys}


def _can_filter_by_key(listing: Listing, column: Column) -> bool:
    """Return whether a filter by the column accepts the key of a group, so that the group can link to its rows.

    A filter with choices takes the id of a record instead, except if the keys of the column are its choices.
    """
    has_own_filter = column.covered in ("", column.name)
    takes_choices = isinstance(listing.form.fields.get(column.name), forms.ChoiceField)
    return has_own_filter and (column.kind is Kind.CHOICE or not takes_choices)


def _group_href(listing: Listing, column: Column, key: Any) -> str:
    """Return the address of the list of a group's rows, or "" if the key is too long for a filter."""
    # Quotation marks make a filter by text match the whole value.
    filter_value = quoted(key) if column.kind is Kind.TEXT else str(key)
    return listing.address(**{column.name: filter_value, "group": ""}) if filter_value else ""


def _sum_in_words(group: GroupCount, column: Column) -> str:
    """Return the sum of a group in words, or "Several units" if its rows have different units."""
    # Figures in different units have no sum.
    return "Several units" if column.name in group.columns_with_several_units else in_words(group.sums[column.name])
