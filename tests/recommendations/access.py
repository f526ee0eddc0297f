"""Who may open each page of recommendations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from partnerships.recommendations.services import add_evidence, link_outcome
from tests.agreements.test_objectives import add as add_objective
from tests.recommendations.reports import (
    adopted_recommendation,
    answer_recommendation,
    make_recommendation,
    proposed,
    report_of,
)
from tests.support.access import Row, everyone, expect
from tests.world import World


def prepare(world: World) -> None:
    """Make a recommendation that Larkhaven works on and the partnership has adopted, and another that is proposed."""
    source = report_of(world)
    recommendation = make_recommendation(world, source=source)
    response = answer_recommendation(
        recommendation, world.larkhaven, world.eddie, reason="We publish drafts.", owner=world.eddie
    )
    now = timezone.now()
    evidence = add_evidence(
        response=response, kind="partnership", record=world.partnership.pk, author=world.eddie, now=now
    )
    adoption = adopted_recommendation(world, recommendation)
    outcome = link_outcome(adoption=adoption, record=add_objective(world), author=world.eddie, now=now)
    second_recommendation = make_recommendation(world, "Meet every year.", source=source)
    world.things |= {
        "harbour_review": source,
        "recommendation": recommendation,
        "response_to_recommendation": response,
        "evidence_of_response": evidence,
        "adoption": adoption,
        "outcome": outcome,
        "proposed_adoption": proposed(world, second_recommendation),
        "third_recommendation": make_recommendation(world, "Say which skills you can lend.", source=source),
    }


def _arguments_for(name: str) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": world.things[name].pk}


ADOPTION, PROPOSED = _arguments_for("adoption"), _arguments_for("proposed_adoption")
RESPONSE, RECOMMENDATION = _arguments_for("response_to_recommendation"), _arguments_for("recommendation")
#: The statuses for editors and leads of Larkhaven. Its partner and its viewer may only read the page.
OWN_EDITORS = {"editor": 200, "lead": 200}

ROWS = (
    Row("recommendations:list", get=everyone()),
    Row("recommendations:sources", get=everyone()),
    Row("recommendations:source", on=_arguments_for("harbour_review"), get=everyone()),
    Row("recommendations:addressees", get=everyone()),
    Row("recommendations:moved", get=everyone()),
    Row("recommendations:coverage", get=everyone()),
    Row("recommendations:detail", on=RECOMMENDATION, get=everyone()),
    Row("recommendations:of-organisation", on=lambda world: {"pk": world.larkhaven.pk}, get=everyone()),
    Row(
        "recommendations:respond",
        on=lambda world: {**RECOMMENDATION(world), "organisation": world.larkhaven.pk},
        get=expect(inside=403, outside=403, **OWN_EDITORS),
        post=expect(inside=403, outside=403, editor=422, lead=422),
    ),
    Row(
        "recommendations:propose",
        on=_arguments_for("third_recommendation"),
        get=expect(inside=200, outside=403, viewer=403, stranger=200),
        post=expect(inside=422, outside=403, viewer=403, stranger=422),
    ),
    Row("recommendations:response", on=RESPONSE, get=everyone()),
    Row(
        "recommendations:evidence-add",
        on=lambda world: {**RESPONSE(world), "kind": "partnership"},
        get=expect(inside=403, outside=403, **OWN_EDITORS),
        post=expect(inside=403, outside=403, editor=422, lead=422),
    ),
    Row(
        "recommendations:evidence-remove",
        on=_arguments_for("evidence_of_response"),
        post=expect(inside=403, outside=404, editor=302, lead=302),
    ),
    Row(
        "recommendations:of-partnership",
        on=lambda world: {"pk": world.partnership.pk},
        get=expect(inside=200, outside=404),
    ),
    Row("recommendations:adoption", on=ADOPTION, get=expect(inside=200, outside=404)),
    Row(
        "recommendations:adopt",
        on=PROPOSED,
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row(
        "recommendations:drop",
        on=PROPOSED,
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row(
        "recommendations:outcome-link",
        on=ADOPTION,
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row(
        "recommendations:outcome-remove",
        on=_arguments_for("outcome"),
        post=expect(inside=302, outside=404, viewer=403),
    ),
)
