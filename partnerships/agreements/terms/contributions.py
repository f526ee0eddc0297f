"""Contributions of the parties, totalled by year and party."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from partnerships.agreements.terms.projection import money
from partnerships.documents import Content

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class YearTotal:
    """What all parties contribute in one year, against the year before and the annual budget."""

    year: str
    total: Decimal
    difference: Decimal | None
    against_budget: Decimal | None = None

    @property
    def is_more(self) -> bool:
        """Whether it is more than the year before."""
        return self.difference is not None and self.difference > 0

    @property
    def is_above_budget(self) -> bool:
        """Whether it is more than the annual budget."""
        return self.against_budget is not None and self.against_budget > 0


@dataclass(frozen=True, slots=True)
class PartyRow:
    """What one party gives: an amount for each year, and in all."""

    party: str
    amounts: tuple[Decimal, ...]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Contributions:
    """One row for each party, one column for each year."""

    years: tuple[YearTotal, ...]
    rows: tuple[PartyRow, ...]
    total: Decimal
    in_kind: tuple[tuple[str, str, str], ...]
    budget: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no money and nothing in kind is given."""
        return not self.rows and not self.in_kind


def contributions_of(content: Content) -> Contributions:
    """The contributions of a content, by party in the order of the list, and by year."""
    amounts: dict[str, dict[str, Decimal]] = {}
    in_kind: list[tuple[str, str, str]] = []
    for item in content.get("contributions", ()):
        party, year = str(item.get("party") or "Not named"), str(item.get("year") or "No year")
        amount = money(item.get("money"))
        if amount is not None:
            by_year = amounts.setdefault(party, {})
            by_year[year] = by_year.get(year, NOTHING) + amount
        if item.get("in_kind"):
            in_kind.append((party, year, str(item["in_kind"])))
    years = sorted({year for by_year in amounts.values() for year in by_year})
    rows = tuple(
        PartyRow(party, tuple(by_year.get(year, NOTHING) for year in years), sum(by_year.values(), NOTHING))
        for party, by_year in amounts.items()
    )
    totals = [sum((by_year.get(year, NOTHING) for by_year in amounts.values()), NOTHING) for year in years]
    differences = [None, *(now - before for before, now in pairwise(totals))]
    budget = money(content.get("about", {}).get("annual_budget"))
    against = [None if budget is None else total - budget for total in totals]
    return Contributions(
        years=tuple(YearTotal(*line) for line in zip(years, totals, differences, against, strict=True))
        if years
        else (),
        rows=rows,
        total=sum(totals, NOTHING),
        in_kind=tuple(in_kind),
        budget=budget,
    )
