"""A return in words: cells of its table, rows of its files, bars of its charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.utils.safestring import SafeString

from partnerships.kit.charts import bar_chart
from partnerships.kit.dates import long_date
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import LettingsRun, ReturnLine
from partnerships.nominations.queries import MaskedLine, Total
from partnerships.nominations.queries.returns import total_of
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
    "Offers",
    "Refused",
    "Median days",
)
MASKED_HEADINGS = ("Let", "To nominees", "Achieved", "Agreed")
#: The two series of every chart here.
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


def plain(value: int | Decimal | None) -> str:
    """A figure without needless zeros; "" where there is none."""
    if value is None:
        return ""
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def per_cent(value: Decimal | None) -> str:
    """A share, such as "66.7%"; "" where there is none."""
    return "" if value is None else f"{plain(value)}%"


def cells_of(line: ReturnLine) -> tuple[str, ...]:
    """The cells of a line below `HEADINGS`; fetch its refusals before."""
    result = line.result
    return (
        plain(line.lettings),
        plain(line.not_supplied),
        plain(line.nominated),
        per_cent(result.achieved),
        per_cent(line.share),
        plain(result.shortfall),
        plain(line.offers),
        plain(sum(one.number for one in line.refusals.all())),
        plain(line.median_days),
    )


def in_words(line: ReturnLine) -> str:
    """What the council decides about, in sentences."""
    late = f", {plain(line.not_supplied)} without a nominee in time" if line.not_supplied else ""
    said = f"{plain(line.lettings)} let, {plain(line.nominated)} to nominees{late}."
    achieved = line.result.achieved
    return said if achieved is None else f"{said} Achieved {per_cent(achieved)}, agreed {per_cent(line.share)}."


def days_counted(quarter: Quarter, run: LettingsRun | None) -> str:
    """From when to when tenancies were counted, if not in the whole quarter; else ""."""
    days = [dt.date.fromisoformat(day) for day in run.report.get("in_force", ())] if run else []
    if not days or days == [quarter.starts_on, quarter.last_day]:
        return ""
    first, last = days
    return f"Tenancies that began from {long_date(first)} to {long_date(last)}, while the agreement was in force."


def cells_of_total(total: Total) -> tuple[str, ...]:
    """The cells of the total; what cannot be summed is empty."""
    figures = (plain(total.lettings), plain(total.not_supplied), plain(total.nominated), per_cent(total.achieved))
    return (*figures, per_cent(_agreed(total)), plain(total.shortfall), "", "", "")


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


def trend_chart(totals: Iterable[tuple[Quarter, Total]]) -> Chart:
    """All homes of each quarter, earliest first: achieved beside agreed shares."""
    shares = [(_short(quarter), total.achieved, _agreed(total)) for quarter, total in totals]
    return _chart("Homes let to nominees, by quarter", "Quarter", shares)


def masked_trend_chart(totals: Iterable[tuple[Quarter, MaskedLine]]) -> Chart:
    """The same for other parties."""
    shares = [(_short(quarter), line.achieved, line.share) for quarter, line in totals]
    return _chart("Homes let to nominees, by quarter", "Quarter", shares, missing=MASKED)


def _short(quarter: Quarter) -> str:
    return f"{quarter.starts_on:%b} to {quarter.last_day:%b %Y}"


def _agreed(total: Total) -> Decimal | None:
    """The whole homes that were agreed, in per cent of those that count."""
    counting = total.lettings - total.not_supplied
    return (Decimal(100) * total.agreed / counting).quantize(Decimal("0.1"), ROUND_HALF_UP) if counting > 0 else None


def _chart(
    title: str, first: str, shares: Sequence[tuple[str, Decimal | None, Decimal | None]], *, missing: str = "none"
) -> Chart:
    groups = [
        (name, ((achieved, per_cent(achieved) or missing), (agreed, per_cent(agreed))))
        for name, achieved, agreed in shares
    ]
    svg = bar_chart(f"{title}; the table has these figures", _SERIES, groups, highest=100)
    rows = [(name, per_cent(achieved) or missing, per_cent(agreed) or "–") for name, achieved, agreed in shares]
    return Chart(title, svg, (first, "To nominees", "Agreed"), rows)
