"""The alerts and the dashboard in docs/deploy/ use metrics that `/metrics` shows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client

from housing.celery import SCHEDULE
from housing.heartbeats import WORKER, on_this_machine, record_heartbeat
from housing.jobs import record_job
from tests.support.standby import standby_up_to_date

pytestmark = pytest.mark.django_db

RULES = settings.BASE_DIR / "docs" / "deploy" / "prometheus-rules.yaml"
DASHBOARD = settings.BASE_DIR / "docs" / "deploy" / "grafana-dashboard.json"
#: The beginnings of metrics of libraries. All other metrics on the page are ours.
_LIBRARIES = ("django_", "python_", "process_")
#: Parts of an expression without names of metrics: label matchers, ranges, and labels to group by.
_LABELS = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on) \([^)]*\)")
#: Words that are not functions: metrics, and PromQL's operators.
_WORD = re.compile(r"\b[a-z]\w*\b(?!\s*\()")
#: PromQL's operators, and a metric that Prometheus itself adds.
_NOT_ON_THE_PAGE = {"and", "or", "unless", "up"}


def rules() -> list[dict[str, Any]]:
    """Return the alerts of the file for Prometheus."""
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    alerts: list[dict[str, Any]] = group["rules"]
    return alerts


def panels() -> list[dict[str, Any]]:
    """Return the panels of the dashboard, without its headings."""
    all_panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in all_panels if panel["type"] != "row"]


def expressions() -> list[str]:
    """Return the expressions of the alerts and the dashboard."""
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


def metrics_in(expression: str) -> set[str]:
    """Return the names of the metrics in a PromQL expression."""
    return set(_WORD.findall(_LABELS.sub("", expression))) - _NOT_ON_THE_PAGE


@pytest.fixture
def lines(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines of `/metrics` with a value, after a page and a job."""
    monkeypatch.setattr(settings, "METRICS_TOKEN", "token-of-prometheus")
    record_job("tests.job", seconds=1, failed=False)
    record_heartbeat(on_this_machine(WORKER))
    client.get("/accounts/login/")
    with standby_up_to_date():
        page = client.get("/metrics", headers={"Authorization": "Bearer token-of-prometheus"}).content.decode()
    return [line for line in page.splitlines() if not line.startswith("#")]


@pytest.fixture
def metrics(lines: list[str]) -> set[str]:
    """Return the names of the metrics on the page."""
    return {re.split(r"[{ ]", line, maxsplit=1)[0] for line in lines}


def test_no_metric_has_a_label_that_prometheus_replaces(lines: list[str]) -> None:
    labels = {label for line in lines for label in re.findall(r'[{,](\w+)="', line)}

    assert "task" in labels
    assert labels.isdisjoint({"job", "instance"})


def test_alerts_and_dashboard_use_metrics_that_exist(metrics: set[str]) -> None:
    used = {name for expression in expressions() for name in metrics_in(expression)}

    assert len(used) > 20
    assert used - metrics == set()


def test_the_dashboard_shows_every_metric_of_ours(metrics: set[str]) -> None:
    own_metrics = {name for name in metrics if not name.startswith(_LIBRARIES)}
    metrics_in_panels = {
        name for panel in panels() for target in panel["targets"] for name in metrics_in(target["expr"])
    }

    assert len(own_metrics) > 10
    assert own_metrics - metrics_in_panels == set()


def test_no_two_panels_of_the_dashboard_have_one_number() -> None:
    numbers = [panel["id"] for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]]

    assert len(set(numbers)) == len(numbers)


def test_alerts_name_jobs_that_beat_starts() -> None:
    task_names = {job for expression in expressions() for job in re.findall(r'jobs_\w+\{task="([^"]+)"', expression)}

    assert task_names
    assert task_names <= {entry["task"] for entry in SCHEDULE.values()}


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
