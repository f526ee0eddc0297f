"""An attacker of published results, who bounds every small group by a linear programme over all public facts.

The attacker knows how many people of each group were asked, how groups are counted together, every published figure
with its rounding, and how many people answered at least. `make attack-surveys` runs the attack on 10,000 generated
rounds.
"""

from __future__ import annotations

import itertools
import math
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import highspy

from partnerships.kit.disclosed_means import ALL, Scale
from partnerships.kit.disclosure import MIN_FLOOR, SLACK
from partnerships.surveys.bodies import Group, join_small_groups
from partnerships.surveys.counting import Answer, RoundResults, count_answers
from partnerships.surveys.questions import Dimension, Expectation, Questions

SCALE = Scale()
DIMENSIONS = ("one", "two", "three")
EXPECTATIONS = ("rare", "common")
QUESTIONS = Questions(
    "Attacked",
    "en",
    [Dimension(key, key, key) for key in DIMENSIONS],
    [Expectation(key, "council", key) for key in EXPECTATIONS],
    [],
)
#: The key in place of a dimension for the number of people in a group who answered.
ANSWERED = ""


@dataclass(frozen=True)
class GeneratedRound:
    """A generated round: the numbers that nobody may learn, and the published figures."""

    asked: Mapping[str, int]
    #: The number of people who answered, by dimension (or `ANSWERED`) and group.
    sizes: Mapping[tuple[str, str], int]
    figures: Mapping[tuple[str, str], Decimal]
    answered_at_least: int
    #: Every mean of at least `floor` answers, published or not.
    means: Mapping[tuple[str, str], Decimal]
    #: The number of answers that a figure needs: five, or ten if several partnerships ask together.
    floor: int


def generate_round(seed: int) -> GeneratedRound:
    """Generate a round: two to four groups of one to fourteen people, with random answers and gaps.

    Every fourth round is run by several partnerships: it has twice as many people, and a floor of ten.
    """
    rng = random.Random(seed)
    times = 2 if seed % 4 == 3 else 1
    floor = times * MIN_FLOOR
    asked_by_group = {str(group): rng.randint(1, 14 * times) for group in rng.sample(list(Group), rng.randint(2, 4))}
    if sum(asked_by_group.values()) < 8 * times:
        asked_by_group[next(iter(asked_by_group))] += 8 * times
    # Small groups are counted together with others, under a common code.
    code_by_group = join_small_groups(asked_by_group, floor)
    asked_by_code: dict[str, int] = dict.fromkeys(code_by_group.values(), 0)
    for group, number in asked_by_group.items():
        asked_by_code[code_by_group[group]] += number

    answers = _generate_answers(rng, random.Random(f"expectations {seed}"), asked_by_group)
    outcome: RoundResults = count_answers(
        answers, QUESTIONS, asked_by_group=asked_by_group, joined_code_by_group=code_by_group, floor=floor
    )
    scores = {
        (key, code): [
            answer.scores[key]
            for answer in answers
            if key in answer.scores and code in (ALL, code_by_group[answer.group])
        ]
        for key in DIMENSIONS
        for code in [*asked_by_code, ALL]
    }
    sizes = {cell: len(cell_scores) for cell, cell_scores in scores.items() if cell[1] != ALL}
    for code in asked_by_code:
        sizes[ANSWERED, code] = sum(code_by_group[answer.group] == code for answer in answers)
    return GeneratedRound(
        asked=asked_by_code,
        sizes=sizes,
        figures={(figure.theme, figure.group): figure.value for figure in outcome.figures},
        answered_at_least=outcome.answered_at_least,
        means={cell: SCALE.shown(cell_scores) for cell, cell_scores in scores.items() if len(cell_scores) >= floor},
        floor=floor,
    )


def _generate_answers(rng: random.Random, rng_of_ticks: random.Random, asked: Mapping[str, int]) -> list[Answer]:
    """Return the answers of some of the people asked, with scores around a mean of each group.

    The expectations that they tick come from a generator of their own, so that these do not change the scores.
    """
    tick_rates = {key: rng_of_ticks.random() for key in EXPECTATIONS}
    answers = []
    for group, number in asked.items():
        answer_rate = rng.random()
        mean = rng.uniform(1, 5)
        gap_rate = rng.choice([0, 0.1, 0.4])
        for _ in range(sum(rng.random() < answer_rate for _ in range(number))):
            scores = {key: min(max(round(rng.gauss(mean, 1)), 1), 5) for key in DIMENSIONS if rng.random() >= gap_rate}
            expects = [key for key, rate in tick_rates.items() if rng_of_ticks.random() < rate]
            answers.append(Answer(group, scores, expects, {}))
    return answers


def most_publishable(survey_round: GeneratedRound, theme: str) -> int:
    """Return how many figures of a theme could be published at best without the attacker recovering a small group."""
    means = {
        group: mean
        for (mean_theme, group), mean in survey_round.means.items()
        if mean_theme == theme and (group != ALL or len(survey_round.asked) > 1)
    }
    published = sum(figure_theme == theme for figure_theme, _ in survey_round.figures)
    for number in range(len(means), published, -1):
        if any(_is_safe(survey_round, theme, means, groups) for groups in itertools.combinations(means, number)):
            return number
    return published


def _is_safe(
    survey_round: GeneratedRound, theme: str, means: Mapping[str, Decimal], published_groups: Sequence[str]
) -> bool:
    """Return whether the attacker recovers no small group if the means of these groups are published."""
    hidden_groups = [group for group in survey_round.asked if group not in published_groups]
    hidden_people = sum(survey_round.sizes[theme, group] for group in hidden_groups)
    if ALL in published_groups and hidden_groups and hidden_people < survey_round.floor:
        return False  # the mean of these few people can be worked out from the others
    figures = {(theme, group): means[group] for group in published_groups}
    return all(cell[0] != theme for cell in recovered(replace(survey_round, figures=figures)))


class Attack:
    """The linear programme of one round.

    Its variables are the numbers of people who answered in each group, and the sums of their scores.
    """

    def __init__(self, survey_round: GeneratedRound) -> None:
        self.round = survey_round
        self.programme = highspy.Highs()
        self.programme.silent()
        respondents = {group: self.programme.addVariable(0, number) for group, number in survey_round.asked.items()}
        #: The variables of the sizes of groups, by dimension (or `ANSWERED`) and group.
        self.sizes = {(ANSWERED, group): number for group, number in respondents.items()}
        if survey_round.answered_at_least:
            self.programme.addConstr(sum(respondents.values()) >= survey_round.answered_at_least)
        for theme in EXPECTATIONS:
            if (theme, ALL) in survey_round.figures:
                self._add_share(float(survey_round.figures[theme, ALL]) / 100, sum(respondents.values()))
        for theme in DIMENSIONS:
            self._add_dimension(theme, respondents)

    def _add_share(self, share: float, answered: Any) -> None:
        """Add the conditions that follow from a published share.

        At least `floor` people ticked the expectation, at least `floor` did not, and their share was rounded to tens.
        """
        ticked = self.programme.addVariable(self.round.floor, sum(self.round.asked.values()))
        self.programme.addConstr(answered - ticked >= self.round.floor)
        self.programme.addConstr(ticked >= (share - 0.05) * answered)
        self.programme.addConstr(ticked <= (share + 0.05) * answered)

    def _add_dimension(self, theme: str, respondents: Mapping[str, Any]) -> None:
        """Add the conditions that follow from the published means of a dimension, and from the scale."""
        sums = []
        for group, number in self.round.asked.items():
            size = self.programme.addVariable(0, number)
            total = self.programme.addVariable(0, 5 * number)
            self.sizes[theme, group] = size
            self.programme.addConstr(size <= respondents[group])
            self._add_mean(self.round.figures.get((theme, group)), total, size)
            sums.append(total)
        mean_of_all = self.round.figures.get((theme, ALL))
        if mean_of_all is not None:
            self._add_mean(mean_of_all, sum(sums), sum(self.sizes[theme, group] for group in self.round.asked))

    def _add_mean(self, mean: Decimal | None, total: Any, size: Any) -> None:
        """Add the conditions of a published mean, which has at least `floor` answers, or of a hidden one (None)."""
        low, high = (SCALE.lowest, SCALE.highest) if mean is None else SCALE.bounds(mean)
        self.programme.addConstr(total >= float(low) * size)
        self.programme.addConstr(total <= float(high) * size)
        if mean is not None:
            self.programme.addConstr(size >= self.round.floor)

    def width(self, theme: str, group: str) -> int:
        """Return the highest less the lowest size, below the floor, that the group can have."""
        size = self.sizes[theme, group]
        self.programme.minimize(size)
        lowest = math.ceil(self.programme.val(size) - 1e-6)
        self.programme.maximize(size)
        highest = math.floor(self.programme.val(size) + 1e-6)
        return min(highest, self.round.floor - 1) - lowest


def recovered(survey_round: GeneratedRound) -> list[tuple[str, str]]:
    """Return the small groups that are shown, or whose size the attacker finds out to within `SLACK`.

    Each is a dimension (or `ANSWERED`) and a group.
    """
    small_cells = [cell for cell, size in survey_round.sizes.items() if size < survey_round.floor]
    shown_cells = [cell for cell in small_cells if cell in survey_round.figures]
    hidden_cells = [
        cell for cell in small_cells if cell not in survey_round.figures and survey_round.asked[cell[1]] > SLACK
    ]
    if not hidden_cells or len(survey_round.asked) == 1:
        return shown_cells
    attack = Attack(survey_round)
    return shown_cells + [cell for cell in hidden_cells if attack.width(*cell) <= SLACK]


def main(rounds: int) -> int:
    """Attack this many rounds, print the groups that were recovered, and return the number of broken rounds."""
    broken = 0
    for seed in range(rounds):
        if cells := recovered(generate_round(seed)):
            broken += 1
            print(f"round {seed}: {cells}")  # noqa: T201
    print(f"{rounds} rounds, {broken} of them broken")  # noqa: T201
    return broken


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)))
