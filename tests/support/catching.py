"""The mail catcher of `make run` for tests in a browser, and the jobs that send emails."""

from __future__ import annotations

import json
import re
import smtplib
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from partnerships.digests.tasks import sweep
from partnerships.outbox.draining import drain
from tools.embedded.ports import listen, port_of
from tools.embedded.processes import Child, wait_until


@dataclass
class Catcher:
    """A running mail catcher, with its SMTP port, its page and its folder."""

    smtp_port: int
    page: str
    folder: Path

    def emails_to(self, address: str) -> list[dict[str, Any]]:
        """Return the emails sent to an address, newest first."""
        with urllib.request.urlopen(f"{self.page}/messages.json?to={address}", timeout=60) as response:
            emails: list[dict[str, Any]] = json.load(response)
        return emails

    def take(self, message: EmailMessage) -> None:
        """Receive an email that somebody sends, such as a reply."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=60) as server:
            server.send_message(message)


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    """Provide a running mail catcher."""
    with listen("127.0.0.1", 47_600) as smtp, listen("127.0.0.1", 47_700) as web:
        child = Child(
            name="mail",
            argv=[
                *(sys.executable, "-m", "tools.embedded.mail", str(tmp_path / "mail")),
                *(str(smtp.fileno()), str(web.fileno())),
            ],
            log=tmp_path / "mail.log",
            cwd=Path(django_settings.BASE_DIR),
            keep_open=[smtp.fileno(), web.fileno()],
        )
        child.start()
        caught = Catcher(port_of(smtp), f"http://127.0.0.1:{port_of(web)}", tmp_path / "mail")
        wait_until(lambda: _answers(caught), child=child, seconds=60)
        yield caught
        child.stop()


def _answers(caught: Catcher) -> bool:
    """Return whether the mail catcher's page answers."""
    try:
        return caught.emails_to("nobody@nowhere.example") == []
    except OSError:
        return False


def send_emails() -> None:
    """Run the jobs that send emails."""
    sweep()
    drain(seconds=120)


def link_in(text: str, path: str) -> str:
    """Return the first link in an email whose address contains `path`."""
    match = re.search(rf"https?://\S*{re.escape(path)}\S+", text)
    assert match is not None, text
    return match[0].rstrip(".)")
