"""Each notice that people can turn off links to the page of choices, and stops with one click."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.test import Client
from django.utils import timezone

from partnerships.digests.models import NoticeDelivery, Subscription
from partnerships.digests.queries.ways import ways_of
from partnerships.digests.services import subscribe
from partnerships.outbox import kinds
from partnerships.outbox.groups import FOR_CONSENT, NoticeGroup
from partnerships.outbox.kinds import all_kinds, email_kind_with_code
from partnerships.outbox.models import Email, Lane
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.commitments.promises import propose
from tests.support.crawling import forms_of
from tests.support.outbox import deliver, drop_emails, stop_address
from tests.world import World


def parts(email: object) -> tuple[str, str]:
    """Return the text part and the HTML part of an email."""
    assert isinstance(email, EmailMultiAlternatives)
    return str(email.body), str(email.alternatives[0][0])


def test_a_notice_sent_at_once_links_to_its_choice_in_both_parts(world: World) -> None:
    drop_emails()
    propose(world)

    [email] = [message for message in deliver() if message.to == [world.ben.email]]

    text, html = parts(email)
    address = "/digests/#id_way_commitments"
    assert text.rstrip().endswith(address)
    assert "Choose how you get emails like this (Commitments):" in text
    assert f'{address}"' in html
    assert "(Commitments)." in html


@pytest.fixture
def stop_url(world: World) -> str:
    """Propose a commitment to Westmarch, and return the address that stops such emails to Ben."""
    drop_emails()
    propose(world)
    [email] = [message for message in deliver() if message.to == [world.ben.email]]
    return stop_address(email)


def stop_by_one_click(stop_url: str) -> bytes:
    """Stop emails as a mail program does (RFC 8058), and return the page that follows."""
    return Client(enforce_csrf_checks=True).post(stop_url, {"List-Unsubscribe": "One-Click"}).content


def test_link_to_stop_asks_whether_to_keep_notices_in_the_inbox(stop_url: str) -> None:
    page = Client().get(stop_url).content.decode()

    assert "Commitments (keep these notices in my inbox, without email)" in page


def test_one_click_keeps_notices_of_that_kind_in_the_inbox(world: World, stop_url: str) -> None:
    ways_before = ways_of(world.ben)

    page = " ".join(stop_by_one_click(stop_url).decode().split())

    assert "You can still read these notices in your inbox, but we will not email them: Commitments." in page
    assert ways_of(world.ben) == ways_before | {"commitments": NoticeDelivery.INBOX}


def test_keeping_notices_in_the_inbox_can_be_undone(world: World, stop_url: str) -> None:
    ways_before = ways_of(world.ben)
    page = stop_by_one_click(stop_url)
    [undo_form] = [form for form in forms_of(page) if "undo" in form.fields]

    Client().post(stop_url, undo_form.fields)

    assert ways_of(world.ben) == ways_before


@pytest.fixture
def notice_to_ben(world: World, plan: Plan) -> EmailMultiAlternatives:
    """Return a notice to Ben, who also gets digests about a plan."""
    subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    drop_emails()
    propose(world)
    [email] = [message for message in deliver() if message.to == [world.ben.email]]
    return email


def code_of_sent_notice(person: User) -> str:
    """Return the code of the kind of the only email sent to this person."""
    return Email.objects.get(person_id=person.pk, status="sent").kind


def test_one_click_on_a_notice_that_no_longer_exists_stops_nothing_else(
    world: World, plan: Plan, notice_to_ben: EmailMultiAlternatives, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(kinds._kinds, code_of_sent_notice(world.ben))
    ways_before = ways_of(world.ben)

    response = Client().post(stop_address(notice_to_ben), {"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert plan.title in response.content.decode()
    assert Subscription.objects.confirmed().filter(person=world.ben, plan=plan).exists()
    assert ways_of(world.ben) == ways_before


def test_one_click_on_a_notice_that_is_now_always_sent_stops_nothing_else(
    world: World, plan: Plan, notice_to_ben: EmailMultiAlternatives, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of_sent_notice(world.ben)
    monkeypatch.setitem(kinds._kinds, code, replace(kinds._kinds[code], always=FOR_CONSENT))
    ways_before = ways_of(world.ben)

    response = Client().post(stop_address(notice_to_ben), {"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert plan.title in response.content.decode()
    assert Subscription.objects.confirmed().filter(person=world.ben, plan=plan).exists()
    assert ways_of(world.ben) == ways_before


def test_the_token_of_a_stop_link_is_not_kept_with_the_email(world: World) -> None:
    drop_emails()
    propose(world)
    deliver()

    stored_email = Email.objects.filter(person_id=world.ben.pk, status="sent").latest("pk")

    assert stored_email.tokens is None
    assert stored_email.recipe is not None


def tell(kind: str, person: User, **params: object) -> None:
    """Record a notice of this kind to a person."""
    with transaction.atomic():
        record_emails(kind=kind, people=[person.pk], params=params, now=timezone.now())


def test_what_cannot_be_turned_off_offers_no_choice(world: World) -> None:
    drop_emails()
    kind = email_kind_with_code("answers.unfit")
    assert kind is not None
    assert kind.always
    tell(kind.code, world.ben, on="2026-11-29")

    [email] = deliver()

    assert "Choose how you get" not in "".join(parts(email))
    assert "List-Unsubscribe" not in email.extra_headers


@pytest.mark.parametrize("group", [NoticeGroup.SIGNATURES, NoticeGroup.ACCOUNT])
def test_every_notice_without_a_choice_says_why(group: NoticeGroup) -> None:
    codes_without_reason = [
        kind.code for kind in all_kinds() if kind.group == group and kind.lane == Lane.NOTICE and not kind.always
    ]

    assert [code for code in codes_without_reason if not code.startswith("tests.")] == []
