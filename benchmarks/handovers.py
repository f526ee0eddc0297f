"""Hand over what twelve councils hold to two, while nobody has to stop working.

Creates a database with twelve councils that hold 20,000 commitments, 300 plans and 5,000 people, proposes and accepts a
handover line for each, and passes everything on; then undoes it. The limit for passing on is 60 s. The last line is a
JSON object.

    make bench-handovers
    make bench-handovers ARGS="--commitments 2000 --people 500 --plans 30"
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.databases import kept_database, prepare_pages

COUNCILS = 12


def make_councils(commitments: int, people: int, plans: int) -> tuple[Any, list[Any], list[Any]]:
    """A succession of twelve councils by two, and what the twelve hold."""
    from django.utils import timezone

    from partnerships.commitments.models import Commitment
    from partnerships.kit.dates import known_day
    from partnerships.organisations import services
    from partnerships.organisations.models import Membership
    from partnerships.people.models import User
    from partnerships.plans.models import Plan, PlanOwner

    now, today = timezone.now(), timezone.localdate()

    def body(name: str) -> Any:
        return services.create_organisation(name=name, kind="council", author=None, now=now)

    old = [body(f"Council {number}") for number in range(COUNCILS)]
    new, giver = [body("East Council"), body("West Council")], body("Larkhaven Homes")
    users = User.objects.bulk_create(
        User(email=f"officer{number}@bench.example", name=f"Officer {number}", account_since=now)
        for number in range(people)
    )
    Membership.objects.bulk_create(
        Membership(person=user, organisation=old[number % COUNCILS], role="lead", starts_on=today, accepted_at=now)
        for number, user in enumerate(users)
    )
    Commitment.objects.bulk_create(
        (
            Commitment(
                reference=f"B-{number}",
                text=f"Homes of scheme {number}.",
                giver=giver,
                receiver=old[number % COUNCILS],
                owner_organisation=giver,
                quantity=10,
                unit="homes",
                due_on=today,
                original_due_on=today,
                status_since=now,
                proposed_at=now,
            )
            for number in range(commitments)
        ),
        batch_size=2000,
    )
    made = Plan.objects.bulk_create(
        Plan(title=f"Plan {number}", kind="housing_strategy", audience="owners", created_at=now)
        for number in range(plans)
    )
    PlanOwner.objects.bulk_create(
        PlanOwner(plan=plan, organisation=old[number % COUNCILS]) for number, plan in enumerate(made)
    )
    ties = [services.NewTie(one, new[number % 2]) for number, one in enumerate(old)]
    succession = services.record_succession(
        kind="replace", status="order_made", vests_on=known_day(today), ties=ties, author=None, now=now
    )
    return succession, old, new


def measure(commitments: int, people: int, plans: int) -> dict[str, float]:
    """Seconds for proposing, accepting, passing on and undoing, and how many lines."""
    from django.utils import timezone

    from partnerships.kit.dates import known_day
    from partnerships.organisations import services
    from partnerships.organisations.obligations import held_by

    now, today = timezone.now(), timezone.localdate()
    succession, old, new = make_councils(commitments, people, plans)
    times = {}

    def timed(name: str, step: Any) -> None:
        start = time.perf_counter()
        step()
        times[name] = round(time.perf_counter() - start, 1)

    def propose() -> None:
        for number, council in enumerate(old):
            for group in held_by(council, today):
                services.propose_handovers(
                    succession=succession,
                    predecessor=council,
                    kind=group.kind.code,
                    records=[one.pk for one in group.things],
                    successor=new[number % 2],
                    author=None,
                    now=now,
                )

    def accept() -> None:
        services.answer_handovers(lines=list(succession.handovers.all()), accept=True, author=None, now=now)

    timed("propose", propose)
    timed("accept", accept)
    services.take_effect(succession=succession, author=None, now=now)
    timed("apply", lambda: services.hand_over_due(now=now))
    assert all(held_by(council, today) == [] for council in old)
    back = services.undo_succession(
        succession=succession, vests_on=known_day(today), status="order_made", reason="Undone.", author=None, now=now
    )
    services.take_effect(succession=back, author=None, now=now)
    timed("undo", lambda: services.hand_over_due(now=now))
    return times | {"lines": succession.handovers.count()}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commitments", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--plans", type=int, default=300)
    options = parser.parse_args()
    with kept_database("handovers", keep=False) as (address, _):
        prepare_pages(address)
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        found = measure(options.commitments, options.people, options.plans)
    for name, seconds in found.items():
        print(f"{name:>8}: {seconds}")
    print(json.dumps(found))
    if found["apply"] > 60:
        raise SystemExit("Passing on took more than 60 s.")


if __name__ == "__main__":
    main()
