"""Health probes, metrics and pages give the right answers, also during an outage of the database."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from housing.middleware import DatabaseOutageMiddleware


def test_live_probe_answers(client: Client) -> None:
    assert client.get("/health/live/").json() == {"live": True}


@pytest.mark.django_db
def test_ready_probe_answers_with_a_database(client: Client) -> None:
    assert client.get("/health/ready/").json()["ready"] is True


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[fd00::1]", "web-7f9c.internal", "not a host"])
def test_probes_may_use_any_host(client: Client, host: str) -> None:
    assert client.get("/health/live/", headers={"Host": host}).json() == {"live": True}
    assert client.get("/health/ready/", headers={"Host": host}).json()["ready"] is True


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/health/", "/health/live/more/", "/metrics"])
def test_other_pages_refuse_unknown_hosts(client: Client, path: str) -> None:
    assert client.get(path, headers={"Host": "10.1.2.3"}).status_code == 400


def test_ready_probe_by_ip_address_is_503_without_a_database(client: Client) -> None:
    with patch("housing.heartbeats.connection.cursor", side_effect=OperationalError("gone")):
        response = client.get("/health/ready/", headers={"Host": "10.1.2.3"})

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


def test_ready_probe_is_503_with_retry_after_without_a_database(client: Client) -> None:
    with patch("housing.heartbeats.connection.cursor", side_effect=OperationalError("gone")):
        response = client.get("/health/ready/")

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "gone" not in response.content.decode()


def test_outages_outside_views_are_caught_too(rf: RequestFactory) -> None:
    def session_is_gone(request: HttpRequest) -> HttpResponse:
        raise OperationalError("gone")

    middleware: Callable[[HttpRequest], HttpResponse] = DatabaseOutageMiddleware(session_is_gone)

    assert middleware(rf.get("/")).status_code == 503


@pytest.mark.django_db
def test_metrics_need_their_token(client: Client, settings: object) -> None:
    assert client.get("/metrics").status_code == 404

    settings.METRICS_TOKEN = "prometheus-may-read"  # type: ignore[attr-defined]  # pytest-django's wrapper
    refused = client.get("/metrics", headers={"Authorization": "Bearer guess"})
    response = client.get("/metrics", headers={"Authorization": "Bearer prometheus-may-read"})

    assert refused.status_code == 404
    assert b"django_http_requests" in response.content


@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/", "/metrics", "/.well-known/security.txt"])
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "trace"])
def test_machine_pages_allow_only_reading(client: Client, path: str, method: str) -> None:
    assert getattr(client, method)(path).status_code == 405
