"""Asks and offers are made, answered and agreed on their pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Question, Response, Status
from partnerships.people.models import User
from tests.exchange.conftest import new_commitment_url, shared_entry
from tests.exchange.pages import page_text
from tests.support.outbox import deliver
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


def form_data(world: World, **changes: Any) -> dict[str, Any]:
    """Return form data for an ask to the partnership, with these changes."""
    return {
        "direction": "ask",
        "organisation": world.larkhaven.pk,
        "title": "Land for 60 modular homes",
        "theme": "land",
        "quantity": "60",
        "unit": "homes",
        "audience": "partnership",
        "partnership": world.partnership.pk,
        "available_until": "31 March 2031",
    } | changes


def test_an_ask_is_shared_through_its_form(world: World) -> None:
    response = signed_in(world.amina).post(reverse("exchange:new"), form_data(world))

    ask = Entry.objects.get()
    assert response.url == ask.get_absolute_url()
    assert ask.status == Status.SHARED
    assert ask.closes_on == dt.date(2031, 3, 31)


def test_a_partner_reads_a_shared_ask_and_can_answer_it(world: World) -> None:
    signed_in(world.amina).post(reverse("exchange:new"), form_data(world))
    ask = Entry.objects.get()

    html = collapse(signed_in(world.ben).get(ask.get_absolute_url()).content.decode())

    assert "Answer this ask" in html
    assert "Shared today, no answer yet" in html


def ben_asks_by_when(ask: Entry, world: World) -> Question:
    """Ask "By when?" on the page of the ask, for Westmarch."""
    signed_in(world.ben).post(
        reverse("exchange:ask-question", args=[ask.pk]), {"organisation": world.westmarch.pk, "text": "By when?"}
    )
    return ask.questions.get()


def test_a_question_is_asked_on_the_page_of_an_ask(ask: Entry, world: World) -> None:
    ben_asks_by_when(ask, world)

    html = page_text(world.amina, "detail", pk=ask.pk)

    assert "By when?" in html


def test_a_question_is_answered_on_the_page_of_an_ask(ask: Entry, world: World) -> None:
    question = ben_asks_by_when(ask, world)

    signed_in(world.amina).post(reverse("exchange:answer-question", args=[question.pk]), {"text": "By May 2031."})

    assert "By May 2031." in page_text(world.ben, "detail", pk=ask.pk)


def offer_40_homes(user: User, ask: Entry, world: World) -> Response:
    """Answer the ask on its page, for Westmarch, with 40 of the 60 homes."""
    response = signed_in(user).post(
        reverse("exchange:respond", args=[ask.pk]),
        {"organisation": world.westmarch.pk, "text": "40 homes at the quay.", "quantity": "40"},
    )
    assert response.status_code == 302
    return ask.responses.get()


def test_an_answer_through_the_form_waits_for_a_decision(ask: Entry, world: World) -> None:
    answer = offer_40_homes(world.ben, ask, world)

    html = page_text(world.amina, "detail", pk=ask.pk)

    assert "40 homes at the quay." in html
    assert reverse("exchange:decide", args=[answer.pk]) in html


def accept_answer(user: User, answer: Response) -> None:
    """Accept an answer on the page of its ask."""
    signed_in(user).post(reverse("exchange:decide", args=[answer.pk]), {"decision": "accept"})


def test_an_answer_for_a_part_is_accepted_on_the_page(ask: Entry, world: World) -> None:
    answer = offer_40_homes(world.ben, ask, world)

    accept_answer(world.amina, answer)

    ask.refresh_from_db()
    assert ask.status == Status.PART_ACCEPTED


def test_the_page_of_an_ask_shows_what_is_still_to_agree(ask: Entry, world: World) -> None:
    answer = offer_40_homes(world.ben, ask, world)
    accept_answer(world.amina, answer)

    html = collapse(page_text(world.ben, "detail", pk=ask.pk))

    assert "20 homes still to agree" in html
    assert new_commitment_url(f"response-{answer.pk}") in html


def test_the_form_for_a_commitment_begins_with_the_accepted_answer(ask: Entry, world: World) -> None:
    answer = offer_40_homes(world.ben, ask, world)
    accept_answer(world.amina, answer)

    form = signed_in(world.ben).get(new_commitment_url(f"response-{answer.pk}")).content.decode()

    assert "Land for 60 modular homes: 40 homes at the quay." in form


def test_areas_and_partners_are_found_by_name_without_javascript(world: World) -> None:
    invalid_key = "9" * 30  # too long for a key in the database
    data = form_data(world, find="addressees", addressees=[world.westmarch.pk, invalid_key]) | {
        "addressees-find": "larkhaven"
    }

    response = signed_in(world.amina).post(reverse("exchange:new"), data)

    html = response.content.decode()
    options = html.partition('name="addressees"')[2].partition("</select>")[0]
    assert response.status_code == 200
    assert "Land for 60 modular homes" in html
    assert options.count("<option") == 2
    assert f'value="{world.westmarch.pk}" selected' in options
    assert not Entry.objects.exists()


def test_the_form_has_the_units_of_each_theme(world: World) -> None:
    form = page_text(world.amina, "new")

    assert "&quot;nominations&quot;: [&quot;homes&quot;]" in form


def test_the_form_refuses_a_unit_that_the_theme_does_not_have(world: World) -> None:
    response = signed_in(world.amina).post(
        reverse("exchange:new"), form_data(world, theme="nominations", unit="hectares")
    )

    assert response.status_code == 422
    assert "Nominations is counted in homes. Choose one of these units." in response.content.decode()


def ben_answers_offer_of_money(world: World, now: dt.datetime, **quantity: str) -> HttpResponse:
    """Answer Larkhaven's offer of 12 million pounds on its page, for Westmarch."""
    offer = shared_entry(
        world.larkhaven, world.amina, now, direction=Direction.OFFER, quantity=12_000_000, unit="pounds"
    )
    return signed_in(world.ben).post(
        reverse("exchange:respond", args=[offer.pk]),
        {"organisation": world.westmarch.pk, "text": "We could use it."} | quantity,
    )


@pytest.mark.parametrize(
    "quantity",
    [{"quantity": ""}, {"quantity": "5000", "everything": "on"}],
    ids=["no quantity", "a quantity and everything"],
)
def test_an_answer_to_an_offer_needs_a_quantity_or_everything(
    world: World, now: dt.datetime, quantity: dict[str, str]
) -> None:
    response = ben_answers_offer_of_money(world, now, **quantity)

    assert response.status_code == 422
    assert not Response.objects.exists()


def test_an_empty_quantity_does_not_accept_the_whole_offer(world: World, now: dt.datetime) -> None:
    response = ben_answers_offer_of_money(world, now, quantity="")

    assert "Enter how much, or tick “All of it: £12,000,000”" in response.content.decode()


def test_an_answer_can_accept_the_whole_offer(world: World, now: dt.datetime) -> None:
    response = ben_answers_offer_of_money(world, now, everything="on")

    assert response.status_code == 302
    assert Response.objects.get().quantity is None


def test_an_invalid_form_comes_back_with_what_was_typed(world: World) -> None:
    response = signed_in(world.amina).post(
        reverse("exchange:new"), form_data(world, unit="", audience="named", partnership="")
    )

    html = response.content.decode()
    assert response.status_code == 422
    assert "Choose a unit for the quantity." in html
    assert "Choose at least one organisation." in html
    assert "Land for 60 modular homes" in html


def saved_draft(user: User, world: World) -> Entry:
    """Save an ask as a draft through its form."""
    signed_in(user).post(reverse("exchange:new"), form_data(world, draft="Save draft"))
    return Entry.objects.get()


def test_an_ask_can_be_saved_as_a_draft(world: World) -> None:
    entry = saved_draft(world.amina, world)

    assert entry.is_draft


def test_a_draft_is_changed_on_its_page(world: World) -> None:
    entry = saved_draft(world.amina, world)
    data = form_data(world, title="Land for 70 homes", quantity="70", revision=entry.revision, draft="Save draft")

    response = signed_in(world.amina).post(reverse("exchange:edit", args=[entry.pk]), data)

    entry.refresh_from_db()
    assert response.status_code == 302
    assert entry.is_draft
    assert entry.title == "Land for 70 homes"


def test_a_draft_is_shared_on_its_page(world: World) -> None:
    entry = saved_draft(world.amina, world)

    signed_in(world.amina).post(reverse("exchange:share", args=[entry.pk]))

    entry.refresh_from_db()
    assert entry.status == Status.SHARED


def test_a_form_for_an_old_revision_of_a_draft_is_refused(world: World) -> None:
    amina = signed_in(world.amina)
    entry = saved_draft(world.amina, world)
    edit_url = reverse("exchange:edit", args=[entry.pk])
    data = form_data(world, title="Land for 70 homes", revision=entry.revision, draft="Save draft")
    amina.post(edit_url, data)

    response = amina.post(edit_url, data)

    assert response.status_code == 422


@pytest.fixture
def ask_with_private_note(world: World, now: dt.datetime) -> Entry:
    """Return an ask to the network with a private note of Larkhaven."""
    return shared_entry(world.larkhaven, world.amina, now, private_note="CANARY: we would take 30.")


def test_its_own_organisation_reads_a_private_note(ask_with_private_note: Entry, world: World) -> None:
    html = page_text(world.vera, "detail", pk=ask_with_private_note.pk)

    assert "CANARY" in html


def test_another_organisation_does_not_read_a_private_note(ask_with_private_note: Entry, world: World) -> None:
    html = page_text(world.ben, "detail", pk=ask_with_private_note.pk)

    assert "CANARY" not in html


@pytest.mark.usefixtures("ask_with_private_note")
def test_the_csv_has_no_private_notes(world: World) -> None:
    text = page_text(world.amina, "export")

    assert "CANARY" not in text


def amina_refers_to_eddie(ask: Entry, world: World) -> None:
    """Refer the ask to Amina's colleague Eddie on its page, with a message."""
    signed_in(world.amina).post(
        reverse("exchange:refer", args=[ask.pk]),
        {"organisation": world.larkhaven.pk, "person": world.eddie.pk, "note": "CANARY: say no."},
    )


def test_their_organisation_sees_the_message_to_a_colleague(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])
    amina_refers_to_eddie(ask, world)

    html = page_text(world.vera, "detail", pk=ask.pk)

    assert "CANARY" in html
    assert "Eddie Larch" in html


def test_the_asking_organisation_does_not_see_the_message_to_a_colleague(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])
    amina_refers_to_eddie(ask, world)

    html = page_text(world.ben, "detail", pk=ask.pk)

    assert "CANARY" not in html
    assert "Eddie Larch" not in html


def test_the_email_about_a_referral_does_not_contain_the_message(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])

    amina_refers_to_eddie(ask, world)

    (email,) = deliver()
    assert email.to == [world.eddie.email]
    assert email.subject == f"{world.amina.name} has referred this ask to you: {ask.title}"
    assert "CANARY" not in email.body


@pytest.fixture
def ask_by_name(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask to Westmarch and Tidewater."""
    addressees = [world.westmarch, world.tidewater]
    return shared_entry(world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=addressees)


def test_the_asking_organisation_sees_whom_it_asked_by_name(ask_by_name: Entry, world: World) -> None:
    html = page_text(world.amina, "detail", pk=ask_by_name.pk)

    assert "Tidewater" in html


def test_organisations_asked_by_name_do_not_see_who_else_was(ask_by_name: Entry, world: World) -> None:
    html = page_text(world.ben, "detail", pk=ask_by_name.pk)

    assert "Tidewater" not in html


def test_the_history_shows_old_and_new_text_but_no_private_note(world: World, ask: Entry) -> None:
    services.edit_entry(
        entry=ask, title="Land for 40 homes", private_note="We would take 30.", author=world.amina, now=world.now
    )

    html = page_text(world.ben, "detail", pk=ask.pk)

    history = html.partition(">History<")[2]
    assert "Land for 60 modular homes" in history
    assert "Land for 40 homes" in history
    assert "We would take 30." not in html


def test_the_history_of_an_ask_does_not_repeat_its_title(ask: Entry, world: World) -> None:
    html = page_text(world.ben, "detail", pk=ask.pk)

    assert "Shared an ask</span>" in html
