"""Only the right sides read and change each ask, offer, commitment and conversation.

From four sides: the two organisations concerned (lead, editor, viewer), another party of the same partnership, a
stranger, and people without rights. A record without a case here fails the last test.

Each case creates its record through services with the word `WORD` in it, which must appear only on pages of its
readers. Then everybody tries to act on it, which must change it only for its writers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models, transaction
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from pghistory.models import Event

from partnerships.agreements import services as agreements
from partnerships.commitments import models as promised
from partnerships.commitments import services as commitments
from partnerships.commitments.origins import parse_origin_record
from partnerships.conversations import models as talked
from partnerships.conversations import services as conversations
from partnerships.exchange import models as exchanged
from partnerships.exchange import services as exchange
from partnerships.exchange.models import Audience, Direction, Entry
from partnerships.exchange.models.entries import EntryArea
from partnerships.exchange.queries import board as boards
from partnerships.exchange.queries.permission_sql import reader_of
from partnerships.kit.vocabularies import Vocabulary
from partnerships.organisations.models import Role
from partnerships.people.lead_times import USUAL_LEAD_TIMES, choose_lead_times
from partnerships.people.models import User
from partnerships.search.services import index_stale
from tests.commitments.promises import agree, done_commitment, in_days, propose, report
from tests.conversations import reports
from tests.conversations.gatherings import a_cycle, a_text_file, planned_meeting
from tests.conversations.talks import circulated_conversation, days_ago, the_record
from tests.exchange.conftest import draft, shared_entry
from tests.support.constraints import check_once
from tests.support.outbox import deliver, drop_emails
from tests.support.prepared import checked_browser
from tests.world import World, area, join, make_world, person

pytestmark = pytest.mark.django_db

#: In every record here and nowhere else; searches use the word beside it.
WORD, BESIDE = "Kestrelwort", "quarrying"
SAID = f"{WORD} {BESIDE}"

#: Larkhaven, which owns most records; Westmarch, the other organisation; Riverside, a third party of their
#: partnership; Tidewater, a stranger; a person who left Larkhaven; an administrator.
OWN = {"lead", "editor", "viewer"}
OTHER = {"other lead", "other viewer"}
THIRD = {"third party"}
ALL = OWN | OTHER | THIRD | {"stranger", "left", "administrator"}
WRITERS = {"lead", "editor"}

Sides = dict[str, User]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provide one world for all tests, whose changes are rolled back."""
    files = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("world"))
    with django_db_blocker.unblock(), files, transaction.atomic():
        made = _world()
        check_once()
        yield made
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def media_root() -> None:
    """Leave the world's files where they were created."""


def _world() -> World:
    """Return the small world with a viewer of Westmarch and Riverside as a party."""
    made = make_world()
    made.things["will"] = person("Will West", "will@westmarch.example")
    join(made.things["will"], made.westmarch, Role.VIEWER, made.now)
    party = agreements.invite_organisation(
        partnership=made.partnership,
        organisation=made.riverside,
        role="member",
        reason="We need them.",
        author=made.amina,
        now=made.now,
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=made.nadia, now=made.now)
    return made


def sides(world: World) -> Sides:
    """Return the people of each side."""
    return {
        "lead": world.amina,
        "editor": world.eddie,
        "viewer": world.vera,
        "other lead": world.ben,
        "other viewer": world.things["will"],
        "third party": world.nadia,
        "stranger": world.chidi,
        "left": world.lena,
        "administrator": world.dee,
    }


@dataclass(frozen=True)
class Act:
    """The request that changes the record, and how to see the change."""

    url: str
    data: Callable[[World, Any], dict[str, Any]]
    writers: set[str]
    on: Callable[[Any], dict[str, Any]] = lambda record: {"pk": record.pk}
    changed: Callable[[Any], Any] = lambda record: type(record).objects.filter(pk=record.pk).values().first()


@dataclass(frozen=True)
class Case:
    """A record: how to create it, its pages, readers and writers."""

    model: type[models.Model]
    make: Callable[[World], Any]
    pages: Callable[[Any], Iterable[str]]
    readers: set[str]
    act: Act | None = None
    word: str = WORD


def _day(name: str, day: dt.date) -> dict[str, str]:
    return {name: day.isoformat()}


def _entry(record: Any) -> list[str]:
    return [reverse("exchange:detail", args=[getattr(record, "entry_id", record.pk)])]


def _everywhere(record: Any) -> list[str]:
    board = ("board", "export")
    return [*_entry(record), *(reverse(f"exchange:{name}") for name in board)]


def _promise(record: Any) -> list[str]:
    return [reverse("commitments:detail", args=[getattr(record, "commitment_id", record.pk)])]


def _talk(record: Any) -> list[str]:
    return [reverse("conversations:detail", args=[getattr(record, "conversation_id", record.pk)])]


# --- Ask and offer ---------------------------------------------------------------------------------------------------


def _within(world: World) -> dict[str, Any]:
    return {"audience": Audience.PARTNERSHIP, "partnership": world.partnership}


def _ask(world: World, **given: Any) -> Entry:
    return shared_entry(world.larkhaven, world.amina, world.now, **(_within(world) | given))


def _named_ask(world: World, **given: Any) -> Entry:
    return _ask(world, audience=Audience.NAMED, partnership=None, addressees=[world.westmarch], **given)


def _offer(world: World, title: str = SAID) -> Entry:
    """Return Westmarch's offer, shared only with Larkhaven."""
    return shared_entry(
        world.westmarch,
        world.ben,
        world.now,
        direction=Direction.OFFER,
        title=title,
        audience=Audience.NAMED,
        addressees=[world.larkhaven],
    )


def _response(world: World) -> exchanged.Response:
    return exchange.respond(
        entry=_ask(world),
        organisation=world.westmarch,
        text=SAID,
        quantity=Decimal(20),
        author=world.ben,
        now=world.now,
    )


def _receipt(world: World) -> exchanged.Receipt:
    return exchange.decline_entry(
        entry=_ask(world), organisation=world.westmarch, reason=SAID, author=world.ben, now=world.now
    )


def _question(world: World) -> exchanged.Question:
    return exchange.ask_question(
        entry=_ask(world), organisation=world.westmarch, text=SAID, author=world.ben, now=world.now
    )


def _match(world: World) -> exchanged.Match:
    ask = _ask(world)
    offer = _offer(world)
    exchange.match_due_entries(now=world.now)
    return exchanged.Match.objects.get(ask=ask, offer=offer)


def _dismissal(world: World) -> exchanged.Dismissal:
    ask = _ask(world)
    offer = _offer(world, title="A level site")
    return exchange.dismiss_match(
        entry=ask, counterpart=offer, organisation=world.larkhaven, reason=SAID, author=world.amina, now=world.now
    )


def _introduction(world: World) -> exchanged.Introduction:
    ask = _named_ask(world)
    return exchange.introduce(
        entry=ask,
        counterpart=_offer(world, title="A level site"),
        organisation=world.larkhaven,
        text=SAID,
        author=world.amina,
        now=world.now,
    )


def _pair(record: Any) -> list[str]:
    return [
        *(reverse("exchange:entry-matches", args=[pk]) for pk in (_ask_of(record), _offer_of(record))),
        reverse("exchange:detail", args=[_ask_of(record)]),
    ]


def _ask_of(record: Any) -> int:
    return int(getattr(record, "match", record).ask_id)


def _offer_of(record: Any) -> int:
    return int(getattr(record, "match", record).offer_id)


def _fulfilment(world: World) -> exchanged.Fulfilment:
    ask = _ask(world)
    response = exchange.respond(
        entry=ask, organisation=world.westmarch, text="All.", quantity=Decimal(60), author=world.ben, now=world.now
    )
    exchange.decide_response(response=response, accept=True, reason="", author=world.amina, now=world.now)
    commitments.propose_commitment(
        giver=world.westmarch,
        receiver=world.larkhaven,
        text=SAID,
        quantity=Decimal(60),
        unit="homes",
        owner=world.ben,
        due_on=in_days(90),
        partnership=None,
        author=world.ben,
        now=timezone.now(),
        came_from=parse_origin_record(f"response-{response.pk}"),
    )
    return exchanged.Fulfilment.objects.get(entry=ask)


def _standing(world: World) -> Entry:
    return _ask(world, direction=Direction.OFFER, standing=True, title=SAID)


def _edit_entry(world: World, entry: Entry) -> dict[str, Any]:
    return {
        "title": "Reworded",
        "theme": "land",
        "revision": entry.revision,
        "quantity": "60",
        "unit": "homes",
        "direction": entry.direction,
        "standing": "on" if entry.standing else "",
        "organisation": world.larkhaven.pk,
        "audience": entry.audience,
        "partnership": entry.partnership_id or "",
        "addressees": [row.organisation_id for row in entry.addressees.all()],
    }


EDIT_ENTRY = Act("exchange:edit", _edit_entry, WRITERS)


# --- Commitments -----------------------------------------------------------------------------------------------------


def _slippage(world: World) -> promised.Slippage:
    return commitments.change_due_date(
        commitment=agree(world, partnership=None),
        due_on=in_days(120),
        reason=SAID,
        author=world.eddie,
        now=timezone.now(),
    )


def _progress(world: World) -> promised.Progress:
    commitment = agree(world, partnership=None)
    report(world, commitment, note_text=SAID, delivered=Decimal(20))
    return promised.Progress.objects.get(commitment=commitment)


def _blocked(world: World) -> promised.Commitment:
    commitment = agree(world, partnership=None)
    report(world, commitment, promised.Status.BLOCKED, blocker=SAID)
    commitment.refresh_from_db()
    return commitment


def _evidence(world: World) -> promised.Evidence:
    return commitments.attach_evidence(
        commitment=agree(world, partnership=None),
        file=SimpleUploadedFile("handover.txt", b"Block B."),
        title=SAID,
        author=world.eddie,
        now=timezone.now(),
    )


def _of_commitment(record: Any) -> dict[str, Any]:
    return {"pk": record.commitment_id}


def _commitment_of(record: Any) -> Any:
    return promised.Commitment.objects.filter(pk=getattr(record, "commitment_id", record.pk)).values().get()


def _report(world: World, record: Any) -> dict[str, Any]:
    commitment = promised.Commitment.objects.get(pk=getattr(record, "commitment_id", record.pk))
    newest = commitment.progress.order_by("-pk").values_list("pk", flat=True).first() or 0
    return {"delivered": "40", "status": "in_progress", "seen": newest}


# --- Conversations ---------------------------------------------------------------------------------------------------


def _talk_with(world: World, **said: Any) -> talked.Conversation:
    return circulated_conversation(world, **({"points": (), "next_steps": ()} | said))


def _note(world: World) -> talked.PrivateNote:
    note = conversations.write_private_note(
        conversation=_talk_with(world),
        organisation=world.larkhaven,
        text=SAID,
        author=world.eddie,
        now=timezone.now(),
    )
    assert note is not None
    return note


def _correction(world: World) -> talked.Correction:
    return conversations.suggest_correction(
        conversation=_talk_with(world), organisation=world.westmarch, text=SAID, author=world.ben, now=timezone.now()
    )


def _point(world: World, text: str = SAID) -> talked.Point:
    points = [conversations.PointInput(world.larkhaven, talked.PointKind.OBSTACLE, text)]
    return _talk_with(world, points=points).points.get()


def _became(world: World) -> talked.PointEntry:
    point = _point(world, text="No land.")
    conversations.turn_into_entry(
        point=point, organisation=world.larkhaven, title=SAID, theme="land", author=world.eddie, now=timezone.now()
    )
    return talked.PointEntry.objects.get(point=point)


def _step(world: World, *, show: bool) -> talked.NextStep:
    steps = [conversations.NextStepInput(world.westmarch, SAID, days_ago(-7), world.ben)]
    record = the_record(world, points=(), next_steps=steps)
    talk = conversations.record_conversation(
        organisation=world.larkhaven, record=record, author=world.eddie, now=timezone.now()
    )
    if show:
        conversations.circulate(conversation=talk, author=world.eddie, now=timezone.now())
    return talk.next_steps.get()


def _attendee(world: World, attribution: str) -> talked.Attendee:
    there = [conversations.AttendeeInput(world.westmarch, name=SAID)]
    return _talk_with(world, attendees=there, attribution=attribution).attendees.get()


def _from_talk(world: World) -> talked.ConversationCommitment:
    talk = _talk_with(world, subject=SAID)
    propose(world, came_from=parse_origin_record(f"conversation-{talk.pk}"))
    return talked.ConversationCommitment.objects.get(conversation=talk)


def _journal_note(world: World, text: str = SAID) -> talked.JournalNote:
    """Return Eddie's note on the Estuary Partnership."""
    return conversations.write_journal_note(
        organisation=world.larkhaven,
        partnership=world.partnership,
        dated_on=days_ago(3),
        text=text,
        author=world.eddie,
        now=timezone.now(),
    )


def _earlier_text(world: World) -> talked.JournalText:
    """Return a note that Amina changed."""
    note = _journal_note(world)
    conversations.change_journal_note(
        note=note, dated_on=note.dated_on, text="Else.", revision=1, author=world.amina, now=timezone.now()
    )
    return talked.JournalText.objects.get(note=note)


def _journal(note: talked.JournalNote) -> list[str]:
    """Return the pages that show a note."""
    return [
        note.get_absolute_url(),
        reverse("conversations:journal"),
        reverse("agreements:detail", args=[note.partnership_id]),
        reverse("web:home"),
    ]


def _facilitator(world: World) -> talked.Facilitator:
    """Vera, named by Amina."""
    return conversations.name_facilitator(
        partnership=world.partnership,
        organisation=world.larkhaven,
        person=world.vera,
        author=world.amina,
        now=timezone.now(),
    )


def _entry_facilitator(world: World) -> exchanged.EntryFacilitator:
    """Vera, named by Amina for an ask of the partnership."""
    return exchange.name_entry_facilitator(
        entry=_ask(world),
        organisation=world.larkhaven,
        person=world.vera,
        author=world.amina,
        now=timezone.now(),
    )


def _draft_report(world: World) -> talked.Report:
    """Return Larkhaven's report, which is not submitted."""
    reports.set_up(world)
    return reports.write(talked.Report.objects.get(party=world.party(world.larkhaven)), world.eddie, SAID)


def _submission(world: World) -> talked.ReportSubmission:
    """Return Westmarch's report, submitted."""
    return reports.submit(reports.the_report(world), world.ben, SAID)


def _asked_in_reports(world: World) -> talked.ReportingRound:
    """Return a round with a question of its own, and a submitted report."""
    reports.set_up(world)
    found = talked.ReportingRound.objects.get()
    talked.Report.objects.update(questions=[{"code": "q1", "heading": SAID, "prompt": ""}])
    reports.submit(talked.Report.objects.get(party=world.party(world.westmarch)), world.ben)
    return found


def _exemption(world: World) -> talked.ReportingExemption:
    """Westmarch does not report."""
    reports.set_up(world, exempt=[world.party(world.westmarch)])
    return talked.ReportingExemption.objects.get()


def _reported(report: talked.Report) -> list[str]:
    """Return the pages that show a report."""
    period = [report.round_id, report.starts_on.isoformat()]
    return [
        report.get_absolute_url(),
        reverse("conversations:reports", args=[report.round.partnership_id]),
        reverse("conversations:reports-period", args=period),
        reverse("conversations:reports-csv", args=period),
    ]


def _group(world: World) -> exchanged.AnswerGroup:
    """Return a working group of Larkhaven and Westmarch, started from an accepted answer."""
    response = _response(world)
    exchange.decide_response(response=response, accept=True, reason="", author=world.amina, now=world.now)
    exchange.start_group_from_answer(
        response=response,
        organisation=world.larkhaven,
        group=agreements.NewGroup(title=f"{WORD} group", purpose="Move the depot.", members=(), ends_on=in_days(90)),
        author=world.amina,
        now=timezone.now(),
    )
    return exchanged.AnswerGroup.objects.get()


CASES = {
    "an ask of a partnership": Case(
        model=Entry,
        make=lambda world: _ask(world, title=SAID),
        pages=_everywhere,
        readers=OWN | OTHER | THIRD,
        act=EDIT_ENTRY,
    ),
    "an ask of a named partner": Case(
        model=Entry,
        make=lambda world: _named_ask(world, title=SAID),
        pages=_everywhere,
        readers=OWN | OTHER,
        act=EDIT_ENTRY,
    ),
    "a draft ask": Case(
        model=Entry,
        make=lambda world: draft(world.larkhaven, world.amina, world.now, title=SAID),
        pages=lambda record: [*_everywhere(record), reverse("exchange:ours")],
        readers=OWN,
        act=Act("exchange:share", lambda world, entry: {}, WRITERS),
    ),
    "the private note on an ask": Case(
        model=Entry, make=lambda world: _ask(world, private_note=SAID), pages=_everywhere, readers=OWN
    ),
    "a standing offer of skills": Case(
        model=Entry,
        make=_standing,
        pages=lambda record: [*_everywhere(record), reverse("organisations:detail", args=[record.organisation_id])],
        readers=OWN | OTHER | THIRD,
        act=EDIT_ENTRY,
    ),
    "the area of an ask": Case(
        model=EntryArea,
        make=lambda world: _ask(world, areas=[area("E07999999", SAID)]),
        pages=_entry,
        readers=OWN | OTHER | THIRD,
    ),
    "who else is asked": Case(
        model=exchanged.Addressee,
        make=lambda world: _ask(
            world, audience=Audience.NAMED, partnership=None, addressees=[world.westmarch, world.harbour]
        ),
        pages=_entry,
        readers=OWN,
        word="Harbour Community Trust",
    ),
    "an answer": Case(
        model=exchanged.Response,
        make=_response,
        pages=_entry,
        readers=OWN | OTHER,
        act=Act("exchange:decide", lambda world, response: {"decision": "accept"}, WRITERS),
    ),
    "a working group, whose outline its partnership sees": Case(
        model=exchanged.AnswerGroup,
        make=_group,
        pages=lambda group: [group.partnership.get_absolute_url()],
        readers=OWN | OTHER | THIRD,
    ),
    "an answer taken back": Case(
        model=exchanged.Response,
        make=_response,
        pages=_entry,
        readers=OWN | OTHER,
        act=Act("exchange:withdraw-response", lambda world, response: {"reason": "Sold."}, {"other lead"}),
    ),
    "a refusal": Case(
        model=exchanged.Receipt,
        make=_receipt,
        pages=_entry,
        readers=OWN | OTHER,
        act=Act(
            "exchange:acknowledge",
            lambda world, receipt: {},
            {"third party"},
            on=lambda receipt: {"pk": receipt.entry_id},
            changed=lambda receipt: exchanged.Receipt.objects.filter(entry=receipt.entry_id).count(),
        ),
    ),
    "a question": Case(
        model=exchanged.Question,
        make=_question,
        pages=_entry,
        readers=OWN | OTHER,
        act=Act("exchange:answer-question", lambda world, question: {"text": "In May."}, WRITERS),
    ),
    "a match": Case(
        model=exchanged.Match,
        make=_match,
        pages=_pair,
        readers=OWN | OTHER,
        act=Act(
            "exchange:dismiss-match",
            # For Larkhaven: Westmarch's lead dismisses nothing for it.
            lambda world, match: {"reason": "Too wet.", "organisation": world.larkhaven.pk},
            WRITERS,
            on=lambda match: {"pk": match.ask_id, "other": match.offer_id},
            changed=lambda match: exchanged.Dismissal.objects.filter(match=match).count(),
        ),
    ),
    "a dismissal": Case(model=exchanged.Dismissal, make=_dismissal, pages=_pair, readers=OWN),
    "an introduction": Case(model=exchanged.Introduction, make=_introduction, pages=_pair, readers=OWN | OTHER),
    "what a commitment meets": Case(
        model=exchanged.Fulfilment,
        make=_fulfilment,
        pages=_entry,
        readers=OWN | OTHER,
        act=Act(
            "exchange:withdraw",
            lambda world, row: {"reason": "No longer."},
            WRITERS,
            on=lambda row: {"pk": row.entry_id},
            changed=lambda row: Entry.objects.get(pk=row.entry_id).status,
        ),
    ),
    "a commitment between two": Case(
        model=promised.Commitment,
        make=lambda world: propose(world, partnership=None, text=SAID),
        pages=lambda record: [*_promise(record), reverse("commitments:list")],
        readers=OWN | OTHER,
        act=Act(
            "commitments:edit",
            lambda world, made: {"text": "Fewer.", "revision": made.revision, **_day("due_on", in_days(80))},
            WRITERS | {"other lead"},
        ),
    ),
    "a commitment of a partnership": Case(
        model=promised.Commitment,
        make=lambda world: propose(world, text=SAID),
        pages=lambda record: [*_promise(record), reverse("commitments:list")],
        readers=OWN | OTHER | THIRD,
        act=Act(
            "commitments:confirm",
            lambda world, made: {"revision": made.revision},
            {"other lead"},
            on=lambda made: {"pk": made.pk, "side": "receiving"},
        ),
    ),
    "a confirmation": Case(
        model=promised.Commitment,
        make=lambda world: propose(world, partnership=None, text=SAID, confirm=False),
        pages=_promise,
        readers=OWN | OTHER,
        act=Act(
            "commitments:confirm",
            lambda world, made: {"revision": made.revision, "owner": world.eddie.pk},
            {"lead"},
            on=lambda made: {"pk": made.pk, "side": "giving"},
        ),
    ),
    "a delivery": Case(
        model=promised.Commitment,
        make=lambda world: done_commitment(world, partnership=None, text=SAID),
        pages=_promise,
        readers=OWN | OTHER,
        act=Act("commitments:verify", lambda world, made: {"verdict": "verified"}, {"other lead"}),
    ),
    "a moved due date": Case(
        model=promised.Slippage,
        make=_slippage,
        pages=_promise,
        readers=OWN | OTHER,
        act=Act(
            "commitments:due-date",
            lambda world, row: {"reason": "Rain.", **_day("due_on", in_days(150))},
            WRITERS,
            on=_of_commitment,
            changed=_commitment_of,
        ),
    ),
    "progress": Case(
        model=promised.Progress,
        make=_progress,
        pages=_promise,
        readers=OWN | OTHER,
        act=Act("commitments:progress", _report, WRITERS, on=_of_commitment, changed=_commitment_of),
    ),
    "a blocker": Case(
        model=promised.Commitment,
        make=_blocked,
        pages=_promise,
        readers=OWN | OTHER,
        act=Act("commitments:progress", _report, WRITERS),
    ),
    "an escalation": Case(
        model=promised.Commitment,
        make=lambda world: agree(world, partnership=None, text=SAID),
        pages=_promise,
        readers=OWN | OTHER,
        act=Act(
            "commitments:escalate",
            lambda world, made: {"person": world.vera.pk, "reason": "Help."},
            WRITERS | {"other lead"},
        ),
    ),
    "evidence": Case(
        model=promised.Evidence,
        make=_evidence,
        pages=_promise,
        readers=OWN | OTHER,
        act=Act("commitments:remove", lambda world, evidence: {}, WRITERS),
    ),
    "a conversation": Case(
        model=talked.Conversation,
        make=lambda world: _talk_with(world, said=SAID),
        pages=lambda record: [*_talk(record), reverse("conversations:list")],
        readers=OWN | OTHER,
        act=Act(
            "conversations:agree",
            lambda world, talk: {"revision": talk.revision},
            {"other lead"},
            changed=lambda talk: talk.sides.filter(agreed_at__isnull=False).count(),
        ),
    ),
    "a draft record": Case(
        model=talked.Conversation,
        make=lambda world: conversations.record_conversation(
            organisation=world.larkhaven, record=the_record(world, subject=SAID), author=world.eddie, now=timezone.now()
        ),
        pages=lambda record: [*_talk(record), reverse("conversations:list")],
        readers=OWN,
        act=Act("conversations:circulate", lambda world, talk: {}, WRITERS),
    ),
    "who took part": Case(
        model=talked.Side,
        make=lambda world: _talk_with(world, organisations=[world.westmarch, world.harbour]).sides.get(
            organisation=world.harbour
        ),
        pages=_talk,
        readers=OWN | OTHER,
        word="Harbour Community Trust",
    ),
    "somebody who was there": Case(
        model=talked.Attendee,
        make=lambda world: _attendee(world, talked.Attribution.NAMED),
        pages=_talk,
        readers=OWN | OTHER,
    ),
    "somebody who is not named to others": Case(
        model=talked.Attendee,
        make=lambda world: _attendee(world, talked.Attribution.ORGANISATION),
        pages=_talk,
        readers=OTHER,
    ),
    "an obstacle": Case(
        model=talked.Point,
        make=_point,
        pages=lambda point: [
            *_talk(point),
            reverse("web:partnership-conversations", args=[point.conversation.partnership_id]),
        ],
        readers=OWN | OTHER,
        act=Act("conversations:close", lambda world, point: {"reason": "Solved."}, WRITERS),
    ),
    "what an obstacle became": Case(
        model=talked.PointEntry, make=_became, pages=lambda row: _talk(row.point), readers=OWN
    ),
    "a private note": Case(
        model=talked.PrivateNote,
        make=_note,
        pages=_talk,
        readers=OWN,
        act=Act(
            "conversations:note",
            lambda world, note: {"text": "Else.", "revision": note.revision},
            WRITERS,
            on=lambda note: {"pk": note.conversation_id},
        ),
    ),
    "a next step of a draft": Case(
        model=talked.NextStep, make=lambda world: _step(world, show=False), pages=_talk, readers=OWN
    ),
    "a next step that became an action": Case(
        model=talked.NextStep,
        make=lambda world: _step(world, show=True),
        pages=lambda step: [*_talk(step), reverse("commitments:list")],
        readers=OWN | OTHER,
    ),
    "where a commitment came from": Case(
        model=talked.ConversationCommitment, make=_from_talk, pages=_promise, readers=OWN | OTHER
    ),
    "a correction": Case(
        model=talked.Correction,
        make=_correction,
        pages=_talk,
        readers=OWN | OTHER,
        act=Act("conversations:answer", lambda world, correction: {"verdict": "yes"}, WRITERS),
    ),
    "a facilitator": Case(
        model=talked.Facilitator,
        make=_facilitator,
        pages=lambda one: [reverse("agreements:detail", args=[one.partnership_id])],
        readers=OWN | OTHER | THIRD,
        act=Act("conversations:facilitation-end", lambda world, one: {"reason": "Done."}, {"lead", "viewer"}),
        word="Facilitators</h2>",
    ),
    "a facilitator of one ask": Case(
        model=exchanged.EntryFacilitator,
        make=_entry_facilitator,
        pages=lambda one: [reverse("exchange:detail", args=[one.entry_id])],
        readers=OWN | {"other lead"} | THIRD,  # those who may answer, and the facilitator
        act=Act("exchange:end-facilitator", lambda world, one: {"reason": "Done."}, WRITERS | {"viewer"}),
        word="Facilitator</h2>",
    ),
    "a note of the journal": Case(
        model=talked.JournalNote,
        make=_journal_note,
        pages=_journal,
        readers=OWN,
        act=Act("conversations:journal-delete", lambda world, note: {"reason": "Wrong."}, WRITERS),
    ),
    "an earlier text of the journal": Case(
        model=talked.JournalText, make=_earlier_text, pages=lambda text: [text.note.get_absolute_url()], readers=OWN
    ),
    "a report that is not submitted": Case(
        model=talked.Report,
        make=_draft_report,
        pages=_reported,
        readers=OWN,
        act=Act("conversations:report-submit", lambda world, report: {"revision": report.revision}, WRITERS),
    ),
    "a submitted report": Case(
        model=talked.ReportSubmission,
        make=_submission,
        pages=lambda submission: _reported(submission.report),
        readers=OWN | OTHER | THIRD,
        act=Act(
            "conversations:report-decide",
            lambda world, submission: {"number": 1, "decision": "accepted"},
            {"lead"},
            on=lambda submission: {"pk": submission.report_id},
        ),
    ),
    "what reports ask": Case(
        model=talked.ReportingRound,
        make=_asked_in_reports,
        pages=lambda found: [page for report in found.reports.all() for page in _reported(report)],
        readers=OWN | OTHER | THIRD,
    ),
    "who does not report": Case(
        model=talked.ReportingExemption,
        make=_exemption,
        pages=lambda row: [reverse("conversations:reporting", args=[row.round.partnership_id])],
        readers={"lead"},
        word="Observers do not report",
    ),
}


def _meeting(world: World, **given: Any) -> talked.Meeting:
    return planned_meeting(world, **given)


def _meeting_pages(record: Any) -> list[str]:
    meeting = getattr(record, "meeting_id", record.pk)
    return [reverse(f"conversations:{name}", args=[meeting]) for name in ("meeting", "agenda-paper")]


def _item(world: World) -> talked.AgendaItem:
    """Return an item about an action that the third party may not read."""
    action = commitments.propose_action(
        organisation=world.larkhaven,
        text="Ask.",
        owner=world.eddie,
        due_on=in_days(9),
        for_organisation=world.westmarch,
        author=world.eddie,
        now=timezone.now(),
    )
    return talked.AgendaItem.objects.create(
        meeting=_meeting(world),
        position=1,
        source="15 actions",
        subject_kind="commitment",
        subject_id=action.pk,
        title=SAID,
        added_by=world.eddie,
        added_for=world.larkhaven,
        added_at=timezone.now(),
    )


def _file(world: World) -> talked.Attachment:
    return conversations.attach_file(
        conversation=_talk_with(world), title=SAID, file=a_text_file(), author=world.eddie, now=timezone.now()
    )


def _of_partnership(record: Any) -> dict[str, Any]:
    return {"pk": record.partnership_id}


CASES |= {
    "a decision": Case(
        model=talked.RecordedDecision,
        make=lambda world: _talk_with(world, decisions=[SAID]).decisions.get(),
        pages=_talk,
        readers=OWN | OTHER,
    ),
    "a meeting": Case(
        model=talked.Meeting,
        make=lambda world: _meeting(world, title=SAID),
        pages=lambda record: [
            *_meeting_pages(record),
            reverse("conversations:meetings", args=[record.partnership_id]),
        ],
        readers=OWN | OTHER | THIRD,
        act=Act(
            "conversations:meeting-call-off", lambda world, row: {"reason": "Snow."}, WRITERS | {"other lead"} | THIRD
        ),
    ),
    "a meeting cycle": Case(
        model=talked.MeetingCycle,
        make=lambda world: a_cycle(world, place=SAID),
        pages=lambda record: [reverse("conversations:meetings", args=[record.partnership_id])],
        readers=OWN | OTHER | THIRD,
        act=Act(
            "conversations:meeting-cycle-stop", lambda world, row: {"reason": "Rain."}, {"lead"}, on=_of_partnership
        ),
    ),
    "an item of an agenda": Case(model=talked.AgendaItem, make=_item, pages=_meeting_pages, readers=OWN | OTHER),
    "a guest at a meeting": Case(
        model=talked.MeetingSeat,
        make=lambda world: _meeting(world, guests=[conversations.Guest(SAID)]).seats.get(person=None),
        pages=_meeting_pages,
        readers=OWN | OTHER | THIRD,
    ),
    "a file": Case(
        model=talked.Attachment,
        make=_file,
        pages=_talk,
        readers=OWN | OTHER,
        act=Act("conversations:file-remove", lambda world, row: {"reason": "Wrong map."}, WRITERS),
    ),
}


@pytest.fixture(scope="module")
def browsers(world: World, django_db_blocker: Any) -> dict[str, tuple[Client, SimpleCookie]]:
    """Return each side's browser with its cookies after signing in, which takes longer than a page."""
    made = {}
    with django_db_blocker.unblock():
        for side, someone in sides(world).items():
            client = checked_browser(someone)
            made[side] = (client, _copy_of(client.cookies))
    return made


def _copy_of(cookies: SimpleCookie) -> SimpleCookie:
    return SimpleCookie(cookies.output(header="", sep=";"))


@pytest.fixture
def visit(browsers: dict[str, tuple[Client, SimpleCookie]]) -> Callable[[str], Client]:
    """Return the browser of a side as it was after signing in."""

    def as_signed_in(side: str) -> Client:
        client, cookies = browsers[side]
        client.cookies = _copy_of(cookies)
        return client

    return as_signed_in


def _common(world: World) -> list[str]:
    """Return pages that list records of all kinds."""
    index_stale()
    return [
        f"{reverse('search:search')}?q={BESIDE}",
        reverse("agreements:history", args=[world.partnership.pk]),
    ]


@pytest.mark.parametrize("name", CASES)
def test_record_is_shown_only_to_its_readers(world: World, visit: Callable[[str], Client], name: str) -> None:
    case = CASES[name]
    pages = list(case.pages(case.make(world)))
    # Who else is asked or took part is an organisation, which the directory shows to everybody.
    pages += _common(world) if case.word == WORD else []

    seen = {side for side in sides(world) if any(case.word in _text(visit(side), page) for page in pages)}

    assert seen == case.readers


def _text(client: Client, page: str) -> str:
    response = client.get(page)
    return b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.act])
def test_record_is_changed_only_by_its_writers(world: World, visit: Callable[[str], Client], name: str) -> None:
    case = CASES[name]
    record = case.make(world)
    act = case.act
    assert act is not None
    wrote = set()
    status_by_side = {}

    for side in sides(world):
        with transaction.atomic():
            before = act.changed(record)
            status_by_side[side] = (
                visit(side).post(reverse(act.url, kwargs=act.on(record)), act.data(world, record)).status_code
            )
            if act.changed(record) != before:
                wrote.add(side)
            transaction.set_rollback(True)

    assert wrote == act.writers, status_by_side
    assert {status_by_side[side] for side in wrote} == {302}
    # People without any right to the record cannot tell that it exists.
    assert {status_by_side[side] for side in ("stranger", "left", "administrator")} == {404}


def test_board_counts_only_readable_entries(world: World) -> None:
    def count_asks() -> dict[str, int]:
        return {
            side: boards.read_board(reader_of(person), boards.Filters(), 10).counts.total
            for side, person in sides(world).items()
        }

    before = count_asks()
    _ask(world)
    _named_ask(world)
    draft(world.larkhaven, world.amina, world.now)
    after = count_asks()

    increase = {side: after[side] - before[side] for side in ALL}
    # The third organisation is not named, so it reads only the first ask; nobody's count includes the draft.
    assert increase == dict.fromkeys(ALL, 0) | dict.fromkeys(OWN | OTHER, 2) | dict.fromkeys(THIRD, 1)


def test_a_choice_of_reminders_is_ones_own_and_its_emails_go_to_the_owner_alone(
    world: World, visit: Callable[[str], Client]
) -> None:
    agree(world, due_on=in_days(9), text=SAID)
    choose_lead_times(person=world.eddie, days={"commitments": [7]}, now=timezone.now())

    page = reverse("digests:manage")
    chosen = {side: visit(side).get(page).context["form"].fields["lead_commitments"].initial for side in sides(world)}
    then = timezone.now() + dt.timedelta(days=2)
    drop_emails()
    commitments.remind_owners(now=then)

    usual = list(USUAL_LEAD_TIMES["commitments"])
    assert chosen == dict.fromkeys(ALL, usual) | {"editor": [7]}
    assert set(promised.Reminder.objects.values_list("person", flat=True)) == {world.eddie.pk}
    assert [email.to for email in deliver() if "remind" in email.subject.lower() or WORD in email.body] == [
        ["eddie@larkhaven.example"]
    ]


#: Records without their own page, and the test of who reads them.
APART = {
    exchanged.EntryCount: test_board_counts_only_readable_entries,
    promised.Reminder: test_a_choice_of_reminders_is_ones_own_and_its_emails_go_to_the_owner_alone,
}


def test_every_record_of_these_rooms_has_a_case() -> None:
    rooms = [apps.get_app_config(room) for room in ("exchange", "commitments", "conversations")]
    # Everybody reads the words of a list, such as themes.
    records = {model for room in rooms for model in room.get_models() if not issubclass(model, (Event, Vocabulary))}

    assert records == {case.model for case in CASES.values()} | APART.keys()
