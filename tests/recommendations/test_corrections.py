"""Recommendations are recorded again with more, and corrected by administrators with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
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
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_reference_seen_later_is_added_and_themes_not_given_stay(world: World) -> None:
    recommendation = make_recommendation(world)
    details = RecommendationDetails(SHARE_PLANS, "seen", "R7", kinds=[Kind.REGISTERED_PROVIDER, Kind.COUNCIL])

    changed, outcome = record_recommendation(
        source=recommendation.source,
        details=details,
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )

    assert changed.pk == recommendation.pk
    assert outcome == "changed"
    assert changed.reference == "R7"
    assert changed.themes == ["planning"]


def test_administrators_correct_reports_and_recommendations_with_a_reason(world: World, client: Client) -> None:
    load_recommendations(now=timezone.now())
    recommendation = Recommendation.objects.get(source__title="Elphicke-House report", position=1)
    kinds = list(recommendation.addressees.exclude(kind="").values_list("kind", flat=True))
    source_data = {"title": "Elphicke-House Report (final)", "year": 2015, "publisher": "", "total": 30, "note": ""}
    recommendation_data = {"text": "Read the report.", "reference": "", "confidence": "seen", "kinds": kinds}
    recommendation_data["organisations"] = [world.westmarch.pk]
    client.force_login(world.dee)

    for model, pk, form_data in (
        ("source", recommendation.source_id, source_data),
        ("recommendation", recommendation.pk, recommendation_data),
    ):
        address = reverse(f"admin:recommendations_{model}_change", args=[pk])
        assert client.post(address, form_data).status_code == 200
        assert client.post(address, form_data | {"reason": f"The {model} says so."}).status_code == 302

    client.force_login(world.chidi)
    recommendation.refresh_from_db()
    assert recommendation.text == "Read the report."
    assert recommendation.source.title == "Elphicke-House Report (final)"
    assert recommendation.addressees.filter(organisation=world.westmarch).exists()
    assert "The source says so." in page_at(client, recommendation.source.get_absolute_url())
    assert "The recommendation says so." in page_at(client, recommendation.get_absolute_url())
    assert load_recommendations(now=timezone.now()) == 0
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


def page_at(client: Client, address: str) -> str:
    """Return the HTML of the page at this address."""
    return client.get(address).content.decode()
