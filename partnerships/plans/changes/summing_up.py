"""All the changes in one paragraph, and what they come to in homes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from partnerships.plans.changes.change import SHORT, Change
from partnerships.plans.changes.wording import cut, more_or_fewer
from partnerships.plans.content import COLLECTIONS, homes_count


def homes_difference(found: Iterable[Change]) -> int:
    """Give the net difference of homes, with those of sites that came and went."""
    difference = 0
    for change in found:
        if change.what == "homes":
            difference += change.difference or 0
        elif change.what == "site" and change.kind == "added":
            difference += homes_count(change.now)
        elif change.what == "site" and change.kind == "removed":
            difference -= homes_count(change.was)
    return difference


def summary(found: Sequence[Change]) -> str:
    """Say all the changes in one paragraph; "Nothing changed." when there are none."""
    if not found:
        return "Nothing changed."
    sentences = [f"{len(found):,} change{'' if len(found) == 1 else 's'}."]
    difference = homes_difference(found)
    if difference:
        sentences.append(f"{more_or_fewer(difference)} homes in all.".replace("1 more homes", "1 more home"))
    elif any(change.what == "homes" for change in found):
        sentences.append("As many homes as before, divided differently.")
    for collection in COLLECTIONS:
        for kind, verb in (("added", "added"), ("removed", "removed"), ("moved", "moved")):
            names = [change.label for change in found if change.what == collection.one and change.kind == kind]
            if names:
                sentences.append(f"{_counted(len(names), collection.one)} {verb}: {_some(names)}.")
    slips = [change for change in found if change.slippage and change.slippage.amount]
    for direction, later in (("later", True), ("earlier", False)):
        moved = [change for change in slips if change.slippage and (change.slippage.amount > 0) is later]
        if moved:
            named = [f"{change.label or change.field_label} {change.slippage_words}" for change in moved]
            sentences.append(f"{_counted(len(moved), 'date')} {direction}: {_some(named)}.")
    texts = dict.fromkeys(change.label or "the summary" for change in found if change.is_text)
    if texts:
        sentences.append(f"Text changed in {_some(list(texts))}.")
    said = {id(change) for change in slips}
    other = dict.fromkeys(
        f"{change.label}" if change.label else change.field_label.lower()
        for change in found
        if change.kind == "changed" and not change.is_text and change.what != "homes" and id(change) not in said
    )
    if other:
        sentences.append(f"Details changed of {_some(list(other))}.")
    return " ".join(sentences)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _some(names: list[str], limit: int = 3) -> str:
    short = [cut(name, SHORT) for name in names]
    if len(short) <= limit:
        return " and ".join([", ".join(short[:-1]), short[-1]]) if len(short) > 1 else short[0]
    return f"{', '.join(short[:limit])} and {len(short) - limit:,} more"
