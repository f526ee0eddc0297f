"""The figures of the queue for Prometheus: read from the database when they are asked for, by any process."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import Error
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from partnerships.digests.queries.queue import queue_figures

_GAUGES = {
    "waiting": ("digests_waiting", "Watermarks that wait to be told."),
    "oldest_due_seconds": ("outbox_oldest_due_seconds", "How long the oldest email that is due has waited."),
    "oldest_account_seconds": ("outbox_oldest_account_seconds", "The same for account emails alone."),
    "not_composed": ("outbox_not_composed", "Emails that cannot be written, set aside or still being tried."),
    "months_ready": ("outbox_months_ready", "For how many months after this one the outbox has partitions: 12."),
    "suppressed_addresses": ("outbox_suppressed_addresses", "Addresses to which nothing is sent."),
}


class QueueCollector(Collector):
    """The queue's figures; none while the database is away."""

    def describe(self) -> Iterator[Metric]:
        """Nothing is asked of the database at start-up."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Open emails by status and lane, and how long the oldest that is due has waited."""
        try:
            figures = queue_figures()
        except Error:
            return
        queue = GaugeMetricFamily("outbox_queue", "Emails that are still to leave, by status.", labels=["status"])
        for status in ("queued", "sending"):
            queue.add_metric([status], figures[status])
        yield queue
        lanes = GaugeMetricFamily("outbox_open", "Emails that are still to leave, by lane.", labels=["lane"])
        for lane, count in figures["by_lane"].items():
            lanes.add_metric([lane], count)
        yield lanes
        for key, (name, words) in _GAUGES.items():
            yield GaugeMetricFamily(name, words, value=figures[key])
