"""Plant a marked word in every private field of the test world, with the personas that may read it.

The readers follow docs/rights.md. `tests/test_crawl.py` then looks for the words on pages of other personas.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from partnerships.agreements.services import (
    ContactDetails,
    add_document,
    create_post,
    edit_settings,
    fill_post,
    invite_organisation,
    remove_party,
)
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.conversations import services as conversations
from partnerships.conversations.models import PointKind, Report
from partnerships.conversations.services import AttendeeInput, NextStepInput, PointInput
from partnerships.exchange import services as exchange
from partnerships.lists import services as lists
from partnerships.outbox.draining import drain
from partnerships.plans import services as plans
from partnerships.recommendations.services import add_evidence, drop_adoption, propose_adoption
from tests.conversations import reports, talks
from tests.recommendations.reports import answer_recommendation, make_recommendation, report_of
from tests.support.planted import MARK, OWN, PARTNERS, REGISTERS, Planted
from tests.support.planted_people import plant_addresses, plant_people
from tests.support.planted_plans import plan_content, plant_plans
from tests.support.terms import agree_terms
from tests.world import World, make_world


def plant(mark: str = MARK, *, begin: Callable[[Planted], None] | None = None) -> Planted:
    """Create the world and plant all words, through the services that people use.

    `begin` is called with the small world, before it has anything private.
    """
    planted = Planted(make_world(mark=mark), mark)
    if begin is not None:
        begin(planted)
    for plant_part in (
        _plant_partnership,
        _plant_posts,
        plant_plans,
        _plant_entries,
        _plant_commitments,
        _plant_conversations,
        _plant_reports,
        _plant_recommendations,
        plant_people,
        plant_addresses,
        _plant_other_side,
    ):
        plant_part(planted, planted.world, timezone.now())
    return planted


def _plant_partnership(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in the settings, the terms and a document of the partnership."""
    invited_party = invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    edit_settings(
        partnership=world.partnership,
        author=world.amina,
        now=now,
        title=planted.word("partnership title", *PARTNERS, *REGISTERS),
        reason=planted.word("settings reason", *PARTNERS),
    )
    remove_party(party=invited_party, reason=planted.word("withdrawn", *PARTNERS), author=world.amina, now=now)
    agree_terms(
        world.partnership,
        world.amina,
        now=now,
        text=planted.word("terms", *PARTNERS),
        purpose=planted.word("purpose", *PARTNERS),
        meeting_frequency=planted.word("meets", *PARTNERS),
        reports_to=planted.word("reports to", *PARTNERS),
        liabilities=planted.word("liabilities", *PARTNERS),
    )
    name = planted.word("document file", *PARTNERS, *REGISTERS)
    add_document(
        partnership=world.partnership,
        title=planted.word("document", *PARTNERS, *REGISTERS),
        file=ContentFile(f"{planted.word('document text', *PARTNERS)}\n".encode(), name=f"{name}.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=now,
    )


def _plant_posts(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant a contact without an account in a post of the partnership, and the contact who held the post before."""
    post = create_post(
        organisation=world.larkhaven,
        partnership=world.partnership,
        role="nominations",
        title=planted.word("post title", *PARTNERS, *REGISTERS),
        author=world.amina,
        now=now,
    )
    former = fill_post(
        post=post,
        contact=ContactDetails(name=planted.word("former contact", *OWN), phone=planted.word("former phone", *OWN)),
        reason=planted.word("post reason", *PARTNERS),
        author=world.amina,
        now=now,
    )
    address = planted.word("contact address", *PARTNERS, *REGISTERS)
    contact = ContactDetails(
        name=planted.word("contact", *PARTNERS),
        email=f"{address}@contact.example",
        phone=planted.word("contact phone", *PARTNERS),
        working_days=planted.word("working days", *PARTNERS),
        note=planted.word("contact note", *PARTNERS),
    )
    fill_post(post=post, contact=contact, reason=former.reason, author=world.amina, now=now)
    # This contact gets an email that says which data is stored about them.
    planted.in_emails[contact.email] = [address, contact.name, post.title, world.partnership.title]


def _plant_entries(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in asks for different audiences, with a response and a question."""

    def ask(name: str, readers: Iterable[str], **audience_arguments: Any) -> Any:
        return exchange.create_entry(
            organisation=world.larkhaven,
            direction="ask",
            title=planted.word(f"{name} ask", *readers),
            statement=planted.word(f"{name} statement", *readers),
            rationale=planted.word(f"{name} rationale", *readers),
            conditions=planted.word(f"{name} conditions", *readers),
            site=planted.word(f"{name} place", *readers),
            private_note=planted.word(f"{name} private", *OWN),
            theme="land",
            quantity=60,
            unit="homes",
            author=world.amina,
            now=now,
            **audience_arguments,
        )

    ask("drafted", OWN, audience="network")
    ask_by_name = ask("named", (*OWN, "stranger"), audience="named", addressees=[world.tidewater])
    partnership_ask = ask("held", PARTNERS, audience="partnership", partnership=world.partnership)
    for entry in (ask_by_name, partnership_ask):
        exchange.share_entry(entry=entry, author=world.amina, now=now)
    exchange.respond(
        entry=partnership_ask,
        organisation=world.westmarch,
        text=planted.word("response", *PARTNERS),
        quantity=20,
        author=world.ben,
        now=now,
    )
    exchange.ask_question(
        entry=partnership_ask,
        organisation=world.westmarch,
        text=planted.word("question", *PARTNERS),
        author=world.ben,
        now=now,
    )
    lists.save_view(person=world.amina, kind="asks", name=planted.word("view", "lead"), state={}, now=now)


def _plant_commitments(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in commitments within and outside the partnership."""

    def promise(name: str, receiver: Any, readers: Iterable[str], **other_arguments: Any) -> Commitment:
        return commitments.propose_commitment(
            giver=world.larkhaven,
            receiver=receiver,
            text=planted.word(name, *readers),
            quantity=None,
            unit="",
            owner=world.eddie,
            due_on=timezone.localdate() + dt.timedelta(days=30),
            author=world.amina,
            now=now,
            **other_arguments,
        )

    promise("given to tidewater", world.tidewater, (*OWN, "stranger"), partnership=None)
    commitment = promise("given in partnership", world.westmarch, PARTNERS, partnership=world.partnership)
    drain(seconds=120)  # send the email now, while the commitment is still waiting for its receiver
    for organisation, lead in ((world.larkhaven, world.amina), (world.westmarch, world.ben)):
        commitment = commitments.confirm_commitment(
            commitment=commitment, organisation=organisation, author=lead, revision=commitment.revision, now=now
        )
    commitments.record_progress(
        commitment=commitment,
        status="blocked",
        note_text=planted.word("progress", *PARTNERS),
        blocker=planted.word("blocker", *PARTNERS),
        author=world.eddie,
        now=now,
    )
    commitments.attach_evidence(
        commitment=commitment,
        file=ContentFile(
            planted.word("evidence text", *PARTNERS).encode(), name=f"{planted.word('evidence', *PARTNERS)}.txt"
        ),
        author=world.eddie,
        now=now,
    )
    commitments.change_due_date(
        commitment=commitment,
        due_on=timezone.localdate() + dt.timedelta(days=60),
        reason=planted.word("slipped", *PARTNERS),
        author=world.eddie,
        now=now,
    )


def _plant_conversations(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in a draft of a conversation and in one that was circulated."""

    def record_with_words(name: str, readers: Iterable[str]) -> dict[str, Any]:
        return {
            "subject": planted.word(f"{name} subject", *readers),
            "said": planted.word(f"{name} said", *readers),
            "attendees": [
                AttendeeInput(world.larkhaven, world.amina),
                AttendeeInput(
                    world.westmarch,
                    name=planted.word(f"{name} guest", *readers),
                    job_title=planted.word(f"{name} job", *readers),
                ),
            ],
            "points": [PointInput(world.larkhaven, PointKind.OBSTACLE, planted.word(f"{name} obstacle", *readers))],
            "next_steps": [
                NextStepInput(world.larkhaven, planted.word(f"{name} step", *readers), talks.days_ago(-7), world.eddie),
            ],
        }

    unshown_conversation = talks.draft_conversation(world, **record_with_words("unshown", OWN))
    shown_conversation = talks.circulated_conversation(world, **record_with_words("shown", PARTNERS))
    for conversation, name in ((unshown_conversation, "unshown"), (shown_conversation, "shown")):
        conversations.write_private_note(
            conversation=conversation,
            organisation=world.larkhaven,
            text=planted.word(f"{name} private note", *OWN),
            author=world.eddie,
            now=now,
        )
    conversations.suggest_correction(
        conversation=shown_conversation,
        organisation=world.westmarch,
        text=planted.word("correction", *PARTNERS),
        author=world.ben,
        now=now,
    )


def _plant_reports(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant a report that is not submitted, one that is submitted, and a note of the journal."""
    reports.set_up(world)
    larkhavens_report = Report.objects.get(party=world.party(world.larkhaven))
    westmarchs_report = Report.objects.get(party=world.party(world.westmarch))
    reports.write(larkhavens_report, world.eddie, planted.word("unsent report", *OWN))
    reports.submit(westmarchs_report, world.ben, planted.word("sent report", *PARTNERS))
    conversations.write_journal_note(
        organisation=world.larkhaven,
        partnership=world.partnership,
        dated_on=talks.days_ago(2),
        text=planted.word("journal", *OWN),
        author=world.eddie,
        now=timezone.now(),
    )


def _plant_recommendations(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in a response to a recommendation, its evidence, and its adoption."""
    recommendation = make_recommendation(world, source=report_of(world, f"Review {planted.mark}"))
    response = answer_recommendation(
        recommendation, world.larkhaven, world.eddie, note=planted.word("response note", *OWN)
    )
    add_evidence(
        response=response,
        kind="partnership",
        record=world.partnership.pk,
        words=planted.word("evidence of response", *PARTNERS),
        author=world.eddie,
        now=now,
    )
    adoption = propose_adoption(
        recommendation=recommendation,
        partnership=world.partnership,
        why=planted.word("why adopted", *PARTNERS),
        author=world.eddie,
        now=now,
    )
    drop_adoption(adoption=adoption, reason=planted.word("why dropped", *PARTNERS), author=world.ben, now=now)


def _plant_other_side(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant records of a competitor in another partnership, which nobody of the first partnership may read."""
    agree_terms(world.other_partnership, world.chidi, now=now, purpose=planted.word("other purpose", "stranger"))
    entry = exchange.create_entry(
        organisation=world.tidewater,
        direction="offer",
        title=planted.word("other offer", "stranger"),
        statement=planted.word("other statement", "stranger"),
        private_note=planted.word("other private", "stranger"),
        theme="land",
        audience="partnership",
        partnership=world.other_partnership,
        author=world.chidi,
        now=now,
    )
    # Hana's organisation is in that partnership, so it gets an email about the offer.
    planted.in_emails[world.hana.email] = [entry.title]
    exchange.share_entry(entry=entry, author=world.chidi, now=now)
    content = plan_content(planted, "other", ("stranger",), ("stranger",))
    plan = plans.create_plan(
        owners=[world.tidewater],
        partnership=world.other_partnership,
        title=content["about"]["title"],
        kind="delivery",
        audience="partnership",
        author=world.chidi,
        now=now,
        content=content,
    )
    plans.publish_version(plan=plan, author=world.chidi, note=planted.word("other note", "stranger"), now=now)
