"""A return in words: cells of its table, rows of its files, bars of its charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.safestring import SafeString

from partnerships.kit.charts import bar_chart, row_chart
from partnerships.kit.dates import long_date
from partnerships.kit.text import counted, figure
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import ReturnLine
from partnerships.nominations.queries import MaskedLine, QuarterResult, ReturnResult, Total
from partnerships.nominations.queries.returns import median_in, per_cent_of, total_of
from partnerships.nominations.schedule import Bedrooms

#: What stands in the place of a masked figure.
MASKED = "masked"
HEADINGS = (
    "Let",
    "No nominee",
    "To nominees",
    "Achieved",
    "Agreed",
    "Missing",
    "In time",
    "Offers",
    "Refused",
    "Median days",
)
MASKED_HEADINGS = ("Let", "To nominees", "Achieved", "Agreed")
#: The files of a record, by the end of their name.
FILES = {"pdf": "PDF", "xlsx": "Excel", "csv": "CSV"}
#: The two series of charts of shares.
_SERIES = ("to nominees", "agreed")
_SHORT = {
    Bedrooms.STUDIO: "Studios",
    Bedrooms.ONE: "1 bedroom",
    Bedrooms.TWO: "2 bedrooms",
    Bedrooms.THREE: "3 bedrooms",
    Bedrooms.FOUR: "4 or more",
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and its table, as `partials/_chart.html` takes them."""

    title: str
    svg: SafeString
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def named_cells(headings: Sequence[str], cells: Sequence[str]) -> list[tuple[str, str]]:
    """Each cell with its heading, for tables that stack on a phone."""
    return list(zip(headings, cells, strict=True))


def return_tables(quarter: Quarter, result: ReturnResult, report: Mapping[str, Any]) -> dict[str, Any]:
    """The table and charts of a return for the council and the provider; `report` is that of its run, or empty."""
    charts = [chart_of(quarter, result.lines), days_chart(quarter, result.lines)]
    if result.refusals:
        charts.append(refusals_chart(quarter, result.refusals))
    return {
        "headings": HEADINGS,
        "rows": [
            (line, named_cells(HEADINGS, cells_of(line, refusals)))
            for line, refusals in zip(result.lines, result.refused, strict=True)
        ],
        "total": named_cells(HEADINGS, cells_of_total(result, median_in(report, "all"))),
        "days": days_counted(quarter, report),
        "in_time": time_to_nominate(result.lines),
        "charts": charts,
    }


def plain(value: int | Decimal | None) -> str:
    """A figure without needless zeros; "" where there is none."""
    return "" if value is None else figure(value)


def per_cent(value: Decimal | None) -> str:
    """A share, such as "66.7%"; "" where there is none."""
    return "" if value is None else f"{plain(value)}%"


def cells_of(line: ReturnLine, refused: Mapping[str, int]) -> tuple[str, ...]:
    """The cells of a line below `HEADINGS`; `refused` by ground."""
    result = line.result
    return (
        plain(line.lettings),
        plain(line.not_supplied),
        plain(line.nominated),
        per_cent(result.achieved),
        per_cent(line.share),
        plain(result.shortfall),
        per_cent(None if line.in_time is None else per_cent_of(line.in_time, line.lettings)),
        plain(line.offers),
        plain(sum(refused.values())),
        plain(line.median_days),
    )


def in_words(line: ReturnLine) -> str:
    """What the council decides about, in sentences."""
    late = f", {plain(line.not_supplied)} without a nominee in time" if line.not_supplied else ""
    said = f"{plain(line.lettings)} let, {plain(line.nominated)} to nominees{late}."
    if line.in_time is not None:
        days = "" if line.days is None else f" within {counted(line.days, 'working day')}"
        said += f" Nominees were named{days} for {plain(line.in_time)}."
    if (achieved := line.result.achieved) is not None:
        said += f" Achieved {per_cent(achieved)}, agreed {per_cent(line.share)}."
    if line.reason and not line.decision:
        said += f" You disputed it: “{line.reason}”"
        said += f" Their answer: “{line.answer}”" if line.answer else ""
    return said


def time_to_nominate(lines: Iterable[ReturnLine]) -> str:
    """What "in time" means, as agreed for these lines. "" for lines from before it was kept."""
    days = {line.is_first_let: line.days for line in lines if line.days is not None}
    agreed = [
        f"{counted(number, 'working day')} for {kind}"
        for kind, number in (("first lets", days.get(True)), ("relets", days.get(False)))
        if number is not None
    ]
    return f"In time: a nominee was named within {' and '.join(agreed)}, as agreed." if agreed else ""


def days_counted(quarter: Quarter, content: Mapping[str, Any]) -> str:
    """From when to when tenancies were counted, if not in the whole quarter.

    "" for the whole quarter. `content` is a report or a record, with the days `in_force` and the times `suspended`.
    """
    days = [dt.date.fromisoformat(day) for day in content.get("in_force", ())]
    words = []
    if days and days != [quarter.starts_on, quarter.last_day]:
        first, last = days
        words.append(f"Tenancies that began from {_from_to(first, last)}, while the agreement was in force.")
    times = [_from_to(*map(dt.date.fromisoformat, days)) for days in content.get("suspended", ())]
    words += [f"Tenancies that began from {days} are not counted: it was suspended." for days in times]
    return " ".join(words)


def _from_to(first: dt.date, last: dt.date) -> str:
    return f"{long_date(first)} to {long_date(last)}"


def cells_of_total(result: ReturnResult, median_days: Decimal | None) -> tuple[str, ...]:
    """The cells of the total, with the median of all lettings."""
    total = result.total
    figures = (plain(total.lettings), plain(total.not_supplied), plain(total.nominated), per_cent(total.achieved))
    refused = sum(number for _, number in result.refusals)
    return (
        *figures,
        per_cent(_agreed(total)),
        plain(total.shortfall),
        per_cent(total.in_time),
        plain(result.offers),
        plain(refused),
        plain(median_days),
    )


def masked_cells_of(line: MaskedLine) -> tuple[str, ...]:
    """The cells of a masked line below `MASKED_HEADINGS`."""
    counts = (MASKED if value is None else plain(value) for value in (line.lettings, line.nominated))
    return (*counts, per_cent(line.achieved) or MASKED, per_cent(line.share))


def chart_of(quarter: Quarter, lines: Sequence[ReturnLine]) -> Chart:
    """First lets together, then relets by size: achieved beside agreed shares."""
    first, relets = [line for line in lines if line.is_first_let], [line for line in lines if not line.is_first_let]
    together = total_of(first)
    shares = [("First lets", together.achieved, _agreed(together))] if first else []
    shares += [(_SHORT[line.size], line.result.achieved, line.share) for line in relets]
    return _chart(f"Homes let to nominees, {quarter}: first lets, and relets by size", "Homes", shares)


def days_chart(quarter: Quarter, lines: Sequence[ReturnLine]) -> Chart:
    """Median void days by size, first lets beside relets."""
    days = {(line.size, line.is_first_let): line.median_days for line in lines}
    sizes = [size for size in Bedrooms if (size, True) in days or (size, False) in days]
    figures = [(_SHORT[size], days.get((size, True)), days.get((size, False))) for size in sizes]
    return _plain_chart(f"Median days vacant, {quarter}, by size", "Homes", ("first lets", "relets"), figures)


def refusals_chart(quarter: Quarter, refusals: Sequence[tuple[str, int]]) -> Chart:
    """Refused nominees by ground, most first."""
    title = f"Why nominees were refused, {quarter}"
    svg = row_chart(f"{title}; the table gives the figures", refusals)
    return Chart(title, svg, ("Ground", "Refused"), [(ground, plain(number)) for ground, number in refusals])


def trend_charts(quarters: Sequence[QuarterResult]) -> list[Chart]:
    """Shares, days vacant, offers and refusals by quarter, earliest first."""
    return [_let_chart(quarters), _vacant_chart(quarters), _offers_chart(quarters)] if quarters else []


def _let_chart(quarters: Sequence[QuarterResult]) -> Chart:
    """The shares of all homes.

    The table has those of first lets and of each size of relet as well.
    """
    totals = [(_short(quarter.quarter), quarter.result.total) for quarter in quarters]
    shares = [(name, total.achieved, _agreed(total)) for name, total in totals]
    chart = _chart("Homes let to nominees, by quarter", "Quarter", shares)
    sizes = [f"Relets: {_SHORT[size]}" for size in Bedrooms]
    rows = [
        (*row, *_by_size(quarter_result.result.lines)) for row, quarter_result in zip(chart.rows, quarters, strict=True)
    ]
    return replace(chart, headings=(*chart.headings, "First lets", *sizes), rows=rows)


def _vacant_chart(quarters: Sequence[QuarterResult]) -> Chart:
    days = [(_short(quarter.quarter), *quarter.median_days) for quarter in quarters]
    return _plain_chart("Median days vacant, by quarter", "Quarter", ("first lets", "relets"), days)


def _offers_chart(quarters: Sequence[QuarterResult]) -> Chart:
    """Offers and refused nominees.

    The table has the refusals by ground as well.
    """
    refused = [dict(quarter.result.refusals) for quarter in quarters]
    figures = [
        (_short(quarter_result.quarter), quarter_result.result.offers, sum(by_ground.values()))
        for quarter_result, by_ground in zip(quarters, refused, strict=True)
    ]
    chart = _plain_chart("Offers and refused nominees, by quarter", "Quarter", ("offers", "refused"), figures)
    grounds = sorted(set().union(*refused))
    rows = []
    for row, by_ground in zip(chart.rows, refused, strict=True):
        rows.append((*row, *(plain(by_ground.get(ground, 0)) for ground in grounds)))
    return replace(chart, headings=(*chart.headings, *grounds), rows=rows)


def _by_size(lines: Sequence[ReturnLine]) -> list[str]:
    """What was achieved of first lets together, then of relets of each size.

    "–" where nothing was let.
    """
    relets = {line.size: line.result.achieved for line in lines if not line.is_first_let}
    achieved = [
        total_of(line for line in lines if line.is_first_let).achieved,
        *(relets.get(size) for size in Bedrooms),
    ]
    return [per_cent(line) or "–" for line in achieved]


def masked_trend_charts(totals: Iterable[tuple[Quarter, MaskedLine]]) -> list[Chart]:
    """The shares of all homes by quarter, for other parties."""
    shares = [(_short(quarter), line.achieved, line.share) for quarter, line in totals]
    return [_chart("Homes let to nominees, by quarter", "Quarter", shares, missing=MASKED)] if shares else []


def _short(quarter: Quarter) -> str:
    return f"{quarter.starts_on:%b} to {quarter.last_day:%b %Y}"


def _agreed(total: Total) -> Decimal | None:
    """The whole homes that were agreed, in per cent of those that count."""
    counting = total.lettings - total.not_supplied
    return (Decimal(100) * total.agreed / counting).quantize(Decimal("0.1"), ROUND_HALF_UP) if counting > 0 else None


def _plain_chart(
    title: str,
    first: str,
    series: tuple[str, str],
    figures: Sequence[tuple[str, int | Decimal | None, int | Decimal | None]],
) -> Chart:
    """A chart of these numbers; "none" where a number is missing."""
    groups, rows = [], []
    for name, *values in figures:
        words = [plain(value) or "none" for value in values]
        groups.append((name, list(zip(values, words, strict=True))))
        rows.append((name, *words))
    svg = bar_chart(f"{title}; the table gives the figures", series, groups)
    return Chart(title, svg, (first, *(name.capitalize() for name in series)), rows)


def _chart(
    title: str, first: str, shares: Sequence[tuple[str, Decimal | None, Decimal | None]], *, missing: str = "none"
) -> Chart:
    groups, rows = [], []
    for name, achieved, agreed in shares:
        words = per_cent(achieved) or missing
        groups.append((name, ((achieved, words), (agreed, per_cent(agreed)))))
        rows.append((name, words, per_cent(agreed) or "–"))
    svg = bar_chart(f"{title}; the table gives the figures", _SERIES, groups, highest=100)
    return Chart(title, svg, (first, "To nominees", "Agreed"), rows)
