"""Answering by the link in a digest, and mail scanners that open it."""

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
from tests.answers.conftest import commented, form_token, page, read_token, send, signed_in
from tests.support.pages import collapse
from tests.world import World


@pytest.fixture
def question(world: World, plan: Plan, digest: Delivery) -> PlanQuestion:
    """A question that Larkhaven puts about its plan."""
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

    assert "Tell the owners what you think" in html
    assert reverse("answers:by-link", kwargs={"token": token, "plan": plan.pk}) in html


def test_stakeholder_says_that_they_have_read_a_version(digest: Delivery, plan: Plan, bearer: Client) -> None:
    sent = send(bearer, page(digest, plan, "acknowledge"), opened=page(digest, plan))
    html = bearer.get(sent["Location"]).content.decode()

    answer = Answer.objects.get()
    assert (answer.kind, answer.version_number, answer.person) == ("acknowledged", 2, digest.recipient)
    assert "The owners can now see that you have read this version" in html
    assert "You have told the owners that you have read version 2" in collapse(html)


def test_stakeholder_comments_on_a_piece_and_sees_that_it_waits(digest: Delivery, plan: Plan, bearer: Client) -> None:
    where = page(digest, plan, "comment-by-link")
    sent = send(bearer, where, anchor="sites/north-quay", text="Please keep the trees.")
    html = bearer.get(sent["Location"]).content.decode()

    answer = Answer.objects.get()
    assert (answer.anchor_label, answer.text, answer.status) == ("North Quay", "Please keep the trees.", "waiting")
    assert "Waiting for approval" in html
    assert "Please keep the trees." in html


def test_confidential_piece_is_not_offered_and_cannot_be_named(
    world: World, digest: Delivery, plan: Plan, bearer: Client
) -> None:
    html = bearer.get(page(digest, plan, "comment-by-link")).content.decode()
    sent = send(bearer, page(digest, plan, "comment-by-link"), anchor="sites/mill-lane", text="Found it.")

    with pytest.raises(services.UnableToAnswer):
        commented(world, anchor="sites/mill-lane")
    assert "Mill Lane" not in html
    assert sent.status_code == 422
    assert not Answer.objects.exists()


def test_stakeholder_answers_a_question_until_its_last_day(
    world: World, digest: Delivery, plan: Plan, bearer: Client, question: PlanQuestion
) -> None:
    where = page(digest, plan, "question-by-link", question=question.pk)
    sent = send(bearer, where, text="Bungalows.")
    services.close_question(question=question, author=world.amina, now=timezone.now())
    late = send(bearer, where, text="And gardens.")

    assert sent.status_code == 302
    assert Answer.objects.get().question == question
    assert "This question is closed. You can comment on the plan instead." in late.content.decode()


def test_plan_concerns_a_stakeholder_until_they_say_otherwise(digest: Delivery, plan: Plan, bearer: Client) -> None:
    where = {"address": page(digest, plan, "concern"), "opened": page(digest, plan)}
    send(bearer, **where, concerned="yes")
    concerned = bearer.get(page(digest, plan)).content.decode()
    send(bearer, **where, concerned="no")
    send(bearer, **where, concerned="no")
    unconcerned = bearer.get(page(digest, plan)).content.decode()

    assert [answer.kind for answer in Answer.objects.order_by("pk")] == ["concerned", "unconcerned"]
    assert "You have said that this plan concerns you" in concerned
    assert "This no longer concerns me" in collapse(concerned)
    assert "You have said that this plan does not concern you" in unconcerned


def test_named_colleague_gets_nothing_until_an_owner_asks_them(
    digest: Delivery, plan: Plan, bearer: Client, world: World
) -> None:
    where = page(digest, plan, "colleague-by-link")
    before = Email.objects.count()
    sent = send(bearer, where, name="Cora Council", email="Cora@council.example")
    own = send(bearer, where, name="Sol", email=world.sol.email)

    answer = Answer.objects.get()
    assert sent.status_code == 302
    assert (answer.colleague_name, answer.colleague_email, answer.status) == (
        "Cora Council",
        "cora@council.example",
        "waiting",
    )
    assert "That is your own address. Enter your colleague’s." in own.content.decode()
    assert Email.objects.count() == before
    assert not Subscription.objects.filter(person__email="cora@council.example").exists()


def test_stakeholder_corrects_their_own_name_and_role(
    digest: Delivery, plan: Plan, bearer: Client, world: World
) -> None:
    where = page(digest, plan, "name-by-link")
    send(bearer, where, name="Solomon Stake", role="Chair of the tenants' panel")
    html = unescape(bearer.get(page(digest, plan)).content.decode())

    world.sol.refresh_from_db()
    assert world.sol.name == "Solomon Stake"
    assert WorkRole.objects.get(person=world.sol).title == "Chair of the tenants' panel"
    assert "Solomon Stake, Chair of the tenants' panel" in collapse(html)


# ---- What ends it


@pytest.mark.parametrize("end", ["stopped", "closed to them", "renewed links"])
def test_link_answers_nothing_once_access_has_ended(
    world: World, digest: Delivery, plan: Plan, bearer: Client, end: str
) -> None:
    where, html = page(digest, plan, "comment-by-link"), bearer.get(page(digest, plan)).content.decode()
    if end == "stopped":
        digests.stop_all(person=world.sol, reason="Enough.", now=timezone.now())
    elif end == "closed to them":
        subscription = Subscription.objects.get(person=world.sol)
        digests.stop(subscriptions=[subscription], author=world.amina, reason="Left.", now=timezone.now())
    else:
        digests.renew_links(person=world.sol, author=world.sol, now=timezone.now())

    opened = bearer.get(where)
    sent = bearer.post(where, {"form": form_token(html), "text": "Still here."})

    assert (opened.status_code, sent.status_code) == (404, 404)
    assert not Answer.objects.exists()


def test_form_of_another_person_plan_or_version_changes_nothing(
    world: World, digest: Delivery, plan: Plan, bearer: Client
) -> None:
    where = page(digest, plan, "comment-by-link")
    wrong = [
        FormSubject(world.ben.pk, plan.pk, 2),
        FormSubject(world.sol.pk, plan.pk + 1, 2),
        FormSubject(world.sol.pk, plan.pk, 1),
    ]
    sent = [bearer.post(where, {"form": make_form_token(subject), "text": "Hello."}) for subject in wrong]
    sent.append(bearer.post(where, {"form": "nonsense", "text": "Hello."}))
    sent.append(bearer.post(where, {"text": "Hello."}))

    assert [response["Location"].endswith("?done=over") for response in sent] == [True] * 5
    assert not Answer.objects.exists()


@pytest.mark.parametrize(
    "purpose", [purpose for purpose in Purpose if purpose is not Purpose.READ], ids=lambda purpose: purpose.value
)
def test_links_of_other_purposes_answer_nothing(
    world: World, digest: Delivery, plan: Plan, bearer: Client, purpose: Purpose
) -> None:
    key = Preference.objects.get(person=world.sol).link_key
    token = make(purpose, person_id=world.sol.pk, link_key=key, record_id=digest.pk, minute=minute_of(timezone.now()))
    where = reverse("answers:comment-by-link", kwargs={"token": token, "plan": plan.pk})

    assert bearer.get(where).status_code == 404


def test_link_of_a_digest_answers_only_to_its_own_plans(digest: Delivery, opened: Plan, bearer: Client) -> None:
    assert bearer.get(page(digest, opened)).status_code == 404


def test_finished_plan_takes_no_more_answers(world: World, digest: Delivery, plan: Plan, bearer: Client) -> None:
    Plan.objects.filter(pk=plan.pk).update(status="closed")

    sent = send(bearer, page(digest, plan, "comment-by-link"), text="Too late.")

    assert "so you can no longer answer about it" in sent.content.decode()
    assert not Answer.objects.exists()


def test_person_with_an_account_does_not_answer_by_link(world: World, plan: Plan, digest: Delivery) -> None:
    with pytest.raises(UnableToAct):
        services.comment_by_link(
            person=world.ben, plan=plan, version_number=2, text="Hello.", key=uuid.uuid4(), now=timezone.now()
        )


def test_answers_of_one_person_are_limited_per_day(world: World, digest: Delivery, plan: Plan) -> None:
    for number in range(MAX_A_DAY):
        commented(world, f"Comment {number}.")

    with pytest.raises(services.UnableToAnswer):
        commented(world, "One too many.")


# ---- Mail scanners


def links_in(html: str) -> list[str]:
    """Return the addresses on this site that a page or an email links to."""
    urls = re.findall(r'(?:href|action)="([^"#]+)', unescape(html)) + re.findall(r"https?://\S+", html)
    return sorted({re.sub(r"^https?://[^/]+", "", url) for url in urls if "/answers/" in url or "/digests/" in url})


def fetches(browser: Client, address: str) -> None:
    """Act like a filter that opens each link before delivery (Defender Safe Links)."""
    browser.get(address)


def asks_for_headers(browser: Client, address: str) -> None:
    """Act like a filter that asks only for the headers."""
    browser.head(address)


def fetches_twice(browser: Client, address: str) -> None:
    """Act like a filter that opens each link on arrival and again when it is clicked."""
    browser.get(address)
    browser.get(address, headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"})


def follows_everything(browser: Client, address: str) -> None:
    """Act like a sandbox that opens a page, then with GET every link and form on it."""
    html = browser.get(address).content.decode()
    for further in links_in(html):
        browser.get(further)


def opens_without_sending(browser: Client, address: str) -> None:
    """Act like a sandbox that renders the page with its forms and never sends one."""
    browser.get(address)
    browser.options(address)


def sends_empty_forms(browser: Client, address: str) -> None:
    """Act like a scanner that posts to every form without its fields."""
    for further in [address, *links_in(browser.get(address).content.decode())]:
        if "/stop/" not in further:  # RFC 8058: a POST to that address is a wish to stop
            browser.post(further)


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
    pages = [page(digest, plan, name) for name in names]
    pages += [page(digest, plan, "question-by-link", question=question.pk)]
    pages += [reverse("digests:view", kwargs={"token": read_token(world.sol, digest)})]
    emails = Email.objects.count()

    for address in pages:
        scan(bearer, address)

    assert not Answer.objects.exists()
    assert not WorkRole.objects.exists()
    assert Subscription.objects.get(person=world.sol).is_confirmed
    assert Email.objects.count() == emails


def test_form_sent_twice_makes_one_answer(digest: Delivery, plan: Plan, bearer: Client) -> None:
    where = page(digest, plan, "comment-by-link")
    token = form_token(bearer.get(where).content.decode())
    sent = [bearer.post(where, {"form": token, "text": "Once."}) for _ in range(2)]

    assert [response.status_code for response in sent] == [302, 302]
    assert Answer.objects.count() == 1


def test_pages_behind_the_link_are_not_kept_or_indexed(digest: Delivery, plan: Plan, bearer: Client) -> None:
    opened = bearer.get(page(digest, plan))

    assert "no-store" in opened["Cache-Control"]
    assert opened["Referrer-Policy"] == "no-referrer"
    assert opened["X-Robots-Tag"] == "noindex"


def test_signed_in_person_gets_no_more_by_the_link_of_another(world: World, digest: Delivery, plan: Plan) -> None:
    opened = signed_in(world.chidi).get(page(digest, plan))

    assert "Sol Stake" in opened.content.decode()
    assert "Mill Lane" not in opened.content.decode()
