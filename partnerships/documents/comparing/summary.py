"""All changes in one paragraph, and their net difference of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from partnerships.documents.comparing.change import SHORT, Change
from partnerships.documents.comparing.wording import cut, more_or_fewer
from partnerships.documents.schema import Collection
from partnerships.kit.text import counted


def count_difference(found: Iterable[Change], collection: Collection) -> int:
    """The net difference of counts, with added and removed items."""
    counts, difference = collection.counts, 0
    if counts is None:
        return 0
    for change in found:
        if change.what == counts.code:
            difference += change.difference or 0
        elif change.what == collection.one and change.kind == "added":
            difference += counts.total(change.now)
        elif change.what == collection.one and change.kind == "removed":
            difference -= counts.total(change.was)
    return difference


def summary(found: Sequence[Change]) -> str:
    """All changes in one paragraph; "Nothing changed." when there are none."""
    if not found:
        return "Nothing changed."
    sentences = [f"{counted(len(found), 'change')}."]
    for collection in found[0].schema.collections:
        sentences += _counts(found, collection)
    for collection in found[0].schema.collections:
        for kind in ("added", "removed", "moved"):
            names = [change.label for change in found if change.what == collection.one and change.kind == kind]
            if names:
                sentences.append(f"{counted(len(names), collection.one)} {kind}: {_some(names)}.")
    slips = [change for change in found if change.slippage and change.slippage.amount]
    for direction, later in (("later", True), ("earlier", False)):
        moved = [change for change in slips if change.slippage and (change.slippage.amount > 0) is later]
        if moved:
            named = [f"{change.label or change.field_label} {change.slippage_words}" for change in moved]
            sentences.append(f"{counted(len(moved), 'date')} {direction}: {_some(named)}.")
    texts = dict.fromkeys(change.label or "the summary" for change in found if change.is_text)
    if texts:
        sentences.append(f"Text changed in {_some(list(texts))}.")
    mentioned = {id(change) for change in slips}
    other = dict.fromkeys(
        f"{change.label}" if change.label else change.field_label.lower()
        for change in found
        if change.kind == "changed" and not change.is_text and not change.is_count and id(change) not in mentioned
    )
    if other:
        sentences.append(f"Details changed in {_some(list(other))}.")
    return " ".join(sentences)


def why_not_minor(found: Iterable[Change]) -> str:
    """Why a version with these changes cannot be minor; "" where it can."""
    sentences = [change.sentence() for change in found if change.is_substantive]
    if not sentences:
        return ""
    more = f"; and {len(sentences) - 3:,} more" if len(sentences) > 3 else ""
    return (
        "This cannot be a minor version, because it changes homes, dates, money or parties: "
        f"{'; '.join(sentences[:3])}{more}."
    )


def _counts(found: Sequence[Change], collection: Collection) -> list[str]:
    """Sentences on the difference of the total, and on at most three moves between lines."""
    counts = collection.counts
    if counts is None:
        return []
    mine = [change for change in found if change.what == counts.code]
    difference = count_difference(found, collection)
    sentences = []
    if difference:
        sentences.append(f"{more_or_fewer(difference)} {counts.one if difference == 1 else counts.many} in all.")
    elif any(not change.has_moved for change in mine):
        sentences.append(f"The same number of {counts.many} as before, divided differently.")
    moved: Counter[str] = Counter()
    for change in mine:
        if change.has_moved:
            moved[f"from {change.was_words} to {change.now_words}"] += change.now
    for between, number in list(moved.items())[:3]:
        sentences.append(f"{number:,} {counts.one if number == 1 else counts.many} moved {between}.")
    return sentences


def _some(names: list[str], limit: int = 3) -> str:
    short = [cut(name, SHORT) for name in names]
    if len(short) <= limit:
        return " and ".join([", ".join(short[:-1]), short[-1]]) if len(short) > 1 else short[0]
    return f"{', '.join(short[:limit])} and {len(short) - limit:,} more"
