"""What machines ask, and what everybody gets while the database is away."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from housing.middleware import DatabaseOutageMiddleware


def test_a_process_that_answers_lives(client: Client) -> None:
    assert client.get("/health/live/").json() == {"live": True}


@pytest.mark.django_db
def test_a_process_with_its_database_is_ready(client: Client) -> None:
    assert client.get("/health/ready/").json()["ready"] is True


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[fd00::1]", "web-7f9c.internal", "not a host"])
def test_probes_may_ask_by_any_host(client: Client, host: str) -> None:
    assert client.get("/health/live/", headers={"Host": host}).json() == {"live": True}
    assert client.get("/health/ready/", headers={"Host": host}).json()["ready"] is True


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/health/", "/health/live/more/", "/metrics"])
def test_every_other_page_still_refuses_unknown_hosts(client: Client, path: str) -> None:
    assert client.get(path, headers={"Host": "10.1.2.3"}).status_code == 400


def test_without_a_database_a_probe_by_address_gets_503(client: Client) -> None:
    with patch("housing.heartbeats.connection.cursor", side_effect=OperationalError("gone")):
        answer = client.get("/health/ready/", headers={"Host": "10.1.2.3"})

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0


def test_without_a_database_the_answer_is_503_with_a_hint(client: Client) -> None:
    with patch("housing.heartbeats.connection.cursor", side_effect=OperationalError("gone")):
        answer = client.get("/health/ready/")

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "gone" not in answer.content.decode()


def test_the_outage_is_caught_outside_views_too(rf: RequestFactory) -> None:
    def session_is_gone(request: HttpRequest) -> HttpResponse:
        raise OperationalError("gone")

    wrapped: Callable[[HttpRequest], HttpResponse] = DatabaseOutageMiddleware(session_is_gone)

    assert wrapped(rf.get("/")).status_code == 503


@pytest.mark.django_db
def test_figures_need_their_token(client: Client, settings: object) -> None:
    assert client.get("/metrics").status_code == 404

    settings.METRICS_TOKEN = "prometheus-may-read"  # type: ignore[attr-defined]  # pytest-django's wrapper
    refused = client.get("/metrics", headers={"Authorization": "Bearer guess"})
    given = client.get("/metrics", headers={"Authorization": "Bearer prometheus-may-read"})

    assert refused.status_code == 404
    assert b"django_http_requests" in given.content


@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/", "/metrics"])
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "trace"])
def test_machines_may_only_read(client: Client, path: str, method: str) -> None:
    assert getattr(client, method)(path).status_code == 405
