"""Normalise contents: one form for each value, every field present, and a key for each item."""

from __future__ import annotations

import re
from collections.abc import Collection as Collected
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from partnerships.documents.schema import Collection, Content, Field, Item, Schema
from partnerships.documents.values import InvalidContent, Problem, read_field

#: The most items in one list of a document, such as sites of a plan or clauses of terms.
MAX_ITEMS = 5_000
KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?", re.ASCII)


def normalise(schema: Schema, raw: Any, valid: Content | None = None) -> Content:
    """Return a whole content, checked and normalised. Raises `InvalidContent` with every problem found.

    Missing lists and fields become empty. A choice may be given by its label. An item may be a single text, which
    becomes its title. Items without a key get a key made from their title. `valid` is a content that has been
    normalised before. To save time, items that are equal to items of it are not checked again.
    """
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem("", f"A {schema.singular} must be a set of fields.")])
    problems: list[Problem] = []
    unknown_codes = set(raw) - {"about", *schema.collection_by_code}
    problems += [
        Problem(str(code), f"A {schema.singular} has no part of this name. Remove it or correct its name.")
        for code in sorted(unknown_codes, key=str)
    ]
    content: Content = {"about": {}}
    try:
        content["about"] = normalise_about(schema, raw.get("about") or {})
    except InvalidContent as error:
        problems += error.problems
    for collection in schema.collections:
        valid_items = valid[collection.code] if valid else ()
        items, item_problems = _normalise_items(schema, collection, raw.get(collection.code), valid_items)
        content[collection.code] = items
        problems += item_problems
    if problems:
        raise InvalidContent(problems)
    return content


def normalise_about(schema: Schema, raw: Any, path: str = "about") -> Item:
    """Return the fields about the whole document, normalised. Raises `InvalidContent`."""
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem(path, "Enter a set of fields.")])
    return _normalise_fields(schema.about, raw, path)


def normalise_item(schema: Schema, collection: Collection, raw: Any, key: str, path: str = "") -> Item:
    """Return one item, normalised and with this key. Raises `InvalidContent`."""
    path = path or f"{collection.code}/{key}"
    if isinstance(raw, str):
        raw = {collection.title_field: raw}
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem(path, f"Enter one {collection.singular} here.")])
    if not KEY.fullmatch(key):
        raise InvalidContent([Problem(f"{path}/key", f"“{key}” cannot be a key. Use only a to z, digits and hyphens.")])
    item = {"key": key, **_normalise_fields(collection.fields, raw, path)}
    counts = collection.counts
    if counts:
        item[counts.code] = counts.normalise(raw.get(counts.code), f"{path}/{counts.code}")
    return item


def _normalise_fields(fields: tuple[Field, ...], raw: Mapping[str, Any], path: str) -> Item:
    """Return the values of all fields, normalised. Raises `InvalidContent` with the problems of every field."""
    item: Item = {}
    problems: list[Problem] = []
    for field in fields:
        try:
            item[field.code] = read_field(field, raw.get(field.code, field.default))
        except ValueError as error:
            problems.append(Problem(f"{path}/{field.code}", str(error)))
    if problems:
        raise InvalidContent(problems)
    return item


def key_for(name: str, existing_keys: Collected[str]) -> str:
    """Return a new key made from a name: "north-quay", or "north-quay-2" if that key exists.

    The same names in the same order give the same keys.
    """
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80].strip("-") or "item"
    key, suffix = stem, 1
    while key in existing_keys:
        suffix += 1
        key = f"{stem}-{suffix}"
    return key


def _entries(collection: Collection, raw: Any) -> Sequence[Any]:
    """Return the raw items of a collection. Raises `InvalidContent` if there is no list, or too many items."""
    if raw is None:
        return []
    if isinstance(raw, str):
        return [raw] if raw.strip() else []
    if not isinstance(raw, list | tuple):
        raise InvalidContent([Problem(collection.code, "Enter a list.")])
    if len(raw) > MAX_ITEMS:
        too_many = (
            f"There are {len(raw):,} {collection.plural_label.lower()}, and the limit is {MAX_ITEMS:,}. Remove some."
        )
        raise InvalidContent([Problem(collection.code, too_many)])
    return raw


def _normalise_items(
    schema: Schema, collection: Collection, raw: Any, valid_items: Iterable[Item]
) -> tuple[list[Item], list[Problem]]:
    """Return the valid items of a collection, normalised, and the problems of its invalid items."""
    try:
        entries = _entries(collection, raw)
    except InvalidContent as error:
        return [], list(error.problems)

    items: list[Item] = []
    problems: list[Problem] = []
    valid_by_key = {item["key"]: item for item in valid_items}
    existing_keys = {str(entry["key"]) for entry in entries if isinstance(entry, Mapping) and entry.get("key")}
    used_keys: set[str] = set()
    for position, entry in enumerate(entries, start=1):
        path = f"{collection.code}/{position}"
        own_key = str(entry.get("key") or "") if isinstance(entry, Mapping) else ""
        name = entry.get(collection.title_field, "") if isinstance(entry, Mapping) else entry
        key = own_key or key_for(str(name), existing_keys)
        if key in used_keys:
            problems.append(Problem(path, f"The key “{key}” is used twice. Use another key here."))
            continue
        used_keys.add(key)
        existing_keys.add(key)

        valid_item = valid_by_key.get(key)
        if valid_item is not None and valid_item == entry:
            items.append(valid_item)
            continue
        try:
            items.append(normalise_item(schema, collection, entry, key, path))
        except InvalidContent as error:
            problems += error.problems
    return items, problems


def without_hidden(schema: Schema, content: Content) -> Content:
    """Return the content that readers outside may see, without hidden items and with restricted fields empty."""
    visible: Content = {"about": content["about"]}
    for collection in schema.collections:
        items = [item for item in content[collection.code] if not collection.hides(item)]
        for field in collection.fields:
            if field.restricted:
                items = [{**item, field.code: field.default} if item[field.code] else item for item in items]
        visible[collection.code] = items
    return visible


def add_missing_fields(schema: Schema, content: Content) -> Content:
    """Return a stored content with an empty value for each field that was added to its schema later."""
    complete: Content = {**content, "about": _add_missing_fields_to_item(schema.about, 0, content["about"])}
    for collection in schema.collections:
        # An item has its key besides its fields, and may have counted lines.
        other_entries = 2 if collection.counts else 1
        complete[collection.code] = [
            _add_missing_fields_to_item(collection.fields, other_entries, item)
            for item in content.get(collection.code, ())
        ]
    return complete


def _add_missing_fields_to_item(fields: tuple[Field, ...], other_entries: int, item: Item) -> Item:
    """Return an item with all fields. `other_entries` is how many entries of an item are not fields."""
    # Copying thousands of items would be slow, so an item with all fields is returned itself.
    if len(item) == len(fields) + other_entries:
        return item
    return {field.code: field.default for field in fields} | item
