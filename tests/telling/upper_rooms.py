"""Calls of services of plans, exchange, commitments and conversations that send emails, with who gets each."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment, Status
from partnerships.conversations import services as conversations
from partnerships.exchange import services as exchange
from partnerships.exchange.models import Audience, Direction, Entry
from partnerships.lists import services as lists
from partnerships.nominations.services import reopen_return, send_return
from partnerships.organisations.services import change_role
from partnerships.people.models import User
from partnerships.plans import services as plans
from partnerships.plans.models import AccessRequest, OwnershipOffer, Share
from partnerships.reports import services as reporting
from tests.commitments import promises
from tests.conversations import gatherings, reports, talks
from tests.exchange.conftest import shared_entry
from tests.nominations import quarters
from tests.nominations.signed import sign_nominations
from tests.plans.drafts import ask_signatures, begin, fewer_homes, publish, published_plan
from tests.support.parties import leave_partnership_as_westmarch
from tests.telling.case import Act, case
from tests.world import World

# ---- Plans


@case(("plans.sign_off_request", "ben"))
def sign_off_requested(world: World) -> Act:
    plan = published_plan(world)
    return lambda: ask_signatures(plan, world)


@case(("plans.sign_off_request", "ben"))
def newer_version_published_while_signatures_are_awaited(world: World) -> Act:
    plan = published_plan(world)
    ask_signatures(plan, world)
    fewer_homes(plan, world)
    return lambda: publish(plan, world, "Fewer homes.")


@case(("plans.sign_off_request", "amina"), ("plans.sign_off_request", "ben"))
def signatories_reminded(world: World) -> Act:
    ask_signatures(published_plan(world), world)
    return lambda: plans.remind_signatories(now=timezone.now() + dt.timedelta(days=8))


@case(("plans.sign_off_escalation", "amina"), ("plans.sign_off_escalation", "ben"))
def signatories_late(world: World) -> Act:
    ask_signatures(published_plan(world), world, due_on=timezone.localdate() + dt.timedelta(days=3))
    return lambda: plans.escalate_signatories(now=timezone.now() + dt.timedelta(days=4))


def _decide(world: World, decision: str) -> Act:
    plan = ask_signatures(published_plan(world), world)
    return lambda: plans.sign_off(
        plan=plan,
        number=1,
        organisation=world.westmarch,
        person=world.ben,
        decision=decision,
        reason="Too few.",
        now=timezone.now(),
    )


@case(("plans.decision", "amina"))
def version_rejected(world: World) -> Act:
    return _decide(world, "rejected")


@case(("plans.decision", "amina"))
def condition_set_by_a_signatory(world: World) -> Act:
    return _decide(world, "conditional")


@case()
def version_approved(world: World) -> Act:
    return _decide(world, "approved")


def _show(world: World) -> Share:
    return plans.share_draft(
        plan=begin(world),
        email=world.nadia.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )


@case(("plans.share", "nadia"))
def draft_shown(world: World) -> Act:
    return lambda: _show(world)


def _ask(world: World) -> AccessRequest:
    return plans.ask_for_access(
        partnership=world.partnership,
        about="Estuary delivery programme",
        message="",
        author=world.ben,
        now=timezone.now(),
    )


@case(("plans.access_request", "amina"))
def access_asked_for(world: World) -> Act:
    begin(world)
    return lambda: _ask(world)


@case(("plans.share", "ben"))
def access_granted(world: World) -> Act:
    begin(world)
    request = _ask(world)
    return lambda: plans.answer_request(request=request, grant=True, author=world.amina, now=timezone.now())


@case(("plans.not_shown", "ben"))
def access_refused(world: World) -> Act:
    begin(world)
    request = _ask(world)
    return lambda: plans.answer_request(request=request, grant=False, author=world.amina, now=timezone.now())


@case(("plans.mention", "ben"), ("plans.mention", "vera"))
def people_mentioned_in_a_comment(world: World) -> Act:
    plan = published_plan(world)
    return lambda: plans.add_comment(
        plan=plan,
        version_number=1,
        text="@Ben West, @Vera Larch, @Ben West, @Amina Larch and @Chidi Tide: why?",
        author=world.amina,
        now=timezone.now(),
    )


def offer_the_plan(world: World) -> OwnershipOffer:
    return plans.offer_ownership(
        plan=published_plan(world),
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=True,
        author=world.amina,
        now=timezone.now(),
    )


@case(("plans.ownership_offer", "ben"))
def plan_offered(world: World) -> Act:
    return lambda: offer_the_plan(world)


def _answer_offer(world: World, offer: OwnershipOffer, *, accept: bool) -> OwnershipOffer:
    return plans.answer_offer(offer=offer, accept=accept, reason="Too large.", author=world.ben, now=timezone.now())


@case(("plans.ownership_answer", "amina"))
def offered_plan_accepted(world: World) -> Act:
    offer = offer_the_plan(world)
    return lambda: _answer_offer(world, offer, accept=True)


@case(("plans.ownership_answer", "amina"))
def offered_plan_declined(world: World) -> Act:
    offer = offer_the_plan(world)
    return lambda: _answer_offer(world, offer, accept=False)


@case(("plans.ownership_answer", "eddie"))
def plan_declined_after_who_offered_it_became_a_viewer(world: World) -> Act:
    offer = offer_the_plan(world)
    for who, role in ((world.eddie, "lead"), (world.amina, "viewer")):
        change_role(membership=who.memberships.get(ends_on=None), role=role, author=None, now=timezone.now())
    return lambda: _answer_offer(world, offer, accept=False)


# ---- Ask and offer


def _entry(world: World, **given: Any) -> Entry:
    fields = {"audience": Audience.NAMED, "addressees": [world.westmarch]} | given
    return shared_entry(world.larkhaven, world.amina, timezone.now(), **fields)


@case(("exchange.asked", "ben"), ("exchange.asked", "chidi"))
def entry_shared_with_those_asked(world: World) -> Act:
    _entry(world, addressees=[world.westmarch, world.tidewater])
    return lambda: [exchange.email_new_entries(now=timezone.now()) for _ in range(2)]


def _respond(world: World, entry: Entry) -> Any:
    return exchange.respond(
        entry=entry, organisation=world.westmarch, text="Twenty.", author=world.ben, now=timezone.now()
    )


@case(("exchange.response", "amina"))
def entry_answered(world: World) -> Act:
    entry = _entry(world)
    return lambda: _respond(world, entry)


@case(("exchange.declined", "amina"))
def entry_declined(world: World) -> Act:
    entry = _entry(world)
    return lambda: exchange.decline_entry(
        entry=entry, organisation=world.westmarch, reason="No land.", author=world.ben, now=timezone.now()
    )


@case(("exchange.referred", "oscar"))
def entry_referred(world: World) -> Act:
    entry = _entry(world, addressees=[world.riverside])
    return lambda: exchange.refer_entry(
        entry=entry, organisation=world.riverside, person=world.oscar, author=world.nadia, now=timezone.now()
    )


@case(("exchange.facilitator", "ben"))
def facilitator_of_an_entry_named(world: World) -> Act:
    entry = _entry(world)
    return lambda: exchange.name_entry_facilitator(
        entry=entry, organisation=world.westmarch, person=world.ben, author=world.amina, now=timezone.now()
    )


@case(("exchange.several", "eddie"))
def several_facilitated_by_one_person(world: World) -> Act:
    entries = [_entry(world) for _ in range(2)]
    for entry in entries:
        exchange.name_entry_facilitator(
            entry=entry,
            organisation=world.larkhaven,
            person=world.eddie,
            author=world.amina,
            now=timezone.now(),
            sends_email=False,
        )
    return lambda: exchange.email_facilitators(
        entries=entries, person=world.eddie, author=world.amina, now=timezone.now()
    )


def _question(world: World, entry: Entry) -> Any:
    return exchange.ask_question(
        entry=entry, organisation=world.westmarch, text="By when?", author=world.ben, now=timezone.now()
    )


@case(("exchange.question", "amina"))
def question_asked_back_twice(world: World) -> Act:
    entry = _entry(world)
    return lambda: [_question(world, entry) for _ in range(2)]


@case(("exchange.question_answered", "ben"))
def question_answered(world: World) -> Act:
    question = _question(world, _entry(world))
    return lambda: exchange.answer_question(question=question, text="By May.", author=world.amina, now=timezone.now())


@case(("exchange.decision", "ben"))
def answer_decided(world: World) -> Act:
    response = _respond(world, _entry(world))
    return lambda: exchange.decide_response(
        response=response, accept=True, reason="", author=world.amina, now=timezone.now()
    )


@case(("exchange.decision", "ben"))
def answered_entry_withdrawn(world: World) -> Act:
    entry = _entry(world)
    _respond(world, entry)
    return lambda: exchange.withdraw_entry(entry=entry, reason="Found.", author=world.amina, now=timezone.now())


@case(("exchange.introduction", "amina"), ("exchange.introduction", "ben"))
def organisations_introduced(world: World) -> Act:
    ask = _entry(world, audience=Audience.NETWORK, addressees=[])
    offer = shared_entry(
        world.westmarch, world.ben, timezone.now(), direction=Direction.OFFER, audience=Audience.NETWORK
    )
    return lambda: exchange.introduce(
        entry=ask,
        counterpart=offer,
        organisation=world.tidewater,
        text="You fit.",
        author=world.chidi,
        now=timezone.now(),
    )


@case(("exchange.closing_soon", "amina"), ("exchange.closing_soon", "ben"))
def entry_about_to_lapse(world: World) -> Act:
    _entry(world, closes_on=timezone.localdate() + dt.timedelta(days=9))
    return lambda: [exchange.remind_of_closing(now=timezone.now() + dt.timedelta(days=3)) for _ in range(2)]


@case(("lists.followed", "ben"))
def entry_enters_a_followed_view(world: World) -> Act:
    view = lists.save_view(person=world.ben, kind="asks", name="All asks", state={}, now=world.now)
    lists.follow_view(view=view, person=world.ben, now=world.now)
    _entry(world, audience=Audience.NETWORK, addressees=[])
    return lambda: [lists.check_followed_views(now=timezone.now() + dt.timedelta(hours=1)) for _ in range(2)]


@case(("reports.scheduled", "ben"))
def report_sent_on_a_rhythm(world: World) -> Act:
    reporting.schedule_report(
        details=reporting.ScheduleDetails(
            report="partnership-register",
            query_string="",
            name="Register",
            every="month",
            first_on=timezone.localdate(),
            people=[world.ben],
            audience=world.partnership,
        ),
        author=world.amina,
        now=timezone.now(),
    )
    return lambda: [reporting.send_due_reports(now=timezone.now()) for _ in range(2)]


@case(("reports.not_made", "ben"))
def scheduled_report_of_a_partnership_they_left(world: World) -> Act:
    reporting.schedule_report(
        details=reporting.ScheduleDetails(
            report="homes-pipeline",
            query_string=f"partnership={world.partnership.pk}",
            name="Homes of the partnership",
            every="month",
            first_on=timezone.localdate(),
            people=[world.ben],
            audience=world.westmarch,
        ),
        author=world.ben,
        now=timezone.now(),
    )
    leave_partnership_as_westmarch(world)
    return lambda: [reporting.send_due_reports(now=timezone.now()) for _ in range(2)]


# ---- Commitments


@case(("commitments.proposed", "ben"))
def commitment_proposed(world: World) -> Act:
    return lambda: promises.propose(world)


@case(("commitments.proposed", "ben"))
def proposed_terms_changed(world: World) -> Act:
    commitment = promises.propose(world)
    return lambda: commitments.edit_proposal(
        commitment=commitment,
        text="Fifty homes.",
        quantity=None,
        unit="",
        owner=world.eddie,
        due_on=commitment.due_on,
        revision=commitment.revision,
        author=world.amina,
        now=timezone.now(),
    )


@case(("commitments.proposed_together", "ben"))
def commitments_proposed_from_a_spreadsheet(world: World) -> Act:
    proposed_commitments = [promises.propose(world, tells=False) for _ in range(2)]
    return lambda: commitments.email_leads_about_proposals(
        commitments=proposed_commitments, author=world.amina, now=timezone.now()
    )


@case(("commitments.owned_together", "vera"))
def commitments_given_to_an_owner(world: World) -> Act:
    owned_commitments = [
        commitments.change_owner(
            commitment=promises.agree(world), owner=world.vera, author=world.amina, now=timezone.now()
        )
        for _ in range(2)
    ]
    return lambda: commitments.email_owners(
        commitments=owned_commitments, author=world.amina, reminds=False, now=timezone.now()
    )


@case(("commitments.agreed", "amina"), ("commitments.agreed", "eddie"))
def commitment_agreed(world: World) -> Act:
    commitment = promises.propose(world)

    def confirm(side: Any, lead: User) -> Commitment:
        return commitments.confirm_commitment(
            commitment=commitment, organisation=side, author=lead, revision=commitment.revision, now=timezone.now()
        )

    confirm(world.larkhaven, world.amina)
    return lambda: confirm(world.westmarch, world.ben)


@case(("commitments.done", "ben"))
def commitment_reported_done(world: World) -> Act:
    commitment = promises.agree(world)
    return lambda: promises.report(world, commitment, Status.DONE, delivered=commitment.quantity)


@case(("commitments.answered", "amina"), ("commitments.answered", "eddie"))
def delivery_verified(world: World) -> Act:
    commitment = promises.done_commitment(world)
    return lambda: commitments.verify_delivery(commitment=commitment, author=world.ben, now=timezone.now())


@case(("commitments.answered", "amina"), ("commitments.answered", "eddie"))
def delivery_sent_back(world: World) -> Act:
    commitment = promises.done_commitment(world)
    return lambda: commitments.send_back(commitment=commitment, reason="No lift.", author=world.ben, now=timezone.now())


@case(("commitments.ended", "ben"), ("commitments.ended", "eddie"))
def commitment_cancelled(world: World) -> Act:
    commitment = promises.agree(world)
    return lambda: commitments.end_commitment(
        commitment=commitment, reason="Sold.", author=world.amina, now=timezone.now()
    )


@case(("commitments.escalation", "ben"))
def commitment_escalated(world: World) -> Act:
    commitment = promises.agree(world)
    return lambda: commitments.escalate(commitment=commitment, helper=world.ben, author=world.eddie, now=timezone.now())


@case(("commitments.reminder", "eddie"))
def owners_reminded(world: World) -> Act:
    promises.agree(world, due_on=promises.in_days(3))
    return lambda: [commitments.remind_owners(now=timezone.now()) for _ in range(2)]


# ---- Conversations


@case(("conversations.circulated", "amina"), ("conversations.circulated", "ben"))
def record_circulated(world: World) -> Act:
    conversation = talks.draft_conversation(world)
    return lambda: conversations.circulate(conversation=conversation, author=world.eddie, now=timezone.now())


@case(("conversations.report_due", "amina"), ("conversations.report_due", "ben"))
def report_due_soon(world: World) -> Act:
    report = reports.the_report(world)
    return lambda: conversations.remind_of_reports(
        now=timezone.make_aware(dt.datetime.combine(report.due_on, dt.time(9)))
    )


@case(("conversations.report_submitted", "amina"))
def report_submitted(world: World) -> Act:
    report = reports.write(reports.the_report(world), world.ben)
    return lambda: conversations.submit_report(
        report=report, revision=report.revision, author=world.ben, now=timezone.now()
    )


@case(("conversations.report_decided", "ben"))
def report_returned(world: World) -> Act:
    report = reports.submitted(world)
    return lambda: conversations.return_report(
        report=report, number=1, reason="How many let?", author=world.amina, now=timezone.now()
    )


@case(("nominations.return_sent", "ben"))
def nominations_return_sent(world: World) -> Act:
    nominations_return = quarters.counted_return(world, sign_nominations(world))
    return lambda: send_return(nominations_return=nominations_return, author=world.amina, now=quarters.days_after())


@case(("nominations.return_decided", "amina"))
def nominations_return_confirmed(world: World) -> Act:
    nominations_return = quarters.sent_return(world, sign_nominations(world))
    return lambda: quarters.confirm_all_lines(world, nominations_return)


@case(("nominations.return_reopened", "amina"))
def nominations_return_reopened(world: World) -> Act:
    nominations_return = quarters.confirmed_return(world, sign_nominations(world))
    return lambda: reopen_return(
        nominations_return=nominations_return, reason="A home is missing.", author=world.ben, now=quarters.days_after()
    )


_INVITED = (("conversations.meeting_invitation", "amina"), ("conversations.meeting_invitation", "ben"))


@case(*_INVITED)
def meeting_planned(world: World) -> Act:
    return lambda: gatherings.planned_meeting(world)


@case(*(("conversations.meeting_changed", name) for name in ("amina", "ben", "eddie")))
def meeting_moved(world: World) -> Act:
    meeting = gatherings.planned_meeting(world)
    return lambda: conversations.change_meeting(
        meeting=meeting,
        plan=gatherings.the_plan(world, starts_at=gatherings.in_days(8)),
        organisation=world.larkhaven,
        reason="Ben is away.",
        author=world.eddie,
        now=timezone.now(),
    )


@case(("conversations.meeting_uninvited", "ben"))
def meeting_with_fewer_people(world: World) -> Act:
    meeting = gatherings.planned_meeting(world)
    return lambda: conversations.change_meeting(
        meeting=meeting,
        plan=gatherings.the_plan(world, people=[world.amina, world.eddie]),
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )


@case(*(("conversations.meeting_called_off", name) for name in ("amina", "ben", "eddie")))
def meeting_called_off(world: World) -> Act:
    meeting = gatherings.planned_meeting(world)
    return lambda: conversations.call_off_meeting(
        meeting=meeting, reason="Snow.", organisation=world.larkhaven, author=world.eddie, now=timezone.now()
    )


@case(("conversations.meeting_agenda", "amina"), ("conversations.meeting_agenda", "ben"))
def agenda_circulated(world: World) -> Act:
    meeting = gatherings.meeting_with_item(world)
    return lambda: conversations.circulate_agenda(
        meeting=meeting, organisation=world.larkhaven, revision=meeting.revision, author=world.eddie, now=timezone.now()
    )


@case(("conversations.facilitator_named", "chidi"), ("agreements.invitation", "chidi"))
def facilitator_named(world: World) -> Act:
    return lambda: conversations.name_facilitator(
        partnership=world.partnership,
        organisation=world.tidewater,
        person=world.chidi,
        author=world.amina,
        now=timezone.now(),
    )
