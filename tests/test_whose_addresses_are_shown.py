"""Email addresses are shown only to people who may see them.

Only administrators and the organisation that entered it; of contacts in posts, its partners too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Post
from partnerships.digests.models import Delivery, DeliveryKind, Subscription
from partnerships.digests.services.sweep import plan_round
from partnerships.kit.lists import find_list
from partnerships.organisations.models import Organisation
from partnerships.outbox.bounces import note_bounce
from partnerships.outbox.models import Bounce, Email
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import publish_version
from tests.digests.conftest import PostOffice
from tests.support.crawling import Crawler, words_shown
from tests.support.planted import Planted
from tests.support.planting import plant
from tests.support.prepared import Files, files_written, kept_with_files
from tests.test_crawl import visitor

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

READERS = ("viewer", "editor", "lead", "partner", "stranger", "left", "shared", "share_ended", "administrator")
FINDERS = ("/digests/ledger/?q={}", "/digests/stakeholders/?q={}", "/search/?q={}", "/organisations/?q={}")


@pytest.fixture(scope="module")
def planted(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planted]:
    """Provide the planted world after digests that all soft-bounced.

    The servers' replies contain the addresses.
    """
    files = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("planted"), DIGEST_SETTLE_MINUTES=0)
    with django_db_blocker.unblock(), files, transaction.atomic():
        yield kept_with_files(_planted)
        transaction.set_rollback(True)


def _planted() -> tuple[Planted, Files]:
    with TestCase.captureOnCommitCallbacks(execute=True):
        made = plant()
        for plan in _published(made):
            publish_version(plan=plan, author=made.world.amina, note="One more.", now=timezone.now())
        plan_round(now=timezone.now())
        PostOffice().drain()
        for sent in Delivery.objects.filter(status="sent"):
            note_bounce(
                kind=Bounce.Kind.SOFT,
                address=sent.address,
                text=f"<{sent.address}>: the mailbox is full",
                message_id=sent.message_id,
                now=timezone.now() + dt.timedelta(minutes=1),
            )
    return made, files_written()


@pytest.fixture(autouse=True)
def media_root() -> None:
    """Leave the world's files where they were created."""


def _published(planted: Planted) -> list[Plan]:
    owned = Plan.objects.filter(title__contains=planted.mark, current_number__gt=0)
    return list(owned.filter(owners__organisation=planted.world.larkhaven))


def addresses(planted: Planted) -> dict[str, frozenset[str]]:
    """Return every planted address, or its part before the @, and its readers."""
    return {word: who for word, who in planted.readers.items() if "@" in word or "address" in word}


def pages_with_people(planted: Planted) -> list[str]:
    """Return every page that lists or shows people."""
    bodies = Organisation.objects.filter(name__endswith=planted.mark)
    return [
        *(reverse(f"digests:{name}") for name in ("manage", "ledger", "due", "stakeholders", "export-stakeholders")),
        *(reverse("digests:stakeholder", args=[pk]) for pk in Subscription.objects.values_list("pk", flat=True)),
        *(reverse(f"agreements:{name}") for name in ("contacts", "document-list")),
        *(
            reverse("lists:export", args=[name, "csv"]) + "?columns=" + ",".join(one.by_name)
            for name in ("stakeholders", "ledger", "contacts", "documents")
            if (one := find_list(name)) is not None
        ),
        *(reverse("digests:who", args=[plan.pk]) for plan in _published(planted)),
        *(
            reverse(f"digests:{name}", args=[pk])
            for pk in Delivery.objects.values_list("pk", flat=True)
            for name in ("entry", "as-sent")
        ),
        reverse("web:emails"),
        *(reverse("web:email", args=[email]) for email in Email.objects.values_list("pk", flat=True)),
        *(reverse("digests:preview", args=[person]) for person in User.objects.values_list("pk", flat=True)),
        *(reverse("organisations:people", args=[body.pk]) for body in bodies),
        *(reverse("organisations:detail", args=[body.pk]) for body in bodies),
        *(reverse("agreements:people", args=[pk]) for pk in Partnership.objects.values_list("pk", flat=True)),
        *(reverse("agreements:post", args=[pk]) for pk in Post.objects.values_list("pk", flat=True)),
        *(plan.get_absolute_url() for plan in _published(planted)),
        *(reverse("plans:publish", args=[plan.pk]) for plan in _published(planted)),
        *(reverse("plans:sharing", args=[plan.pk]) for plan in _published(planted)),
        reverse("people:own-data"),
    ]


@pytest.mark.parametrize("persona", READERS)
def test_no_page_shows_an_address_entered_by_another_organisation(planted: Planted, persona: str) -> None:
    foreign = [word for word, readers in addresses(planted).items() if persona not in readers]
    fetch = visitor(planted, persona)

    leaks = []
    for page in pages_with_people(planted):
        response = fetch("get", page)
        assert response.status < 500
        leaks += [f"{page} shows {word}" for word in words_shown(foreign, f"{response.text} {response.headers}")]

    assert "\n".join(leaks) == ""


@pytest.mark.parametrize("persona", ["lead", "partner", "stranger", "shared"])
def test_search_for_a_foreign_address_answers_like_nonsense(planted: Planted, persona: str) -> None:
    foreign = [word for word, readers in addresses(planted).items() if persona not in readers]
    crawler = Crawler(persona, visitor(planted, persona), foreign)

    crawler.look_for(foreign, FINDERS)

    assert "\n".join(crawler.report.leaks) == ""


def test_address_is_shown_to_administrators_and_the_organisation_that_entered_it(planted: Planted) -> None:
    mine = {"lead": "panel0", "partner": "panel1", "stranger": "panel2", "shared": "panel3"}

    for persona, domain in mine.items():
        page = visitor(planted, persona)("get", reverse("digests:stakeholders")).text
        assert page.count(f"@{domain}.example") >= 3, persona
    ledger = {
        persona: [
            delivery.address
            for delivery in Delivery.objects.filter(address__contains="@panel", kind=DeliveryKind.DIGEST)
            if delivery.address in visitor(planted, persona)("get", reverse("digests:entry", args=[delivery.pk])).text
        ]
        for persona in ("lead", "administrator")
    }
    assert {address.partition("@")[2] for address in ledger["lead"]} == {"panel0.example"}
    assert {address.partition("@")[2] for address in ledger["administrator"]} == {
        f"panel{place}.example" for place in range(4)
    }
