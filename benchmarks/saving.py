"""Measure saving at the size of England and at ten times that. The target is at most 1.3 times the cost.

The benchmark uses the databases of benchmarks/pages.py. The lead with 40 partnerships publishes a version, answers an
ask, proposes a commitment, edits a draft and imports 2,000 commitments, each in a transaction that is rolled back. The
figures are processor time in milliseconds, of Python and PostgreSQL. The last line of the output is one JSON object.

    make bench-saving                               1 and 10 times England
    make bench-saving ARGS="--keep --rounds 5"      in databases that `make bench-pages ARGS=--keep` left
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.country import fill
from benchmarks.databases import OWN, kept_database, postgres_process, prepare_pages, seconds_used

#: Number of rows in the imported file.
ROWS = 2_000


def saved_by(person: Any) -> dict[str, Callable[[int], object]]:
    """Return the functions that save as the lead, by name. Each takes the number of the round."""
    from django.utils import timezone

    from benchmarks.digests_world import content
    from partnerships.agreements.models import Party
    from partnerships.commitments.services import propose_commitment
    from partnerships.exchange.models import Entry
    from partnerships.exchange.services import respond
    from partnerships.organisations.models import Membership
    from partnerships.plans.models import PlanOwner
    from partnerships.plans.services import publish_version, save_piece
    from partnerships.spreadsheets.services import upload_spreadsheet
    from partnerships.spreadsheets.services.applying import import_upload, preview_upload
    from partnerships.spreadsheets.services.kinds import Target

    now, today = timezone.now(), timezone.localdate()
    due_on = today.replace(year=today.year + 1, day=1)
    giver = Membership.objects.filter(person=person)[0].organisation
    plan = PlanOwner.objects.filter(organisation=giver, plan__status="shared").order_by("pk")[0].plan
    party = Party.objects.accepted().filter(organisation=giver).order_by("pk")[0]
    other_parties = Party.objects.accepted().filter(partnership=party.partnership).exclude(organisation=giver)
    receiver = other_parties[0].organisation
    entry = Entry.objects.filter(audience="network", is_open=True).exclude(organisation=giver).order_by("pk")[0]

    def import_rows(number: int) -> object:
        heading = "Gives,Receives,What is promised,Quantity,Unit,Due date\n"
        rows = [
            f"{giver.name},{receiver.name},{homes} homes in round {number},{homes},homes,{due_on:%d/%m/%Y}\n"
            for homes in range(1, ROWS + 1)
        ]
        upload = upload_spreadsheet(
            kind="commitments",
            target=Target(partnership=party.partnership, organisation=giver),
            data=(heading + "".join(rows)).encode(),
            file_name="commitments.csv",
            author=person,
            now=now,
        )
        preview_upload(upload=upload, author=person, now=now)
        upload.refresh_from_db()
        imported_upload = import_upload(upload=upload, author=person, now=now)
        created_count = imported_upload.report["counts"].get("created")
        if created_count != ROWS:
            raise SystemExit(f"Expected {ROWS} commitments, got {created_count}: {imported_upload.report}")
        return imported_upload

    return {
        "publish": lambda number: publish_version(
            plan=plan, author=person, note="More homes.", content=content(number + 5), now=now
        ),
        "answer": lambda _: respond(entry=entry, organisation=giver, text="We can help.", author=person, now=now),
        "commit": lambda _: propose_commitment(
            giver=giver,
            receiver=receiver,
            text="Sixty homes.",
            quantity=Decimal(60),
            unit="homes",
            owner=person,
            due_on=due_on,
            partnership=party.partnership,
            author=person,
            now=now,
        ),
        "edit a draft": lambda number: save_piece(
            plan=plan,
            piece="about",
            value=content(number + 5)["about"] | {"title": f"Homes {number}"},
            based_on=None,
            author=person,
            now=now,
        ),
        f"import {ROWS:,} rows": import_rows,
    }


def measure(save: Callable[[int], object], rounds: int) -> float:
    """Return the median processor time of Python and PostgreSQL in milliseconds.

    The first round is a warm-up, which is not counted.
    """
    from django.db import transaction

    backend = postgres_process()
    durations = []
    for number in range(rounds + 1):
        before, began = seconds_used(backend), time.process_time()
        with transaction.atomic():
            save(number)
            transaction.set_rollback(True)
        durations.append((time.process_time() - began + seconds_used(backend) - before) * 1000)
    return round(statistics.median(durations[1:]), 1)


def figures_at(times: float, *, rounds: int, keep: bool) -> dict[str, float]:
    """Return the milliseconds by the name of what is saved."""
    with kept_database(f"bench_pages_{times:g}".replace(".", "_"), keep=keep) as database:
        prepare_pages(database.url)
        from django.core.management import call_command
        from django.db import connections

        from partnerships.people.models import User

        call_command("migrate", verbosity=0)  # a database that was kept may be older than the code
        if not database.is_filled:
            fill(times)
            database.mark_filled()
        figures = {}
        for name, save in saved_by(User.objects.get(email="lead@country.example")).items():
            figures[name] = measure(save, rounds if "rows" not in name else 1)
            print(f"  {times:g}x {name:22}{figures[name]:10.1f} ms", flush=True)
        connections.close_all()
    return figures


def main() -> int:
    """Measure each size in a separate process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, nargs=2, default=[1, 10], help="two sizes, in times England")
    parser.add_argument("--rounds", type=int, default=20, help="how often each is saved; the import once")
    parser.add_argument("--keep", action="store_true", help="keep the filled databases and use them again")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not OWN:
        parser.error("DATABASE_URL is not set: start this with make bench-saving")
    if options.one is not None:
        print(json.dumps(figures_at(options.one, rounds=options.rounds, keep=options.keep)))
        return 0
    sizes = []
    for times in options.times:
        command = [sys.executable, __file__, *sys.argv[1:], "--one", str(times)]
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(process.stdout, end="", flush=True)
        sizes.append(json.loads(process.stdout.splitlines()[-1]))
    small, large = sizes
    print(json.dumps({name: {"ms": large[name], "growth": round(large[name] / small[name], 2)} for name in small}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
