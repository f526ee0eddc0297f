"""Digests that could not be sent are sent later, without content that their reader may no longer read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails import rendering, selecting
from partnerships.digests.emails.links import Purpose, is_current
from partnerships.digests.management.weeks.stage import play_weeks
from partnerships.digests.models import Delivery, Preference, Subscription, Watermark
from partnerships.digests.planning.choosing import reconcile
from partnerships.digests.queries.queue import queue_figures
from partnerships.digests.services.sweep import plan_round
from partnerships.organisations.models import Membership
from partnerships.outbox import claiming, draining, settling
from partnerships.outbox.answers import Answer, Outcome
from partnerships.outbox.claiming import claim_emails
from partnerships.outbox.models import Bounce, Email, EmailPart, Suppression
from partnerships.outbox.services import record_email
from partnerships.people.models import User
from partnerships.people.services import person_for_address
from partnerships.plans.models import Plan
from partnerships.plans.services import add_comment
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.support.ledger import rewrite
from tests.support.pages import collapse
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World

#: Answers of a mail server: no connection, try later, a connection lost after the body, and an unknown address.
AWAY = Answer(0, Outcome.LATER, "No connection to the mail server: Connection refused", reached=False)
LATER = Answer(0, Outcome.LATER, "451 4.3.0 Not now")
LOST = Answer(0, Outcome.LATER, "The connection to the mail server was lost: closed", in_doubt=True)
GONE = Answer(0, Outcome.NO_SUCH_ADDRESS, "550 5.1.1 User unknown")


@pytest.fixture
def bens_subscription(world: World, plan: Plan) -> Subscription:
    """Return Ben's subscription to the plan, which has a new version that he has not been told about."""
    subscription = services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    publish(plan, 100, author=world.amina)
    return subscription


def hours_pass(count: int = 1) -> None:
    """Make emails due again and this many hours older."""
    for email in Email.objects.unsettled():
        rewrite(email.pk, created_at=email.created_at - dt.timedelta(hours=count), available_at=timezone.now())


# ---- A mail server that is away


def test_no_digest_is_lost_when_the_mail_server_is_away_for_days(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "MAX_DEFERRALS", 3)
    office.answers[world.ben.email] = [AWAY] * 10
    play(office)

    for _ in range(9):
        hours_pass(8)
        office.drain()
    status_while_away = Delivery.objects.get().status
    hours_pass()
    office.drain()

    assert status_while_away == "queued"
    assert "was 120, now 100" in text_of(office.to(world.ben)[0])
    assert Watermark.objects.get(recipient=world.ben, plan=plan).number == 2


def test_emails_are_retried_within_minutes_once_the_server_is_back(
    world: World, bens_subscription: Subscription, office: PostOffice
) -> None:
    office.answers[world.ben.email] = [AWAY] * 2
    play(office)

    hours_pass(72)
    office.drain()

    delivery = Delivery.objects.get()
    assert delivery.available_at - timezone.now() <= dt.timedelta(minutes=5)
    assert delivery.reason.startswith("No connection to the mail server")


def test_a_delayed_digest_contains_the_news_of_the_day_it_is_sent(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    office.answers[world.ben.email] = [AWAY, LATER]
    play(office)

    publish(plan, 96, author=world.amina, note="And four less.")
    hours_pass(31)
    office.drain()
    hours_pass()
    play(office)

    [email] = office.to(world.ben)
    assert "was 120, now 96" in text_of(email)
    assert "And four less." in text_of(email)


def test_an_email_fails_when_the_server_defers_it_for_days(
    world: World, bens_subscription: Subscription, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "MAX_DEFERRALS", 3)
    office.answers[world.ben.email] = [LATER] * 3
    play(office)

    for _ in range(2):
        hours_pass(50)
        office.drain()

    delivery = Delivery.objects.get()
    assert delivery.status == "failed"
    assert delivery.reason == "451 4.3.0 Not now"
    assert settling.MAX_DEFERRALS == 3


def test_a_server_that_rejects_every_address_suppresses_nobody(world: World, plan: Plan, office: PostOffice) -> None:
    people = [person_for_address(email=f"reader{number}@council.example", name="") for number in range(15)]
    for person in people:
        services.add_confirmed_subscription(
            person=person, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
        )
        office.answers[person.email] = [GONE]
    publish(plan, 100, author=world.amina)
    play(office)
    suppressed_count = Suppression.objects.count()
    hours_pass()
    office.drain()

    assert suppressed_count == 0
    assert len(office.sent) == 15


def test_one_rejected_address_is_suppressed(world: World, bens_subscription: Subscription, office: PostOffice) -> None:
    office.answers[world.ben.email] = [GONE]

    play(office)

    assert Suppression.objects.get().reason == "The mail server refused the address: 550 5.1.1 User unknown"


# ---- An email in doubt


def test_an_email_in_doubt_is_sent_again_unchanged(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    office.answers[world.ben.email] = [LOST, AWAY, LATER]
    play(office)

    publish(plan, 96, author=world.amina)
    for _ in range(3):
        hours_pass()
        office.drain()
    play(office)

    first, repeated, next_digest = (outgoing.data for outgoing in office.sent)
    assert first == repeated
    assert "was 100, now 96" in text_of(office.to(world.ben)[2])
    assert next_digest != first


def test_an_email_in_doubt_no_longer_lists_what_may_not_be_seen(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    comment = add_comment(plan=plan, author=world.amina, text="@Ben West, is it so?", version_number=2, now=world.now)
    office.answers[world.ben.email] = [LOST]
    play(office)

    comment.delete()
    hours_pass()
    office.drain()

    first, repeated = office.to(world.ben)
    assert "Answer Amina Larch’s comment" in text_of(first)
    assert "Answer Amina Larch’s comment" not in text_of(repeated)
    assert first["Message-ID"] == repeated["Message-ID"]


def test_an_email_in_doubt_is_not_sent_to_a_reader_who_lost_access(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    office.answers[world.ben.email] = [LOST]
    play(office)

    leave_partnership_as_westmarch(world)
    hours_pass()
    office.drain()

    assert len(office.sent) == 1
    assert Delivery.objects.get().status == "suppressed"


def test_an_email_in_doubt_goes_to_the_new_address_with_valid_links(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    office.answers[world.ben.email] = [LOST]
    play(office)

    services.renew_links(person=world.ben, author=world.ben, now=timezone.now())
    world.ben.email = "ben.west@westmarch.example"
    world.ben.save(update_fields=["email"])
    hours_pass()
    office.drain()

    [email] = office.to(world.ben)
    assert world.ben.email in str(email["To"])
    key = Preference.objects.get(person=world.ben).link_key
    token = str(email["List-Unsubscribe"]).partition(">")[0].split("/")[-2]
    assert is_current(Purpose.STOP, token, link_key=key)


def test_an_email_whose_shared_part_was_deleted_is_composed_again(
    world: World, bens_subscription: Subscription, office: PostOffice
) -> None:
    office.answers[world.ben.email] = [LOST]
    play(office)

    EmailPart.objects.all().delete()
    hours_pass()
    office.drain()

    assert len(office.to(world.ben)) == 2


def test_the_privacy_note_is_repeated_until_an_email_is_delivered(world: World, plan: Plan, office: PostOffice) -> None:
    services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    publish(plan, 100, author=world.amina)
    office.answers[world.sol.email] = [AWAY, LATER]
    play(office)

    for _ in range(2):
        hours_pass()
        office.drain()

    assert "Why we have your address" in text_of(office.to(world.sol)[0])


# ---- Pausing while an email is being sent


def pause_until(world: World, day: dt.date | None) -> None:
    """Pause Ben's digests until a day, or end the pause."""
    services.prefer(
        person=world.ben,
        frequency="at_once",
        hour=8,
        weekday=0,
        working_days_of="",
        paused_until=day,
        time_zone="Europe/London",
        author=world.ben,
        now=timezone.now(),
    )


def chosen_email(office: PostOffice, reader: User) -> None:
    """Leave the email as it is after its reader was chosen."""


def claimed_email(office: PostOffice, reader: User) -> None:
    """Claim the email, as a process does that sends it."""
    claim_emails(now=timezone.now(), limit=10)


def email_in_doubt(office: PostOffice, reader: User) -> None:
    """Send the email, and lose the connection before the server answers."""
    office.answers[reader.email] = [LOST]
    office.drain()


@pytest.mark.parametrize(
    "prepare_email", [chosen_email, claimed_email, email_in_doubt], ids=lambda prepare_email: prepare_email.__name__
)
def test_a_paused_reader_gets_nothing_until_the_pause_ends(
    world: World,
    plan: Plan,
    bens_subscription: Subscription,
    office: PostOffice,
    prepare_email: Callable[[PostOffice, User], None],
) -> None:
    plan_round(now=timezone.now())
    prepare_email(office, world.ben)
    count_before = len(office.sent)
    pause_until(world, timezone.localdate() + dt.timedelta(days=3))
    hours_pass()
    play(office)
    count_during = len(office.sent)
    pause_until(world, None)
    hours_pass()
    play(office)

    assert count_during == count_before
    assert len(office.sent) == count_before + 1
    assert "was 120, now 100" in text_of(office.to(world.ben)[-1])


def test_an_email_claimed_just_before_a_pause_is_released(
    world: World, bens_subscription: Subscription, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_claim = claim_emails

    def claim_and_pause(**arguments: Any) -> Any:
        result = real_claim(**arguments)
        if result.emails:
            Preference.objects.filter(person=world.ben).update(paused_until=timezone.localdate() + dt.timedelta(days=2))
        return result

    monkeypatch.setattr(draining, "claim_emails", claim_and_pause)

    play(office)

    assert not office.sent
    delivery = Delivery.objects.get()
    assert delivery.status == "queued"
    assert not delivery.in_doubt
    assert delivery.available_at > timezone.now() + dt.timedelta(hours=20)


def test_an_email_claimed_just_before_losing_access_is_suppressed(
    world: World, bens_subscription: Subscription, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_claim = claim_emails

    def claim_and_leave(**arguments: Any) -> Any:
        result = real_claim(**arguments)
        if result.emails and world.party(world.westmarch).is_present:
            leave_partnership_as_westmarch(world)
        return result

    monkeypatch.setattr(draining, "claim_emails", claim_and_leave)

    play(office)

    assert not office.sent
    assert Delivery.objects.get().status == "suppressed"


# ---- An email that cannot be composed


def test_an_email_that_cannot_be_composed_fails_without_delaying_others(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.add_confirmed_subscription(person=world.eddie, target=plan, author=None, now=timezone.now())
    publish(plan, 96, author=world.amina)
    real_digest = rendering.digest

    def fails_for_ben(to: Any, *given: Any, **more: Any) -> Any:
        if to.person_id == world.ben.pk:
            raise ZeroDivisionError("Mill Lane canary")
        return real_digest(to, *given, **more)

    monkeypatch.setattr(rendering, "digest", fails_for_ben)
    play(office)
    first_status = Delivery.objects.get(recipient=world.ben).status
    for _ in range(claiming.MAX_COMPOSINGS):
        hours_pass()
        office.drain()

    assert len(office.to(world.eddie)) == 1
    assert first_status == "queued"
    failed_email = Delivery.objects.get(recipient=world.ben)
    assert failed_email.status == "failed"
    assert failed_email.reason.startswith(
        "The email could not be written: ZeroDivisionError (test_nothing_is_lost.py, line "
    )
    assert "canary" not in failed_email.reason


def test_emails_that_cannot_be_composed_are_shown_to_operators(
    world: World, bens_subscription: Subscription, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "digest", lambda *given, **more: 1 / 0)
    play(office)

    page = signed_in(world.dee).get(reverse("digests:ledger"))

    assert queue_figures()["not_composed"] == 1
    assert "could not be prepared" in page.content.decode()


def test_an_overdue_reader_is_counted_although_another_email_is_deferred(
    world: World, plan: Plan, bens_subscription: Subscription
) -> None:
    services.send_links(person=world.ben, now=timezone.now())
    Delivery.objects.update(available_at=timezone.now() + dt.timedelta(hours=1))
    an_hour_ago = timezone.now() - dt.timedelta(hours=1)
    Watermark.objects.filter(recipient=world.ben, plan=plan).update(due_at=an_hour_ago, waiting_since=an_hour_ago)

    assert queue_figures()["oldest_due_seconds"] >= 3600


def test_a_renewed_lease_shows_although_another_email_waits_until_tomorrow(world: World, settings: Any) -> None:
    """A worker is restarted if nothing changes here while emails are overdue."""
    settings.EMAIL_LEASE_SECONDS = 3_600
    now = timezone.now()
    addresses = ("first@ground.example", "second@ground.example")
    for address in addresses:
        record_email(kind="people.account", address=address, secrets={"subject": "A code", "text": "1\n"}, now=now)
    waiting_id, sending_id = Email.objects.filter(address__in=addresses).order_by("pk").values_list("pk", flat=True)
    rewrite(waiting_id, available_at=now + dt.timedelta(days=1))
    rewrite(sending_id, status="sending", available_at=now + dt.timedelta(seconds=1_000))
    lease_before = queue_figures()["lease_until"]

    rewrite(sending_id, available_at=now + dt.timedelta(seconds=2_000))

    assert "" < lease_before < queue_figures()["lease_until"]


def test_an_email_that_is_tried_in_vain_is_counted_between_tries(world: World, bens_subscription: Subscription) -> None:
    services.send_links(person=world.ben, now=timezone.now())
    assert set(queue_figures()["oldest_tried_by_lane_seconds"].values()) == {0}
    later = timezone.now() + dt.timedelta(hours=1)
    Email.objects.unsettled().update(
        available_at=later + dt.timedelta(hours=1), reason="No connection to the mail server"
    )

    with time_machine.travel(later, tick=False):
        figures = queue_figures()

    assert max(figures["oldest_tried_by_lane_seconds"].values()) >= 3600
    assert set(figures["oldest_by_lane_seconds"].values()) == {0}


def test_the_simulated_week_passes_although_another_email_cannot_be_composed(
    world: World, bens_subscription: Subscription, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_round(now=timezone.now())
    real_digest = rendering.digest

    def fails_for_ben(to: Any, *given: Any, **more: Any) -> Any:
        if to.person_id == world.ben.pk:
            raise ZeroDivisionError
        return real_digest(to, *given, **more)

    monkeypatch.setattr(rendering, "digest", fails_for_ben)
    lines = "\n".join(play_weeks())

    assert "EMAIL  " in lines
    assert "Harbour Quarter" not in lines
    assert Delivery.objects.get().attempts == 0


def test_a_digest_is_sent_once_a_composing_error_is_fixed(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(selecting, "read_news", lambda **given: 1 / 0)
        play(office)
        hours_pass()
        office.drain()
    hours_pass()
    office.drain()

    assert "was 120, now 100" in text_of(office.to(world.ben)[0])


# ---- Asking


def test_no_confirmation_is_sent_when_the_asking_organisation_lost_access(
    world: World, plan: Plan, office: PostOffice
) -> None:
    services.add_stakeholder(
        email=world.sol.email,
        name="Sol",
        target=plan,
        author=world.ben,
        organisation=world.westmarch,
        now=timezone.now(),
    )
    leave_partnership_as_westmarch(world)

    office.drain()

    assert not office.sent
    assert (
        Delivery.objects.get().reason
        == "The recipient, or the organisation that asked, can no longer read what the digests are about."
    )


# ---- Sending again


def test_a_digest_sent_again_has_the_same_news(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    play(office)
    email = Delivery.objects.get()
    publish(plan, 96, author=world.amina)
    services.send_again(delivery=email, author=world.dee, reason="They deleted it.", now=timezone.now())
    office.drain()
    play(office)

    texts = [text_of(message) for message in office.to(world.ben)]
    assert "was 120, now 100" in texts[1]
    assert "was 100, now 96" in texts[2]
    assert len({str(message["Message-ID"]) for message in office.to(world.ben)}) == 3


def test_sending_a_received_digest_again_needs_a_reason_shown_in_the_ledger(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    play(office)
    email = Delivery.objects.get()
    lead = signed_in(world.amina)
    address = reverse("digests:again", args=[email.pk])

    answer_without_reason = lead.post(address, follow=True)
    repeats_before = Email.objects.filter(repeat_of_id=email.pk).count()
    lead.post(address, {"reason": "They lost it in a move."})
    second_response = lead.post(address, {"reason": "And again."}, follow=True)
    page = lead.get(reverse("digests:entry", args=[email.pk]))

    assert "Enter a reason for sending it again" in answer_without_reason.content.decode()
    assert repeats_before == 0
    assert "This email is already waiting to be sent again" in second_response.content.decode()
    assert Email.objects.filter(repeat_of_id=email.pk).count() == 1
    assert "by Amina Larch: They lost it in a move." in collapse(page.content.decode())


def test_a_failed_email_that_was_never_composed_can_be_sent_again(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(rendering, "digest", lambda *given, **more: 1 / 0)
        broken.setattr(claiming, "MAX_COMPOSINGS", 1)
        play(office)
    email = Delivery.objects.get()

    signed_in(world.dee).post(reverse("digests:again", args=[email.pk]))
    office.drain()

    assert email.status == "failed"
    assert "was 120, now 100" in text_of(office.to(world.ben)[0])


# ---- News that was left unsent


def test_a_reader_who_regains_access_gets_what_they_missed(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    plan_round(now=timezone.now())
    Membership.objects.filter(person=world.ben).update(ends_on=timezone.localdate())
    office.drain()
    count_without_access = len(office.sent)
    Membership.objects.filter(person=world.ben).update(ends_on=None)

    reconcile(now=timezone.now())
    play(office)

    assert count_without_access == 0
    assert "was 120, now 100" in text_of(office.to(world.ben)[0])


def test_a_suppressed_address_is_not_reported_as_missed(
    world: World, bens_subscription: Subscription, office: PostOffice
) -> None:
    Suppression.objects.create(address=world.ben.email, reason="Mail came back.", since=timezone.now())
    play(office)

    assert office.sent == []
    assert reconcile(now=timezone.now()) == 0


def test_a_refused_digest_is_not_retried_automatically(
    world: World, bens_subscription: Subscription, office: PostOffice
) -> None:
    office.answers[world.ben.email] = [Answer(0, Outcome.REFUSED, "554 5.6.0 Refused")]
    play(office)

    assert reconcile(now=timezone.now()) == 0


# ---- Bounces


def test_bounced_news_is_repeated_in_the_next_digest(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    from partnerships.outbox.bounces import note_bounce

    play(office)
    email = Delivery.objects.get()
    note_bounce(
        kind=Bounce.Kind.SOFT,
        address=email.address,
        text="4.2.2 full",
        message_id=email.message_id,
        now=timezone.now(),
    )
    publish(plan, 96, author=world.amina)
    play(office)

    assert "was 120, now 96" in text_of(office.to(world.ben)[1])
