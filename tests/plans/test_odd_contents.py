"""Any value at any place of a plan's content is normalised or refused in words."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import pytest

from partnerships.plans.content import InvalidContent, normalise

CONTENT: dict[str, Any] = normalise(
    {
        "about": {"summary": "Homes by the estuary."},
        "outcomes": ["More homes"],
        "sections": ["Phases"],
        "sites": [
            {
                "name": "Quay",
                "homes": [{"tenure": "social_rent", "bedrooms": 2, "needs": "general", "year": "2027-28", "count": 9}],
            }
        ],
        "milestones": [{"name": "Start on site", "site": "quay", "forecast": "2027-05"}],
        "risks": [{"title": "Flooding", "likelihood": 2, "impact": 4}],
        "documents": [{"title": "Masterplan", "file_name": "masterplan.pdf", "size": 9}],
    }
)
ODD_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 10**30, 0.5, float("nan"), float("inf"), "", " ", "x", "\x00", "\ud800", "x" * 5000,
    "2026-02-30", [], [1], [None], [[]], ["x"], {}, {"x": 1}, {"key": 1}, {"name": [], "title": {}}, [{}],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of a value and of everything in it, for example ("sites", 0, "name")."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def with_odd_value(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """Return a copy of the value with an odd value at one path."""
    if not path:
        return odd
    copied_value = copy.copy(value)
    copied_value[path[0]] = with_odd_value(value[path[0]], path[1:], odd)
    return copied_value


@pytest.mark.parametrize("path", list(places(CONTENT)), ids=lambda path: "/".join(map(str, path)) or "whole")
def test_odd_value_at_any_place_is_normalised_or_refused(path: tuple[Any, ...]) -> None:
    for odd in ODD_VALUES:
        with contextlib.suppress(InvalidContent):
            content = normalise(with_odd_value(CONTENT, path, odd))

            assert normalise(content) == content


@pytest.mark.parametrize("odd", [True, 0, "", "9 homes", {}])
def test_homes_that_are_not_a_list_are_refused_in_words(odd: Any) -> None:
    with pytest.raises(InvalidContent, match="Enter a list of homes"):
        normalise(with_odd_value(CONTENT, ("sites", 0, "homes"), odd))
