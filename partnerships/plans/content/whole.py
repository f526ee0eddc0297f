"""Whole plans: making one regular, giving its items keys, and what outsiders may read of it."""

from __future__ import annotations

import re
from collections.abc import Collection as Collected
from collections.abc import Iterable, Mapping
from typing import Any

from partnerships.kit.dates import PartialDate
from partnerships.plans.content.homes import normalise_homes
from partnerships.plans.content.shape import (
    ABOUT,
    COLLECTION_BY_CODE,
    COLLECTIONS,
    SITES,
    Collection,
    Content,
    Field,
    Item,
)
from partnerships.plans.content.values import InvalidContent, Problem, read_field

MAX_ITEMS = 5_000
KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?", re.ASCII)


def empty() -> Content:
    """Give the content of a plan in which nothing has been written."""
    return normalise({})


def normalise_about(raw: Any, path: str = "about") -> Item:
    """Make what is said about the plan regular; raise InvalidContent."""
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem(path, "This must be a set of fields.")])
    return _fields(ABOUT, raw, path)


def period_fault(about: Item) -> list[Problem]:
    """What is wrong with a regular plan's period, if anything: its last day must not be before its first.

    Kept apart from what makes a plan regular: published plans and files hold such periods, and can still be read.
    """
    start, end = about["period_start"], about["period_end"]
    if start and end and PartialDate.parse(end).latest < PartialDate.parse(start).earliest:
        first = PartialDate.parse(start).words
        return [Problem("about/period_end", f"Period to must not be before {first}, where the period begins.")]
    return []


def normalise_item(collection: Collection, raw: Any, key: str, path: str = "") -> Item:
    """Make one item regular under the given key; raise InvalidContent."""
    path = path or f"{collection.code}/{key}"
    if isinstance(raw, str):
        raw = {collection.title: raw}
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem(path, f"This must be one {collection.one}.")])
    if not KEY.fullmatch(key):
        raise InvalidContent([Problem(f"{path}/key", f"“{key}” is not a key: use small letters, digits and hyphens.")])
    item = {"key": key, **_fields(collection.fields, raw, path)}
    if collection is SITES:
        item["homes"] = normalise_homes(raw.get("homes"), f"{path}/homes")
    return item


def _fields(fields: tuple[Field, ...], raw: Mapping[str, Any], path: str) -> Item:
    item: Item = {}
    problems: list[Problem] = []
    for spec in fields:
        try:
            item[spec.code] = read_field(spec, raw.get(spec.code, spec.default))
        except ValueError as error:
            problems.append(Problem(f"{path}/{spec.code}", str(error)))
    if problems:
        raise InvalidContent(problems)
    return item


def key_for(name: str, taken: Collected[str]) -> str:
    """Make a key from a name, unlike those already taken: the same names in the same order give the same keys."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80].strip("-") or "item"
    key, count = stem, 1
    while key in taken:
        count += 1
        key = f"{stem}-{count}"
    return key


def normalise(raw: Any, known: Content | None = None) -> Content:
    """Check a whole plan and make it regular; raise InvalidContent with every problem found.

    Missing lists and fields become empty ones, codes may be given by their labels, outcomes may be one text, and items
    without a key get one from their name. `known` is a regular content: what equals an item of it is regular too, and
    is not looked into again.
    """
    if not isinstance(raw, Mapping):
        raise InvalidContent([Problem("", "A plan must be a set of fields.")])
    problems: list[Problem] = []
    unknown = set(raw) - {"about", *COLLECTION_BY_CODE}
    problems += [Problem(str(code), "A plan has no such part.") for code in sorted(unknown, key=str)]
    content: Content = {"about": {}}
    try:
        content["about"] = normalise_about(raw.get("about") or {})
    except InvalidContent as error:
        problems += error.problems
    for collection in COLLECTIONS:
        items, found = _items(collection, raw.get(collection.code), known[collection.code] if known else ())
        content[collection.code] = items
        problems += found
    if problems:
        raise InvalidContent(problems)
    return content


def _items(collection: Collection, raw: Any, known: Iterable[Item]) -> tuple[list[Item], list[Problem]]:
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
    regular = {item["key"]: item for item in known}
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
        same = regular.get(key)
        if same is not None and same == entry:
            items.append(same)
            continue
        try:
            items.append(normalise_item(collection, entry, key, path))
        except InvalidContent as error:
            problems += error.problems
    return items, problems


def outside(content: Content) -> Content:
    """Give what readers of class *outside* may know: no confidential site, nothing of it, and no restricted text.

    A milestone whose site is no longer there may be that of a confidential one: it is not shown either.
    """
    visible: Content = {"about": content["about"]}
    for collection in COLLECTIONS:
        visible[collection.code] = [item for item in content[collection.code] if not item[collection.hidden_by]]
    shown = {"", *(site["key"] for site in visible["sites"])}
    visible["sites"] = [{**site, "notes": ""} if site["notes"] else site for site in visible["sites"]]
    visible["milestones"] = [milestone for milestone in visible["milestones"] if milestone["site"] in shown]
    return visible


def settle_milestones(content: Content, was: Content) -> Content:
    """Give the content with the milestones of sites that are gone from it settled, by what the sites were in `was`.

    A site that everybody knew leaves its milestones to the whole plan. A confidential one, or one that `was` does not
    know, keeps them secret after it: they become restricted.
    """
    present = {"", *(site["key"] for site in content["sites"])}
    if all(milestone["site"] in present for milestone in content["milestones"]):
        return content
    known = {site["key"] for site in was["sites"] if not site["confidential"]}
    settled = [
        milestone
        if milestone["site"] in present
        else {**milestone, "site": ""}
        if milestone["site"] in known
        else {**milestone, "restricted": True}
        for milestone in content["milestones"]
    ]
    return {**content, "milestones": settled}
