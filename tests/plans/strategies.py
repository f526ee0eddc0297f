"""Random plans for property tests: two contents that share some keys, so that items come, go, move and change."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from partnerships.plans.content import (
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
    """Two contents; often the second is the first with lists reordered, shortened or joined with another's."""
    a, b = draw(contents), draw(contents)
    mixed = {}
    for code in a:
        way = draw(st.sampled_from(["same", "other", "shuffled", "fewer"]))
        if way == "same" or (code == "about" and way != "other"):
            mixed[code] = a[code]
        elif way == "other":
            mixed[code] = b[code]
        elif way == "shuffled":
            mixed[code] = draw(st.permutations(a[code]))
        else:
            mixed[code] = [item for item in a[code] if draw(st.booleans())]
    return a, normalise(mixed)
