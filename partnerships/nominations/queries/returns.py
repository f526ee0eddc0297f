"""Queries about returns.

They find their scope, results and trend, and what happened to the rows of an upload.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Q

from partnerships.nominations.lettings.columns import CollectionYear, core_columns, plain
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
from partnerships.nominations.queries.agreement import period_of, sides_in
from partnerships.nominations.schedule import Agreed, Bedrooms
from partnerships.organisations.models import Area, AreaServed, Identifier, Organisation, OrganisationName, Scheme


def agreed_for(agreement: NominationsAgreement, quarter: Quarter) -> Agreed | None:
    """What the terms say on the last day of a quarter on which they were in force; it counts for the whole quarter."""
    period = period_of(agreement, quarter)
    return period.agreed if period else None


def year_of(nominations_return: NominationsReturn) -> CollectionYear | None:
    """The collection year of CORE that a return's lettings are in. None for years before those we know."""
    return core_columns().year_of(nominations_return.starts_on)


def scope_of(nominations_return: NominationsReturn) -> Scope | None:
    """Which lettings a return counts.

    None without terms or a known year. Fetch it with `for_pages`. Before a succession the homes were in the
    predecessor's area, and let in its name: both bodies' count.
    """
    period, year = period_of(nominations_return.agreement, nominations_return.quarter), year_of(nominations_return)
    if period is None or year is None:
        return None
    agreed = period.agreed
    councils, providers = sides_in(nominations_return.agreement, period)
    codes, names = _areas(councils, nominations_return.quarter)
    return Scope(
        quarter=nominations_return.quarter,
        in_force=(period.first, period.last),
        year=year,
        agreed=agreed,
        areas=codes,
        area_names=names | _names(councils) | {plain(agreed.council)},
        landlord_names=_names(providers) | {plain(agreed.provider)},
        suspended=period.suspended,
    )


def _areas(councils: Collection[int], quarter: Quarter) -> tuple[frozenset[str], frozenset[str]]:
    """Codes and names of the areas that the councils (ids) served in the quarter, and of areas within them.

    Codes that a council itself is registered under count too.
    """
    in_quarter = (Q(starts_on=None) | Q(starts_on__lt=quarter.ends_on)) & (
        Q(ends_on=None) | Q(ends_on__gt=quarter.starts_on)
    )
    served = AreaServed.objects.filter(in_quarter, organisation__in=councils).values_list(
        "area__code", "area__name", "area__children__code", "area__children__name"
    )
    registered = Identifier.objects.filter(organisation__in=councils, scheme=Scheme.GSS).values_list("value", flat=True)
    codes: set[str] = set(registered)
    names: set[str] = set()
    for code, name, code_within, name_within in served:
        codes.update(filter(None, (code, code_within)))
        names.update(plain(area_name) for area_name in (name, name_within) if area_name)
    return frozenset(codes), frozenset(names)


def _names(bodies: Collection[int]) -> frozenset[str]:
    current = Organisation.objects.filter(pk__in=bodies).values_list("name", flat=True)
    names = OrganisationName.objects.filter(organisation__in=bodies).values_list("name", flat=True)
    return frozenset(plain(name) for name in (*current, *names))


def returns_of(agreement: NominationsAgreement) -> ReturnQuerySet:
    """The returns of an agreement, latest quarter first."""
    return NominationsReturn.objects.for_pages().filter(agreement=agreement).order_by("-starts_on", "-pk")


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over lines.

    `agreed` and `shortfall` are sums of the lines' whole homes. `in_time` is the share of vacancies with a nominee in
    time, in per cent, of the lines that say so.
    """

    lettings: int
    nominated: int
    not_supplied: int
    agreed: int
    shortfall: int
    in_time: Decimal | None = None

    @property
    def achieved(self) -> Decimal | None:
        """Nominations in per cent of what counts."""
        return per_cent_of(self.nominated, self.lettings - self.not_supplied)


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """The lines of a return, the refusals of each by ground, and the total."""

    lines: Sequence[ReturnLine]
    refused: Sequence[Mapping[str, int]]
    total: Total

    @property
    def refusals(self) -> list[tuple[str, int]]:
        """Refusals of all lines by ground, most first."""
        together: Counter[str] = Counter()
        for refusal in self.refused:
            together.update(refusal)
        return sorted(together.items(), key=lambda refusal: (-refusal[1], refusal[0]))

    @property
    def offers(self) -> int | None:
        """Offers of all lines; None if no line says any."""
        given = [line.offers for line in self.lines if line.offers is not None]
        return sum(given) if given else None


def result_of(nominations_return: NominationsReturn) -> ReturnResult:
    """Everything that a return says, for the council and the provider."""
    return result_from(nominations_return.lines.prefetch_related("refusals").order_by("pk"))


def result_from(lines: Iterable[ReturnLine]) -> ReturnResult:
    """The result of these lines, first lets first, then by size. Needs their refusals prefetched."""
    lines = sorted(lines, key=_place)
    refused = [{refusal.ground: refusal.number for refusal in line.refusals.all()} for line in lines]
    return ReturnResult(lines, refused, total_of(lines))


def total_of(lines: Iterable[ReturnLine]) -> Total:
    """The sums of some lines."""
    lines = list(lines)
    results, timed = [line.result for line in lines], [line for line in lines if line.in_time is not None]
    return Total(
        lettings=sum(result.lettings for result in results),
        nominated=sum(result.nominated for result in results),
        not_supplied=sum(result.not_supplied for result in results),
        agreed=sum(result.agreed for result in results),
        shortfall=sum(result.shortfall for result in results),
        in_time=per_cent_of(sum(line.in_time or 0 for line in timed), sum(line.lettings for line in timed)),
    )


def _place(line: ReturnLine) -> tuple[bool, int]:
    return not line.is_first_let, list(Bedrooms).index(line.size)


def disputed_lines_of(nominations_return: NominationsReturn) -> list[ReturnLine]:
    """Lines that the council disputed and has not confirmed since.

    None before the return was sent.
    """
    if not nominations_return.sendings:
        return []
    return sorted(nominations_return.lines.exclude(reason="").exclude(decision=Decision.CONFIRMED), key=_place)


@dataclass(frozen=True, slots=True)
class QuarterResult:
    """One quarter of a trend.

    `median_days` of first lets and of relets, None if no row says any.
    """

    quarter: Quarter
    result: ReturnResult
    median_days: tuple[Decimal | None, Decimal | None]


def trend_of(agreement: NominationsAgreement) -> list[QuarterResult]:
    """The results of sent returns, earliest quarter first, for the council and the provider."""
    sent = NominationsReturn.objects.for_pages().filter(agreement=agreement, sendings__gt=0)
    sent_returns = sent.prefetch_related("lines__refusals").order_by("starts_on")
    return [
        QuarterResult(
            nominations_return.quarter,
            result_from(nominations_return.lines.all()),
            _medians(nominations_return.run.report),
        )
        for nominations_return in sent_returns
    ]


def _medians(content: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    return median_in(content, "first_lets"), median_in(content, "relets")


def median_in(said: Mapping[str, Any], kind: str) -> Decimal | None:
    """The median void days that a report or a record says.

    Of its first lets, its relets or all.
    """
    days = said.get("median_days", {}).get(kind)
    return None if days is None else Decimal(days)


@dataclass(frozen=True, slots=True)
class OutcomeOfRows:
    """How many rows of an upload had an outcome, which, and what to correct."""

    label: str
    remedy: str
    number: int
    rows: str
    is_used: bool


def outcomes_of(run: LettingsRun) -> list[OutcomeOfRows]:
    """What became of the rows of an upload, in the order of the reasons."""
    told = run.report.get("outcomes", {})
    return [_outcome(outcome, told[outcome]) for outcome in Outcome if outcome in told]


def _outcome(outcome: Outcome, ranges: Sequence[Sequence[int]]) -> OutcomeOfRows:
    rows = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges)
    number = sum(last - first + 1 for first, last in ranges)
    return OutcomeOfRows(
        label=outcome.label, remedy=outcome.remedy, number=number, rows=rows, is_used=outcome is Outcome.USED
    )


def authorities_of(run: LettingsRun) -> list[tuple[str, int]]:
    """Authorities by name, with how many rows of the quarter are in their areas; most rows first."""
    told: list[tuple[str, int]] = [(code, number) for code, number in run.report.get("by_authority", ())]
    names = dict(Area.objects.filter(code__in=[code for code, _ in told]).values_list("code", "name"))
    return [(names.get(code, code) or "No authority code", number) for code, number in told]


def per_cent_of(part: int, whole: int) -> Decimal | None:
    """A share in per cent with one decimal; None if the whole is zero."""
    if whole <= 0:
        return None
    return (Decimal(100) * part / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)
