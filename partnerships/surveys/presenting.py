"""Results in words: cells of the table, charts, gaps between groups, the trend over rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.safestring import SafeString

from partnerships.kit.charts import bar_chart
from partnerships.kit.disclosed_means import ALL, Scale
from partnerships.kit.text import figure
from partnerships.surveys.bodies import words_of
from partnerships.surveys.models import Round
from partnerships.surveys.queries.results import figures_of
from partnerships.surveys.questions import Expectation, Questions

#: What stands in the place of a figure that is not shown.
HIDDEN = "not shown"
#: Groups differ on something if their means are this far apart.
GAP = Decimal("1.0")
_SCALE = Scale()


def mean_words(value: Decimal | None) -> str:
    """A mean, such as "3.4", "4.5 or more", or that it is not shown."""
    if value is None:
        return HIDDEN
    if value >= _SCALE.ceiling:
        return f"{figure(_SCALE.ceiling)} or more"
    return f"{figure(_SCALE.floor)} or less" if value <= _SCALE.floor else f"{value:.1f}"


def change_words(value: Decimal | None, earlier: Decimal | None) -> str:
    """By how much a mean moved, such as “up 0.4”.

    “not known” if one of the two is shown as a bound.
    """
    if value is None or earlier is None:
        return HIDDEN
    if not all(_SCALE.floor < number < _SCALE.ceiling for number in (value, earlier)):
        return "not known"
    moved = value - earlier
    if not moved:
        return "no change"
    return f"{'up' if moved > 0 else 'down'} {abs(moved):.1f}"


@dataclass(frozen=True, slots=True)
class Line:
    """One dimension in the table.

    Each cell has its heading; `gap` says which groups differ.
    """

    key: str
    name: str
    statement: str
    cells: Sequence[tuple[str, str]]
    gap: str


@dataclass(frozen=True, slots=True)
class Share:
    """One expectation and the share of those who answered that ticked it."""

    key: str
    of: str
    text: str
    words: str


def groups_in(survey_round: Round) -> list[str]:
    """The groups of a round as they are counted, everybody first."""
    together = sorted(set(survey_round.counted.values()))
    return [ALL, *together] if len(together) > 1 else [ALL]


def lines_of(
    survey_round: Round, questions: Questions, earlier: Sequence[Round], benchmark: Mapping[str, Decimal]
) -> tuple[list[str], list[Line]]:
    """The headings of the table of means, and a line for each dimension.

    The columns are each group, each of the `earlier` rounds, the change since the last of them, and the mean of other
    partnerships, if there are any.
    """
    figures = figures_of(survey_round)
    before = [figures_of(earlier_round) for earlier_round in earlier]
    groups = groups_in(survey_round)
    headings = [words_of(group) for group in groups]
    headings += [f"Round {earlier_round.number}" for earlier_round in earlier]
    if earlier:
        headings.append(f"Change since round {earlier[-1].number}")
    if benchmark:
        headings.append("Other partnerships")
    lines = []
    for dimension in questions.dimensions:
        key = dimension.key
        words = [mean_words(figures.get((key, group))) for group in groups]
        words += [mean_words(figures_before.get((key, ALL))) for figures_before in before]
        if before:
            words.append(change_words(figures.get((key, ALL)), before[-1].get((key, ALL))))
        if benchmark:
            words.append(mean_words(benchmark.get(key)))
        cells = list(zip(headings, words, strict=True))
        lines.append(
            Line(
                key=key, name=dimension.name, statement=dimension.statement, cells=cells, gap=_gap(key, groups, figures)
            )
        )
    return headings, lines


def _gap(theme: str, groups: Sequence[str], figures: Mapping[tuple[str, str], Decimal]) -> str:
    """Which groups see it most differently, such as “Councils 3.1, housing associations 4.4”; "" if they agree."""
    known_means = sorted(
        (figures[theme, group], group) for group in groups if group != ALL and (theme, group) in figures
    )
    if len(known_means) < 2 or known_means[-1][0] - known_means[0][0] < GAP:
        return ""
    (low, first), (high, last) = known_means[0], known_means[-1]
    return f"{words_of(first)} {mean_words(low)}, {words_of(last)} {mean_words(high)}"


def shares_of(survey_round: Round, questions: Questions) -> list[Share]:
    """Each expectation with its share, highest first.

    Expectations whose share is not shown come last.
    """
    figures = figures_of(survey_round)
    shares = {expectation.key: figures.get((expectation.key, ALL)) for expectation in questions.expectations}

    def words(share: Decimal | None) -> str:
        return HIDDEN if share is None else f"about {figure(share)}%"

    def highest_first(expectation: Expectation) -> tuple[bool, Decimal]:
        share = shares[expectation.key]
        return share is None, -(share or Decimal(0))

    return [
        Share(expectation.key, words_of(expectation.of), expectation.text, words(shares[expectation.key]))
        for expectation in sorted(questions.expectations, key=highest_first)
    ]


def chart_of(survey_round: Round, questions: Questions, before: Round | None) -> SafeString:
    """The means of everybody, beside those of the round before if there is one."""
    rounds = [survey_round, before] if before else [survey_round]
    figures = [figures_of(survey_round) for survey_round in rounds]
    bars = []
    for place, dimension in enumerate(questions.dimensions, 1):
        means = [figures_of_group.get((dimension.key, ALL)) for figures_of_group in figures]
        bars.append((str(place), [(mean, _short(mean)) for mean in means]))
    names = [f"Round {survey_round.number}" for survey_round in rounds]
    return bar_chart("Means from 1 to 5 by question; the table gives the figures", names, bars, highest=5)


def _short(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def floor_words(survey_round: Round) -> str:
    """How many answers a figure needs, in words."""
    return "ten" if survey_round.is_joint else "five"


def answered_words(survey_round: Round) -> str:
    """How many answered, as far as it can be said."""
    if not survey_round.answered_at_least:
        fewest = floor_words(survey_round)
        return f"{survey_round.were_asked}. Fewer than {fewest} answered, so nothing is shown."
    return f"At least {survey_round.answered_at_least} of the {survey_round.people_asked} people asked have answered."
