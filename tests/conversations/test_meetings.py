"""Meetings are planned, with agendas, attendance, quorum and minutes."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership
from partnerships.commitments.services import propose_action, propose_commitment
from partnerships.conversations import services
from partnerships.conversations.cycle import Unit
from partnerships.conversations.models import AgendaItem, Attachment, Attendance, Conversation, Meeting, MeetingStatus
from partnerships.conversations.queries.agendas import agenda_for, items_everybody_reads
from partnerships.conversations.queries.meetings import propose_next_meeting, quorum_of
from partnerships.conversations.queries.my_work import TASK_SOURCES
from partnerships.exchange.models import Audience, Entry
from partnerships.kit.bank_holidays import holidays
from partnerships.organisations.models import Membership
from partnerships.organisations.services import end_membership
from partnerships.organisations.waiting import tasks_for_people, tasks_from
from partnerships.people.models import User
from tests.conversations.gatherings import (
    a_cycle,
    a_text_file,
    begun_meeting,
    held_meeting,
    in_days,
    meeting_with_item,
    planned_meeting,
    seat_of,
    the_plan,
)
from tests.conversations.talks import circulated_conversation, days_ago
from tests.exchange.conftest import shared_entry
from tests.support.outbox import deliver, drop_emails, recorded
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World

MIGRATION = import_module("partnerships.conversations.migrations.0011_settle_what_ended_before")


def item_titles(world: World, meeting: Meeting, name: str) -> list[str]:
    """Return the titles of the agenda items that the person with this name may read."""
    return [item.title for item in agenda_for(meeting, getattr(world, name))]


def ask_of_larkhaven(world: World) -> Entry:
    """Return an ask that Larkhaven has shared with the partnership."""
    return shared_entry(
        world.larkhaven, world.amina, world.now, audience=Audience.PARTNERSHIP, partnership=world.partnership
    )


def gathered_items(world: World, meeting: Meeting) -> list[AgendaItem]:
    """Add the suggested items to the agenda, and return them."""
    return services.gather_agenda(meeting=meeting, organisation=world.larkhaven, author=world.eddie, now=timezone.now())


def people_emailed(kind: str) -> set[str]:
    """Return who got an email of this kind, as the part of their address before the @."""
    people = User.objects.in_bulk([email.person_id for email in recorded(f"conversations.{kind}")])
    return {person.email.partition("@")[0] for person in people.values()}


def change_terms(world: World, **fields: Any) -> None:
    """Write these columns of the partnership, which its terms usually fill."""
    Partnership.objects.filter(pk=world.partnership.pk).update(**fields)
    world.partnership.refresh_from_db()


def set_quorum(world: World, quorum: int) -> None:
    change_terms(world, quorum=quorum)


def add_observer(world: World) -> None:
    """Let Riverside take part in the partnership as an observer."""
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.riverside,
        role="observer",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.nadia, now=timezone.now())


def test_next_meeting_is_proposed_from_the_cycle(world: World) -> None:
    a_cycle(world)

    proposed = propose_next_meeting(world.partnership, timezone.now())

    assert proposed is not None
    assert proposed.cycle_day.weekday() == 1
    assert proposed.cycle_day.day <= 7
    assert proposed.place == "Quayside"


def test_next_meeting_comes_after_the_one_planned(world: World) -> None:
    a_cycle(world, unit=Unit.WEEKS, position=0)
    planned = propose_next_meeting(world.partnership, timezone.now())
    assert planned is not None, "The cycle has a next day."
    services.plan_meeting(
        partnership=world.partnership,
        organisation=world.larkhaven,
        plan=the_plan(world, starts_at=planned.starts_at),
        cycle_day=planned.cycle_day,
        author=world.eddie,
        now=timezone.now(),
    )

    proposed = propose_next_meeting(world.partnership, timezone.now())

    assert proposed is not None
    assert proposed.cycle_day == planned.cycle_day + dt.timedelta(days=7)


def test_frequency_in_the_terms_is_offered_to_the_leads(world: World) -> None:
    change_terms(world, meeting_frequency="Quarterly")

    page = signed_in(world.amina).get(reverse("conversations:meetings", args=[world.partnership.pk]))

    assert "The terms say “Quarterly”" in page.content.decode()


def test_those_invited_get_the_invitation_but_not_the_author(world: World) -> None:
    drop_emails()

    planned_meeting(world)

    assert people_emailed("meeting_invitation") == {"amina", "ben"}


def change_to_next_week(world: World, meeting: Meeting, reason: str = "") -> None:
    """Let Eddie move the meeting by more than a week."""
    services.change_meeting(
        meeting=meeting,
        plan=the_plan(world, starts_at=in_days(8)),
        organisation=world.larkhaven,
        author=world.eddie,
        reason=reason,
        now=timezone.now(),
    )


def test_new_time_needs_a_reason(world: World) -> None:
    meeting = planned_meeting(world)

    with pytest.raises(services.UnableToChangeMeeting):
        change_to_next_week(world, meeting)


def test_new_time_asks_everybody_again(world: World) -> None:
    meeting = planned_meeting(world)
    services.answer_meeting(seat=seat_of(meeting, "Ben"), answer="coming", author=world.ben, now=timezone.now())

    change_to_next_week(world, meeting, reason="Ben is away.")

    assert seat_of(meeting, "Ben").answer == ""
    assert people_emailed("meeting_changed") == {"amina", "ben", "eddie"}


def test_meeting_called_off_says_why(world: World) -> None:
    meeting = planned_meeting(world)

    services.call_off_meeting(
        meeting=meeting, reason="Snow.", organisation=world.larkhaven, author=world.eddie, now=timezone.now()
    )

    html = signed_in(world.ben).get(meeting.get_absolute_url()).content.decode()
    assert "Snow." in html
    assert people_emailed("meeting_called_off") == {"amina", "ben", "eddie"}


def test_planned_meetings_are_called_off_when_the_partnership_ends(world: World) -> None:
    meeting = planned_meeting(world)
    begun = begun_meeting(world)

    agreements.change_status(
        partnership=world.partnership, status="ended", reason="No money.", author=world.amina, now=timezone.now()
    )

    meeting.refresh_from_db()
    begun.refresh_from_db()
    assert meeting.is_called_off
    assert begun.is_planned
    assert meeting.reason == "The partnership has ended. No money."
    assert people_emailed("meeting_called_off") == {"amina", "eddie", "ben"}


def test_everybody_invited_is_emailed_when_an_end_date_calls_meetings_off(world: World) -> None:
    planned_meeting(world)
    change_terms(world, status="active", starts_on=in_days(-9).date(), ends_on=in_days(-1).date())
    drop_emails()

    agreements.record_due_steps(now=timezone.now())

    assert people_emailed("meeting_called_off") == {"amina", "eddie", "ben"}
    emails_about_it = [email for email in deliver() if "Meeting called off" in email.subject]
    assert len(emails_about_it) == 3
    assert "The partnership reached its end date." in emails_about_it[0].body


@pytest.mark.parametrize(
    ("status", "reason"), [("ended", "The partnership has ended."), ("renewed", "The partnership was renewed.")]
)
def test_migration_calls_off_meetings_of_partnerships_that_were_over(world: World, status: str, reason: str) -> None:
    meeting = planned_meeting(world)
    begun = begun_meeting(world)
    change_terms(world, status=status, ends_on=in_days(0).date())
    drop_emails()

    MIGRATION.settle(apps, None)

    meeting.refresh_from_db()
    begun.refresh_from_db()
    assert meeting.is_called_off
    assert meeting.reason == reason
    assert begun.is_planned
    assert people_emailed("meeting_called_off") == set()


def test_person_of_no_party_cannot_be_invited(world: World) -> None:
    with pytest.raises(services.UnableToPlan):
        planned_meeting(world, people=[world.chidi])


def test_agenda_gathers_what_is_open(world: World) -> None:
    entry = ask_of_larkhaven(world)
    meeting = planned_meeting(world)

    gathered_items(world, meeting)

    assert f"Ask: {entry.title}" in item_titles(world, meeting, "amina")


def test_dropped_item_is_not_proposed_again(world: World) -> None:
    ask_of_larkhaven(world)
    meeting = planned_meeting(world)
    [item] = gathered_items(world, meeting)
    meeting.refresh_from_db()
    services.edit_agenda(
        meeting=meeting,
        lines=[services.AgendaLine(item, item.title, is_kept=False)],
        organisation=world.larkhaven,
        revision=meeting.revision,
        author=world.eddie,
        now=timezone.now(),
    )

    assert gathered_items(world, meeting) == []
    assert item_titles(world, meeting, "eddie") == []


def test_item_is_shown_only_to_those_who_may_read_its_record(world: World) -> None:
    add_observer(world)
    promise = propose_commitment(
        giver=world.larkhaven,
        receiver=world.westmarch,
        text="Sixty homes",
        quantity=None,
        unit="",
        owner=world.eddie,
        due_on=days_ago(-30),
        partnership=world.partnership,
        author=world.amina,
        now=timezone.now(),
    )
    action = propose_action(
        organisation=world.larkhaven,
        text="Send the layout",
        owner=world.eddie,
        due_on=days_ago(-3),
        for_organisation=world.westmarch,
        author=world.eddie,
        now=timezone.now(),
    )
    conversation = circulated_conversation(world)
    conversation.next_steps.filter(action__isnull=False).update(action=None)
    conversation.next_steps.filter(organisation=world.larkhaven).update(action=action)
    meeting = planned_meeting(world, people=[world.amina, world.ben, world.nadia])

    gathered_items(world, meeting)

    assert any(promise.reference in title for title in item_titles(world, meeting, "nadia"))
    assert any(action.reference in title for title in item_titles(world, meeting, "ben"))
    assert not any(action.reference in title for title in item_titles(world, meeting, "nadia"))
    assert not any(action.reference in item.title for item in items_everybody_reads(meeting))


def test_agenda_email_holds_only_what_its_reader_may_read(world: World) -> None:
    add_observer(world)
    circulated_conversation(world)
    meeting = meeting_with_item(world, people=[world.amina, world.ben, world.nadia])
    gathered_items(world, meeting)
    meeting.refresh_from_db()
    drop_emails()
    services.circulate_agenda(
        meeting=meeting,
        organisation=world.larkhaven,
        revision=meeting.revision,
        author=world.eddie,
        now=timezone.now(),
    )

    agendas = {message.to[0].partition("@")[0].rpartition("<")[2]: message.body for message in deliver()}

    assert "Quayside" in agendas["ben"]
    assert "Quayside" not in agendas["nadia"]
    assert "Winter plan" in agendas["nadia"]


def test_circulated_agenda_is_frozen(world: World) -> None:
    meeting = meeting_with_item(world)
    services.circulate_agenda(
        meeting=meeting, organisation=world.larkhaven, revision=meeting.revision, author=world.eddie, now=timezone.now()
    )

    with pytest.raises(services.UnableToChangeAgenda):
        gathered_items(world, meeting)


def test_agenda_changed_by_somebody_else_is_not_overwritten(world: World) -> None:
    meeting = meeting_with_item(world)

    with pytest.raises(services.UnableToChangeAgenda):
        services.edit_agenda(
            meeting=meeting,
            lines=[],
            organisation=world.larkhaven,
            revision=meeting.revision - 1,
            author=world.eddie,
            now=timezone.now(),
        )


def test_agenda_page_orders_drops_and_adds_items(world: World) -> None:
    meeting = meeting_with_item(world)
    item = meeting.agenda.get()
    key = item.pk
    data = {
        "revision": meeting.revision,
        f"title_{key}": "Winter plan",
        f"place_{key}": 2,
        f"purpose_{key}": "decision",
        f"minutes_{key}": 15,
        f"presenter_{key}": world.ben.pk,
        f"kept_{key}": "on",
        "title_new": "Welcome",
        "place_new": 1,
        "purpose_new": "information",
    }

    response = signed_in(world.eddie).post(reverse("conversations:agenda", args=[meeting.pk]), data)

    assert response.status_code == 302
    assert item_titles(world, meeting, "ben") == ["Welcome", "Winter plan"]


def test_saving_the_agenda_keeps_a_presenter_who_has_left(world: World) -> None:
    meeting = meeting_with_item(world)
    item = meeting.agenda.get()
    bens_membership = Membership.objects.get(person=world.ben, organisation=world.westmarch)
    end_membership(
        membership=bens_membership, author=world.dee, reason="Moved.", now=timezone.now(), even_last_lead=True
    )
    client = signed_in(world.eddie)
    address = reverse("conversations:agenda", args=[meeting.pk])
    fields = {"title": "Winter plan", "place": 1, "purpose": "decision", "minutes": 15, "kept": "on"}
    fields["presenter"] = world.ben.pk

    html = client.get(address).content.decode()
    client.post(
        address,
        {"revision": meeting.revision, "purpose_new": "discussion"}
        | {f"{name}_{item.pk}": value for name, value in fields.items()},
    )

    item.refresh_from_db()
    assert "Ben West, a former member" in html
    assert item.minutes == 15
    assert item.presenter == world.ben


def test_each_item_offers_its_presenter_who_has_left(world: World) -> None:
    meeting = meeting_with_item(world)
    item = meeting.agenda.get()
    item.pk, item.position = None, item.position + 1
    item.save()
    bens_membership = Membership.objects.get(person=world.ben, organisation=world.westmarch)
    end_membership(
        membership=bens_membership, author=world.dee, reason="Moved.", now=timezone.now(), even_last_lead=True
    )

    html = signed_in(world.eddie).get(reverse("conversations:agenda", args=[meeting.pk])).content.decode()

    assert html.count("Ben West, a former member") == 2


def test_quorum_counts_parties_present_without_observers(world: World) -> None:
    set_quorum(world, 2)
    add_observer(world)
    meeting = services.plan_meeting(
        partnership=world.partnership,
        organisation=world.larkhaven,
        plan=the_plan(
            world, starts_at=timezone.now() - dt.timedelta(hours=1), people=[world.amina, world.ben, world.nadia]
        ),
        author=world.eddie,
        now=timezone.now() - dt.timedelta(days=1),
    )
    # Riverside only observes, so Nadia's presence does not count.
    attendance_by_name = {"Amina": Attendance.PRESENT, "Ben": Attendance.APOLOGIES, "Nadia": Attendance.PRESENT}

    held = services.record_attendance(
        meeting=meeting,
        attendance={seat_of(meeting, name).pk: code for name, code in attendance_by_name.items()},
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )

    quorum = quorum_of(held)
    assert quorum is not None
    assert quorum.words == "Not quorate: 1 party present, 2 needed"


def test_attendance_cannot_be_recorded_before_the_meeting(world: World) -> None:
    with pytest.raises(services.UnableToRecordAttendance, match="not started yet"):
        services.record_attendance(
            meeting=planned_meeting(world),
            attendance={},
            organisation=world.larkhaven,
            author=world.eddie,
            now=timezone.now(),
        )


def test_minutes_start_from_agenda_and_attendance(world: World) -> None:
    meeting = held_meeting(world)
    AgendaItem.objects.create(
        meeting=meeting,
        position=1,
        title="Winter plan",
        added_by=world.eddie,
        added_for=world.larkhaven,
        added_at=timezone.now(),
    )

    page = signed_in(world.eddie).get(reverse("conversations:minutes", args=[meeting.pk]))

    form = page.context["form"]
    assert "1. Winter plan" in form.initial["said"]
    assert set(form.initial["attendees"]) == {world.amina.pk, world.eddie.pk, world.ben.pk}


def test_minutes_and_meeting_link_to_each_other(world: World) -> None:
    meeting = held_meeting(world)
    eddie = signed_in(world.eddie)
    minutes_url = reverse("conversations:minutes", args=[meeting.pk])
    initial = eddie.get(minutes_url).context["form"].initial
    # The browser would send back what the form was filled with.
    data = {name: value for name, value in initial.items() if value not in (None, "")} | {
        "held_on": initial["held_on"].isoformat(),
        "decisions": "Meet in spring.",
        "partnership": world.partnership.pk,
        "attribution": "named",
    }

    response = eddie.post(minutes_url, data)

    minutes = Conversation.objects.get(meeting=meeting)
    page_of_minutes = eddie.get(minutes.get_absolute_url()).content.decode()
    page_of_meeting = eddie.get(meeting.get_absolute_url()).content.decode()
    assert response.url == minutes.get_absolute_url()
    assert "Meet in spring." in page_of_minutes
    assert meeting.get_absolute_url() in page_of_minutes
    assert minutes.get_absolute_url() in page_of_meeting


def test_former_party_reads_meetings_up_to_its_leaving(world: World) -> None:
    meeting = held_meeting(world)
    planned = planned_meeting(world)
    leave_partnership_as_westmarch(world)
    client = signed_in(world.ben)

    assert client.get(meeting.get_absolute_url()).status_code == 200
    assert client.get(planned.get_absolute_url()).status_code == 404
    assert client.get(reverse("conversations:meetings", args=[world.partnership.pk])).status_code == 200


def test_observer_reads_a_meeting_but_cannot_change_it(world: World) -> None:
    add_observer(world)
    meeting = planned_meeting(world, people=[world.nadia])
    nadia = signed_in(world.nadia)

    page = nadia.get(meeting.get_absolute_url())
    edit_page = nadia.get(reverse("conversations:meeting-edit", args=[meeting.pk]))

    assert page.status_code == 200
    assert edit_page.status_code == 403


def test_observer_answers_an_invitation(world: World) -> None:
    add_observer(world)
    meeting = planned_meeting(world, people=[world.nadia])
    answer_url = reverse("conversations:meeting-answer", args=[seat_of(meeting, "Nadia").pk])

    response = signed_in(world.nadia).post(answer_url, {"answer": "apologies"})

    assert response.status_code == 302


def test_document_among_the_papers_is_hidden_from_those_who_may_not_read_it(world: World) -> None:
    document = agreements.add_document(
        partnership=world.partnership,
        title="Terms",
        file=a_text_file(),
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )
    meeting = planned_meeting(world)
    services.add_paper(
        meeting=meeting,
        organisation=world.larkhaven,
        paper=services.Paper(document=document),
        author=world.eddie,
        now=timezone.now(),
    )
    agreements.remove_document(document=document, author=world.amina, organisation=world.larkhaven, now=timezone.now())

    assert not Attachment.objects.visible_to(world.ben).exists()


def test_file_of_a_circulated_record_asks_the_other_side_again(world: World) -> None:
    conversation = circulated_conversation(world)

    attachment = services.attach_file(
        conversation=conversation, title="", file=a_text_file(), author=world.eddie, now=timezone.now()
    )

    conversation.refresh_from_db()
    assert conversation.status == "corrected"
    page = signed_in(world.ben).get(reverse("conversations:file", args=[attachment.pk]))
    assert page.status_code == 200


def test_removed_file_is_gone_and_its_reason_is_kept(world: World) -> None:
    conversation = circulated_conversation(world)
    attachment = services.attach_file(
        conversation=conversation, title="", file=a_text_file(), author=world.eddie, now=timezone.now()
    )

    services.remove_attachment(attachment=attachment, reason="Wrong map.", author=world.eddie, now=timezone.now())

    assert signed_in(world.ben).get(reverse("conversations:file", args=[attachment.pk])).status_code == 404
    assert Attachment.objects.get().removed_reason == "Wrong map."


def test_work_waits_for_invited_people_and_the_caller(world: World) -> None:
    planned_meeting(world)
    begun_meeting(world)

    def tasks_of(name: str) -> set[str]:
        return {task.action for task in tasks_from(TASK_SOURCES, getattr(world, name), timezone.now())}

    assert "Say whether you are coming" in tasks_of("ben")
    assert {"Prepare the agenda", "Record who attended", "Say whether you are coming"} <= tasks_of("eddie")
    assert "Prepare the agenda" not in tasks_of("ben")


def test_work_of_many_people_is_the_same_as_of_each(world: World) -> None:
    planned_meeting(world)
    held_meeting(world)
    a_cycle(world)
    people = [world.amina, world.eddie, world.vera, world.ben, world.chidi]

    together = tasks_for_people(TASK_SOURCES, people, timezone.now())

    assert together == {person.pk: tasks_from(TASK_SOURCES, person, timezone.now()) for person in people}


def test_planned_meeting_keeps_a_partnership_from_going_quiet(world: World) -> None:
    later = timezone.now() + dt.timedelta(days=100)
    tasks_before = [task.action for task in tasks_from(TASK_SOURCES, world.amina, later)]
    planned_meeting(world, starts_at=in_days(120))

    assert any("no conversation" in what for what in tasks_before)
    assert not any("no conversation" in task.action for task in tasks_from(TASK_SOURCES, world.amina, later))


def test_bank_holiday_must_be_chosen_knowingly(world: World) -> None:
    next_holiday = min(holiday for holiday in holidays() if holiday > timezone.localdate())
    data = {
        "title": "Steering group",
        "day": next_holiday.isoformat(),
        "time": "10:00",
        "minutes": 60,
        "format": "video",
    }
    client = signed_in(world.eddie)
    address = reverse("conversations:meeting-new", args=[world.partnership.pk])

    answer_without_tick = client.post(address, data)
    answer_with_tick = client.post(address, data | {"on_holiday": "on"})

    assert "is a bank holiday" in answer_without_tick.content.decode()
    assert answer_with_tick.status_code == 302


def test_a_corrected_attendance_still_counts_a_party_that_left_since(world: World) -> None:
    set_quorum(world, 2)
    meeting = held_meeting(world)
    quorum_before = quorum_of(meeting)
    leave_partnership_as_westmarch(world)

    corrected = services.record_attendance(
        meeting=meeting, attendance={}, organisation=world.larkhaven, author=world.eddie, now=timezone.now()
    )

    assert quorum_before is not None
    assert quorum_before.present == 2
    assert quorum_of(corrected) == quorum_before


@pytest.fixture
def meeting_of_ended_partnership(world: World) -> Meeting:
    """Return a planned meeting of a partnership that ended after the meeting had begun.

    Ending a partnership calls off its planned meetings, but not one that has begun.
    """
    meeting = begun_meeting(world)
    agreements.change_status(
        partnership=world.partnership, status="ended", reason="No money.", author=world.amina, now=timezone.now()
    )
    return meeting


def test_a_meeting_of_a_partnership_that_is_over_cannot_change(
    world: World, meeting_of_ended_partnership: Meeting
) -> None:
    with pytest.raises(services.UnableToPlan, match="Call the meeting off"):
        services.change_meeting(
            meeting=meeting_of_ended_partnership,
            plan=the_plan(world, title="Another"),
            organisation=world.larkhaven,
            author=world.eddie,
            now=timezone.now(),
        )


def test_the_agenda_of_a_partnership_that_is_over_cannot_be_circulated(
    world: World, meeting_of_ended_partnership: Meeting
) -> None:
    with pytest.raises(services.UnableToChangeAgenda, match="has ended"):
        services.circulate_agenda(
            meeting=meeting_of_ended_partnership,
            organisation=world.larkhaven,
            revision=meeting_of_ended_partnership.revision,
            author=world.eddie,
            now=timezone.now(),
        )


def test_a_meeting_of_a_partnership_that_is_over_can_be_called_off(
    world: World, meeting_of_ended_partnership: Meeting
) -> None:
    meeting = services.call_off_meeting(
        meeting=meeting_of_ended_partnership,
        reason="It has ended.",
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )

    assert meeting.status == MeetingStatus.CALLED_OFF
