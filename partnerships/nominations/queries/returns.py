"""What pages and services read of returns: scope, results, results with small counts masked, trend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q, Sum

from partnerships.kit.disclosure import Cell, release
from partnerships.nominations.lettings.columns import CollectionYear, core_columns, plain
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.lettings.reading import Outcome, Scope
from partnerships.nominations.models import (
    LettingsRun,
    NominationsAgreement,
    NominationsReturn,
    Refusal,
    ReturnLine,
    ReturnStatus,
)
from partnerships.nominations.models.returns import ReturnQuerySet
from partnerships.nominations.queries.agreement import period_of, sides_in
from partnerships.nominations.schedule import Agreed, Bedrooms, words_of
from partnerships.organisations.models import Area, AreaServed, Identifier, Organisation, OrganisationName, Scheme

_FIRST_LETS, _RELETS = "first lets", "relets"
_NOMINEES, _OTHERS = "nominees", "others"


def agreed_for(agreement: NominationsAgreement, quarter: Quarter) -> Agreed | None:
    """What the terms say on the last day of a quarter on which they were in force; it counts for the whole quarter."""
    period = period_of(agreement, quarter)
    return period.agreed if period else None


def year_of(found: NominationsReturn) -> CollectionYear | None:
    """The collection year of CORE that a return's lettings are in; None for years before those we know."""
    return core_columns().year_of(found.starts_on)


def scope_of(found: NominationsReturn) -> Scope | None:
    """Which lettings a return counts; None without terms or a known year. Fetch it with `for_pages`.

    Before a succession the homes were in the predecessor's area, and let in its name: both bodies' count.
    """
    period, year = period_of(found.agreement, found.quarter), year_of(found)
    if period is None or year is None:
        return None
    agreed = period.agreed
    councils, providers = sides_in(found.agreement, period)
    codes, names = _areas(councils, found.quarter)
    return Scope(
        found.quarter,
        (period.first, period.last),
        year,
        agreed,
        codes,
        names | _names(councils) | {plain(agreed.council)},
        _names(providers) | {plain(agreed.provider)},
    )


def _areas(councils: Collection[int], quarter: Quarter) -> tuple[frozenset[str], frozenset[str]]:
    """Codes and names of the areas that the councils (ids) served in the quarter, and of areas within them.

    Codes that a council itself is registered under count too.
    """
    began, ended = (
        Q(starts_on=None) | Q(starts_on__lt=quarter.ends_on),
        Q(ends_on=None) | Q(ends_on__gt=quarter.starts_on),
    )
    served = AreaServed.objects.filter(began, ended, organisation__in=councils).values_list(
        "area__code", "area__name", "area__children__code", "area__children__name"
    )
    codes = {code for one in served for code in (one[0], one[2]) if code}
    names = {plain(name) for one in served for name in (one[1], one[3]) if name}
    registered = Identifier.objects.filter(organisation__in=councils, scheme=Scheme.GSS).values_list("value", flat=True)
    return frozenset(codes | set(registered)), frozenset(names)


def _names(bodies: Collection[int]) -> frozenset[str]:
    current = Organisation.objects.filter(pk__in=bodies).values_list("name", flat=True)
    names = OrganisationName.objects.filter(organisation__in=bodies).values_list("name", flat=True)
    return frozenset(plain(name) for name in (*current, *names))


def returns_of(agreement: NominationsAgreement) -> ReturnQuerySet:
    """The returns of an agreement, latest quarter first."""
    return NominationsReturn.objects.for_pages().filter(agreement=agreement).order_by("-starts_on", "-pk")


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over lines; `agreed` and `shortfall` are sums of the lines' whole homes."""

    lettings: int
    nominated: int
    not_supplied: int
    agreed: int
    shortfall: int

    @property
    def achieved(self) -> Decimal | None:
        """Nominations in per cent of what counts."""
        return _per_cent(self.nominated, self.lettings - self.not_supplied)


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """The lines of a return with their refusals, their total, and refusals by ground, most first."""

    lines: Sequence[ReturnLine]
    total: Total
    refusals: Sequence[tuple[str, int]]


def result_of(found: NominationsReturn) -> ReturnResult:
    """Everything that a return says, for the council and the provider."""
    lines = sorted(
        found.lines.prefetch_related("refusals").order_by("pk"), key=lambda one: (not one.is_first_let, _place(one))
    )
    grounds = (
        Refusal.objects.filter(line__nominations_return=found)
        .values_list("ground")
        .annotate(together=Sum("number"))
        .order_by("-together", "ground")
    )
    return ReturnResult(lines, total_of(lines), list(grounds))


def total_of(lines: Iterable[ReturnLine]) -> Total:
    """The sums of some lines."""
    results = [line.result for line in lines]
    return Total(
        sum(one.lettings for one in results),
        sum(one.nominated for one in results),
        sum(one.not_supplied for one in results),
        sum(one.agreed for one in results),
        sum(one.shortfall for one in results),
    )


def _place(line: ReturnLine) -> int:
    return list(Bedrooms).index(line.size)


def trend_of(agreement: NominationsAgreement) -> list[tuple[Quarter, Total]]:
    """The totals of sent returns, earliest quarter first, for the council and the provider."""
    sent = NominationsReturn.objects.filter(agreement=agreement).exclude(status=ReturnStatus.DRAFT)
    found = sent.prefetch_related("lines").order_by("starts_on")
    return [(one.quarter, total_of(one.lines.all())) for one in found]


@dataclass(frozen=True, slots=True)
class MaskedLine:
    """Lettings of one size and kind, or a total; None where masked."""

    words: str
    lettings: int | None
    nominated: int | None
    share: Decimal | None

    @property
    def achieved(self) -> Decimal | None:
        """Nominations in per cent of lettings, if both are shown."""
        if self.lettings is None or self.nominated is None:
            return None
        return _per_cent(self.nominated, self.lettings)


def masked_result_of(found: NominationsReturn) -> list[MaskedLine]:
    """The lines of a settled return and all totals, with small counts masked, for other parties.

    Every size and kind has a line: one left out would say that nothing of it was let. Offers, refusals, void days and
    vacancies without a nominee are not shown. A return that is not settled has no lines.
    """
    if not found.is_settled:
        return []
    figures, agreed = _figures(found.lines.all()), agreed_for(found.agreement, found.quarter)
    rows = []
    for kind, words in ((_FIRST_LETS, "First lets"), (_RELETS, "Relets")):
        for size in Bedrooms:
            share = agreed.share(size, first_let=kind == _FIRST_LETS) if agreed else None
            rows.append(_masked(figures, words_of(size, first_let=kind == _FIRST_LETS), size, kind, share))
        rows.append(_masked(figures, f"{words}, all sizes", None, kind))
    rows += [_masked(figures, f"All lettings, {size.label.lower()}", size, None) for size in Bedrooms]
    return [*rows, _masked_total(figures)]


def _figures(lines: Iterable[ReturnLine]) -> dict[Cell, int | None]:
    counts: dict[tuple[str, ...], int] = {
        (size, kind, source): 0
        for size in Bedrooms
        for kind in (_FIRST_LETS, _RELETS)
        for source in (_NOMINEES, _OTHERS)
    }
    for line in lines:
        kind = _FIRST_LETS if line.is_first_let else _RELETS
        counts[line.bedrooms, kind, _NOMINEES] = line.nominated
        counts[line.bedrooms, kind, _OTHERS] = line.lettings - line.nominated
    return release(counts, tables=[(0, 1, 2)])


def _masked(
    figures: dict[Cell, int | None], words: str, size: str | None, kind: str | None, share: Decimal | None = None
) -> MaskedLine:
    return MaskedLine(words, figures[size, kind, None], figures[size, kind, _NOMINEES], share)


def _masked_total(figures: dict[Cell, int | None]) -> MaskedLine:
    return _masked(figures, "All lettings", None, None)


def masked_trend_of(agreement: NominationsAgreement) -> list[tuple[Quarter, MaskedLine]]:
    """The totals of settled returns, earliest quarter first, with small counts masked."""
    settled = NominationsReturn.objects.filter(agreement=agreement, status=ReturnStatus.SETTLED)
    found = settled.prefetch_related("lines").order_by("starts_on")
    return [(one.quarter, _masked_total(_figures(one.lines.all()))) for one in found]


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
    return OutcomeOfRows(outcome.label, outcome.remedy, number, rows, outcome is Outcome.USED)


def authorities_of(run: LettingsRun) -> list[tuple[str, int]]:
    """Names of the authorities in whose areas the rows of the quarter are, and how many; most rows first."""
    told: list[tuple[str, int]] = [(code, number) for code, number in run.report.get("by_authority", ())]
    names = dict(Area.objects.filter(code__in=[code for code, _ in told]).values_list("code", "name"))
    return [(names.get(code, code) or "No code of an authority", number) for code, number in told]


def _per_cent(part: int, whole: int) -> Decimal | None:
    if whole <= 0:
        return None
    return (Decimal(100) * part / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)
