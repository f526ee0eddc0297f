"""Measure our digests and other ways of sending in alternating rounds, and the cost of composing an email."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.digests_stage import Stage, dump_messages, run_limit, run_loop, wait_for
from benchmarks.digests_world import ROOT, Workers, publish

#: A pause before each measurement, in which the database finishes writing for the one before.
_PAUSE_SECONDS = 1.0


class Rivals:
    """The other ways of sending. Their processes are started once for all rounds."""

    #: Limit of people in a round. This is enough to measure the rate of a slow way.
    MAX_PEOPLE = 500

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.box = stage.box
        environ = stage.environ | {"EMAIL_URL": f"smtp://127.0.0.1:{self.box.port}"}
        self.workers = Workers(environ, application="benchmarks.digests_rivals", log=stage.folder / "rival.log")
        self.workers.start()
        self.post_office = environ | {"DJANGO_SETTINGS_MODULE": "benchmarks.digests_post_office"}
        self.has_post_office = importlib.util.find_spec("post_office") is not None
        if self.has_post_office:
            self._run_post_office("migrate", 0)
        else:
            print("  django-post-office is not installed and left out (uv pip install django-post-office)", flush=True)

    def _run_post_office(self, what: str, number: int) -> None:
        command = [sys.executable, str(ROOT / "benchmarks/digests_rivals.py"), "post_office", "--do", what]
        command += ["--plan", str(self.stage.plan.pk), "--number", str(number), "--count", str(self.count)]
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=self.post_office, check=False)
        if result.returncode:
            raise SystemExit(f"django-post-office: {result.stderr[-2000:]}")

    @property
    def count(self) -> int:
        """Return the number of people who get an email in one round."""
        return min(self.MAX_PEOPLE, self.stage.people)

    def task_per_chunk(self, *, with_rows: bool) -> float:
        """Return the seconds per email with a Celery task per 250 emails. `with_rows` stores each delivery."""
        from benchmarks.digests_rivals import send_chunk
        from partnerships.digests.models import Subscription

        following = Subscription.objects.filter(plan=self.stage.plan).order_by("pk")
        people = list(following.values_list("person", flat=True)[: self.count])
        before, number = len(self.box.taken()), self.stage.plan_number()
        began = time.time()
        for start in range(0, len(people), 250):
            send_chunk.delay(people[start : start + 250], self.stage.plan.pk, number - 1, number, with_rows)
        last, _ = wait_for(self.box, before + len(people))
        return (last - began) / len(people)

    def django_post_office(self) -> float:
        """Return the seconds per email with django-post-office, sent by two of its processes."""
        before = len(self.box.taken())
        self._run_post_office("queue", self.stage.plan_number())
        began = time.time()
        self._run_post_office("send", self.stage.plan_number())
        last, _ = wait_for(self.box, before + self.count)
        return (last - began) / self.count

    def stop(self) -> None:
        """Stop the worker."""
        self.workers.stop()


def rounds(stage: Stage, count: int, rivals: Rivals | None) -> dict[str, Any]:
    """Return the figures of our digests, of the loop and of the other ways, in alternating rounds."""
    messages = stage.folder / "messages.pickle"
    workers = stage.workers()
    top = workers.start()
    stage.play(top)  # not measured: imports and caches
    sent, size = dump_messages(stage.plan.pk, stage.plan_number(), messages)
    ours, loop = [], []
    limits: list[float] = []
    chunks: list[float] = []
    rowless: list[float] = []
    offices: list[float] = []
    for number in range(count):
        time.sleep(_PAUSE_SECONDS)
        ours.append(stage.play(top))
        time.sleep(_PAUSE_SECONDS)
        loop.append(run_loop(stage.box, messages, sent))
        if rivals is not None:
            time.sleep(_PAUSE_SECONDS)
            limits.append(run_limit(stage.box, messages, sent))
            time.sleep(_PAUSE_SECONDS)
            chunks.append(rivals.task_per_chunk(with_rows=True))
            time.sleep(_PAUSE_SECONDS)
            rowless.append(rivals.task_per_chunk(with_rows=False))
            if rivals.has_post_office:
                time.sleep(_PAUSE_SECONDS)
                offices.append(rivals.django_post_office())
        print(
            f"  round {number + 1}: ours {stage.people / ours[-1]['seconds']:7,.0f}/s,"
            f" {1e6 * ours[-1]['cpu'] / stage.people:5.0f} µs CPU; loop {sent / loop[-1]['seconds']:7,.0f}/s,"
            f" {1e6 * loop[-1]['cpu'] / sent:5.0f} µs CPU"
            + (f"; task for 250 {1 / chunks[-1]:,.0f}/s, without rows {1 / rowless[-1]:,.0f}/s" if chunks else "")
            + (f"; sending alone {sent / limits[-1]:,.0f}/s" if limits else "")
            + (f"; django-post-office {1 / offices[-1]:,.0f}/s" if offices else ""),
            flush=True,
        )
    workers.stop()
    seconds = statistics.median(one["seconds"] for one in ours)
    figures: dict[str, Any] = {
        # The machine's speed changes from round to round, but is the same for both measurements of a round.
        "rate_ratio": round(
            statistics.median(theirs["seconds"] / own["seconds"] for own, theirs in zip(ours, loop, strict=True)), 2
        ),
        "cpu_ratio": round(
            statistics.median(own["cpu"] / theirs["cpu"] for own, theirs in zip(ours, loop, strict=True)), 2
        ),
        "per_second": round(stage.people / seconds),
        "loop_per_second": round(sent / statistics.median(one["seconds"] for one in loop)),
        "message_bytes": round(size),
        "memory_mb": round(max(one["memory"] for one in ours), 1),
    }
    if chunks:
        figures["limit_per_second"] = round(sent / statistics.median(limits))
        figures["task_per_250_per_second"] = round(1 / statistics.median(chunks))
        figures["task_per_250_without_rows_per_second"] = round(1 / statistics.median(rowless))
        figures["against_task_per_250"] = round(statistics.median(chunks) * stage.people / seconds, 1)
        without = statistics.median(rowless) * stage.people / seconds
        figures["against_task_per_250_without_rows"] = round(without, 1)
    if offices:
        figures["against_post_office"] = round(statistics.median(offices) * stage.people / seconds, 1)
    return figures


def floors(stage: Stage) -> dict[str, Any]:
    """Return the processor time per email, in µs, of our composing and of rendering templates for each person."""
    from django.db import transaction
    from django.utils import timezone

    from benchmarks.digests_rivals import render
    from partnerships.digests.emails.reading import read_news
    from partnerships.digests.planning.choosing import choose, spread
    from partnerships.outbox.claiming import claim_emails
    from partnerships.outbox.models import Email
    from partnerships.people.models import User

    count = min(stage.people, 500)
    stage.round += 1
    publish(stage.plan, stage.lead, stage.round)
    spread(now=timezone.now())
    choose(now=timezone.now())
    number = stage.plan_number()
    with transaction.atomic():
        claim_emails(now=timezone.now(), limit=10)  # renders the parts that all emails share, which is not measured
        began, composed = time.process_time(), 0
        while composed < count and (examined := claim_emails(now=timezone.now(), limit=250).examined):
            composed += examined
        composing = time.process_time() - began
        transaction.set_rollback(True)
    Email.objects.filter(status="queued").update(status="suppressed", settled_at=timezone.now())
    news, _, _ = read_news(plan_id=stage.plan.pk, from_number=number - 1, to_number=number, reading_class="outside")
    people = list(User.objects.filter(subscriptions__plan=stage.plan)[: min(count, 100)])
    began = time.process_time()
    for person in people:
        render(person, news)
    rendering = time.process_time() - began
    return {
        "composing_us": round(1e6 * composing / max(composed, 1)),
        "rendering_alone_us": round(1e6 * rendering / len(people)),
    }
