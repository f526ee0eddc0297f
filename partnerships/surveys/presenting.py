"""Prepares the table of means, its chart, differences between groups and shares of expectations for pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.safestring import SafeString

from partnerships.kit.charts import bar_chart
from partnerships.kit.disclosed_means import ALL, Scale
from partnerships.kit.text import figure
from partnerships.surveys.bodies import group_label
from partnerships.surveys.models import Round
from partnerships.surveys.queries.results import published_figures
from partnerships.surveys.questions import Expectation, Questions

#: The text in place of a figure that is not shown.
HIDDEN = "not shown"
#: The smallest difference between the means of two groups that a page points out.
GAP = Decimal("1.0")
_SCALE = Scale()


def mean_in_words(value: Decimal | None) -> str:
    """Return a mean as text: `3.4`, `4.5 or more`, or `not shown`."""
    if value is None:
        return HIDDEN
    if value >= _SCALE.ceiling:
        return f"{figure(_SCALE.ceiling)} or more"
    if value <= _SCALE.floor:
        return f"{figure(_SCALE.floor)} or less"
    return f"{value:.1f}"


def change_in_words(value: Decimal | None, earlier: Decimal | None) -> str:
    """Return the change of a mean as text, such as `up 0.4`.

    Returns `not known` if one of the two means is shown as a bound, such as `4.5 or more`.
    """
    if value is None or earlier is None:
        return HIDDEN
    has_bound = any(mean <= _SCALE.floor or mean >= _SCALE.ceiling for mean in (value, earlier))
    if has_bound:
        return "not known"
    change = value - earlier
    if not change:
        return "no change"
    return f"{'up' if change > 0 else 'down'} {abs(change):.1f}"


@dataclass(frozen=True, slots=True)
class MeansLine:
    """A row of the table of means, for one dimension.

    Each cell is a heading and a text. `gap` names the two groups that differ most, or is "".
    """

    key: str
    name: str
    statement: str
    cells: Sequence[tuple[str, str]]
    gap: str


@dataclass(frozen=True, slots=True)
class ExpectationShare:
    """An expectation, and the share of answers in which it was ticked."""

    key: str
    #: The organisations that people expect this from, such as "Councils".
    group: str
    text: str
    #: For example "about 40%".
    share: str


def groups_in(survey_round: Round) -> list[str]:
    """Return the code for everyone, and then the codes of the groups that are counted separately."""
    joined_codes = sorted(set(survey_round.counted.values()))
    return [ALL, *joined_codes] if len(joined_codes) > 1 else [ALL]


def means_lines(
    survey_round: Round, questions: Questions, earlier: Sequence[Round], benchmark: Mapping[str, Decimal]
) -> tuple[list[str], list[MeansLine]]:
    """Return the headings of the table of means, and a line for each dimension.

    There is a column for each group, for each of the `earlier` rounds, for the change since the last of these, and for
    the `benchmark` of other partnerships if there is one.
    """
    figures = published_figures(survey_round)
    earlier_figures = [published_figures(earlier_round) for earlier_round in earlier]
    groups = groups_in(survey_round)

    headings = [group_label(group) for group in groups]
    headings += [f"Round {earlier_round.number}" for earlier_round in earlier]
    if earlier:
        headings.append(f"Change since round {earlier[-1].number}")
    if benchmark:
        headings.append("Other partnerships")

    lines = []
    for dimension in questions.dimensions:
        key = dimension.key
        cell_texts = [mean_in_words(figures.get((key, group))) for group in groups]
        cell_texts += [mean_in_words(means.get((key, ALL))) for means in earlier_figures]
        if earlier_figures:
            cell_texts.append(change_in_words(figures.get((key, ALL)), earlier_figures[-1].get((key, ALL))))
        if benchmark:
            cell_texts.append(mean_in_words(benchmark.get(key)))
        cells = list(zip(headings, cell_texts, strict=True))
        lines.append(
            MeansLine(
                key=key, name=dimension.name, statement=dimension.statement, cells=cells, gap=_gap(key, groups, figures)
            )
        )
    return headings, lines


def _gap(theme: str, groups: Sequence[str], figures: Mapping[tuple[str, str], Decimal]) -> str:
    """Return the two groups that differ most, such as “Councils 3.1, housing associations 4.4”.

    Returns "" if the difference is smaller than `GAP`.
    """
    shown_groups = [group for group in groups if group != ALL and (theme, group) in figures]
    means = sorted((figures[theme, group], group) for group in shown_groups)
    if len(means) < 2:
        return ""
    (lowest, lowest_group), (highest, highest_group) = means[0], means[-1]
    if highest - lowest < GAP:
        return ""
    return f"{group_label(lowest_group)} {mean_in_words(lowest)}, {group_label(highest_group)} {mean_in_words(highest)}"


def expectation_shares(survey_round: Round, questions: Questions) -> list[ExpectationShare]:
    """Return each expectation with its share, the highest first. Expectations without a shown share are last."""
    figures = published_figures(survey_round)
    share_by_key = {expectation.key: figures.get((expectation.key, ALL)) for expectation in questions.expectations}

    def highest_share_first(expectation: Expectation) -> tuple[bool, Decimal]:
        share = share_by_key[expectation.key]
        return share is None, -(share or Decimal(0))

    return [
        ExpectationShare(
            key=expectation.key,
            group=group_label(expectation.of),
            text=expectation.text,
            share=_share_in_words(share_by_key[expectation.key]),
        )
        for expectation in sorted(questions.expectations, key=highest_share_first)
    ]


def _share_in_words(share: Decimal | None) -> str:
    """Return a share in percent as text: `about 40%` or `not shown`."""
    return HIDDEN if share is None else f"about {figure(share)}%"


def means_chart(survey_round: Round, questions: Questions, previous_round: Round | None) -> SafeString:
    """Return a bar chart of everyone's means, compared with those of the previous round if there is one."""
    rounds = [survey_round, previous_round] if previous_round else [survey_round]
    figures_by_round = [published_figures(shown_round) for shown_round in rounds]
    bars = []
    for number, dimension in enumerate(questions.dimensions, 1):
        means = [figures.get((dimension.key, ALL)) for figures in figures_by_round]
        bars.append((str(number), [(mean, _bar_label(mean)) for mean in means]))
    names = [f"Round {shown_round.number}" for shown_round in rounds]
    return bar_chart("Average answers from 1 to 5 by question. The table gives the figures", names, bars, highest=5)


def _bar_label(value: Decimal | None) -> str:
    """Return the label of a bar, such as “3.4”, or “–” for a mean that is not shown."""
    return "–" if value is None else f"{value:.1f}"


def floor_in_words(survey_round: Round) -> str:
    """Return the number of answers that a figure needs as a word, `ten` or `five`."""
    return "ten" if survey_round.is_joint else "five"


def answer_count_in_words(survey_round: Round) -> str:
    """Return a sentence on how many people answered, such as “At least 10 of the 16 people asked have answered.”"""
    if not survey_round.answered_at_least:
        floor = floor_in_words(survey_round)
        return f"{survey_round.people_asked_words}. Fewer than {floor} answered, so nothing is shown."
    return f"At least {survey_round.answered_at_least} of the {survey_round.people_asked} people asked have answered."
