"""Prometheus metrics of retention.

Read from the database on each scrape, so any process can serve them.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import Error
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from partnerships.people.retention import time_since_complete

_DAY = 86_400


class RetentionCollector(Collector):
    """The days since each retention rule last completed; no metrics without a database."""

    def describe(self) -> Iterator[Metric]:
        """Yield no metrics, because the database must not be queried when the application starts."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; infinite for a rule that has never completed."""
        try:
            ages = time_since_complete(now=timezone.now())
        except Error:
            return
        days = GaugeMetricFamily(
            "retention_days_since_complete_run", "Days since this retention rule last ran to its end.", labels=["rule"]
        )
        for name, age in ages.items():
            days.add_metric([name], age.total_seconds() / _DAY if age is not None else float("inf"))
        yield days
