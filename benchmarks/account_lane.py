"""Measure how soon account emails are accepted while a million digests are queued.

The benchmark creates a separate database and records the digests with SQL. It starts a worker, all of whose senders
hang, because the mail server never answers for digests. It also starts the account sender. It then records account
emails one by one, and measures the time from commit until the server accepts each email. The last line of the output
is a JSON object with the figures.

    make bench-digests                                          with the other figures of digests
    python benchmarks/account_lane.py --queued 100000           quicker, inside `tools.run with`
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.digests_world import ROOT, Mailbox, Workers, own_database, prepare_django

#: The only domain for which the mail server accepts emails. It never answers for others.
_QUICK = "account.example"
_QUEUE = """
INSERT INTO people_user (password, is_superuser, email, name, is_staff, is_active, joined_at, time_zone)
SELECT '', false, 'reader' || n || '@digest.example', '', false, true, now(), 'Europe/London'
  FROM generate_series(1, %(people)s) n;
INSERT INTO outbox_email (lane, kind, person_id, available_at, created_at)
SELECT 2, 'digests.links', u.id, now(), now()
  FROM people_user u, generate_series(1, %(each)s) WHERE u.email LIKE 'reader%%@digest.example';
ANALYZE outbox_email;
"""


def account_lane(database: str, folder: Path, *, queued: int, emails: int) -> dict[str, Any]:
    """Return the median and 99th percentile of the seconds from commit to acceptance."""
    box = Mailbox.open(folder, "account", "--fault", f"end:hang:1000000:1:{_QUICK}")
    environ = prepare_django(database, mail_port=box.port, EMAIL_DATA_TIMEOUT="600")
    from django.db import connection, transaction
    from django.utils import timezone

    from partnerships.outbox.services import record_email

    people = min(queued, 50_000)
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE, {"people": people, "each": max(queued // people, 1)})
    workers = Workers(environ, log=folder / "worker.log")
    workers.start()
    account = subprocess.Popen([sys.executable, "-m", "housing.account_sender"], cwd=ROOT, env=environ)
    taken: list[float] = []
    try:
        time.sleep(5)  # until the workers hang
        for number in range(emails):
            address = f"person{number}@{_QUICK}"
            with transaction.atomic():
                body = {"subject": "A code", "text": "123456\n", "html": "<p>123456</p>"}
                record_email(kind="people.account", address=address, secrets=body, now=timezone.now())
            committed = time.time()
            while not any(one[2] == address for one in box.taken()[-5:]):
                if time.time() - committed > 60:
                    raise SystemExit("An account email was not accepted within a minute.")
                time.sleep(0.01)
            taken.append(next(one[0] for one in reversed(box.taken()) if one[2] == address) - committed)
    finally:
        account.terminate()
        workers.stop()
        box.close()
        connection.close()
    ordered = sorted(taken)
    return {
        "account_queued_digests": queued,
        "account_emails": emails,
        "account_p50_seconds": round(statistics.median(ordered), 3),
        "account_p99_seconds": round(ordered[max(0, -(-99 * len(ordered) // 100) - 1)], 3),
    }


def main() -> None:
    """Measure, print the figures, and print them as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queued", type=int, default=1_000_000)
    parser.add_argument("--emails", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, own_database("bench_account_lane") as database:
        figures = account_lane(database, Path(folder), queued=options.queued, emails=options.emails)
    for name, value in figures.items():
        print(f"{name:32} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
