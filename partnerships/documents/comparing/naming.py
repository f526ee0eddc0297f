"""The names behind keys and codes.

Items of other collections, and registers such as areas.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

from partnerships.documents.comparing.wording import value_in_words
from partnerships.documents.schema import Content, Field, Schema

#: Names by code, by the shape of the fields that hold the codes: {"area": {"E07000228": "Mid Sussex"}}.
Registers: TypeAlias = Mapping[str, Mapping[str, str]]
NO_REGISTERS: Registers = MappingProxyType({})


class Names:
    """The names of items in some contents, and of codes in registers."""

    def __init__(self, schema: Schema, *contents: Content, registers: Registers = NO_REGISTERS) -> None:
        self._schema = schema
        self._contents = contents
        self._registers = registers

    @cached_property
    def _items(self) -> dict[str, dict[str, str]]:
        """Titles by key, for each collection that some field points to."""
        fields = (field for collection in self._schema.collections for field in collection.fields)
        titles = {}
        for code in {field.collection for field in fields if field.collection}:
            title = self._schema.collection_by_code[code].title
            titles[code] = {item["key"]: item[title] for content in self._contents for item in content[code]}
        return titles

    def in_words(self, field: Field, value: Any) -> str:
        """The value of a field for people, with names for keys and codes."""
        if field.shape in self._registers:
            return self._registers[field.shape].get(value, value)
        if field.shape == "item":
            schema = self._schema
            if not value:
                return f"the whole {schema.one}"
            missing = f"a {schema.collection_by_code[field.collection].one} that is not in the {schema.one}"
            return self._items[field.collection].get(value, missing)
        return value_in_words(field, value)

    def both_in_words(self, field: Field, was: Any, now: Any) -> tuple[str, str]:
        """Two different keys or codes in words.

        ("", "") for fields that hold neither.
        """
        if field.shape != "item" and field.shape not in self._registers:
            return "", ""
        return told_apart(self.in_words(field, was), self.in_words(field, now))


def told_apart(was: str, now: str) -> tuple[str, str]:
    """The words for two different things, which may have the same name."""
    return was, now if was != now else f"{now} (another of that name)"
