"""How digests stand, as figures for Prometheus: read from the ledger when they are asked for, by any process."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import Error
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from partnerships.digests.models import OPEN, DeliveryStatus
from partnerships.digests.queries.queue import queue_figures


class DigestCollector(Collector):
    """The ledger's figures; none while the database is away."""

    def describe(self) -> Iterator[Metric]:
        """Nothing is asked of the database at start-up."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Letters by what became of them, and how long the oldest that is due has waited."""
        try:
            figures = queue_figures()
        except Error:
            return
        letters = CounterMetricFamily("digests_letters", "Letters by what became of them.", labels=["outcome"])
        queue = GaugeMetricFamily("digests_queue", "Letters that are still to leave.", labels=["status"])
        for status in DeliveryStatus.values:
            (queue if status in OPEN else letters).add_metric([status], figures[status])
        yield letters
        yield queue
        yield GaugeMetricFamily("digests_waiting", "Watermarks that wait to be told.", value=figures["waiting"])
        yield GaugeMetricFamily(
            "digests_oldest_due_seconds",
            "How long the oldest that is due has waited.",
            value=figures["oldest_due_seconds"],
        )
        yield GaugeMetricFamily(
            "digests_not_written",
            "Letters that cannot be written, set aside or still being tried.",
            value=figures["not_written"],
        )
        yield GaugeMetricFamily(
            "digests_suppressed_addresses",
            "Addresses to which nothing is sent.",
            value=figures["suppressed_addresses"],
        )
