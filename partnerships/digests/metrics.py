"""Queue metrics for Prometheus, read from the database by any process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db import Error
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from partnerships.digests.queries.queue import queue_figures


class _Gauge(NamedTuple):
    """A metric with the value or values of one figure. `figure` is their key in `queue_figures`."""

    figure: str
    name: str
    description: str


_GAUGES = (
    _Gauge("waiting", "digests_waiting", "Watermarks waiting to be sent."),
    _Gauge("oldest_due_seconds", "outbox_oldest_due_seconds", "Seconds that the oldest due email has waited."),
    _Gauge("in_doubt", "outbox_in_doubt", "Emails still to be sent that may have arrived already."),
    _Gauge("not_composed", "outbox_not_composed", "Emails that could not be composed."),
    _Gauge(
        "months_ready",
        "outbox_months_ready",
        "Months after this one for which the outbox has partitions; should be 12.",
    ),
    _Gauge("suppressed_addresses", "outbox_suppressed_addresses", "Suppressed addresses."),
)
#: Metrics with a value for each lane.
_GAUGES_BY_LANE = (
    _Gauge("by_lane", "outbox_open", "Emails still to be sent, by lane (account, notice or digest)."),
    _Gauge(
        "oldest_by_lane_seconds",
        "outbox_oldest_due_by_lane_seconds",
        "Seconds that the oldest due email of a lane has waited.",
    ),
    _Gauge(
        "oldest_tried_by_lane_seconds",
        "outbox_oldest_tried_by_lane_seconds",
        "Age in seconds of a lane's oldest email that failed at least once and will be tried again.",
    ),
)


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

        for gauge in _GAUGES_BY_LANE:
            lane_metric = GaugeMetricFamily(gauge.name, gauge.description, labels=["lane"])
            for lane, value in figures[gauge.figure].items():
                lane_metric.add_metric([lane], value)
            yield lane_metric

        for gauge in _GAUGES:
            yield GaugeMetricFamily(gauge.name, gauge.description, value=figures[gauge.figure])
