"""Read the queries and data extension queries of clients, in version 0.2 and in the 1.0 draft.

Specifications: https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/ and
https://reconciliation-api.github.io/specs/draft/ (where `/match` replaces `/reconcile`).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from partnerships.kit.dates import NotADate, PartialDate
from partnerships.reconciliation.questions import DEFAULT_LIMIT, MAX_LIMIT, Condition, Period, Question
from partnerships.reconciliation.vocabulary import ANYTHING, DATE, KIND, TYPES, types_with_name

_BRITISH = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_QUANTIFIERS = ("any", "all", "none")


class UnableToRead(Exception):
    """Raised if the request does not follow the specification. The message says why."""


class TooMany(UnableToRead):
    """Raised if the request is above a limit, for example of queries, conditions or characters."""


@dataclass(frozen=True, slots=True)
class RequestedProperty:
    """A property to fetch as at a date. None means today."""

    property: str
    day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """A data extension query, with the ids of bodies and the properties to fetch for each of them."""

    ids: tuple[str, ...]
    requested_properties: tuple[RequestedProperty, ...]


def read_json(text: str | bytes) -> Any:
    """Parse JSON. Raises `UnableToRead` if the text is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnableToRead("The text is not valid JSON.") from error


def read_queries(text: str) -> dict[str, Question]:
    """Read a batch of version 0.2, and return the questions by their keys. Raises `UnableToRead`."""
    batch = read_json(text)
    if not isinstance(batch, dict):
        raise UnableToRead("`queries` must be an object with a query for each key.")
    _check_size(len(batch))
    return {clean(key): _read_query(clean(key), query, _question_of_version_0_2) for key, query in batch.items()}


def read_match(body: bytes) -> list[Question]:
    """Read a batch of the 1.0 draft, and return the questions in order. Raises `UnableToRead`."""
    batch = read_json(body)
    queries = batch.get("queries") if isinstance(batch, dict) else None
    if not isinstance(queries, list):
        raise UnableToRead("Send an object with the array `queries`.")
    _check_size(len(queries))
    return [_read_query(str(number), query, _question_of_draft) for number, query in enumerate(queries, start=1)]


def read_fetch(query: Any) -> Fetch:
    """Read a data extension query. Raises `UnableToRead`."""
    ids = query.get("ids") if isinstance(query, dict) else None
    properties = query.get("properties") if isinstance(query, dict) else None
    if not isinstance(ids, list) or not isinstance(properties, list):
        raise UnableToRead("Send an object with the arrays `ids` and `properties`.")
    if max(len(ids), len(properties)) > _maximum("BODIES"):
        raise TooMany(f"Ask for at most {_maximum('BODIES')} ids and properties at a time.")
    requested_properties = [_requested_property(item) for item in properties]
    # The number of dates is limited because successors are queried for each date.
    if len({requested.day for requested in requested_properties}) > _maximum("DATES"):
        raise TooMany(f"Ask for properties at no more than {_maximum('DATES')} dates at a time.")
    return Fetch(ids=tuple(_text_of(item) for item in ids), requested_properties=tuple(requested_properties))


def _requested_property(item: Any) -> RequestedProperty:
    """Read one property, which is either an id or an object with the id and settings."""
    if not isinstance(item, dict):
        return RequestedProperty(_text_of(item))
    property_id = _text_of(item.get("id"))
    settings_of_property = item.get("settings")
    date = _text_of(settings_of_property.get(DATE)) if isinstance(settings_of_property, dict) else ""
    if not date:
        return RequestedProperty(property_id)
    period = read_period(date)
    if period is None:
        raise UnableToRead("The setting `date` must be a day such as 2019-04-01, a month or a year.")
    return RequestedProperty(property_id, day=period.last)


def read_period(text: str) -> Period | None:
    """Return the day, month or year that the text names, or None if the text is not a date.

    Reads ISO dates and times, and British dates such as 1/4/2019.
    """
    british = _BRITISH.fullmatch(text.strip())
    iso_date = f"{british[3]}-{british[2]:>02}-{british[1]:>02}" if british else text.strip().partition("T")[0]
    try:
        date = PartialDate.parse(iso_date)
        return Period(date.earliest, date.latest)
    except (NotADate, ValueError, OverflowError):
        return None


def clean(text: str) -> str:
    """Return the text to look up, without characters that PostgreSQL cannot store.

    Raises `TooMany` if the text is too long.
    """
    valid = text.replace("\x00", "").encode("utf-8", "ignore").decode()
    cleaned_text = " ".join(valid.split())
    if len(cleaned_text) > _maximum("CHARACTERS"):
        raise TooMany(f"A text has at most {_maximum('CHARACTERS'):,} characters, and “{cleaned_text[:60]}…” has more.")
    return cleaned_text


def _maximum(size: str) -> int:
    """Return the maximum for one size of a request, from the settings."""
    return int(settings.RECONCILIATION_SIZES[size])


def _check_size(count: int) -> None:
    if count > _maximum("BATCH"):
        raise TooMany(f"A batch has at most {_maximum('BATCH')} queries, and this one has {count}.")


def _read_query(key: str, query: Any, read: Callable[[Any], Question]) -> Question:
    """Read a query with the function of its version. The message of an error names the query."""
    try:
        return read(query)
    except UnableToRead as error:
        raise type(error)(f"Query {key}: {error}") from error


def _question_of_version_0_2(query: Any) -> Question:
    """Return the question for a query of version 0.2. Raises `UnableToRead`."""
    if not isinstance(query, dict):
        raise UnableToRead("A query must be an object.")
    properties = query.get("properties") or []
    if not isinstance(properties, list):
        raise UnableToRead("`properties` must be an array.")
    conditions = [
        Condition(property=_text_of(item.get("pid") or item.get("p")), values=tuple(_texts_of(item.get("v"))))
        for item in properties
        if isinstance(item, dict)
    ]
    text = _text_of(query.get("query"))
    if not text and not conditions:
        raise UnableToRead("A query needs `query` or `properties`.")
    return _question(query, text=text, ids=[], conditions=conditions)


def _question_of_draft(query: Any) -> Question:
    """Return the question for a query of the 1.0 draft. Raises `UnableToRead`.

    In this version, the name, ids and properties are all conditions of the query.
    """
    items = query.get("conditions") if isinstance(query, dict) else None
    if not isinstance(items, list) or not items:
        raise UnableToRead("A query needs the array `conditions`, with at least one.")
    text = ""
    ids: list[str] = []
    conditions = []
    for item in items:
        match_type = item.get("matchType") if isinstance(item, dict) else None
        if match_type == "name":
            names = _texts_of(item.get("v"))
            text = text or (names[0] if names else "")
        elif match_type == "id":
            ids += _texts_of(item.get("v"))
        elif match_type == "property":
            conditions.append(_condition_of_draft(item))
        else:
            raise UnableToRead("`matchType` must be `name`, `id` or `property`.")
    return _question(query, text=text, ids=ids, conditions=conditions)


def _condition_of_draft(item: dict[str, Any]) -> Condition:
    quantifier = item.get("matchQuantifier") or "any"
    if quantifier not in _QUANTIFIERS:
        raise UnableToRead("`matchQuantifier` must be `any`, `all` or `none`.")
    return Condition(
        property=_text_of(item.get("pid")),
        values=tuple(_texts_of(item.get("v"))),
        required=item.get("required") is True,
        quantifier=quantifier,
    )


def _question(query: dict[str, Any], *, text: str, ids: list[str], conditions: list[Condition]) -> Question:
    """Return the question for a query of either version. Conditions without values are left out."""
    types = _texts_of(query.get("type"))
    if len(conditions) > _maximum("CONDITIONS"):
        raise TooMany(f"A query has at most {_maximum('CONDITIONS')} conditions, and this one has {len(conditions)}.")

    period = None
    is_unclear = False
    other_conditions = []
    for condition in conditions:
        if not condition.values:
            continue
        if condition.property == DATE:
            period = read_period(condition.values[0])
            is_unclear = is_unclear or period is None
        elif condition.property == KIND:
            type_ids = frozenset[str]().union(*map(types_with_name, condition.values))
            if type_ids:
                other_conditions.append(replace(condition, values=tuple(sorted(type_ids))))
            else:
                is_unclear = True
        else:
            other_conditions.append(condition)

    known_types = [type_id for type_id in types if type_id in TYPES]
    return Question(
        text=text,
        ids=tuple(ids),
        types=frozenset() if ANYTHING in known_types else frozenset(known_types),
        period=period,
        conditions=tuple(other_conditions),
        limit=_limit(query.get("limit")),
        is_unclear=is_unclear or len(known_types) < len(types),
    )


def _limit(value: Any) -> int:
    """Return the number of candidates in the response, from 1 to `MAX_LIMIT`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 1:
        return DEFAULT_LIMIT
    return int(min(value, MAX_LIMIT))


def _texts_of(value: Any) -> list[str]:
    """Return the texts of one value or of an array of values, without empty texts."""
    values = value if isinstance(value, list) else [value]
    if len(values) > _maximum("CONDITIONS"):
        raise TooMany(f"A condition has at most {_maximum('CONDITIONS')} values, and this one has {len(values)}.")
    return [text for text in map(_text_of, values) if text]


def _text_of(value: Any) -> str:
    """Return a value as text. For an object, such as a body that was matched earlier, this is its id."""
    if isinstance(value, dict):
        value = value.get("id") or value.get("name")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return clean(str(value)) if isinstance(value, str | int | float) else ""
