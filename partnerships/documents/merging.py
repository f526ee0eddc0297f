"""Merge two people's edits of a document, field by field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from partnerships.documents.schema import Collection, Content, Counts, Field, Item, Schema


def fingerprints(item: Item) -> dict[str, str]:
    """Return a short hash of each field of an item, which shows later whether the field has changed."""
    texts = {code: json.dumps(value, sort_keys=True, default=str) for code, value in item.items()}
    return {code: hashlib.sha256(text.encode()).hexdigest()[:16] for code, text in texts.items()}


def merge_edits(
    own_item: Item, colleague_item: Item, fingerprints_seen: Mapping[str, str], codes: Iterable[str]
) -> Item | None:
    """Return an item with the edits of two people, or None if both changed the same field to different values.

    `fingerprints_seen` are the fingerprints of the item that the author of `own_item` opened. `codes` are the fields
    of the author's form.
    """
    own_fingerprints, colleague_fingerprints = fingerprints(own_item), fingerprints(colleague_item)
    changed_codes = [
        code for code in codes if code in own_item and own_fingerprints[code] != fingerprints_seen.get(code)
    ]
    for code in changed_codes:
        if colleague_fingerprints.get(code) not in (fingerprints_seen.get(code), own_fingerprints[code]):
            return None
    return {**colleague_item, **{code: own_item[code] for code in changed_codes}}


def rebase(schema: Schema, draft: Content, old_base: Content, new_base: Content) -> Content:
    """Return the new base with the changes that the draft made to its old base.

    Each field of an item, each counted line and the order of each list is merged separately. For example, if the
    draft changed the title of a site and the new base changed its homes, the result has the new title and the new
    homes. If both changed the title, the draft's title remains.

    Items that the draft added or changed remain even if the new base has removed them. Items that the draft removed
    remain removed.
    """
    merged: Content = {"about": _merge_fields(schema.about, draft["about"], old_base["about"], new_base["about"])}
    for collection in schema.collections:
        code = collection.code
        merged[code] = _merge_list(collection, draft[code], old_base[code], new_base[code])
    return merged


def _merge_list(collection: Collection, draft: list[Item], old_base: list[Item], new_base: list[Item]) -> list[Item]:
    """Return the items of a list of the draft, merged with those of the new base, in their merged order."""
    old_items = {item["key"]: item for item in old_base}
    new_items = {item["key"]: item for item in new_base}
    merged_items: list[Item] = []
    for item in draft:
        key = item["key"]
        if key in old_items and key in new_items:
            merged_items.append(_merge_item(collection, item, old_items[key], new_items[key]))
        elif item != old_items.get(key):
            # The draft added the item, or changed the item while the new base removed it.
            merged_items.append(item)
    draft_keys = [item["key"] for item in draft]
    # An item that is missing from the draft but was in the old base is one that the draft has removed.
    earlier_keys = {*draft_keys, *old_items}
    merged_items += [item for item in new_base if item["key"] not in earlier_keys]
    return _in_order(merged_items, draft_keys, list(old_items), list(new_items))


def _in_order(items: list[Item], draft_keys: list[str], old_keys: list[str], new_keys: list[str]) -> list[Item]:
    """Return the items in the order of the new base, unless the draft has changed the order of its old base.

    An item that the draft added is placed after the item that it follows in the draft. An item that the draft changed
    and the new base removed comes last.
    """
    draft_key_set, old_key_set = set(draft_keys), set(old_keys)
    shared_keys_in_draft = [key for key in draft_keys if key in old_key_set]
    shared_keys_in_old_base = [key for key in old_keys if key in draft_key_set]
    if shared_keys_in_draft != shared_keys_in_old_base:
        return items

    item_by_key = {item["key"]: item for item in items}
    position_by_key = {key: index for index, key in enumerate(new_keys)}
    added_keys = [
        key for key in draft_keys if key in item_by_key and key not in old_key_set and key not in position_by_key
    ]
    based_keys = [key for key in item_by_key if key not in added_keys]
    ordered_keys = sorted(based_keys, key=lambda key: position_by_key.get(key, len(new_keys)))
    previous_key_by_key = dict(zip(draft_keys[1:], draft_keys, strict=False))
    for key in added_keys:
        previous_key = previous_key_by_key.get(key)
        if previous_key is None:
            ordered_keys.insert(0, key)
        elif previous_key in ordered_keys:
            ordered_keys.insert(ordered_keys.index(previous_key) + 1, key)
        else:
            ordered_keys.append(key)
    return [item_by_key[key] for key in ordered_keys]


def _merge_item(collection: Collection, draft: Item, old_base: Item, new_base: Item) -> Item:
    """Return the new base of an item with the fields and counts that the draft changed."""
    if draft == old_base:
        return new_base
    if new_base == old_base:
        return draft
    merged = {"key": draft["key"], **_merge_fields(collection.fields, draft, old_base, new_base)}
    if collection.counts:
        merged[collection.counts.code] = _merge_counts(collection.counts, draft, old_base, new_base)
    return merged


def _merge_fields(fields: Iterable[Field], draft: Item, old_base: Item, new_base: Item) -> dict[str, Any]:
    """Return the draft's value of each field that the draft changed, and the new base's value of the others."""
    codes = (field.code for field in fields)
    return {code: new_base[code] if draft[code] == old_base[code] else draft[code] for code in codes}


def _merge_counts(counts: Counts, draft: Item, old_base: Item, new_base: Item) -> list[Item]:
    """Return the counted lines. A line has the draft's count if the draft changed it, else the new base's."""
    draft_counts, old_counts, new_counts = (counts.by_line(item) for item in (draft, old_base, new_base))
    merged = {}
    for line in {*draft_counts, *old_counts, *new_counts}:
        is_changed_in_draft = draft_counts.get(line, 0) != old_counts.get(line, 0)
        merged[line] = (draft_counts if is_changed_in_draft else new_counts).get(line, 0)
    return counts.items(merged)
