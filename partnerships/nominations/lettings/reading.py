"""Reads a kept row of a CORE export as a letting, or finds out why the row is set aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from partnerships.nominations.lettings.columns import CollectionYear, core_columns, normalise_text
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.schedule import Bedrooms, NominationTerms

_LONDON = ZoneInfo("Europe/London")
_FORMATS = ("%d/%m/%Y", "%d %B %Y", "%d %b %Y", "%d-%m-%Y")
#: Codes of `rsnvac`: why the home was vacant.
_TEMPORARY, _TRANSFER, _RENEWAL = "9", "13", "14"
_FIRST_LETS = frozenset({"15", "16", "17"})
#: Code of a bedsit.
_BEDSIT = "2"
#: More bedrooms than this must be a typing error.
_MAX_BEDS = 20
#: More days vacant than this must be a typing error.
_MAX_DAYS = 20 * 366


class Outcome(StrEnum):
    """What became of a row, which was counted, or set aside for one of these reasons.

    If several reasons apply to a row, it gets the first in this order.
    """

    USED = "used"
    SLIPPED = "slipped"
    NO_DATE = "no_date"
    OTHER_QUARTER = "other_quarter"
    BEFORE_TERMS = "before_terms"
    AFTER_END = "after_end"
    SUSPENDED = "suspended"
    NO_AUTHORITY = "no_authority"
    OTHER_AUTHORITY = "other_authority"
    OTHER_LANDLORD = "other_landlord"
    OTHER_SCHEME = "other_scheme"
    RENEWAL = "renewal"
    SUPPORTED = "supported"
    TEMPORARY = "temporary"
    TRANSFER = "transfer"
    NO_KIND = "no_kind"
    NO_BEDROOMS = "no_bedrooms"
    NO_SOURCE = "no_source"
    DUPLICATE = "duplicate"

    @property
    def label(self) -> str:
        """Return the outcome as text for people."""
        return _LABELS[self]

    @property
    def remedy(self) -> str:
        """What people should correct, or "" if the row is rightly set aside."""
        return _REMEDIES.get(self, "")


_LABELS = {
    Outcome.USED: "Counted",
    Outcome.SLIPPED: "The row has more or fewer cells than there are headings",
    Outcome.NO_DATE: "The tenancy has no start date, or its start date is not a date",
    Outcome.OTHER_QUARTER: "The tenancy starts in another quarter",
    Outcome.BEFORE_TERMS: "The tenancy starts before the agreement came into force",
    Outcome.AFTER_END: "The tenancy starts after the agreement ended",
    Outcome.SUSPENDED: "The tenancy starts on a day when the agreement was suspended",
    Outcome.NO_AUTHORITY: "The row does not give a local authority",
    Outcome.OTHER_AUTHORITY: "The home is in another authority",
    Outcome.OTHER_LANDLORD: "Another landlord owns and manages the home",
    Outcome.OTHER_SCHEME: "The home is in no scheme of the agreement",
    Outcome.RENEWAL: "A tenancy was renewed, so the home was not vacant",
    Outcome.SUPPORTED: "Supported housing, which the agreement does not count",
    Outcome.TEMPORARY: "Let to people already in temporary accommodation there, which the agreement does not count",
    Outcome.TRANSFER: "Vacant because of an internal transfer, which the agreement does not count",
    Outcome.NO_KIND: "The row gives no reason for the vacancy, so it is neither a first let nor a relet",
    Outcome.NO_BEDROOMS: "The number of bedrooms is missing or is not a number",
    Outcome.NO_SOURCE: "The source of referral is missing",
    Outcome.DUPLICATE: "The same home and start date as an earlier row",
}
_REMEDIES = {
    Outcome.SLIPPED: "Export the file again, and do not edit it.",
    Outcome.NO_DATE: "Complete the start date in CORE and export again.",
    Outcome.NO_AUTHORITY: "Complete the local authority in CORE and export again.",
    Outcome.OTHER_LANDLORD: (
        "If the home is yours, ask your administrator to add the name that CORE uses to your organisation."
    ),
    Outcome.OTHER_SCHEME: (
        "If the home is in a scheme of the agreement, add the beginning of its property reference to the terms."
    ),
    Outcome.NO_KIND: "Complete the reason for the vacancy in CORE and export again.",
    Outcome.NO_BEDROOMS: "Complete the number of bedrooms in CORE and export again.",
    Outcome.NO_SOURCE: "Complete the source of referral in CORE and export again.",
    Outcome.DUPLICATE: "If these are two lettings, correct the property reference or UPRN in CORE and export again.",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The lettings that a return counts. Names are normalised with `normalise_text`."""

    quarter: Quarter
    #: First and last day of the quarter on which the agreement was in force.
    in_force: tuple[dt.date, dt.date]
    year: CollectionYear
    agreed: NominationTerms
    #: GSS codes of the council's area, and names for rows without a code.
    areas: frozenset[str]
    area_names: frozenset[str]
    #: Names of the provider.
    landlord_names: frozenset[str]
    #: First and last day of each time when the agreement was suspended.
    suspended: tuple[tuple[dt.date, dt.date], ...] = ()


@dataclass(frozen=True, slots=True)
class Letting:
    """A letting that a return counts."""

    bedrooms: Bedrooms
    is_first_let: bool
    is_nominated: bool
    #: None if the row does not say how long the home was vacant.
    void_days: int | None
    #: Only exports of 2023/24 contain the number of offers.
    offers: int | None
    #: UPRN or property reference, and start date. None if the row has neither.
    home: tuple[str, dt.date] | None


def value_code(row: Mapping[str, str], column: str) -> str:
    """Return the code of a value, which the row may give as a label, or "" if the value is missing."""
    value = row.get(column, "").strip()
    if not value or value.isdigit():
        return value.lstrip("0") or value[:1]
    return core_columns().values.get(column, {}).get(normalise_text(value), value)


@lru_cache(maxsize=20_000)
def parse_day(text: str) -> dt.date | None:
    """Return a date that CORE or a spreadsheet has written, or None for any other text.

    A time with an offset counts for its day in London.
    """
    date_text = text.strip()
    try:
        moment = dt.datetime.fromisoformat(date_text)
        return moment.astimezone(_LONDON).date() if moment.tzinfo else moment.date()
    except (ValueError, OverflowError):  # OverflowError for the year 1 or 9999 with an offset
        pass
    for date_format in _FORMATS:
        try:
            return dt.datetime.strptime(date_text, date_format).date()  # noqa: DTZ007 - only its day is used
        except ValueError:
            continue
    return None


def read_letting(row: Mapping[str, str] | None, scope: Scope) -> Letting | Outcome:
    """Return the letting of a row, or the reason why the row is set aside.

    `row` is None if its cells have slipped into other columns.
    """
    if row is None:
        return Outcome.SLIPPED
    starts_on = parse_day(row.get("startdate", ""))
    if starts_on is None:
        return Outcome.NO_DATE
    if (outcome := _check_day(starts_on, scope)) is not None:
        return outcome
    for check in _CHECKS:
        if (outcome := check(row, scope)) is not None:
            return outcome
    is_first_let = _is_first_let(row)
    if is_first_let is None:
        return Outcome.NO_KIND
    bedrooms = _bedrooms(row)
    if bedrooms is None:
        return Outcome.NO_BEDROOMS
    sources = {column: value_code(row, column) for column in scope.year.nominated}
    # The first of these columns is the source of referral.
    if not next(iter(sources.values())):
        return Outcome.NO_SOURCE
    home = row.get("uprn", "").strip() or row.get("propcode", "").strip().casefold()
    return Letting(
        bedrooms=bedrooms,
        is_first_let=is_first_let,
        is_nominated=all(sources[column] == code for column, code in scope.year.nominated.items()),
        void_days=_void_days(row, starts_on),
        offers=_whole_number(row.get("offered", ""), _MAX_DAYS),
        home=(home, starts_on) if home else None,
    )


def _check_day(starts_on: dt.date, scope: Scope) -> Outcome | None:
    """Return why a tenancy that starts on this day is set aside, or None."""
    first_day, last_day = scope.in_force
    if not scope.quarter.starts_on <= starts_on < scope.quarter.ends_on:
        return Outcome.OTHER_QUARTER
    if starts_on < first_day:
        return Outcome.BEFORE_TERMS
    if starts_on > last_day:
        return Outcome.AFTER_END
    if any(suspended_from <= starts_on <= suspended_to for suspended_from, suspended_to in scope.suspended):
        return Outcome.SUSPENDED
    return None


def _check_authority(row: Mapping[str, str], scope: Scope) -> Outcome | None:
    code, name = row.get("la", "").strip().upper(), normalise_text(row.get("la_label", ""))
    if not code and not name:
        return Outcome.NO_AUTHORITY
    is_in_area = code in scope.areas if code else name in scope.area_names
    return None if is_in_area else Outcome.OTHER_AUTHORITY


def _check_landlord(row: Mapping[str, str], scope: Scope) -> Outcome | None:
    names = {
        normalise_text(row.get(column, "")) for column in ("owning_organisation_name", "managing_organisation_name")
    } - {""}
    return Outcome.OTHER_LANDLORD if names and not names & scope.landlord_names else None


def _check_scheme(row: Mapping[str, str], scope: Scope) -> Outcome | None:
    schemes = scope.agreed.schemes
    property_code = row.get("propcode", "")
    if schemes is None or any(scheme.has(property_code) for scheme in schemes):
        return None
    return Outcome.OTHER_SCHEME


def _check_vacancy(row: Mapping[str, str], scope: Scope) -> Outcome | None:
    reason = value_code(row, "rsnvac")
    if reason == _RENEWAL:
        return Outcome.RENEWAL
    if _is_supported(row) and not scope.agreed.counts_supported:
        return Outcome.SUPPORTED
    if reason == _TEMPORARY and not scope.agreed.counts_temporary:
        return Outcome.TEMPORARY
    if reason == _TRANSFER and not scope.agreed.counts_transfers:
        return Outcome.TRANSFER
    return None


#: Each function returns why a row is set aside, or None. The first reason counts.
_CHECKS: tuple[Callable[[Mapping[str, str], Scope], Outcome | None], ...] = (
    _check_authority,
    _check_landlord,
    _check_scheme,
    _check_vacancy,
)


def _is_supported(row: Mapping[str, str]) -> bool:
    """Return whether the home is supported housing.

    If the row has no needs type, only general needs homes have a type of unit.
    """
    if needs_type := value_code(row, "needstype"):
        return needs_type == "2"
    return "unittype_gn" in row and not row["unittype_gn"].strip()


def _is_first_let(row: Mapping[str, str]) -> bool | None:
    """Return whether the home was let as social housing for the first time. None if the row does not say."""
    if first_time := value_code(row, "first_time_property_let_as_social_housing"):
        return first_time == "1"
    if reason := value_code(row, "rsnvac"):
        return reason in _FIRST_LETS
    if new_property := value_code(row, "newprop"):
        return new_property == "1"
    return None


def _bedrooms(row: Mapping[str, str]) -> Bedrooms | None:
    """Return the size of the home, or None if the row does not give it.

    A bedsit is a studio, whatever number of bedrooms CORE gives for it.
    """
    is_studio = value_code(row, "unittype_gn") == _BEDSIT
    bedrooms = _whole_number(row.get("beds", ""), _MAX_BEDS)
    if bedrooms is None:
        return Bedrooms.STUDIO if is_studio else None
    return Bedrooms.of(bedrooms, studio=is_studio)


def _void_days(row: Mapping[str, str], starts_on: dt.date) -> int | None:
    """Return the number of days for which the home was vacant, or None if the row does not give it.

    It is the number in CORE or, without one, the days since the void or the end of major repairs, whichever is later.
    """
    days_in_core = _whole_number(row.get("vacdays", ""), _MAX_DAYS)
    if days_in_core is not None:
        return days_in_core
    dates = [parse_day(row.get("voiddate", "")), parse_day(row.get("mrcdate", ""))]
    vacant_since = max((day for day in dates if day is not None), default=None)
    if vacant_since is None:
        return None
    vacant_days = (starts_on - vacant_since).days
    return vacant_days if 0 <= vacant_days <= _MAX_DAYS else None


def _whole_number(text: str, limit: int) -> int | None:
    """Return a whole number up to a limit, written as "2" or "2.0", or None for any other text."""
    digits = text.strip().removesuffix(".0")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 6:
        return None
    number = int(digits)
    return number if number <= limit else None
