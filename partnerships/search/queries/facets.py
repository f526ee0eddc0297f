"""Counts the facets by which people narrow search results down, such as partnerships and years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from partnerships.search.queries.candidates import SearchFilters
from partnerships.search.sources.every import KINDS
from partnerships.search.sources.source import MatchingEntry

#: Limit of values that a facet shows, the most frequent first.
_MAX_CHOICES = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet, and the number of results with this value."""

    value: str
    label: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A property by which people can narrow results down."""

    name: str
    label: str
    choices: tuple[Choice, ...]


def useful_facets(
    entries: Sequence[MatchingEntry],
    filters: SearchFilters,
    organisation_names: Mapping[int, str],
    partnership_titles: Mapping[int, str],
) -> tuple[Facet, ...]:
    """Return the facets that would narrow the results down, counted among what the person may read."""
    kind_labels = {code: kind.plural for code, kind in KINDS.items()}
    facets = (
        _facet("kind", "Kind", entries, filters, kind_labels),
        _facet("partnership", "Partnership", entries, filters, partnership_titles),
        _facet("organisation", "Organisation", entries, filters, organisation_names),
        _facet("year", "Year", entries, filters),
    )
    return tuple(
        facet for facet in facets if len(facet.choices) > 1 or any(choice.is_chosen for choice in facet.choices)
    )


def _facet(
    name: str,
    label: str,
    entries: Sequence[MatchingEntry],
    filters: SearchFilters,
    label_by_value: Mapping[Any, str] | None = None,
) -> Facet:
    """Return a facet with its most frequent values and the chosen value.

    A facet is counted without its own filter, so that people can choose another value. Without labels, as for years,
    the values are their own labels, and the largest value comes first.
    """
    chosen_value = getattr(filters, name)
    no_filter: dict[str, Any] = {name: "" if name == "kind" else None}
    counts = Counter(_FACET_VALUE[name](entry) for entry in replace(filters, **no_filter).apply(entries))
    counts.pop(None, None)

    choices = [
        Choice(
            value=str(value),
            label=str(label_by_value[value] if label_by_value is not None else value),
            count=count,
            is_chosen=value == chosen_value,
        )
        for value, count in counts.items()
        if label_by_value is None or value in label_by_value
    ]
    if label_by_value is None:
        choices.sort(key=lambda choice: choice.value, reverse=True)
    else:
        choices.sort(key=lambda choice: (-choice.count, choice.label))
    shown = [choice for index, choice in enumerate(choices) if index < _MAX_CHOICES or choice.is_chosen]
    return Facet(name=name, label=label, choices=tuple(shown))


#: The value of an entry that each facet counts.
_FACET_VALUE: dict[str, Callable[[MatchingEntry], Any]] = {
    "kind": attrgetter("kind"),
    "partnership": attrgetter("partnership_id"),
    "organisation": attrgetter("organisation_id"),
    "year": lambda entry: entry.day.year if entry.day else None,
}
