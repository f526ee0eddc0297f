"""Values, items and differences of a plan in words."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from partnerships.kit.dates import PartialDate
from partnerships.plans.content import NEEDS, TENURES, Collection, Field, Item, Line, homes_count


def more_or_fewer(difference: int) -> str:
    """Say a difference of homes: "20 fewer", "1 more", "no change"."""
    if not difference:
        return "no change"
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'}"


@lru_cache(maxsize=8192)
def date_in_words(text: str) -> str:
    """Say "2017-04-11" as "11 April 2017", "2017-04" as "April 2017", "2017" as it is, and "" as ""."""
    return PartialDate.parse(text).words if text else ""


@lru_cache(maxsize=4096)
def line_in_words(line: Line) -> str:
    """Say a combination of homes, leaving out what is general or not known."""
    tenure, bedrooms, needs, year = line
    words = [TENURES[tenure]]
    if bedrooms is not None:
        words.append(bedrooms_in_words(bedrooms))
    if needs != "general":
        words.append(NEEDS[needs])
    if year:
        words.append(year)
    return ", ".join(words)


def bedrooms_in_words(bedrooms: int | None) -> str:
    """Say a number of bedrooms: "studio", "1 bedroom", "bedrooms not known"."""
    if bedrooms is None:
        return "bedrooms not known"
    return "studio" if bedrooms == 0 else f"{bedrooms} bedroom{'' if bedrooms == 1 else 's'}"


def value_in_words(field: Field, value: Any) -> str:
    """Say the value of a field for people: dates and choices in words, yes and no."""
    if field.shape == "date":
        return date_in_words(value)
    if field.shape == "flag":
        return "yes" if value else "no"
    if field.shape == "choice":
        return field.choices.get(value, value)
    return "" if value is None else str(value)


def item_in_words(collection: Collection, item: Item) -> str:
    """Say a whole item in a line: its name and what matters most about it."""
    details = item_details(collection, item)
    return f"{item[collection.title]} ({details})" if details else str(item[collection.title])


def item_details(collection: Collection, item: Item) -> str:
    """Say what matters most about an item beside its name: the homes of a site, the date of a milestone."""
    if collection.one == "site":
        count = homes_count(item)
        return f"{count:,} home{'' if count == 1 else 's'}" if count else "no homes yet"
    if collection.one == "milestone":
        for code in ("actual", "forecast", "baseline"):
            if item[code]:
                return f"{code} {date_in_words(item[code])}"
    if collection.one == "risk":
        return f"likelihood {item['likelihood']} × impact {item['impact']}"
    return ""


def words_changed(was: str, now: str) -> str:
    """Count the words that went and came: "12 words removed, 15 added"."""
    before, after = Counter(was.split()), Counter(now.split())
    gone, come = (before - after).total(), (after - before).total()
    if not gone and not come:
        return "the same words in another order" if was.split() != now.split() else "spaces and lines"
    counts = [(gone, "removed"), (come, "added")]
    return " and ".join(f"{count:,} word{'' if count == 1 else 's'} {verb}" for count, verb in counts if count)


def cut(text: str, limit: int) -> str:
    """Shorten a text to so many characters, with an ellipsis for the rest."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
