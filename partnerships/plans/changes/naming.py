"""What the keys and codes that a plan keeps stand for: sites and areas by their names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from partnerships.plans.changes.wording import value_in_words
from partnerships.plans.content import Content, Field

NO_AREAS: Mapping[str, str] = MappingProxyType({})


class Names:
    """The names of the sites in some contents (a later content's name counts), and of areas by GSS code."""

    def __init__(self, *contents: Content, areas: Mapping[str, str] = NO_AREAS) -> None:
        self._contents = contents
        self._areas = areas

    @cached_property
    def _sites(self) -> dict[str, str]:
        return {site["key"]: site["name"] for content in self._contents for site in content["sites"]}

    def say(self, field: Field, value: Any) -> str:
        """Say the value of a field for people, with names where it is a key or a code."""
        if field.shape == "area":
            return self._areas.get(value, value)
        if field.shape == "site":
            return self._sites.get(value, "a site that is not in the plan") if value else "the whole plan"
        return value_in_words(field, value)

    def say_both(self, field: Field, was: Any, now: Any) -> tuple[str, str]:
        """Say two values of a key or a code that differ; ("", "") for fields of other shapes."""
        if field.shape not in ("area", "site"):
            return "", ""
        return both_said(self.say(field, was), self.say(field, now))


def both_said(was: str, now: str) -> tuple[str, str]:
    """Tell two things that differ apart, though they may have one name."""
    return was, now if was != now else f"{now} (another of that name)"
