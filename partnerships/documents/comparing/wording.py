"""Return values, items and differences in words."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import lru_cache
from typing import Any

from partnerships.documents.schema import Collection, Field, Item
from partnerships.kit.dates import PartialDate
from partnerships.kit.text import counted, pounds


def more_or_fewer(difference: int) -> str:
    """Return a difference of counts in words: "20 fewer", "1 more" or "no change"."""
    if not difference:
        return "no change"
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'}"


@lru_cache(maxsize=8192)
def date_in_words(text: str) -> str:
    """Return a partial date in words, such as "11 April 2017" or "April 2017"; "" without a date."""
    return PartialDate.parse(text).words if text else ""


def value_in_words(field: Field, value: Any) -> str:
    """Return the value of a field in words."""
    if field.shape == "date":
        return date_in_words(value)
    if field.shape == "flag":
        return "yes" if value else "no"
    if field.shape == "choice":
        return field.choices.get(value, value)
    if value is None or value == "":
        return ""
    if field.shape == "money":
        return pounds(Decimal(value))
    if field.shape == "percent":
        return f"{value}%"
    if field.shape == "days":
        return counted(value, "day")
    if field.shape == "number":
        return f"{value:,}"
    return str(value)


def item_in_words(collection: Collection, item: Item) -> str:
    """Return the title of an item, with its most important detail in brackets."""
    details = collection.details(item)
    return f"{item[collection.title_field]} ({details})" if details else str(item[collection.title_field])


def words_changed(old_text: str, new_text: str) -> str:
    """Return how many words were removed and added: "12 words removed and 15 words added"."""
    old_words, new_words = Counter(old_text.split()), Counter(new_text.split())
    removed, added = (old_words - new_words).total(), (new_words - old_words).total()
    if not removed and not added:
        return "the same words in another order" if old_text.split() != new_text.split() else "spaces and lines"
    counts = [(removed, "removed"), (added, "added")]
    return " and ".join(f"{counted(count, 'word')} {verb}" for count, verb in counts if count)


def cut(text: str, limit: int) -> str:
    """Return the text, shortened to a number of characters with an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
