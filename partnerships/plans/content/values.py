"""Making single values regular: texts, dates, choices, numbers; what cannot be read is said in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from partnerships.kit.dates import PartialDate
from partnerships.plans.content.shape import Choices, Field

LINE = 500
# PostgreSQL's jsonb refuses NUL; lone surrogates cannot be encoded at all.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a content: where it is, and what to do about it."""

    path: str
    message: str


class InvalidContent(ValueError):
    """The value is no plan; `problems` says where and why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in self.problems))


def _line(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("This must be text.")
    text = " ".join(str(value).split())
    if UNSTORABLE.search(text):
        raise ValueError("This holds characters that cannot be stored.")
    if len(text) > LINE:
        raise ValueError(f"This is {len(text):,} characters long; the limit is {LINE}.")
    return text


def _text(max_length: int, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("This must be text.")
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if UNSTORABLE.search(text):
        raise ValueError("This holds characters that cannot be stored.")
    if len(text) > max_length:
        raise ValueError(f"This is {len(text):,} characters long; the limit is {max_length:,}.")
    return text


def _date(value: Any) -> str:
    text = _line(value)
    return str(PartialDate.parse(text)) if text else ""


def _flag(value: Any) -> bool:
    if value in (None, ""):
        return False
    if not isinstance(value, bool):
        raise ValueError("This must be true or false.")
    return value


def read_choice(choices: Choices, default: str, value: Any) -> str:
    """Read a choice given by its code or its label; the default where nothing is given."""
    text = _line(value)
    if not text:
        return default
    if text in choices:
        return text
    for code, label in choices.items():
        if text.casefold() in (label.casefold(), code.replace("_", " ")):
            return code
    raise ValueError(f"“{text}” is none of: {', '.join(choices.values())}.")


def _scale(value: Any) -> int:
    return read_whole(value, 1, 5) or 3


def read_whole(value: Any, least: int, limit: int) -> int | None:
    """Read a whole number from `least` to `most`; None where nothing is given."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("This must be a whole number.")
    if not least <= value <= limit:
        raise ValueError(f"This must be between {least} and {limit:,}.")
    return value


def _number(value: Any) -> int:
    return read_whole(value, 0, 2**40) or 0


def _area(value: Any) -> str:
    text = _line(value)
    if text and not re.fullmatch(r"[A-Z]\d{8}", text, re.ASCII):
        raise ValueError(f"“{text}” is not a GSS code such as E07000228.")
    return text


def _degrees(limit: int, value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("This must be a number of degrees.")
    try:
        number = round(float(value), 6)
    except (ValueError, OverflowError) as error:
        raise ValueError("This must be a number of degrees.") from error
    if not -limit <= number <= limit:
        raise ValueError(f"This must be between -{limit} and {limit}.")
    return number + 0.0  # -0.0 would be a different text for an equal number


def read_year(value: Any) -> str:
    """Read a calendar year or a financial one, in one spelling: "2027", "2027-28"."""
    text = _line(value).replace("/", "-").replace("–", "-")
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", text, re.ASCII)
    if not text:
        return ""
    if match is None or (match[2] and int(match[2]) != (int(match[1]) + 1) % 100):
        raise ValueError(f"“{text}” is not a year: write 2027, or 2027-28 for a financial year.")
    return text


_READERS: dict[str, Callable[[Any], Any]] = {
    "line": _line,
    "site": _line,
    "date": _date,
    "flag": _flag,
    "scale": _scale,
    "number": _number,
    "area": _area,
    "latitude": partial(_degrees, 90),
    "longitude": partial(_degrees, 180),
}


def read_field(field: Field, value: Any) -> Any:
    """Make one value regular; raise ValueError saying what is wrong with it."""
    if value is None or value is field.default:
        # Most fields of most items: nothing is given.
        regular: Any = field.default
    elif field.shape == "choice":
        regular = read_choice(field.choices, field.default, value)
    elif field.shape == "text":
        regular = _text(field.max_length, value)
    else:
        regular = _READERS[field.shape](value)
    if field.required and not regular:
        raise ValueError(f"Enter the {field.label.lower()}.")
    return regular
