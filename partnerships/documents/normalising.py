"""Normalise contents.

One spelling of each value, every field present, a key for each item.
"""

from __future__ import annotations

import re
from collections.abc import Collection as Collected
from collections.abc import Iterable, Mapping
from typing import Any

from partnerships.documents.schema import Collection, Content, Field, Item, Schema
from partnerships.documents.values import InvalidContent, Problem, read_field

#: Items of one list in a plan or in terms, such as sites or clauses.
MAX_ITEMS = 5_000
KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?", re.ASCII)


def normalise(schema: Schema, raw: Any, known: Content | None = None) -> Content:
    """A whole content, checked and normalised.

    Raises `InvalidContent` with every problem found. Missing lists and fields become empty, choices may be given by
    their labels, items may be given as one text, and items without a key get one from their title. `known` is a
    normalised content: items that equal one of its items are not checked again.
    """
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem("", f"A {schema.one} must be a set of fields.")])
    problems: list[Problem] = []
    unknown = set(raw) - {"about", *schema.collection_by_code}
    problems += [Problem(str(code), f"A {schema.one} has no such part.") for code in sorted(unknown, key=str)]
    content: Content = {"about": {}}
    try:
        content["about"] = normalise_about(schema, raw.get("about") or {})
    except InvalidContent as error:
        problems += error.problems
    for collection in schema.collections:
        items, normalised = _items(
            schema, collection, raw.get(collection.code), known[collection.code] if known else ()
        )
        content[collection.code] = items
        problems += normalised
    if problems:
        raise InvalidContent(problems)
    return content


def normalise_about(schema: Schema, raw: Any, path: str = "about") -> Item:
    """The fields about the whole document, normalised. Raises `InvalidContent`."""
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem(path, "This must be a set of fields.")])
    return _fields(schema.about, raw, path)


def normalise_item(schema: Schema, collection: Collection, raw: Any, key: str, path: str = "") -> Item:
    """One item under the given key, normalised. Raises `InvalidContent`."""
    path = path or f"{collection.code}/{key}"
    if isinstance(raw, str):
        raw = {collection.title: raw}
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem(path, f"This must be one {collection.one}.")])
    if not KEY.fullmatch(key):
        raise InvalidContent([Problem(f"{path}/key", f"“{key}” is not a key: use a to z, digits and hyphens.")])
    item = {"key": key, **_fields(collection.fields, raw, path)}
    counts = collection.counts
    if counts:
        item[counts.code] = counts.normalise(raw.get(counts.code), f"{path}/{counts.code}")
    return item


def _fields(fields: tuple[Field, ...], raw: Mapping[str, Any], path: str) -> Item:
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


def key_for(name: str, taken: Collected[str]) -> str:
    """A key made from a name, not in `taken`.

    The same names in the same order give the same keys.
    """
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80].strip("-") or "item"
    key, count = stem, 1
    while key in taken:
        count += 1
        key = f"{stem}-{count}"
    return key


def _items(schema: Schema, collection: Collection, raw: Any, known: Iterable[Item]) -> tuple[list[Item], list[Problem]]:
    """The items of a collection, normalised, and the problems of those that are invalid."""
    if isinstance(raw, str):
        raw = [raw] if raw.strip() else []
    if raw is None:
        raw = []
    if not isinstance(raw, list | tuple):
        return [], [Problem(collection.code, "This must be a list.")]
    if len(raw) > MAX_ITEMS:
        return [], [Problem(collection.code, f"There are {len(raw):,} items; the limit is {MAX_ITEMS:,}.")]
    items: list[Item] = []
    problems: list[Problem] = []
    known_by_key = {item["key"]: item for item in known}
    taken = {str(entry["key"]) for entry in raw if isinstance(entry, Mapping) and entry.get("key")}
    used: set[str] = set()
    for place, entry in enumerate(raw):
        path = f"{collection.code}/{place + 1}"
        given = str(entry.get("key") or "") if isinstance(entry, Mapping) else ""
        name = entry.get(collection.title, "") if isinstance(entry, Mapping) else entry
        key = given or key_for(str(name), taken)
        if key in used:
            problems.append(Problem(path, f"The key “{key}” is used twice."))
            continue
        used.add(key)
        taken.add(key)
        same = known_by_key.get(key)
        if same is not None and same == entry:
            items.append(same)
            continue
        try:
            items.append(normalise_item(schema, collection, entry, key, path))
        except InvalidContent as error:
            problems += error.problems
    return items, problems


def without_hidden(schema: Schema, content: Content) -> Content:
    """The content without hidden items, and with restricted fields empty."""
    visible: Content = {"about": content["about"]}
    for collection in schema.collections:
        items = [item for item in content[collection.code] if not collection.hides(item)]
        for field in collection.fields:
            if field.restricted:
                items = [{**item, field.code: field.default} if item[field.code] else item for item in items]
        visible[collection.code] = items
    return visible


def completed(schema: Schema, content: Content) -> Content:
    """A stored content with the fields that its schema has got since, all of them empty."""
    full: Content = {**content, "about": _completed_item(schema.about, 0, content["about"])}
    for collection in schema.collections:
        more = 2 if collection.counts else 1  # the key, and the counted lines
        full[collection.code] = [
            _completed_item(collection.fields, more, item) for item in content.get(collection.code, ())
        ]
    return full


def _completed_item(fields: tuple[Field, ...], more: int, item: Item) -> Item:
    """The item itself where it has all fields: a plan has thousands."""
    if len(item) == len(fields) + more:
        return item
    return {field.code: field.default for field in fields} | item
