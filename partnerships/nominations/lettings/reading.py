"""What a kept row of a CORE export says: a letting, or why the row is set aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from partnerships.nominations.lettings.columns import CollectionYear, core_columns, plain
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.schedule import Agreed, Bedrooms

_LONDON = ZoneInfo("Europe/London")
_FORMATS = ("%d/%m/%Y", "%d %B %Y", "%d %b %Y", "%d-%m-%Y")
#: Codes of `rsnvac`: why the home was vacant.
_TEMPORARY, _TRANSFER, _RENEWAL = "9", "13", "14"
_FIRST_LETS = frozenset({"15", "16", "17"})
#: Code of a bedsit.
_BEDSIT = "2"
#: More bedrooms than this are a typing error.
_MAX_BEDS = 20
#: More days vacant than this are a typing error.
_MAX_DAYS = 20 * 366


class Outcome(StrEnum):
    """What became of a row; all but the first set it aside.

    A row gets the first that fits, in this order.
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
        """The reason in words."""
        return _LABELS[self]

    @property
    def remedy(self) -> str:
        """What to correct; "" where the row is rightly set aside."""
        return _REMEDIES.get(self, "")


_LABELS = {
    Outcome.USED: "Counted",
    Outcome.SLIPPED: "The row has more or fewer cells than there are headings",
    Outcome.NO_DATE: "The tenancy has no start date, or not a date",
    Outcome.OTHER_QUARTER: "The tenancy starts in another quarter",
    Outcome.BEFORE_TERMS: "The tenancy starts before the agreement came into force",
    Outcome.AFTER_END: "The tenancy starts after the agreement ended",
    Outcome.SUSPENDED: "The tenancy starts while the agreement was suspended",
    Outcome.NO_AUTHORITY: "The row does not give a local authority",
    Outcome.OTHER_AUTHORITY: "The home is in another authority",
    Outcome.OTHER_LANDLORD: "Another landlord owns and manages the home",
    Outcome.OTHER_SCHEME: "The home is in no scheme of the agreement",
    Outcome.RENEWAL: "A tenancy was renewed: the home was not vacant",
    Outcome.SUPPORTED: "Supported housing, which the agreement does not count",
    Outcome.TEMPORARY: "Let to those who lived there in temporary accommodation, which the agreement does not count",
    Outcome.TRANSFER: "Vacant because of an internal transfer, which the agreement does not count",
    Outcome.NO_KIND: "Neither a first let nor a relet: no reason for the vacancy",
    Outcome.NO_BEDROOMS: "The number of bedrooms is missing or is not a number",
    Outcome.NO_SOURCE: "The source of referral is missing",
    Outcome.DUPLICATE: "The same home and start date as an earlier row",
}
_REMEDIES = {
    Outcome.SLIPPED: "Export the file again, and do not edit it.",
    Outcome.NO_DATE: "Complete the start date in CORE and export again.",
    Outcome.NO_AUTHORITY: "Complete the local authority in CORE and export again.",
    Outcome.OTHER_LANDLORD: "If it is yours, ask an administrator to add the name that CORE uses to your organisation.",
    Outcome.OTHER_SCHEME: "If it is in one, add to the terms what its property references begin with.",
    Outcome.NO_KIND: "Complete the reason for the vacancy in CORE and export again.",
    Outcome.NO_BEDROOMS: "Complete the bedrooms in CORE and export again.",
    Outcome.NO_SOURCE: "Complete the source of referral in CORE and export again.",
    Outcome.DUPLICATE: "If these are two lettings, correct the property reference or UPRN in CORE and export again.",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which lettings a return counts: quarter, area, landlord, and what was agreed.

    `in_force` are the first and the last day of the quarter on which the agreement was in force, and `suspended` the
    first and the last day of each time between when it was suspended.
    `areas` are GSS codes; `area_names` count where a row has no code. `landlord_names` are the provider's names.
    Names are as `plain` writes them.
    """

    quarter: Quarter
    in_force: tuple[dt.date, dt.date]
    year: CollectionYear
    agreed: Agreed
    areas: frozenset[str]
    area_names: frozenset[str]
    landlord_names: frozenset[str]
    suspended: tuple[tuple[dt.date, dt.date], ...] = ()


@dataclass(frozen=True, slots=True)
class Letting:
    """One letting that a return counts.

    `void_days` None if the row does not say; `offers` in 2023/24 only.
    """

    bedrooms: Bedrooms
    is_first_let: bool
    is_nominated: bool
    void_days: int | None
    offers: int | None
    home: tuple[str, dt.date] | None


def coded(row: Mapping[str, str], column: str) -> str:
    """The code of a value, which may be a label; "" if it is missing."""
    value = row.get(column, "").strip()
    if not value or value.isdigit():
        return value.lstrip("0") or value[:1]
    return core_columns().values.get(column, {}).get(plain(value), value)


@lru_cache(maxsize=20_000)
def day_of(text: str) -> dt.date | None:
    """A date as CORE and spreadsheets write it; None for anything else.

    A time with an offset is a moment, and counts for its day in London.
    """
    text = text.strip()
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(_LONDON).date() if moment.tzinfo else moment.date()
    except (ValueError, OverflowError):  # the year 1 or 9999 with an offset
        pass
    for shape in _FORMATS:
        try:
            return dt.datetime.strptime(text, shape).date()  # noqa: DTZ007 - only its day is used
        except ValueError:
            continue
    return None


def read_letting(row: Mapping[str, str] | None, scope: Scope) -> Letting | Outcome:
    """The letting of a row, or why it is set aside."""
    if row is None:
        return Outcome.SLIPPED
    started = day_of(row.get("startdate", ""))
    if started is None:
        return Outcome.NO_DATE
    if not scope.quarter.starts_on <= started < scope.quarter.ends_on:
        return Outcome.OTHER_QUARTER
    if started < scope.in_force[0]:
        return Outcome.BEFORE_TERMS
    if started > scope.in_force[1]:
        return Outcome.AFTER_END
    if any(first <= started <= last for first, last in scope.suspended):
        return Outcome.SUSPENDED
    for refuse in _REFUSALS:
        if (outcome := refuse(row, scope)) is not None:
            return outcome
    is_first_let = _is_first_let(row)
    if is_first_let is None:
        return Outcome.NO_KIND
    bedrooms = _bedrooms(row)
    if bedrooms is None:
        return Outcome.NO_BEDROOMS
    sources = {column: coded(row, column) for column in scope.year.nominated}
    if not next(iter(sources.values())):
        return Outcome.NO_SOURCE
    home = row.get("uprn", "").strip() or row.get("propcode", "").strip().casefold()
    return Letting(
        bedrooms=bedrooms,
        is_first_let=is_first_let,
        is_nominated=all(sources[column] == code for column, code in scope.year.nominated.items()),
        void_days=_void_days(row, started),
        offers=_number(row.get("offered", ""), _MAX_DAYS),
        home=(home, started) if home else None,
    )


def _refuse_place(row: Mapping[str, str], scope: Scope) -> Outcome | None:
    code, name = row.get("la", "").strip().upper(), plain(row.get("la_label", ""))
    if not code and not name:
        return Outcome.NO_AUTHORITY
    is_here = code in scope.areas if code else name in scope.area_names
    return None if is_here else Outcome.OTHER_AUTHORITY


def _refuse_landlord(row: Mapping[str, str], scope: Scope) -> Outcome | None:
    names = {plain(row.get(column, "")) for column in ("owning_organisation_name", "managing_organisation_name")} - {""}
    return Outcome.OTHER_LANDLORD if names and not names & scope.landlord_names else None


def _refuse_scheme(row: Mapping[str, str], scope: Scope) -> Outcome | None:
    schemes, reference = scope.agreed.schemes, row.get("propcode", "")
    if schemes is None or any(scheme.has(reference) for scheme in schemes):
        return None
    return Outcome.OTHER_SCHEME


def _refuse_vacancy(row: Mapping[str, str], scope: Scope) -> Outcome | None:
    reason = coded(row, "rsnvac")
    if reason == _RENEWAL:
        return Outcome.RENEWAL
    if _is_supported(row) and not scope.agreed.counts_supported:
        return Outcome.SUPPORTED
    if reason == _TEMPORARY and not scope.agreed.counts_temporary:
        return Outcome.TEMPORARY
    if reason == _TRANSFER and not scope.agreed.counts_transfers:
        return Outcome.TRANSFER
    return None


_REFUSALS: tuple[Callable[[Mapping[str, str], Scope], Outcome | None], ...] = (
    _refuse_place,
    _refuse_landlord,
    _refuse_scheme,
    _refuse_vacancy,
)


def _is_supported(row: Mapping[str, str]) -> bool:
    """Whether it is supported housing.

    Without the needs type, homes of general needs have a type of unit.
    """
    if needs := coded(row, "needstype"):
        return needs == "2"
    return "unittype_gn" in row and not row["unittype_gn"].strip()


def _is_first_let(row: Mapping[str, str]) -> bool | None:
    """Whether the home was never let as social housing before. None if nothing says so."""
    if first_time := coded(row, "first_time_property_let_as_social_housing"):
        return first_time == "1"
    if reason := coded(row, "rsnvac"):
        return reason in _FIRST_LETS
    if new := coded(row, "newprop"):
        return new == "1"
    return None


def _bedrooms(row: Mapping[str, str]) -> Bedrooms | None:
    """The size of the home.

    A bedsit is a studio, however many bedrooms CORE derives for it.
    """
    is_studio = coded(row, "unittype_gn") == _BEDSIT
    number = _number(row.get("beds", ""), _MAX_BEDS)
    if number is None:
        return Bedrooms.STUDIO if is_studio else None
    return Bedrooms.of(number, studio=is_studio)


def _void_days(row: Mapping[str, str], started: dt.date) -> int | None:
    """Days that the home stood vacant.

    As CORE says, else since the void or the end of major repairs.
    """
    if (stated := _number(row.get("vacdays", ""), _MAX_DAYS)) is not None:
        return stated
    days = [day for day in (day_of(row.get("voiddate", "")), day_of(row.get("mrcdate", ""))) if day is not None]
    if not days:
        return None
    vacant = (started - max(days)).days
    return vacant if 0 <= vacant <= _MAX_DAYS else None


def _number(text: str, limit: int) -> int | None:
    """A whole number from 0 to `limit`, such as `2` or `2.0`."""
    text = text.strip().removesuffix(".0")
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        return None
    return int(text) if int(text) <= limit else None
