"""Measure the handover of the records of twelve councils to two, while people go on working.

The benchmark creates a database with twelve councils, which have 20,000 commitments, 300 plans and 5,000 people. It
proposes and accepts a handover line for each, transfers all of them, and undoes the succession. The limit for the
transfer is 60 s. Meanwhile, a person of the organisation that gives the commitments reads the list of commitments and
proposes new ones, one request after the other. The last line of the output is a JSON object.

    make bench-handovers
    make bench-handovers ARGS="--commitments 2000 --people 500 --plans 30"
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.databases import kept_database, prepare_pages

COUNCILS = 12


def make_councils(commitments: int, people: int, plans: int) -> tuple[Any, list[Any], list[Any], Any]:
    """Return a succession of twelve councils by two, the twelve, the two, and the giver of all commitments."""
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

    councils = [body(f"Council {number}") for number in range(COUNCILS)]
    successors, giver = [body("East Council"), body("West Council")], body("Larkhaven Homes")
    users = User.objects.bulk_create(
        User(email=f"officer{number}@bench.example", name=f"Officer {number}", account_since=now)
        for number in range(people)
    )
    Membership.objects.bulk_create(
        Membership(person=user, organisation=councils[number % COUNCILS], role="lead", starts_on=today, accepted_at=now)
        for number, user in enumerate(users)
    )
    Commitment.objects.bulk_create(
        (
            Commitment(
                reference=f"B-{number}",
                text=f"Homes of scheme {number}.",
                giver=giver,
                receiver=councils[number % COUNCILS],
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
    created_plans = Plan.objects.bulk_create(
        Plan(title=f"Plan {number}", kind="housing_strategy", audience="owners", created_at=now)
        for number in range(plans)
    )
    PlanOwner.objects.bulk_create(
        PlanOwner(plan=plan, organisation=councils[number % COUNCILS]) for number, plan in enumerate(created_plans)
    )
    ties = [services.NewTie(one, successors[number % 2]) for number, one in enumerate(councils)]
    succession = services.record_succession(
        kind="replace", status="order_made", vests_on=known_day(today), ties=ties, author=None, now=now
    )
    return succession, councils, successors, giver


class Use:
    """A person who reads the list of commitments and proposes new ones until the end of the block.

    `read` and `written` are the seconds that each request took.
    """

    def __init__(self, giver: Any, receiver: Any) -> None:
        self.sides = {"giver": giver, "receiver": receiver}
        self.read: list[float] = []
        self.written: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Use:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        from django.db import connection
        from django.test import Client
        from django.urls import reverse
        from django.utils import timezone

        from partnerships.commitments.services import propose_commitment
        from partnerships.organisations import services
        from partnerships.people.models import User

        now = timezone.now()
        person = User.objects.create(email="editor@bench.example", name="Editor", account_since=now)
        services.add_membership(organisation=self.sides["giver"], person=person, role="editor", author=None, now=now)
        client = Client()
        client.force_login(person)
        fields = {"quantity": 5, "unit": "homes", "owner": person, "due_on": timezone.localdate(), "partnership": None}
        while not self._stop.is_set():
            start = time.perf_counter()
            assert client.get(reverse("commitments:list")).status_code == 200
            self.read.append(time.perf_counter() - start)
            start = time.perf_counter()
            propose_commitment(**self.sides, **fields, text="More homes.", author=person, now=timezone.now())
            self.written.append(time.perf_counter() - start)
            time.sleep(0.1)
        connection.close()


def measure(commitments: int, people: int, plans: int) -> dict[str, float]:
    """Return the seconds for proposing, accepting, transferring and undoing, and the number of lines."""
    from django.utils import timezone

    from partnerships.kit.dates import known_day
    from partnerships.organisations import services
    from partnerships.organisations.obligations import held_records_by_kind

    now, today = timezone.now(), timezone.localdate()
    succession, councils, successors, giver = make_councils(commitments, people, plans)
    times = {}

    def timed(name: str, step: Any) -> None:
        start = time.perf_counter()
        step()
        times[name] = round(time.perf_counter() - start, 1)

    def propose() -> None:
        for number, council in enumerate(councils):
            for group in held_records_by_kind(council, today):
                services.propose_handovers(
                    succession=succession,
                    predecessor=council,
                    kind=group.kind.code,
                    records=[one.pk for one in group.things],
                    successor=successors[number % 2],
                    author=None,
                    now=now,
                )

    def accept() -> None:
        services.answer_handovers(lines=list(succession.handovers.all()), accept=True, author=None, now=now)

    timed("propose", propose)
    timed("accept", accept)
    services.take_effect(succession=succession, author=None, now=now)
    with Use(giver, successors[0]) as use:
        timed("apply", lambda: services.hand_over_due(now=now))
    times |= {
        "pages": len(use.read),
        "slowest page": round(max(use.read), 2),
        "proposals": len(use.written),
        "slowest proposal": round(max(use.written), 2),
    }
    assert all(held_records_by_kind(council, today) == [] for council in councils)
    undoing = services.undo_succession(
        succession=succession, vests_on=known_day(today), status="order_made", reason="Undone.", author=None, now=now
    )
    services.take_effect(succession=undoing, author=None, now=now)
    timed("undo", lambda: services.hand_over_due(now=now))
    return times | {"lines": succession.handovers.count()}


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commitments", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--plans", type=int, default=300)
    options = parser.parse_args()
    with kept_database("handovers", keep=False) as database:
        prepare_pages(database.url)
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        figures = measure(options.commitments, options.people, options.plans)
    for name, seconds in figures.items():
        print(f"{name:>16}: {seconds}")
    print(json.dumps(figures))
    if figures["apply"] > 60:
        raise SystemExit("Passing on took more than 60 s.")


if __name__ == "__main__":
    main()
