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
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import highspy

from partnerships.kit.disclosed_means import ALL, Scale
from partnerships.kit.disclosure import MIN_FLOOR, SLACK
from partnerships.surveys.bodies import Group, counted_as
from partnerships.surveys.counting import Answer, Outcome, outcome_of
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
class Played:
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


def play(seed: int) -> Played:
    """Generate a round: two to four groups of one to fourteen people, with random answers and gaps.

    Every fourth round is run by several partnerships: it has twice as many people, and a floor of ten.
    """
    chance, ticking = random.Random(seed), random.Random(f"expectations {seed}")
    times = 2 if seed % 4 == 3 else 1
    floor = times * MIN_FLOOR
    asked = {str(group): chance.randint(1, 14 * times) for group in chance.sample(list(Group), chance.randint(2, 4))}
    if sum(asked.values()) < 8 * times:
        asked[next(iter(asked))] += 8 * times
    counted = counted_as(asked, floor)
    rates = {key: ticking.random() for key in EXPECTATIONS}
    answers = []
    for group, number in asked.items():
        rate, liking, skipping = chance.random(), chance.uniform(1, 5), chance.choice([0, 0.1, 0.4])
        for _ in range(sum(chance.random() < rate for _ in range(number))):
            scores = {
                key: min(max(round(chance.gauss(liking, 1)), 1), 5) for key in DIMENSIONS if chance.random() >= skipping
            }
            expects = [key for key, likely in rates.items() if ticking.random() < likely]
            answers.append(Answer(group, scores, expects, {}))
    outcome: Outcome = outcome_of(answers, QUESTIONS, asked_by_group=asked, joined_code_by_group=counted, floor=floor)
    together: dict[str, int] = dict.fromkeys(counted.values(), 0)
    for group, number in asked.items():
        together[counted[group]] += number
    scores = {
        (key, code): [
            answer.scores[key] for answer in answers if key in answer.scores and code in (ALL, counted[answer.group])
        ]
        for key in DIMENSIONS
        for code in [*together, ALL]
    }
    return Played(
        together,
        {cell: len(cell_scores) for cell, cell_scores in scores.items() if cell[1] != ALL}
        | {(ANSWERED, code): sum(counted[answer.group] == code for answer in answers) for code in together},
        {(figure.theme, figure.group): figure.value for figure in outcome.figures},
        outcome.answered_at_least,
        {cell: SCALE.shown(cell_scores) for cell, cell_scores in scores.items() if len(cell_scores) >= floor},
        floor,
    )


def most_publishable(played: Played, theme: str) -> int:
    """Return how many figures of a theme could be published at best without the attacker recovering a small group."""
    means = {
        group: mean for (of, group), mean in played.means.items() if of == theme and (group or len(played.asked) > 1)
    }
    published = sum(of == theme for of, _ in played.figures)
    for number in range(len(means), published, -1):
        for some in itertools.combinations(means, number):
            hidden = [group for group in played.asked if group not in some]
            if ALL in some and hidden and sum(played.sizes[theme, group] for group in hidden) < played.floor:
                continue  # those few would be a figure of their own
            figures = {(theme, group): means[group] for group in some}
            if not [cell for cell in recovered(replace(played, figures=figures)) if cell[0] == theme]:
                return number
    return published


class Attack:
    """The linear programme of one round."""

    def __init__(self, played: Played) -> None:
        self.played = played
        self.programme = highspy.Highs()
        self.programme.silent()
        groups = list(played.asked)
        respondents = {group: self.programme.addVariable(0, played.asked[group]) for group in groups}
        if played.answered_at_least:
            self.programme.addConstr(sum(respondents.values()) >= played.answered_at_least)
        self.sizes = {(ANSWERED, group): number for group, number in respondents.items()}
        for theme in EXPECTATIONS:
            if (theme, ALL) in played.figures:
                self._know_share(float(played.figures[theme, ALL]) / 100, sum(respondents.values()))
        for theme in DIMENSIONS:
            sums = []
            for group in groups:
                size = self.sizes[theme, group] = self.programme.addVariable(0, played.asked[group])
                total = self.programme.addVariable(0, 5 * played.asked[group])
                self.programme.addConstr(size <= respondents[group])
                shown = played.figures.get((theme, group))
                low, high = SCALE.bounds(shown) if shown is not None else (SCALE.lowest, SCALE.highest)
                self.programme.addConstr(total >= float(low) * size)
                self.programme.addConstr(total <= float(high) * size)
                if shown is not None:
                    self.programme.addConstr(size >= played.floor)
                sums.append(total)
            of_all = played.figures.get((theme, ALL))
            if of_all is not None:
                low, high = SCALE.bounds(of_all)
                everybody = sum(self.sizes[theme, group] for group in groups)
                self.programme.addConstr(sum(sums) >= float(low) * everybody)
                self.programme.addConstr(sum(sums) <= float(high) * everybody)
                self.programme.addConstr(everybody >= played.floor)

    def _know_share(self, share: float, answered: Any) -> None:
        """Add the conditions that follow from a published share.

        At least `floor` people ticked the expectation, at least `floor` did not, and their share was rounded to tens.
        """
        ticked = self.programme.addVariable(self.played.floor, sum(self.played.asked.values()))
        self.programme.addConstr(answered - ticked >= self.played.floor)
        self.programme.addConstr(ticked >= (share - 0.05) * answered)
        self.programme.addConstr(ticked <= (share + 0.05) * answered)

    def width(self, theme: str, group: str) -> int:
        """Return the highest less the lowest size, below the floor, that the group can have."""
        size = self.sizes[theme, group]
        self.programme.minimize(size)
        lowest = math.ceil(self.programme.val(size) - 1e-6)
        self.programme.maximize(size)
        highest = math.floor(self.programme.val(size) + 1e-6)
        return min(highest, self.played.floor - 1) - lowest


def recovered(played: Played) -> list[tuple[str, str]]:
    """Return the small groups that are shown, or whose size the attacker finds out to within `SLACK`."""
    small = [cell for cell, size in played.sizes.items() if size < played.floor]
    recovered_cells = [cell for cell in small if cell in played.figures]
    hidden = [cell for cell in small if cell not in played.figures and played.asked[cell[1]] > SLACK]
    if hidden and len(played.asked) > 1:
        attack = Attack(played)
        recovered_cells += [cell for cell in hidden if attack.width(*cell) <= SLACK]
    return recovered_cells


def main(rounds: int) -> int:
    """Attack this many rounds, print the groups that were recovered, and return the number of broken rounds."""
    broken = 0
    for seed in range(rounds):
        if cells := recovered(play(seed)):
            broken += 1
            print(f"round {seed}: {cells}")  # noqa: T201
    print(f"{rounds} rounds, {broken} of them broken")  # noqa: T201
    return broken


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)))
