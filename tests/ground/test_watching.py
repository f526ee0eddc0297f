"""The alerts and the dashboard in docs/deploy/ ask for figures that `/metrics` shows."""

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
from tests.support.standby import standby_in_name

pytestmark = pytest.mark.django_db

RULES = settings.BASE_DIR / "docs" / "deploy" / "prometheus-rules.yaml"
DASHBOARD = settings.BASE_DIR / "docs" / "deploy" / "grafana-dashboard.json"
#: How the figures of ours and those of django-prometheus begin; what else an expression has are PromQL's own words.
_FIGURE = re.compile(r"\b(?:django_http|jobs|beat|background|backup|database|standby|outbox|digests|retention)_\w+")


def rules() -> list[dict[str, Any]]:
    """The alerts of the file for Prometheus."""
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    """What the dashboard shows, without its headings."""
    found = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> list[str]:
    """What the alerts and the dashboard ask for."""
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + shown


@pytest.fixture
def lines(client: Client, settings: Any) -> list[str]:
    """The figures on the page of metrics, after a page and a job."""
    settings.METRICS_TOKEN = "figures"
    record_job("tests.job", seconds=1, failed=False)
    record_heartbeat(on_this_machine(WORKER))
    client.get("/accounts/login/")
    with standby_in_name():
        page = client.get("/metrics", headers={"Authorization": "Bearer figures"}).content.decode()
    return [line for line in page.splitlines() if not line.startswith("#")]


@pytest.fixture
def figures(lines: list[str]) -> set[str]:
    """The names of figures."""
    return {re.split(r"[{ ]", line, maxsplit=1)[0] for line in lines}


def test_no_figure_has_a_label_that_prometheus_replaces(lines: list[str]) -> None:
    labels = {label for line in lines for label in re.findall(r'[{,](\w+)="', line)}

    assert "task" in labels
    assert labels.isdisjoint({"job", "instance"})


def test_alerts_and_dashboard_ask_for_figures_that_exist(figures: set[str]) -> None:
    asked = {name for expression in expressions() for name in _FIGURE.findall(expression)}

    assert asked - figures == set()


def test_the_dashboard_shows_every_figure_of_ours(figures: set[str]) -> None:
    ours = {name for name in figures if _FIGURE.fullmatch(name) and not name.startswith("django_")}
    shown = {name for panel in panels() for target in panel["targets"] for name in _FIGURE.findall(target["expr"])}

    assert len(ours) > 10
    assert ours - shown == set()


def test_no_two_panels_of_the_dashboard_have_one_number() -> None:
    numbers = [panel["id"] for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]]

    assert len(set(numbers)) == len(numbers)


def test_alerts_ask_for_jobs_that_beat_starts() -> None:
    named = {job for expression in expressions() for job in re.findall(r'jobs_\w+\{task="([^"]+)"', expression)}

    assert named
    assert named <= {entry["task"] for entry in SCHEDULE.values()}


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
