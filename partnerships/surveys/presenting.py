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
from partnerships.surveys.questions import Questions

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
    """By how much a mean moved, such as “up 0.4”; not known if one of the two was cut off."""
    if value is None or earlier is None:
        return HIDDEN
    if not all(_SCALE.floor < one < _SCALE.ceiling for one in (value, earlier)):
        return "not known"
    moved = value - earlier
    if not moved:
        return "no change"
    return f"{'up' if moved > 0 else 'down'} {abs(moved):.1f}"


@dataclass(frozen=True, slots=True)
class Line:
    """One dimension: its means by group, the round before and what moved, the benchmark, and where groups differ."""

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


def groups_in(found: Round) -> list[str]:
    """The groups of a round as they are counted, everybody first."""
    together = sorted(set(found.counted.values()))
    return [ALL, *together] if len(together) > 1 else [ALL]


def lines_of(
    found: Round, questions: Questions, earlier: Sequence[Round], benchmark: Mapping[str, Decimal]
) -> tuple[list[str], list[Line]]:
    """The headings below which each dimension's cells stand, and the dimensions, with the trend over earlier rounds."""
    figures = figures_of(found)
    trend = [figures_of(one) for one in earlier]
    groups = groups_in(found)
    headings = [words_of(group) for group in groups]
    headings += [f"Round {one.number}" for one in earlier]
    headings += [f"Change since round {earlier[-1].number}"] if earlier else []
    headings += ["Other partnerships"] if benchmark else []
    lines = []
    for one in questions.dimensions:
        words = [mean_words(figures.get((one.key, group))) for group in groups]
        means = [some.get((one.key, ALL)) for some in (*trend, figures)]
        words += [mean_words(mean) for mean in means[:-1]]
        words += [change_words(means[-1], means[-2])] if earlier else []
        words += [mean_words(benchmark.get(one.key))] if benchmark else []
        cells = list(zip(headings, words, strict=True))
        lines.append(Line(one.key, one.name, one.statement, cells, _gap(one.key, groups, figures)))
    return headings, lines


def _gap(theme: str, groups: Sequence[str], figures: Mapping[tuple[str, str], Decimal]) -> str:
    """Which groups see it most differently, such as “Councils 3.1, housing associations 4.4”; "" if they agree."""
    known = sorted((figures[theme, group], group) for group in groups if group != ALL and (theme, group) in figures)
    if len(known) < 2 or known[-1][0] - known[0][0] < GAP:
        return ""
    (low, first), (high, last) = known[0], known[-1]
    return f"{words_of(first)} {mean_words(low)}, {words_of(last)} {mean_words(high)}"


def shares_of(found: Round, questions: Questions) -> list[Share]:
    """Each expectation with its share, highest first; those not shown come last."""
    figures = figures_of(found)
    shares = [(figures.get((one.key, ALL)), one) for one in questions.expectations]
    shares.sort(key=lambda one: (one[0] is None, -(one[0] or 0)))
    return [
        Share(one.key, words_of(one.of), one.text, HIDDEN if share is None else f"about {figure(share)}%")
        for share, one in shares
    ]


def chart_of(found: Round, questions: Questions, before: Round | None) -> SafeString:
    """The means of everybody, beside those of the round before if there is one."""
    rounds = [found, before] if before else [found]
    figures = [figures_of(one) for one in rounds]
    groups = []
    for place, one in enumerate(questions.dimensions, 1):
        means = [some.get((one.key, ALL)) for some in figures]
        groups.append((str(place), [(mean, _short(mean)) for mean in means]))
    names = [f"round {one.number}" for one in rounds]
    return bar_chart("Means from 1 to 5 by question; the table gives the figures", names, groups, highest=5)


def _short(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def floor_words(found: Round) -> str:
    """How many answers a figure needs, in words."""
    return "ten" if found.is_joint else "five"


def answered_words(found: Round) -> str:
    """How many answered, as far as it can be said."""
    if not found.answered_at_least:
        return f"{found.people_asked} people were asked. Fewer than {floor_words(found)} answered, so nothing is shown."
    return f"{found.answered_at_least} or more of {found.people_asked} people who were asked answered."
