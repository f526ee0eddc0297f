"""Feeds of dates show what their owners may read, and end when they should."""

from __future__ import annotations

import datetime as dt
import logging
import re
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership
from partnerships.calendars import views
from partnerships.calendars.models import CalendarAddress
from partnerships.calendars.restoring import redo_ended
from partnerships.conversations import services as conversations
from partnerships.conversations.event_kinds import EventKind
from partnerships.kit import journal
from partnerships.kit.lists import all_lists
from partnerships.lists import services as lists
from partnerships.lists.models import SavedView
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Membership, Role
from partnerships.people.models import User
from partnerships.people.services import close_account, reopen_account
from partnerships.plans import services as plans
from partnerships.plans.models import Plan
from tests.calendars.reading import address_of, feed
from tests.commitments.promises import agree, propose
from tests.conversations.gatherings import held_meeting, in_days, planned_meeting, the_plan
from tests.nominations.quarters import next_quarter
from tests.nominations.signed import sign_nominations
from tests.organisations.handing_over import propose_and_accept_everything, record_merger, take_effect
from tests.plans.drafts import CANARY, ask_signatures, begin, publish, published_plan, save
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World, join, make_partnership, person


def status(path: str) -> int:
    """Return the status that somebody gets at a path without signing in."""
    return Client().get(path).status_code


def test_partnership_feed_has_the_dates_of_every_room(world: World) -> None:
    day = timezone.localdate() + dt.timedelta(days=20)
    planned_meeting(world)
    promise = agree(world)
    ask_signatures(published_plan(world), world, due_on=day)

    calendar = feed(address_of(world.ben, world.partnership))

    assert calendar.name == "Estuary Partnership (Common Ground)"
    assert calendar.one("Steering group")["starts"]["moment"] == int(in_days(5).timestamp())
    assert calendar.one("Steering group")["place"] == "Westmarch town hall"
    assert calendar.one(promise.reference)["starts"]["day"] == promise.due_on.isoformat()
    assert calendar.one("Start on site")["starts"]["day"] == "2027-04-30"
    assert calendar.one("Westmarch Borough Council to sign off")["starts"]["day"] == day.isoformat()
    assert all(event["words"].endswith(event["url"]) for event in calendar.events)


def test_confidential_sites_go_by_reference_only(world: World) -> None:
    published_plan(world)

    calendar = feed(address_of(world.ben, world.partnership))

    assert "Milestone of the confidential site: Estuary delivery programme" in calendar.titles()
    assert CANARY not in str(calendar)


def test_returns_are_in_the_feeds_of_both_sides_from_the_day_they_can_be_sent(world: World) -> None:
    agreement = sign_nominations(world)
    pages = [address_of(world.ben), address_of(world.amina, agreement.partnership)]
    title = f"for {next_quarter()} can be sent"

    with time_machine.travel(dt.datetime.combine(next_quarter().starts_on, dt.time(12), tzinfo=dt.UTC)):
        days = [feed(page).one(title)["starts"]["day"] for page in pages]
        titles_of_chidi = feed(address_of(world.chidi)).titles()

    assert days == [next_quarter().ends_on.isoformat()] * 2
    assert not any(title in title_of_chidi for title_of_chidi in titles_of_chidi)


def test_returns_of_a_suspended_partnership_are_in_no_feed(world: World) -> None:
    agreement = sign_nominations(world)
    pages = [address_of(world.ben), address_of(world.amina, agreement.partnership)]

    with time_machine.travel(dt.datetime.combine(next_quarter().starts_on, dt.time(12), tzinfo=dt.UTC)):
        agreements.change_status(
            partnership=agreement.partnership,
            status="suspended",
            reason="We disagree.",
            author=world.amina,
            now=timezone.now(),
        )
        titles = [title for page in pages for title in feed(page).titles()]

    assert not any(f"for {next_quarter()} can be sent" in title for title in titles)


def test_own_feed_has_only_meetings_with_an_invitation(world: World) -> None:
    planned_meeting(world, title="With Ben")
    planned_meeting(world, title="Without Ben", people=[world.amina])

    calendar = feed(address_of(world.ben))

    assert [title for title in calendar.titles() if "Ben" in title] == ["With Ben"]


def test_moved_meeting_is_a_newer_version_of_the_same_event(world: World) -> None:
    meeting = planned_meeting(world)
    path = address_of(world.ben)
    planned_event = feed(path).one("Steering group")

    conversations.change_meeting(
        meeting=meeting,
        plan=replace(the_plan(world), starts_at=in_days(9)),
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
        reason="The hall is taken.",
    )

    moved_event = feed(path).one("Steering group")
    assert moved_event["uid"] == planned_event["uid"]
    assert moved_event["sequence"] == planned_event["sequence"] + 1
    assert moved_event["starts"]["moment"] == int(in_days(9).timestamp())
    assert planned_event["status"] == "CONFIRMED"
    assert moved_event["status"] == "CONFIRMED"


def test_meeting_that_is_called_off_is_a_cancelled_version_of_the_same_event(world: World) -> None:
    meeting = planned_meeting(world)
    path = address_of(world.ben)
    planned_event = feed(path).one("Steering group")

    conversations.call_off_meeting(
        meeting=meeting, organisation=world.larkhaven, author=world.eddie, now=timezone.now(), reason="Snow."
    )

    cancelled_event = feed(path).one("Steering group")
    assert cancelled_event["uid"] == planned_event["uid"]
    assert cancelled_event["sequence"] == planned_event["sequence"] + 1
    assert cancelled_event["status"] == "CANCELLED"


def test_change_after_a_restore_has_a_higher_sequence_than_every_lost_change(world: World) -> None:
    meeting = planned_meeting(world)
    path = address_of(world.ben)
    sequence_before = feed(path).one("Steering group")["sequence"]

    # A restore raises the ids of events by ten million, so that they are above the ids of lost events.
    Event.objects.create(
        pk=Event.objects.latest("pk").pk + 10_000_000,
        kind=EventKind.MEETING_CHANGED,
        target_kind="meeting",
        target_id=meeting.pk,
        at=timezone.now(),
    )

    sequence = feed(path).one("Steering group")["sequence"]
    assert sequence > sequence_before + 1_000


def test_dates_after_the_end_of_a_partnership_are_cancelled(world: World) -> None:
    today = timezone.localdate()
    Partnership.objects.filter(pk=world.partnership.pk).update(
        status="active",
        starts_on=today - dt.timedelta(days=30),
        review_on=today + dt.timedelta(days=60),
        ends_on=today + dt.timedelta(days=90),
    )
    path = address_of(world.ben, world.partnership, "review", "end")
    calendar_before = feed(path)

    agreements.change_status(
        partnership=world.partnership, status="ended", reason="No money.", author=world.amina, now=timezone.now()
    )

    calendar = feed(path)
    assert calendar_before.one("Review")["status"] == "CONFIRMED"
    assert calendar_before.one("Last day")["status"] == "CONFIRMED"
    assert calendar.one("Review")["status"] == "CANCELLED"
    assert calendar.one("Starts")["status"] == "CONFIRMED"
    assert calendar.one("Last day")["status"] == "CONFIRMED"
    assert calendar.one("Last day")["starts"]["day"] == today.isoformat()


def test_milestones_that_a_closed_plan_did_not_reach_are_cancelled(world: World) -> None:
    plan = published_plan(world)
    path = address_of(world.ben, world.partnership, "milestone")
    event_before = feed(path).one("Start on site")

    plans.change_status(plan=plan, to="closed", reason="Sold.", author=world.amina, now=timezone.now())

    event = feed(path).one("Start on site")
    assert event_before["status"] == "CONFIRMED"
    assert event["status"] == "CANCELLED"
    assert event["sequence"] > event_before["sequence"]


def test_past_dates_are_kept(world: World) -> None:
    held_meeting(world)

    calendar = feed(address_of(world.ben))

    assert "Steering group" in calendar.titles()


@pytest.fixture
def plan_with_embargo(world: World) -> Plan:
    """Return a plan whose second version is under embargo for three days.

    The milestone "Start on site" is on 30 April 2027 in the first version, and in February 2028 in the second.
    """
    plan = published_plan(world)
    save(plan, world, "milestones/start", forecast="2028-02")
    publish(plan, world, "Not yet.", embargo_until=timezone.now() + dt.timedelta(days=3))
    return plan


def test_owner_sees_the_dates_of_a_version_under_embargo(world: World, plan_with_embargo: Plan) -> None:
    embargo_until = plan_with_embargo.versions.get(number=2).embargo_until
    assert embargo_until is not None

    calendar = feed(address_of(world.amina, world.partnership, "milestone", "embargo"))

    assert calendar.one("Embargo ends")["starts"]["moment"] == int(embargo_until.timestamp())
    assert calendar.one("Start on site")["starts"]["day"] == "2028-02-29"


def test_partner_does_not_see_the_dates_of_a_version_under_embargo(world: World) -> None:
    plan = published_plan(world)
    path = address_of(world.ben, world.partnership, "milestone", "embargo")
    calendar_before = feed(path)
    save(plan, world, "milestones/start", forecast="2028-02")

    publish(plan, world, "Not yet.", embargo_until=timezone.now() + dt.timedelta(days=3))

    calendar = feed(path)
    assert calendar == calendar_before
    assert calendar.one("Start on site")["starts"]["day"] == "2027-04-30"


def test_first_version_under_embargo_has_no_dates_for_partners(world: World) -> None:
    publish(begin(world), world, embargo_until=timezone.now() + dt.timedelta(days=3))

    calendar = feed(address_of(world.ben, world.partnership))

    assert calendar.titles() == []


def test_only_chosen_kinds_are_shown(world: World) -> None:
    planned_meeting(world)
    agree(world)

    calendar = feed(address_of(world.ben, None, "due"))

    assert {kind for event in calendar.events for kind in event["kinds"]} == {
        "Due dates of commitments, reports, asks and offers"
    }


def test_leaving_the_partnership_ends_its_feed_at_once(world: World) -> None:
    path = address_of(world.ben, world.partnership)
    status_before = status(path)

    leave_partnership_as_westmarch(world)

    assert status_before == 200
    assert status(path) == 404


def test_own_feed_has_no_meetings_of_a_partnership_that_the_organisation_left(world: World) -> None:
    planned_meeting(world)
    path = address_of(world.ben)
    titles_before = feed(path).titles()

    leave_partnership_as_westmarch(world)

    assert titles_before != []
    assert feed(path).titles() == []


def test_feed_does_not_have_the_new_title_of_a_partnership_that_was_left(world: World) -> None:
    promise = agree(world)
    path = address_of(world.ben)
    words_before = feed(path).one(promise.reference)["words"]
    leave_partnership_as_westmarch(world)
    agreements.edit_settings(
        partnership=world.partnership,
        title="Harbour merger",
        reason="A new aim.",
        author=world.amina,
        now=timezone.now(),
    )

    words = feed(path).one(promise.reference)["words"]

    assert "Estuary Partnership" in words_before
    assert "Estuary Partnership" not in words
    assert "Harbour merger" not in words


def test_leaving_the_organisation_ends_the_feeds_of_its_partnerships(world: World) -> None:
    path = address_of(world.ben, world.partnership)
    membership = Membership.objects.get(person=world.ben, organisation=world.westmarch)

    organisations.end_membership(membership=membership, author=world.dee, now=timezone.now(), even_last_lead=True)

    assert status(path) == 404


def test_closing_an_account_ends_its_addresses(world: World) -> None:
    path = address_of(world.ben)

    close_account(person=world.ben, author=world.dee, reason="Left.", now=timezone.now())

    assert status(path) == 404


def test_reopening_an_account_does_not_restore_its_addresses(world: World) -> None:
    path = address_of(world.ben)
    close_account(person=world.ben, author=world.dee, reason="Left.", now=timezone.now())

    reopen_account(person=world.ben, author=world.dee, reason="Back.", now=timezone.now())

    assert status(path) == 404


def test_feed_of_a_suspended_account_is_not_found(world: World) -> None:
    path = address_of(world.ben)

    User.objects.filter(pk=world.ben.pk).update(is_active=False)

    assert status(path) == 404


def test_new_address_replaces_the_old_one(world: World) -> None:
    old_path = address_of(world.ben)

    new_path = address_of(world.ben)

    assert status(old_path) == 404
    assert status(new_path) == 200


def test_replaced_address_ends_again_after_a_restore(world: World) -> None:
    old_path = address_of(world.ben)
    old_digest = CalendarAddress.objects.get(person=world.ben).digest
    address_of(world.ben)
    journal_line = {"person": world.ben.pk, "same": journal.identity(old_digest)}
    # The backup still has the old address.
    CalendarAddress.objects.filter(person=world.ben).update(digest=old_digest)

    result = redo_ended([journal_line], timezone.now())

    assert result.count == 1
    assert status(old_path) == 404


def make_address_on_page(client: Client) -> tuple[Any, re.Match[str]]:
    """Make an address for the person's own dates.

    Return the response, and a match whose text is the path of the feed and whose first group is its secret.
    """
    response = client.post("/calendars/own/", {"kinds": ["meeting", "due"]})
    match = re.search(r"/calendars/feeds/([\w-]+)/dates.ics", response.content.decode())
    assert match is not None
    return response, match


def test_new_address_is_shown_once(world: World, client: Client) -> None:
    client.force_login(world.ben)

    response, path_match = make_address_on_page(client)

    assert response["Cache-Control"] == "private, no-store"
    page_afterwards = client.get("/calendars/own/").content.decode()
    assert path_match[1] not in page_afterwards


def test_secret_of_a_new_address_is_not_stored(world: World, client: Client) -> None:
    client.force_login(world.ben)

    _, path_match = make_address_on_page(client)

    assert CalendarAddress.objects.filter(person=world.ben).exists()
    assert not CalendarAddress.objects.filter(digest__contains=path_match[1]).exists()


def test_owner_ends_an_address_on_the_page(world: World, client: Client) -> None:
    client.force_login(world.ben)
    _, path_match = make_address_on_page(client)

    response = client.post("/calendars/own/", {"end": "yes"})

    assert response.status_code == 302
    assert status(path_match[0]) == 404


def test_changing_the_choice_keeps_the_address(world: World, client: Client) -> None:
    path = address_of(world.ben)
    client.force_login(world.ben)

    client.post("/calendars/own/", {"kinds": ["meeting"]})

    assert status(path) == 200
    assert CalendarAddress.objects.get(person=world.ben).kinds == ["meeting"]


def shared_view(world: World) -> SavedView:
    """Return Amina's view of agreed commitments, which she shares with the Estuary Partnership."""
    state = {"filters": {"status": ["agreed"]}}
    view = lists.save_view(person=world.amina, kind="commitments", name="Agreed", state=state, now=timezone.now())
    lists.share_view(view=view, person=world.amina, shared_with=world.partnership, now=timezone.now())
    return view


def feed_path_of_view(view: SavedView, person: User) -> str:
    """Make an address for the view as this person, and return the path of its feed."""
    page = signed_in(person).post(reverse("calendars:view", args=[view.pk])).content.decode()
    path: str = re.findall(r"/calendars/feeds/[\w-]+/dates.ics", page)[0]
    return path


@pytest.mark.parametrize("who", ["amina", "ben"])
def test_feed_of_a_saved_view_has_the_dates_of_its_rows(world: World, who: str) -> None:
    agreed = agree(world, text="Cottages.")
    proposed = propose(world, text="Bungalows.")

    calendar = feed(feed_path_of_view(shared_view(world), getattr(world, who)))

    assert calendar.name == "Agreed (Common Ground)"
    assert calendar.one(agreed.reference)["starts"]["day"] == agreed.due_on.isoformat()
    assert not any(proposed.reference in title for title in calendar.titles())


def test_list_of_calendars_names_the_view_of_a_partner(world: World) -> None:
    view = shared_view(world)
    feed_path_of_view(view, world.ben)

    page = signed_in(world.ben).get(reverse("calendars:index")).content.decode()

    assert view.name in page


def test_view_that_is_no_longer_shared_ends_the_feeds_of_others(world: World) -> None:
    view = shared_view(world)
    paths = [feed_path_of_view(view, person) for person in (world.amina, world.ben)]

    lists.share_view(view=view, person=world.amina, shared_with=None, now=timezone.now())

    assert [status(path) for path in paths] == [200, 404]


def test_view_that_is_shared_again_does_not_revive_the_feeds_of_others(world: World) -> None:
    view = shared_view(world)
    paths = [feed_path_of_view(view, person) for person in (world.amina, world.ben)]
    lists.share_view(view=view, person=world.amina, shared_with=None, now=timezone.now())

    lists.share_view(view=view, person=world.amina, shared_with=world.partnership, now=timezone.now())

    assert [status(path) for path in paths] == [200, 404]


def test_removed_view_ends_the_feed_of_its_owner(world: World) -> None:
    view = shared_view(world)
    view_number = view.pk
    path = feed_path_of_view(view, world.amina)

    lists.remove_view(view=view, person=world.amina, now=timezone.now())

    assert status(path) == 404
    assert not CalendarAddress.objects.filter(view_number=view_number).exists()


def test_calendar_of_a_long_view_says_that_it_has_the_first_rows_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partnerships.lists.queries.MAX_DATED", 2)
    earliest_promise = agree(world, due_on=in_days(10).date())
    next_promise = agree(world, due_on=in_days(20).date())
    state = {"filters": {"status": ["agreed"]}, "sort": "due"}
    view = lists.save_view(person=world.amina, kind="commitments", name="Agreed", state=state, now=timezone.now())
    amina = signed_in(world.amina)
    path = reverse("calendars:view", args=[view.pk])

    page_with_two_rows = amina.get(path).content.decode()
    last_promise = agree(world, due_on=in_days(30).date())
    page_with_three_rows = amina.get(path).content.decode()
    feed_path = feed_path_of_view(view, world.amina)

    hint = "The calendar has the dates of the first 2, in the view’s order."
    assert hint not in page_with_two_rows
    assert hint in page_with_three_rows
    titles = " ".join(feed(feed_path).titles())
    assert earliest_promise.reference in titles
    assert next_promise.reference in titles
    assert last_promise.reference not in titles
    assert "DESCRIPTION:The view shows more than 2 rows." in Client().get(feed_path).content.decode()


def test_lists_with_dates_have_them_for_calendars(world: World) -> None:
    published_plan(world)
    planned_meeting(world)
    promise = agree(world)
    titles_by_list: dict[str, str] = {}

    for definition in all_lists():
        if definition.dates is not None:
            ids = list(definition.readable(world.amina).values_list("pk", flat=True))
            titles_by_list[definition.slug] = " ".join(entry.title for entry in definition.dates(world.amina, ids))

    assert set(titles_by_list) == {
        "partnerships",
        "plans",
        "milestones",
        "commitments",
        "asks",
        "conversations",
        "meetings",
    }
    assert "Start on site" in titles_by_list["milestones"]
    assert "Start on site" in titles_by_list["plans"]
    assert "Steering group" in titles_by_list["meetings"]
    assert promise.reference in titles_by_list["commitments"]
    assert CANARY not in str(titles_by_list)


def test_lists_have_no_dates_without_rows(world: World) -> None:
    planned_meeting(world)

    for definition in all_lists():
        if definition.dates is not None:
            assert definition.dates(world.amina, []) == [], definition.slug


def test_feed_is_private(world: World) -> None:
    planned_meeting(world)

    response = Client().get(address_of(world.ben))

    assert response.status_code == 200
    assert "private" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert not response.cookies


def test_unchanged_feed_is_not_sent_again(world: World) -> None:
    planned_meeting(world)
    path = address_of(world.ben)
    etag = Client().get(path)["ETag"]

    response = Client().get(path, headers={"If-None-Match": etag})

    assert response.status_code == 304
    assert response.content == b""
    assert response["ETag"] == etag


def test_feed_is_sent_again_after_a_change(world: World) -> None:
    meeting = planned_meeting(world)
    path = address_of(world.ben)
    etag = Client().get(path)["ETag"]
    conversations.call_off_meeting(
        meeting=meeting, organisation=world.larkhaven, author=world.eddie, now=timezone.now(), reason="Snow."
    )

    response = Client().get(path, headers={"If-None-Match": etag})

    assert response.status_code == 200


def test_secret_of_a_feed_is_not_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = address_of(world.ben)
    secret = path.split("/")[3]

    Client().get(path)

    assert "calendars:feed" in caplog.text
    assert secret not in caplog.text


def test_a_feed_can_be_read_only_so_often_in_an_hour(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MAX_READINGS_AN_HOUR", 2)
    path = address_of(world.ben)
    path_of_amina = address_of(world.amina)

    # The clock is stopped, because a new hour would start the count again.
    with time_machine.travel(timezone.now(), tick=False):
        statuses = [status(path) for _ in range(3)]
        status_of_another_feed = status(path_of_amina)

    assert statuses == [200, 200, 429]
    assert status_of_another_feed == 200


def test_addresses_can_be_guessed_only_so_often_in_an_hour(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MAX_WRONG_ADDRESSES_AN_HOUR", 1)

    with time_machine.travel(timezone.now(), tick=False):
        statuses = [status("/calendars/feeds/guess/dates.ics") for _ in range(2)]

    assert statuses == [404, 429]


def test_people_of_the_successor_read_the_feed_of_a_partnership(world: World) -> None:
    planned_meeting(world)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)

    take_effect(succession)

    calendar = feed(address_of(world.hana, world.partnership))
    assert "Steering group" in calendar.titles()


def test_feed_is_found_by_people_of_the_predecessor_if_they_find_the_meetings(world: World, client: Client) -> None:
    path = address_of(world.ben, world.partnership)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    client.force_login(world.ben)

    page_response = client.get(reverse("conversations:meetings", args=[world.partnership.pk]))

    assert status(path) == page_response.status_code


def test_queries_do_not_grow_with_forty_partnerships(world: World) -> None:
    path = address_of(world.amina)

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert status(path) == 200
        return len(captured)

    status(path)  # the first reading fills caches
    count_for_one_partnership = count_queries()
    lead = person("Ada Aldermoor", "ada@aldermoor.example")
    join(lead, world.harbour, Role.LEAD, world.now)
    for number in range(39):
        partnership = make_partnership(
            f"Partnership {number}",
            chair=world.larkhaven,
            chair_lead=world.amina,
            other=world.harbour,
            other_lead=lead,
            now=world.now,
        )
        conversations.plan_meeting(
            partnership=partnership,
            organisation=world.larkhaven,
            plan=the_plan(world, people=[world.amina]),
            author=world.amina,
            now=timezone.now(),
        )

    count_for_forty_partnerships = count_queries()

    assert count_for_forty_partnerships <= count_for_one_partnership + 2
    assert len(feed(path).events) >= 39
