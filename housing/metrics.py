"""The page for Prometheus, with metrics of this machine's web processes and metrics from the database."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TypeAlias

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
    """A collector of metrics of workers and beat on all machines, from the database.

    During an outage of the database, it has no metrics.
    """

    def describe(self) -> Iterator[Metric]:
        """Yield no metrics in advance, so that start-up needs no database."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Yield metrics of jobs, heartbeats, backups and the standby, and whether the database accepts writes."""
        try:
            # All queries come first, so that an outage leaves out all metrics and not some of them.
            jobs = list(_jobs_with_age())
            ages = {name: heartbeat_age(name) for name in (BEAT, BACKUP, BACKUP_DRILL)}
            machines = seconds_since_seen()
            read_only = is_read_only()
        except Error:
            return
        yield from _job_metrics(jobs)
        yield _machine_metric(machines)
        if has_standby():
            yield GaugeMetricFamily(
                "standby_seconds_behind",
                "Seconds by which the standby is behind the primary; +Inf if the standby does not answer.",
                value=_or_infinity(standby_seconds_behind()),
            )
        yield GaugeMetricFamily("database_read_only", "1 while the database accepts no changes.", value=int(read_only))
        for heartbeat, metric_name, description in (
            (BEAT, "beat_seconds_since_tick", "Seconds since Celery beat last ticked."),
            (BACKUP, "backup_seconds_since_complete", "Seconds since the last complete backup."),
            (
                BACKUP_DRILL,
                "backup_drill_seconds_since_complete",
                "Seconds since the last drill that restored a backup without a difference.",
            ),
        ):
            yield GaugeMetricFamily(metric_name, description, value=_or_infinity(ages[heartbeat]))


def _or_infinity(seconds: float | None) -> float:
    """Return the seconds, or infinity if the event never happened, which alerts treat as too long ago."""
    return float("inf") if seconds is None else seconds


#: A job's name, runs, failed runs, seconds of all runs, and seconds since its last success (None if it never
#: succeeded).
JobRow: TypeAlias = tuple[str, int, int, float, float | None]


def _jobs_with_age() -> QuerySet[Job, JobRow]:
    """Return the jobs, each with the seconds since its last success."""
    interval_seconds = Func(F("succeeded_at"), template="EXTRACT(EPOCH FROM clock_timestamp() - %(expressions)s)")
    age = ExpressionWrapper(interval_seconds, output_field=FloatField())
    return Job.objects.order_by("name").values_list("name", "runs", "failures", "seconds", age)


def _job_metrics(jobs: Iterable[JobRow]) -> list[Metric]:
    # The label is "task", because Prometheus uses the label "job" itself.
    runs = CounterMetricFamily("jobs_runs", "Runs of this job.", labels=["task"])
    failures = CounterMetricFamily("jobs_failures", "Failed runs of this job.", labels=["task"])
    seconds = CounterMetricFamily("jobs_seconds", "Seconds that all runs of this job took together.", labels=["task"])
    ages = GaugeMetricFamily("jobs_seconds_since_success", "Seconds since this job last succeeded.", labels=["task"])
    for name, run_count, failure_count, total_seconds, age in jobs:
        runs.add_metric([name], run_count)
        failures.add_metric([name], failure_count)
        seconds.add_metric([name], total_seconds)
        ages.add_metric([name], _or_infinity(age))
    return [runs, failures, seconds, ages]


def _machine_metric(machines: Iterable[tuple[str, str, float]]) -> Metric:
    metric = GaugeMetricFamily(
        "background_seconds_since_seen",
        "Seconds since a worker, account sender or beat of this machine was last seen at work.",
        labels=["process", "machine"],
    )
    for process, machine, age in machines:
        metric.add_metric([process, machine], age)
    return metric


def all_metrics() -> bytes:
    """Return all metrics in Prometheus' text format.

    The metrics of web processes that share PROMETHEUS_MULTIPROC_DIR are added up.
    """
    web_registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        web_registry = CollectorRegistry()
        MultiProcessCollector(web_registry)  # type: ignore[no-untyped-call]  # it has no types
    database_registry = CollectorRegistry()
    for collector in (QueueCollector(), RetentionCollector(), WorkCollector()):
        database_registry.register(collector)
    return generate_latest(web_registry) + generate_latest(database_registry)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics. Requests without METRICS_TOKEN as their bearer token get the response 404."""
    authorization = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(authorization, f"Bearer {settings.METRICS_TOKEN}"):
        raise Http404
    return HttpResponse(all_metrics(), content_type=CONTENT_TYPE_LATEST)
