"""Read which lettings a return includes, its results and trend, and what happened to the rows of an upload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Q, prefetch_related_objects

from partnerships.nominations.lettings.columns import CollectionYear, core_columns, normalise_text
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.lettings.reading import Outcome, Scope
from partnerships.nominations.models import (
    Decision,
    LettingsRun,
    NominationsAgreement,
    NominationsReturn,
    ReturnLine,
)
from partnerships.nominations.models.returns import ReturnQuerySet
from partnerships.nominations.queries.agreement import council_and_provider_ids, period_in_force
from partnerships.nominations.schedule import Bedrooms, NominationTerms
from partnerships.organisations.models import Area, AreaServed, Identifier, Organisation, OrganisationName, Scheme


def nomination_terms_for(agreement: NominationsAgreement, quarter: Quarter) -> NominationTerms | None:
    """Return the terms on nominations on the last day of a quarter on which they were in force.

    None if they were not in force in the quarter.
    """
    period = period_in_force(agreement, quarter)
    return period.agreed if period else None


def collection_year_of(nominations_return: NominationsReturn) -> CollectionYear | None:
    """Return the CORE collection year of a return's lettings, or None for a year before the first in our data file."""
    return core_columns().year_of(nominations_return.starts_on)


def scope_of(nominations_return: NominationsReturn) -> Scope | None:
    """Return which lettings a return counts, or None without terms, or for a year without a known collection.

    Fetch the return with `for_pages`. Before a succession, homes were let in the area and the name of the predecessor.
    So the scope has the areas and names of predecessors as well as successors.
    """
    period = period_in_force(nominations_return.agreement, nominations_return.quarter)
    year = collection_year_of(nominations_return)
    if period is None or year is None:
        return None
    agreed = period.agreed
    councils, providers = council_and_provider_ids(nominations_return.agreement, period)
    codes, names = _areas(councils, nominations_return.quarter)
    return Scope(
        quarter=nominations_return.quarter,
        in_force=(period.first_day, period.last_day),
        year=year,
        agreed=agreed,
        areas=codes,
        area_names=names | _normalised_names(councils) | {normalise_text(agreed.council)},
        landlord_names=_normalised_names(providers) | {normalise_text(agreed.provider)},
        suspended=period.suspended,
    )


def _areas(council_ids: Collection[int], quarter: Quarter) -> tuple[frozenset[str], frozenset[str]]:
    """Return codes and names of the areas that these councils served in the quarter.

    Areas within those areas are included, and the GSS codes of the councils themselves.
    """
    own_codes = Identifier.objects.filter(organisation__in=council_ids, scheme=Scheme.GSS).values_list(
        "value", flat=True
    )
    begins_in_time = Q(starts_on=None) | Q(starts_on__lt=quarter.ends_on)
    ends_in_time = Q(ends_on=None) | Q(ends_on__gt=quarter.starts_on)
    areas_served = AreaServed.objects.filter(begins_in_time, ends_in_time, organisation__in=council_ids)

    codes: set[str] = set(own_codes)
    names: set[str] = set()
    # An area that contains no others has None for the code and name of the area within it.
    for code, name, code_within, name_within in areas_served.values_list(
        "area__code", "area__name", "area__children__code", "area__children__name"
    ):
        codes.update(filter(None, (code, code_within)))
        names.update(normalise_text(area_name) for area_name in (name, name_within) if area_name)
    return frozenset(codes), frozenset(names)


def _normalised_names(body_ids: Collection[int]) -> frozenset[str]:
    """Return all present and former names of these organisations, because an export can use any of them."""
    current = Organisation.objects.filter(pk__in=body_ids).values_list("name", flat=True)
    names = OrganisationName.objects.filter(organisation__in=body_ids).values_list("name", flat=True)
    return frozenset(normalise_text(name) for name in (*current, *names))


def returns_of(agreement: NominationsAgreement) -> ReturnQuerySet:
    """Return the returns of an agreement, latest quarter first."""
    return NominationsReturn.objects.for_pages().filter(agreement=agreement).order_by("-starts_on", "-pk")


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over lines of a return.

    `agreed` and `shortfall` are sums of the lines' whole homes. `in_time` is the share of vacancies with a nominee in
    time, in per cent, of the lines that give this figure.
    """

    lettings: int
    nominated: int
    not_supplied: int
    agreed: int
    shortfall: int
    in_time: Decimal | None = None

    @property
    def achieved(self) -> Decimal | None:
        """Return nominations in per cent of the lettings that count, or None if none count."""
        return percentage(self.nominated, self.lettings - self.not_supplied)


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """The lines of a return, the refusals of each by ground, and the total."""

    lines: Sequence[ReturnLine]
    #: The number of refusals by ground, for the line at the same index.
    refused: Sequence[Mapping[str, int]]
    total: Total

    @property
    def refusals(self) -> list[tuple[str, int]]:
        """Return the refusals of all lines by ground, the most frequent first."""
        count_by_ground: Counter[str] = Counter()
        for line_refusals in self.refused:
            count_by_ground.update(line_refusals)
        return sorted(count_by_ground.items(), key=lambda item: (-item[1], item[0]))

    @property
    def offers(self) -> int | None:
        """Return the offers of all lines, or None if no line has offers."""
        known_offers = [line.offers for line in self.lines if line.offers is not None]
        return sum(known_offers) if known_offers else None


def result_of(nominations_return: NominationsReturn) -> ReturnResult:
    """Return the figures of a return, for the council and the provider."""
    return result_of_lines(nominations_return.lines.prefetch_related("refusals").order_by("pk"))


def result_of_lines(lines: Iterable[ReturnLine]) -> ReturnResult:
    """Return the figures of lines, first lets before relets, each by size. Prefetch the refusals of the lines."""
    sorted_lines = sorted(lines, key=_sort_key)
    refused = [{refusal.ground: refusal.number for refusal in line.refusals.all()} for line in sorted_lines]
    return ReturnResult(sorted_lines, refused, sum_lines(sorted_lines))


def sum_lines(lines: Iterable[ReturnLine]) -> Total:
    """Return the sums over the lines."""
    all_lines = list(lines)
    results = [line.result for line in all_lines]
    timed_lines = [line for line in all_lines if line.in_time is not None]
    return Total(
        lettings=sum(result.lettings for result in results),
        nominated=sum(result.nominated for result in results),
        not_supplied=sum(result.not_supplied for result in results),
        agreed=sum(result.agreed for result in results),
        shortfall=sum(result.shortfall for result in results),
        in_time=percentage(sum(line.in_time or 0 for line in timed_lines), sum(line.lettings for line in timed_lines)),
    )


def _sort_key(line: ReturnLine) -> tuple[bool, int]:
    """Return the key that sorts first lets before relets, and each by size."""
    return not line.is_first_let, list(Bedrooms).index(line.size)


def disputed_lines_of(nominations_return: NominationsReturn) -> list[ReturnLine]:
    """Return the lines that the council has disputed and not confirmed since."""
    if not nominations_return.sendings:
        return []
    return sorted(nominations_return.lines.exclude(reason="").exclude(decision=Decision.CONFIRMED), key=_sort_key)


@dataclass(frozen=True, slots=True)
class QuarterResult:
    """The figures of one quarter in a trend."""

    quarter: Quarter
    result: ReturnResult
    #: The medians of first lets and of relets. None if no letting gives its void days.
    median_days: tuple[Decimal | None, Decimal | None]


def trend_of(returns: Iterable[NominationsReturn]) -> list[QuarterResult]:
    """Return the figures of the returns that were sent, earliest quarter first, for the council and the provider.

    `returns` are the returns of one agreement, from `returns_of`.
    """
    sent_returns = [nominations_return for nominations_return in returns if nominations_return.sendings]
    prefetch_related_objects(sent_returns, "lines__refusals")
    quarters = []
    for nominations_return in sorted(sent_returns, key=lambda nominations_return: nominations_return.starts_on):
        report = nominations_return.run.report
        quarter_result = QuarterResult(
            quarter=nominations_return.quarter,
            result=result_of_lines(nominations_return.lines.all()),
            median_days=(median_void_days(report, "first_lets"), median_void_days(report, "relets")),
        )
        quarters.append(quarter_result)
    return quarters


def median_void_days(content: Mapping[str, Any], kind: str) -> Decimal | None:
    """Return the median void days in a report or record, of "first_lets", "relets" or "all"."""
    days = content.get("median_days", {}).get(kind)
    return None if days is None else Decimal(days)


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """The rows of an upload with the same outcome, and how people can correct them."""

    label: str
    remedy: str
    number: int
    rows: str
    is_used: bool


def row_outcomes(run: LettingsRun) -> list[RowOutcome]:
    """Return the outcomes of the rows of an upload, in the order of `Outcome`."""
    ranges_by_outcome = run.report.get("outcomes", {})
    return [_row_outcome(outcome, ranges_by_outcome[outcome]) for outcome in Outcome if outcome in ranges_by_outcome]


def _row_outcome(outcome: Outcome, ranges: Sequence[Sequence[int]]) -> RowOutcome:
    """Return one outcome, with its rows in words such as “2 to 14, 20”. `ranges` are first and last row numbers."""
    rows = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges)
    number = sum(last - first + 1 for first, last in ranges)
    return RowOutcome(
        label=outcome.label, remedy=outcome.remedy, number=number, rows=rows, is_used=outcome is Outcome.USED
    )


def rows_by_authority(run: LettingsRun) -> list[tuple[str, int]]:
    """Return the names of authorities with the number of rows of the quarter in their areas, most rows first."""
    counts: list[tuple[str, int]] = [(code, count) for code, count in run.report.get("by_authority", ())]
    name_by_code = dict(Area.objects.filter(code__in=[code for code, _ in counts]).values_list("code", "name"))
    return [(name_by_code.get(code, code) or "No authority code", count) for code, count in counts]


def percentage(part: int, whole: int) -> Decimal | None:
    """Return a share in per cent with one decimal, or None if the whole is zero."""
    if whole <= 0:
        return None
    return (Decimal(100) * part / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)
