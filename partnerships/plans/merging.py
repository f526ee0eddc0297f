"""Joining two lines of work on one plan, piece by piece: what was published elsewhere meanwhile goes into the draft."""

from __future__ import annotations

from .content import ABOUT, COLLECTIONS, Content, Item


def rebase(draft: Content, was: Content, now: Content) -> Content:
    """Give the draft, begun from `was`, as if it had begun from `now`.

    Pieces that the draft left alone become as they are in `now`; pieces that it changed, added or removed stay as the
    draft has them.
    """
    about = {
        field.code: now["about"][field.code]
        if draft["about"][field.code] == was["about"][field.code]
        else draft["about"][field.code]
        for field in ABOUT
    }
    merged: Content = {"about": about}
    for collection in COLLECTIONS:
        merged[collection.code] = _merged(draft[collection.code], was[collection.code], now[collection.code])
    return merged


def _merged(draft: list[Item], was: list[Item], now: list[Item]) -> list[Item]:
    before = {item["key"]: item for item in was}
    after = {item["key"]: item for item in now}
    result: list[Item] = []
    for item in draft:
        key = item["key"]
        if item != before.get(key):
            result.append(item)
        elif key in after:
            result.append(after[key])
    known = {item["key"] for item in draft} | set(before)
    result += [item for item in now if item["key"] not in known]
    if [item["key"] for item in draft] == [item["key"] for item in was]:
        place = {item["key"]: number for number, item in enumerate(now)}
        result.sort(key=lambda item: place.get(item["key"], len(now)))
    return result
