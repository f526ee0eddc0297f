"""Pairs of random contents of plans, for property tests.

The two contents of a pair share some keys, so that items are added, removed, moved and changed between them.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from partnerships.plans.content import (
    ABOUT,
    COLLECTIONS,
    CONFIDENCE,
    MILESTONE_STATUSES,
    NEEDS,
    PLANNING_STATUSES,
    TENURES,
    Field,
    normalise,
)

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
names = words.map(lambda text: f"Name {text}")
dates = st.one_of(
    st.just(""),
    st.dates().map(lambda day: day.isoformat()),
    st.dates().map(lambda day: day.isoformat()[:7]),
    st.dates().map(lambda day: day.isoformat()[:4]),
)
homes = st.lists(
    st.fixed_dictionaries(
        {
            "tenure": st.sampled_from(list(TENURES)[:3]),
            "bedrooms": st.sampled_from([None, 0, 1, 2]),
            "needs": st.sampled_from(list(NEEDS)),
            "year": st.sampled_from(["", "2027", "2027-28"]),
            "count": st.integers(0, 200),
        }
    ),
    max_size=5,
)
BY_SHAPE: dict[str, st.SearchStrategy[Any]] = {
    "line": words,
    "text": words,
    "date": dates,
    "flag": st.booleans(),
    "scale": st.integers(1, 5),
    "number": st.integers(0, 9),
    "item": st.sampled_from(["", "item-0", "item-1", "gone"]),
    "postcode": st.sampled_from(["", "PO16", "PO16 7GZ", "po167gz"]),
    "area": st.sampled_from(["", "E07000228", "E08000016"]),
    "latitude": st.none() | st.floats(-90, 90),
    "longitude": st.none() | st.floats(-180, 180),
}
CHOICES = {"planning_status": PLANNING_STATUSES, "confidence": CONFIDENCE, "status": MILESTONE_STATUSES}


def _value(field: Field) -> st.SearchStrategy[Any]:
    if field.shape == "choice":
        return st.sampled_from(["", *CHOICES[field.code]])
    return names if field.required else BY_SHAPE[field.shape]


def _items(code: str, fields: tuple[Field, ...]) -> st.SearchStrategy[list[dict[str, Any]]]:
    shape: dict[str, st.SearchStrategy[Any]] = {field.code: _value(field) for field in fields}
    shape["key"] = st.sampled_from([f"item-{number}" for number in range(8)])
    if code == "sites":
        shape["homes"] = homes
    return st.lists(st.fixed_dictionaries(shape), max_size=6, unique_by=lambda item: item["key"])


contents = st.fixed_dictionaries(
    {collection.code: _items(collection.code, collection.fields) for collection in COLLECTIONS}
    | {"about": st.fixed_dictionaries({"summary": words, "period_start": dates, "period_end": dates, "source": words})}
).map(normalise)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two contents; the second is often a changed copy of the first.

    The changes reorder, shorten or extend lists.
    """
    first_content = draw(contents)
    other_content = draw(contents)
    second_content = {}
    for code in first_content:
        change = draw(st.sampled_from(["same", "other", "shuffled", "fewer"]))
        if change == "same" or (code == "about" and change != "other"):
            second_content[code] = first_content[code]
        elif change == "other":
            second_content[code] = other_content[code]
        elif change == "shuffled":
            second_content[code] = draw(st.permutations(first_content[code]))
        else:
            second_content[code] = [item for item in first_content[code] if draw(st.booleans())]
    return first_content, normalise(second_content)


#: A few values for each field, so that two drafts often change the same field.
FEW: dict[str, tuple[Any, ...]] = {
    "line": ("Name a", "Name b", "Name c"),
    "text": ("", "Words.", "Other words."),
    "date": ("", "2027", "2027-04", "2028-04-11"),
    "flag": (False, True),
    "scale": (1, 3, 5),
    "number": (0, 9),
    "item": ("", "item-0", "item-1"),
    "postcode": ("", "PO16", "PO16 7GZ"),
    "area": ("", "E07000228", "E08000016"),
    "latitude": (None, 50.85),
    "longitude": (None, -1.18),
}


def _chain_of_contents(seed: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    # Drawing each value through hypothesis takes seconds.
    random = Random(seed)
    content = _changed_copy(random, normalise({}))
    return content, _changed_copy(random, content), _changed_copy(random, content)


def _changed_copy(random: Random, content: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a content with some items removed, added, moved or edited."""
    about = dict(content["about"])
    for field in ABOUT:
        _maybe_change(random, about, field)
    changed_content: dict[str, Any] = {"about": about}
    for collection in COLLECTIONS:
        items = [dict(item) for item in content[collection.code] if random.random() < 0.85]
        existing_keys = {item["key"] for item in content[collection.code]}
        new_keys = [
            key
            for key in (f"item-{number}" for number in range(8))
            if key not in existing_keys and random.random() < 0.4
        ]
        items += [{"key": key, collection.title_field: "Name a", "homes": []} for key in new_keys]
        for item in items:
            for field in collection.fields:
                _maybe_change(random, item, field)
            if collection.code == "sites":
                item["homes"] = [line for line in item["homes"] if random.random() < 0.8] + [
                    {"tenure": tenure, "bedrooms": random.choice([None, 2]), "count": random.randrange(9)}
                    for tenure in list(TENURES)[:2]
                    if random.random() < 0.4
                ]
        if random.random() < 0.3:
            random.shuffle(items)
        changed_content[collection.code] = items
    return normalise(changed_content)


def _maybe_change(random: Random, item: dict[str, Any], field: Field) -> None:
    if random.random() < 0.3:
        pool = tuple(CHOICES[field.code]) if field.shape == "choice" else FEW[field.shape]
        value = random.choice(pool)
        item[field.code] = value or "Name a" if field.required else value


#: A content, and two changed copies of it.
chains_of_contents = st.integers(0, 2**32).map(_chain_of_contents)
