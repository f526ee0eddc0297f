"""Register the commitments room with other rooms at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.agenda import register_agenda
from partnerships.agreements.figures import register_figures
from partnerships.agreements.serving import register_provider
from partnerships.agreements.stuck import register_stuck
from partnerships.commitments import follower_notices, obligations, restoring
from partnerships.commitments.belongings import COMMITMENTS, ESCALATIONS
from partnerships.commitments.email_kinds import EMAILS
from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.listing import LIST
from partnerships.commitments.models import Commitment, unit_words
from partnerships.commitments.personal import RULES
from partnerships.commitments.quantities import set_unit_words
from partnerships.commitments.queries import agenda, events_of_commitments
from partnerships.commitments.queries.figures import commitments_in_period
from partnerships.commitments.queries.serving import SERVING
from partnerships.commitments.queries.stuck import stuck_commitments, stuck_rows
from partnerships.commitments.services import hand_over_commitments
from partnerships.kit.lists import register_list
from partnerships.organisations.departures import Departure, register_departure
from partnerships.organisations.owned import register_owned
from partnerships.people.composing import register_emails
from partnerships.people.personal import register_personal


def register() -> None:
    """Register the list, events, emails, handover, agenda, figures, personal data and the rest of this room."""
    register_list(LIST)
    obligations.register()
    restoring.register()
    set_unit_words(unit_words)
    register_emails(*EMAILS)
    register_personal(RULES)

    register_events(EventKind)
    follower_notices.register()
    register_kind(
        name="commitment",
        subject=SubjectKind.COMMITMENT,
        visible_ids=lambda user: Commitment.objects.visible_to(user).values("pk"),
        condition=events_of_commitments,
        marked_ids=lambda: Commitment.objects.filter(tells_stakeholders=True).values("pk"),
    )

    register_owned(COMMITMENTS)
    register_owned(ESCALATIONS)
    register_departure(_hand_over_to_successor)

    # Commitments on agendas and reports, and as records that serve objectives.
    register_agenda(
        "20 commitments overdue",
        "Overdue commitments",
        "commitment",
        agenda.suggest_overdue,
        agenda.overdue_rows,
    )
    register_agenda(
        "25 commitments at risk",
        "Commitments at risk",
        "commitment",
        agenda.suggest_at_risk,
        agenda.at_risk_rows,
    )
    register_agenda(
        "30 commitments to confirm",
        "Commitments to confirm",
        "commitment",
        agenda.suggest_unconfirmed,
        agenda.unconfirmed_rows,
    )
    register_stuck("commitments", stuck_commitments, stuck_rows)
    register_figures("commitments", commitments_in_period, order=10)
    register_provider(SERVING)


def _hand_over_to_successor(departure: Departure) -> int:
    """Give the commitments of a person who leaves an organisation to their successor, and return how many."""
    return hand_over_commitments(
        person=departure.membership.person,
        organisation=departure.membership.organisation,
        to=departure.successor,
        author=departure.author,
        now=departure.now,
    )
