"""Run the model check of successions over many random histories.

The command is `make bench-successions ARGS="--histories 100000"`. It needs no database.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from random import Random

from tests.organisations.histories import FUNCTIONS, START, Rolled, check_answers, check_undoing, history_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    random = Random(options.seed)
    began = time.perf_counter()
    successions = answers = undone = 0
    for _ in range(options.histories):
        history = history_from(Rolled(random))
        function = random.choice(FUNCTIONS)
        day = START + dt.timedelta(days=random.randint(-40, 700))
        successions += len(history.steps)
        answers += check_answers(history, function, day)
        undone += check_undoing(history, function, day)
    seconds = time.perf_counter() - began
    print(
        f"{options.histories:,} histories of {successions:,} successions: {answers:,} answers, "
        f"{undone:,} undone and done again, in {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
