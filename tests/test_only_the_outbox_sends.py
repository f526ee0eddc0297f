"""Only the outbox's sender sends mail; an outage loses no email."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.services import invite_member
from partnerships.outbox.draining import drain
from partnerships.people.security import record_sign_in
from tests.plans.drafts import ask_signatures, published_plan
from tests.support.outbox import drop_emails, recorded
from tests.support.ports import reserved_port
from tests.world import World, make_world
from tools.embedded.mail import Catcher, Mailbox

SENDER = {"partnerships/outbox/smtp.py", "partnerships/outbox/backends.py"}
#: Alerts to operators leave without the database, which may be down.
ALERTS = {"partnerships/kit/operators.py"}
MAIL_MODULES = ("smtplib", "aiosmtplib", "django.core.mail", "anymail.backends", "anymail.message")


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and node.attr in {"email_user", "send_mail", "send_mass_mail"}:
            yield f"django.core.mail.{node.attr}"


def test_only_the_sender_sends_mail() -> None:
    root = Path(django_settings.BASE_DIR)
    senders = set()
    for folder in ("partnerships", "housing"):
        for path in (root / folder).rglob("*.py"):
            names = _imports(ast.parse(path.read_text()))
            if any(name == module or name.startswith(f"{module}.") for name in names for module in MAIL_MODULES):
                senders.add(str(path.relative_to(root)))

    assert senders == SENDER | ALERTS


def test_no_page_records_emails() -> None:
    """The service that a page calls does, so that an import or a command that calls it tells the same people."""
    recording = {f"partnerships.outbox.services.{name}" for name in ("record_email", "record_emails")}
    root = Path(django_settings.BASE_DIR, "partnerships")
    pages = [
        path for path in root.rglob("*.py") if {"views", "forms"} & {path.stem, *path.relative_to(root).parent.parts}
    ]

    assert len(pages) > 100
    assert [path.name for path in pages if recording & set(_imports(ast.parse(path.read_text())))] == []


@pytest.fixture
def world(transactional_db: None) -> World:
    """Return the small world, in a database that commits."""
    return make_world()


@pytest.fixture
def port() -> Iterator[int]:
    """Provide the port of a mail server that is away at first."""
    with reserved_port() as kept:
        yield kept


@pytest.mark.django_db(transaction=True)
def test_emails_wait_during_an_outage_and_arrive_afterwards(
    world: World, settings: LazySettings, tmp_path: Path, port: int
) -> None:
    plan = published_plan(world)
    record_sign_in(person=world.eddie, now=world.now, ip="192.0.2.1", user_agent="Firefox")
    drop_emails()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_RETRY_SECONDS = 0.1

    invite_member(
        organisation=world.larkhaven,
        email="nina@larkhaven.example",
        name="Nina Larch",
        role="editor",
        author=world.amina,
        now=timezone.now(),
    )
    ask_signatures(plan, world)
    Client().post(reverse("account_reset_password"), {"email": world.vera.email})
    record_sign_in(person=world.eddie, now=timezone.now(), ip="198.51.100.4", user_agent="Firefox")
    drain(seconds=2)

    kinds = ["organisations.invitation", "people.new_sign_in", "people.password_reset", "plans.sign_off_request"]
    waiting = [email for email in recorded() if email.is_open]
    assert sorted(email.kind for email in waiting) == kinds

    mailbox = Mailbox(tmp_path)
    server = Controller(Catcher(mailbox), hostname="127.0.0.1", port=port)
    server.start()
    try:
        deadline = time.monotonic() + 120
        while len(mailbox.names()) < len(kinds) and time.monotonic() < deadline:
            drain(seconds=2)
    finally:
        server.stop()
    arrived = [mailbox.read(name) for name in mailbox.names()]
    assert sorted(str(message["X-Envelope-To"]) for message in arrived if message is not None) == [
        "ben@westmarch.example",
        "eddie@larkhaven.example",
        "nina@larkhaven.example",
        "vera@larkhaven.example",
    ]
