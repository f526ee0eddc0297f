"""The services of conversations, and who may call each of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.conversations import services
from partnerships.conversations.cycle import Cycle, Unit
from partnerships.conversations.models import Facilitator, JournalNote, Report
from partnerships.conversations.reporting import USUAL_QUESTIONS
from partnerships.people.models import User
from tests.conversations import reports
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
from tests.conversations.talks import (
    agree,
    circulated_conversation,
    draft_conversation,
    planned_conversation,
    the_record,
)
from tests.support.rights import EDITORS, LEAD, NOBODY, PARTNER, PARTNER_EDITORS, Row
from tests.world import World


def _correction_by_westmarch(world: World) -> Any:
    """Return a correction that Westmarch has suggested to a circulated record."""
    return services.suggest_correction(
        conversation=circulated_conversation(world),
        organisation=world.westmarch,
        text="It was June.",
        author=world.ben,
        now=timezone.now(),
    )


def _note(organisation: str) -> Any:
    return lambda world, author, talk: services.write_private_note(
        conversation=talk,
        organisation=getattr(world, organisation),
        text="Ask again in May.",
        revision=0,
        author=author,
        now=timezone.now(),
    )


def _turn(world: World, author: User, talk: Any) -> Any:
    return services.turn_into_entry(
        point=talk.points.get(kind="obstacle"),
        organisation=world.larkhaven,
        title="Land with consent",
        theme="land",
        author=author,
        now=timezone.now(),
    )


def _journal_note(world: World) -> JournalNote:
    """Return Eddie's note about the Estuary Partnership."""
    return services.write_journal_note(
        organisation=world.larkhaven,
        partnership=world.partnership,
        dated_on=reports.last_month(),
        text="They wait for the grant.",
        author=world.eddie,
        now=timezone.now(),
    )


def _facilitator(world: World) -> Facilitator:
    """Return Vera as a facilitator whom Amina has named."""
    existing_facilitator = Facilitator.objects.not_ended().filter(person=world.vera).first()
    return existing_facilitator or services.name_facilitator(
        partnership=world.partnership,
        organisation=world.larkhaven,
        person=world.vera,
        author=world.amina,
        now=timezone.now(),
    )


def _set_up_reporting(world: World, author: User, _: Any) -> Any:
    return services.set_up_reporting(
        partnership=world.partnership,
        period="month",
        starts_on=reports.last_month(),
        due_days=10,
        questions=USUAL_QUESTIONS,
        exempt=(),
        author=author,
        now=timezone.now(),
    )


def _own_report(world: World) -> Report:
    """Return Larkhaven's report, with an answer by Eddie."""
    reports.set_up(world)
    return reports.write(Report.objects.get(party=world.party(world.larkhaven)), world.eddie)


def _own_report_beside_another_lead(world: World) -> Report:
    """Return Larkhaven's report, submitted, in a partnership that Westmarch leads too."""
    report = _own_report(world)
    reports.submit(report, world.eddie)
    party = world.party(world.westmarch)
    agreements.change_party_role(
        party=party, role="lead", reason="They share the chair.", author=world.amina, now=timezone.now()
    )
    return report


def _set_cycle(world: World, author: User) -> Any:
    return services.set_cycle(
        partnership=world.partnership,
        cycle=Cycle(Unit.WEEKS, 6, 1, 0, timezone.localdate()),
        sitting=services.Sitting(dt.time(10), 60),
        organisation=world.larkhaven,
        author=author,
        now=timezone.now(),
    )


def _meeting_file(world: World) -> Any:
    """Return a paper that Larkhaven has added to a meeting."""
    return services.add_paper(
        meeting=planned_meeting(world),
        organisation=world.larkhaven,
        paper=services.Paper(file=a_text_file()),
        author=world.eddie,
        now=timezone.now(),
    )


def _name_owner(world: World, author: User, talk: Any) -> object:
    step = talk.next_steps.filter(organisation=world.westmarch).first()
    return services.name_owner_of_step(step=step, owner=world.ben, author=author, now=timezone.now())


ROWS = (
    Row("conversations.name_owner_of_step", _name_owner, EDITORS, prepare=draft_conversation),
    Row("conversations.set_cycle", lambda world, author, _: _set_cycle(world, author), LEAD),
    Row(
        "conversations.stop_cycle",
        lambda world, author, cycle: services.stop_cycle(
            partnership=cycle.partnership,
            reason="Not needed.",
            organisation=world.larkhaven,
            author=author,
            now=timezone.now(),
        ),
        LEAD,
        prepare=a_cycle,
    ),
    Row(
        "conversations.plan_meeting",
        lambda world, author, _: services.plan_meeting(
            partnership=world.partnership,
            organisation=world.larkhaven,
            plan=the_plan(world),
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
    ),
    Row(
        "conversations.plan_meeting",
        lambda world, author, _: services.plan_meeting(
            partnership=world.partnership,
            organisation=world.westmarch,
            plan=the_plan(world),
            author=author,
            now=timezone.now(),
        ),
        PARTNER_EDITORS,
        situation="for the partner",
    ),
    Row(
        "conversations.plan_meeting",
        lambda world, author, _: services.plan_meeting(
            partnership=world.partnership,
            organisation=world.riverside,
            plan=the_plan(world),
            author=author,
            now=timezone.now(),
        ),
        frozenset(),
        situation="for an observer",
    ),
    Row(
        "conversations.mark_meeting_for_stakeholders",
        lambda world, author, meeting: services.mark_meeting_for_stakeholders(
            meeting=meeting, tell=True, author=author, now=timezone.now()
        ),
        LEAD | PARTNER,
        prepare=planned_meeting,
    ),
    Row(
        "conversations.change_meeting",
        lambda world, author, meeting: services.change_meeting(
            meeting=meeting,
            plan=the_plan(world, starts_at=in_days(6)),
            organisation=world.larkhaven,
            reason="Ben is away.",
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
        prepare=planned_meeting,
    ),
    Row(
        "conversations.call_off_meeting",
        lambda world, author, meeting: services.call_off_meeting(
            meeting=meeting, reason="Snow.", organisation=world.larkhaven, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=planned_meeting,
    ),
    Row(
        "conversations.gather_agenda",
        lambda world, author, meeting: services.gather_agenda(
            meeting=meeting, organisation=world.larkhaven, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=planned_meeting,
    ),
    Row(
        "conversations.edit_agenda",
        lambda world, author, meeting: services.edit_agenda(
            meeting=meeting,
            lines=[services.AgendaLine(None, "Rents")],
            organisation=world.larkhaven,
            revision=meeting.revision,
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
        prepare=planned_meeting,
    ),
    Row(
        "conversations.circulate_agenda",
        lambda world, author, meeting: services.circulate_agenda(
            meeting=meeting,
            organisation=world.larkhaven,
            revision=meeting.revision,
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
        prepare=meeting_with_item,
    ),
    Row(
        "conversations.answer_meeting",
        lambda world, author, meeting: services.answer_meeting(
            seat=seat_of(meeting, "Ben"), answer="coming", author=author, now=timezone.now()
        ),
        PARTNER_EDITORS,
        prepare=planned_meeting,
    ),
    Row(
        "conversations.record_attendance",
        lambda world, author, meeting: services.record_attendance(
            meeting=meeting, attendance={}, organisation=world.westmarch, author=author, now=timezone.now()
        ),
        PARTNER_EDITORS,
        prepare=begun_meeting,
    ),
    Row(
        "conversations.write_minutes",
        lambda world, author, meeting: services.write_minutes(
            meeting=meeting, record=the_record(world), organisation=world.larkhaven, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=held_meeting,
    ),
    Row(
        "conversations.write_minutes",
        lambda world, author, meeting: services.write_minutes(
            meeting=meeting, record=the_record(world), organisation=world.riverside, author=author, now=timezone.now()
        ),
        NOBODY,
        prepare=held_meeting,
        situation="for an observer",
    ),
    Row(
        "conversations.attach_file",
        lambda world, author, talk: services.attach_file(
            conversation=talk, title="Map", file=a_text_file(), author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=circulated_conversation,
    ),
    Row(
        "conversations.add_paper",
        lambda world, author, meeting: services.add_paper(
            meeting=meeting,
            organisation=world.larkhaven,
            paper=services.Paper(file=a_text_file()),
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
        prepare=planned_meeting,
    ),
    Row(
        "conversations.remove_attachment",
        lambda world, author, paper: services.remove_attachment(
            attachment=paper, reason="The wrong file.", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_meeting_file,
    ),
    Row(
        "conversations.record_conversation",
        lambda world, author, _: services.record_conversation(
            organisation=world.larkhaven, record=the_record(world), author=author, now=timezone.now()
        ),
        EDITORS,
    ),
    Row(
        "conversations.edit_conversation",
        lambda world, author, talk: services.edit_conversation(
            conversation=talk,
            record=the_record(world, subject="Quayside depot"),
            revision=talk.revision,
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
        prepare=draft_conversation,
    ),
    Row(
        "conversations.cancel_planned",
        lambda world, author, talk: services.cancel_planned(
            conversation=talk, reason="Ben is ill.", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=planned_conversation,
    ),
    Row(
        "conversations.circulate",
        lambda world, author, talk: services.circulate(conversation=talk, author=author, now=timezone.now()),
        EDITORS,
        prepare=draft_conversation,
    ),
    Row(
        "conversations.suggest_correction",
        lambda world, author, talk: services.suggest_correction(
            conversation=talk, organisation=world.westmarch, text="It was June.", author=author, now=timezone.now()
        ),
        PARTNER_EDITORS,
        prepare=circulated_conversation,
    ),
    Row(
        "conversations.answer_correction",
        lambda world, author, correction: services.answer_correction(
            correction=correction, taken_up=False, answer="It was May.", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_correction_by_westmarch,
    ),
    Row(
        "conversations.agree_record",
        lambda world, author, talk: agree(talk, world.westmarch, author),
        PARTNER_EDITORS,
        prepare=circulated_conversation,
    ),
    Row("conversations.write_private_note", _note("larkhaven"), EDITORS, prepare=circulated_conversation),
    Row(
        "conversations.write_private_note",
        _note("westmarch"),
        PARTNER_EDITORS,
        prepare=circulated_conversation,
        situation="too",
    ),
    Row(
        "conversations.write_private_note",
        _note("riverside"),
        frozenset(),
        prepare=circulated_conversation,
        situation="for somebody who did not take part",
    ),
    Row(
        "conversations.close_point",
        lambda world, author, talk: services.close_point(
            point=talk.points.get(kind="obstacle"), reason="Consent is given.", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=circulated_conversation,
    ),
    Row("conversations.turn_into_entry", _turn, EDITORS, prepare=circulated_conversation),
    Row(
        "conversations.turn_into_entry",
        lambda world, author, talk: services.turn_into_entry(
            point=talk.points.get(kind="opportunity"),
            organisation=world.tidewater,
            title="The depot",
            theme="land",
            author=author,
            now=timezone.now(),
        ),
        NOBODY,
        prepare=circulated_conversation,
        situation="for somebody who did not take part",
    ),
    Row(
        "conversations.write_journal_note",
        lambda world, author, _: services.write_journal_note(
            organisation=world.larkhaven,
            about=world.westmarch,
            dated_on=reports.last_month(),
            text="New leader.",
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
    ),
    Row(
        "conversations.write_journal_note",
        lambda world, author, _: services.write_journal_note(
            organisation=world.tidewater,
            partnership=world.partnership,
            dated_on=reports.last_month(),
            text="New leader.",
            author=author,
            now=timezone.now(),
        ),
        NOBODY,
        situation="about a partnership of others",
    ),
    Row(
        "conversations.change_journal_note",
        lambda world, author, note: services.change_journal_note(
            note=note,
            dated_on=note.dated_on,
            text="They have the grant.",
            revision=note.revision,
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
        prepare=_journal_note,
    ),
    Row(
        "conversations.delete_journal_note",
        lambda world, author, note: services.delete_journal_note(
            note=note, reason="Wrong.", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_journal_note,
    ),
    Row(
        "conversations.name_facilitator",
        lambda world, author, _: services.name_facilitator(
            partnership=world.partnership,
            organisation=world.larkhaven,
            person=world.eddie,
            author=author,
            now=timezone.now(),
        ),
        LEAD,
    ),
    Row(
        "conversations.accept_facilitation",
        lambda world, author, facilitator: services.accept_facilitation(
            facilitator=facilitator, author=author, now=timezone.now()
        ),
        frozenset({"viewer"}),
        prepare=_facilitator,
    ),
    Row(
        "conversations.end_facilitation",
        lambda world, author, facilitator: services.end_facilitation(
            facilitator=facilitator, reason="Done.", author=author, now=timezone.now()
        ),
        frozenset({"lead", "viewer"}),
        prepare=_facilitator,
    ),
    Row("conversations.set_up_reporting", _set_up_reporting, LEAD),
    Row(
        "conversations.end_reporting",
        lambda world, author, _: services.end_reporting(
            partnership=world.partnership, reason="Enough.", author=author, now=timezone.now()
        ),
        LEAD,
        prepare=reports.set_up,
    ),
    Row(
        "conversations.save_report",
        lambda world, author, report: services.save_report(
            report=report, answers={"q2": "Nothing."}, revision=report.revision, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_own_report,
    ),
    Row(
        "conversations.submit_report",
        lambda world, author, report: services.submit_report(
            report=report, revision=report.revision, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_own_report,
    ),
    Row(
        "conversations.accept_report",
        lambda world, author, report: services.accept_report(
            report=report, number=report.submissions.count(), author=author, now=timezone.now()
        ),
        LEAD,
        prepare=reports.submitted,
    ),
    Row(
        "conversations.accept_report",
        lambda world, author, report: services.accept_report(
            report=report, number=report.submissions.count(), author=author, now=timezone.now()
        ),
        PARTNER,
        prepare=_own_report_beside_another_lead,
        situation="where another party leads too",
    ),
    Row(
        "conversations.return_report",
        lambda world, author, report: services.return_report(
            report=report,
            number=report.submissions.count(),
            reason="How many let?",
            author=author,
            now=timezone.now(),
        ),
        LEAD,
        prepare=reports.submitted,
    ),
)

_INSIDE = "part of another service, inside its transaction"
WITHOUT_A_PERSON = {
    "conversations.mark_corrected": "part of another service, inside its transaction",
    "conversations.save_parts": "part of another service, inside its transaction",
    "conversations.email_people": _INSIDE,
    "conversations.email_uninvited": _INSIDE,
    "conversations.make_actions": _INSIDE,
    "conversations.record_event": _INSIDE,
    "conversations.record_point_event": _INSIDE,
    "conversations.open_due_reports": "called by the clock",
    "conversations.remind_of_reports": "called by the clock",
    "conversations.record_report": _INSIDE,
    "conversations.record_reporting": _INSIDE,
}
