"""Work out the figure of an area from its own rows or, for a new council, from its predecessors' figures.

The figures of predecessors are not added up if one of them has no value, or only the value of a joint plan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from partnerships.housing_figures.measures import Status

#: Statuses from the most to the least final. A sum is only as final as its least final part.
_FIRMNESS = (Status.PUBLISHED, Status.REVISED, Status.PROVISIONAL)


class Basis(StrEnum):
    """Where the value of an area comes from, or why the area has none."""

    OWN = "own"
    PARTS = "parts"
    PREDECESSORS = "predecessors"
    JOINT = "joint"
    INCOMPLETE = "incomplete"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Part:
    """A row of a dataset. Some datasets have several rows for one area and year, which are added."""

    value: Decimal | None
    status: str = Status.PUBLISHED
    is_joint: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class AreaFigure:
    """The figure of an area, as a value, as words such as “None”, or as neither."""

    value: Decimal | None
    basis: Basis
    status: str = Status.PUBLISHED
    #: The predecessors whose values were added up, or those without a value if the sum is incomplete.
    names: tuple[str, ...] = ()
    words: str = ""

    @property
    def note(self) -> str:
        """What readers must know about the value, or "" for an ordinary published value."""
        return "; ".join(part for part in (self.origin, self.firmness) if part)

    @property
    def firmness(self) -> str:
        """“provisional” or “revised”, or "" for a final value."""
        return {Status.PROVISIONAL: "provisional", Status.REVISED: "revised"}.get(Status(self.status), "")

    @property
    def origin(self) -> str:
        """Where the value comes from, or why there is none, or "" for a single row of the area itself."""
        return {
            Basis.PARTS: "the sum of several rows of the table",
            Basis.PREDECESSORS: f"the sum of {_joined(self.names)}",
            Basis.JOINT: "for the whole area of a joint plan",
            Basis.INCOMPLETE: f"we cannot add this up, because nothing is published for {_joined(self.names)}",
        }.get(self.basis, "")


@dataclass(frozen=True, slots=True)
class Required:
    """The homes that a plan requires of an area in its period or each year. If it gives a range, the lower end."""

    first_year: int
    last_year: int
    value: Decimal | None
    is_a_year: bool = False
    is_joint: bool = False
    adopted_on: dt.date | None = None

    @property
    def a_year(self) -> Decimal | None:
        """Return the homes required a year. A requirement for the whole period is divided by its years."""
        if self.value is None or self.is_a_year:
            return self.value
        return self.value / max(self.last_year - self.first_year, 1)


def required_a_year(plans: Iterable[Required], year: int) -> list[Part]:
    """Return the homes required in a year as the rows of an area. Without an adopted plan, there are no rows.

    The plan adopted last is used, of those whose period contains the year. If there is none, the plan adopted last of
    all is used.
    """
    adopted_plans = [plan for plan in plans if plan.adopted_on is not None]
    candidates = [plan for plan in adopted_plans if plan.first_year <= year < plan.last_year] or adopted_plans
    if not candidates:
        return []
    plan_in_force = max(candidates, key=lambda plan: plan.adopted_on or dt.date.min)
    return [Part(plan_in_force.a_year, is_joint=plan_in_force.is_joint)]


NOTHING = AreaFigure(value=None, basis=Basis.NONE, status=Status.NOT_PUBLISHED)


def figure_of_area(own_rows: Sequence[Part], predecessor_figures: Mapping[str, AreaFigure]) -> AreaFigure:
    """Return the figure of an area from its own rows or, if these have no values, from its predecessors.

    `predecessor_figures` has the figures of the predecessors by their names. For example, Eden with 200 homes and
    Carlisle with 450 give 650, “the sum of Carlisle and Eden”.
    """
    if own_rows and all(row.value is not None and not row.is_joint for row in own_rows):
        return AreaFigure(
            value=_sum(row.value for row in own_rows),
            basis=Basis.PARTS if len(own_rows) > 1 else Basis.OWN,
            status=_least_final(row.status for row in own_rows),
        )
    joint_row = next((row for row in own_rows if row.is_joint and row.value is not None), None)
    if joint_row is not None:
        return AreaFigure(value=joint_row.value, basis=Basis.JOINT, status=joint_row.status)
    if any(row.value is not None for row in own_rows):
        return AreaFigure(value=None, basis=Basis.INCOMPLETE, status=Status.NOT_PUBLISHED, names=("part of the area",))
    row_with_words = next((row for row in own_rows if row.words), None)
    if row_with_words is not None:
        return AreaFigure(value=None, basis=Basis.OWN, status=row_with_words.status, words=row_with_words.words)

    from_predecessors = _sum_of_predecessors(dict(sorted(predecessor_figures.items())))
    if from_predecessors is not None:
        return from_predecessors
    return AreaFigure(value=None, basis=Basis.NONE, status=own_rows[0].status) if own_rows else NOTHING


def _sum_of_predecessors(figures: Mapping[str, AreaFigure]) -> AreaFigure | None:
    """Return the sum of the predecessors' figures, or None if no predecessor has a value or words.

    `figures` has the figures by the names of the areas.
    """
    if any(figure.words for figure in figures.values()):
        words = "; ".join(f"{name}: {figure.words}" for name, figure in figures.items() if figure.words)
        return AreaFigure(value=None, basis=Basis.PREDECESSORS, names=tuple(figures), words=words)
    if all(figure.value is None and figure.basis != Basis.INCOMPLETE for figure in figures.values()):
        return None
    names_without_value = [
        name for name, figure in figures.items() if figure.value is None or figure.basis == Basis.JOINT
    ]
    if names_without_value:
        return AreaFigure(
            value=None, basis=Basis.INCOMPLETE, status=Status.NOT_PUBLISHED, names=tuple(names_without_value)
        )
    added_names: list[str] = []
    for name, figure in figures.items():
        added_names += figure.names or (name,)
    return AreaFigure(
        value=_sum(figure.value for figure in figures.values()),
        basis=Basis.PREDECESSORS,
        status=_least_final(figure.status for figure in figures.values()),
        names=tuple(added_names),
    )


def _sum(values: Iterable[Decimal | None]) -> Decimal:
    return sum((value for value in values if value is not None), Decimal(0))


def _least_final(statuses: Iterable[str]) -> str:
    return max(statuses, key=lambda status: _FIRMNESS.index(Status(status)))


def _joined(names: Sequence[str]) -> str:
    """Return “Eden”, “Eden and Carlisle”, or “Eden, Carlisle and Allerdale”."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
