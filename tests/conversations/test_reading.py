"""Readers of conversations see only the notes, names, points and warnings that they may read."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.queries import visible_events
from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership
from partnerships.commitments.models import commitment_readers
from partnerships.conversations import queries, services
from partnerships.conversations.models import Attribution, Point, PointKind, PrivateNote
from partnerships.conversations.services import PointInput
from partnerships.exchange.models import Direction, Entry
from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_person
from tests.conversations.talks import (
    agreed,
    circulated_conversation,
    days_ago,
    draft_conversation,
    planned_conversation,
    the_record,
)
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.world import World

CANARY = "canary-that-must-not-sing"
#: The changes that make a record without any person.
NOBODY: dict[str, Any] = {"attendees": (), "points": (), "next_steps": ()}


def test_private_note_is_shown_to_its_own_organisation_only(world: World) -> None:
    conversation = circulated_conversation(world, private_note=CANARY)
    address = conversation.get_absolute_url()

    shows_note = {
        name: CANARY in signed_in(getattr(world, name)).get(address).content.decode()
        for name in ("amina", "eddie", "vera", "ben")
    }

    assert shows_note == {"amina": True, "eddie": True, "vera": True, "ben": False}


def test_private_note_leaves_no_trace_for_others(world: World) -> None:
    conversation = circulated_conversation(world, private_note=CANARY)

    events = visible_events(world.ben, Q(target_kind="private_note"))
    html = signed_in(world.ben).get(conversation.get_absolute_url()).content.decode()

    assert Event.objects.filter(target_kind="private_note").exists()
    assert not events.exists()
    assert "private note" not in html.replace("Private notes", "").replace("Write a note", "")
    assert not any(CANARY in str(event.data) for event in Event.objects.all())
    assert not any(CANARY in email.body for email in deliver())


def test_subject_of_a_draft_stays_hidden_after_circulation(world: World) -> None:
    conversation = draft_conversation(world, subject=CANARY)
    services.edit_conversation(
        conversation=conversation,
        record=the_record(world),
        revision=conversation.revision,
        author=world.eddie,
        now=timezone.now(),
    )
    conversation.refresh_from_db()
    services.circulate(conversation=conversation, author=world.eddie, now=timezone.now())

    events_by_reader = {
        name: [str(row.data) for row in visible_events(getattr(world, name), Q())] for name in ("amina", "ben")
    }

    assert any("Quayside" in line for line in events_by_reader["ben"])
    assert [any(CANARY in line for line in events_by_reader[name]) for name in ("amina", "ben")] == [True, False]


def test_closing_a_point_reveals_neither_author_nor_text_to_the_other_side(world: World) -> None:
    conversation = circulated_conversation(world, attribution=Attribution.ANONYMOUS)
    obstacle = conversation.points.get(kind="obstacle")
    services.close_point(point=obstacle, reason=f"Found some. {CANARY}", author=world.amina, now=timezone.now())

    events_by_reader = {
        name: [row.kind for row in visible_events(getattr(world, name), Q())] for name in ("vera", "ben")
    }

    assert "obstacle.closed" in events_by_reader["vera"]
    assert "obstacle.closed" not in events_by_reader["ben"]
    assert not any("No land" in str(event.data) for event in Event.objects.all())


def test_side_outside_the_partnership_reads_the_record_but_not_its_partnership(world: World) -> None:
    conversation = circulated_conversation(world, organisations=[world.westmarch, world.tidewater])

    html = signed_in(world.chidi).get(conversation.get_absolute_url()).content.decode()
    waiting = tasks_from(queries.TASK_SOURCES, world.chidi, timezone.now())

    assert "Quayside" in html
    assert world.partnership.title not in html
    assert [row.partnership_title for row in waiting if row.title == "Quayside"] == [""]
    assert world.partnership.title in signed_in(world.ben).get(conversation.get_absolute_url()).content.decode()


def test_both_sides_keep_their_own_private_notes(world: World) -> None:
    conversation = agreed(world, private_note="Ours.")
    services.write_private_note(
        conversation=conversation, organisation=world.westmarch, text="Theirs.", author=world.ben, now=timezone.now()
    )

    notes_by_reader = {
        name: [note.text for note in queries.private_notes_of(conversation, getattr(world, name))]
        for name in ("amina", "ben", "chidi", "dee")
    }

    assert notes_by_reader == {"amina": ["Ours."], "ben": ["Theirs."], "chidi": [], "dee": []}


def test_row_history_leaves_out_the_text_of_private_notes() -> None:
    fields_in_history = {field.name for field in PrivateNote.pgh_event_model._meta.concrete_fields}  # type: ignore[attr-defined]  # made by pghistory

    assert {"written_by", "written_at", "revision"} <= fields_in_history
    assert "text" not in fields_in_history


@pytest.mark.parametrize(
    ("attribution", "amina", "una", "westmarch"),
    [
        (Attribution.NAMED, True, True, True),
        (Attribution.ORGANISATION, False, True, True),
        (Attribution.ANONYMOUS, False, True, True),
    ],
)
def test_readers_of_the_other_side_see_the_agreed_attribution(
    world: World, attribution: str, amina: bool, una: bool, westmarch: bool
) -> None:
    conversation = circulated_conversation(world, attribution=attribution)
    conversation_with_story = queries.with_related_rows(type(conversation).objects.all()).get(pk=conversation.pk)

    seats = queries.side_attendees(conversation_with_story, [world.westmarch.pk])

    names = [name for seat in seats for name in seat.names]
    assert ("Amina Larch" in names) is amina
    assert ("Una Signed, Surveyor" in names) is una
    assert any(seat.organisation == world.westmarch for seat in seats) is westmarch
    assert any(seat.organisation == world.larkhaven for seat in seats) is (attribution != Attribution.ANONYMOUS)


def test_points_of_an_anonymous_conversation_are_not_attributed(world: World) -> None:
    circulated_conversation(world, attribution=Attribution.ANONYMOUS)

    sides = queries.points_of_partnership(world.partnership, world.ben)

    texts_by_side = {
        side.organisation: [point.text for group in side.groups for point in group.points] for side in sides
    }
    assert texts_by_side[world.westmarch] == ["The depot falls empty in May."]
    assert texts_by_side[world.larkhaven] == []
    assert set(texts_by_side[None]) == {"No land with consent.", "Two hundred homes by 2030."}


def test_points_of_both_sides_are_shown_together_without_closed_ones(world: World) -> None:
    conversation = circulated_conversation(world)
    services.close_point(
        point=conversation.points.get(kind="objective"), reason="Reached.", author=world.amina, now=timezone.now()
    )

    own_points, other_points = queries.points_of_partnership(world.partnership, world.amina)

    assert own_points.organisation == world.larkhaven
    assert other_points.organisation == world.westmarch
    assert [point.text for point in own_points.obstacles] == ["No land with consent."]
    assert own_points.objectives == []
    assert [point.text for point in other_points.opportunities] == ["The depot falls empty in May."]


def test_reason_for_closing_stays_with_its_record_and_anonymous_points_stay_open(world: World) -> None:
    first_record = circulated_conversation(world)
    second_record = circulated_conversation(world)
    anonymous_record = circulated_conversation(world, attribution=Attribution.ANONYMOUS)
    point = first_record.points.get(kind="obstacle")

    services.close_point(point=point, reason="A word for them alone.", author=world.amina, now=timezone.now())

    second_point, anonymous_point = (record.points.get(kind="obstacle") for record in (second_record, anonymous_record))
    assert second_point.closed_reason == "Closed in another conversation."
    assert anonymous_point.is_current


def test_points_of_a_draft_are_not_shown_to_the_other_side(world: World) -> None:
    draft_conversation(world)

    sides = queries.points_of_partnership(world.partnership, world.ben)

    assert all(side.is_empty for side in sides)


def test_obstacle_becomes_an_ask_with_a_link_to_the_obstacle(world: World) -> None:
    point = circulated_conversation(world).points.get(kind="obstacle")

    response = signed_in(world.eddie).post(
        reverse("conversations:become", args=[point.pk]), {"title": "Land with consent", "theme": "land"}
    )

    entry = Entry.objects.get()
    assert response.status_code == 302
    assert entry.direction == Direction.ASK
    assert entry.organisation == world.larkhaven
    assert entry.title == "Land with consent"
    assert entry.from_points.get().point == point
    assert [addressee.organisation for addressee in entry.addressees.all()] == [world.westmarch]


def turn_into_ask(point: Point, world: World, *, title: str) -> Entry:
    """Turn a point of Larkhaven into an ask for land, as Eddie."""
    return services.turn_into_entry(
        point=point,
        organisation=world.larkhaven,
        title=title,
        theme="land",
        author=world.eddie,
        now=timezone.now(),
    )


def test_obstacle_becomes_an_ask_only_once(world: World) -> None:
    point = circulated_conversation(world).points.get(kind="obstacle")
    turn_into_ask(point, world, title="Land with consent")

    with pytest.raises(services.UnableToChangePoint, match="already"):
        turn_into_ask(point, world, title="Again")

    assert Entry.objects.get().title == "Land with consent"


def test_opportunity_becomes_an_offer_of_an_organisation_that_can_make_it(world: World) -> None:
    point = circulated_conversation(world).points.get(kind="opportunity")

    entry = services.turn_into_entry(
        point=point,
        organisation=world.larkhaven,
        title="We would build on the depot",
        theme="land",
        author=world.amina,
        now=timezone.now(),
    )

    assert entry.direction == Direction.OFFER
    assert entry.organisation == world.larkhaven


def test_nobody_makes_an_ask_from_an_obstacle_of_another_side(world: World) -> None:
    point = circulated_conversation(world).points.get(kind="obstacle")

    response = signed_in(world.ben).get(reverse("conversations:become", args=[point.pk]))

    assert response.status_code == 403


def test_relationship_holders_are_warned_when_a_partnership_goes_quiet(world: World) -> None:
    circulated_conversation(world, held_on=days_ago(70))

    quiet_by_reader = {
        name: [
            (row.partnership, row.days) for row in queries.find_quiet_partnerships(getattr(world, name), timezone.now())
        ]
        for name in ("amina", "ben", "vera", "chidi")
    }

    assert quiet_by_reader["amina"] == quiet_by_reader["ben"] == [(world.partnership, 70)]
    assert quiet_by_reader["vera"] == []
    assert quiet_by_reader["chidi"] == []


def choose_contact_days(world: World, days: int) -> None:
    """Choose, as Amina, after how many days without a conversation the Estuary Partnership has gone quiet."""
    agreements.edit_settings(
        partnership=world.partnership, contact_days=days, reason="Why.", author=world.amina, now=timezone.now()
    )


def quiet_days(world: World, now: dt.datetime) -> list[int]:
    """Return for how many days each quiet partnership of Ben's has had no contact."""
    return [row.days for row in queries.find_quiet_partnerships(world.ben, now)]


def test_a_partnership_has_gone_quiet_after_the_days_that_its_leads_choose(world: World) -> None:
    circulated_conversation(world, held_on=days_ago(20))
    now = timezone.now()
    quiet_days_by_default = quiet_days(world, now)

    choose_contact_days(world, 14)

    assert quiet_days_by_default == []
    assert quiet_days(world, now) == [20]
    assert all(row.is_quiet for row in queries.contacts_of(world.partnership, world.ben, now))


def test_the_task_to_get_in_touch_waits_since_the_partnership_went_quiet(world: World) -> None:
    circulated_conversation(world, held_on=days_ago(20))

    choose_contact_days(world, 14)

    (task,) = [task for task in tasks_of_person(world.ben, timezone.now()) if "no contact" in task.action]
    assert task.since is not None
    assert timezone.localdate(task.since) == days_ago(6)


def test_the_page_of_a_partnership_says_how_often_its_parties_should_be_in_touch(world: World) -> None:
    vera = signed_in(world.vera)
    address = reverse("agreements:detail", args=[world.partnership.pk])
    page_by_default = vera.get(address).content.decode()

    choose_contact_days(world, 14)

    html = vera.get(address).content.decode()
    assert "At least every 60 days" in page_by_default
    assert "At least every 14 days" in html


def test_leads_can_choose_more_days_than_the_site_does(world: World) -> None:
    circulated_conversation(world, held_on=days_ago(20))
    now = timezone.now()

    choose_contact_days(world, 90)

    assert quiet_days(world, now + dt.timedelta(days=69)) == []
    assert quiet_days(world, now + dt.timedelta(days=70)) == [90]


def test_finding_quiet_partnerships_needs_the_same_queries_for_many(
    world: World, django_assert_num_queries: Any
) -> None:
    now = timezone.now() + dt.timedelta(days=400)
    with CaptureQueriesContext(connection) as queries_for_one:
        assert len(queries.find_quiet_partnerships(world.amina, now)) == 1

    for days in (7, 30, None):
        agreements.create_partnership(
            organisation=world.larkhaven,
            author=world.amina,
            title="Another",
            kind="charter",
            contact_days=days,
            now=timezone.now(),
        )

    with django_assert_num_queries(len(queries_for_one)):
        assert len(queries.find_quiet_partnerships(world.amina, now)) == 4


def test_list_of_conversations_shows_ten_quiet_partnerships_and_links_to_the_rest(world: World) -> None:
    now = timezone.now()
    for number in range(11):
        agreements.create_partnership(
            organisation=world.larkhaven, author=world.amina, title=f"Long ago {number:02}", kind="charter", now=now
        )
    # Nobody acted for Larkhaven 400 days ago, so a service could not create them then.
    long_ago = timezone.localtime(now) - dt.timedelta(days=400)  # by the clock on the wall, across summer time
    Partnership.objects.filter(title__startswith="Long ago").update(created_at=long_ago)

    html = signed_in(world.amina).get(reverse("conversations:list")).content.decode()

    assert html.count("No conversation in the 400 days") == 10
    assert "Other partnerships have had no recent contact either" in html
    assert [row.partnership.title for row in queries.find_quiet_partnerships(world.amina, timezone.now(), limit=2)] == [
        "Long ago 00",
        "Long ago 01",
    ]


def test_planned_conversation_ends_the_quiet_warning(world: World) -> None:
    circulated_conversation(world, held_on=days_ago(70))
    planned_conversation(world)

    assert queries.find_quiet_partnerships(world.ben, timezone.now()) == []


def test_quiet_warning_does_not_reveal_a_draft_of_the_other_side(world: World) -> None:
    circulated_conversation(world, held_on=days_ago(70))
    draft_conversation(world, held_on=days_ago(1))

    assert queries.find_quiet_partnerships(world.amina, timezone.now()) == []
    assert [row.days for row in queries.find_quiet_partnerships(world.ben, timezone.now())] == [70]


def test_my_work_lists_what_waits_for_each_person(world: World) -> None:
    conversation = circulated_conversation(world)
    services.suggest_correction(
        conversation=conversation,
        organisation=world.westmarch,
        text="June.",
        author=world.ben,
        now=timezone.now(),
    )
    planned_conversation(world, days=3)

    tasks_by_person = {
        name: {
            item.action
            for item in tasks_from(queries.TASK_SOURCES, getattr(world, name), timezone.now() + dt.timedelta(days=4))
        }
        for name in ("eddie", "ben", "vera", "chidi")
    }

    assert tasks_by_person["ben"] == {"Read and agree to this record"}
    assert tasks_by_person["eddie"] == {"Answer a correction", "Write up this conversation"}
    assert tasks_by_person["vera"] == tasks_by_person["chidi"] == set()


def subjects_to_continue(world: World, who: str) -> list[str]:
    """Return the subjects of the conversations that a person has to continue."""
    waiting = tasks_from(queries.TASK_SOURCES, getattr(world, who), timezone.now())
    return [item.title for item in waiting if item.action == "Get in touch again"]


def test_due_next_contact_waits_for_every_side_that_reads_the_record(world: World) -> None:
    draft_conversation(world, subject="A draft", next_contact_on=days_ago(-2), held_on=days_ago(9))
    circulated_conversation(world, next_contact_on=days_ago(-2), partnership=None)

    assert {who: subjects_to_continue(world, who) for who in ("amina", "ben", "vera", "chidi")} == {
        "amina": ["Quayside"],
        "ben": ["Quayside"],
        "vera": [],
        "chidi": [],
    }


def test_a_conversation_with_others_is_not_the_next_contact(world: World) -> None:
    circulated_conversation(world, next_contact_on=days_ago(-2))

    circulated_conversation(world, subject="Harbour", organisations=[world.tidewater], partnership=None, **NOBODY)

    assert subjects_to_continue(world, "amina") == ["Quayside"]


def test_a_planned_conversation_is_the_next_contact(world: World) -> None:
    circulated_conversation(world, next_contact_on=days_ago(-2))
    subjects_before = subjects_to_continue(world, "amina")

    planned_conversation(world, days=3)

    assert subjects_before == ["Quayside"]
    assert subjects_to_continue(world, "amina") == []
    assert subjects_to_continue(world, "ben") == []


@pytest.fixture
def partnership_of_four(world: World) -> Partnership:
    """Return the Estuary Partnership with Tidewater as a member and Harbour as an observer, quiet for 70 days."""
    for organisation, lead, role in ((world.tidewater, world.chidi, "member"), (world.harbour, world.hana, "observer")):
        party = agreements.invite_organisation(
            partnership=world.partnership,
            organisation=organisation,
            role=role,
            reason="We need them.",
            author=world.amina,
            now=timezone.now(),
        )
        agreements.answer_invitation(party=party, accept=True, reason="", author=lead, now=timezone.now())
    circulated_conversation(world, held_on=days_ago(70))
    return world.partnership


@pytest.mark.usefixtures("partnership_of_four")
def test_a_quiet_partnership_names_the_parties_without_contact_but_no_observer(world: World) -> None:
    (quiet,) = queries.find_quiet_partnerships(world.amina, timezone.now())

    assert quiet.other_parties_text == "Tidewater Housing Group and Westmarch Borough Council"
    assert quiet.words.startswith("No contact for 70 days, since ")
    assert quiet.words.endswith(", with Tidewater Housing Group and Westmarch Borough Council")


@pytest.mark.usefixtures("partnership_of_four")
def test_the_task_to_get_in_touch_names_the_parties(world: World) -> None:
    tasks = {task.action for task in tasks_from(queries.TASK_SOURCES, world.amina, timezone.now())}

    assert "Get in touch with Tidewater Housing Group and Westmarch Borough Council: no contact for 70 days" in tasks


def test_a_conversation_with_one_party_is_no_contact_with_the_others(
    world: World, partnership_of_four: Partnership
) -> None:
    circulated_conversation(world, organisations=[world.tidewater], held_on=days_ago(3), **NOBODY)

    contacts = queries.contacts_of(partnership_of_four, world.amina, timezone.now())

    assert [(contact.organisation, contact.days, contact.is_quiet) for contact in contacts] == [
        (world.westmarch, 70, True),
        (world.tidewater, 3, False),
    ]


def test_viewers_see_that_a_partnership_is_quiet_but_cannot_plan_a_conversation(
    world: World, partnership_of_four: Partnership
) -> None:
    address = reverse("web:partnership-conversations", args=[partnership_of_four.pk])

    html = " ".join(signed_in(world.vera).get(address).content.decode().split())

    assert "No contact for 70 days" in html
    assert "Plan a conversation" not in html


def test_point_repeated_in_two_records_is_shown_once(world: World) -> None:
    circulated_conversation(world)
    circulated_conversation(world, held_on=days_ago(2))

    points_of_larkhaven = queries.points_of_partnership(world.partnership, world.amina)[0]

    (obstacle,) = points_of_larkhaven.obstacles
    assert obstacle.conversation.held_on == days_ago(2)


def test_point_repeated_in_two_records_is_closed_in_both(world: World) -> None:
    circulated_conversation(world)
    newer = circulated_conversation(world, held_on=days_ago(2))
    obstacle = newer.points.get(kind="obstacle")
    close_url = f"{reverse('conversations:close', args=[obstacle.pk])}?from=partnership"

    response = signed_in(world.eddie).post(close_url, {"reason": "Land was found."})

    assert response.url == reverse("web:partnership-conversations", args=[world.partnership.pk])
    assert queries.points_of_partnership(world.partnership, world.amina)[0].obstacles == []
    assert Point.objects.filter(kind="obstacle", closed_at__isnull=False).count() == 2


def test_people_with_rights_act_on_points_from_the_partnership_page(world: World) -> None:
    circulated_conversation(world)
    obstacle, opportunity = (Point.objects.get(kind=kind) for kind in ("obstacle", "opportunity"))
    addresses = [
        reverse("web:partnership-conversations", args=[world.partnership.pk]),
        reverse("agreements:detail", args=[world.partnership.pk]),
    ]

    def links_offered_to(who: str) -> list[set[str]]:
        client = signed_in(getattr(world, who))
        pages = [client.get(address).content.decode() for address in addresses]
        return [set(re.findall(r'href="(/conversations/points/[^"?]*)', page)) for page in pages]

    def point_url(name: str, point: Point) -> str:
        return reverse(f"conversations:{name}", args=[point.pk])

    own_links = {point_url("close", obstacle), point_url("become", obstacle), point_url("become", opportunity)}
    own_links.add(point_url("close", Point.objects.get(kind="objective")))
    assert links_offered_to("eddie") == [own_links, own_links]
    assert links_offered_to("ben") == [{point_url("close", opportunity), point_url("become", opportunity)}] * 2
    assert links_offered_to("vera") == [set(), set()]


def test_long_list_of_points_is_folded(world: World) -> None:
    points = [PointInput(world.larkhaven, PointKind.OBJECTIVE, f"Objective {number}.") for number in range(9)]
    circulated_conversation(world, points=points)

    page = signed_in(world.ben).get(reverse("web:partnership-conversations", args=[world.partnership.pk]))

    words = page.content.decode()
    assert words.index("Objective 4.") < words.index("4 more<") < words.index("Objective 5.")


def history_of_anonymous_record(world: World, reader: User) -> str:
    """Return the page of an anonymous record, which Eddie circulated and Chidi of Tidewater corrected."""
    conversation = circulated_conversation(
        world,
        attribution=Attribution.ANONYMOUS,
        organisations=[world.westmarch, world.tidewater],
        partnership=None,
    )
    services.suggest_correction(
        conversation=conversation,
        organisation=world.tidewater,
        text="We said thirty.",
        author=world.chidi,
        now=timezone.now(),
    )
    return signed_in(reader).get(conversation.get_absolute_url()).content.decode()


def test_history_of_an_anonymous_record_names_nobody_of_another_organisation(world: World) -> None:
    page_of_ben = history_of_anonymous_record(world, world.ben)

    assert "Suggested a correction" in page_of_ben
    assert "by one of the organisations" in page_of_ben
    assert "Chidi" not in page_of_ben
    assert "Tidewater Housing Group</span>" not in page_of_ben


def test_history_of_an_anonymous_record_names_the_organisation_that_keeps_it(world: World) -> None:
    page_of_ben = history_of_anonymous_record(world, world.ben)

    assert "Circulated the record" in page_of_ben
    assert "by Larkhaven Homes" in page_of_ben
    assert "Eddie" not in page_of_ben


def test_history_of_an_anonymous_record_names_ones_own_people_once(world: World) -> None:
    page_of_chidi = history_of_anonymous_record(world, world.chidi)

    assert page_of_chidi.count("Suggested a correction") == 1
    assert "by Chidi" in page_of_chidi
    assert "Eddie" not in page_of_chidi


def test_history_of_an_anonymous_record_names_colleagues_of_its_author(world: World) -> None:
    assert "Eddie" in history_of_anonymous_record(world, world.amina)


def test_record_without_names_hides_who_does_the_next_steps_from_other_sides(world: World) -> None:
    conversation = circulated_conversation(world, attribution=Attribution.ORGANISATION)

    html = signed_in(world.ben).get(conversation.get_absolute_url()).content.decode()

    assert "Send the layout." in html
    assert "Eddie" not in html
    assert "Eddie" in signed_in(world.amina).get(conversation.get_absolute_url()).content.decode()
    assert not commitment_readers(conversation.next_steps.get(text="Send the layout.").action).filter(pk=world.ben.pk)
