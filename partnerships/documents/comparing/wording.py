"""Values, items and differences in words."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import lru_cache
from typing import Any

from partnerships.documents.schema import Collection, Field, Item
from partnerships.kit.dates import PartialDate
from partnerships.kit.text import counted, pounds


def more_or_fewer(difference: int) -> str:
    """A difference of counts: "20 fewer", "1 more", "no change"."""
    if not difference:
        return "no change"
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'}"


@lru_cache(maxsize=8192)
def date_in_words(text: str) -> str:
    """A date as precise as it is known.

    "2017-04-11" as "11 April 2017", "2017-04" as "April 2017"; "" as "".
    """
    return PartialDate.parse(text).words if text else ""


def value_in_words(field: Field, value: Any) -> str:
    """The value of a field for people: dates and choices in words, yes and no."""
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
    """An item in one line.

    It says its title, and the most important detail in brackets.
    """
    details = collection.details(item)
    return f"{item[collection.title]} ({details})" if details else str(item[collection.title])


def words_changed(was: str, now: str) -> str:
    """How many words were removed and added.

    "12 words removed and 15 words added".
    """
    before, after = Counter(was.split()), Counter(now.split())
    gone, come = (before - after).total(), (after - before).total()
    if not gone and not come:
        return "the same words in another order" if was.split() != now.split() else "spaces and lines"
    counts = [(gone, "removed"), (come, "added")]
    return " and ".join(f"{counted(count, 'word')} {verb}" for count, verb in counts if count)


def cut(text: str, limit: int) -> str:
    """The text, cut to `limit` characters with an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
