"""Entering another person’s address reveals nothing and changes nothing.

Neither the page nor the time that it takes shows whether we know the address. Decisions of its owner are not changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import pytest
from celery.app.task import Task
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose
from partnerships.digests.models import REFUSAL_PERIOD, Delivery, EmailRequest, Preference, Subscription
from partnerships.digests.queries.queue import queue_figures
from partnerships.digests.retention import tidy
from partnerships.digests.services import email_requests
from partnerships.digests.services.asking import MAX_TIMES_ASKED
from partnerships.digests.services.email_requests import MAX_ATTEMPTS, process_requests, record_request
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox import bounces
from partnerships.people.models import User
from partnerships.people.services import close_account, person_for_address
from partnerships.plans.models import Plan
from partnerships.plans.services import change_audience
from tests.digests.conftest import PostOffice, play
from tests.digests.test_by_link import link_in, manage, token
from tests.digests.test_consent import ask
from tests.support.ledger import rewrite
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.support.statements import shape
from tests.world import World

NOBODY = "nobody@council.example"


def follow_form(plan: Plan) -> str:
    """Return the path of the form with which visitors follow a plan."""
    return reverse("digests:follow", kwargs={"plan": plan.pk})


def type_in(plan: Plan, email: str) -> str:
    """Enter an address as a visitor who wants to follow a plan, and let the sweep process the request.

    Returns the page that the visitor sees.
    """
    response = Client().post(follow_form(plan), {"email": email, "frequency": "daily"})
    assert response.status_code == 200
    plan_round(now=timezone.now())
    return str(response.content.decode())


def confirm_sols_subscription(world: World, plan: Plan) -> Subscription:
    """Let Larkhaven ask Sol about a plan, and confirm for him."""
    return services.confirm(subscription=ask(world, plan), now=timezone.now())


def declined(world: World, plan: Plan) -> None:
    """Enter Sol's address as a visitor, and decline for him."""
    services.ask_for(email=world.sol.email, target=plan, now=timezone.now())
    subscription = Subscription.objects.get(person=world.sol)
    services.stop(subscriptions=[subscription], author=world.sol, reason="The person said no.", now=timezone.now())


def stop_the_plan(world: World, plan: Plan) -> None:
    """Stop Sol's confirmed subscription to a plan, as he would."""
    services.stop(
        subscriptions=[confirm_sols_subscription(world, plan)], author=world.sol, reason="Stopped.", now=timezone.now()
    )


def refuse_further_questions(world: World, plan: Plan) -> None:
    """Answer a confirmation email to Sol with "never ask me again"."""
    services.ask_for(email=world.sol.email, target=plan, now=timezone.now())
    subscription = Subscription.objects.get(person=world.sol)
    address = reverse("digests:confirm", kwargs={"token": token(world.sol, Purpose.CONFIRM, number=subscription.pk)})
    assert "do not ask me again if someone enters my address" in Client().get(address).content.decode()
    Client().post(address, {"answer": "never"})


def stop_all_by_link(world: World, plan: Plan) -> None:
    """Stop all digests of Sol by the link in an email."""
    confirm_sols_subscription(world, plan)
    Client().post(reverse("digests:stop", kwargs={"token": token(world.sol, Purpose.STOP)}))


def suppress_sols_address(world: World, plan: Plan) -> None:
    """Suppress Sol's address, as after a bounce."""
    bounces.suppress_address(
        address=world.sol.email, reason="It came back.", email_id=None, author_id=None, now=timezone.now()
    )


REFUSALS: tuple[Callable[[World, Plan], None], ...] = (
    declined,
    stop_the_plan,
    stop_all_by_link,
    refuse_further_questions,
    suppress_sols_address,
)


@pytest.mark.parametrize("refuse", REFUSALS, ids=lambda refuse: refuse.__name__)
@pytest.mark.parametrize("later", [dt.timedelta(0), dt.timedelta(days=400)], ids=["at once", "a year later"])
def test_typing_an_address_does_not_undo_a_refusal(
    world: World, public_plan: Plan, refuse: Callable[[World, Plan], None], later: dt.timedelta
) -> None:
    refuse(world, public_plan)
    Subscription.objects.filter(refused_at__isnull=False).update(refused_at=timezone.now() - later)
    rewrite(created_at=timezone.now() - later)
    state_before = list(Subscription.objects.values()), list(Preference.objects.values()), Delivery.objects.count()

    page = type_in(public_plan, world.sol.email.upper())

    assert (
        list(Subscription.objects.values()),
        list(Preference.objects.values()),
        Delivery.objects.count(),
    ) == state_before
    assert page.replace(world.sol.email.upper(), "X") == type_in(public_plan, NOBODY).replace(NOBODY, "X")


@pytest.mark.parametrize("refuse", [stop_all_by_link, refuse_further_questions], ids=lambda refuse: refuse.__name__)
def test_somebody_who_refused_everything_is_not_asked_about_another_plan(
    world: World, plan: Plan, public_plan: Plan, refuse: Callable[[World, Plan], None]
) -> None:
    refuse(world, plan)

    type_in(public_plan, world.sol.email)

    assert not Subscription.objects.filter(plan=public_plan).exists()


def test_somebody_who_refuses_questions_gets_no_links_they_did_not_ask_for(
    world: World, plan: Plan, public_plan: Plan
) -> None:
    subscription = confirm_sols_subscription(world, public_plan)
    declined_subscription = services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    services.stop(subscriptions=[declined_subscription], author=world.sol, reason="Declined.", now=timezone.now())
    services.refuse_questions(person=world.sol, now=timezone.now())
    count_before = Delivery.objects.count()

    type_in(public_plan, world.sol.email)
    count_while_refused = Delivery.objects.count() - count_before
    services.allow_questions(person=world.sol, now=timezone.now())
    type_in(public_plan, world.sol.email)

    subscription.refresh_from_db()
    assert subscription.is_confirmed
    assert count_while_refused == 0
    assert Delivery.objects.count() == count_before + 1


@pytest.fixture
def question_after_refusal(world: World, public_plan: Plan) -> Subscription:
    """Return Sol's subscription, about which Larkhaven has asked him again since he refused it."""
    declined(world, public_plan)
    rewrite(created_at=timezone.now() - dt.timedelta(days=400))
    return ask(world, public_plan, now=timezone.now() + REFUSAL_PERIOD)


def test_a_refusal_remains_while_a_partners_later_question_is_unanswered(
    world: World, public_plan: Plan, question_after_refusal: Subscription
) -> None:
    count_before = Delivery.objects.count()

    type_in(public_plan, world.sol.email)

    question_after_refusal.refresh_from_db()
    assert question_after_refusal.status == "asked"
    assert question_after_refusal.refused_at is not None
    assert Delivery.objects.count() == count_before


def test_a_refusal_remains_if_the_partner_ends_its_later_question(
    world: World, public_plan: Plan, question_after_refusal: Subscription
) -> None:
    services.stop(
        subscriptions=[question_after_refusal],
        author=world.amina,
        reason="Ended by Larkhaven.",
        now=timezone.now() + REFUSAL_PERIOD,
    )
    count_before = Delivery.objects.count()

    type_in(public_plan, world.sol.email)

    question_after_refusal.refresh_from_db()
    assert question_after_refusal.status == "ended"
    assert question_after_refusal.refused_at is not None
    assert Delivery.objects.count() == count_before


def test_a_refusal_ends_once_a_partners_later_question_is_confirmed(
    world: World, public_plan: Plan, question_after_refusal: Subscription
) -> None:
    services.confirm(subscription=question_after_refusal, now=timezone.now() + REFUSAL_PERIOD)
    count_before = Delivery.objects.count()

    type_in(public_plan, world.sol.email)

    question_after_refusal.refresh_from_db()
    assert question_after_refusal.status == "confirmed"
    assert question_after_refusal.refused_at is None
    assert Delivery.objects.count() == count_before + 1


def test_confirming_a_partners_request_does_not_allow_strangers_questions(
    world: World, plan: Plan, public_plan: Plan
) -> None:
    refuse_further_questions(world, public_plan)
    refused_at = Preference.objects.get(person=world.sol).refused_at

    services.confirm(subscription=ask(world, plan), now=timezone.now())

    assert Subscription.objects.get(person=world.sol, plan=plan).is_confirmed
    assert refused_at is not None
    assert Preference.objects.get(person=world.sol).refused_at == refused_at


def test_the_upgrade_records_who_had_stopped_everything(world: World, plan: Plan, public_plan: Plan) -> None:
    migration_sql = import_module("partnerships.digests.migrations.0013_who_stopped_everything_before").LEARN

    def follow(name: str, *targets: Plan) -> User:
        person = person_for_address(email=f"{name}@street.example")
        for target in targets:
            services.add_confirmed_subscription(
                person=person, target=target, author=world.amina, organisation=world.larkhaven, now=timezone.now()
            )
        return person

    def stop_plan(person: User) -> None:
        subscription = Subscription.objects.get(person=person, plan=plan)
        services.stop(subscriptions=[subscription], author=person, reason="Stopped.", now=timezone.now())

    stopped_by_person = follow("all", plan, public_plan)
    services.stop_everything(person=stopped_by_person, author=stopped_by_person, reason="Stopped.", now=timezone.now())
    stopped_by_administrator = follow("ended", plan, public_plan)
    services.stop_everything(person=stopped_by_administrator, author=world.dee, reason="Stopped.", now=timezone.now())
    stopped_all_but_matches = follow("matches", plan)
    stop_plan(stopped_all_but_matches)
    stopped_one_plan = follow("some", plan, public_plan)
    stop_plan(stopped_one_plan)
    stopped_nothing = follow("one", plan, public_plan)
    Preference.objects.filter(person__in=[stopped_one_plan, stopped_nothing]).update(tells_matches=False)
    # The column is newer than what these people did.
    Preference.objects.update(refused_at=None)
    histories = apps.get_model("digests", "PreferenceEvent").objects.filter(person_id=stopped_by_person.pk)
    count_before = histories.count()

    with connection.cursor() as cursor:
        cursor.execute(migration_sql)

    preference = Preference.objects.get(refused_at__isnull=False)
    assert preference.person == stopped_by_person
    assert preference.refused_at == max(
        subscription.refused_at for subscription in stopped_by_person.subscriptions.all()
    )
    assert histories.count() == count_before + 1


def test_somebody_who_stopped_one_plan_may_be_asked_about_another(world: World, plan: Plan, public_plan: Plan) -> None:
    stop_the_plan(world, plan)

    type_in(public_plan, world.sol.email)

    assert Subscription.objects.get(plan=public_plan).is_waiting


def test_somebody_who_refused_can_return_by_their_own_link(world: World, public_plan: Plan, office: PostOffice) -> None:
    stop_all_by_link(world, public_plan)
    [subscription] = Subscription.objects.filter(person=world.sol)
    office.drain()
    office.sent.clear()
    bearer = Client(enforce_csrf_checks=True)
    page = bearer.get(manage(world.sol)).content.decode()

    response = bearer.post(f"{manage(world.sol)}{subscription.pk}/again/")
    office.drain()
    subscription.refresh_from_db()
    was_asked = subscription.is_waiting
    was_refusal_withdrawn = Preference.objects.get(person=world.sol).refused_at is None
    bearer.post(link_in(office.to(world.sol)[0], "confirm"), {"answer": "yes"})

    assert "Ask me again about Open Quay" in page
    assert response.status_code == 302
    assert was_asked
    subscription.refresh_from_db()
    assert subscription.is_confirmed
    assert was_refusal_withdrawn


def test_somebody_who_stopped_everything_can_allow_questions_again(world: World, plan: Plan, public_plan: Plan) -> None:
    stop_all_by_link(world, plan)
    bearer = Client(enforce_csrf_checks=True)

    page = bearer.get(manage(world.sol)).content.decode()
    response = bearer.post(manage(world.sol), {"allow": "yes"})
    type_in(public_plan, world.sol.email)

    assert "you asked us to stop all emails, or not to ask you again" in collapse(page)
    assert "We will email you again" in bearer.get(response["Location"]).content.decode()
    assert Subscription.objects.get(plan=public_plan).is_waiting


def test_somebody_signed_in_can_follow_again_what_they_refused(world: World, public_plan: Plan) -> None:
    subscription = services.subscribe(person=world.ben, target=public_plan, author=world.ben, now=timezone.now())
    services.stop_everything(person=world.ben, author=world.ben, reason="Enough.", now=timezone.now())
    assert subscription.person.digest_preference.refused_at is None  # cached before the change
    assert Preference.objects.get(person=world.ben).refused_at is not None

    signed_in(world.ben).post(reverse("digests:subscribe", kwargs={"kind": "plan", "pk": public_plan.pk}))

    subscription.refresh_from_db()
    assert subscription.is_confirmed
    assert Preference.objects.get(person=world.ben).refused_at is None


def test_a_subscription_ended_by_a_lead_is_not_a_refusal(world: World, public_plan: Plan) -> None:
    services.stop(
        subscriptions=[confirm_sols_subscription(world, public_plan)],
        author=world.amina,
        reason="Ended by Larkhaven.",
        now=timezone.now(),
    )

    type_in(public_plan, world.sol.email)

    assert Subscription.objects.get(person=world.sol).is_waiting


def test_an_unanswered_request_is_repeated_only_a_few_times(world: World, public_plan: Plan) -> None:
    for day in range(9):
        services.ask_for(email=world.sol.email, target=public_plan, now=timezone.now() + dt.timedelta(days=day))

    assert Delivery.objects.filter(recipient=world.sol).count() == MAX_TIMES_ASKED


def test_strangers_requests_for_links_are_limited_but_the_own_link_works(world: World, public_plan: Plan) -> None:
    stop_all_by_link(world, public_plan)
    emails = Delivery.objects.filter(recipient=world.sol, kind="digests.links")

    for day in range(40):
        record_request(email=world.sol.email, now=timezone.now())
        process_requests(now=timezone.now() + dt.timedelta(days=day))
    count_by_strangers = emails.count()
    old_token = token(world.sol, Purpose.PREFERENCES, days=31)
    Client().post(reverse("digests:renew", kwargs={"purpose": "preferences", "token": old_token}))

    assert count_by_strangers == 2
    assert emails.count() == 3


# ---- The same work for every address


def create_people_of_every_kind(world: World, public_plan: Plan) -> dict[str, str]:
    """Create a person in every state that the pages must not reveal, and return the addresses by state.

    "unknown" is an address of no person. Three people belong to the world: Ben has an account, Vera's account is closed
    here, and Dee is an administrator.
    """
    people = {
        kind: person_for_address(email=f"{kind}@street.example")
        for kind in ("waiting", "follows", "paused", "refused", "suppressed", "stopped")
    }
    now = timezone.now()
    services.ask_for(email=people["waiting"].email, target=public_plan, now=now)
    subscription_by_kind = {
        kind: services.add_confirmed_subscription(
            person=people[kind], target=public_plan, author=world.amina, organisation=world.larkhaven, now=now
        )
        for kind in ("follows", "paused", "refused", "stopped")
    }
    services.pause(subscription=subscription_by_kind["paused"], author=people["paused"], now=now)
    services.stop(subscriptions=[subscription_by_kind["refused"]], author=people["refused"], reason="No.", now=now)
    services.stop_everything(person=people["stopped"], author=people["stopped"], reason="No.", now=now)
    bounces.suppress_address(address=people["suppressed"].email, reason="Back.", email_id=None, author_id=None, now=now)
    close_account(person=world.vera, author=world.dee, reason="Moved on.", successor=None, now=now)
    return {
        **{kind: person.email for kind, person in people.items()},
        "unknown": NOBODY,
        "account": world.ben.email,
        "left": world.vera.email,
        "administrator": world.dee.email,
    }


class WorkForAddress(NamedTuple):
    """What a page answered and which queries it made. An observer must not see any difference between addresses."""

    status_code: int
    page: str
    header_names: list[str]
    queries: list[str]


def assert_same_work_for_every_address(world: World, plan: Plan, form_url: str) -> None:
    """Assert that the form does the same work for known and unknown addresses, and stores a request for each."""
    client = Client()
    client.post(form_url, {"email": "first@street.example", "frequency": "daily"})  # fills caches of the process
    work_by_kind: dict[str, WorkForAddress] = {}

    for kind, address in create_people_of_every_kind(world, plan).items():
        with CaptureQueriesContext(connection) as captured:
            response = client.post(form_url, {"email": address, "frequency": "daily"})
        page = response.content.decode().replace(address, "X")
        headers = {name: value for name, value in response.headers.items() if "Content-Security" not in name}
        queries = shape(captured.captured_queries)
        work_by_kind[kind] = WorkForAddress(response.status_code, page, sorted(headers), queries)

    work_for_unknown = work_by_kind["unknown"]
    assert {kind: work for kind, work in work_by_kind.items() if work != work_for_unknown} == {}
    assert any("digests_emailrequest" in statement for statement in work_for_unknown.queries)
    assert not any("people_user" in statement for statement in work_for_unknown.queries)


def test_form_for_following_does_the_same_work_for_every_address(world: World, public_plan: Plan) -> None:
    assert_same_work_for_every_address(world, public_plan, follow_form(public_plan))


def test_form_for_new_links_does_the_same_work_for_every_address(world: World, public_plan: Plan) -> None:
    assert_same_work_for_every_address(world, public_plan, reverse("digests:new-links"))


def test_without_a_broker_answers_are_the_same_and_no_email_is_lost(
    world: World, public_plan: Plan, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_without_broker(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("No broker.")

    monkeypatch.setattr(Task, "apply_async", fail_without_broker)

    statuses = [
        Client().post(follow_form(public_plan), {"email": address, "frequency": "weekly"}).status_code
        for address in (NOBODY, world.sol.email)
    ]
    play(office)

    assert statuses == [200, 200]
    assert sorted(outgoing.recipient for outgoing in office.sent) == sorted([NOBODY, world.sol.email])


def test_an_email_request_is_deleted_once_it_is_processed(world: World, public_plan: Plan) -> None:
    type_in(public_plan, NOBODY)
    Client().post(reverse("digests:new-links"), {"email": NOBODY})
    count_before = EmailRequest.objects.count()

    plan_round(now=timezone.now())
    count_after = EmailRequest.objects.count()
    record_request(email="stuck@street.example", now=timezone.now() - dt.timedelta(days=1))
    tidy(now=timezone.now())

    assert count_before == 1
    assert count_after == 0
    assert EmailRequest.objects.count() == 0


def fail_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service fail for the address NOBODY, with an error that it does not expect."""
    ask_for = email_requests.ask_for

    def ask_for_others(**data: Any) -> None:
        if data["email"] == NOBODY:
            raise RuntimeError("Something nobody thought of.")
        ask_for(**data)

    monkeypatch.setattr(email_requests, "ask_for", ask_for_others)


def test_a_failing_address_does_not_delay_others(
    world: World, public_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_for_nobody(monkeypatch)

    type_in(public_plan, NOBODY)
    type_in(public_plan, world.sol.email)

    assert Subscription.objects.get().person == world.sol
    assert [email_request.address for email_request in EmailRequest.objects.all()] == [NOBODY]
    assert queue_figures()["not_composed"] == 1


def test_a_request_is_set_aside_after_the_last_attempt(
    world: World, public_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_for_nobody(monkeypatch)
    type_in(public_plan, NOBODY)
    for _ in range(MAX_ATTEMPTS):
        plan_round(now=timezone.now())
    monkeypatch.undo()

    plan_round(now=timezone.now())

    assert EmailRequest.objects.get().tries == MAX_ATTEMPTS, "The request must be set aside and not be tried again."


def test_a_plan_no_longer_public_when_a_request_is_processed_is_not_named(world: World, public_plan: Plan) -> None:
    Client().post(follow_form(public_plan), {"email": NOBODY, "frequency": "daily"})
    change_audience(plan=public_plan, audience="owners", reason="Too early.", author=world.amina, now=timezone.now())

    plan_round(now=timezone.now())

    assert not User.objects.filter(email=NOBODY).exists()
    assert not Delivery.objects.exists()


def test_a_suppressed_address_does_not_create_a_person(world: World, public_plan: Plan) -> None:
    bounces.suppress_address(address=NOBODY, reason="It came back.", email_id=None, author_id=None, now=timezone.now())

    type_in(public_plan, NOBODY)

    assert not User.objects.filter(email=NOBODY).exists()


def test_administrators_can_see_but_not_change_failed_email_requests(world: World, public_plan: Plan) -> None:
    record_request(email="vic@example.org", plan=public_plan, now=timezone.now())
    EmailRequest.objects.update(tries=MAX_ATTEMPTS)
    dee = signed_in(world.dee)

    list_page = dee.get(reverse("admin:digests_emailrequest_changelist"), {"tries": MAX_ATTEMPTS})
    change_page = reverse("admin:digests_emailrequest_change", args=[EmailRequest.objects.get().pk])

    assert "vic@example.org" in list_page.content.decode()
    assert dee.post(change_page, {"address": "other@example.org"}).status_code == 403
    assert dee.get(reverse("admin:digests_emailrequest_add")).status_code == 403
