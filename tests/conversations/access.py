"""Who may open each page of conversations."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.conversations import services
from partnerships.conversations.models import Report
from tests.conversations import reports
from tests.conversations.gatherings import a_cycle, a_text_file, begun_meeting, held_meeting, meeting_with_item, seat_of
from tests.conversations.talks import circulated_conversation, draft_conversation, planned_conversation
from tests.support.access import Row, everyone, expect
from tests.world import World


def prepare(world: World) -> None:
    """Store the records that the pages below are about in `world.things`.

    They include planned, draft and circulated conversations, meetings, reports, notes and a facilitator.
    """
    _prepare_conversations(world)
    _prepare_meetings(world)
    _prepare_corrections(world)
    _prepare_reports(world)
    world.things["journal_note"] = services.write_journal_note(
        organisation=world.larkhaven,
        partnership=world.partnership,
        dated_on=reports.last_month(),
        text="They wait for the grant.",
        author=world.eddie,
        now=timezone.now(),
    )
    world.things["facilitator"] = services.name_facilitator(
        partnership=world.partnership,
        organisation=world.larkhaven,
        person=world.vera,
        author=world.amina,
        now=timezone.now(),
    )
    world.things["own_report"] = reports.write(
        Report.objects.get(party=world.party(world.larkhaven)), world.eddie, "Two sites."
    )


def _prepare_conversations(world: World) -> None:
    """Create a draft, a planned and a circulated conversation."""
    world.things["talk_draft"] = draft_conversation(world)
    world.things["talk_planned"] = planned_conversation(world)
    world.things["talk"] = circulated_conversation(world)
    world.things["obstacle"] = world.things["talk"].points.get(kind="obstacle")


def _prepare_meetings(world: World) -> None:
    """Create a meeting with an agenda, one that has begun, one that was held, and a cycle of meetings."""
    world.things["meeting"] = meeting_with_item(world)
    world.things["meeting_begun"] = begun_meeting(world)
    world.things["meeting_held"] = held_meeting(world)
    world.things["seat"] = seat_of(world.things["meeting"], "Ben")
    world.things["cycle"] = a_cycle(world)


def _prepare_corrections(world: World) -> None:
    """Attach a file to the circulated conversation, and suggest a correction of its record."""
    conversation = world.things["talk"]
    world.things["talk_file"] = services.attach_file(
        conversation=conversation, title="Map", file=a_text_file(), author=world.eddie, now=timezone.now()
    )
    world.things["correction"] = services.suggest_correction(
        conversation=conversation,
        organisation=world.westmarch,
        text="It was June, not May.",
        author=world.ben,
        now=timezone.now(),
    )


def _prepare_reports(world: World) -> None:
    """Submit a report, return it with a question, and submit it again."""
    report = reports.submitted(world)
    services.return_report(report=report, number=1, reason="How many let?", author=world.amina, now=timezone.now())
    reports.submit(report, world.ben, "Forty homes, thirty let.")
    world.things["report"] = report


def _partnership(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk}


def _period(world: World) -> dict[str, Any]:
    report = world.things["report"]
    return {"pk": report.round_id, "start": report.starts_on.isoformat()}


def _on(name: str) -> Any:
    """Return a function that finds the id of this thing for the URL."""
    return lambda world: {"pk": world.things[name].pk}


#: Editors and leads of the side that keeps the record.
_KEEPERS = {
    "get": expect(inside=403, outside=404, editor=200, lead=200),
    "post": expect(inside=403, outside=404, editor=422, lead=422),
}
#: The chair's lead only.
_CHAIR = {
    "get": expect(inside=403, outside=404, lead=200),
    "post": expect(inside=403, outside=404, lead=422),
}
#: Editors and leads of the organisation that wrote the note.
_NOTE_WRITERS = {
    "get": expect(inside=403, outside=404, editor=200, lead=200, partner=404),
    "post": expect(inside=403, outside=404, editor=422, lead=422, partner=404),
}
#: Editors and leads of the organisation that reports.
_WRITERS = _KEEPERS

#: Editors and leads of both parties.
_PLANNERS = {
    "get": expect(inside=200, outside=404, viewer=403),
    "post": expect(inside=422, outside=404, viewer=403),
}
#: Leads of the chair's organisation.
_LEADERS = {
    "get": expect(inside=403, outside=404, lead=200),
    "post": expect(inside=403, outside=404, lead=422),
}


ROWS = (
    Row("conversations:meetings", on=_partnership, get=expect(inside=200, outside=404)),
    Row("conversations:meeting-new", on=_partnership, **_PLANNERS),
    Row("conversations:meeting-cycle", on=_partnership, **_LEADERS),
    Row("conversations:meeting-cycle-stop", on=_partnership, **_LEADERS),
    Row("conversations:meeting", on=_on("meeting"), get=expect(inside=200, outside=404)),
    Row(
        "conversations:meeting-stakeholders",
        on=_on("meeting"),
        post=expect(inside=403, outside=404, lead=302, partner=302),
    ),
    Row("conversations:meeting-edit", on=_on("meeting"), **_PLANNERS),
    Row("conversations:meeting-call-off", on=_on("meeting"), **_PLANNERS),
    Row("conversations:agenda", on=_on("meeting"), **_PLANNERS),
    Row("conversations:agenda-gather", on=_on("meeting"), post=expect(inside=302, outside=404, viewer=403)),
    Row("conversations:agenda-circulate", on=_on("meeting"), **_PLANNERS),
    Row("conversations:agenda-paper", on=_on("meeting"), get=expect(inside=200, outside=404)),
    Row("conversations:attendance", on=_on("meeting_begun"), **_PLANNERS),
    Row("conversations:minutes", on=_on("meeting_held"), **_PLANNERS),
    Row("conversations:paper-add", on=_on("meeting"), **_PLANNERS),
    Row(
        "conversations:meeting-answer",
        on=_on("seat"),
        get=expect(inside=403, outside=404, partner=200),
        post=expect(inside=403, outside=404, partner=422),
    ),
    Row("conversations:file-add", on=_on("talk"), **_KEEPERS),
    Row("conversations:file", on=_on("talk_file"), get=expect(inside=200, outside=404)),
    Row("conversations:file-remove", on=_on("talk_file"), **_KEEPERS),
    Row("conversations:list", get=everyone()),
    Row("conversations:meeting-list", get=everyone()),
    Row(
        "conversations:new",
        get=expect(inside=200, outside=403, viewer=403, stranger=200, shared=200, share_ended=200),
        post=expect(inside=404, outside=403, viewer=403, stranger=404, shared=404, share_ended=404),
    ),
    Row("conversations:detail", on=_on("talk"), get=expect(inside=200, outside=404)),
    Row("conversations:edit", on=_on("talk"), **_KEEPERS),
    Row(
        "conversations:circulate",
        on=_on("talk_draft"),
        get=expect(inside=403, outside=404, editor=200, lead=200, partner=404),
        post=expect(inside=403, outside=404, editor=302, lead=302, partner=404),
    ),
    Row("conversations:cancel", on=_on("talk_planned"), **_KEEPERS),
    Row(
        "conversations:correct",
        on=_on("talk"),
        get=expect(inside=403, outside=404, partner=200),
        post=expect(inside=403, outside=404, partner=422),
    ),
    Row(
        "conversations:agree",
        on=_on("talk"),
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row(
        "conversations:note",
        on=_on("talk"),
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row("conversations:answer", on=_on("correction"), **_KEEPERS),
    Row("conversations:close", on=_on("obstacle"), **_KEEPERS),
    Row("conversations:become", on=_on("obstacle"), **_KEEPERS),
    Row("conversations:stuck", get=everyone()),
    Row("conversations:facilitator-name", on=_partnership, **_CHAIR),
    Row(
        "conversations:facilitation",
        on=_on("facilitator"),
        get=expect(inside=404, outside=404, viewer=200),
        post=expect(inside=404, outside=404, viewer=302),
    ),
    Row(
        "conversations:facilitation-end",
        on=_on("facilitator"),
        get=expect(inside=403, outside=404, viewer=200, lead=200),
        post=expect(inside=403, outside=404, viewer=422, lead=422),
    ),
    Row("conversations:journal", get=everyone()),
    Row("conversations:journal", query="?q=grant", get=everyone()),
    Row("conversations:journal-new", get=everyone(404), post=everyone(404)),
    Row("conversations:journal-note", on=_on("journal_note"), get=expect(inside=200, outside=404, partner=404)),
    Row("conversations:journal-edit", on=_on("journal_note"), **_NOTE_WRITERS),
    Row("conversations:journal-delete", on=_on("journal_note"), **_NOTE_WRITERS),
    Row("conversations:reports", on=_partnership, get=expect(inside=200, outside=404)),
    Row("conversations:reporting", on=_partnership, **_CHAIR),
    Row("conversations:reporting-end", on=_partnership, **_CHAIR),
    Row("conversations:reports-period", on=_period, get=expect(inside=200, outside=404)),
    Row("conversations:reports-csv", on=_period, get=expect(inside=200, outside=404)),
    Row("conversations:report", on=_on("report"), get=expect(inside=200, outside=404)),
    Row(
        "conversations:report-compare",
        on=lambda world: {"pk": world.things["report"].pk, "number": 2},
        get=expect(inside=200, outside=404),
    ),
    Row("conversations:report-decide", on=_on("report"), **_CHAIR),
    Row("conversations:report-write", on=_on("own_report"), **_WRITERS),
    Row("conversations:report-submit", on=_on("own_report"), **_WRITERS),
)
