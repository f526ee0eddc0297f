"""Pages behind links work without an account or cookies.

People follow a public plan, manage their subscriptions and ask for new links.
"""

from __future__ import annotations

import datetime as dt
import re
from html import unescape

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Delivery, Preference, Subscription
from partnerships.digests.services.emails import MAX_LINKS_A_DAY
from partnerships.digests.views.public import MAX_PER_HOUR
from partnerships.kit.dates import long_date
from partnerships.outbox.bounces import suppress_address
from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.digests.conftest import PostOffice, html_of, play, publish, text_of
from tests.digests.test_consent import ask
from tests.support.ledger import rewrite
from tests.support.pages import collapse, tight
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture(autouse=True)
def nobody_asked_yet(db: None) -> None:
    """Reset the counters of requested emails, so that no limit is reached."""
    cache.clear()


@pytest.fixture
def bearer() -> Client:
    """Return a browser without cookies that enforces CSRF checks."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def sols_subscription(world: World, plan: Plan) -> Subscription:
    """Return Sol's subscription, which Larkhaven added and Sol confirmed."""
    return services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )


@pytest.fixture
def unanswered_subscription(world: World, plan: Plan) -> Subscription:
    """Return Sol's subscription, which Larkhaven asked about and Sol has not answered."""
    return ask(world, plan)


def token(person: User, purpose: Purpose, *, days: int = 0, number: int = 0) -> str:
    """Return the token of one of this person's links, made a number of days ago."""
    made_at = timezone.now() - dt.timedelta(days=days)
    key = Preference.objects.get(person=person).link_key
    return make(purpose, person_id=person.pk, link_key=key, record_id=number, minute=minute_of(made_at))


def manage(person: User) -> str:
    """Return the path of the person's preferences page by link."""
    return reverse("digests:preferences", kwargs={"token": token(person, Purpose.PREFERENCES)})


def answer_link(unanswered_subscription: Subscription) -> str:
    """Return the path of the page behind the button in the confirmation email."""
    return reverse(
        "digests:confirm",
        kwargs={"token": token(unanswered_subscription.person, Purpose.CONFIRM, number=unanswered_subscription.pk)},
    )


def act(browser: Client, subscription: Subscription, verb: str, **data: str) -> str:
    """Press a button on the preferences page, and return the page that follows."""
    address = f"{manage(subscription.person)}{subscription.pk}/{verb}/"
    response = browser.post(address, data)
    assert response.status_code == 302
    return str(browser.get(response["Location"]).content.decode())


def link_in(email: object, page: str) -> str:
    """Return the path of a digests page that is linked in an email."""
    match = re.search(rf"https?://[^/\s]+(/digests/{page}/\S+)", text_of(email))  # type: ignore[arg-type]
    assert match is not None
    return match[1]


# ---- Managing


def test_opening_an_answered_confirmation_email_shows_the_current_status(
    unanswered_subscription: Subscription, bearer: Client
) -> None:
    bearer.post(answer_link(unanswered_subscription), {"answer": "yes"})
    page_when_confirmed = bearer.get(answer_link(unanswered_subscription)).content.decode()
    act(bearer, unanswered_subscription, "pause")
    page_when_paused = bearer.post(answer_link(unanswered_subscription), {"answer": "yes"}).content.decode()
    suppress_address(
        address=unanswered_subscription.person.email, reason="Gone.", email_id=None, author_id=None, now=timezone.now()
    )
    page_when_suppressed = bearer.get(answer_link(unanswered_subscription)).content.decode()

    assert "Digests about Harbour Quarter go to s...@council.example" in collapse(page_when_confirmed)
    assert "and paused them later. Digests about Harbour Quarter start again when you resume them" in collapse(
        page_when_paused
    )
    assert reverse("digests:new-links") in page_when_paused
    assert (
        "We could not deliver emails to s...@council.example, so we have stopped sending emails there"
        in page_when_suppressed
    )
    for page in (page_when_paused, page_when_suppressed):
        assert "go to" not in page


def test_a_subscription_paused_by_link_catches_up_when_it_resumes(
    world: World, plan: Plan, sols_subscription: Subscription, bearer: Client, office: PostOffice
) -> None:
    page_when_paused = act(bearer, sols_subscription, "pause")
    publish(plan, 100, author=world.amina)
    play(office)
    count_while_paused = len(office.to(world.sol))
    page_when_resumed = act(bearer, sols_subscription, "resume")
    play(office)

    assert "Digests about Harbour Quarter are paused" in page_when_paused
    assert "Digests about Harbour Quarter are on again" in page_when_resumed
    assert count_while_paused == 0
    assert "was 120, now 100" in text_of(office.to(world.sol)[0])


def test_the_link_changes_the_frequency_of_one_subscription(sols_subscription: Subscription, bearer: Client) -> None:
    page = act(bearer, sols_subscription, "frequency", frequency="weekly")

    sols_subscription.refresh_from_db()
    assert sols_subscription.frequency == "weekly"
    assert '<option value="weekly" selected>' in tight(page)


def test_a_subscription_stopped_by_link_counts_as_refused(sols_subscription: Subscription, bearer: Client) -> None:
    act(bearer, sols_subscription, "stop")

    sols_subscription.refresh_from_db()
    assert sols_subscription.is_ended
    assert sols_subscription.was_refused_recently(timezone.now())


def test_the_link_sends_the_confirmation_email_again_up_to_a_daily_limit(
    world: World, unanswered_subscription: Subscription, bearer: Client, office: PostOffice
) -> None:
    rewrite(created_at=timezone.now() - dt.timedelta(days=2))
    office.drain()

    page = act(bearer, unanswered_subscription, "again")
    for _ in range(MAX_LINKS_A_DAY):
        act(bearer, unanswered_subscription, "again")
    office.drain()

    unanswered_subscription.refresh_from_db()
    assert unanswered_subscription.is_waiting
    assert "We have sent you an email to confirm digests about Harbour Quarter." in page
    assert len(office.to(world.sol)) == 1 + MAX_LINKS_A_DAY


def test_the_confirmation_message_does_not_name_what_others_follow(
    world: World, plan: Plan, public_plan: Plan, sols_subscription: Subscription, bearer: Client
) -> None:
    bens_subscription = services.add_confirmed_subscription(
        person=world.ben, target=public_plan, author=None, now=timezone.now()
    )

    page = bearer.get(f"{manage(world.sol)}?done=pause&about={bens_subscription.pk}").content.decode()

    assert "Digests about it are paused" in page


def test_a_broken_link_offers_a_new_one_and_reveals_nothing(sols_subscription: Subscription, bearer: Client) -> None:
    links = [manage(sols_subscription.person)[:-4] + "xyz/", reverse("digests:stop", kwargs={"token": "nobody"})]

    pages = [bearer.get(link) for link in links]

    assert [page.status_code for page in pages] == [404, 404]
    assert pages[0].content == pages[1].content
    assert reverse("digests:new-links") in pages[0].content.decode()


def test_confirming_sets_the_chosen_frequency_and_shows_the_next_digest(
    unanswered_subscription: Subscription, bearer: Client
) -> None:
    question = bearer.get(answer_link(unanswered_subscription)).content.decode()
    page_after = bearer.post(
        answer_link(unanswered_subscription), {"answer": "yes", "frequency": "daily"}
    ).content.decode()

    unanswered_subscription.refresh_from_db()
    assert '<option value="at_once" selected>' in collapse(question)
    assert unanswered_subscription.status == "confirmed"
    assert unanswered_subscription.frequency == "daily"
    assert re.search(r"Next digest: \w+ \d+ \w+ \d{4}, 08:00, if something has changed by then", page_after)


@pytest.mark.parametrize("frequency", ["at_once", "hourly", ""])
def test_confirming_with_the_usual_or_no_frequency_sets_none(
    unanswered_subscription: Subscription, bearer: Client, frequency: str
) -> None:
    bearer.post(answer_link(unanswered_subscription), {"answer": "yes", "frequency": frequency})

    unanswered_subscription.refresh_from_db()
    assert unanswered_subscription.status == "confirmed"
    assert unanswered_subscription.frequency == ""


def test_somebody_who_stopped_by_mistake_is_shown_how_to_undo_it(
    sols_subscription: Subscription, bearer: Client
) -> None:
    link = reverse("digests:stop", kwargs={"token": token(sols_subscription.person, Purpose.STOP)})

    question_page = bearer.get(link).content.decode()
    stopped_page = bearer.post(link, {"List-Unsubscribe": "One-Click"}).content.decode()
    question_page_after = bearer.get(link).content.decode()

    for page in (question_page, stopped_page, question_page_after):
        assert reverse("digests:new-links") in page


def test_the_preferences_page_works_without_scripts_cookies_or_an_account(
    sols_subscription: Subscription, bearer: Client
) -> None:
    page = bearer.get(manage(sols_subscription.person))

    assert page.status_code == 200
    assert not page.cookies
    assert "csrfmiddlewaretoken" not in page.content.decode()
    assert "Harbour Quarter" in page.content.decode()
    for verb in ("pause", "stop", "frequency"):
        assert f"/{sols_subscription.pk}/{verb}/" in page.content.decode()


def test_nobody_can_change_subscriptions_of_others(
    world: World, plan: Plan, sols_subscription: Subscription, bearer: Client
) -> None:
    bens_subscription = services.add_confirmed_subscription(
        person=world.ben, target=plan, author=None, now=timezone.now()
    )

    post_to_other = bearer.post(f"{manage(world.sol)}{bens_subscription.pk}/stop/")
    get_of_own = bearer.get(f"{manage(world.sol)}{sols_subscription.pk}/stop/")

    bens_subscription.refresh_from_db()
    sols_subscription.refresh_from_db()
    assert post_to_other.status_code == 404
    assert get_of_own.status_code == 405
    assert bens_subscription.is_confirmed
    assert sols_subscription.is_confirmed


def test_a_pause_must_end_in_the_future_and_can_be_ended_early(
    world: World, plan: Plan, sols_subscription: Subscription, bearer: Client, office: PostOffice
) -> None:
    choice = {"frequency": "at_once", "hour": "8", "weekday": "0", "time_zone": "Europe/London"}

    def pause_until(day: dt.date) -> dict[str, str]:
        return choice | {
            "paused_until": day.isoformat(),
        }

    refused_answer = bearer.post(manage(world.sol), pause_until(timezone.localdate()))
    accepted_answer = bearer.post(manage(world.sol), pause_until(timezone.localdate() + dt.timedelta(days=3)))
    page = bearer.get(manage(world.sol)).content.decode()
    publish(plan, 100, author=world.amina)
    play(office)
    count_while_paused = len(office.sent)
    bearer.post(manage(world.sol), {"resume": "yes"})
    play(office)

    assert refused_answer.status_code == 422
    assert "Enter a day in the future" in refused_answer.content.decode()
    assert accepted_answer.status_code == 302
    assert "All your digests are paused until" in page
    assert count_while_paused == 0
    assert len(office.to(world.sol)) == 1


def test_a_pause_that_is_over_is_not_shown(sols_subscription: Subscription, bearer: Client) -> None:
    Preference.objects.filter(person=sols_subscription.person).update(
        paused_until=timezone.localdate() - dt.timedelta(days=9)
    )

    page = bearer.get(manage(sols_subscription.person)).content.decode()

    assert "are paused until" not in page
    assert 'name="paused_until"' in page
    assert not re.search(r'name="paused_until"\s+value="\d', page)


def test_a_pause_to_come_is_said_and_can_be_cancelled(sols_subscription: Subscription, bearer: Client) -> None:
    start = timezone.localdate() + dt.timedelta(days=5)
    end = timezone.localdate() + dt.timedelta(days=9)
    Preference.objects.filter(person=sols_subscription.person).update(paused_from=start, paused_until=end)

    page_before = " ".join(bearer.get(manage(sols_subscription.person)).content.decode().split())
    page_after = bearer.post(manage(sols_subscription.person), {"resume": "yes"}, follow=True).content.decode()

    assert f"All your digests will be paused from {long_date(start)} until {long_date(end)}." in page_before
    assert "The pause has been cancelled" in page_after
    assert "All your digests will be paused" not in page_after


def test_a_pause_to_come_is_said_on_the_page_of_choices(world: World) -> None:
    start = timezone.localdate() + dt.timedelta(days=5)
    end = timezone.localdate() + dt.timedelta(days=9)
    Preference.objects.update_or_create(person=world.ben, defaults={"paused_from": start, "paused_until": end})
    client = signed_in(world.ben)

    page_before = " ".join(client.get(reverse("digests:manage")).content.decode().split())
    page_after = client.post(reverse("digests:manage"), {"resume": "yes"}, follow=True).content.decode()

    assert f"All your digests will be paused from {long_date(start)} until {long_date(end)}." in page_before
    assert "The pause has been cancelled" in page_after


# ---- New links


def test_an_expired_link_sends_new_links_to_its_own_address(
    world: World, plan: Plan, sols_subscription: Subscription, bearer: Client, office: PostOffice
) -> None:
    publish(plan, 100, author=world.amina)
    play(office)
    old_token = token(world.sol, Purpose.PREFERENCES, days=31)

    expired_page = bearer.get(reverse("digests:preferences", kwargs={"token": old_token}))
    response = bearer.post(reverse("digests:renew", kwargs={"purpose": "preferences", "token": old_token}))
    office.drain()
    email = office.to(world.sol)[-1]

    assert expired_page.status_code == 410
    assert (
        reverse("digests:renew", kwargs={"purpose": "preferences", "token": old_token}) in expired_page.content.decode()
    )
    assert response.status_code == 200
    assert world.sol.email not in response.content.decode()  # another person may have the old email
    assert email["Subject"] == "New links for your digests"
    for page in ("preferences", "read", "stop"):
        path = link_in(email, page)
        assert path in html_of(email)
        assert bearer.get(path).status_code == 200


def test_a_late_answer_sends_the_confirmation_email_again(
    world: World, unanswered_subscription: Subscription, bearer: Client, office: PostOffice
) -> None:
    rewrite(created_at=timezone.now() - dt.timedelta(days=20))
    old_token = token(world.sol, Purpose.CONFIRM, days=20, number=unanswered_subscription.pk)
    office.drain()

    bearer.post(reverse("digests:renew", kwargs={"purpose": "confirm", "token": old_token}))
    office.drain()
    bearer.post(link_in(office.to(world.sol)[-1], "confirm"), {"answer": "yes"})

    unanswered_subscription.refresh_from_db()
    assert unanswered_subscription.is_confirmed


def test_asking_for_new_links_does_not_reveal_who_gets_digests(
    world: World, sols_subscription: Subscription, office: PostOffice
) -> None:
    browser = Client()

    page_for_known = browser.post(reverse("digests:new-links"), {"email": world.sol.email.upper()}).content.decode()
    page_for_unknown = browser.post(reverse("digests:new-links"), {"email": "nobody@council.example"}).content.decode()
    play(office)

    assert page_for_known.replace(world.sol.email, "X") == page_for_unknown.replace("nobody@council.example", "X") or (
        page_for_known.replace(world.sol.email.upper(), "X") == page_for_unknown.replace("nobody@council.example", "X")
    )
    assert [outgoing.recipient for outgoing in office.sent] == [world.sol.email]
    assert not User.objects.filter(email="nobody@council.example").exists()


def test_requests_for_new_links_are_limited_per_address(
    world: World, sols_subscription: Subscription, office: PostOffice
) -> None:
    for _ in range(MAX_LINKS_A_DAY + 3):
        services.send_links(person=world.sol, now=timezone.now())
    office.drain()

    assert len(office.sent) == MAX_LINKS_A_DAY


def test_a_forged_token_gets_no_new_link(sols_subscription: Subscription, bearer: Client) -> None:
    valid_token = token(sols_subscription.person, Purpose.PREFERENCES, days=31)

    for purpose, sent_token in (
        ("stop", valid_token),
        ("nothing", valid_token),
        ("preferences", f"{valid_token[:-1]}x"),
        ("preferences", "1.2.3"),
    ):
        response = bearer.post(reverse("digests:renew", kwargs={"purpose": purpose, "token": sent_token}))
        assert response.status_code == 404
    assert not Delivery.objects.filter(kind="digests.links").exists()


def test_requests_for_emails_are_limited_per_ip_address(world: World, sols_subscription: Subscription) -> None:
    client = Client()

    with time_machine.travel(timezone.now(), tick=False):  # in a new hour, the count would start again
        *permitted_responses, last_response = [
            client.post(reverse("digests:new-links"), {"email": "a@b.example"}) for _ in range(MAX_PER_HOUR + 1)
        ]

    assert {response.status_code for response in permitted_responses} == {200}
    assert last_response.status_code == 429


# ---- Following a public plan


def test_anybody_can_follow_a_public_plan_by_confirming_an_email(
    world: World, public_plan: Plan, office: PostOffice
) -> None:
    browser = Client()
    page = browser.get(public_plan.get_absolute_url()).content.decode()
    address = reverse("digests:follow", kwargs={"plan": public_plan.pk})
    form = browser.get(address)
    response = browser.post(address, {"email": "Resident@street.example", "name": "Rose", "frequency": "at_once"})
    had_account = User.objects.filter(email="resident@street.example").exists()
    publish(public_plan, 60, author=world.amina)
    play(office)
    [email] = [outgoing for outgoing in office.sent if outgoing.recipient == "resident@street.example"]
    rose = User.objects.get(email="resident@street.example")
    browser.post(link_in(office.to(rose)[0], "confirm"), {"answer": "yes"})
    publish(public_plan, 70, author=world.amina)
    play(office)

    assert address in page
    assert form.status_code == 200
    assert response.status_code == 200
    assert not had_account
    assert "someone who entered your address, asked for digests about Open Quay" in text_of(office.to(rose)[0]).replace(
        "\n", " "
    )
    assert email is not None
    assert rose.name == ""  # a name typed by a stranger is not kept
    digest = text_of(office.to(rose)[1])
    assert "was 60, now 70" in digest
    assert "you follow Open Quay" in digest
    assert len(office.to(rose)) == 2


def test_a_plan_that_is_not_public_can_only_be_followed_by_its_readers(world: World, plan: Plan) -> None:
    assert Client().get(reverse("digests:follow", kwargs={"plan": plan.pk})).status_code == 404
    assert Client().get(reverse("digests:follow", kwargs={"plan": 10**9})).status_code == 404


def test_typing_an_address_does_not_change_its_owners_decisions(
    world: World, public_plan: Plan, office: PostOffice
) -> None:
    paused_subscription = services.add_confirmed_subscription(
        person=world.sol, target=public_plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    services.pause(subscription=paused_subscription, author=world.sol, now=timezone.now())

    services.ask_for(email=world.sol.email, target=public_plan, frequency="daily", now=timezone.now())
    office.drain()

    paused_subscription.refresh_from_db()
    world.sol.refresh_from_db()
    assert paused_subscription.is_paused
    assert paused_subscription.frequency == ""
    assert world.sol.name == "Sol Stake"
    assert [email["Subject"] for email in office.to(world.sol)] == ["New links for your digests"]


def test_a_suppressed_address_gets_no_confirmation_email(world: World, public_plan: Plan) -> None:
    from partnerships.outbox.bounces import suppress_address

    suppress_address(address=world.sol.email, reason="It came back.", email_id=None, author_id=None, now=timezone.now())

    services.ask_for(email=world.sol.email, target=public_plan, now=timezone.now())

    assert not Delivery.objects.exists()
    assert not Subscription.objects.exists()


def test_a_plan_no_longer_readable_by_link_points_to_the_preferences_page(
    world: World, plan: Plan, sols_subscription: Subscription, bearer: Client, office: PostOffice
) -> None:
    publish(plan, 100, author=world.amina)
    play(office)
    email = Delivery.objects.get(kind="digests.digest")
    link = {"token": token(world.sol, Purpose.READ, number=email.pk), "plan": plan.pk}
    services.stop(subscriptions=[sols_subscription], author=world.amina, reason="Ended.", now=timezone.now())

    response = bearer.get(reverse("digests:read", kwargs=link))

    assert response.status_code == 404
    assert "You have stopped following this, or you no longer have access to it" in response.content.decode()
    assert "Harbour Quarter" not in response.content.decode()
    assert reverse("digests:new-links") in response.content.decode()


def test_a_stakeholder_compares_two_versions_through_an_emails_link(
    world: World, plan: Plan, sols_subscription: Subscription, bearer: Client, office: PostOffice
) -> None:
    sections = [
        {"key": "vision", "title": "Vision", "body": "Homes by the water."},
        {"key": "needs", "title": "Needs", "body": ""},
        {"key": "inside", "title": "Inside canary", "body": "Not for them.", "restricted": True},
    ]
    publish(plan, 100, author=world.amina, sections=sections, note="Fewer homes after the survey.")
    play(office)
    link = re.search(r"https?://[^/\s]+(/digests/read/\S+/\d+/)", text_of(office.to(world.sol)[-1]))
    assert link is not None

    page = tight(unescape(bearer.get(link[1]).content.decode()))

    assert "What changed in Harbour Quarter" in page
    assert "Homes before and now" in page
    assert re.search(r"All homes</th><td[^>]*>120</td><td[^>]*>100</td>", page)
    assert "Vision</h2>" in page
    assert "Needs</h2>" not in page
    assert "canary" not in page
