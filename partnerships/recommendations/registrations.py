"""Register the recommendations room with other rooms at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.agenda import register_agenda
from partnerships.agreements.origin import register_origin as register_objective_origin
from partnerships.commitments.origins import register_origin
from partnerships.kit.lists import register_list
from partnerships.organisations.owned import register_owned
from partnerships.organisations.sections import ON_ORGANISATIONS
from partnerships.people.personal import register_personal
from partnerships.recommendations import follower_notices, obligations
from partnerships.recommendations.belongings import RESPONSES
from partnerships.recommendations.event_kinds import EventKind
from partnerships.recommendations.listing import LIST
from partnerships.recommendations.models import Adoption, Evidence, Recommendation, Response, Source
from partnerships.recommendations.origins import OBJECTIVE, RECOMMENDATION
from partnerships.recommendations.personal import RULES
from partnerships.recommendations.queries.adoptions import agenda_suggestions, proposed_rows
from partnerships.recommendations.sections import recommendations_section


def register() -> None:
    """Register the list, events, records that are transferred to successors, and sections of other pages."""
    register_list(LIST)
    obligations.register()
    _register_events()
    register_personal(RULES)
    register_owned(RESPONSES)
    register_origin(RECOMMENDATION)
    register_objective_origin(OBJECTIVE)
    register_agenda(
        "48 recommendations",
        "Recommendations to adopt",
        "recommendation_adoption",
        agenda_suggestions,
        proposed_rows,
    )
    ON_ORGANISATIONS.register("recommendations", recommendations_section, order=55)


def _register_events() -> None:
    """Register the events of this room, and the kinds of record by which their readers are determined."""
    register_events(EventKind)
    follower_notices.register()
    register_kind(name="recommendation_source", visible_ids=lambda user: Source.objects.visible_to(user).values("pk"))
    register_kind(
        name="recommendation",
        subject=SubjectKind.RECOMMENDATION,
        visible_ids=lambda user: Recommendation.objects.visible_to(user).values("pk"),
    )
    register_kind(
        name="recommendation_response", visible_ids=lambda user: Response.objects.visible_to(user).values("pk")
    )
    register_kind(
        name="recommendation_response_inside", visible_ids=lambda user: Response.objects.of_person(user).values("pk")
    )
    register_kind(
        name="recommendation_evidence", visible_ids=lambda user: Evidence.objects.visible_to(user).values("pk")
    )
    register_kind(
        name="recommendation_adoption",
        subject=SubjectKind.RECOMMENDATION,
        subject_key="recommendation",
        visible_ids=lambda user: Adoption.objects.visible_to(user).values("pk"),
    )
