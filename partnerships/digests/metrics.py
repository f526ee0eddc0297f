"""Queue metrics for Prometheus, read from the database by any process."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import Error
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from partnerships.digests.queries.queue import queue_figures

#: The name and description of each metric, by the key of its value in `queue_figures`.
_GAUGES = {
    "waiting": ("digests_waiting", "Watermarks waiting to be sent."),
    "oldest_due_seconds": ("outbox_oldest_due_seconds", "Seconds that the oldest due email has waited."),
    "in_doubt": ("outbox_in_doubt", "Emails still to be sent that may have arrived already."),
    "not_composed": ("outbox_not_composed", "Emails that could not be composed."),
    "months_ready": ("outbox_months_ready", "Months after this one for which the outbox has partitions; should be 12."),
    "suppressed_addresses": ("outbox_suppressed_addresses", "Suppressed addresses."),
}


class QueueCollector(Collector):
    """The metrics of the queue; none while the database is down."""

    def describe(self) -> Iterator[Metric]:
        """Yield nothing, so that no query runs at start-up."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Yield the emails still to be sent by status and lane, the age of the oldest, and single figures."""
        try:
            figures = queue_figures()
        except Error:
            return

        queue_metric = GaugeMetricFamily("outbox_queue", "Emails still to be sent, by status.", labels=["status"])
        for status in ("queued", "sending"):
            queue_metric.add_metric([status], figures[status])
        yield queue_metric

        lane_metric = GaugeMetricFamily("outbox_open", "Emails still to be sent, by lane.", labels=["lane"])
        for lane, count in figures["by_lane"].items():
            lane_metric.add_metric([lane], count)
        yield lane_metric
        due_metric = GaugeMetricFamily(
            "outbox_oldest_due_by_lane_seconds",
            "Seconds that the oldest due email of a lane has waited.",
            labels=["lane"],
        )
        for lane, seconds in figures["oldest_by_lane_seconds"].items():
            due_metric.add_metric([lane], seconds)
        yield due_metric

        tried_metric = GaugeMetricFamily(
            "outbox_oldest_tried_by_lane_seconds",
            "Age in seconds of a lane's oldest email that failed at least once and will be tried again.",
            labels=["lane"],
        )
        for lane, seconds in figures["oldest_tried_by_lane_seconds"].items():
            tried_metric.add_metric([lane], seconds)
        yield tried_metric

        for figure, (name, description) in _GAUGES.items():
            yield GaugeMetricFamily(name, description, value=figures[figure])
