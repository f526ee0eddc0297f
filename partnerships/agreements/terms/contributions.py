"""Totals of the contributions of the parties, by year and by party."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from partnerships.agreements.terms.projection import amount_in_pounds
from partnerships.documents import Content

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class YearTotal:
    """The contributions of all parties in a year, compared with the year before and with the annual budget."""

    year: str
    total: Decimal
    difference: Decimal | None
    against_budget: Decimal | None = None

    @property
    def is_more(self) -> bool:
        """Return whether the total is more than that of the year before."""
        return self.difference is not None and self.difference > 0

    @property
    def is_above_budget(self) -> bool:
        """Return whether the total is more than the annual budget."""
        return self.against_budget is not None and self.against_budget > 0


@dataclass(frozen=True, slots=True)
class PartyRow:
    """The contributions of one party, with an amount for each year and the total."""

    party: str
    amounts: tuple[Decimal, ...]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Contributions:
    """A table of contributions, with a row for each party and a column for each year."""

    years: tuple[YearTotal, ...]
    rows: tuple[PartyRow, ...]
    total: Decimal
    #: Party, year and description of each contribution in kind.
    in_kind: tuple[tuple[str, str, str], ...]
    budget: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether nobody contributes money or anything in kind."""
        return not self.rows and not self.in_kind


def contributions_of(content: Content) -> Contributions:
    """Return the contributions in some terms, with the parties in the order in which the terms list them."""
    amounts_by_party: dict[str, dict[str, Decimal]] = {}
    in_kind: list[tuple[str, str, str]] = []
    for item in content.get("contributions", ()):
        party = str(item.get("party") or "Not named")
        year = str(item.get("year") or "No year")
        amount = amount_in_pounds(item.get("money"))
        if amount is not None:
            amount_by_year = amounts_by_party.setdefault(party, {})
            amount_by_year[year] = amount_by_year.get(year, ZERO) + amount
        if item.get("in_kind"):
            in_kind.append((party, year, str(item["in_kind"])))

    years = sorted({year for amount_by_year in amounts_by_party.values() for year in amount_by_year})
    rows = tuple(
        PartyRow(
            party=party,
            amounts=tuple(amount_by_year.get(year, ZERO) for year in years),
            total=sum(amount_by_year.values(), ZERO),
        )
        for party, amount_by_year in amounts_by_party.items()
    )
    budget = amount_in_pounds(content.get("about", {}).get("annual_budget"))
    return Contributions(
        years=_year_totals(years, rows, budget),
        rows=rows,
        total=sum((row.total for row in rows), ZERO),
        in_kind=tuple(in_kind),
        budget=budget,
    )


def _year_totals(years: list[str], rows: tuple[PartyRow, ...], budget: Decimal | None) -> tuple[YearTotal, ...]:
    """Return the total of each year, for rows whose amounts are in the order of the years."""
    year_totals = []
    previous_total = None
    for index, year in enumerate(years):
        total = sum((row.amounts[index] for row in rows), ZERO)
        year_total = YearTotal(
            year=year,
            total=total,
            difference=None if previous_total is None else total - previous_total,
            against_budget=None if budget is None else total - budget,
        )
        year_totals.append(year_total)
        previous_total = total
    return tuple(year_totals)
