"""Find the names of items by their keys, and of codes in registers, such as areas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

from partnerships.documents.comparing.wording import value_in_words
from partnerships.documents.schema import Content, Field, Schema

#: Names by code, for each shape of field that contains such codes: {"area": {"E07000228": "Mid Sussex"}}.
Registers: TypeAlias = Mapping[str, Mapping[str, str]]
NO_REGISTERS: Registers = MappingProxyType({})


class Names:
    """The names of the items in some contents, and of codes in registers."""

    def __init__(self, schema: Schema, *contents: Content, registers: Registers = NO_REGISTERS) -> None:
        self._schema = schema
        self._contents = contents
        self._registers = registers

    @cached_property
    def _items(self) -> dict[str, dict[str, str]]:
        """Return the titles of items by key, for each collection to which a field refers."""
        fields = (field for collection in self._schema.collections for field in collection.fields)
        titles = {}
        for code in {field.collection for field in fields if field.collection}:
            title_field = self._schema.collection_by_code[code].title_field
            titles[code] = {item["key"]: item[title_field] for content in self._contents for item in content[code]}
        return titles

    def in_words(self, field: Field, value: Any) -> str:
        """Return the value of a field in words, with names instead of keys and codes."""
        if field.shape in self._registers:
            return self._registers[field.shape].get(value, value)
        if field.shape == "item":
            schema = self._schema
            if not value:
                return f"the whole {schema.singular}"
            unknown_item = (
                f"a {schema.collection_by_code[field.collection].singular} that is not in the {schema.singular}"
            )
            return self._items[field.collection].get(value, unknown_item)
        return value_in_words(field, value)

    def both_in_words(self, field: Field, old_value: Any, new_value: Any) -> tuple[str, str]:
        """Return the names of two different keys or codes, worded so that they differ.

        Returns two empty texts for a field without keys or codes.
        """
        if field.shape != "item" and field.shape not in self._registers:
            return "", ""
        return distinct_names(self.in_words(field, old_value), self.in_words(field, new_value))


def distinct_names(old_name: str, new_name: str) -> tuple[str, str]:
    """Return two names that differ, even if two items have the same name.

    For example, two areas called Newport become "Newport" and "Newport (another of that name)".
    """
    if old_name == new_name:
        return old_name, f"{new_name} (another of that name)"
    return old_name, new_name
