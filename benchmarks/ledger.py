"""Measure whether millions of settled emails slow down pages, sweeps and reports.

The benchmark creates two databases. One has a small network, queued emails and 24 empty months, the other has full
months. It measures each call in both, in turns, and drops them. Queued emails may cost something, but settled ones must
not. The target is a ratio of at most 1.2. The last line of the output is a JSON object.

    make bench-ledger                          50 million settled emails, tens of gigabytes of disk
    make bench-ledger ARGS="--rows 3000000"    quicker
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.digests_world import own_database

#: Earlier months of the ledger.
MONTHS = 24
#: Number of recipients.
PEOPLE = 20_000
#: Settled emails of this month in both databases, so that their pages are equally full.
COMMON = 100_000
#: One email out of this number is queued.
OPEN_SHARE = 50

_PEOPLE = """
INSERT INTO people_user (email, name, password, is_staff, is_active, is_superuser, joined_at, time_zone)
SELECT 'reader' || n || '@readers.example', 'Reader ' || n, '!', false, true, false, now(), 'Europe/London'
  FROM generate_series(1, %(people)s) n
"""

# A tenth of the emails are notices, and the others are digests. One in a hundred failed. As after retention, only
# emails of the last month have a body, and only those of the last year have an address.
_EMAILS = """
INSERT INTO {table} (id, lane, kind, person_id, sender_id, params, status, message_id, address, subject, recipe,
                     attempts, available_at, created_at, claimed_at, settled_at, reason, provider_id)
SELECT x.id, CASE WHEN n %% 10 = 0 THEN 1 ELSE 2 END,
       CASE WHEN n %% 100 = 0 THEN 'digests.confirmation' WHEN n %% 10 = 0 THEN 'plans.sign_off'
            ELSE 'digests.digest' END,
       (SELECT min(id) FROM people_user WHERE email LIKE 'reader%%') + n %% %(people)s,
       CASE WHEN n %% 1000 = 0 THEN %(ours)s WHEN n %% 10 = 0 THEN 1000000 + n %% 500 END,
       CASE WHEN n %% 100 = 0 THEN jsonb_build_object('subscription', 1000000 + n) ELSE '{{}}' END,
       CASE WHEN n %% 100 = 7 THEN 'failed' ELSE 'sent' END, '<' || x.id || '.' || md5(n::text) || '@localhost>',
       CASE WHEN %(has_address)s THEN 'reader' || n || '@readers.example' ELSE '' END,
       CASE WHEN %(has_address)s THEN 'Two plans changed' ELSE '' END,
       CASE WHEN %(has_body)s THEN '[[1, -1, 2], ["Own words of this email"]]'::jsonb END,
       1, x.at, x.at, x.at, x.at + interval '2 seconds',
       CASE WHEN n %% 100 = 7 AND %(has_address)s THEN '550 5.2.2 Mailbox full' ELSE '' END, 'p-' || x.id
  FROM generate_series(1, %(rows)s) n,
       LATERAL (SELECT (%(first)s + n)::bigint AS id, %(begins)s + n * %(step)s * interval '1 second' AS at) x
"""

_BOUNCES = """
INSERT INTO {table} (id, kind, address, email_id, person_id, at, text)
SELECT id, 'soft', address, id, person_id, settled_at, CASE WHEN address <> '' THEN '4.2.2' ELSE '' END
  FROM {emails} WHERE id %% 100 = 8
"""

_ITEMS = """
INSERT INTO digests_deliveryitem (delivery_id, plan_id, from_number, to_number, reading_class)
SELECT id, 1000000 + id %% 1000, 1, 2, 'outside' FROM {emails} WHERE kind = 'digests.digest'
"""

_OPEN = """
INSERT INTO outbox_email (id, lane, kind, person_id, params, status, available_at, created_at)
SELECT %(first)s + n, 1 + n %% 2, 'plans.sign_off',
       (SELECT min(id) FROM people_user WHERE email LIKE 'reader%%') + n %% %(people)s, '{}', 'queued',
       now() + interval '1 day', now()
  FROM generate_series(1, %(rows)s) n
"""


def use(address: str) -> None:
    """Connect Django to this database."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = address.rpartition("/")[2]


def execute(sql: str, **params: Any) -> None:
    """Run SQL as the owner of the tables."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def make_common(open_rows: int) -> Any:
    """Return the named world with recipients, some settled emails and queued ones."""
    from django.core.management import call_command
    from django.utils import timezone

    from partnerships.outbox.models import Email
    from partnerships.outbox.retention import first_id_of_month
    from tests.world import make_world

    call_command("migrate", verbosity=0, interactive=False)
    world, now = make_world(), timezone.now()
    Email.objects.all().update(available_at=now + dt.timedelta(days=1))
    execute(_PEOPLE, people=PEOPLE)
    this_month = first_id_of_month(now) + 10_000_000
    execute(_OPEN, first=this_month, rows=open_rows, people=PEOPLE)
    execute(
        _EMAILS.format(table="outbox_email"),
        **_facts(world, this_month + 1_000_000_000, COMMON, now - dt.timedelta(hours=4), 0.1, age=0),
    )
    for table in ("outbox_email", "outbox_bounce"):
        execute(f"DROP TABLE {table}_before")
    return world


def _facts(world: Any, first: int, rows: int, begins: dt.datetime, step: float, *, age: int) -> dict[str, Any]:
    return {
        "people": PEOPLE,
        "ours": world.larkhaven.pk,
        "has_address": age < 12,
        "has_body": age == 0,
        "rows": rows,
        "first": first,
        "begins": begins,
        "step": step,
    }


def load_ledger(world: Any, rows: int) -> None:
    """Load two years of settled emails. Each month is filled first, and then attached with its indexes.

    If `rows` is 0, the months are created but empty, because PostgreSQL plans a little longer with more partitions.
    """
    from django.utils import timezone

    from partnerships.outbox.retention import first_id_of_month

    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    each = rows // MONTHS
    for age in range(1, MONTHS + 1):
        end = first_id_of_month(month)
        month = (month - dt.timedelta(days=1)).replace(day=1)
        first = first_id_of_month(month)
        emails, bounces = f"outbox_email_{month:%Y_%m}", f"outbox_bounce_{month:%Y_%m}"
        for table, parent in ((emails, "outbox_email"), (bounces, "outbox_bounce")):
            execute(f"CREATE TABLE {table} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        step = 27 * 86_400 / max(each, 1)
        execute(_EMAILS.format(table=emails), **_facts(world, first, each, month, step, age=age))
        execute(_BOUNCES.format(table=bounces, emails=emails).replace("%%", "%"))
        execute(_ITEMS.format(emails=emails).replace("%%", "%"))
        for table, parent in ((emails, "outbox_email"), (bounces, "outbox_bounce")):
            execute(f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES FROM ({first}) TO ({end})")
        if rows:
            print(f"  {month:%B %Y}: {each:,} emails", flush=True)


def calls(world: Any) -> dict[str, Callable[[], object]]:
    """Return the functions to measure, by name. Each call finds different emails from the call before."""
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from partnerships.digests.queries.queue import queue_figures
    from partnerships.digests.retention import tidy
    from partnerships.digests.services.sweep import plan_round
    from partnerships.outbox.bounces import note_bounce
    from partnerships.outbox.claiming import has_due_emails
    from partnerships.outbox.models import Email

    settled = Email.objects.filter(settled_at__isnull=False, lane=2)
    known = itertools.cycle(
        list(settled.filter(status="sent").order_by("-pk").values_list("message_id", "provider_id")[:1000])
    )

    def report(**found: str) -> object:
        return note_bounce(kind="delayed", address="", text="4.2.2 Later", now=timezone.now(), **found)

    def page(person: Any, name: str, query: str = "") -> Callable[[], object]:
        client = Client()
        client.force_login(person)
        address = reverse(name) + query

        def get() -> object:
            response = client.get(address)
            assert response.status_code == 200, (address, response.status_code)
            return response

        return get

    return {
        "a scrape (queue_figures)": queue_figures,
        "is anything due": lambda: has_due_emails(lanes="others"),
        "an idle round of digests": lambda: plan_round(now=timezone.now()),
        "a bounce, known Message-ID": lambda: report(message_id=next(known)[0]),
        "a bounce, unknown Message-ID": lambda: report(message_id="<12345.abc@localhost>"),
        "a bounce, unknown old Message-ID": lambda: report(message_id="<abc@localhost>"),
        "a bounce, known provider's number": lambda: report(provider_id=next(known)[1]),
        "a bounce, unknown provider's number": lambda: report(provider_id="p-unknown"),
        "ledger of digests, administrator": page(world.dee, "digests:ledger"),
        "ledger of digests, failed ones": page(world.dee, "digests:ledger", "?status=failed"),
        "ledger of digests, by a name": page(world.dee, "digests:ledger", "?q=reader+199"),
        "ledger of digests, lead": page(world.amina, "digests:ledger"),
        "emails, administrator": page(world.dee, "web:emails"),
        "emails, failed ones": page(world.dee, "web:emails", "?status=failed"),
        "emails, lead": page(world.amina, "web:emails"),
        "retention, dry run": lambda: tidy(now=timezone.now(), dry_run=True),
    }


def measure(worlds: dict[str, Any], rounds: int, repeats: int) -> dict[str, dict[str, float]]:
    """Return the lower quartile of each call in milliseconds, by database. The databases are measured in turns."""
    taken: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for address, world in worlds.items():
            use(address)
            for name, call in calls(world).items():
                call()  # fills PostgreSQL's caches, and lets it plan the statements
                for _ in range(repeats):
                    began = time.perf_counter()
                    call()
                    milliseconds = (time.perf_counter() - began) * 1000
                    taken.setdefault(name, {}).setdefault(address, []).append(milliseconds)
                    if milliseconds > 5_000:
                        break
    return {name: {key: statistics.quantiles(some, n=4)[0] for key, some in by.items()} for name, by in taken.items()}


def main() -> None:
    """Create both databases, measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000, help="settled emails")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    os.environ["DATABASE_ROLE"] = "owner"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    with contextlib.ExitStack() as stack:
        small, large = (stack.enter_context(own_database(name)) for name in ("bench_ledger_small", "bench_ledger"))
        worlds: dict[str, Any] = {}
        for address in (small, large):
            use(address)
            worlds[address] = make_common(options.rows // OPEN_SHARE)
        print(f"Loading {options.rows:,} settled emails.", flush=True)
        for address, rows in ((large, options.rows), (small, 0)):
            use(address)
            load_ledger(worlds[address], rows)
        for address in worlds:
            use(address)
            execute("VACUUM ANALYZE")
        found = measure(worlds, options.rounds, options.repeats)
        use(small)
    figures = {}
    print(f"\n{'':40}{'without':>10}{'with':>10}{'ratio':>8}")
    for name, by in found.items():
        ratio = by[large] / by[small]
        print(f"{name:40}{by[small]:>7.1f} ms{by[large]:>7.1f} ms{ratio:>8.2f}")
        figures[name] = {"without_ms": round(by[small], 2), "with_ms": round(by[large], 2), "ratio": round(ratio, 2)}
    print(json.dumps({"rows": options.rows, "open": options.rows // OPEN_SHARE, "figures": figures}))


if __name__ == "__main__":
    main()
