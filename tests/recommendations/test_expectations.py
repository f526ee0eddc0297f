"""What members expect, as a survey published it, supports a recommendation."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.recommendations.models import Evidence
from partnerships.recommendations.queries.evidence import evidence_choices, shown_evidence
from partnerships.recommendations.services import UnableToChangeEvidence, add_evidence
from partnerships.surveys.models import Figure
from tests.recommendations.reports import answer_recommendation, make_recommendation
from tests.surveys.asking import closed_round
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_published_expectation_is_evidence_for_people_of_the_partnership(world: World) -> None:
    response = answer_recommendation(make_recommendation(world), world.larkhaven, world.eddie)
    survey = closed_round(world)
    share = survey.figures.get(theme="association_pipeline", group="")
    mean = survey.figures.exclude(pk=share.pk).order_by("pk")[0]

    def add(record: Figure) -> Evidence:
        return add_evidence(
            response=response, kind="expectation", record=record.pk, author=world.eddie, now=timezone.now()
        )

    add(share)
    with pytest.raises(UnableToChangeEvidence):
        add(mean)
    assert [pk for pk, _ in evidence_choices("expectation", world.eddie)] == [str(share.pk)]
    assert evidence_choices("expectation", world.chidi) == []
    [proof] = shown_evidence([response.pk], world.ben)[response.pk]
    assert proof.title.startswith("Share the development pipeline")
    assert proof.title.endswith("(How are we doing?, Estuary Partnership)")
    assert proof.path == survey.get_absolute_url()
    assert shown_evidence([response.pk], world.chidi) == {}
