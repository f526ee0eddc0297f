"""The Prometheus page: metrics of this machine's web processes, and others read from the database."""

from __future__ import annotations

import os
from collections.abc import Iterator

from django.conf import settings
from django.db import Error
from django.db.models import ExpressionWrapper, F, FloatField, Func, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from housing.heartbeats import (
    BACKUP,
    BACKUP_DRILL,
    BEAT,
    heartbeat_age,
    seconds_since_seen,
    standby_seconds_behind,
)
from housing.models import Job
from housing.upgrades import is_read_only
from partnerships.digests.metrics import QueueCollector
from partnerships.kit.standby import has_standby
from partnerships.people.metrics import RetentionCollector


class WorkCollector(Collector):
    """Metrics of workers and beat on all machines, from the database.

    There are no metrics during an outage.
    """

    def describe(self) -> Iterator[Metric]:
        """No metrics in advance, so that start-up needs no database."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Figures of each job; ages of heartbeats, backup, drill and standby; whether the database takes writes."""
        try:
            jobs = list(_jobs_with_age())
            marks = {name: heartbeat_age(name) for name in (BEAT, BACKUP, BACKUP_DRILL)}
            seen = seconds_since_seen()
            read_only = is_read_only()
        except Error:
            return
        # Not "job": Prometheus puts the name of the scrape in its place.
        runs = CounterMetricFamily("jobs_runs", "Runs of this job.", labels=["task"])
        failures = CounterMetricFamily("jobs_failures", "Runs of this job that failed.", labels=["task"])
        seconds = CounterMetricFamily("jobs_seconds", "How long all runs of this job took.", labels=["task"])
        ages = GaugeMetricFamily(
            "jobs_seconds_since_success", "Seconds since this job last succeeded.", labels=["task"]
        )
        for name, number, failed, took, age in jobs:
            runs.add_metric([name], number)
            failures.add_metric([name], failed)
            seconds.add_metric([name], took)
            ages.add_metric([name], age if age is not None else float("inf"))
        yield from (runs, failures, seconds, ages)
        machines = GaugeMetricFamily(
            "background_seconds_since_seen",
            "Seconds since a worker, account sender or beat of this machine was last seen at work.",
            labels=["process", "machine"],
        )
        for process, machine, age in seen:
            machines.add_metric([process, machine], age)
        yield machines
        if has_standby():
            behind = standby_seconds_behind()
            yield GaugeMetricFamily(
                "standby_seconds_behind",
                "Seconds by which the standby is behind the primary; +Inf: it does not answer.",
                value=behind if behind is not None else float("inf"),
            )
        yield GaugeMetricFamily("database_read_only", "1 while the database takes no writes.", value=int(read_only))
        for metric, words, name in (
            ("beat_seconds_since_tick", "Seconds since Celery beat last ticked.", BEAT),
            ("backup_seconds_since_complete", "Seconds since the last complete backup.", BACKUP),
            ("backup_drill_seconds_since_complete", "Seconds since a restore was last tried.", BACKUP_DRILL),
        ):
            age = marks[name]
            yield GaugeMetricFamily(metric, words, value=age if age is not None else float("inf"))


def _jobs_with_age() -> QuerySet[Job, tuple[str, int, int, float, float | None]]:
    since = Func(F("succeeded_at"), template="EXTRACT(EPOCH FROM clock_timestamp() - %(expressions)s)")
    age = ExpressionWrapper(since, output_field=FloatField())
    return Job.objects.order_by("name").values_list("name", "runs", "failures", "seconds", age)


def all_metrics() -> bytes:
    """All metrics in Prometheus' text format.

    Web processes that share `PROMETHEUS_MULTIPROC_DIR` are added up. Metrics from the database come once.
    """
    own = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        own = CollectorRegistry()
        MultiProcessCollector(own)  # type: ignore[no-untyped-call]  # it has no types
    stored = CollectorRegistry()
    for collector in (QueueCollector(), RetentionCollector(), WorkCollector()):
        stored.register(collector)
    return generate_latest(own) + generate_latest(stored)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer requests that carry METRICS_TOKEN as their bearer token.

    404 for others.
    """
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        raise Http404
    return HttpResponse(all_metrics(), content_type=CONTENT_TYPE_LATEST)
