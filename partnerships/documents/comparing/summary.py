"""The summary of a comparison in sentences, such as “20 fewer homes in all.”, and the net difference of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from partnerships.documents.comparing.change import SHORT, Change
from partnerships.documents.comparing.wording import cut, more_or_fewer
from partnerships.documents.schema import Collection
from partnerships.kit.text import counted


def count_difference(changes: Iterable[Change], collection: Collection) -> int:
    """Return the net difference of the counts of a collection, including those of added and removed items."""
    counts = collection.counts
    if counts is None:
        return 0
    difference = 0
    for change in changes:
        if change.what == counts.code:
            difference += change.difference or 0
        elif change.what == collection.singular and change.kind == "added":
            difference += counts.total(change.now)
        elif change.what == collection.singular and change.kind == "removed":
            difference -= counts.total(change.was)
    return difference


def summary(changes: Sequence[Change]) -> str:
    """Return all changes in one paragraph, or "Nothing changed.".

    For example, "2 changes. 20 fewer homes in all. Details changed: North Quay."
    """
    if not changes:
        return "Nothing changed."
    collections = changes[0].schema.collections
    sentences = [f"{counted(len(changes), 'change')}."]
    for collection in collections:
        sentences += _sentences_on_counts(changes, collection)
    for collection in collections:
        sentences += _sentences_on_items(changes, collection)

    sentences += _sentences_on_dates(changes)

    # Dicts, because an item with several changes is named once.
    names_of_texts = dict.fromkeys(change.label or "the summary" for change in changes if change.is_text)
    if names_of_texts:
        sentences.append(f"Text changed: {_names_in_words(list(names_of_texts))}.")
    names_of_details = dict.fromkeys(
        change.label or change.field_label.lower() for change in changes if _is_detail(change)
    )
    if names_of_details:
        sentences.append(f"Details changed: {_names_in_words(list(names_of_details))}.")
    return " ".join(sentences)


def why_not_minor(changes: Iterable[Change]) -> str:
    """Return why a version with these changes cannot be minor; "" if it can."""
    sentences = [change.sentence() for change in changes if change.is_substantive]
    if not sentences:
        return ""
    remaining = f"; and {len(sentences) - 3:,} more" if len(sentences) > 3 else ""
    return (
        "This cannot be a minor version, because it changes homes, dates, money or parties: "
        f"{'; '.join(sentences[:3])}{remaining}."
    )


def _sentences_on_counts(changes: Sequence[Change], collection: Collection) -> list[str]:
    """Return sentences on the difference of the total, and on at most three moves between periods.

    For example, "20 fewer homes in all." and "5 homes moved from 2026-27 to 2027-28."
    """
    counts = collection.counts
    if counts is None:
        return []
    count_changes = [change for change in changes if change.what == counts.code]
    difference = count_difference(changes, collection)
    sentences = []
    if difference:
        sentences.append(f"{more_or_fewer(difference)} {counts.singular if difference == 1 else counts.plural} in all.")
    elif any(not change.has_moved for change in count_changes):
        sentences.append(f"The total number of {counts.plural} is the same, but they are divided differently.")

    total_by_move: Counter[str] = Counter()
    for change in count_changes:
        if change.has_moved:
            total_by_move[f"from {change.was_words} to {change.now_words}"] += change.now
    for move, total in list(total_by_move.items())[:3]:
        sentences.append(f"{total:,} {counts.singular if total == 1 else counts.plural} moved {move}.")
    return sentences


def _sentences_on_items(changes: Sequence[Change], collection: Collection) -> list[str]:
    """Return sentences on the items that were added, removed or moved."""
    sentences = []
    for kind in ("added", "removed", "moved"):
        names = [change.label for change in changes if change.what == collection.singular and change.kind == kind]
        if names:
            sentences.append(f"{counted(len(names), collection.singular)} {kind}: {_names_in_words(names)}.")
    return sentences


def _sentences_on_dates(changes: Sequence[Change]) -> list[str]:
    """Return sentences on the dates that are now later, and on the dates that are now earlier."""
    later_dates: list[str] = []
    earlier_dates: list[str] = []
    for change in changes:
        if change.slippage is not None and change.slippage.amount:
            dates = later_dates if change.slippage.amount > 0 else earlier_dates
            dates.append(f"{change.label or change.field_label} {change.slippage_words}")
    sentences = []
    if later_dates:
        sentences.append(f"{counted(len(later_dates), 'date')} later: {_names_in_words(later_dates)}.")
    if earlier_dates:
        sentences.append(f"{counted(len(earlier_dates), 'date')} earlier: {_names_in_words(earlier_dates)}.")
    return sentences


def _is_detail(change: Change) -> bool:
    """Return whether a change has no sentence of its own in a summary.

    Changes of texts and of counts have one, and so do dates that moved.
    """
    if change.kind != "changed" or change.is_text or change.is_count:
        return False
    return not (change.slippage and change.slippage.amount)


def _names_in_words(names: list[str], limit: int = 3) -> str:
    """Return the names as a list in words, such as "North Quay, South Quay, Mill Lane and 4 more"."""
    short_names = [cut(name, SHORT) for name in names]
    if len(short_names) == 1:
        return short_names[0]
    if len(short_names) <= limit:
        return f"{', '.join(short_names[:-1])} and {short_names[-1]}"
    return f"{', '.join(short_names[:limit])} and {len(short_names) - limit:,} more"
