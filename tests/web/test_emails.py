"""Pages about emails show the status of each email, without its content."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests.services import add_stakeholder
from partnerships.organisations.models import Membership
from partnerships.outbox.bounces import note_bounce
from partnerships.outbox.models import Email
from partnerships.outbox.services import record_email
from partnerships.people.models import User
from tests.commitments.promises import propose
from tests.digests.conftest import PostOffice
from tests.exchange.conftest import draft
from tests.plans.drafts import ask_signatures, published_plan
from tests.support.ledger import rewrite
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def notice(world: World) -> Email:
    """Return a notice to Sol that people of Larkhaven caused."""
    with transaction.atomic():
        return record_email(kind="digests.links", person_id=world.sol.pk, sender_id=world.larkhaven.pk, now=world.now)


def page(person: User, name: str, **kwargs: Any) -> tuple[int, str]:
    """Return the status and the text of a page for a person."""
    client: Client = signed_in(person)
    response = client.get(reverse(name, kwargs=kwargs))
    return response.status_code, response.content.decode()


def test_lead_sees_an_email_go_from_the_queue_to_the_server(world: World, notice: Email) -> None:
    _, page_before = page(world.amina, "web:email", pk=notice.pk)

    PostOffice().drain()

    _, page_after = page(world.amina, "web:email", pk=notice.pk)
    assert "Queued" in page_before
    assert "You do not need to do anything" in page_before
    assert "Sent" in page_after
    assert world.sol.email not in page_after


@pytest.mark.parametrize(("role", "is_linked"), [("lead", True), ("editor", False)])
def test_message_that_an_email_will_be_sent_links_leads_to_its_state(world: World, role: str, is_linked: bool) -> None:
    person = world.amina if role == "lead" else world.eddie
    commitment = propose(world)
    address = reverse("commitments:end", args=[commitment.pk])

    response = signed_in(person).post(address, {"reason": "A mistake."}, follow=True)

    page_text = response.content.decode()
    assert "An email will be sent to" in page_text
    assert ("See the status of the email" in page_text) is is_linked


def test_pages_of_a_shared_ask_and_of_a_signature_say_who_is_emailed(world: World) -> None:
    amina = signed_in(world.amina)
    ben = signed_in(world.ben)
    entry = draft(world.larkhaven, world.amina, world.now, audience="partnership", partnership=world.partnership)
    plan = ask_signatures(published_plan(world), world)
    decision = {"organisation": world.westmarch.pk, "number": 1, "decision": "rejected", "reason": "Too few homes."}

    page_text = amina.post(reverse("exchange:share", args=[entry.pk]), follow=True).content.decode()
    signed = ben.post(reverse("plans:signing", args=[plan.pk]), decision, follow=True).content.decode()

    assert "An email will be sent to the leads of its other parties." in page_text
    assert "Your decision on version 1 has been recorded. An email will be sent to Amina Larch." in signed
    assert "See the status of the email" in page_text
    assert "See the status of the email" in signed


def test_page_names_who_is_emailed_an_invitation_to_take_part(world: World) -> None:
    data = {"organisation": world.harbour.pk, "role": "member", "reason": "We need them."}

    response = signed_in(world.amina).post(reverse("agreements:invite", args=[world.partnership.pk]), data, follow=True)

    assert (
        "Harbour Community Trust has been invited. An email will be sent to Hana Harbour." in response.content.decode()
    )


def said_after(person: User, address: str, data: dict[str, Any]) -> str:
    """Return the page after a form was sent, on one line."""
    return " ".join(signed_in(person).post(address, data, follow=True).content.decode().split())


@pytest.mark.parametrize(
    ("who", "sentences", "is_linked"),
    [
        ("amina", "We will email nina@new.example an invitation.", False),
        ("dee", "We will email nina@new.example an invitation. We will email Amina Larch.", True),
    ],
)
def test_page_says_who_is_emailed_about_an_invitation(world: World, who: str, sentences: str, is_linked: bool) -> None:
    data = {"email": "nina@new.example", "role": "editor", "reason": "Their lead is ill."}

    page_text = said_after(getattr(world, who), reverse("organisations:invite", args=[world.larkhaven.pk]), data)

    assert sentences in page_text
    assert ("See the status of the email" in page_text) is is_linked


def test_page_says_who_is_emailed_when_an_administrator_changes_a_role(world: World) -> None:
    row = Membership.objects.get(person=world.vera, organisation=world.larkhaven)
    address = reverse("organisations:member-edit", args=[world.larkhaven.pk, row.pk])

    page_text = said_after(world.dee, address, {"role": "editor", "reason": "Their lead is ill."})

    assert "Vera Larch is now editor. We will email Amina Larch and Vera Larch." in page_text
    assert "See the status of the email" in page_text


def test_page_says_who_is_emailed_when_a_second_factor_is_removed(world: World) -> None:
    Authenticator.objects.create(user=world.eddie, type="totp", data={})

    page_text = said_after(
        world.dee, reverse("people:remove-second-factor", args=[world.eddie.pk]), {"reason": "Lost."}
    )

    assert f"have been removed. We will email {world.eddie.display_name}." in page_text


def test_page_says_who_is_emailed_when_the_last_lead_leaves(world: World) -> None:
    row = Membership.objects.get(person=world.ben, organisation=world.westmarch)
    address = reverse("organisations:member-end", args=[world.westmarch.pk, row.pk])

    page_text = said_after(world.dee, address, {"reason": "Left.", "even_last_lead": "on"})

    assert "no longer acts for Westmarch Borough Council. An email will be sent to" in page_text


def test_page_says_where_the_question_of_a_new_stakeholder_is_sent(world: World) -> None:
    plan = published_plan(world)
    address = reverse("digests:add-stakeholder", args=["plan", plan.pk])
    data = {"email": "tess@panel.example", "name": "Tess", "organisation": world.larkhaven.pk}

    page_text = said_after(world.amina, address, data)

    assert "An email will be sent to tess@panel.example, to ask them to confirm." in page_text
    assert "See the status of the email" in page_text


def test_page_names_nobody_who_has_not_confirmed(world: World) -> None:
    plan = published_plan(world)
    subscription = add_stakeholder(
        email=world.chidi.email,
        name="Somebody",
        target=plan,
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now() - dt.timedelta(days=2),
    )
    address = f"{reverse('lists:bulk', args=['stakeholders'])}?action=ask&row={subscription.pk}"
    form = signed_in(world.amina).get(address, follow=True)

    page_text = said_after(world.amina, form.redirect_chain[-1][0], {})

    assert "1 stakeholder: asked again." in page_text
    assert world.chidi.name not in page_text


def test_bounced_email_is_shown_as_returned(world: World, notice: Email) -> None:
    PostOffice().drain()
    sent_email = Email.objects.get(pk=notice.pk)
    note_bounce(
        kind="soft", address=sent_email.address, text="4.2.2 full", message_id=sent_email.message_id, now=world.now
    )

    _, page_text = page(world.amina, "web:emails")

    assert "Bounced" in page_text


def test_lead_of_another_organisation_finds_nothing(world: World, notice: Email) -> None:
    status, _ = page(world.ben, "web:email", pk=notice.pk)
    _, list_page = page(world.ben, "web:emails")

    assert status == 404
    assert reverse("web:email", kwargs={"pk": notice.pk}) not in list_page


def test_account_email_is_shown_to_administrators_only(world: World, notice: Email) -> None:
    rewrite(notice.pk, lane=0)

    as_lead, _ = page(world.amina, "web:email", pk=notice.pk)
    as_administrator, page_of_administrator = page(world.dee, "web:email", pk=notice.pk)

    assert as_lead == 404
    assert as_administrator == 200
    assert world.sol.email not in page_of_administrator


def test_address_that_a_mail_server_names_is_shown_to_nobody(world: World, notice: Email) -> None:
    server_answer = f"550 5.1.1 <{world.sol.email}> is forwarded to <sol@home.example>, which is unknown"
    rewrite(notice.pk, status="failed", settled_at=world.now, address=world.sol.email, reason=server_answer)

    _, page_text = page(world.amina, "web:email", pk=notice.pk)

    assert "which is unknown" in page_text
    assert "sol@home.example" not in page_text
