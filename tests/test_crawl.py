"""Every persona follows links, searches and sends forms, and finds no word of others and no error."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.core import mail
from django.db import transaction
from django.test import Client, TestCase, override_settings
from django.urls import resolve, reverse
from django.utils import timezone

from housing.middleware import EXPORT_ROUTES
from partnerships.calendars.queries import partnerships_of
from partnerships.calendars.services import make_address
from partnerships.digests.services.sweep import plan_round
from partnerships.kit.calendars import CalendarKind
from partnerships.search.services import index_stale
from tests.digests.conftest import PostOffice, html_of, read, text_of
from tests.support.constraints import check_once
from tests.support.crawling import Answer, Crawler, Fetch, Report, words_shown
from tests.support.guessable_addresses import (
    FINDERS,
    administration,
    finders_of_administration,
    guessable_addresses,
)
from tests.support.outbox import deliver
from tests.support.planted import Planted
from tests.support.planting import plant
from tests.support.prepared import Files, files_written, kept_with_files

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: Pages of one kind that each persona opens, and which personas send forms.
PAGES, SENDING = 1, ("signed_out", "lead", "administrator")


@pytest.fixture(scope="module")
def planted(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planted]:
    """Provide one planted world for all personas, with its emails sent.

    Changes by forms are rolled back.
    """
    files = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("planted"))
    with django_db_blocker.unblock(), files, transaction.atomic():
        yield kept_with_files(_planted)
        transaction.set_rollback(True)


def _planted() -> tuple[Planted, Files]:
    mail.outbox.clear()  # of the test before, whatever it was
    with TestCase.captureOnCommitCallbacks(execute=True):
        made = plant()
    made.emails = list(deliver())
    index_stale()
    check_once()
    return made, files_written()


@pytest.fixture(autouse=True)
def media_root() -> None:
    """Leave the world's files where they were created."""


def visitor(planted: Planted, persona: str) -> Fetch:
    """Requests as a persona; changes by forms are rolled back."""
    client = Client(raise_request_exception=False)
    person = planted.people.get(persona)
    if person is not None and not person.is_stakeholder:
        client.force_login(person)

    def fetch(method: str, path: str, data: Mapping[str, str] | None = None) -> Answer:
        with transaction.atomic():
            response = getattr(client, method)(path, data)
            body = b"".join(response.streaming_content) if response.streaming else response.content
            if method == "post":
                transaction.set_rollback(True)
        return Answer(
            response.status_code,
            response.get("Content-Type", ""),
            body,
            response.get("Location", ""),
            response.get("Content-Disposition", ""),
            response.get("Content-Security-Policy", ""),
        )

    return fetch


def crawl(planted: Planted, persona: str) -> Report:
    foreign = planted.foreign(persona)
    # In turn: tests/safety/test_forms_take_anything.py sends values of every kind to each form of ours.
    crawler = Crawler(persona, visitor(planted, persona), foreign, per_route=PAGES, every_value=False)
    turn = PERSONAS.index(persona)
    start = ["/", *planted.addresses.get(persona, ()), *guessable_addresses(planted, one_of=turn)]
    finders = list(FINDERS)
    if persona == "administrator":
        start += administration()
        finders += finders_of_administration()
    crawler.crawl(start)
    crawler.look_for([foreign[turn * 7 % len(foreign)]], finders)
    if persona in SENDING:
        crawler.send_forms()
    return crawler.report


PERSONAS = (
    "signed_out",
    "stakeholder",
    "viewer",
    "editor",
    "lead",
    "partner",
    "stranger",
    "left",
    "shared",
    "share_ended",
    "administrator",
)


@pytest.mark.parametrize("persona", PERSONAS)
def test_no_persona_sees_a_foreign_word_or_an_error(
    planted: Planted, persona: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    report = crawl(planted, persona)

    assert "\n".join(report.leaks) == ""
    assert "\n".join(report.errors) == ""
    assert len(report.urls) > 10
    assert words_shown(planted.readers, caplog.text) == []


def test_no_history_in_django_admin_shows_a_foreign_word(planted: Planted) -> None:
    fetch = visitor(planted, "administrator")
    foreign = planted.foreign("administrator")
    leaks = []
    pages = 0
    for model in admin.site._registry:
        if not hasattr(model, "pgh_event_model"):
            continue
        for number in model._default_manager.order_by("-pk").values_list("pk", flat=True)[:5]:
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_history", args=[number])
            text = fetch("get", address).text
            pages += 1
            leaks += [f"{address} shows {word}" for word in words_shown(foreign, text)]

    assert leaks == []
    assert pages > 20


@pytest.mark.parametrize("persona", ["viewer", "partner", "stranger", "left", "shared", "share_ended", "administrator"])
def test_no_export_has_a_foreign_word(planted: Planted, persona: str, settings: LazySettings) -> None:
    settings.EXPORTS_PER_MINUTE = 1_000
    routes = EXPORT_ROUTES - {"plans:pdf", "plans:compare-pdf", "web:brief-pdf", "agreements:terms-pdf"}
    fetch = visitor(planted, persona)
    foreign = planted.foreign(persona)
    addresses = [path for path in guessable_addresses(planted) if resolve(path).view_name in routes]
    addresses += [reverse("exchange:export"), reverse("people:own-data")]

    leaks = []
    for address in addresses:
        response = fetch("get", address)
        leaks += [f"{address} holds {word}" for word in words_shown(foreign, f"{response.text} {response.headers}")]

    assert len(addresses) > 4
    assert leaks == []


@pytest.mark.parametrize("persona", ["viewer", "partner", "stranger", "left", "shared"])
def test_no_calendar_has_a_foreign_word(planted: Planted, persona: str) -> None:
    foreign = planted.foreign(persona)
    person = planted.people[persona]
    now = timezone.now()
    leaks = []
    for partnership in (None, *partnerships_of(person)):
        address = make_address(
            person=person, partnership=partnership, kinds=CalendarKind.values, author=person, now=now
        )
        response = visitor(planted, "signed_out")("get", reverse("calendars:feed", args=[address.secret]))
        text = response.text.replace("\r\n ", "")
        leaks += words_shown(foreign, text)

    assert leaks == []


def test_searches_for_foreign_words_of_every_room_answer_like_nonsense(planted: Planted) -> None:
    foreign = planted.foreign("stranger")
    crawler = Crawler("stranger", visitor(planted, "stranger"), foreign)

    # In alphabetical order, every fifth is of another field, room after room.
    crawler.look_for(foreign[::5], ["/search/?q={}"])

    assert crawler.report.leaks == []
    assert len(foreign) > 50


def test_no_email_has_a_foreign_word(planted: Planted) -> None:
    office = PostOffice()
    now = timezone.now()
    plan_round(now=now)
    plan_round(now=now + dt.timedelta(hours=1))
    office.drain()
    emails = [
        (to, f"{email.subject}\n{email.body}\n{email.alternatives}") for email in planted.emails for to in email.to
    ]
    emails += [(email.recipient, f"{text_of(read(email.data))}\n{html_of(read(email.data))}") for email in office.sent]
    assert {persona for persona, person in planted.people.items() if person.email in dict(emails)} >= {
        "partner",
        "stakeholder",
    }

    leaks = []
    for to, text in emails:
        persona = next((name for name, person in planted.people.items() if person.email == to), "nobody")
        leaks += [
            f"{to} ({persona}) is told {word}"
            for word in words_shown(planted.readers, text)
            if persona not in planted.readers[word] and word not in planted.in_emails.get(to, ())
        ]

    assert "\n".join(leaks) == ""
