"""Recommendations are recorded again with more, and corrected by administrators with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Kind
from partnerships.recommendations.models import Recommendation, Source
from partnerships.recommendations.services import (
    RecommendationDetails,
    UnableToRecord,
    load_recommendations,
    record_recommendation,
)
from tests.recommendations.reports import SHARE_PLANS, make_recommendation, report_of
from tests.support.signing_in import signed_in
from tests.world import World

pytestmark = pytest.mark.django_db


def test_recording_a_recommendation_again_adds_its_reference(world: World) -> None:
    recommendation = make_recommendation(world)
    details = RecommendationDetails(SHARE_PLANS, "seen", "R7", kinds=[Kind.REGISTERED_PROVIDER, Kind.COUNCIL])

    recorded_again, outcome = record_recommendation(
        source=recommendation.source,
        details=details,
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )

    assert recorded_again.pk == recommendation.pk
    assert outcome == "changed"
    assert recorded_again.reference == "R7"
    # Themes are kept if none are given.
    assert recorded_again.themes == ["planning"]


@pytest.fixture
def loaded_recommendation(db: None) -> Recommendation:
    """Return the first recommendation of the Elphicke-House report, after all known reports were loaded."""
    load_recommendations(now=timezone.now())
    return Recommendation.objects.get(source__title="Elphicke-House report", position=1)


def correct_source(recommendation: Recommendation, world: World, **reason: str) -> HttpResponse:
    """Correct the title of the recommendation's report as Dee, an administrator."""
    return signed_in(world.dee).post(
        reverse("admin:recommendations_source_change", args=[recommendation.source_id]),
        {"title": "Elphicke-House Report (final)", "year": 2015, "publisher": "", "total": 30, "note": "", **reason},
    )


def correct_recommendation(recommendation: Recommendation, world: World, **reason: str) -> HttpResponse:
    """Correct the text of the recommendation as Dee, and address it to Westmarch, too."""
    form_data = {
        "text": "Read the report.",
        "reference": "",
        "confidence": "seen",
        "kinds": list(recommendation.addressees.exclude(kind="").values_list("kind", flat=True)),
        "organisations": [world.westmarch.pk],
        **reason,
    }
    return signed_in(world.dee).post(
        reverse("admin:recommendations_recommendation_change", args=[recommendation.pk]), form_data
    )


@pytest.mark.parametrize("correct", [correct_source, correct_recommendation])
def test_correction_needs_a_reason(
    correct: Callable[..., HttpResponse], world: World, loaded_recommendation: Recommendation
) -> None:
    response = correct(loaded_recommendation, world)

    assert response.status_code == 200, "The form asks for the reason."
    unchanged = Recommendation.objects.select_related("source").get(pk=loaded_recommendation.pk)
    assert unchanged.text == loaded_recommendation.text
    assert unchanged.source.title == "Elphicke-House report"


def test_administrator_corrects_a_report(world: World, loaded_recommendation: Recommendation) -> None:
    response = correct_source(loaded_recommendation, world, reason="The cover says so.")

    assert response.status_code == 302
    source = Source.objects.get(pk=loaded_recommendation.source_id)
    assert source.title == "Elphicke-House Report (final)"
    page = signed_in(world.chidi).get(source.get_absolute_url()).content.decode()
    assert "The cover says so." in page


def test_administrator_corrects_a_recommendation(world: World, loaded_recommendation: Recommendation) -> None:
    response = correct_recommendation(loaded_recommendation, world, reason="Page 12 says so.")

    assert response.status_code == 302
    loaded_recommendation.refresh_from_db()
    assert loaded_recommendation.text == "Read the report."
    assert loaded_recommendation.addressees.filter(organisation=world.westmarch).exists()
    page = signed_in(world.chidi).get(loaded_recommendation.get_absolute_url()).content.decode()
    assert "Page 12 says so." in page


def test_corrected_report_is_not_loaded_again(world: World, loaded_recommendation: Recommendation) -> None:
    correct_source(loaded_recommendation, world, reason="The cover says so.")
    correct_recommendation(loaded_recommendation, world, reason="Page 12 says so.")

    count = load_recommendations(now=timezone.now())

    assert count == 0
    assert Recommendation.objects.count() == 50


def test_two_people_who_record_one_report_at_once_get_a_clear_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Source.save

    def save_after_colleague(self: Source, **given: Any) -> None:
        Source.objects.bulk_create([Source(title="HARBOUR review", year=2016, recorded_at=world.now)])
        save(self, **given)

    monkeypatch.setattr(Source, "save", save_after_colleague)

    with pytest.raises(UnableToRecord, match="A colleague has just recorded Harbour review"):
        report_of(world)
