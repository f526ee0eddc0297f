"""Measure what writing a numbered change costs a service.

The benchmark creates a database with two organisations, a partnership and a commitment. It then changes the due date of
the commitment many times, each time in a separate transaction. Every second change is recorded without a number. The
difference is the cost of numbering, and the target is at most 10 %. The last line of the output is a JSON object.

    make bench-record
    make bench-record ARGS="--moves 2000"
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.databases import kept_database, prepare_pages

#: Number of changes that are made before any is measured.
WARM_UP = 50


def make_commitment() -> tuple[Any, Any]:
    """Return a commitment under way, and a lead who may change it."""
    from django.utils import timezone

    from partnerships.agreements import services as agreements
    from partnerships.commitments import services as commitments
    from partnerships.organisations import services as organisations
    from partnerships.organisations.models import Role
    from partnerships.people.models import User

    now = timezone.now()
    leads, bodies = [], []
    for name in ("Larkhaven Homes", "Westmarch Borough Council"):
        body = organisations.create_organisation(name=name, kind="council", author=None, now=now)
        lead = User.objects.create_user(f"lead{len(leads)}@bench.example", "x" * 20, name=f"Lead {len(leads)}")
        organisations.add_membership(organisation=body, person=lead, role=Role.LEAD, author=None, now=now)
        leads.append(lead)
        bodies.append(body)
    partnership = agreements.create_partnership(
        organisation=bodies[0], author=leads[0], title="Estuary", kind="memorandum", purpose="Homes.", now=now
    )
    party = agreements.invite_organisation(
        partnership=partnership, organisation=bodies[1], role="member", reason="Land.", author=leads[0], now=now
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=leads[1], now=now)
    commitment = commitments.propose_commitment(
        giver=bodies[0],
        receiver=bodies[1],
        text="Sixty homes.",
        quantity=Decimal(60),
        unit="homes",
        owner=leads[0],
        due_on=timezone.localdate() + dt.timedelta(days=90),
        partnership=partnership,
        author=leads[0],
        now=now,
    )
    for body, lead in zip(bodies, leads, strict=True):
        commitment = commitments.confirm_commitment(
            commitment=commitment, organisation=body, author=lead, revision=commitment.revision, now=now
        )
    return commitment, leads[0]


def measure(moves: int) -> dict[str, float]:
    """Return the median milliseconds of changes of a commitment, with and without numbering."""
    from django.utils import timezone

    from partnerships.activity import follower_notices
    from partnerships.activity.models import Change
    from partnerships.commitments import services as commitments

    commitment, lead = make_commitment()
    today = timezone.localdate()

    def move(count: int) -> float:
        now, due_on = timezone.now(), today + dt.timedelta(days=100 + count % 200)
        began = time.perf_counter()
        commitments.change_due_date(
            commitment=commitment, due_on=due_on, reason="The crane is late.", author=lead, now=now
        )
        return (time.perf_counter() - began) * 1000

    numbered, bare = [], []
    before = Change.objects.count()
    for count in range(-WARM_UP, moves):
        with_numbers = move(2 * count)
        with patch.dict(follower_notices._notices_by_kind, clear=True):
            without = move(2 * count + 1)
        if count >= 0:
            numbered.append(with_numbers)
            bare.append(without)
    new_changes = Change.objects.count() - before
    if new_changes != 2 * (moves + WARM_UP):
        raise SystemExit(f"Expected two numbers for every other move, got {new_changes}.")
    with_numbers, without = statistics.median(numbered), statistics.median(bare)
    return {
        "numbered_ms": round(with_numbers, 3),
        "bare_ms": round(without, 3),
        "ratio": round(with_numbers / without, 3),
    }


def main() -> None:
    """Create the database, measure, and drop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=1000)
    options = parser.parse_args()
    with kept_database("record", keep=False) as database:
        prepare_pages(database.url)
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        print(json.dumps(measure(options.moves)))


if __name__ == "__main__":
    main()
