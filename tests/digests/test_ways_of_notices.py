"""Emails match how people choose to get notices."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Delivery, InboxItem, NoticeChoice, NoticeDelivery, Preference, SubjectWatermark
from partnerships.digests.queries.ways import ways_of
from partnerships.digests.restoring import redo_ways
from partnerships.digests.services.journal_lines import person_identity
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox.kinds import EmailKind, all_kinds
from partnerships.outbox.models import Email, Lane
from partnerships.outbox.restoring import DeliveredEmail, params_hash, remember_deliveries
from partnerships.outbox.services import record_emails
from partnerships.people.lead_times import chosen_lead_times
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import publish_version
from tests.commitments.promises import propose
from tests.digests.conftest import PostOffice, html_of, play, publish, quay, text_of
from tests.support.signing_in import signed_in
from tests.world import World

NOTICES = [
    kind
    for kind in all_kinds()
    if kind.lane == Lane.NOTICE and not kind.code.startswith(("digests.", "tests.", "agreements.contact"))
]


@pytest.fixture(autouse=True)
def usual_ways(settings: Any) -> None:
    """Send summaries to people who chose nothing, as the default setting does."""
    settings.NOTICES_AT_ONCE = False


def choose(person: User, **ways: str) -> None:
    """Choose how a person gets notices, by group."""
    services.choose_ways(person=person, ways=ways, author=person, now=timezone.now())


def tell(kind: EmailKind, person: User) -> None:
    """Record a notice of this kind to a person."""
    with transaction.atomic():
        record_emails(kind=kind.code, people=[person.pk], params={}, now=timezone.now())


def emails_of(person: User) -> list[str]:
    """Return the kinds of the emails recorded to a person."""
    return list(Email.objects.filter(person_id=person.pk).values_list("kind", flat=True))


def summary(person: User, office: PostOffice) -> Any:
    """Return the only email to a person, after the hour of their summary."""
    play(office, now=timezone.now() + dt.timedelta(days=5))
    [email] = office.to(person)
    return email


def test_steps_come_in_one_summary_unless_chosen_otherwise(world: World, office: PostOffice) -> None:
    first_commitment = propose(world)
    propose(world, text="Ten flats at Mill Lane for key workers.")
    assert emails_of(world.ben) == []

    email = summary(world.ben, office)

    subject = str(email["Subject"])
    assert subject.startswith(f"{first_commitment.reference} needs your confirmation: ")
    assert subject.endswith(f" ({world.partnership.title}) and 1 more")
    assert "2 updates today" in text_of(email)
    for part in (text_of(email), html_of(email)):
        assert "needs your confirmation" in part
        assert "We have already sent you anything urgent." in " ".join(part.split())
        assert "/digests/inbox/" in part


def test_notices_of_a_summary_are_not_sent_again_in_the_next(world: World, office: PostOffice) -> None:
    propose(world)
    summary(world.ben, office)

    play(office, now=timezone.now() + dt.timedelta(days=6))

    assert len(office.to(world.ben)) == 1


@pytest.fixture
def commitments_kind() -> EmailKind:
    """Return a kind of notice about commitments that people can turn off."""
    return next(kind for kind in NOTICES if kind.group == "commitments" and not kind.always)


class Recorded(NamedTuple):
    """What recording a notice did: how many of its items are in no summary, and how many queries it took."""

    left_out: int
    queries: int


def record_notice(kind: EmailKind, people: Sequence[User]) -> Recorded:
    """Record notice 1 of the kind to these people."""
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        record_emails(kind=kind.code, people=[person.pk for person in people], params={"number": 1}, now=timezone.now())
    items = InboxItem.objects.filter(kind=kind.code, person__in=people)
    return Recorded(items.filter(due_at=None).count(), len(queries))


def test_notice_to_three_people_needs_the_same_queries_as_to_one(world: World, commitments_kind: EmailKind) -> None:
    for_one = record_notice(commitments_kind, [world.amina])

    for_three = record_notice(commitments_kind, [world.ben, world.vera, world.chidi])

    assert for_one.left_out == for_three.left_out == 0
    assert for_three.queries == for_one.queries


@pytest.fixture
def delivered_before(world: World, commitments_kind: EmailKind) -> None:
    """Remember after a restore that Amina and Ben have already received notice 1."""
    deliveries = [
        DeliveredEmail(commitments_kind.code, person.pk, params_hash({"number": 1}), person.pk, timezone.now())
        for person in (world.amina, world.ben)
    ]
    assert remember_deliveries(deliveries) == 2


@pytest.mark.usefixtures("delivered_before")
def test_people_who_received_a_notice_before_a_restore_get_it_in_no_summary(
    world: World, commitments_kind: EmailKind
) -> None:
    for_one = record_notice(commitments_kind, [world.amina])

    for_three = record_notice(commitments_kind, [world.ben, world.vera, world.chidi])

    assert for_one.left_out == 1
    assert for_three.left_out == 1  # Ben
    assert for_three.queries == for_one.queries


@pytest.mark.usefixtures("delivered_before")
def test_a_delivery_before_a_restore_stops_only_one_notice(world: World, commitments_kind: EmailKind) -> None:
    people = [world.amina, world.ben, world.vera, world.chidi]
    record_notice(commitments_kind, people)

    recorded_again = record_notice(commitments_kind, people)

    assert recorded_again.left_out == 2


def test_what_was_read_on_the_site_is_not_in_the_summary(world: World, office: PostOffice) -> None:
    propose(world)
    propose(world, text="Ten flats at Mill Lane for key workers.")
    first_item = InboxItem.objects.filter(person=world.ben).earliest("pk")
    signed_in(world.ben).get(reverse("digests:inbox-open", args=[first_item.pk]))

    email = summary(world.ben, office)

    assert "1 update today" in text_of(email)
    assert "Ten flats at Mill Lane" in str(email["Subject"])
    assert "Sixty" not in text_of(email).partition("Waiting for you")[0]


def test_no_summary_leaves_when_all_was_read(world: World, office: PostOffice) -> None:
    propose(world)
    services.mark_items(person=world.ben, item_ids=None, is_read=True, now=timezone.now())

    play(office, now=timezone.now() + dt.timedelta(days=5))

    assert office.to(world.ben) == []


def test_what_was_read_between_choosing_and_sending_is_left_out(world: World, office: PostOffice) -> None:
    propose(world)
    plan_round(now=timezone.now() + dt.timedelta(days=5))
    services.mark_items(person=world.ben, item_ids=None, is_read=True, now=timezone.now())

    office.drain()

    assert office.to(world.ben) == []
    assert not Delivery.objects.filter(recipient=world.ben, status__in=["queued", "sending", "sent"]).exists()


def test_what_no_longer_holds_is_left_out_with_the_reason(world: World, office: PostOffice) -> None:
    commitment = propose(world)
    InboxItem.objects.filter(person=world.ben).update(params={"commitment": commitment.pk, "author": world.amina.pk})

    play(office, now=timezone.now() + dt.timedelta(days=5))

    assert office.to(world.ben) == []
    assert InboxItem.objects.get(person=world.ben).left_out.startswith("The notice could not be written")


def test_a_digest_of_plans_takes_the_notices_with_it(world: World, plan: Plan, office: PostOffice) -> None:
    services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    propose(world)
    publish(plan, 100, author=world.amina)

    play(office)

    [email] = office.to(world.ben)
    assert str(email["Subject"]) == "1 change in Harbour Quarter and 1 notice"
    assert "needs your confirmation" in text_of(email)


def test_what_a_digest_tells_as_a_change_is_no_notice_in_it_too(world: World, office: PostOffice) -> None:
    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    commitment = propose(world)
    propose(world, partnership=None, text="Ten flats at Mill Lane for key workers.")

    play(office)

    [email] = office.to(world.ben)
    text = " ".join(text_of(email).split())
    assert text.count("Sixty modular homes at Quayside for households in temporary") == 2  # the change, what waits
    assert "needs your confirmation: Sixty" not in text
    assert "Ten flats at Mill Lane" in text
    item = InboxItem.objects.get(person=world.ben, record_id=commitment.pk, record_kind="commitment")
    assert item.delivery_id == Delivery.objects.get(recipient=world.ben, kind="digests.digest").pk


def test_pages_of_a_digest_list_no_notice_that_it_tells_as_a_change(world: World, office: PostOffice) -> None:
    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    commitment = propose(world)
    other = propose(world, partnership=None, text="Ten flats at Mill Lane for key workers.")
    as_a_change, as_a_notice = (
        reverse("digests:inbox-open", args=[InboxItem.objects.get(person=world.ben, record_id=record.pk).pk])
        for record in (commitment, other)
    )

    SubjectWatermark.objects.filter(recipient=world.ben).update(due_at=timezone.now())  # as the next round does
    preview = signed_in(world.ben).get(reverse("digests:preview", args=[world.ben.pk])).content.decode()
    play(office)
    delivery = Delivery.objects.get(recipient=world.ben, kind="digests.digest")
    key = Preference.objects.get(person=world.ben).link_key
    token = make(
        Purpose.READ,
        person_id=world.ben.pk,
        link_key=key,
        record_id=delivery.pk,
        minute=minute_of(timezone.now()),
    )
    view = Client().get(reverse("digests:view", kwargs={"token": token})).content.decode()

    for page in (preview, view):
        assert "Sixty modular homes at Quayside" in page
        assert as_a_notice in page
        assert as_a_change not in page


def test_during_a_pause_only_what_cannot_wait_is_sent(world: World) -> None:
    today = timezone.localdate()
    services.prefer(
        person=world.ben,
        frequency="daily",
        hour=8,
        weekday=0,
        working_days_of="",
        paused_from=today,
        paused_until=today + dt.timedelta(days=10),
        time_zone="Europe/London",
        author=world.ben,
        now=timezone.now(),
    )
    for kind in NOTICES:
        if kind.code in ("plans.mention", "agreements.terms_request"):
            tell(kind, world.ben)

    assert emails_of(world.ben) == ["agreements.terms_request"]
    mention = InboxItem.objects.get(person=world.ben, kind="plans.mention")
    assert mention.due_at is not None
    assert timezone.localdate(mention.due_at) == today + dt.timedelta(days=10)


def test_a_pause_that_has_not_begun_holds_nothing_back(world: World) -> None:
    today = timezone.localdate()
    Preference.objects.create(
        person=world.ben,
        paused_from=today + dt.timedelta(days=20),
        paused_until=today + dt.timedelta(days=30),
    )

    tell(next(kind for kind in NOTICES if kind.code == "plans.mention"), world.ben)

    assert emails_of(world.ben) == ["plans.mention"]


#: The answers on the page of choices.
CHOICES = {
    "frequency": "daily",
    "hour": "8",
    "second_hour": "13",
    "third_hour": "17",
    "weekday": "0",
    "days": ["0", "1", "2"],
    "time_zone": "Europe/London",
    "way_asks": "inbox",
    "way_commitments": "off",
    "lead_offered": "yes",
    "lead_commitments": ["7", "0"],
    "lead_dates": ["-1"],
    "lead_reports": ["14", "1"],
    "lead_asks": ["7"],
}
#: The same lead times as they are stored, in days.
CHOSEN_LEAD_TIMES = {"commitments": [7, 0], "dates": [], "reports": [14, 1], "signatures": [], "asks": [7]}


def page_signed_in(world: World) -> tuple[Client, str]:
    """Return Ben's client, and the address of his page of choices."""
    return signed_in(world.ben), reverse("digests:manage")


def page_by_link(world: World) -> tuple[Client, str]:
    """Return a client that is not signed in, and the address of Ben's page of choices as a link in an email has it."""
    token = make(
        Purpose.PREFERENCES,
        person_id=world.ben.pk,
        link_key=Preference.objects.get(person=world.ben).link_key,
        record_id=0,
        minute=minute_of(timezone.now()),
    )
    return Client(), reverse("digests:preferences", kwargs={"token": token})


@pytest.fixture(params=[page_signed_in, page_by_link], ids=["signed in", "by link"])
def choices_page(request: pytest.FixtureRequest, world: World) -> tuple[Client, str]:
    """Return a client and the address of the page on which Ben chooses his emails."""
    Preference.objects.create(person=world.ben)
    page: tuple[Client, str] = request.param(world)
    return page


def test_page_of_choices_lists_notices_and_emails_that_are_always_sent(choices_page: tuple[Client, str]) -> None:
    client, address = choices_page

    html = client.get(address).content.decode()

    assert "Asks and offers" in html
    assert "Emails that you cannot turn off" in html


def test_choices_are_saved_on_the_page(world: World, choices_page: tuple[Client, str]) -> None:
    client, address = choices_page

    response = client.post(address, CHOICES)

    preference = Preference.objects.get(person=world.ben)
    assert response.status_code == 302
    assert preference.chosen_days == [0, 1, 2]
    assert preference.chosen_further_hours == [13, 17]
    assert ways_of(world.ben)["asks"] == NoticeDelivery.INBOX
    assert ways_of(world.ben)["commitments"] == NoticeDelivery.OFF
    assert chosen_lead_times(world.ben) == CHOSEN_LEAD_TIMES


def test_saved_lead_times_are_chosen_on_the_page(choices_page: tuple[Client, str]) -> None:
    client, address = choices_page
    client.post(address, CHOICES)

    fields = client.get(address).context["form"].fields

    shown_lead_times = {kind: fields[f"lead_{kind}"].initial for kind in CHOSEN_LEAD_TIMES}
    assert shown_lead_times == CHOSEN_LEAD_TIMES | {"dates": [-1]}  # the choice “no reminder”


def test_nobody_chooses_for_another(world: World) -> None:
    with pytest.raises(PermissionDenied):
        services.choose_ways(person=world.ben, ways={"asks": "off"}, author=world.amina, now=timezone.now())
    assert not NoticeChoice.objects.exists()


def test_account_emails_and_signatures_cannot_be_chosen(world: World) -> None:
    for group in ("account", "signatures", "digests"):
        with pytest.raises(services.UnableToChooseWay):
            choose(world.ben, **{group: NoticeDelivery.OFF})


def test_an_item_leaves_the_summary_when_its_group_is_turned_off(world: World) -> None:
    propose(world)
    was_in_summary = InboxItem.objects.for_summary().filter(person=world.ben).exists()

    choose(world.ben, commitments=NoticeDelivery.INBOX)

    assert was_in_summary
    assert not InboxItem.objects.for_summary().filter(person=world.ben).exists()


def test_a_choice_made_after_a_backup_is_made_again(world: World) -> None:
    line = {"person": world.ben.pk, "same": person_identity(world.ben), "group": "asks"}
    line_of_other_person = {"person": world.amina.pk, "same": "somebody else", "group": "asks", "way": "off"}

    result = redo_ways([line | {"way": "inbox"}, line | {"way": "off"}, line_of_other_person], timezone.now())

    assert result.count == 1
    assert ways_of(world.ben)["asks"] == NoticeDelivery.OFF
    assert ways_of(world.amina)["asks"] == NoticeDelivery.SUMMARY


def test_the_stop_link_of_a_summary_keeps_its_notices_in_the_inbox(world: World, office: PostOffice) -> None:
    propose(world)
    email = summary(world.ben, office)
    [stop] = re.findall(r"Stop these emails: http://[^/\s]+(\S+)", text_of(email))

    response = Client().post(stop)  # one click (RFC 8058)

    assert response.status_code == 200
    assert ways_of(world.ben)["commitments"] == NoticeDelivery.INBOX
    assert ways_of(world.ben)["asks"] == NoticeDelivery.SUMMARY


def test_later_notices_are_not_in_the_summary_after_its_stop_link(world: World, office: PostOffice) -> None:
    propose(world)
    [stop] = re.findall(r"Stop these emails: http://[^/\s]+(\S+)", text_of(summary(world.ben, office)))
    Client().post(stop)

    propose(world, text="Ten flats at Mill Lane for key workers.")

    assert not InboxItem.objects.for_summary().filter(person=world.ben).exists()


def test_the_end_of_an_embargo_is_told_at_once_to_people_with_an_account(world: World, plan: Plan) -> None:
    days_to_tuesday = (1 - timezone.localdate().weekday()) % 7 or 7
    day = timezone.localdate() + dt.timedelta(days=days_to_tuesday)  # six days before the weekly digest
    tuesday = timezone.make_aware(dt.datetime.combine(day, dt.time(12)))
    embargo_end = tuesday + dt.timedelta(hours=2)
    arguments: dict[str, Any] = {"target": plan, "frequency": "weekly", "now": tuesday}
    services.subscribe(person=world.ben, author=world.ben, **arguments)
    services.add_confirmed_subscription(person=world.sol, author=world.amina, organisation=world.larkhaven, **arguments)
    publish_version(
        plan=plan, author=world.amina, note="Agreed.", content=quay(100), embargo_until=embargo_end, now=tuesday
    )

    def recipients_after_round(now: dt.datetime) -> list[User]:
        plan_round(now=now)
        return [delivery.recipient for delivery in Delivery.objects.order_by("pk")]

    recipients_before = recipients_after_round(tuesday)
    recipients_at_end = recipients_after_round(embargo_end + dt.timedelta(minutes=1))
    recipients_after_a_week = recipients_after_round(embargo_end + dt.timedelta(days=8))

    assert recipients_before == []
    assert recipients_at_end == [world.ben]
    assert recipients_after_a_week == [world.ben, world.sol]
