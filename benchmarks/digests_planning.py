"""Measure how long it takes to decide who gets a digest, also with a million rows."""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks.digests_stage import Stage
from benchmarks.digests_world import publish

#: The queries of an idle sweep.
_IDLE = (
    "SELECT 1 FROM digests_publication WHERE spread_at IS NULL AND available_at <= now()",
    (
        "SELECT id FROM digests_watermark WHERE reading_class = 'none' AND told_at <= now() - interval '10 minutes'"
        " ORDER BY told_at, id LIMIT 2000"
    ),
    "SELECT 1 FROM digests_watermark WHERE due_at <= now() LIMIT 1",
    "SELECT 1 FROM digests_matchnotice WHERE told_at IS NULL AND due_at <= now() LIMIT 1",
    "SELECT 1 FROM outbox_email WHERE status IN ('queued', 'sending') AND available_at <= now() LIMIT 1",
)

_FILLED = ("digests_subscription", "digests_watermark", "outbox_email")


def choosing_alone() -> float:
    """Return the seconds of the query that finds who is due, without creating deliveries."""
    from django.db import connection
    from django.utils import timezone

    from partnerships.digests.planning import choosing

    query = choosing._CHOOSE[: choosing._CHOOSE.index("due AS MATERIALIZED")].rstrip().rstrip(",")
    params = {"now": timezone.now(), "people": 1_000_000}
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(f"{query} SELECT count(*) FROM chosen", params)
        cursor.fetchall()
        return time.perf_counter() - began


def choosing_figures(stage: Stage) -> dict[str, float]:
    """Return the seconds of spreading a version, choosing recipients and an idle sweep. Sends nothing."""
    from django.utils import timezone

    from partnerships.digests.planning.choosing import choose, spread
    from partnerships.digests.services.sweep import plan_round
    from partnerships.outbox.models import Email

    stage.round += 1
    publish(stage.plan, stage.lead, stage.round)
    began = time.perf_counter()
    spread(now=timezone.now())
    spreading = time.perf_counter() - began
    who = choosing_alone()
    began = time.perf_counter()
    choose(now=timezone.now())
    choosing = time.perf_counter() - began
    times = []
    for _ in range(20):
        began = time.perf_counter()
        plan_round(now=timezone.now())
        times.append(time.perf_counter() - began)
    Email.objects.filter(status="queued").update(status="suppressed", settled_at=timezone.now())
    return {
        "spread_seconds_per_5000": round(spreading * 5000 / stage.people, 3),
        "who_is_due_seconds_per_5000": round(who * 5000 / stage.people, 3),
        "choose_and_make_seconds_per_5000": round(choosing * 5000 / stage.people, 3),
        "idle_sweep_ms": round(statistics.median(times) * 1000, 1),
    }


def _copy(table: str, source: str, given: dict[str, str], params: dict[str, Any]) -> None:
    """Fill a table with copies of the rows of a source. `given` contains SQL for some columns, with the row as `s`."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'", [table]
        )
        names = [row[0] for row in cursor.fetchall()]
        values = ", ".join(given.get(name, f"s.{name}") for name in names)
        cursor.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {source}", params)


def million_figures(stage: Stage, count: int) -> dict[str, Any]:
    """Return the time of an idle sweep, and its full table scans.

    The sweep is over `count` subscriptions, watermarks and emails.
    """
    from django.db import connection
    from django.utils import timezone

    from partnerships.digests.services.sweep import plan_round
    from partnerships.plans.models import Plan

    copies = []
    for _ in range(-(-count // stage.people)):
        plan = Plan.objects.get(pk=stage.plan.pk)
        plan.pk, plan._state.adding = None, True
        copies.append(plan)
    plans = [plan.pk for plan in Plan.objects.bulk_create(copies)]
    with connection.cursor() as cursor:
        for table in _FILLED:  # no history for rows that only fill the table
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        stage_facts = {"plans": plans, "plan": stage.plan.pk, "count": count}
        _copy(
            "digests_subscription",
            "digests_subscription s, unnest(%(plans)s::bigint[]) p WHERE s.plan_id = %(plan)s LIMIT %(count)s",
            {"plan_id": "p"},
            stage_facts,
        )
        of_each = ", digests_subscription n WHERE n.plan_id = ANY(%(plans)s)"
        _copy(
            "digests_watermark",
            f"(SELECT * FROM digests_watermark WHERE plan_id = %(plan)s AND due_at IS NULL LIMIT 1) s {of_each}",
            {"recipient_id": "n.person_id", "plan_id": "n.plan_id"},
            stage_facts,
        )
        _copy(
            "outbox_email",
            f"(SELECT * FROM outbox_email WHERE status = 'sent' LIMIT 1) s {of_each}",
            {"person_id": "n.person_id", "recipe": "'[[], []]'"},
            stage_facts,
        )
        for table in _FILLED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")
        times = []
        for _ in range(20):
            began = time.perf_counter()
            plan_round(now=timezone.now())
            times.append(time.perf_counter() - began)
        scans = 0
        for sql in _IDLE:
            cursor.execute(f"EXPLAIN {sql}")
            plan_text = "\n".join(row[0] for row in cursor.fetchall())
            scans += any(f"Seq Scan on {table}" in plan_text for table in _FILLED)
    return {
        "idle_subscriptions": count,
        "idle_sweep_million_ms": round(statistics.median(times) * 1000, 1),
        "idle_whole_table_scans": scans,
    }
