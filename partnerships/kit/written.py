"""Read dates and amounts as people write them: "12 Nov 2026", "Q3 2027", "£1.8m"."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from dateutil import parser

from partnerships.kit.dates import NotADate, PartialDate

#: The longest text that is read as a date or an amount, in characters.
LONGEST = 60
#: Examples of what to enter, for the end of an error message.
DAY_EXAMPLES = "27 March 2027 or 27/3/2027"
PARTIAL_EXAMPLES = f"{DAY_EXAMPLES}, March 2027, Q1 2027 or 2027"

_QUARTER = re.compile(r"q(?:uarter)? ?([1-4])[,/-]? ?(\d{4})(?: ?[-/–] ?(\d{2}|\d{4}))?", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})(?: ?[-/–] ?(\d{2}|\d{4}))?[,/-]? ?q(?:uarter)? ?([1-4])", re.IGNORECASE)
_FINANCIAL_YEAR = re.compile(r"(\d{4}) ?[-/–] ?(\d{2}|\d{4})")
_NUMBERS = re.compile(r"(\d{1,2})(?: ?[/.-] ?| )(\d{1,2})(?: ?[/.-] ?| )(\d{4}|\d{2})")
_ISO_ORDER = re.compile(r"(\d{4})(?: ?[/.-] ?| )(\d{1,2})(?: ?[/.-] ?| )(\d{1,2})")
_MONTH_AND_YEAR = re.compile(r"(\d{1,2}) ?[/.-] ?(\d{4})")
# A month as spreadsheets write it: "Mar-27" or "Mar '27". But "Mar 27" may be a day.
_SHORT_MONTH = re.compile(r"([a-z]{3,9})(?: ?- ?| ?['’])(\d{2})", re.IGNORECASE)
_WORDS = re.compile(r"[\w ,./’'-]+")
# Two default dates that differ in year, month and day. The text is parsed with each. A part of the date that is the
# same in both results was in the text.
_ONE_DAY, _OTHER_DAY = dt.datetime(2000, 1, 1), dt.datetime(2004, 2, 2)  # noqa: DTZ001 - days without a place

#: Limit of digits before the decimal point. `quantize` fails beyond 28.
_MAX_DIGITS = 20
# Commas may only separate thousands, because in other countries "1,5" means one and a half, not 15.
_AMOUNT = re.compile(r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+) ?(?P<size>[a-z]*)", re.IGNORECASE)
_SIZES = {
    "": 1,
    "k": 1_000,
    "thousand": 1_000,
    "m": 1_000_000,
    "mn": 1_000_000,
    "million": 1_000_000,
    "bn": 1_000_000_000,
    "billion": 1_000_000_000,
}


class NotAnAmount(ValueError):
    """Raised if a text is not a number or an amount of money."""


class _Names(parser.parserinfo):  # type: ignore[misc]  # dateutil carries no types
    """Settings of dateutil, by which the day is before the month, and years of two digits do not depend on today."""

    def __init__(self) -> None:
        super().__init__(dayfirst=True)

    def convertyear(self, year: int, century_specified: bool = False) -> int:
        """Return the year with its century. For example, 27 is 2027, and 69 is 1969."""
        return year if century_specified else _with_century(year)


def _with_century(year: int) -> int:
    """Return a year of two digits with its century, from 1969 to 2068 (POSIX). Other years are unchanged."""
    return year if year >= 100 else year + (1900 if year >= 69 else 2000)


_PARSER = parser.parser(_Names())


def read_date(text: str) -> PartialDate:
    """Return a date as precise as it was written. A quarter becomes its last month.

    Reads "12 Nov 2026", "12/11/2026", "March 2027", "Q3 2027" (of the calendar year), "Q3 2027/28" (of the financial
    year from April) and "2027". Raises `NotADate` for other texts.
    """
    words = " ".join(text.split())
    if not words or len(words) > LONGEST:
        raise NotADate(f"Enter {PARTIAL_EXAMPLES}.")
    date = _date_in_figures(words) or _last_month_of_quarter(words) or _date_with_month_name(words)
    try:
        date.earliest  # noqa: B018 - raises ValueError for days that do not exist
        is_day = date.month != 0 and date.day != 0
    except ValueError:
        is_day = False
    if not is_day:
        raise NotADate(f"“{words}” is not a real date. Enter {PARTIAL_EXAMPLES}.")
    return date


def _date_in_figures(text: str) -> PartialDate | None:
    """Return the date if it is written in figures, else None. Raises `NotADate` for figures that are not clear."""
    if _is_financial(text):
        year = int(text[:4])
        raise NotADate(
            f"“{text}” is a financial year. Enter its first or last month: April {year} or March {year + 1}."
        )
    if re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", text, re.ASCII):
        return PartialDate(*map(int, text.split("-")))
    if match := _ISO_ORDER.fullmatch(text):
        return PartialDate(*map(int, match.groups()))
    if match := _NUMBERS.fullmatch(text):
        day, month, year = map(int, match.groups())
        return PartialDate(_with_century(year), month, day)
    if match := _MONTH_AND_YEAR.fullmatch(text):
        return PartialDate(int(match[2]), int(match[1]))
    if text.isdecimal():
        # Figures such as 20270403 could mean several dates.
        raise NotADate(f"Enter {PARTIAL_EXAMPLES}.")
    return None


def _is_financial(words: str) -> bool:
    """Return whether a text is a financial year: "2027/28" or "2027-28", but not the month "2027-12"."""
    match = _FINANCIAL_YEAR.fullmatch(words)
    if match is None or int(match[2]) % 100 != (int(match[1]) + 1) % 100:
        return False
    return "-" not in words or match[2] not in _ISO_MONTHS


#: "2011-12" means December 2011, not a financial year, because dates are stored in this form. "2011/12" is a year.
_ISO_MONTHS = frozenset(f"{month:02d}" for month in range(1, 13))


def _last_month_of_quarter(words: str) -> PartialDate | None:
    """Return the last month of the quarter, or None if the text names no quarter."""
    if match := _QUARTER.fullmatch(words):
        quarter, year, next_year = int(match[1]), int(match[2]), match[3]
    elif match := _YEAR_FIRST.fullmatch(words):
        quarter, year, next_year = int(match[3]), int(match[1]), match[2]
    else:
        return None
    if not next_year:
        return PartialDate(year, quarter * 3)
    if int(next_year) % 100 != (year + 1) % 100:
        raise NotADate(f"“{words}” is not a quarter. Enter Q1 2027, or Q1 2027/28 for a financial year.")
    return PartialDate(year + 1, 3) if quarter == 4 else PartialDate(year, quarter * 3 + 3)


def _date_with_month_name(words: str) -> PartialDate:
    """Return a date that is written with the name of a month."""
    if match := _SHORT_MONTH.fullmatch(words):
        words = f"{match[1]} {_with_century(int(match[2]))}"
    if not _WORDS.fullmatch(words) or re.search(r"\d[:.]\d", words):
        raise NotADate(f"Enter {PARTIAL_EXAMPLES}.")
    try:
        first, second = (_PARSER.parse(words, default=default, ignoretz=True) for default in (_ONE_DAY, _OTHER_DAY))
    except (ValueError, OverflowError, TypeError, AttributeError) as error:
        raise NotADate(f"Enter {PARTIAL_EXAMPLES}.") from error
    if first.year != second.year:
        raise NotADate(f"Add the year. Enter {PARTIAL_EXAMPLES}.")
    has_time = first.time() != second.time() or first.time() != dt.time()
    if first.month != second.month or has_time:
        raise NotADate(f"Enter {PARTIAL_EXAMPLES}.")
    return PartialDate(first.year, first.month, first.day if first.day == second.day else None)


def read_amount(value: Any) -> Decimal | None:
    """Return a number or an amount that people wrote, such as "1,150", "1.8m", "£250k" or "£1.8 million".

    Returns None for an empty text. Raises `NotAnAmount` for other texts.
    """
    # `:f` writes a Decimal without an exponent: 1000000, not 1E+6.
    plain_text = f"{value:f}" if isinstance(value, Decimal) else str("" if value is None else value)
    text = " ".join(plain_text.split())
    if not text:
        return None
    is_negative = text[:1] in "-−"  # noqa: RUF001 - a hyphen and a minus sign: people type both
    sign, unsigned = ("-", text[1:].strip()) if is_negative else ("", text)
    match = _AMOUNT.fullmatch(unsigned.removeprefix("£").strip())
    size = _SIZES.get(match["size"].lower()) if match else None
    if match is None or size is None or len(text) > LONGEST:
        raise NotAnAmount(f"“{text[:LONGEST]}” is not a number. Enter a number, for example 12 or 1,500.")
    number = Decimal(sign + match["number"].replace(",", "")) * size
    if number.adjusted() >= _MAX_DIGITS:
        raise NotAnAmount(f"“{text[:LONGEST]}” is too large.")
    if number == number.to_integral_value():
        return number.quantize(Decimal(1))
    # After multiplying, trailing zeros are dropped: £1.2345678m is 1234567.8. But "1.150" keeps its three decimals.
    return number.normalize() if size > 1 else number
