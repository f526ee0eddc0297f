"""Reads what clients send.

They send queries of version 0.2 and of the 1.0 draft, and requests for properties.

Rules: https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/ and
https://reconciliation-api.github.io/specs/draft/ (where `/match` takes the place of `/reconcile`).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from partnerships.kit.dates import NotADate, PartialDate
from partnerships.reconciliation.questions import DEFAULT_LIMIT, MAX_LIMIT, Condition, Period, Question
from partnerships.reconciliation.vocabulary import ANYTHING, DATE, KIND, TYPES, kinds_called

_BRITISH = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_QUANTIFIERS = ("any", "all", "none")


class UnableToRead(Exception):
    """The request is not one of the specification; its text says why."""


class TooMany(UnableToRead):
    """More than a request may have.

    Queries, conditions, values, bodies, properties, dates and characters are limited.
    """


@dataclass(frozen=True, slots=True)
class Wanted:
    """A property to fetch, as at a date (None: today)."""

    property: str
    day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """The bodies and properties that a client asks for."""

    ids: tuple[str, ...]
    wanted: tuple[Wanted, ...]


def read_json(text: str | bytes) -> Any:
    """The JSON. Raises `UnableToRead`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnableToRead("This is not JSON.") from error


def read_queries(text: str) -> dict[str, Question]:
    """The batch of version 0.2, by its keys. Raises `UnableToRead`."""
    batch = read_json(text)
    if not isinstance(batch, dict):
        raise UnableToRead("`queries` must be an object with a query for each key.")
    _check_size(len(batch))
    return {clean(key): _named(clean(key), _old_question, one) for key, one in batch.items()}


def read_match(body: bytes) -> list[Question]:
    """The batch of the 1.0 draft, in order. Raises `UnableToRead`."""
    batch = read_json(body)
    queries = batch.get("queries") if isinstance(batch, dict) else None
    if not isinstance(queries, list):
        raise UnableToRead("Send an object with the array `queries`.")
    _check_size(len(queries))
    return [_named(str(number), _question, one) for number, one in enumerate(queries, start=1)]


def read_fetch(asked: Any) -> Fetch:
    """The bodies and properties of a data extension query. Raises `UnableToRead`."""
    ids = asked.get("ids") if isinstance(asked, dict) else None
    properties = asked.get("properties") if isinstance(asked, dict) else None
    if not isinstance(ids, list) or not isinstance(properties, list):
        raise UnableToRead("Send an object with the arrays `ids` and `properties`.")
    if max(len(ids), len(properties)) > _maximum("BODIES"):
        raise TooMany(f"Ask for at most {_maximum('BODIES')} ids and properties at a time.")
    wanted = [_wanted(item) for item in properties]
    # Successors are looked up for each date.
    if len({item.day for item in wanted}) > _maximum("DATES"):
        raise TooMany(f"Ask for properties at no more than {_maximum('DATES')} dates at a time.")
    return Fetch(tuple(_text_of(item) for item in ids), tuple(wanted))


def _wanted(asked: Any) -> Wanted:
    """One property: its id alone, or an object with the id and settings."""
    if not isinstance(asked, dict):
        return Wanted(_text_of(asked))
    code, chosen = _text_of(asked.get("id")), asked.get("settings")
    date = _text_of(chosen.get(DATE)) if isinstance(chosen, dict) else ""
    if not date:
        return Wanted(code)
    period = read_period(date)
    if period is None:
        raise UnableToRead("The setting `date` must be a day such as 2019-04-01, a month or a year.")
    return Wanted(code, period.last)


def read_period(text: str) -> Period | None:
    """The days of a date: ISO (a year, a month, a day, a moment) or British (1/4/2019); None if it is none."""
    british = _BRITISH.fullmatch(text.strip())
    plain = f"{british[3]}-{british[2]:>02}-{british[1]:>02}" if british else text.strip().partition("T")[0]
    try:
        date = PartialDate.parse(plain)
        return Period(date.earliest, date.latest)
    except (NotADate, ValueError, OverflowError):
        return None


def clean(text: str) -> str:
    """The text to look up, without characters that PostgreSQL cannot store. Raises `TooMany` if it is too long."""
    valid = text.replace("\x00", "").encode("utf-8", "ignore").decode()
    words = " ".join(valid.split())
    if len(words) > _maximum("CHARACTERS"):
        raise TooMany(f"A text has at most {_maximum('CHARACTERS'):,} characters; “{words[:60]}…” has more.")
    return words


def _maximum(what: str) -> int:
    """How much of this a request may have, as the operators set it."""
    return int(settings.RECONCILIATION_SIZES[what])


def _check_size(count: int) -> None:
    if count > _maximum("BATCH"):
        raise TooMany(f"A batch has at most {_maximum('BATCH')} queries; this one has {count}.")


def _named(key: str, read: Callable[[Any], Question], asked: Any) -> Question:
    """The question; what is wrong with it names its query."""
    try:
        return read(asked)
    except UnableToRead as error:
        raise type(error)(f"Query {key}: {error}") from error


def _old_question(asked: Any) -> Question:
    """A query of version 0.2."""
    if not isinstance(asked, dict):
        raise UnableToRead("A query must be an object.")
    properties = asked.get("properties") or []
    if not isinstance(properties, list):
        raise UnableToRead("`properties` must be an array.")
    conditions = [
        _condition(prop.get("pid") or prop.get("p"), prop.get("v"), {}) for prop in properties if isinstance(prop, dict)
    ]
    text = _text_of(asked.get("query"))
    if not text and not conditions:
        raise UnableToRead("A query needs `query` or `properties`.")
    return _asked(text, (), _types(asked.get("type")), conditions, asked.get("limit"))


def _question(asked: Any) -> Question:
    """A query of the 1.0 draft."""
    given = asked.get("conditions") if isinstance(asked, dict) else None
    if not isinstance(given, list) or not given:
        raise UnableToRead("A query needs the array `conditions`, with at least one.")
    text, ids, conditions = "", [], []
    for item in given:
        how = item.get("matchType") if isinstance(item, dict) else None
        if how == "name":
            text = text or next(iter(_texts_of(item.get("v"))), "")
        elif how == "id":
            ids += _texts_of(item.get("v"))
        elif how == "property":
            conditions.append(_condition(item.get("pid"), item.get("v"), item))
        else:
            raise UnableToRead("`matchType` must be `name`, `id` or `property`.")
    return _asked(text, tuple(ids), _types(asked.get("type")), conditions, asked.get("limit"))


def _condition(code: Any, value: Any, more: dict[str, Any]) -> Condition:
    quantifier = more.get("matchQuantifier") or "any"
    if quantifier not in _QUANTIFIERS:
        raise UnableToRead("`matchQuantifier` must be `any`, `all` or `none`.")
    return Condition(_text_of(code), tuple(_texts_of(value)), more.get("required") is True, quantifier)


def _asked(text: str, ids: tuple[str, ...], types: list[str], given: Iterable[Condition], limit: Any) -> Question:
    """The question: the date and kinds among the conditions are read, empty ones left out."""
    period, unclear, conditions = None, False, []
    whole = list(given)
    if len(whole) > _maximum("CONDITIONS"):
        raise TooMany(f"A query has at most {_maximum('CONDITIONS')} conditions; this one has {len(whole)}.")
    for item in whole:
        if not item.values:
            continue
        if item.property == DATE:
            period = read_period(item.values[0])
            unclear = unclear or period is None
        elif item.property == KIND:
            kinds = frozenset[str]().union(*map(kinds_called, item.values))
            unclear = unclear or not kinds
            conditions += [Condition(KIND, tuple(sorted(kinds)), item.required, item.quantifier)] if kinds else []
        else:
            conditions.append(item)
    known = [item for item in types if item in TYPES]
    unclear = unclear or len(known) < len(types)
    wanted = frozenset() if ANYTHING in known else frozenset(known)
    return Question(
        text=text,
        ids=ids,
        types=wanted,
        period=period,
        conditions=tuple(conditions),
        limit=_limit(limit),
        unclear=unclear,
    )


def _limit(given: Any) -> int:
    """The number of candidates, at least one."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 1:
        return DEFAULT_LIMIT
    return int(min(given, MAX_LIMIT))


def _types(given: Any) -> list[str]:
    """Ids of types: one, several, or as objects."""
    return [text for text in _texts_of(given) if text]


def _texts_of(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if len(values) > _maximum("CONDITIONS"):
        raise TooMany(f"A condition has at most {_maximum('CONDITIONS')} values; this one has {len(values)}.")
    return [text for text in map(_text_of, values) if text]


def _text_of(value: Any) -> str:
    """A value as text; of an object (a body that was matched before) its id."""
    if isinstance(value, dict):
        value = value.get("id") or value.get("name")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return clean(str(value)) if isinstance(value, str | int | float) else ""
