"""A real web server on a database that the test names."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client
from django.urls import reverse

from partnerships.people.models import User
from tests.support.ports import reserved_port

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Site:
    """A web server with two processes."""

    port: int
    process: subprocess.Popen[bytes]

    def metrics(self) -> str:
        """Return the page of metrics, from whichever process answers."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        connection.request("GET", "/metrics", headers={"Authorization": "Bearer prometheus-may-read"})
        page = connection.getresponse().read().decode()
        connection.close()
        return page

    def ask(self, method: str, path: str, cookie: str, data: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, Retry-After and body; status 0 if the connection broke."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, urlencode(data) if data else None, headers)
            response = connection.getresponse()
            return response.status, response.headers.get("Retry-After", ""), response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return 0, "", ""
        finally:
            connection.close()


@contextlib.contextmanager
def serving(database: str, *, media: Path) -> Iterator[Site]:
    """Serve pages from a database until the block ends."""
    with reserved_port() as port, _serving(database, media, port) as site:
        yield site


@contextlib.contextmanager
def _serving(database: str, media: Path, port: int) -> Iterator[Site]:
    environ = os.environ | {
        "DATABASE_URL": database,
        "DATABASE_WORKER_URL": "",
        "DATABASE_OWNER_URL": "",
        "SECRET_KEY": settings.SECRET_KEY,
        "SITE_ORIGIN": f"http://localhost:{port}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "MEDIA_ROOT": str(media),
        "METRICS_TOKEN": "prometheus-may-read",
        "DEBUG": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "housing.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    process = subprocess.Popen(
        [
            *(*command, "--config", "python:housing.gunicorn_settings"),
            *("--threads", "2", "--no-control-socket", "--log-level", "critical"),
        ],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    site = Site(port, process)
    try:
        until(lambda: site.ask("GET", "/health/ready/", "")[0] == 200, seconds=120)
        yield site
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        process.kill()


def until(condition: Callable[[], bool], *, seconds: float, details: Callable[[], object] = str) -> None:
    """Wait until a condition is true; fail after `seconds` with `details()`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"Not within {seconds} seconds: {details()}"
        time.sleep(0.2)


def signed_in(person: User) -> tuple[str, str]:
    """Return a person's session cookies, and a CSRF token for their forms."""
    client = Client()
    client.force_login(person)
    session = f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"
    page = client.get(reverse("people:details")).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    secret = client.cookies[settings.CSRF_COOKIE_NAME].value
    return f"{session}; {settings.CSRF_COOKIE_NAME}={secret}", token[1]
