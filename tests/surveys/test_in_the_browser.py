"""Two rounds are asked, agreed, answered and acted on in a real browser, which shows what moved."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect
from pypdf import PdfReader

from partnerships.agreements.services import answer_invitation, invite_organisation
from partnerships.exchange.models import Entry
from partnerships.surveys import services
from partnerships.surveys.models import Action, Figure, Round, SealedAnswer, Token
from tests.agreements.test_terms_in_the_browser import looks_right
from tests.commitments.promises import in_days
from tests.support.browser import click_to_next_page, enter
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.surveys.asking import moderator_of, morning_after
from tests.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

#: Nineteen people of five bodies by group; few of them have an account.
PEOPLE = {
    "Councils and authorities": ["ben@westmarch.example", *(f"officer{n}@westmarch.example" for n in range(5))],
    "Housing associations": [
        "amina@larkhaven.example",
        "eddie@larkhaven.example",
        *(f"officer{n}@larkhaven.example" for n in range(2)),
        *(f"officer{n}@tidewater.example" for n in range(4)),
    ],
    "Other organisations": [
        "hana@harbour.example",
        *(f"officer{n}@harbour.example" for n in range(2)),
        "nadia@riverside.example",
        "oscar@riverside.example",
    ],
}
ASK = "Tell us early what worries you"
PROMISE = "A call every month between the two directors"
GROUPS = {"westmarch": "council", "larkhaven": "association", "tidewater": "association"}


@pytest.fixture
def five_bodies(transactional_db: None) -> World:
    """Return the world after three more organisations joined: the partnership then has five parties."""
    world = make_world()
    for organisation, lead in (
        (world.tidewater, world.chidi),
        (world.harbour, world.hana),
        (world.riverside, world.nadia),
    ):
        party = invite_organisation(
            partnership=world.partnership,
            organisation=organisation,
            role="member",
            reason="We need them.",
            author=world.amina,
            now=world.now,
        )
        answer_invitation(party=party, accept=True, reason="", author=lead, now=world.now)
    return world


def prepare(page: Any, origin: str, world: World, title: str) -> None:
    """Prepare a round as Amina, with everyone in `PEOPLE` invited and Mo as the agreed reader of comments.

    The page shows the draft again at the end, ready to open.
    """
    enter(page, origin, world.amina)
    page.goto(origin + reverse("surveys:overview", args=[world.partnership.pk]))
    page.get_by_role("link", name="Prepare a survey").click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Last day to answer").fill(f"{in_days(14):%d/%m/%Y}")
    page.get_by_label("Who reads comments before the members do?").fill(moderator_of(world).email)
    page.get_by_role("button", name="Prepare survey").click()
    for group, addresses in PEOPLE.items():
        page.get_by_role("link", name="Add people").click()
        page.get_by_label("Which group do they answer for?").select_option(label=group)
        page.get_by_label("Email addresses").fill("\n".join(addresses))
        page.get_by_role("button", name="Add to survey").click()
    click_to_next_page(page.get_by_role("button", name="Ask them to agree"))
    expect(page.get_by_role("button", name="Open and send invitations")).to_have_count(0)
    draft = page.url
    enter(page, origin, moderator_of(world))
    page.goto(origin + reverse("surveys:agree", args=[Round.objects.get(title=title).pk]))
    expect(page.locator("tr", has_text="tidewater.example").get_by_role("cell").last).to_have_text("4")
    page.get_by_label("Yes, I agree to read them").check()
    click_to_next_page(page.get_by_role("button", name="Answer"))
    enter(page, origin, world.amina)
    page.goto(draft)


def answer(page: Any, origin: str, *, shift: int) -> None:
    """Send the answers of eighteen people: the first councillor in the browser by keyboard, the others over HTTP."""
    links = {
        email.to[0]: link[0]
        for email in deliver()
        if (link := re.search(r"/surveys/answer/\w+/", str(email.body))) is not None
    }
    assert len(links) == 19
    page.context.clear_cookies()
    page.goto(origin + links.pop("ben@westmarch.example"))
    page.get_by_label("Councils and authorities", exact=True).focus()
    page.keyboard.press("Space")
    page.locator(f'input[name="score-trust"][value="{2 + shift}"]').check()
    page.get_by_role("button", name="Send answers").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your answers")
    assert not [cooky for cooky in page.context.cookies() if cooky["name"] == django_settings.SESSION_COOKIE_NAME]
    del links["oscar@riverside.example"]  # so that four of the five other bodies' people answer
    for address, path in links.items():
        group = GROUPS.get(address.partition("@")[2].partition(".")[0], "other")
        score = {"council": 2 + shift, "association": 4, "other": 3}[group]
        response = Client().post(path, {"group": group, "score-trust": score, "score-sharing_plans": score})
        assert response.status_code == 302


def close(title: str) -> Round:
    """Close the round as the worker does on the morning after its last day, then set that day to 70 days ago."""
    survey_round = Round.objects.get(title=title)
    services.close_due(now=morning_after(survey_round))
    Round.objects.filter(pk=survey_round.pk).update(closes_on=timezone.localdate() - dt.timedelta(days=70))
    survey_round.refresh_from_db()
    assert survey_round.is_closed
    return survey_round


def test_nineteen_people_of_five_bodies_are_asked_twice_and_see_what_was_done(
    page: Any, live_server: Any, five_bodies: World
) -> None:
    world, origin = five_bodies, live_server.url
    moderator_of(world)
    drop_emails()

    prepare(page, origin, world, "How are we doing?")
    looks_right(page)
    page.get_by_role("button", name="Open and send invitations").click()
    expect(page.locator("main")).to_contain_text("19 people were asked.")
    answer(page, origin, shift=0)
    first_round = close("How are we doing?")
    check_nothing_is_left_of_answers()
    enter(page, origin, world.vera)
    page.goto(origin + first_round.get_absolute_url())
    expect(trust_row(page).locator('[data-label="Other organisations"]')).to_have_text("not shown")
    looks_right(page)
    check_readers(first_round, world)

    enter(page, origin, world.amina)
    page.goto(origin + first_round.get_absolute_url())
    click_to_next_page(trust_row(page).get_by_role("link", name="Act on this result"))
    act_url = page.url
    make_ask(page)
    page.goto(act_url)
    make_commitment(page)
    assert Action.objects.filter(round=first_round, theme="trust").count() == 2
    assert Entry.objects.get().partnership == world.partnership

    drop_emails()
    prepare(page, origin, world, "And now?")
    click_to_next_page(page.get_by_role("button", name="Open and send invitations"))
    answer(page, origin, shift=1)
    second_round = close("And now?")
    enter(page, origin, world.ben)
    page.goto(origin + second_round.get_absolute_url())
    change = trust_row(page).locator('[data-label="Change since round 1"]')
    expect(change).to_have_text(re.compile(r"^\s*up 0\.\d\s*$"))
    actions = page.locator("section", has=page.get_by_role("heading", name="What has been done about the results"))
    expect(actions.locator("li", has_text=ASK)).to_contain_text("after round 1")
    expect(actions.locator("li", has_text=PROMISE)).to_contain_text("after round 1")
    looks_right(page)


def trust_row(page: Any) -> Any:
    """Return the row of the results about trust."""
    return page.locator("tr", has_text="Trust and candour")


def check_nothing_is_left_of_answers() -> None:
    """Check that no figure shows the four answers of the smallest group, and that answers and tokens are deleted."""
    assert not Figure.objects.filter(group="other").exists()
    assert not SealedAnswer.objects.exists()
    assert not Token.objects.exists()


def check_readers(survey_round: Round, world: World) -> None:
    """Check that the PDF file hides the smallest group, and that administrators may not read the results."""
    pdf = signed_in(world.vera).get(reverse("surveys:pdf", args=[world.partnership.pk, survey_round.number]))
    pdf_text = " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(pdf.content)).pages)
    assert "not shown" in pdf_text
    assert signed_in(world.dee).get(survey_round.get_absolute_url()).status_code == 404


def make_ask(page: Any) -> None:
    """Make an ask from the page of a result."""
    page.get_by_role("link", name="Make an ask").click()
    expect(page.get_by_label("Title")).to_have_value("Trust and candour")
    page.get_by_label("Title").fill(ASK)
    page.get_by_label("Theme").select_option("land")
    page.get_by_role("button", name="Share ask or offer").click()
    expect(page.get_by_role("link", name="Survey “How are we doing?”: Trust and candour")).to_be_visible()


def make_commitment(page: Any) -> None:
    """Make a commitment from the page of a result."""
    page.get_by_role("link", name="Make a commitment").click()
    expect(page.get_by_label("What is promised")).to_have_value("Trust and candour")
    page.get_by_label("What is promised").fill(PROMISE)
    for label, name in (
        ("Organisation that gives", "Larkhaven Homes"),
        ("Organisation that receives", "Westmarch Borough Council"),
        ("Owner", "Eddie Larch"),
    ):
        page.get_by_label(label).fill(name)
        page.get_by_role("option", name=name).first.click()
    page.get_by_label("Due date").fill(f"{in_days(90):%d/%m/%Y}")
    page.get_by_role("button", name="Propose commitment").click()
    expect(page.get_by_role("link", name="Survey “How are we doing?”: Trust and candour")).to_be_visible()
