"""The people who may call each service of recommendations."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.people.models import User
from partnerships.recommendations import services
from partnerships.recommendations.services import RecommendationDetails, SourceDetails
from tests.agreements.test_objectives import add as add_objective
from tests.conversations.gatherings import held_meeting
from tests.recommendations.reports import (
    adopted_recommendation,
    answer_recommendation,
    make_recommendation,
    proposed,
    report_of,
)
from tests.support.rights import ADMINISTRATOR, EDITORS, PARTNER_EDITORS, Row
from tests.world import World

#: Editors and leads of the parties of the Estuary Partnership that are not observers.
PARTIES = EDITORS | PARTNER_EDITORS


def _new_recommendation(world: World) -> Any:
    """Return a recommendation that no partnership has adopted and no organisation has answered."""
    return make_recommendation(world, "Publish every figure.")


def _record_source(world: World, author: User | None) -> Any:
    details = SourceDetails("Quay review", 2017)
    return services.record_source(details=details, organisation=world.larkhaven, author=author, now=timezone.now())


def _record_recommendation(world: World, author: User | None, source: Any) -> Any:
    return services.record_recommendation(
        source=source,
        details=RecommendationDetails("Meet every year.", "memory", kinds=["council"]),
        organisation=world.larkhaven,
        author=author,
        now=timezone.now(),
    )


def _add_evidence(world: World, author: User, response: Any) -> Any:
    return services.add_evidence(
        response=response, kind="partnership", record=world.partnership.pk, author=author, now=timezone.now()
    )


def _new_response(world: World) -> Any:
    return answer_recommendation(_new_recommendation(world), world.larkhaven, world.eddie)


def _adoption_and_meeting(world: World) -> Any:
    return proposed(world, _new_recommendation(world)), held_meeting(world)


def _linked_outcome(world: World) -> Any:
    return services.link_outcome(
        adoption=adopted_recommendation(world, _new_recommendation(world)),
        record=add_objective(world),
        author=world.eddie,
        now=timezone.now(),
    )


ROWS = (
    Row("recommendations.record_source", lambda world, author, _: _record_source(world, author), EDITORS),
    Row("recommendations.record_recommendation", _record_recommendation, EDITORS, prepare=report_of),
    Row(
        "recommendations.correct_source",
        lambda world, author, source: services.correct_source(
            source=source,
            details=SourceDetails(source.title, 2015),
            reason="Its cover says so.",
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=report_of,
    ),
    Row(
        "recommendations.correct_recommendation",
        lambda world, author, made: services.correct_recommendation(
            recommendation=made,
            details=RecommendationDetails("Meet twice a year.", "seen", kinds=["council"]),
            reason="Its first page says so.",
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=_new_recommendation,
    ),
    Row(
        "recommendations.respond",
        lambda world, author, made: answer_recommendation(made, world.larkhaven, author),
        EDITORS,
        prepare=_new_recommendation,
    ),
    Row(
        "recommendations.hand_over_response",
        lambda world, author, response: services.hand_over_response(
            response=response, to=world.vera, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_new_response,
    ),
    Row("recommendations.add_evidence", _add_evidence, EDITORS, prepare=_new_response),
    Row(
        "recommendations.remove_evidence",
        lambda world, author, evidence: services.remove_evidence(evidence=evidence, author=author, now=timezone.now()),
        EDITORS,
        prepare=lambda world: _add_evidence(world, world.eddie, _new_response(world)),
    ),
    Row(
        "recommendations.propose_adoption",
        lambda world, author, made: services.propose_adoption(
            recommendation=made, partnership=world.partnership, why="It helps.", author=author, now=timezone.now()
        ),
        PARTIES,
        prepare=_new_recommendation,
    ),
    Row(
        "recommendations.adopt",
        lambda world, author, made: services.adopt(
            adoption=made[0], meeting=made[1], author=author, now=timezone.now()
        ),
        PARTIES,
        prepare=_adoption_and_meeting,
    ),
    Row(
        "recommendations.drop_adoption",
        lambda world, author, made: services.drop_adoption(
            adoption=made, reason="Done elsewhere.", author=author, now=timezone.now()
        ),
        PARTIES,
        prepare=lambda world: proposed(world, _new_recommendation(world)),
    ),
    Row(
        "recommendations.link_outcome",
        lambda world, author, made: services.link_outcome(
            adoption=made, record=world.things["objective"], author=author, now=timezone.now()
        ),
        PARTIES,
        prepare=lambda world: (
            world.things.update(objective=add_objective(world)),
            adopted_recommendation(world, _new_recommendation(world)),
        )[1],
    ),
    Row(
        "recommendations.unlink_outcome",
        lambda world, author, outcome: services.unlink_outcome(outcome=outcome, author=author, now=timezone.now()),
        PARTIES,
        prepare=_linked_outcome,
    ),
)
_EVENT = "records what another service did"
WITHOUT_A_PERSON = {
    "recommendations.load_recommendations": "called when the directory is loaded",
    "recommendations.recommendation_event": _EVENT,
    "recommendations.record_adoption": _EVENT,
    "recommendations.record_response": _EVENT,
    "recommendations.source_event": _EVENT,
}
