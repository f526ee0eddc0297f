"""Stakeholders answer by the link in a digest, and mail scanners that open the link change nothing."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.answers import services
from partnerships.answers.form_tokens import FormSubject, make_form_token
from partnerships.answers.models import Answer, PlanQuestion, WorkRole
from partnerships.answers.services.answering import MAX_A_DAY
from partnerships.digests import services as digests
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Delivery, Preference, Subscription
from partnerships.kit.rights import UnableToAct
from partnerships.outbox.models import Email
from partnerships.plans.models import Plan
from tests.answers.conftest import add_comment_by_link, form_token, page, read_token, send, signed_in
from tests.support.pages import collapse
from tests.world import World


@pytest.fixture
def question(world: World, plan: Plan, digest: Delivery) -> PlanQuestion:
    """Return a question that Larkhaven asks about its plan."""
    return services.ask_question(
        plan=plan,
        title="Which homes are missing?",
        body="Think of older people.",
        closes_on=timezone.localdate() + dt.timedelta(days=14),
        author=world.amina,
        now=timezone.now(),
    )


def test_page_of_the_plan_in_a_digest_leads_to_answering(digest: Delivery, plan: Plan, bearer: Client) -> None:
    token = read_token(digest.recipient, digest)

    html = bearer.get(reverse("digests:read", kwargs={"token": token, "plan": plan.pk})).content.decode()

    assert "Tell the owners of the plan what you think" in html
    assert reverse("answers:by-link", kwargs={"token": token, "plan": plan.pk}) in html


def test_stakeholder_says_that_they_have_read_a_version(digest: Delivery, plan: Plan, bearer: Client) -> None:
    send(bearer, page(digest, plan, "acknowledge"), opened=page(digest, plan))

    answer = Answer.objects.get()
    assert answer.kind == "acknowledged"
    assert answer.version_number == 2
    assert answer.person == digest.recipient


def test_page_confirms_that_the_owners_know_of_the_reading(digest: Delivery, plan: Plan, bearer: Client) -> None:
    response = send(bearer, page(digest, plan, "acknowledge"), opened=page(digest, plan))

    html = bearer.get(response["Location"]).content.decode()

    assert "The owners can now see that you have read this version" in html
    assert "You have told the owners that you have read version 2" in collapse(html)


def test_comment_of_a_stakeholder_on_a_piece_waits_for_approval(digest: Delivery, plan: Plan, bearer: Client) -> None:
    send(bearer, page(digest, plan, "comment-by-link"), anchor="sites/north-quay", text="Please keep the trees.")

    answer = Answer.objects.get()
    assert answer.anchor_label == "North Quay"
    assert answer.text == "Please keep the trees."
    assert answer.status == "waiting"


def test_stakeholder_sees_their_own_waiting_comment(digest: Delivery, plan: Plan, bearer: Client) -> None:
    response = send(bearer, page(digest, plan, "comment-by-link"), text="Please keep the trees.")

    html = bearer.get(response["Location"]).content.decode()

    assert "Waiting for approval" in html
    assert "Please keep the trees." in html


def test_form_does_not_offer_a_confidential_piece(digest: Delivery, plan: Plan, bearer: Client) -> None:
    html = bearer.get(page(digest, plan, "comment-by-link")).content.decode()

    assert "North Quay" in html
    assert "Mill Lane" not in html


def test_form_refuses_a_comment_on_a_confidential_piece(digest: Delivery, plan: Plan, bearer: Client) -> None:
    response = send(bearer, page(digest, plan, "comment-by-link"), anchor="sites/mill-lane", text="Found it.")

    assert response.status_code == 422
    assert not Answer.objects.exists()


def test_service_refuses_a_comment_on_a_confidential_piece(world: World, digest: Delivery, plan: Plan) -> None:
    with pytest.raises(services.UnableToAnswer, match="not in this version of the plan"):
        add_comment_by_link(world, anchor="sites/mill-lane")

    assert not Answer.objects.exists()


def test_stakeholder_answers_a_question(digest: Delivery, plan: Plan, bearer: Client, question: PlanQuestion) -> None:
    response = send(bearer, page(digest, plan, "question-by-link", question=question.pk), text="Bungalows.")

    assert response.status_code == 302
    assert Answer.objects.get().question == question


def test_stakeholder_cannot_answer_a_closed_question(
    world: World, digest: Delivery, plan: Plan, bearer: Client, question: PlanQuestion
) -> None:
    services.close_question(question=question, author=world.amina, now=timezone.now())

    response = send(bearer, page(digest, plan, "question-by-link", question=question.pk), text="And gardens.")

    assert "This question is closed. You can comment on the plan instead." in response.content.decode()
    assert not Answer.objects.exists()


def send_concern(digest: Delivery, plan: Plan, bearer: Client, concerned: str) -> None:
    """Say on the page of the plan that it concerns Sol ("yes") or does not ("no")."""
    send(bearer, page(digest, plan, "concern"), opened=page(digest, plan), concerned=concerned)


def test_stakeholder_says_that_a_plan_concerns_them(digest: Delivery, plan: Plan, bearer: Client) -> None:
    send_concern(digest, plan, bearer, "yes")

    html = collapse(bearer.get(page(digest, plan)).content.decode())
    assert Answer.objects.get().kind == "concerned"
    assert "You have said that this plan concerns you" in html
    assert "This plan no longer concerns me" in html


def test_stakeholder_says_that_a_plan_no_longer_concerns_them(digest: Delivery, plan: Plan, bearer: Client) -> None:
    send_concern(digest, plan, bearer, "yes")

    send_concern(digest, plan, bearer, "no")

    html = bearer.get(page(digest, plan)).content.decode()
    assert Answer.objects.latest("pk").kind == "unconcerned"
    assert "You have said that this plan does not concern you" in html


def test_stakeholder_who_says_the_same_again_adds_no_answer(digest: Delivery, plan: Plan, bearer: Client) -> None:
    send_concern(digest, plan, bearer, "no")

    send_concern(digest, plan, bearer, "no")

    assert Answer.objects.count() == 1


def test_named_colleague_gets_nothing_until_an_owner_asks_them(
    digest: Delivery, plan: Plan, bearer: Client, world: World
) -> None:
    email_count = Email.objects.count()

    response = send(bearer, page(digest, plan, "colleague-by-link"), name="Cora Council", email="Cora@council.example")

    answer = Answer.objects.get()
    assert response.status_code == 302
    assert answer.colleague_name == "Cora Council"
    assert answer.colleague_email == "cora@council.example"
    assert answer.status == "waiting"
    assert Email.objects.count() == email_count
    assert not Subscription.objects.filter(person__email="cora@council.example").exists()


def test_stakeholder_cannot_name_themselves_as_a_colleague(
    digest: Delivery, plan: Plan, bearer: Client, world: World
) -> None:
    response = send(bearer, page(digest, plan, "colleague-by-link"), name="Sol", email=world.sol.email)

    assert "That is your own address. Enter your colleague’s." in response.content.decode()
    assert not Answer.objects.exists()


def test_stakeholder_corrects_their_own_details(digest: Delivery, plan: Plan, bearer: Client, world: World) -> None:
    send(bearer, page(digest, plan, "name-by-link"), name="Solomon Stake", role="Chair of the tenants' panel")

    world.sol.refresh_from_db()
    assert world.sol.name == "Solomon Stake"
    assert WorkRole.objects.get(person=world.sol).title == "Chair of the tenants' panel"


def test_page_shows_the_corrected_details_of_a_stakeholder(digest: Delivery, plan: Plan, bearer: Client) -> None:
    send(bearer, page(digest, plan, "name-by-link"), name="Solomon Stake", role="Chair of the tenants' panel")

    html = unescape(bearer.get(page(digest, plan)).content.decode())

    assert "Solomon Stake, Chair of the tenants' panel" in collapse(html)


# ---- The end of a link


def stop_all_digests(world: World) -> None:
    """Stop all digests of Sol, as he asked."""
    digests.stop_all(person=world.sol, reason="Enough.", now=timezone.now())


def stop_the_subscription(world: World) -> None:
    """Stop Sol's subscription as Amina."""
    subscription = Subscription.objects.get(person=world.sol)
    digests.stop(subscriptions=[subscription], author=world.amina, reason="Left.", now=timezone.now())


def renew_links(world: World) -> None:
    """Replace Sol's links by new ones."""
    digests.renew_links(person=world.sol, author=world.sol, now=timezone.now())


ENDS_OF_ACCESS = pytest.mark.parametrize(
    "end_access", [stop_all_digests, stop_the_subscription, renew_links], ids=lambda end_access: end_access.__name__
)


@ENDS_OF_ACCESS
def test_page_is_not_found_once_access_has_ended(
    world: World, digest: Delivery, plan: Plan, bearer: Client, end_access: Callable[[World], None]
) -> None:
    comment_url = page(digest, plan, "comment-by-link")
    end_access(world)

    response = bearer.get(comment_url)

    assert response.status_code == 404


@ENDS_OF_ACCESS
def test_open_form_saves_nothing_once_access_has_ended(
    world: World, digest: Delivery, plan: Plan, bearer: Client, end_access: Callable[[World], None]
) -> None:
    comment_url = page(digest, plan, "comment-by-link")
    token = form_token(bearer.get(comment_url).content.decode())
    end_access(world)

    response = bearer.post(comment_url, {"form": token, "text": "Still here."})

    assert response.status_code == 404
    assert not Answer.objects.exists()


@pytest.mark.parametrize(
    "make_token",
    [
        pytest.param(lambda world, plan: make_form_token(FormSubject(world.ben.pk, plan.pk, 2)), id="another person"),
        pytest.param(lambda world, plan: make_form_token(FormSubject(world.sol.pk, plan.pk + 1, 2)), id="another plan"),
        pytest.param(lambda world, plan: make_form_token(FormSubject(world.sol.pk, plan.pk, 1)), id="another version"),
        pytest.param(lambda world, plan: "nonsense", id="an invalid token"),
        pytest.param(lambda world, plan: "", id="no token"),
    ],
)
def test_form_with_the_token_of_another_form_changes_nothing(
    world: World, digest: Delivery, plan: Plan, bearer: Client, make_token: Callable[[World, Plan], str]
) -> None:
    form_data = {"form": make_token(world, plan), "text": "Hello."}

    response = bearer.post(page(digest, plan, "comment-by-link"), form_data)

    assert response["Location"].endswith("?done=over")
    assert not Answer.objects.exists()


@pytest.mark.parametrize(
    "purpose", [purpose for purpose in Purpose if purpose is not Purpose.READ], ids=lambda purpose: purpose.value
)
def test_links_of_other_purposes_answer_nothing(
    world: World, digest: Delivery, plan: Plan, bearer: Client, purpose: Purpose
) -> None:
    key = Preference.objects.get(person=world.sol).link_key
    token = make(purpose, person_id=world.sol.pk, link_key=key, record_id=digest.pk, minute=minute_of(timezone.now()))

    response = bearer.get(reverse("answers:comment-by-link", kwargs={"token": token, "plan": plan.pk}))

    assert response.status_code == 404


def test_link_of_a_digest_answers_only_to_its_own_plans(digest: Delivery, public_plan: Plan, bearer: Client) -> None:
    response = bearer.get(page(digest, public_plan))

    assert response.status_code == 404


def test_finished_plan_takes_no_more_answers(world: World, digest: Delivery, plan: Plan, bearer: Client) -> None:
    Plan.objects.filter(pk=plan.pk).update(status="closed")

    response = send(bearer, page(digest, plan, "comment-by-link"), text="Too late.")

    assert "so you can no longer send answers about it" in response.content.decode()
    assert not Answer.objects.exists()


def test_person_with_an_account_does_not_answer_by_link(world: World, plan: Plan, digest: Delivery) -> None:
    with pytest.raises(UnableToAct, match="You do not have permission"):
        services.comment_by_link(
            person=world.ben, plan=plan, version_number=2, text="Hello.", key=uuid.uuid4(), now=timezone.now()
        )


def test_answers_of_one_person_are_limited_per_day(world: World, digest: Delivery, plan: Plan) -> None:
    for number in range(MAX_A_DAY):
        add_comment_by_link(world, f"Comment {number}.")

    with pytest.raises(services.UnableToAnswer, match="You have sent 20 answers about this plan today"):
        add_comment_by_link(world, "One too many.")


# ---- Mail scanners


def links_in(html: str) -> list[str]:
    """Return the addresses on this site to which a page or an email links."""
    urls = re.findall(r'(?:href|action)="([^"#]+)', unescape(html)) + re.findall(r"https?://\S+", html)
    return sorted({re.sub(r"^https?://[^/]+", "", url) for url in urls if "/answers/" in url or "/digests/" in url})


def fetches(browser: Client, address: str) -> None:
    """Act like a filter that opens each link before delivery (Defender Safe Links)."""
    browser.get(address)


def asks_for_headers(browser: Client, address: str) -> None:
    """Act like a filter that requests only the headers."""
    browser.head(address)


def fetches_twice(browser: Client, address: str) -> None:
    """Act like a filter that opens each link on arrival, and again when a person clicks the link."""
    browser.get(address)
    browser.get(address, headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"})


def follows_everything(browser: Client, address: str) -> None:
    """Act like a sandbox that opens a page, and then requests every link and form on the page with GET."""
    html = browser.get(address).content.decode()
    for linked_address in links_in(html):
        browser.get(linked_address)


def opens_without_sending(browser: Client, address: str) -> None:
    """Act like a sandbox that renders the page with its forms, but sends no form."""
    browser.get(address)
    browser.options(address)


def sends_empty_forms(browser: Client, address: str) -> None:
    """Act like a scanner that posts to every form without its fields."""
    for linked_address in [address, *links_in(browser.get(address).content.decode())]:
        if "/stop/" not in linked_address:  # RFC 8058: a POST to that address is a wish to stop
            browser.post(linked_address)


@pytest.mark.parametrize(
    "scan",
    [fetches, asks_for_headers, fetches_twice, follows_everything, opens_without_sending, sends_empty_forms],
    ids=lambda scan: scan.__name__,
)
def test_mail_scanner_changes_nothing(
    world: World,
    digest: Delivery,
    plan: Plan,
    question: PlanQuestion,
    bearer: Client,
    scan: Callable[[Client, str], None],
) -> None:
    names = ("by-link", "acknowledge", "concern", "comment-by-link", "colleague-by-link", "name-by-link")
    addresses = [
        *(page(digest, plan, name) for name in names),
        page(digest, plan, "question-by-link", question=question.pk),
        reverse("digests:view", kwargs={"token": read_token(world.sol, digest)}),
    ]
    email_count = Email.objects.count()

    for address in addresses:
        scan(bearer, address)

    assert not Answer.objects.exists()
    assert not WorkRole.objects.exists()
    assert Subscription.objects.get(person=world.sol).is_confirmed
    assert Email.objects.count() == email_count


def test_form_sent_twice_makes_one_answer(digest: Delivery, plan: Plan, bearer: Client) -> None:
    comment_url = page(digest, plan, "comment-by-link")
    form_data = {"form": form_token(bearer.get(comment_url).content.decode()), "text": "Once."}
    bearer.post(comment_url, form_data)

    response = bearer.post(comment_url, form_data)

    assert response.status_code == 302
    assert Answer.objects.count() == 1


def test_pages_behind_the_link_are_not_kept_or_indexed(digest: Delivery, plan: Plan, bearer: Client) -> None:
    response = bearer.get(page(digest, plan))

    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex"


def test_signed_in_person_gets_no_more_by_the_link_of_another(world: World, digest: Delivery, plan: Plan) -> None:
    html = signed_in(world.chidi).get(page(digest, plan)).content.decode()

    assert "Sol Stake" in html
    assert "Mill Lane" not in html
