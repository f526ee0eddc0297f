"""Measure the emails about one change of a partnership, and an idle sweep over many followers.

The emails are compared with two plain loops.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.digests_planning import _copy
from benchmarks.digests_stage import Stage, dump_emails, run_composing, run_loop, wait_for
from benchmarks.digests_world import cpu_of, make_followers
from benchmarks.record import make_commitment

#: A pause before each measurement, in which the database finishes writing for the one before.
_PAUSE_SECONDS = 1.0


class ChangesStage(Stage):
    """A partnership with followers. The due date of its commitment changes in every round."""

    def prepare(self) -> None:
        """Create the partnership and its followers."""
        from django.utils import timezone

        from partnerships.commitments.services import mark_for_stakeholders

        now = timezone.now()
        commitment, self.lead = make_commitment()
        self.commitment = mark_for_stakeholders(commitment=commitment, tell=True, author=self.lead, now=now)
        self.owner = self.commitment.giver
        make_followers(self.commitment.partnership, self.owner, self.lead, self.people, now)

    def change(self) -> float:
        """Change the due date and start a sweep. Returns the time before the change."""
        from django.utils import timezone

        from partnerships.commitments.services import change_due_date
        from partnerships.digests.tasks import sweep

        began = time.time()
        day = timezone.localdate() + dt.timedelta(days=100 + self.round)
        change_due_date(
            commitment=self.commitment, due_on=day, reason="The crane is late.", author=self.lead, now=timezone.now()
        )
        sweep.delay()  # in production, beat starts one every ten seconds
        return began

    def play(self, top: psutil.Process) -> dict[str, float]:
        """Make a change, and wait until all emails about it are accepted and settled."""
        before = len(self.box.taken())
        self.round += 1
        cpu, own = cpu_of(top), time.process_time()
        began = self.change()
        changing = time.process_time() - own
        last, largest = wait_for(self.box, before + self.people, top)
        _wait_until_settled()
        return {"seconds": last - began, "cpu": cpu_of(top) - cpu + changing, "memory": largest}


def _wait_until_settled() -> None:
    from partnerships.outbox.models import Email

    until = time.time() + 60
    while Email.objects.unsettled().exists():
        if time.time() > until:
            raise SystemExit("Some emails are not settled.")
        time.sleep(0.05)


def changes_figures(folder: Path, database: str, people: int, count: int, million: int) -> dict[str, Any]:
    """Return the figures of one change sent to `people` followers, and of two plain loops.

    One loop composes each email from templates, the other sends finished ones. The rounds alternate.
    """
    stage = ChangesStage(folder, database, people)
    messages = folder / "changes.pickle"
    workers = stage.workers()
    try:
        top = workers.start()
        stage.play(top)  # not measured: imports and caches
        sent, size = dump_emails(people, messages)
        ours, composing, loop = [], [], []
        for number in range(count):
            time.sleep(_PAUSE_SECONDS)
            ours.append(stage.play(top))
            time.sleep(_PAUSE_SECONDS)
            composing.append(run_composing(stage.box, stage.commitment.partnership_id, people))
            time.sleep(_PAUSE_SECONDS)
            loop.append(run_loop(stage.box, messages, sent))
            print(
                f"  change {number + 1}: ours {people / ours[-1]['seconds']:7,.0f}/s,"
                f" {1e6 * ours[-1]['cpu'] / people:5.0f} µs CPU;"
                f" composing loop {people / composing[-1]['seconds']:7,.0f}/s,"
                f" {1e6 * composing[-1]['cpu'] / people:5.0f} µs CPU;"
                f" finished emails {sent / loop[-1]['seconds']:7,.0f}/s, {1e6 * loop[-1]['cpu'] / sent:5.0f} µs CPU",
                flush=True,
            )
        workers.stop()
        seconds = statistics.median(one["seconds"] for one in ours)
        cpu = statistics.median(one["cpu"] for one in ours)
        figures = {
            "change_rate_ratio": round(statistics.median(one["seconds"] for one in composing) / seconds, 2),
            "change_cpu_ratio": round(cpu / statistics.median(one["cpu"] for one in composing), 2),
            "change_rate_ratio_finished": round(statistics.median(one["seconds"] for one in loop) / seconds, 2),
            "change_cpu_ratio_finished": round(cpu / statistics.median(one["cpu"] for one in loop), 2),
            "change_per_second": round(people / seconds),
            "change_message_bytes": round(size),
            "change_memory_mb": round(max(one["memory"] for one in ours), 1),
        }
        return figures | (idle_figures(stage, million) if million else {})
    finally:
        workers.stop()
        stage.close()


def idle_figures(stage: ChangesStage, count: int, partnerships: int = 20_000) -> dict[str, Any]:
    """Return the time of an idle sweep over `count` followers of `partnerships` partnerships."""
    from django.db import connection
    from django.utils import timezone

    from partnerships.agreements.models import Partnership
    from partnerships.digests.services.sweep import plan_round

    partnership_id = stage.commitment.partnership_id
    with connection.cursor() as cursor:
        filled = ("agreements_partnership", "digests_subscription", "digests_subjectwatermark")
        for table in filled:  # no history for rows that only fill the table
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        numbers = {
            "made": partnership_id,
            "partnerships": partnerships,
            "each": -(-count // partnerships),
            "people": stage.people,
        }
        _copy(
            "agreements_partnership",
            "agreements_partnership s, generate_series(1, %(partnerships)s) n WHERE s.id = %(made)s",
            {"title": "'Partnership ' || n"},
            numbers,
        )
        cursor.execute(
            "INSERT INTO activity_subject (kind, record_id, last_number)"
            " SELECT 'partnership', id, 5 FROM agreements_partnership WHERE id > %(made)s ON CONFLICT DO NOTHING",
            numbers,
        )
        # Each copy is followed by an equal share of the people, starting with a different one.
        _copy(
            "digests_subscription",
            "(SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM digests_subscription"
            " WHERE partnership_id = %(made)s) s JOIN (SELECT p.id, (p.id * 7919 + k) %% %(people)s AS place"
            " FROM agreements_partnership p, generate_series(0, %(each)s - 1) k WHERE p.id > %(made)s) p USING (place)",
            {"partnership_id": "p.id"},
            numbers,
        )
        cursor.execute(
            "INSERT INTO digests_subjectwatermark (recipient_id, subject_id, number, told_at, slotted)"
            " SELECT s.person_id, x.id, x.last_number, now(), false FROM digests_subscription s"
            " JOIN activity_subject x ON x.kind = 'partnership' AND x.record_id = s.partnership_id"
            " WHERE s.partnership_id > %(made)s ON CONFLICT DO NOTHING",
            numbers,
        )
        for table in filled:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT count(*) FROM digests_subjectwatermark")
        [followers] = cursor.fetchone()
        times = []
        for _ in range(20):
            began = time.perf_counter()
            plan_round(now=timezone.now())
            times.append(time.perf_counter() - began)
    return {
        "change_followers": followers,
        "change_partnerships": Partnership.objects.count() - 1,
        "change_idle_sweep_ms": round(statistics.median(times) * 1000, 1),
    }
