"""Transactions at the same moment lose nothing, mainly confirming while a version is spread.

A reader who confirms meanwhile is told about the version, whichever transaction is first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.models import Delivery, RoleRule, Subscription, SubscriptionOrigin, Watermark
from partnerships.digests.planning import roles, watermarks
from partnerships.digests.planning.choosing import announce_joined, reconcile
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.services.sweep import plan_round
from partnerships.organisations.models import Membership
from partnerships.outbox import answers
from partnerships.outbox.claiming import claim_emails
from partnerships.outbox.draining import drain
from partnerships.outbox.models import DeliveredBefore, Email
from partnerships.outbox.restoring import params_hash
from partnerships.plans.models import Plan
from partnerships.plans.services import add_comment
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def beside(work: Callable[[], object]) -> threading.Thread:
    """Start some work in a thread with its own connection."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def somebody_waits() -> bool:
    """Return True if a connection to this database waits for the lock of the watermarks.

    `pg_locks` also lists locks in the databases of the other processes of the test run.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted)"
        )
        return bool(cursor.fetchone()[0])


def asked_to_follow(world: World, plan: Plan) -> Subscription:
    """Ask Sol to follow the plan, without an answer."""
    return services.add_stakeholder(
        email=world.sol.email,
        name="Sol",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )


def test_confirming_while_a_version_is_spread_includes_that_version(
    world: World, plan: Plan, office: PostOffice
) -> None:
    subscription = asked_to_follow(world, plan)
    confirmed = threading.Event()
    published = threading.Event()

    def confirm() -> None:
        with transaction.atomic():
            services.confirm(subscription=Subscription.objects.get(pk=subscription.pk), now=timezone.now())
            confirmed.set()
            published.wait(10)

    confirm_thread = beside(confirm)
    assert confirmed.wait(10)
    publish(plan, 100, author=world.amina)
    sweep_thread = beside(lambda: plan_round(now=timezone.now()))
    until_it_waits_or_ends(sweep_thread)
    published.set()
    confirm_thread.join(10)
    sweep_thread.join(10)

    play(office)

    assert "was 120, now 100" in text_of(office.to(world.sol)[-1])


def test_reconciling_tells_a_version_that_a_confirmation_did_not_see(
    world: World, plan: Plan, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = asked_to_follow(world, plan)
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())  # spread to everybody who had confirmed by then
    with monkeypatch.context() as without_the_lock:  # of planning: the confirmation began before the version
        without_the_lock.setattr(watermarks, "newest_numbers", lambda plans, now: {plan.pk: (1, 1)})
        services.confirm(subscription=subscription, now=timezone.now())
    watermark = Watermark.objects.get(recipient=world.sol, plan=plan)
    play(office)
    digests_before = [email for email in office.to(world.sol) if "change" in email["Subject"]]

    waiting_count = reconcile(now=timezone.now())
    play(office)

    assert watermark.number == 1
    assert watermark.due_at is None
    assert digests_before == []
    assert waiting_count == 1  # the version; nobody waits for the numbered change that publishing it is
    assert "was 120, now 100" in text_of(office.to(world.sol)[-1])
    assert reconcile(now=timezone.now()) == 0


def until_it_waits_or_ends(work: threading.Thread) -> None:
    """Wait until a thread waits for the lock or ends, for at most ten seconds."""
    deadline = time.monotonic() + 10
    while work.is_alive() and not somebody_waits() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_ending_a_role_rule_while_it_is_applied_leaves_no_subscriptions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = services.set_role_rule(target=world.partnership, author=world.amina, now=timezone.now())
    Subscription.objects.filter(person=world.ben).delete()  # as before he had the role
    real_people_of = roles.people_of
    ending = threading.Event()

    def while_it_ends(rule: RoleRule) -> QuerySet[Membership]:
        memberships = real_people_of(rule)
        ending.set()
        until_it_waits_or_ends(end_thread)
        return memberships

    def end() -> None:
        assert ending.wait(10)
        services.end_role_rule(rule=rule, author=world.amina, reason="Ended by a lead.", now=timezone.now())

    monkeypatch.setattr(roles, "people_of", while_it_ends)
    end_thread = beside(end)
    announce_joined(now=timezone.now())
    end_thread.join(10)

    assert not RoleRule.objects.exists()
    assert not Subscription.objects.live().filter(how=SubscriptionOrigin.ROLE).exists()


def test_two_requests_to_the_same_new_address_do_not_deadlock(world: World, plan: Plan) -> None:
    arguments = {
        "email": "rose@street.example",
        "name": "Rose",
        "target": plan,
        "author": world.amina,
        "organisation": world.larkhaven,
    }

    subscriptions_of_thread: list[Subscription] = []

    with transaction.atomic():
        lock_planning()  # as loading a network does
        thread = beside(
            lambda: subscriptions_of_thread.append(services.add_stakeholder(now=timezone.now(), **arguments))
        )
        until_it_waits_or_ends(thread)
        subscription = services.add_stakeholder(now=timezone.now(), **arguments)
    thread.join(10)

    assert subscriptions_of_thread == [subscription]
    assert Delivery.objects.filter(recipient=subscription.person).count() == 1


def test_settling_on_the_second_connection_gives_the_same_results(world: World, plan: Plan, office: PostOffice) -> None:
    later_answer = answers.Answer(0, answers.Outcome.LATER, "451 4.3.0 Not now")
    away_answer = answers.Answer(0, answers.Outcome.LATER, "No connection to the mail server", reached=False)
    refused_answer = answers.Answer(0, answers.Outcome.REFUSED, "554 5.6.0 No")
    for person, organisation in ((world.ben, None), (world.eddie, None), (world.sol, world.larkhaven)):
        author = world.amina if organisation else person
        services.add_confirmed_subscription(
            person=person, target=plan, author=author, organisation=organisation, now=timezone.now()
        )
    office.answers = {
        world.ben.email: [later_answer],
        world.eddie.email: [away_answer],
        world.sol.email: [refused_answer],
    }
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())

    drain(seconds=10, connect=lambda: office)

    rows = {row.person_id: row for row in Email.objects.all()}
    assert rows[world.sol.pk].status == "failed"
    assert rows[world.sol.pk].reason == "554 5.6.0 No"
    assert rows[world.ben.pk].status == "queued"
    assert rows[world.ben.pk].deferrals == 1
    assert rows[world.eddie.pk].status == "queued"
    assert rows[world.eddie.pk].deferrals == 0


def test_two_senders_drop_what_one_person_was_sent_before_a_restore(world: World, plan: Plan) -> None:
    for words in ("why?", "what else?"):
        add_comment(plan=plan, version_number=1, text=f"@Ben West: {words}", author=world.amina, now=timezone.now())
    mentions = Email.objects.filter(kind="plans.mention", person_id=world.ben.pk)
    Email.objects.unsettled().exclude(pk__in=mentions.values("pk")).update(status="dropped", settled_at=timezone.now())
    for email in mentions:
        DeliveredBefore.objects.create(
            kind=email.kind,
            person_id=email.person_id,
            params_hash=params_hash(email.params),
            email_id=email.pk,
            at=timezone.now(),
        )

    with transaction.atomic():
        claim_emails(now=timezone.now(), limit=1)
        other_sender = beside(lambda: claim_emails(now=timezone.now(), limit=1))
        other_sender.join(10)

    assert list(mentions.values_list("status", flat=True)) == ["dropped", "dropped"]


def test_a_double_click_sends_an_email_again_only_once(world: World, plan: Plan, office: PostOffice) -> None:
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    publish(plan, 100, author=world.amina)
    play(office)
    email = world.ben.deliveries.get()
    errors: list[str] = []

    def send_again() -> None:
        try:
            services.send_again(delivery=email, author=world.dee, reason="They lost it.", now=timezone.now())
        except services.UnableToSendAgain as error:
            errors.append(str(error))

    for thread in [beside(send_again), beside(send_again)]:
        thread.join(10)

    assert world.ben.deliveries.filter(repeat_of_id=email.pk).count() == 1
    assert errors == ["This email is already waiting to be sent again. You do not need to do anything."]
