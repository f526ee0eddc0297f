"""Register the exchange with the rooms below it, at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.agenda import register_agenda
from partnerships.agreements.figures import register_figures
from partnerships.agreements.stuck import register_stuck, register_stuck_facilitated
from partnerships.commitments.origins import register_origin
from partnerships.commitments.registry import register_listener
from partnerships.exchange import follower_notices, obligations
from partnerships.exchange.belongings import REFERRALS
from partnerships.exchange.email_kinds import EMAILS
from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.listing import LIST
from partnerships.exchange.models import Entry, Introduction, Question, Receipt, Response
from partnerships.exchange.origins import ORIGINS
from partnerships.exchange.personal import RULES
from partnerships.exchange.queries import events_of_entries
from partnerships.exchange.queries.agenda import suggest_waiting_entries, waiting_entry_rows
from partnerships.exchange.queries.figures import asks_in_period
from partnerships.exchange.queries.stuck import stuck_facilitated_entries, stuck_unanswered_entries, unanswered_rows
from partnerships.exchange.sections import all_standing_offers_of, standing_offers_section
from partnerships.exchange.services.facilitating import end_with_membership
from partnerships.exchange.services.own_side import withdraw_entries_to_itself
from partnerships.exchange.services.status import update_entries_of_commitment
from partnerships.kit.lists import register_list
from partnerships.organisations.departures import register_departure
from partnerships.organisations.obligations import register_after_move
from partnerships.organisations.owned import register_owned
from partnerships.organisations.sections import ON_ORGANISATIONS
from partnerships.people.composing import register_emails
from partnerships.people.personal import register_personal


def register() -> None:
    """Register everything that the exchange adds to other rooms and to the registries."""
    register_list(LIST)
    obligations.register()
    _register_events()
    register_emails(*EMAILS)
    register_personal(RULES)

    # Entries as sources of commitments; an entry changes when its commitments change.
    for origin in ORIGINS:
        register_origin(origin)
    register_listener(update_entries_of_commitment)

    # What happens when an organisation passes its entries on, or a person leaves.
    for kind in (obligations.ENTRIES, obligations.ADDRESSED):
        register_after_move(kind.code, withdraw_entries_to_itself)
    register_owned(REFERRALS)
    register_departure(end_with_membership)

    # Entries on pages, agendas and reports of other rooms.
    ON_ORGANISATIONS.register_with_rows(
        "skills and resources", standing_offers_section, all_standing_offers_of, order=10
    )
    register_agenda("50 asks and offers", "Asks and offers", "entry", suggest_waiting_entries, waiting_entry_rows)
    register_stuck("asks", stuck_unanswered_entries, unanswered_rows)
    register_stuck_facilitated("asks", stuck_facilitated_entries)
    register_figures("asks", asks_in_period, order=40)


def _register_events() -> None:
    """Register the events of this room, the kinds of record that events are about, and who may see the events."""
    register_events(EventKind)
    follower_notices.register()
    register_kind(
        name="entry",
        subject=SubjectKind.REQUEST,
        visible_ids=lambda user: Entry.objects.visible_to(user).values("pk"),
        condition=events_of_entries,
        marked_ids=lambda: Entry.objects.filter(tells_stakeholders=True).values("pk"),
    )
    register_kind(name="entry_draft", visible_ids=lambda user: Entry.objects.of_person(user).values("pk"))
    register_kind(name="referral", visible_ids=lambda user: Receipt.objects.of_person(user).values("pk"))
    register_kind(name="response", visible_ids=lambda user: Response.objects.visible_to(user).values("pk"))
    register_kind(name="receipt", visible_ids=lambda user: Receipt.objects.visible_to(user).values("pk"))
    register_kind(name="introduction", visible_ids=lambda user: Introduction.objects.visible_to(user).values("pk"))
    register_kind(name="question", visible_ids=lambda user: Question.objects.visible_to(user).values("pk"))
