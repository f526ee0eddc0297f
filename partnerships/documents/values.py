"""Normalise single values, such as texts, dates, choices and numbers.

Each function returns the value in its normalised form, or raises `ValueError` with a sentence for the person who
entered the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from partnerships.documents.schema import Choices, Field
from partnerships.kit.dates import PartialDate
from partnerships.kit.written import NotAnAmount, read_amount

#: The most characters in a text on one line.
LINE = 500
#: A whole number, with or without commas between thousands. "1,5" is not 15.
_WHOLE = re.compile(r"\d+|\d{1,3}(?:,\d{3})+")
# PostgreSQL's jsonb refuses NUL, and lone surrogates cannot be encoded in UTF-8.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with a content, with the path of the value and what to do about the problem."""

    path: str
    message: str


class InvalidContent(ValueError):
    """The content or piece is invalid; `problems` says where and why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in self.problems))


def read_line(value: Any) -> str:
    """Return a text on one line, with single spaces. Raises `ValueError`."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("Enter text.")
    text = " ".join(str(value).split())
    if UNSTORABLE.search(text):
        raise ValueError("This contains characters that cannot be stored. Type the text again.")
    if len(text) > LINE:
        raise ValueError(f"This is {len(text):,} characters long, and the limit is {LINE}.")
    return text


def _read_text(max_length: int, value: Any) -> str:
    """Return a text with one kind of line breaks. Raises `ValueError`."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("Enter text.")
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if UNSTORABLE.search(text):
        raise ValueError("This contains characters that cannot be stored. Type the text again.")
    if len(text) > max_length:
        raise ValueError(f"This is {len(text):,} characters long, and the limit is {max_length:,}.")
    return text


def _date(value: Any) -> str:
    text = read_line(value)
    return str(PartialDate.parse(text)) if text else ""


def _flag(value: Any) -> bool:
    if value in (None, ""):
        return False
    if not isinstance(value, bool):
        raise ValueError("Enter true or false.")
    return value


def read_choice(choices: Choices, default: str, value: Any) -> str:
    """Return the code of the choice with this code or label, or the default for an empty value.

    Raises `ValueError`.
    """
    text = read_line(value)
    if not text:
        return default
    if text in choices:
        return text
    for code, label in choices.items():
        if text.casefold() in (label.casefold(), code.replace("_", " ")):
            return code
    raise ValueError(f"“{text}” is not one of the choices. Choose one of these: {', '.join(choices.values())}.")


def _scale(value: Any) -> int:
    return read_whole(value, 1, 5) or 3


def read_whole(value: Any, minimum: int, maximum: int) -> int | None:
    """Return a whole number from `minimum` to `maximum`, or None for an empty value. Raises `ValueError`."""
    if value is None or value == "":
        return None
    number = value
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        number = int(value.replace(",", ""))
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("Enter a whole number.")
    if not minimum <= number <= maximum:
        raise ValueError(f"Enter a number between {minimum} and {maximum:,}.")
    return number


def _number(value: Any) -> int:
    return read_whole(value, 0, 2**40) or 0


def read_money(value: Any) -> str:
    """Return an amount in pounds with two decimals, such as "1250000.00"; "" for an empty value.

    Raises `ValueError`.
    """
    try:
        amount = read_amount(value if isinstance(value, Decimal) else read_line(value))
    except NotAnAmount as error:
        raise ValueError(
            f"“{value}” is not an amount in pounds. Enter an amount, for example £1,800,000 or £1.8m."
        ) from error
    if amount is None:
        return ""
    if not 0 <= amount < 10**12:
        raise ValueError("Enter an amount between £0 and £1,000 billion.")
    if amount != round(amount, 2):
        raise ValueError("Enter pounds and whole pence, with at most two decimal places.")
    return str(amount.quantize(Decimal("0.01")))


def read_percent(value: Any) -> str:
    """Return a percentage from 0 to 100 without trailing zeros, such as "33.33"; "" for an empty value.

    Raises `ValueError`.
    """
    text = read_line(str(value) if isinstance(value, Decimal) else value).removesuffix("%").strip()
    if not text:
        return ""
    not_a_percentage = f"“{text}” is not a percentage. Enter a number between 0 and 100."
    try:
        share = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(not_a_percentage) from error
    if not share.is_finite():  # "NaN" and "Infinity" are valid decimals
        raise ValueError(not_a_percentage)
    if not 0 <= share <= 100:
        raise ValueError("Enter a number between 0 and 100.")
    if share != round(share, 4):
        raise ValueError("Enter at most four decimal places.")
    return f"{share:.4f}".rstrip("0").rstrip(".")


def read_year(value: Any) -> str:
    """Return a calendar or financial year as "2027" or "2027-28"; "" for an empty value. Raises `ValueError`."""
    text = read_line(value).replace("/", "-").replace("–", "-")
    if not text:
        return ""
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", text, re.ASCII)
    if match is None or (match[2] and int(match[2]) != (int(match[1]) + 1) % 100):
        raise ValueError(f"“{text}” is not a year. Enter a year, for example 2027, or 2027-28 for a financial year.")
    return text


def _days(value: Any) -> int | None:
    return read_whole(value, 0, 36_500)


def _degrees(limit: int, value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("Enter a number of degrees.")
    try:
        number = round(float(value), 6)
    except (ValueError, OverflowError) as error:
        raise ValueError("Enter a number of degrees.") from error
    if not -limit <= number <= limit:
        raise ValueError(f"Enter a number of degrees between -{limit} and {limit}.")
    return number + 0.0  # -0.0 would be a different text for an equal number


_READERS: dict[str, Callable[[Any], Any]] = {
    "line": read_line,
    "item": read_line,
    "date": _date,
    "flag": _flag,
    "scale": _scale,
    "number": _number,
    "money": read_money,
    "percent": read_percent,
    "days": _days,
    "year": read_year,
    "latitude": partial(_degrees, 90),
    "longitude": partial(_degrees, 180),
}


def read_field(field: Field, value: Any) -> Any:
    """Return the normalised value of a field. Raises `ValueError`."""
    if value is None or value is field.default:
        # Most values are the default, so this case is checked first.
        normalised: Any = field.default
    elif field.read is not None:
        normalised = field.read(value)
    elif field.shape == "choice":
        normalised = read_choice(field.choices, field.default, value)
    elif field.shape == "text":
        normalised = _read_text(field.max_length, value)
    else:
        normalised = _READERS[field.shape](value)
    if field.required and not normalised:
        raise ValueError(f"Enter the {field.label.lower()}.")
    return normalised
