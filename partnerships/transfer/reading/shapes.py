"""Check a JSON value against a shape, and collect every problem with its path."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from partnerships.transfer.reading.problems import Problem

_AGO = re.compile(r"(\d{1,5}) (minute|hour|day|week|month|year)s? ago", re.ASCII)
_AHEAD = re.compile(r"in (\d{1,5}) (minute|hour|day|week|month|year)s?", re.ASCII)
#: Characters that PostgreSQL cannot store.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: The days in each unit of a relative date.
_DAYS_IN_UNIT = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}
#: Relative dates are at most this many days away. Other dates are in this range of years.
_MAX_DAYS, _FIRST_YEAR, _LAST_YEAR = 150 * 365, 1800, 2200
_KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,70}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """A field of an object, and the kind of its value.

    The kinds are: key, text, flag, whole, decimal, date, moment, choice, ref, refs, texts, part, parts, free.
    """

    code: str
    kind: str = "text"
    required: bool = False
    choices: tuple[str, ...] | Callable[[], tuple[str, ...]] = ()  # called when a file is read
    to: str = ""  # the list that a ref points to
    shape: Shape | None = None
    default: Any = None


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of an object. `keys` names the list to which the object's own key belongs."""

    parts: tuple[Part, ...]
    keys: str = ""


@dataclass
class Checking:
    """Checks the objects of one file, and collects their keys and problems."""

    #: The moment of loading, from which relative dates are counted.
    now: dt.datetime
    #: The path of the object with each key, by the name of the list and the key.
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    #: The list, the key and the path of each reference.
    _refs: list[tuple[str, str, str]] = field(default_factory=list)

    def add_problem(self, path: str, fault: str, remedy: str) -> None:
        """Add a problem with the value at this path."""
        self.problems.append(Problem(None, "", fault, remedy, path=path))

    def object(self, value: Any, shape: Shape, path: str) -> dict[str, Any]:
        """Return the object with its fields as Python types. An invalid field is a problem, and gets an empty value."""
        if not isinstance(value, Mapping):
            self.add_problem(path, f"{_shown(value)} is not an object.", "Put it between { and }.")
            return {}

        codes = {part.code for part in shape.parts}
        for name in value:
            if name not in codes:
                similar_code = next((code for code in codes if code.startswith(str(name)[:4])), "")
                hint = f" Did you mean “{similar_code}”?" if similar_code else ""
                self.add_problem(
                    _join(path, str(name)),
                    "there is no field with this name here.",
                    f"Remove the field or correct its name.{hint}",
                )

        result: dict[str, Any] = {}
        for part in shape.parts:
            field_value = value.get(part.code)
            field_path = _join(path, part.code)
            if field_value is None or field_value == "":
                if part.required:
                    self.add_problem(field_path, "this field is missing.", "Add the field.")
                result[part.code] = _empty(part)
            else:
                result[part.code] = self._field(field_value, part, field_path, shape)
        return result

    def _field(self, value: Any, part: Part, path: str, shape: Shape) -> Any:
        """Return the value of a field, or the values of a list, as Python types."""
        if part.kind in ("parts", "refs", "texts"):
            if not isinstance(value, list):
                self.add_problem(path, f"{_shown(value)} is not a list.", "Put it between [ and ].")
                return []
            return [self._value(item, part, f"{path}[{index}]") for index, item in enumerate(value)]
        if part.kind == "key":
            return self._key(value, shape.keys, path)
        return self._value(value, part, path)

    def _value(self, value: Any, part: Part, path: str) -> Any:
        """Return one value as a Python type. An invalid value is a problem, and becomes an empty value."""
        try:
            return self._read(value, part, path)
        except ValueError as error:
            fault, _, remedy = str(error).partition(". ")
            self.add_problem(path, f"{fault}.", remedy)
            return _empty(part)

    def _read(self, value: Any, part: Part, path: str) -> Any:
        """Return the value as a Python type.

        Raises ValueError with two sentences, the problem and the remedy, if the value is invalid.
        """
        if part.kind in ("part", "parts") and part.shape is not None:
            return self.object(value, part.shape, path)
        if part.kind == "free":
            if any(_UNSTORABLE.search(text) for text in _texts(value)):
                raise ValueError("the text contains a character that we cannot store. Remove the character.")
            return value
        if part.kind == "flag":
            if not isinstance(value, bool):
                raise ValueError(f"{_shown(value)} is neither true nor false. Enter true or false.")
            return value
        if part.kind in ("whole", "decimal"):
            return _number(value, whole=part.kind == "whole")
        if not isinstance(value, str):
            raise ValueError(f"{_shown(value)} is not text. Put it in quotation marks.")
        if part.kind in ("ref", "refs"):
            self._refs.append((part.to, value, path))
            return value
        if part.kind == "choice":
            choices = part.choices() if callable(part.choices) else part.choices
            if value not in choices:
                raise ValueError(f"“{value}” is not one of the choices. Enter one of {', '.join(choices)}.")
        if part.kind == "date":
            return self.moment(value).date()
        if part.kind == "moment":
            return self.moment(value)
        if _UNSTORABLE.search(value):
            raise ValueError("the text contains a character that we cannot store. Remove the character.")
        return value.strip()

    def _key(self, value: Any, keys: str, path: str) -> str:
        """Return an object's own key. A key that is invalid or already in the list `keys` is a problem."""
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            self.add_problem(
                path, f"{_shown(value)} is not a key.", "Use a to z in lower case, digits and hyphens: larkhaven-homes."
            )
            return ""
        first_path = self.keys.setdefault(keys, {}).setdefault(value, path)
        if first_path != path:
            self.add_problem(path, f"“{value}” is already the key at {first_path}.", "Give each object its own key.")
        return value

    def check_refs(self) -> None:
        """Add a problem for each reference to a missing key. Call this after reading all objects."""
        for list_name, value, path in self._refs:
            if value not in self.keys.get(list_name, {}):
                self.add_problem(
                    path,
                    f"“{value}” is not a key in “{list_name}”.",
                    f"Correct the key, or add the object to “{list_name}”.",
                )

    def moment(self, text: str) -> dt.datetime:
        """Return the moment of a date that is in ISO 8601 or relative to `now`.

        Relative dates are: today, 12 days ago, in 3 weeks. Raises `ValueError`.
        """
        text = text.strip()
        if text in ("now", "today"):
            return self.now
        for pattern, sign in ((_AGO, -1), (_AHEAD, 1)):
            if match := pattern.fullmatch(text):
                days = int(match[1]) * _DAYS_IN_UNIT[match[2]]
                if days > _MAX_DAYS:
                    raise ValueError(f"“{text}” is more than 150 years away. Enter a nearer date.")
                return self.now + sign * dt.timedelta(days=days)
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(
                f"“{text}” is not a date. Enter 2026-11-12, 2026-11-12T09:30, “12 days ago” or “in 3 weeks”."
            ) from error
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise ValueError(f"“{text}” is not in a year from {_FIRST_YEAR} to {_LAST_YEAR}. Correct the year.")
        return moment if moment.tzinfo else moment.replace(tzinfo=self.now.tzinfo)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, names of fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _number(value: Any, *, whole: bool) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{_shown(value)} is not a number. Enter a number.")
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{_shown(value)} is not a number. Enter a number.") from error
    if not number.is_finite() or abs(number) >= 10**12 or (whole and number != int(number)):
        raise ValueError(
            f"{_shown(value)} cannot be used here. Enter a {'whole ' if whole else ''}number below 1,000,000,000,000."
        )
    return int(number) if whole else number


def _empty(part: Part) -> Any:
    """Return the value of a field that the file does not have."""
    if part.default is not None:
        return part.default
    if part.kind in ("parts", "refs", "texts"):
        return []
    if part.kind == "flag":
        return False
    return "" if part.kind in ("text", "choice", "key", "ref") else None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:
    """Return the value as text for a message, at most 60 characters long."""
    text = f"“{value}”" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def values_present(value: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the named values that the file has and that are neither null nor empty text."""
    return {name: value[name] for name in names if value[name] not in (None, "")}
