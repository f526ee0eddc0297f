"""The ledger of digests says which emails were sent or left out, why, and who was asked.

Reading the ledger gives nobody the rights of the reader of an email.
"""

from __future__ import annotations

import re
from functools import reduce
from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.pages import as_sent
from partnerships.digests.models import Delivery, Subscription, Watermark
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox.answers import Answer, Outcome
from partnerships.outbox.bounces import note_bounce, suppress_address
from partnerships.outbox.models import Bounce, Email, Suppression
from partnerships.outbox.parts import HIDDEN, Recipe
from partnerships.people.models import User
from partnerships.people.personal_data import erase_person
from partnerships.plans.models import Plan
from partnerships.plans.services import change_audience
from tests.digests.conftest import PostOffice, html_of, play, publish, text_of
from tests.people.test_leaving_and_erasing import read_all_rows
from tests.support.pages import collapse
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World


def page(person: User, name: str, **kwargs: object) -> str:
    """Return a page as this person sees it."""
    client = signed_in(person)
    response = client.get(reverse(f"digests:{name}", kwargs=kwargs))
    assert response.status_code == 200
    return response.content.decode()


def ask(world: World, plan: Plan) -> Subscription:
    """Ask Sol about a plan, on behalf of Larkhaven."""
    return services.add_stakeholder(
        email=world.sol.email,
        name="",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        why="you chair the tenant panel",
        now=timezone.now(),
    )


def follow(world: World, plan: Plan) -> Subscription:
    """Make Ben follow a plan."""
    return services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())


def test_the_ledger_shows_what_was_not_sent_because_access_was_lost(
    world: World, plan: Plan, office: PostOffice
) -> None:
    follow(world, plan)
    version = publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())
    leave_partnership_as_westmarch(world)
    office.drain()

    email = Delivery.objects.get()

    assert not office.sent
    for html in (page(world.amina, "entry", pk=email.pk), page(world.amina, "ledger")):
        reason = "left out because the recipient could no longer read it"
        assert f"Harbour Quarter, version 1 to {version.number}: {reason}" in html
    assert Watermark.objects.get(recipient=world.ben, plan=plan).number == 1


def test_what_is_left_out_of_a_digest_is_in_the_ledger_and_stays_unsent(
    world: World, plan: Plan, public_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan)
    follow(world, public_plan)
    publish(plan, 100, author=world.amina)
    publish(public_plan, 60, author=world.amina)
    plan_round(now=timezone.now())
    services.stop(
        subscriptions=Subscription.objects.filter(plan=plan), author=world.ben, reason="Enough.", now=timezone.now()
    )
    office.drain()

    [message] = office.to(world.ben)
    email = Delivery.objects.get()

    assert "was 50, now 60" in text_of(message)
    assert "Harbour Quarter" not in text_of(message)
    assert "left out because the recipient no longer followed it" in page(world.amina, "entry", pk=email.pk)
    assert Watermark.objects.get(recipient=world.ben, plan=plan).number == 1
    assert Watermark.objects.get(recipient=world.ben, plan=public_plan).number == 2


def test_a_digest_sent_again_says_no_more_than_the_first(
    world: World, plan: Plan, public_plan: Plan, office: PostOffice
) -> None:
    subscription = follow(world, plan)
    follow(world, public_plan)
    publish(plan, 100, author=world.amina)
    publish(public_plan, 60, author=world.amina)
    plan_round(now=timezone.now())
    services.stop(subscriptions=[subscription], author=world.ben, reason="Enough.", now=timezone.now())
    office.drain()
    services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())

    services.send_again(delivery=Delivery.objects.get(), author=world.amina, reason="He lost it.", now=timezone.now())
    office.drain()

    assert len(office.to(world.ben)) == 2
    assert "Harbour Quarter" not in text_of(office.to(world.ben)[1])


def test_a_digest_is_not_sent_again_without_a_reason(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    publish(plan, 100, author=world.amina)
    play(office)

    with pytest.raises(services.UnableToSendAgain, match="Enter a reason"):
        services.send_again(delivery=Delivery.objects.get(), author=world.amina, reason=" ", now=timezone.now())


def test_digests_that_failed_are_sent_again_together(
    world: World, plan: Plan, public_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan)
    services.subscribe(person=world.chidi, target=public_plan, author=world.chidi, now=timezone.now())
    for person in (world.ben, world.chidi):
        office.answers[person.email] = [Answer(0, Outcome.REFUSED, "554 5.6.0 Refused")]
    publish(plan, 100, author=world.amina)
    publish(public_plan, 60, author=world.amina)
    plan_round(now=timezone.now())
    office.drain()
    row_ids = ",".join(str(delivery.pk) for delivery in Delivery.objects.order_by("pk"))
    address = f"{reverse('lists:bulk', args=['ledger'])}?action=again&rows={row_ids}"

    answer_to_other = signed_in(world.eddie).get(address)
    question_page = signed_in(world.amina).get(address).content.decode()
    page_after = signed_in(world.amina).post(address, follow=True).content.decode()
    office.drain()

    assert answer_to_other.status_code == 403
    assert "Send again: 2" in collapse(question_page)
    assert "will be sent again" in page_after
    assert [len(office.to(person)) for person in (world.ben, world.chidi)] == [1, 1]
    assert "These emails are still on their way." not in question_page


def test_leads_see_who_was_asked_when_and_whether_the_email_was_sent(
    world: World, plan: Plan, office: PostOffice
) -> None:
    subscription = ask(world, plan)
    office.drain()
    today = f"{timezone.localdate():%-d %B %Y}"
    page_before = page(world.amina, "stakeholder", pk=subscription.pk)
    email = Delivery.objects.get(kind="digests.confirmation")
    entry = page(world.amina, "entry", pk=email.pk)
    readers_page = page(world.amina, "who", pk=plan.pk)
    services.confirm(subscription=subscription, now=timezone.now())
    page_after = page(world.amina, "stakeholder", pk=subscription.pk)
    services.stop(subscriptions=[subscription], author=world.sol, reason="Stopped by the person.", now=timezone.now())

    assert f"Confirmation email</dt> <dd> {today}: sent" in collapse(page_before)
    assert "Ask again" in page_before
    assert "Asks whether they want digests about Harbour Quarter" in entry
    assert "Ask again" in entry
    assert "People who have not answered yet" in readers_page
    assert f"<dt>Confirmed</dt> <dd>{today}</dd>" in collapse(page_after)
    assert "Ask again" not in page_after
    page_when_stopped = page(world.amina, "stakeholder", pk=subscription.pk)
    assert "Stopped by the person. Only they can ask for these digests again." in page_when_stopped


def test_adding_a_waiting_or_confirmed_stakeholder_again_is_refused(
    world: World, plan: Plan, office: PostOffice
) -> None:
    subscription = ask(world, plan)
    address = reverse("digests:add-stakeholder", kwargs={"kind": "plan", "pk": plan.pk})
    form_data = {"email": world.sol.email.upper(), "organisation": world.larkhaven.pk}

    answer_while_waiting = signed_in(world.amina).post(address, form_data)
    services.confirm(subscription=subscription, now=timezone.now())
    answer_when_confirmed = signed_in(world.amina).post(address, form_data)

    assert answer_while_waiting.status_code == 422
    assert answer_when_confirmed.status_code == 422
    assert "they have not answered yet" in answer_while_waiting.content.decode()
    assert "and they confirmed" in answer_when_confirmed.content.decode()
    assert Delivery.objects.filter(kind="digests.confirmation").count() == 1


def test_tabs_only_lead_to_pages_their_reader_may_open(world: World, plan: Plan) -> None:
    tabs = (reverse("digests:stakeholders"), reverse("digests:ledger"), reverse("digests:due"))

    aminas_tabs, eddies_tabs, dees_tabs = (
        {tab for tab in tabs if f'href="{tab}"' in page(person, name)}
        for person, name in ((world.amina, "ledger"), (world.eddie, "stakeholders"), (world.dee, "ledger"))
    )

    assert aminas_tabs == set(tabs)
    assert eddies_tabs == {tabs[0]}
    assert dees_tabs == set(tabs[1:])


def test_an_editor_who_follows_is_counted_among_the_next_readers(world: World, plan: Plan) -> None:
    services.subscribe(person=world.eddie, target=plan, author=world.eddie, now=timezone.now())
    services.subscribe(person=world.amina, target=plan, author=world.amina, now=timezone.now())

    eddies_page = page(world.eddie, "who", pk=plan.pk)
    aminas_page = page(world.amina, "who", pk=plan.pk)

    assert "We will email 2 people about the next version" in eddies_page
    assert "We will email 1 person about the next version" in aminas_page
    assert "so you are not in this list" in collapse(aminas_page)


def test_telling_a_role_shows_how_many_people_have_it_today(world: World, plan: Plan) -> None:
    lead = signed_in(world.amina)

    pages = [
        lead.post(reverse("digests:tell-role", kwargs={"kind": kind, "pk": thing.pk}), follow=True).content.decode()
        for kind, thing in (("plan", plan), ("partnership", world.partnership))
    ]

    assert "go to leads of the organisations that must sign. Each person can stop them." in pages[0]
    assert "People who get them today: nobody yet." in pages[0]
    assert re.search(
        r"go to everyone who acts for an organisation in the partnership. .* People who get them today: [1-9]", pages[1]
    )


def test_the_plan_page_says_which_other_subscription_covers_it(world: World, plan: Plan) -> None:
    services.subscribe(person=world.ben, target=world.larkhaven, author=world.ben, now=timezone.now())

    card = signed_in(world.ben).get(plan.get_absolute_url()).content.decode()

    assert f"because you follow {world.larkhaven}" in card


@pytest.fixture
def unconfirmed_subscription(world: World, plan: Plan, office: PostOffice) -> Subscription:
    """Return the subscription of Nadia, whom Larkhaven asked by her address, and who has not confirmed it."""
    change_audience(plan=plan, audience="network", reason="Ready.", author=world.amina, now=timezone.now())
    subscription = services.add_stakeholder(
        email=world.nadia.email,
        name="Somebody",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )
    office.drain()
    return subscription


def test_pages_about_an_unconfirmed_subscription_show_its_address_without_a_name(
    world: World, plan: Plan, unconfirmed_subscription: Subscription
) -> None:
    email = Delivery.objects.get(kind="digests.confirmation")
    ask_again_url = reverse("digests:ask-again", args=[unconfirmed_subscription.pk])

    pages = {
        "stakeholders": page(world.amina, "stakeholders"),
        "ledger": page(world.amina, "ledger"),
        "entry": page(world.amina, "entry", pk=email.pk),
        "who": page(world.amina, "who", pk=plan.pk),
        "ask-again": signed_in(world.amina).post(ask_again_url, follow=True).content.decode(),
    }

    assert [name for name, html in pages.items() if world.nadia.email not in html] == []
    assert [name for name, html in pages.items() if world.nadia.name in html] == []


@pytest.mark.usefixtures("unconfirmed_subscription")
def test_page_of_emails_does_not_show_the_name_of_an_unconfirmed_subscription(world: World) -> None:
    html = signed_in(world.amina).get(reverse("web:emails")).content.decode()

    assert world.nadia.name not in html


@pytest.mark.usefixtures("unconfirmed_subscription")
def test_ledger_finds_an_unconfirmed_subscription_only_by_its_address(world: World) -> None:
    client = signed_in(world.amina)
    ledger_url = reverse("digests:ledger")

    page_by_name = client.get(ledger_url, {"q": world.nadia.name}).content.decode()
    page_by_address = client.get(ledger_url, {"q": world.nadia.email}).content.decode()

    assert "Nothing matches these filters" in page_by_name
    assert "Nothing matches these filters" not in page_by_address


def test_page_of_stakeholders_shows_a_name_once_its_reader_has_confirmed(
    world: World, unconfirmed_subscription: Subscription
) -> None:
    services.confirm(subscription=unconfirmed_subscription, now=timezone.now())

    assert world.nadia.name in page(world.amina, "stakeholders")


def test_a_lead_of_another_organisation_sees_nothing_of_who_larkhaven_asked(
    world: World, plan: Plan, office: PostOffice
) -> None:
    ask(world, plan)
    office.drain()
    client = signed_in(world.ben)

    assert "Sol Stake" not in page(world.ben, "ledger")
    assert client.get(reverse("digests:entry", kwargs={"pk": Delivery.objects.get().pk})).status_code == 404


def test_a_ledger_with_more_rows_needs_no_more_queries(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    publish(plan, 100, author=world.amina)
    play(office)
    query_counts = []
    for homes in (90, 80, 70):
        with CaptureQueriesContext(connection) as captured:
            assert page(world.amina, "ledger").count("Harbour Quarter, version") == len(query_counts) + 1
        query_counts.append(len(captured))
        publish(plan, homes, author=world.amina)
        play(office)

    assert query_counts[2] == query_counts[1]


def test_the_digest_as_sent_shows_no_working_links(world: World, plan: Plan, office: PostOffice) -> None:
    services.confirm(subscription=ask(world, plan), now=timezone.now())
    publish(plan, 100, author=world.amina)
    play(office)
    email = Delivery.objects.get(kind="digests.digest")
    links = re.findall(r"/digests/\w+/[^/\s\"]+/", html_of(office.to(world.sol)[-1]))

    page_as_sent = page(world.amina, "as-sent", pk=email.pk)

    assert links
    assert "was 120" in page_as_sent
    assert not [link for link in links if link in page_as_sent]
    assert "/digests/stop/not-shown/" in page_as_sent


def test_a_lead_does_not_see_what_waits_for_another_organisations_reader(
    world: World, plan: Plan, office: PostOffice
) -> None:
    follow(world, plan)
    publish(plan, 100, author=world.amina)
    play(office)
    email = Delivery.objects.get()
    client = signed_in(world.amina)

    entry = page(world.amina, "entry", pk=email.pk)

    assert client.get(reverse("digests:as-sent", kwargs={"pk": email.pk})).status_code == 404
    assert "What this email said about your plans" in entry
    assert "was 120, now 100" in entry


#: A recipe as it was stored before the migration: texts, with ids of shared parts between them.
BEFORE = [
    (
        "To: Ben West <ben@westmarch.example>\r\nMessage-ID: <1.ab@localhost>\r\n"
        "Date: Wed, 25 Nov 2026 08:00:00 +0000\r\n"
        "List-Unsubscribe: <http://localhost:8000/digests/stop/2.17.1.jAGIvrpcBemqE_e6CyJ5Bw/>,\r\n"
        " <mailto:digests@localhost?subject=stop%202.17.1.jAGIvrpcBemqE_e6CyJ5Bw>\r\n"
    ),
    11,
    "Ben West=\r\n",
    12,
    "Ben West=\r\n",
    13,
]


def test_an_email_in_doubt_keeps_its_links_after_an_upgrade() -> None:
    migration = import_module("partnerships.digests.migrations.0015_leaner_letters")

    layout, words = migration._anew(BEFORE)

    assert "2.17.1.jAGIvrpcBemqE_e6CyJ5Bw" in words
    assert words.count("Ben West=\r\n") == 1
    body_by_part = {11: "eleven", 12: "twelve", 13: "thirteen"}
    assert Recipe(layout, words).join(body_by_part) == "".join(body_by_part.get(part, part) for part in BEFORE)
    assert migration._as_before(layout, words) == BEFORE


def test_a_stored_email_contains_no_working_tokens(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    publish(plan, 100, author=world.amina)
    play(office)
    email = Delivery.objects.get(kind="digests.digest")
    sent = office.sent[-1].data.decode()
    tokens = set(re.findall(r"(?:/|%20|\n)([0-9a-f]+\.[0-9a-f]+\.[0-9a-f]+\.[\w-]{22})", sent))

    stored_message = as_sent(email)

    assert len(tokens) >= 3
    assert not any(token in stored_message for token in tokens)
    assert stored_message == reduce(lambda text, token: text.replace(token, HIDDEN), tokens, sent)
    assert Email.objects.get(pk=email.pk).tokens is None


# ---- Erasure


def test_erasing_a_stakeholder_clears_their_name_from_emails_and_bounces(
    world: World, plan: Plan, office: PostOffice
) -> None:
    services.confirm(subscription=ask(world, plan), now=timezone.now())
    publish(plan, 100, author=world.amina)
    play(office)
    email = Delivery.objects.get(kind="digests.digest")
    bounce_text = f"550 5.1.1 <{world.sol.email}>: Sol Stake is unknown here"
    note_bounce(
        kind=Bounce.Kind.HARD, address=email.address, text=bounce_text, message_id=email.message_id, now=timezone.now()
    )
    assert world.sol.email in read_all_rows()

    erase_person(person=world.sol, author=world.dee, reason="Asked.", now=timezone.now())

    remaining_rows = read_all_rows()
    email.refresh_from_db()
    assert [line[:400] for line in remaining_rows.splitlines() if "sol@council" in line] == []
    assert "Sol Stake" not in "\n".join(
        str(row) for row in (*Delivery.objects.values_list(), *Bounce.objects.values_list())
    )
    assert email.recipe is None
    assert email.reason == ""
    assert email.items.exists()
    assert Subscription.objects.get(person=world.sol).why == ""


def test_a_mail_servers_reply_is_stored_without_the_address(world: World, plan: Plan) -> None:
    ask(world, plan)

    suppress_address(
        address=world.sol.email,
        reason=f"The mail server refused the address: 550 <{world.sol.email.upper()}> unknown",
        email_id=None,
        author_id=None,
        now=timezone.now(),
    )

    for reason in (Suppression.objects.get().reason, Subscription.objects.get(person=world.sol).reason):
        assert reason == "The mail server refused the address: 550 <the address> unknown"


def test_erasing_an_administrator_keeps_the_suppressions_they_made(world: World, plan: Plan) -> None:
    suppress_address(
        address="gone@council.example",
        reason="It came back.",
        email_id=None,
        author_id=world.dee.pk,
        now=timezone.now(),
    )

    world.dee.is_staff = False
    world.dee.save(update_fields=["is_staff"])
    erase_person(person=world.dee, author=None, reason="Asked.", now=timezone.now())

    assert Suppression.objects.filter(address="gone@council.example").exists()
