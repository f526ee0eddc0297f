"""Asks and offers are made, answered and agreed on their pages."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import Any

import pytest
from django.urls import reverse

from partnerships.commitments.services import end_commitment
from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Response, Status
from partnerships.people.models import User
from tests.exchange.conftest import accepted_answer, draft, new_commitment_url, shared_entry
from tests.exchange.test_settlement import promise
from tests.support.outbox import deliver
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


def page_text(user: User, name: str, query: str = "", **kwargs: Any) -> str:
    """Return the text of a page as the person sees it."""
    response = signed_in(user).get(reverse(f"exchange:{name}", kwargs=kwargs) + query)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    assert response.status_code == 200
    return content.decode()


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


def test_a_question_is_asked_and_answered_on_the_page_of_an_ask(ask: Entry, world: World) -> None:
    amina, ben = signed_in(world.amina), signed_in(world.ben)

    ben.post(reverse("exchange:ask-question", args=[ask.pk]), {"organisation": world.westmarch.pk, "text": "By when?"})
    amina.post(reverse("exchange:answer-question", args=[ask.questions.get().pk]), {"text": "By May 2031."})

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


def test_an_accepted_part_can_become_a_commitment(ask: Entry, world: World) -> None:
    answer = offer_40_homes(world.ben, ask, world)
    url_of_form = new_commitment_url(f"response-{answer.pk}")

    signed_in(world.amina).post(reverse("exchange:decide", args=[answer.pk]), {"decision": "accept"})

    ask.refresh_from_db()
    assert ask.status == Status.PART_ACCEPTED
    page = collapse(page_text(world.ben, "detail", pk=ask.pk))
    assert "20 homes still to agree" in page
    assert url_of_form in page
    commitment_form = signed_in(world.ben).get(url_of_form).content.decode()
    assert "Land for 60 modular homes: 40 homes at the quay." in commitment_form


def test_areas_and_partners_are_found_by_name_without_javascript(world: World) -> None:
    amina = signed_in(world.amina)
    data = form_data(world, find="addressees", addressees=[world.westmarch.pk, "9" * 30]) | {
        "addressees-find": "larkhaven"
    }

    response = amina.post(reverse("exchange:new"), data)

    html = response.content.decode()
    options = html.partition('name="addressees"')[2].partition("</select>")[0]
    assert response.status_code == 200
    assert "Land for 60 modular homes" in html
    assert options.count("<option") == 2
    assert f'value="{world.westmarch.pk}" selected' in options
    assert not Entry.objects.exists()


def test_units_follow_the_theme(world: World) -> None:
    amina = signed_in(world.amina)

    form = amina.get(reverse("exchange:new")).content.decode()
    response = amina.post(reverse("exchange:new"), form_data(world, theme="nominations", unit="hectares"))

    assert "&quot;nominations&quot;: [&quot;homes&quot;]" in form
    assert response.status_code == 422
    assert "Nominations is counted in homes. Choose one of these units." in response.content.decode()


def test_an_empty_quantity_does_not_accept_the_whole_offer(world: World, now: dt.datetime) -> None:
    offer = shared_entry(
        world.larkhaven, world.amina, now, direction=Direction.OFFER, quantity=12_000_000, unit="pounds"
    )
    client = signed_in(world.ben)
    address = reverse("exchange:respond", args=[offer.pk])
    data = {"organisation": world.westmarch.pk, "text": "We could use it."}

    answer_to_nothing = client.post(address, data | {"quantity": ""})
    answer_to_both = client.post(address, data | {"quantity": "5000", "everything": "on"})
    answer_to_all = client.post(address, data | {"everything": "on"})

    assert answer_to_nothing.status_code == answer_to_both.status_code == 422
    assert "Enter how much, or tick “All of it: £12,000,000”" in answer_to_nothing.content.decode()
    assert answer_to_all.status_code == 302
    assert Response.objects.get().quantity is None


def test_an_invalid_form_comes_back_with_what_was_typed(world: World) -> None:
    response = signed_in(world.amina).post(
        reverse("exchange:new"), form_data(world, unit="", audience="named", partnership="")
    )

    words = response.content.decode()
    assert response.status_code == 422
    assert "Choose a unit for the quantity." in words
    assert "Choose at least one organisation." in words
    assert "Land for 60 modular homes" in words


def saved_draft(user: User, world: World) -> Entry:
    """Save an ask as a draft through its form."""
    signed_in(user).post(reverse("exchange:new"), form_data(world, draft="Save draft"))
    return Entry.objects.get()


def test_an_ask_can_be_saved_as_a_draft(world: World) -> None:
    entry = saved_draft(world.amina, world)

    assert entry.is_draft


def test_a_draft_is_changed_and_then_shared(world: World) -> None:
    amina = signed_in(world.amina)
    entry = saved_draft(world.amina, world)
    data = form_data(world, title="Land for 70 homes", quantity="70", revision=entry.revision, draft="Save draft")

    response_to_edit = amina.post(reverse("exchange:edit", args=[entry.pk]), data)
    amina.post(reverse("exchange:share", args=[entry.pk]))

    entry.refresh_from_db()
    assert response_to_edit.status_code == 302
    assert entry.title == "Land for 70 homes"
    assert entry.status == Status.SHARED


def test_a_form_for_an_old_revision_of_a_draft_is_refused(world: World) -> None:
    amina = signed_in(world.amina)
    entry = saved_draft(world.amina, world)
    edit_url = reverse("exchange:edit", args=[entry.pk])
    data = form_data(world, title="Land for 70 homes", revision=entry.revision, draft="Save draft")
    amina.post(edit_url, data)

    response = amina.post(edit_url, data)

    assert response.status_code == 422


def share_one_ask_and_two_offers(world: World, now: dt.datetime) -> None:
    """Share an ask and an offer of land, and an offer of data."""
    shared_entry(world.larkhaven, world.amina, now, title="Land wanted")
    shared_entry(world.westmarch, world.ben, now, title="Land given", direction=Direction.OFFER)
    shared_entry(world.westmarch, world.ben, now, title="Data given", direction=Direction.OFFER, theme="data")


def test_the_board_shows_asks_before_offers(world: World, now: dt.datetime) -> None:
    share_one_ask_and_two_offers(world, now)

    html = page_text(world.chidi, "board")

    assert html.index("Land wanted") < html.index("Data given") < html.index("Land given")


def test_the_board_counts_shared_entries_but_no_drafts(world: World, now: dt.datetime) -> None:
    share_one_ask_and_two_offers(world, now)
    draft(world.larkhaven, world.amina, now, title="Only a draft")

    html = page_text(world.chidi, "board")

    assert "Only a draft" not in html
    assert 'Land (<span id="count-theme-land">2</span>)' in html
    assert 'id="count-direction-offer">2<' in html


def test_the_filters_of_the_board_leave_only_matching_entries(world: World, now: dt.datetime) -> None:
    share_one_ask_and_two_offers(world, now)

    html = page_text(world.chidi, "board", "?theme=land&direction=offer")

    assert "Land given" in html
    assert "Land wanted" not in html
    assert "Data given" not in html


def test_a_filtered_board_counts_other_themes_and_links_to_fewer_filters(world: World, now: dt.datetime) -> None:
    share_one_ask_and_two_offers(world, now)

    html = page_text(world.chidi, "board", "?theme=land&direction=offer")

    assert 'id="count-theme-data">1<' in html
    assert 'href="?direction=offer"' in html


@pytest.mark.parametrize(
    ("query", "listed_titles"),
    [
        ("?q=modular", {"Modular"}),
        ("?organisation=westmarch", {"Hours"}),
        ("?standing=on", {"Hours"}),
        ("?status=withdrawn", {"Gone"}),
        ("?q=nothing-of-the-sort", set()),
    ],
)
def test_filters_narrow_the_list(query: str, listed_titles: set[str], world: World, now: dt.datetime) -> None:
    shared_entry(world.larkhaven, world.amina, now, title="Modular")
    shared_entry(world.westmarch, world.ben, now, title="Hours", statement="", direction="offer", standing=True)
    withdrawn_ask = shared_entry(world.larkhaven, world.amina, now, title="Gone", statement="")
    services.withdraw_entry(entry=withdrawn_ask, reason="Found.", author=world.amina, now=now)

    html = page_text(world.chidi, "list", query)

    assert {title for title in ("Modular", "Hours", "Gone") if f">{title}</a>" in html} == listed_titles


def test_the_area_filter_finds_a_county_for_its_district(world: World, now: dt.datetime) -> None:
    county = world.fareham
    world.gosport.parent = county
    world.gosport.save()
    shared_entry(world.larkhaven, world.amina, now, title="For the whole", areas=[county])
    shared_entry(world.larkhaven, world.amina, now, title="Elsewhere", audience=Audience.NETWORK)

    html = page_text(world.ben, "list", f"?area={world.gosport.pk}")

    assert "For the whole" in html
    assert "Elsewhere" not in html


def test_pages_of_the_list_have_no_gaps(world: World, now: dt.datetime) -> None:
    for minute in range(30):
        shared_entry(world.larkhaven, world.amina, now + dt.timedelta(minutes=minute), title=f"Ask {minute:02}")

    first_page = page_text(world.ben, "list")
    next_link = re.search(r'href="(\?[^"]*after=[^"]+)"', first_page)
    assert next_link
    second_page = page_text(world.ben, "list", next_link[1].replace("&amp;", "&"))

    titles = re.findall(r">(Ask \d\d)</a>", first_page + second_page)
    assert titles == [f"Ask {minute:02}" for minute in reversed(range(30))]


def test_entries_that_a_person_cannot_see_change_no_page(world: World, now: dt.datetime) -> None:
    pages = ["board", "list", "ours", "matches", "export"]
    queries = ["", "?q=canary", "?theme=land", "?organisation=larkhaven", f"?area={world.fareham.pk}"]
    shared_entry(world.larkhaven, world.amina, now, title="For all")

    def all_pages() -> list[str]:
        varying_text = re.compile(r'(nonce|csrfmiddlewaretoken|hx-headers|value)="[^"]*"|X-CSRFToken[^}]*')
        words = [page_text(world.chidi, name, query) for name in pages for query in queries]
        return [re.sub(r"hx-headers='[^']*'", "", varying_text.sub("", word)) for word in words]

    pages_before = all_pages()
    fields = {"title": "Canary", "statement": "canary", "areas": [world.fareham], "private_note": "canary"}
    shared_entry(world.larkhaven, world.amina, now, audience="partnership", partnership=world.partnership, **fields)
    shared_entry(world.larkhaven, world.amina, now, audience="named", addressees=[world.westmarch], **fields)
    draft(world.larkhaven, world.amina, now, **fields)

    assert all_pages() == pages_before


def test_only_its_own_organisation_reads_a_private_note(world: World, now: dt.datetime) -> None:
    entry = shared_entry(world.larkhaven, world.amina, now, private_note="CANARY: we would take 30.")

    assert "CANARY" in page_text(world.vera, "detail", pk=entry.pk)
    assert "CANARY" not in page_text(world.ben, "detail", pk=entry.pk)
    assert "CANARY" not in page_text(world.amina, "export")


def amina_refers_to_eddie(ask: Entry, world: World) -> None:
    """Refer the ask to Amina's colleague Eddie on its page, with a message."""
    signed_in(world.amina).post(
        reverse("exchange:refer", args=[ask.pk]),
        {"organisation": world.larkhaven.pk, "person": world.eddie.pk, "note": "CANARY: say no."},
    )


def test_only_their_organisation_sees_the_message_to_a_colleague(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])
    amina_refers_to_eddie(ask, world)

    page_for_vera_of_larkhaven = page_text(world.vera, "detail", pk=ask.pk)
    page_for_ben_of_westmarch = page_text(world.ben, "detail", pk=ask.pk)

    assert "CANARY" in page_for_vera_of_larkhaven
    assert "Eddie Larch" in page_for_vera_of_larkhaven
    assert "CANARY" not in page_for_ben_of_westmarch
    assert "Eddie Larch" not in page_for_ben_of_westmarch


def test_the_email_about_a_referral_does_not_contain_the_message(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])

    amina_refers_to_eddie(ask, world)

    (email,) = deliver()
    assert email.to == [world.eddie.email]
    assert email.subject == f"{world.amina.name} has referred this ask to you: {ask.title}"
    assert "CANARY" not in email.body


def test_organisations_asked_by_name_do_not_see_who_else_was(world: World, now: dt.datetime) -> None:
    ask = shared_entry(
        world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.westmarch, world.tidewater]
    )

    assert "Tidewater" in page_text(world.amina, "detail", pk=ask.pk)
    assert "Tidewater" not in page_text(world.ben, "detail", pk=ask.pk)


def test_the_csv_escapes_formulas(world: World, now: dt.datetime) -> None:
    shared_entry(world.larkhaven, world.amina, now, title='=HYPERLINK("http://harm.example")', statement="  @SUM(A1)")

    rows = list(csv.reader(io.StringIO(page_text(world.ben, "export").removeprefix("\ufeff"))))

    cells = dict(zip(*rows, strict=True))
    assert cells["Title"].startswith("'=")
    assert cells["Statement"].startswith("'")
    assert cells["Quantity"] == "60.00"


def test_htmx_gets_the_results_only(world: World) -> None:
    response = signed_in(world.ben).get(reverse("exchange:board"), HTTP_HX_REQUEST="true")

    assert b"<html" not in response.content
    assert b"cg-board" in response.content


def test_the_oldest_first_filter_shows_only_unanswered_entries(ask: Entry, world: World, now: dt.datetime) -> None:
    shared_entry(world.larkhaven, world.amina, now + dt.timedelta(days=1), title="Waits too")
    shared_entry(world.westmarch, world.ben, now, title="Always there", direction=Direction.OFFER, standing=True)
    services.respond(entry=ask, organisation=world.westmarch, text="Twenty.", quantity=20, author=world.ben, now=now)
    shared_entry(world.larkhaven, world.amina, now, title="Waits longest")

    html = page_text(world.amina, "list", "?oldest=on")

    assert re.findall(r">(Waits [a-z]+)</a>", html) == ["Waits longest", "Waits too"]
    assert ask.title not in html
    assert "Always there" not in html
    assert '<strong class="cg-number">2</strong>' in html


def test_an_existing_commitment_can_be_linked_to_an_ask_in_part(ask: Entry, world: World, now: dt.datetime) -> None:
    commitment = promise("", world, now, quantity=60)

    response = signed_in(world.eddie).post(
        reverse("exchange:meet", args=[ask.pk]), {"commitment": commitment.pk, "quantity": "20"}
    )

    ask.refresh_from_db()
    assert response.status_code == 302
    assert ask.status == Status.PART_ACCEPTED
    assert ask.agreed_quantity == 20
    assert "20 homes of this" in page_text(world.eddie, "detail", pk=ask.pk)


def test_a_linked_part_can_be_extended_to_the_whole_commitment(ask: Entry, world: World, now: dt.datetime) -> None:
    commitment = promise("", world, now, quantity=60)
    eddie = signed_in(world.eddie)
    link_url = reverse("exchange:meet", args=[ask.pk])
    eddie.post(link_url, {"commitment": commitment.pk, "quantity": "20"})

    response = eddie.post(link_url, {"commitment": commitment.pk, "everything": "on"})

    assert response.status_code == 302
    assert ask.fulfilments.get().quantity == 60


def test_only_commitments_in_the_direction_of_an_ask_can_be_linked(ask: Entry, world: World, now: dt.datetime) -> None:
    commitment = promise("", world, now, quantity=60)
    opposite = promise("", world, now, quantity=10, giver=world.larkhaven, receiver=world.westmarch, owner=world.eddie)
    eddie = signed_in(world.eddie)
    link_url = reverse("exchange:meet", args=[ask.pk])

    choices = eddie.get(link_url).context["form"].fields["commitment"].queryset
    response = eddie.post(link_url, {"commitment": opposite.pk})

    assert list(choices) == [commitment]
    assert response.status_code == 422
    assert not ask.fulfilments.exists()


@pytest.mark.parametrize(
    "quantity", [{}, {"quantity": "20", "everything": "on"}], ids=["no quantity", "a quantity and everything"]
)
def test_a_link_to_a_commitment_needs_a_quantity_or_everything(
    ask: Entry, world: World, now: dt.datetime, quantity: dict[str, str]
) -> None:
    commitment = promise("", world, now, quantity=60)

    response = signed_in(world.eddie).post(
        reverse("exchange:meet", args=[ask.pk]), {"commitment": commitment.pk, **quantity}
    )

    assert response.status_code == 422
    assert not ask.fulfilments.exists()


def test_page_for_linking_says_that_there_is_no_commitment(world: World, now: dt.datetime) -> None:
    entry = shared_entry(world.tidewater, world.chidi, now, direction=Direction.OFFER, theme="data")

    assert "so there is nothing to link" in page_text(world.chidi, "meet", pk=entry.pk)


def test_the_history_shows_old_and_new_text_but_no_private_note(world: World, ask: Entry) -> None:
    services.edit_entry(
        entry=ask, title="Land for 40 homes", private_note="We would take 30.", author=world.amina, now=world.now
    )

    text = page_text(world.ben, "detail", pk=ask.pk)

    history = text[text.index(">History<") :]
    assert "Land for 60 modular homes" in history
    assert "Land for 40 homes" in history
    assert "We would take 30." not in text


@pytest.fixture
def answer_for_60_homes(ask: Entry, world: World, now: dt.datetime) -> Response:
    """Return Westmarch's answer for all 60 homes, which Larkhaven has accepted."""
    return accepted_answer(ask, world, now, quantity=60)


@pytest.mark.parametrize(("promised_quantities", "is_linked"), [([], True), ([40], True), ([40, 20], False)])
def test_an_accepted_answer_has_a_link_to_make_a_commitment_until_all_is_promised(
    promised_quantities: list[int], is_linked: bool, answer_for_60_homes: Response, world: World, now: dt.datetime
) -> None:
    origin = f"response-{answer_for_60_homes.pk}"
    for quantity in promised_quantities:
        promise(origin, world, now, quantity=quantity)

    html = page_text(world.eddie, "detail", pk=answer_for_60_homes.entry_id)

    assert (new_commitment_url(origin) in html) == is_linked


def test_the_link_to_make_a_commitment_returns_when_a_commitment_ends(
    answer_for_60_homes: Response, world: World, now: dt.datetime
) -> None:
    origin = f"response-{answer_for_60_homes.pk}"
    promise(origin, world, now, quantity=40)
    commitment_to_end = promise(origin, world, now, quantity=20)

    end_commitment(commitment=commitment_to_end, reason="Sold.", author=world.ben, now=now)

    html = page_text(world.eddie, "detail", pk=answer_for_60_homes.entry_id)
    assert new_commitment_url(origin) in html


def test_the_history_of_an_ask_does_not_repeat_its_title(ask: Entry, world: World) -> None:
    assert "Shared an ask</span>" in page_text(world.ben, "detail", pk=ask.pk)
