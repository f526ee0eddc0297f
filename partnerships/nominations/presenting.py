"""Present the figures of returns as cells of tables, as sentences, and as charts."""

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
from partnerships.nominations.queries.returns import median_void_days, percentage, sum_lines
from partnerships.nominations.schedule import Bedrooms

#: Shown in place of a masked figure.
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
#: The files of a record, by their extension.
FILES = {"pdf": "PDF", "xlsx": "Excel", "csv": "CSV"}
#: The two series in charts of shares.
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
    """A chart with the table of its figures, for `partials/_chart.html`."""

    title: str
    svg: SafeString
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def named_cells(headings: Sequence[str], cells: Sequence[str]) -> list[tuple[str, str]]:
    """Return each cell with its heading, for tables that stack on a phone."""
    return list(zip(headings, cells, strict=True))


def return_tables(quarter: Quarter, result: ReturnResult, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table and charts of a return, for the council and the provider.

    `report` is the report of the return's run, or empty.
    """
    charts = [shares_chart(quarter, result.lines), void_days_chart(quarter, result.lines)]
    if result.refusals:
        charts.append(refusals_chart(quarter, result.refusals))
    return {
        "headings": HEADINGS,
        "rows": [
            (line, named_cells(HEADINGS, line_cells(line, refusals)))
            for line, refusals in zip(result.lines, result.refused, strict=True)
        ],
        "total": named_cells(HEADINGS, total_cells(result, median_void_days(report, "all"))),
        "days": days_sentence(quarter, report),
        "in_time": in_time_sentence(result.lines),
        "charts": charts,
    }


def number_text(value: int | Decimal | None) -> str:
    """Return a figure without trailing zeros, or "" for None."""
    return "" if value is None else figure(value)


def per_cent(value: Decimal | None) -> str:
    """Return a share such as "66.7%", or "" for None."""
    return "" if value is None else f"{number_text(value)}%"


def line_cells(line: ReturnLine, refusals: Mapping[str, int]) -> tuple[str, ...]:
    """Return the cells of a line, in the order of `HEADINGS`. `refusals` are counts by ground."""
    result = line.result
    return (
        number_text(line.lettings),
        number_text(line.not_supplied),
        number_text(line.nominated),
        per_cent(result.achieved),
        per_cent(line.share),
        number_text(result.shortfall),
        per_cent(None if line.in_time is None else percentage(line.in_time, line.lettings)),
        number_text(line.offers),
        number_text(sum(refusals.values())),
        number_text(line.median_days),
    )


def line_in_words(line: ReturnLine) -> str:
    """Return the figures of a line in sentences, for the council that decides on it."""
    without_nominee = f", {number_text(line.not_supplied)} without a nominee in time" if line.not_supplied else ""
    sentences = [f"{number_text(line.lettings)} let, {number_text(line.nominated)} to nominees{without_nominee}."]
    if line.in_time is not None:
        days = "" if line.days is None else f" within {counted(line.days, 'working day')}"
        sentences.append(f"Nominees were named{days} for {counted(line.in_time, 'home')}.")
    achieved = line.result.achieved
    if achieved is not None:
        sentences.append(f"Achieved {per_cent(achieved)}, agreed {per_cent(line.share)}.")
    if line.reason and not line.decision:
        sentences.append(f"You disputed it: “{line.reason}”")
        if line.answer:
            sentences.append(f"Their answer: “{line.answer}”")
    return " ".join(sentences)


def in_time_sentence(lines: Iterable[ReturnLine]) -> str:
    """Return a sentence on what "in time" means for these lines.

    Returns "" for older lines, which do not store the agreed number of days.
    """
    lines = list(lines)
    first_let_days = [line.days for line in lines if line.days is not None and line.is_first_let]
    relet_days = [line.days for line in lines if line.days is not None and not line.is_first_let]
    # The agreement sets one number of days for all first lets, and one for all relets.
    agreed_times = []
    if first_let_days:
        agreed_times.append(f"{counted(first_let_days[-1], 'working day')} for first lets")
    if relet_days:
        agreed_times.append(f"{counted(relet_days[-1], 'working day')} for relets")
    if not agreed_times:
        return ""
    return f"“In time” means that a nominee was named within {' and '.join(agreed_times)}, as agreed."


def days_sentence(quarter: Quarter, content: Mapping[str, Any]) -> str:
    """Return which tenancies were counted, in sentences, or "" if all tenancies of the quarter were counted.

    `content` is a report or a record, with the days `in_force` and the times `suspended`.
    """
    days_in_force = [dt.date.fromisoformat(day) for day in content.get("in_force", ())]
    sentences = []
    if days_in_force and days_in_force != [quarter.starts_on, quarter.last_day]:
        first_day, last_day = days_in_force
        days = f"{long_date(first_day)} and {long_date(last_day)}"
        sentences.append(f"These figures count tenancies that began between {days}, while the agreement was in force.")
    for suspension in content.get("suspended", ()):
        first_day, last_day = map(dt.date.fromisoformat, suspension)
        days = f"{long_date(first_day)} and {long_date(last_day)}"
        sentences.append(
            f"Tenancies that began between {days} are not counted, because the agreement was suspended then."
        )
    return " ".join(sentences)


def total_cells(result: ReturnResult, median_days: Decimal | None) -> tuple[str, ...]:
    """Return the cells of the total, in the order of `HEADINGS`. The median is that of all lettings."""
    total = result.total
    return (
        number_text(total.lettings),
        number_text(total.not_supplied),
        number_text(total.nominated),
        per_cent(total.achieved),
        per_cent(_agreed_share(total)),
        number_text(total.shortfall),
        per_cent(total.in_time),
        number_text(result.offers),
        number_text(sum(count for _ground, count in result.refusals)),
        number_text(median_days),
    )


def masked_line_cells(line: MaskedLine) -> tuple[str, ...]:
    """Return the cells of a masked line, in the order of `MASKED_HEADINGS`."""
    return (
        number_text(line.lettings) or MASKED,
        number_text(line.nominated) or MASKED,
        per_cent(line.achieved) or MASKED,
        per_cent(line.share),
    )


def shares_chart(quarter: Quarter, lines: Sequence[ReturnLine]) -> Chart:
    """Return a chart of the achieved and agreed shares of all first lets, and of relets by size."""
    first_lets = [line for line in lines if line.is_first_let]
    shares = []
    if first_lets:
        total = sum_lines(first_lets)
        shares.append(("First lets", total.achieved, _agreed_share(total)))
    shares += [(_SHORT[line.size], line.result.achieved, line.share) for line in lines if not line.is_first_let]
    return _share_chart(f"Homes let to nominees, {quarter}: first lets, and relets by size", "Homes", shares)


def void_days_chart(quarter: Quarter, lines: Sequence[ReturnLine]) -> Chart:
    """Return a chart of median void days by size, of first lets and of relets."""
    days_by_line = {(line.size, line.is_first_let): line.median_days for line in lines}
    sizes = [size for size in Bedrooms if (size, True) in days_by_line or (size, False) in days_by_line]
    figures = [(_SHORT[size], days_by_line.get((size, True)), days_by_line.get((size, False))) for size in sizes]
    return _number_chart(f"Median days vacant, {quarter}, by size", "Homes", ("first lets", "relets"), figures)


def refusals_chart(quarter: Quarter, refusals: Sequence[tuple[str, int]]) -> Chart:
    """Return a chart of refused nominees by ground."""
    title = f"Why nominees were refused, {quarter}"
    svg = row_chart(f"{title}. The table gives the figures", refusals)
    return Chart(title, svg, ("Ground", "Refused"), [(ground, number_text(count)) for ground, count in refusals])


def trend_charts(quarters: Sequence[QuarterResult]) -> list[Chart]:
    """Return charts of shares, days vacant, offers and refusals by quarter."""
    if not quarters:
        return []
    return [_shares_trend_chart(quarters), _void_days_trend_chart(quarters), _offers_trend_chart(quarters)]


def _shares_trend_chart(quarters: Sequence[QuarterResult]) -> Chart:
    """Return a chart of the shares of all homes, by quarter.

    Its table also has the shares of first lets, and of relets by size.
    """
    shares = []
    for quarter in quarters:
        total = quarter.result.total
        shares.append((_months_of(quarter.quarter), total.achieved, _agreed_share(total)))
    chart = _share_chart("Homes let to nominees, by quarter", "Quarter", shares)
    size_headings = [f"Relets: {_SHORT[size]}" for size in Bedrooms]
    rows = [(*row, *_shares_by_size(quarter.result.lines)) for row, quarter in zip(chart.rows, quarters, strict=True)]
    return replace(chart, headings=(*chart.headings, "First lets", *size_headings), rows=rows)


def _void_days_trend_chart(quarters: Sequence[QuarterResult]) -> Chart:
    """Return a chart of median void days by quarter, of first lets and of relets."""
    days = [(_months_of(quarter.quarter), *quarter.median_days) for quarter in quarters]
    return _number_chart("Median days vacant, by quarter", "Quarter", ("first lets", "relets"), days)


def _offers_trend_chart(quarters: Sequence[QuarterResult]) -> Chart:
    """Return a chart of offers and refused nominees, by quarter. Its table also has the refusals by ground."""
    refusals_by_quarter = [dict(quarter.result.refusals) for quarter in quarters]
    figures = [
        (_months_of(quarter.quarter), quarter.result.offers, sum(refusals.values()))
        for quarter, refusals in zip(quarters, refusals_by_quarter, strict=True)
    ]
    chart = _number_chart("Offers and refused nominees, by quarter", "Quarter", ("offers", "refused"), figures)
    grounds = sorted(set().union(*refusals_by_quarter))
    rows = []
    for row, refusals in zip(chart.rows, refusals_by_quarter, strict=True):
        rows.append((*row, *(number_text(refusals.get(ground, 0)) for ground in grounds)))
    return replace(chart, headings=(*chart.headings, *grounds), rows=rows)


def _shares_by_size(lines: Sequence[ReturnLine]) -> list[str]:
    """Return the achieved shares of all first lets, then of relets of each size. A share is "–" if nothing was let."""
    first_lets = sum_lines(line for line in lines if line.is_first_let).achieved
    relets_by_size = {line.size: line.result.achieved for line in lines if not line.is_first_let}
    shares = [first_lets, *(relets_by_size.get(size) for size in Bedrooms)]
    return [per_cent(share) or "–" for share in shares]


def masked_trend_charts(totals: Iterable[tuple[Quarter, MaskedLine]]) -> list[Chart]:
    """Return a chart of the shares of all homes by quarter, for other parties."""
    shares = [(_months_of(quarter), line.achieved, line.share) for quarter, line in totals]
    return [_share_chart("Homes let to nominees, by quarter", "Quarter", shares, missing=MASKED)] if shares else []


def _months_of(quarter: Quarter) -> str:
    """Return a quarter as "Jan to Mar 2027"."""
    return f"{quarter.starts_on:%b} to {quarter.last_day:%b %Y}"


def _agreed_share(total: Total) -> Decimal | None:
    """Return the agreed number of whole homes as a percentage of the lettings that count, or None if none count.

    Lettings for which the council named no nominee in time are left out.
    """
    counted_lettings = total.lettings - total.not_supplied
    if counted_lettings <= 0:
        return None
    return (Decimal(100) * total.agreed / counted_lettings).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _number_chart(
    title: str,
    first_heading: str,
    series: tuple[str, str],
    figures: Sequence[tuple[str, int | Decimal | None, int | Decimal | None]],
) -> Chart:
    """Return a chart of names with two numbers each. A missing number is shown as "none"."""
    groups, rows = [], []
    for name, first_value, second_value in figures:
        first_text, second_text = number_text(first_value) or "none", number_text(second_value) or "none"
        groups.append((name, [(first_value, first_text), (second_value, second_text)]))
        rows.append((name, first_text, second_text))
    svg = bar_chart(f"{title}. The table gives the figures", series, groups)
    return Chart(title, svg, (first_heading, *(name.capitalize() for name in series)), rows)


def _share_chart(
    title: str,
    first_heading: str,
    shares: Sequence[tuple[str, Decimal | None, Decimal | None]],
    *,
    missing: str = "none",
) -> Chart:
    """Return a chart of names with their achieved and agreed shares."""
    groups, rows = [], []
    for name, achieved, agreed in shares:
        achieved_text = per_cent(achieved) or missing
        groups.append((name, ((achieved, achieved_text), (agreed, per_cent(agreed)))))
        rows.append((name, achieved_text, per_cent(agreed) or "–"))
    svg = bar_chart(f"{title}. The table gives the figures", _SERIES, groups, highest=100)
    return Chart(title, svg, (first_heading, "To nominees", "Agreed"), rows)
