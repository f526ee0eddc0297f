"""The mail catcher stores every message and shows its text and HTML parts."""

from __future__ import annotations

import json
import smtplib
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.conf import settings

from tools.embedded.mail import Mailbox
from tools.embedded.ports import listen, port_of
from tools.embedded.processes import Child, wait_until


def message_with(subject: str = "Harbour Road: homes was 120, now 100") -> EmailMessage:
    """Return an email with text and HTML parts."""
    message = EmailMessage()
    message["From"] = "digests@ground.example"
    message["To"] = "sam@estuary.example"
    message["Subject"] = subject
    message["Message-ID"] = "<1@ground.example>"
    message.set_content("was 120, now 100")
    message.add_alternative("<p>was <b>120</b>, now 100</p><script>alert(1)</script>", subtype="html")
    return message


@pytest.fixture(scope="module")
def catcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """Provide a running mail catcher, as its SMTP port and the address of its page."""
    folder = tmp_path_factory.mktemp("mail")
    with listen("127.0.0.1", 47_400) as smtp, listen("127.0.0.1", 47_500) as web:
        child = Child(
            name="mail",
            argv=[
                *(sys.executable, "-m", "tools.embedded.mail", str(folder / "kept")),
                *(str(smtp.fileno()), str(web.fileno())),
            ],
            log=folder / "log",
            cwd=Path(settings.BASE_DIR),
            keep_open=[smtp.fileno(), web.fileno()],
        )
        child.start()
        page = f"http://127.0.0.1:{port_of(web)}"
        wait_until(lambda: is_ready(page), child=child, seconds=60)
        yield port_of(smtp), page
        child.stop()


def is_ready(page: str) -> bool:
    """Return whether the mail catcher's page answers."""
    try:
        fetch(page)
    except (OSError, urllib.error.URLError):
        return False
    return True


def fetch(address: str) -> tuple[str, dict[str, str]]:
    """Return the body and the headers of a page."""
    with urllib.request.urlopen(address, timeout=60) as response:
        return response.read().decode(), dict(response.headers)


def send(port: int, message: EmailMessage) -> None:
    """Send the message to the mail catcher by SMTP."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as connection:
        connection.send_message(message)


def test_a_message_is_stored_with_both_parts_and_its_headers(catcher: tuple[int, str]) -> None:
    port, page = catcher

    send(port, message_with())

    message = json.loads(fetch(f"{page}/messages.json?to=sam@estuary.example")[0])[0]
    assert message["subject"] == "Harbour Road: homes was 120, now 100"
    assert message["text"].strip() == "was 120, now 100"
    assert "<b>120</b>" in message["html"]
    assert message["message_id"] == "<1@ground.example>"


def test_the_list_escapes_subjects(catcher: tuple[int, str]) -> None:
    port, page = catcher

    send(port, message_with("<script>alert(2)</script>"))

    assert "<script>" not in fetch(page)[0]


def test_the_html_part_runs_no_scripts(catcher: tuple[int, str]) -> None:
    port, page = catcher
    send(port, message_with())
    name = json.loads(fetch(f"{page}/messages.json")[0])[0]["name"]

    _, headers = fetch(f"{page}/message/{name}/html")

    assert "sandbox" in headers["Content-Security-Policy"]
    assert "allow-scripts" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/message/../../etc/passwd", "/message/1", "/nothing"])
def test_other_paths_are_not_found(catcher: tuple[int, str], path: str) -> None:
    _, page = catcher

    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(f"{page}{path}")


def test_an_emptied_mailbox_has_no_messages(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    mailbox.keep(message_with().as_bytes(), recipients=["sam@estuary.example"])

    mailbox.empty()

    assert mailbox.names() == []
