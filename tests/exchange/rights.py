"""The services of asks and offers, and who may call each of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.commitments.services import propose_commitment
from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry
from partnerships.organisations.models import Organisation
from tests.exchange.conftest import accepted_answer, draft, shared_entry
from tests.support.rights import EDITORS, LEAD, NOBODY, PARTNER, PARTNER_EDITORS, Row
from tests.world import World


def _ask(world: World) -> Entry:
    """Return a new ask from Larkhaven to the Estuary Partnership."""
    return shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now(),
        title="Land for 40 homes",
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
    )


def _network_ask(world: World) -> Entry:
    """Return an ask from Larkhaven to the whole network."""
    return shared_entry(world.larkhaven, world.amina, timezone.now(), title="Land for 30 homes")


def _pair(world: World) -> tuple[Entry, Entry]:
    """Return Larkhaven's ask and Tidewater's offer, for the whole network."""
    offer = shared_entry(world.tidewater, world.chidi, timezone.now(), title="Land", direction=Direction.OFFER)
    return _network_ask(world), offer


def _promise(world: World) -> Any:
    """Return a commitment that Westmarch gives and Larkhaven receives."""
    return propose_commitment(
        giver=world.westmarch,
        receiver=world.larkhaven,
        text="Land at the quay.",
        quantity=Decimal(20),
        unit="homes",
        owner=world.ben,
        due_on=timezone.localdate() + dt.timedelta(days=90),
        partnership=world.partnership,
        author=world.ben,
        now=timezone.now(),
        confirm=True,
    )


def _accepted_answer(world: World) -> Any:
    """Return Westmarch's accepted answer to an ask of the Estuary Partnership."""
    return accepted_answer(_ask(world), world, timezone.now(), quantity=None)


def _accepted_answer_with_third_party(world: World) -> Any:
    """Return the accepted answer, after Tidewater has joined the partnership."""
    response = _accepted_answer(world)
    now = timezone.now()
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.chidi, now=now)
    return response


def _answer_with_group(world: World) -> Any:
    """Return the accepted answer, after a working group was started from it."""
    response = _accepted_answer(world)
    _group("larkhaven")(world, world.amina, response)
    return response


def _pair_with_hidden_offer(world: World) -> tuple[Entry, Entry]:
    """Return Larkhaven's ask, and a draft offer that only Tidewater can read."""
    offer = draft(world.tidewater, world.chidi, timezone.now(), title="Land", direction=Direction.OFFER)
    return _network_ask(world), offer


def _group(organisation: str) -> Any:
    """Return a call with which a side of the answer starts a working group."""
    return lambda world, author, response: services.start_group_from_answer(
        response=response,
        organisation=getattr(world, organisation),
        group=agreements.NewGroup(
            title="Depot group",
            purpose="Move the depot.",
            members=(),
            ends_on=timezone.localdate() + dt.timedelta(days=90),
        ),
        author=author,
        now=timezone.now(),
    )


def _respond(organisation: str) -> Any:
    """Return a call with which the organisation answers an ask."""

    def call(world: World, author: Any, ask: Entry) -> Any:
        answering_organisation: Organisation = getattr(world, organisation)
        return services.respond(
            entry=ask, organisation=answering_organisation, text="We can.", author=author, now=timezone.now()
        )

    return call


def _name(organisation: str, person: str) -> Any:
    """Return a call that names a facilitator of an ask."""
    return lambda world, author, ask: services.name_entry_facilitator(
        entry=ask,
        organisation=getattr(world, organisation),
        person=getattr(world, person),
        author=author,
        now=timezone.now(),
    )


def _edit(world: World, author: Any, ask: Entry) -> Any:
    return services.edit_entry(entry=ask, title="More land", author=author, now=timezone.now())


def _decline(world: World, author: Any, ask: Entry) -> Any:
    return services.decline_entry(
        entry=ask, organisation=world.westmarch, reason="No land.", author=author, now=timezone.now()
    )


def _withdrawn_ask(world: World) -> Entry:
    """Return an ask from Larkhaven to the whole network that was withdrawn."""
    ask = _network_ask(world)
    services.withdraw_entry(entry=ask, reason="Not needed.", author=world.amina, now=timezone.now())
    return ask


def _pair_of_one_organisation(world: World) -> tuple[Entry, Entry]:
    """Return Larkhaven's ask and its own offer, for the whole network."""
    offer = shared_entry(world.larkhaven, world.amina, timezone.now(), title="Land", direction=Direction.OFFER)
    return _network_ask(world), offer


ROWS = (
    Row("exchange.name_entry_facilitator", _name("harbour", "hana"), EDITORS, prepare=_network_ask),
    Row(
        "exchange.remind_of_entry",
        lambda world, author, ask: services.remind_of_entry(entry=ask, author=author, now=timezone.now()),
        EDITORS,
        prepare=_ask,
    ),
    Row(
        "exchange.end_entry_facilitator",
        lambda world, author, facilitator: services.end_entry_facilitator(
            facilitator=facilitator, reason="Done.", author=author, now=timezone.now()
        ),
        EDITORS | {"former"},
        prepare=lambda world: _name("harbour", "hana")(world, world.amina, _network_ask(world)),
    ),
    Row("exchange.create_entry", lambda world, author, _: draft(world.larkhaven, author, timezone.now()), EDITORS),
    Row("exchange.edit_entry", _edit, EDITORS, prepare=_ask),
    Row(
        "exchange.share_entry",
        lambda world, author, _: services.share_entry(
            entry=world.things["draft ask"], author=author, now=timezone.now()
        ),
        EDITORS,
    ),
    Row(
        "exchange.mark_for_stakeholders",
        lambda world, author, ask: services.mark_for_stakeholders(
            entry=ask, tell=True, author=author, now=timezone.now()
        ),
        LEAD | PARTNER,
        prepare=_ask,
    ),
    Row(
        "exchange.mark_agreed",
        lambda world, author, ask: services.mark_agreed(
            entry=ask, reason="By phone with Westmarch.", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_ask,
    ),
    Row(
        "exchange.withdraw_entry",
        lambda world, author, ask: services.withdraw_entry(
            entry=ask, reason="Not needed.", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_ask,
    ),
    Row(
        "exchange.acknowledge_entry",
        lambda world, author, ask: services.acknowledge_entry(
            entry=ask, organisation=world.westmarch, author=author, now=timezone.now()
        ),
        PARTNER_EDITORS,
        prepare=_ask,
    ),
    Row(
        "exchange.refer_entry",
        lambda world, author, ask: services.refer_entry(
            entry=ask, organisation=world.westmarch, person=world.things["petra"], author=author, now=timezone.now()
        ),
        PARTNER_EDITORS,
        prepare=_ask,
    ),
    Row(
        "exchange.ask_question",
        lambda world, author, ask: services.ask_question(
            entry=ask, organisation=world.westmarch, text="Where?", author=author, now=timezone.now()
        ),
        PARTNER_EDITORS,
        prepare=_ask,
    ),
    Row(
        "exchange.answer_question",
        lambda world, author, _: services.answer_question(
            question=world.things["question"], text="In June.", author=author, now=timezone.now()
        ),
        EDITORS,
    ),
    Row("exchange.decline_entry", _decline, PARTNER_EDITORS, prepare=_ask),
    Row("exchange.start_group_from_answer", _group("larkhaven"), LEAD, prepare=_accepted_answer),
    Row("exchange.start_group_from_answer", _group("westmarch"), PARTNER, prepare=_accepted_answer, situation="too"),
    Row(
        "exchange.start_group_from_answer",
        _group("tidewater"),
        NOBODY,
        prepare=_accepted_answer_with_third_party,
        situation="of a third party",
    ),
    Row(
        "exchange.start_group_from_answer",
        _group("larkhaven"),
        LEAD,
        prepare=_answer_with_group,
        situation="once more",
        result="UnableToStartGroupFromAnswer: This answer already has a working group. Open the group from the answer.",
    ),
    Row("exchange.respond", _respond("westmarch"), PARTNER_EDITORS, prepare=_ask),
    Row("exchange.respond", _respond("riverside"), NOBODY, prepare=_ask, situation="for an observer"),
    Row("exchange.respond", _respond("tidewater"), NOBODY, prepare=_ask, situation="for somebody not asked"),
    Row(
        "exchange.respond",
        _respond("tidewater"),
        frozenset({"stranger"}),
        prepare=_network_ask,
        situation="to the whole network",
    ),
    Row(
        "exchange.decide_response",
        lambda world, author, _: services.decide_response(
            response=world.things["response"], accept=True, reason="", author=author, now=timezone.now()
        ),
        EDITORS,
    ),
    Row(
        "exchange.withdraw_response",
        lambda world, author, _: services.withdraw_response(
            response=world.things["response"], author=author, now=timezone.now()
        ),
        PARTNER_EDITORS,
    ),
    Row(
        "exchange.link_commitment",
        lambda world, author, promise: services.link_commitment(
            entry=world.things["ask"], commitment=promise, author=author, now=timezone.now()
        ),
        EDITORS | PARTNER_EDITORS,
        prepare=_promise,
    ),
    Row(
        "exchange.meet_entry",
        lambda world, author, promise: services.meet_entry(
            entry=world.things["ask"], commitment=promise, quantity=None, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_promise,
    ),
    Row(
        "exchange.dismiss_match",
        lambda world, author, _: services.dismiss_match(
            entry=world.things["ask"],
            counterpart=world.things["offer"],
            organisation=world.larkhaven,
            reason="Too far.",
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
    ),
    Row(
        "exchange.dismiss_match",
        lambda world, author, pair: services.dismiss_match(
            entry=pair[0],
            counterpart=pair[1],
            organisation=world.larkhaven,
            reason="Too far.",
            author=author,
            now=timezone.now(),
        ),
        NOBODY,
        prepare=_pair_with_hidden_offer,
        situation="with an offer that they may not read",
    ),
    Row(
        "exchange.name_entry_facilitator",
        _name("harbour", "ben"),
        EDITORS,
        prepare=_network_ask,
        situation="of another organisation",
        result="UnableToFacilitate: This person does not act for Harbour Community Trust. Choose someone who does.",
    ),
    Row(
        "exchange.name_entry_facilitator",
        _name("harbour", "hana"),
        EDITORS,
        prepare=lambda world: _name("harbour", "hana")(world, world.amina, _network_ask(world)).entry,
        situation="once more",
        result="UnableToFacilitate: Hana Harbour is already a facilitator. Choose another person.",
    ),
    Row(
        "exchange.name_entry_facilitator",
        _name("harbour", "hana"),
        EDITORS,
        prepare=_withdrawn_ask,
        situation="of a withdrawn ask",
        result="UnableToFacilitate: Only an open ask or offer can have a facilitator.",
    ),
    Row(
        "exchange.edit_entry",
        _edit,
        EDITORS,
        prepare=_withdrawn_ask,
        situation="after it was withdrawn",
        result="UnableToEditEntry: This ask is withdrawn, so you can no longer change it.",
    ),
    Row(
        "exchange.create_entry",
        lambda world, author, _: draft(
            world.larkhaven,
            author,
            timezone.now(),
            audience=Audience.NAMED,
            addressees=[world.larkhaven, world.westmarch],
        ),
        EDITORS,
        situation="to one's own organisation",
        result="UnableToWriteEntry: You cannot share with your own organisation. Choose other organisations.",
    ),
    Row(
        "exchange.create_entry",
        lambda world, author, _: draft(world.larkhaven, author, timezone.now(), partnership=world.partnership),
        EDITORS,
        situation="of a partnership to the whole network",
        result="UnableToWriteEntry: To share with the whole network, leave the partnership empty.",
    ),
    Row(
        "exchange.respond",
        lambda world, author, pair: services.respond(
            entry=pair[0],
            organisation=world.westmarch,
            counterpart=pair[1],
            text="Yes.",
            author=author,
            now=timezone.now(),
        ),
        PARTNER_EDITORS,
        prepare=_pair_with_hidden_offer,
        situation="with an offer of somebody else",
        result="UnableToRespond: Choose a matching ask or offer from Westmarch Borough Council.",
    ),
    Row(
        "exchange.respond",
        lambda world, author, pair: services.respond(
            entry=pair[0],
            organisation=world.tidewater,
            counterpart=pair[1],
            text="Yes.",
            author=author,
            now=timezone.now(),
        ),
        frozenset({"stranger"}),
        prepare=_pair_with_hidden_offer,
        situation="with an offer that the asker may not read",
        result="UnableToRespond: Larkhaven Homes cannot read “Land”. Share it with them first.",
    ),
    Row(
        "exchange.withdraw_response",
        lambda world, author, response: services.withdraw_response(
            response=response, author=author, now=timezone.now()
        ),
        PARTNER_EDITORS,
        prepare=_accepted_answer,
        situation="after it was accepted",
        result="UnableToWithdrawResponse: This answer is already accepted, so you can no longer withdraw it.",
    ),
    Row(
        "exchange.decline_entry",
        _decline,
        PARTNER_EDITORS,
        prepare=lambda world: _respond("westmarch")(world, world.ben, _ask(world)).entry,
        situation="after an answer",
        result="UnableToDecline: Your organisation has already answered. Withdraw your answer first.",
    ),
    Row(
        "exchange.start_group_from_answer",
        _group("larkhaven"),
        LEAD,
        prepare=lambda world: _respond("westmarch")(world, world.ben, _ask(world)),
        situation="before it is accepted",
        result="UnableToStartGroupFromAnswer: Accept this answer before you start a working group.",
    ),
    Row(
        "exchange.meet_entry",
        lambda world, author, ask_and_promise: services.meet_entry(
            entry=ask_and_promise[0], commitment=ask_and_promise[1], quantity=None, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=lambda world: (_withdrawn_ask(world), _promise(world)),
        situation="after it was withdrawn",
        result="UnableToMeet: This ask is withdrawn, so you cannot link a commitment to it.",
    ),
    Row(
        "exchange.introduce",
        lambda world, author, pair: services.introduce(
            entry=pair[0],
            counterpart=pair[1],
            organisation=world.westmarch,
            text="Talk to each other.",
            author=author,
            now=timezone.now(),
        ),
        PARTNER_EDITORS,
        prepare=_pair_of_one_organisation,
        situation="to itself",
        result="UnableToIntroduce: Choose an ask and an offer from two different organisations.",
    ),
    Row(
        "exchange.introduce",
        lambda world, author, pair: services.introduce(
            entry=pair[0],
            counterpart=pair[1],
            organisation=world.westmarch,
            text="Talk to each other.",
            author=author,
            now=timezone.now(),
        ),
        PARTNER_EDITORS,
        prepare=_pair,
    ),
)

_INSIDE = "part of another service, inside its transaction"
_CLOCK = "called by the clock"
WITHOUT_A_PERSON = {
    "exchange.close_responses": _INSIDE,
    "exchange.refusal_of_change": "reads only",
    "exchange.email_facilitators": "part of a change of several, inside its transaction; it records emails",
    "exchange.email_about_waiting_entries": "part of a change of several, inside its transaction; it records emails",
    "exchange.update_entries_of_commitment": "follows what became of a commitment",
    "exchange.fold_counts": _CLOCK,
    "exchange.refresh_parties": _CLOCK,
    "exchange.refresh_places": _CLOCK,
    "exchange.transfer_fulfilments": "follows what became of a commitment",
    "exchange.lapse_due_entries": _CLOCK,
    "exchange.match_due_entries": _CLOCK,
    "exchange.record_event": _INSIDE,
    "exchange.acknowledge_locked_entry": _INSIDE,
    "exchange.remind_of_closing": _CLOCK,
    "exchange.update_entry_status": "derives the status from answers and commitments",
    "exchange.email_new_entries": _CLOCK,
    "exchange.email_decision": _INSIDE,
    "exchange.email_decline": _INSIDE,
    "exchange.email_facilitator": _INSIDE,
    "exchange.email_introduction": _INSIDE,
    "exchange.email_question": _INSIDE,
    "exchange.email_referral": _INSIDE,
    "exchange.email_question_answered": _INSIDE,
    "exchange.email_response": _INSIDE,
}
