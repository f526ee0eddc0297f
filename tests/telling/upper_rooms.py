"""Services of plans, exchange, commitments and conversations that tell somebody."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment, Status
from partnerships.conversations import services as conversations
from partnerships.exchange import services as exchange
from partnerships.exchange.models import Audience, Direction, Entry
from partnerships.lists import services as lists
from partnerships.nominations.models import Decision
from partnerships.nominations.services import reopen_return, send_return
from partnerships.organisations.services import change_role
from partnerships.people.models import User
from partnerships.plans import services as plans
from partnerships.plans.models import AccessRequest, OwnershipOffer, Share
from partnerships.reports import services as reporting
from tests.commitments import promises
from tests.conversations import gatherings, reports, talks
from tests.exchange.conftest import shared
from tests.nominations import quarters
from tests.nominations.signed import sign_nominations
from tests.plans.drafts import ask_signatures, begin, fewer_homes, publish, published
from tests.telling.case import Act, case
from tests.world import World

NOW = timezone.now


# ---- Plans


@case(("plans.sign_off_request", "ben"))
def sign_off_requested(w: World) -> Act:
    plan = published(w)
    return lambda: ask_signatures(plan, w)


@case(("plans.sign_off_request", "ben"))
def newer_version_published_while_signatures_are_awaited(w: World) -> Act:
    plan = published(w)
    ask_signatures(plan, w)
    fewer_homes(plan, w)
    return lambda: publish(plan, w, "Fewer homes.")


@case(("plans.sign_off_request", "amina"), ("plans.sign_off_request", "ben"))
def signatories_reminded(w: World) -> Act:
    ask_signatures(published(w), w)
    return lambda: plans.remind_signatories(now=NOW() + dt.timedelta(days=8))


@case(("plans.sign_off_escalation", "amina"), ("plans.sign_off_escalation", "ben"))
def signatories_late(w: World) -> Act:
    ask_signatures(published(w), w, due_on=timezone.localdate() + dt.timedelta(days=3))
    return lambda: plans.escalate_signatories(now=NOW() + dt.timedelta(days=4))


def _decide(w: World, decision: str) -> Act:
    plan = ask_signatures(published(w), w)
    return lambda: plans.sign_off(
        plan=plan, number=1, organisation=w.westmarch, person=w.ben, decision=decision, reason="Too few.", now=NOW()
    )


@case(("plans.decision", "amina"))
def version_rejected(w: World) -> Act:
    return _decide(w, "rejected")


@case(("plans.decision", "amina"))
def condition_set_by_a_signatory(w: World) -> Act:
    return _decide(w, "conditional")


@case()
def version_approved(w: World) -> Act:
    return _decide(w, "approved")


def _show(w: World) -> Share:
    return plans.share_draft(
        plan=begin(w),
        email=w.nadia.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=w.amina,
        now=NOW(),
    )


@case(("plans.share", "nadia"))
def draft_shown(w: World) -> Act:
    return lambda: _show(w)


def _ask(w: World) -> AccessRequest:
    return plans.ask_for_access(
        partnership=w.partnership, about="Estuary delivery programme", message="", author=w.ben, now=NOW()
    )


@case(("plans.access_request", "amina"))
def access_asked_for(w: World) -> Act:
    begin(w)
    return lambda: _ask(w)


@case(("plans.share", "ben"))
def access_granted(w: World) -> Act:
    begin(w)
    request = _ask(w)
    return lambda: plans.answer_request(request=request, grant=True, author=w.amina, now=NOW())


@case(("plans.not_shown", "ben"))
def access_refused(w: World) -> Act:
    begin(w)
    request = _ask(w)
    return lambda: plans.answer_request(request=request, grant=False, author=w.amina, now=NOW())


@case(("plans.mention", "ben"), ("plans.mention", "vera"))
def people_mentioned_in_a_comment(w: World) -> Act:
    plan = published(w)
    return lambda: plans.add_comment(
        plan=plan,
        version_number=1,
        text="@Ben West, @Vera Larch, @Ben West, @Amina Larch and @Chidi Tide: why?",
        author=w.amina,
        now=NOW(),
    )


def offer_the_plan(w: World) -> OwnershipOffer:
    return plans.offer_ownership(
        plan=published(w),
        organisation=w.westmarch,
        offered_for=w.larkhaven,
        hands_over=True,
        author=w.amina,
        now=NOW(),
    )


@case(("plans.ownership_offer", "ben"))
def plan_offered(w: World) -> Act:
    return lambda: offer_the_plan(w)


def _answer_offer(w: World, offer: OwnershipOffer, *, accept: bool) -> OwnershipOffer:
    return plans.answer_offer(offer=offer, accept=accept, reason="Too large.", author=w.ben, now=NOW())


@case(("plans.ownership_answer", "amina"))
def offered_plan_accepted(w: World) -> Act:
    offer = offer_the_plan(w)
    return lambda: _answer_offer(w, offer, accept=True)


@case(("plans.ownership_answer", "amina"))
def offered_plan_declined(w: World) -> Act:
    offer = offer_the_plan(w)
    return lambda: _answer_offer(w, offer, accept=False)


@case(("plans.ownership_answer", "eddie"))
def plan_declined_after_who_offered_it_became_a_viewer(w: World) -> Act:
    offer = offer_the_plan(w)
    for who, role in ((w.eddie, "lead"), (w.amina, "viewer")):
        change_role(membership=who.memberships.get(ends_on=None), role=role, author=None, now=NOW())
    return lambda: _answer_offer(w, offer, accept=False)


# ---- Ask and offer


def _entry(w: World, **given: Any) -> Entry:
    fields = {"audience": Audience.NAMED, "addressees": [w.westmarch]} | given
    return shared(w.larkhaven, w.amina, NOW(), **fields)


@case(("exchange.asked", "ben"), ("exchange.asked", "chidi"))
def entry_shared_with_those_asked(w: World) -> Act:
    _entry(w, addressees=[w.westmarch, w.tidewater])
    return lambda: [exchange.email_new_entries(now=NOW()) for _ in range(2)]


def _respond(w: World, entry: Entry) -> Any:
    return exchange.respond(entry=entry, organisation=w.westmarch, text="Twenty.", author=w.ben, now=NOW())


@case(("exchange.response", "amina"))
def entry_answered(w: World) -> Act:
    entry = _entry(w)
    return lambda: _respond(w, entry)


@case(("exchange.declined", "amina"))
def entry_declined(w: World) -> Act:
    entry = _entry(w)
    return lambda: exchange.decline_entry(
        entry=entry, organisation=w.westmarch, reason="No land.", author=w.ben, now=NOW()
    )


@case(("exchange.referred", "oscar"))
def entry_referred(w: World) -> Act:
    entry = _entry(w, addressees=[w.riverside])
    return lambda: exchange.refer_entry(
        entry=entry, organisation=w.riverside, person=w.oscar, author=w.nadia, now=NOW()
    )


@case(("exchange.facilitator", "ben"))
def facilitator_of_an_entry_named(w: World) -> Act:
    entry = _entry(w)
    return lambda: exchange.name_entry_facilitator(
        entry=entry, organisation=w.westmarch, person=w.ben, author=w.amina, now=NOW()
    )


@case(("exchange.several", "eddie"))
def several_facilitated_by_one_person(w: World) -> Act:
    entries = [_entry(w) for _ in range(2)]
    for entry in entries:
        exchange.name_entry_facilitator(
            entry=entry, organisation=w.larkhaven, person=w.eddie, author=w.amina, now=NOW(), sends_email=False
        )
    return lambda: exchange.tell_facilitators(entries=entries, person=w.eddie, author=w.amina, now=NOW())


def _question(w: World, entry: Entry) -> Any:
    return exchange.ask_question(entry=entry, organisation=w.westmarch, text="By when?", author=w.ben, now=NOW())


@case(("exchange.question", "amina"))
def question_asked_back_twice(w: World) -> Act:
    entry = _entry(w)
    return lambda: [_question(w, entry) for _ in range(2)]


@case(("exchange.question_answered", "ben"))
def question_answered(w: World) -> Act:
    question = _question(w, _entry(w))
    return lambda: exchange.answer_question(question=question, text="By May.", author=w.amina, now=NOW())


@case(("exchange.decision", "ben"))
def answer_decided(w: World) -> Act:
    response = _respond(w, _entry(w))
    return lambda: exchange.decide_response(response=response, accept=True, reason="", author=w.amina, now=NOW())


@case(("exchange.decision", "ben"))
def answered_entry_withdrawn(w: World) -> Act:
    entry = _entry(w)
    _respond(w, entry)
    return lambda: exchange.withdraw_entry(entry=entry, reason="Found.", author=w.amina, now=NOW())


@case(("exchange.introduction", "amina"), ("exchange.introduction", "ben"))
def organisations_introduced(w: World) -> Act:
    ask = _entry(w, audience=Audience.NETWORK, addressees=[])
    offer = shared(w.westmarch, w.ben, NOW(), direction=Direction.OFFER, audience=Audience.NETWORK)
    return lambda: exchange.introduce(
        entry=ask, counterpart=offer, organisation=w.tidewater, text="You fit.", author=w.chidi, now=NOW()
    )


@case(("exchange.closing_soon", "amina"), ("exchange.closing_soon", "ben"))
def entry_about_to_lapse(w: World) -> Act:
    _entry(w, closes_on=timezone.localdate() + dt.timedelta(days=9))
    return lambda: [exchange.remind_of_closing(now=NOW() + dt.timedelta(days=3)) for _ in range(2)]


@case(("lists.followed", "ben"))
def entry_enters_a_followed_view(w: World) -> Act:
    view = lists.save_view(person=w.ben, kind="asks", name="All asks", state={}, now=w.now)
    lists.follow_view(view=view, person=w.ben, now=w.now)
    _entry(w, audience=Audience.NETWORK, addressees=[])
    return lambda: [lists.check_followed_views(now=NOW() + dt.timedelta(hours=1)) for _ in range(2)]


@case(("reports.scheduled", "ben"))
def report_sent_on_a_rhythm(w: World) -> Act:
    reporting.schedule_report(
        details=reporting.ScheduleDetails(
            report="partnership-register",
            query_string="",
            name="Register",
            every="month",
            first_on=timezone.localdate(),
            people=[w.ben],
            body=w.partnership,
        ),
        author=w.amina,
        now=NOW(),
    )
    return lambda: [reporting.send_due_reports(now=NOW()) for _ in range(2)]


@case(("reports.not_made", "ben"))
def scheduled_report_of_a_partnership_they_left(w: World) -> Act:
    reporting.schedule_report(
        details=reporting.ScheduleDetails(
            report="homes-pipeline",
            query_string=f"partnership={w.partnership.pk}",
            name="Homes of the partnership",
            every="month",
            first_on=timezone.localdate(),
            people=[w.ben],
            body=w.westmarch,
        ),
        author=w.ben,
        now=NOW(),
    )
    agreements.leave_partnership(party=w.party(w.westmarch), reason="Reorganised.", author=w.ben, now=NOW())
    return lambda: [reporting.send_due_reports(now=NOW()) for _ in range(2)]


# ---- Commitments


@case(("commitments.proposed", "ben"))
def commitment_proposed(w: World) -> Act:
    return lambda: promises.propose(w)


@case(("commitments.proposed", "ben"))
def proposed_terms_changed(w: World) -> Act:
    made = promises.propose(w)
    return lambda: commitments.edit_proposal(
        commitment=made,
        text="Fifty homes.",
        quantity=None,
        unit="",
        owner=w.eddie,
        due_on=made.due_on,
        revision=made.revision,
        author=w.amina,
        now=NOW(),
    )


@case(("commitments.proposed_together", "ben"))
def commitments_proposed_from_a_spreadsheet(w: World) -> Act:
    made = [promises.propose(w, tells=False) for _ in range(2)]
    return lambda: commitments.email_leads_about_proposals(commitments=made, author=w.amina, now=NOW())


@case(("commitments.owned_together", "vera"))
def commitments_given_to_an_owner(w: World) -> Act:
    made = [
        commitments.change_owner(commitment=promises.agree(w), owner=w.vera, author=w.amina, now=NOW())
        for _ in range(2)
    ]
    return lambda: commitments.email_owners(commitments=made, author=w.amina, reminds=False, now=NOW())


@case(("commitments.agreed", "amina"), ("commitments.agreed", "eddie"))
def commitment_agreed(w: World) -> Act:
    made = promises.propose(w)

    def confirm(side: Any, lead: User) -> Commitment:
        return commitments.confirm_commitment(
            commitment=made, organisation=side, author=lead, revision=made.revision, now=NOW()
        )

    confirm(w.larkhaven, w.amina)
    return lambda: confirm(w.westmarch, w.ben)


@case(("commitments.done", "ben"))
def commitment_reported_done(w: World) -> Act:
    made = promises.agree(w)
    return lambda: promises.report(w, made, Status.DONE, delivered=made.quantity)


@case(("commitments.answered", "amina"), ("commitments.answered", "eddie"))
def delivery_verified(w: World) -> Act:
    made = promises.done_commitment(w)
    return lambda: commitments.verify_delivery(commitment=made, author=w.ben, now=NOW())


@case(("commitments.answered", "amina"), ("commitments.answered", "eddie"))
def delivery_sent_back(w: World) -> Act:
    made = promises.done_commitment(w)
    return lambda: commitments.send_back(commitment=made, reason="No lift.", author=w.ben, now=NOW())


@case(("commitments.ended", "ben"), ("commitments.ended", "eddie"))
def commitment_cancelled(w: World) -> Act:
    made = promises.agree(w)
    return lambda: commitments.end_commitment(commitment=made, reason="Sold.", author=w.amina, now=NOW())


@case(("commitments.escalation", "ben"))
def commitment_escalated(w: World) -> Act:
    made = promises.agree(w)
    return lambda: commitments.escalate(commitment=made, helper=w.ben, author=w.eddie, now=NOW())


@case(("commitments.reminder", "eddie"))
def owners_reminded(w: World) -> Act:
    promises.agree(w, due_on=promises.in_days(3))
    return lambda: [commitments.remind_owners(now=NOW()) for _ in range(2)]


# ---- Conversations


@case(("conversations.circulated", "amina"), ("conversations.circulated", "ben"))
def record_circulated(w: World) -> Act:
    conversation = talks.draft(w)
    return lambda: conversations.circulate(conversation=conversation, author=w.eddie, now=NOW())


@case(("conversations.report_due", "amina"), ("conversations.report_due", "ben"))
def report_due_soon(w: World) -> Act:
    report = reports.the_report(w)
    return lambda: conversations.remind_of_reports(
        now=timezone.make_aware(dt.datetime.combine(report.due_on, dt.time(9)))
    )


@case(("conversations.report_submitted", "amina"))
def report_submitted(w: World) -> Act:
    report = reports.write(reports.the_report(w), w.ben)
    return lambda: conversations.submit_report(report=report, revision=report.revision, author=w.ben, now=NOW())


@case(("conversations.report_decided", "ben"))
def report_returned(w: World) -> Act:
    report = reports.submitted(w)
    return lambda: conversations.return_report(
        report=report, number=1, reason="How many let?", author=w.amina, now=NOW()
    )


@case(("nominations.return_sent", "ben"))
def nominations_return_sent(w: World) -> Act:
    found = quarters.counted_return(w, sign_nominations(w))
    return lambda: send_return(nominations_return=found, author=w.amina, now=quarters.afterwards())


@case(("nominations.return_decided", "amina"))
def nominations_return_confirmed(w: World) -> Act:
    found = quarters.sent_return(w, sign_nominations(w))
    lines = dict.fromkeys(found.lines.values_list("pk", flat=True), (Decision.CONFIRMED, ""))
    return lambda: quarters.decide_lines(w, found, lines)


@case(("nominations.return_reopened", "amina"))
def nominations_return_reopened(w: World) -> Act:
    found = quarters.confirmed_return(w, sign_nominations(w))
    return lambda: reopen_return(
        nominations_return=found, reason="A home is missing.", author=w.ben, now=quarters.afterwards()
    )


_INVITED = (("conversations.meeting_invitation", "amina"), ("conversations.meeting_invitation", "ben"))


@case(*_INVITED)
def meeting_planned(w: World) -> Act:
    return lambda: gatherings.planned_meeting(w)


@case(*(("conversations.meeting_changed", name) for name in ("amina", "ben", "eddie")))
def meeting_moved(w: World) -> Act:
    meeting = gatherings.planned_meeting(w)
    return lambda: conversations.change_meeting(
        meeting=meeting,
        plan=gatherings.the_plan(w, starts_at=gatherings.in_days(8)),
        organisation=w.larkhaven,
        reason="Ben is away.",
        author=w.eddie,
        now=NOW(),
    )


@case(("conversations.meeting_uninvited", "ben"))
def meeting_with_fewer_people(w: World) -> Act:
    meeting = gatherings.planned_meeting(w)
    return lambda: conversations.change_meeting(
        meeting=meeting,
        plan=gatherings.the_plan(w, people=[w.amina, w.eddie]),
        organisation=w.larkhaven,
        author=w.eddie,
        now=NOW(),
    )


@case(*(("conversations.meeting_called_off", name) for name in ("amina", "ben", "eddie")))
def meeting_called_off(w: World) -> Act:
    meeting = gatherings.planned_meeting(w)
    return lambda: conversations.call_off_meeting(
        meeting=meeting, reason="Snow.", organisation=w.larkhaven, author=w.eddie, now=NOW()
    )


@case(("conversations.meeting_agenda", "amina"), ("conversations.meeting_agenda", "ben"))
def agenda_circulated(w: World) -> Act:
    meeting = gatherings.meeting_with_item(w)
    return lambda: conversations.circulate_agenda(
        meeting=meeting, organisation=w.larkhaven, revision=meeting.revision, author=w.eddie, now=NOW()
    )


@case(("conversations.facilitator_named", "chidi"), ("agreements.invitation", "chidi"))
def facilitator_named(w: World) -> Act:
    return lambda: conversations.name_facilitator(
        partnership=w.partnership, organisation=w.tidewater, person=w.chidi, author=w.amina, now=NOW()
    )
