"""A minor version changes no homes, dates, money or parties."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.content import get_piece
from partnerships.plans.models import Plan
from tests.plans.drafts import fewer_homes, publish, published_plan, save
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.mark.parametrize(
    ("piece", "fields", "named"),
    [
        ("sites/north-quay", {"homes": [{"tenure": "social_rent", "count": 7}]}, "Homes, Social Rent"),
        ("sites/north-quay", {"forecast_completion": "2031"}, "forecast completion"),
        ("sites/north-quay", {"grant_programme": "A new programme"}, "grant programme"),
        ("sites/north-quay", {"lead": "Tidewater"}, "lead"),
        ("milestones/start", {"forecast": "2031-03"}, "forecast"),
        ("about", {"period_end": "2039"}, "period to"),
    ],
)
def test_minor_version_with_a_substantive_change_is_refused(
    world: World, piece: str, fields: dict[str, object], named: str
) -> None:
    plan = published_plan(world)
    save(plan, world, piece, **fields)

    with pytest.raises(services.UnableToPublish, match="cannot be a minor version") as refusal:
        publish(plan, world, "Small things.", minor=True)

    assert named in str(refusal.value)
    assert not publish(plan, world, "Not so small.").minor


def test_minor_version_may_change_words_and_report_what_happened(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "sections/vision", body="The same, spelt right.")
    save(plan, world, "milestones/start", actual="2027-03", status="achieved")
    save(plan, world, "sites/north-quay", planning_status="outline", actual_start="2027-03")

    assert publish(plan, world, "Spelling, and what was achieved.", minor=True).minor


def test_site_with_homes_is_not_removed_in_a_minor_version(world: World) -> None:
    plan = published_plan(world)
    services.save_piece(
        plan=plan, piece="sites/north-quay", value=None, based_on=None, author=world.amina, now=timezone.now()
    )

    with pytest.raises(services.UnableToPublish, match="Site removed: North Quay"):
        publish(plan, world, "Gone.", minor=True)


def test_page_to_publish_says_why_a_version_cannot_be_minor(world: World) -> None:
    plan = published_plan(world)
    amina = signed_in(world.amina)
    address = reverse("plans:publish", kwargs={"pk": plan.pk})
    save(plan, world, "sections/vision", body="The same, spelt right.")
    page_before = amina.get(address).content.decode()
    fewer_homes(plan, world)

    page = amina.get(address).content.decode()
    plan.draft.refresh_from_db()
    data = {"note": "Fewer.", "minor": "on", "draft_revision": plan.draft.revision, "embargo_time": "09:00"}
    response = amina.post(address, data)

    assert 'name="minor"' in page_before
    assert "This cannot be a minor version" not in page_before
    assert 'name="minor"' not in page
    assert "homes, dates, money or parties: Homes, Social Rent" in collapse(page)
    assert response.status_code == 422
    assert "Publish the draft as an ordinary version" in response.content.decode()
    assert Plan.objects.get(pk=plan.pk).current_number == 1


def test_new_forecast_by_the_short_form_is_never_minor(world: World) -> None:
    plan = published_plan(world)
    amina = signed_in(world.amina)
    address = reverse("plans:milestone", kwargs={"pk": plan.pk, "key": "start"})
    date = {"date": "1 May 2031"}
    data = {"note": "Rain.", "minor": "on", "based_on": "1", **date}

    moved_response = amina.post(address, {**data, "happened": "moved"})
    achieved_response = amina.post(address, {**data, "happened": "achieved"})

    plan.refresh_from_db()
    newest = plan.versions.get(number=plan.current_number)
    assert moved_response.status_code == 422
    assert "cannot be a minor version" in moved_response.content.decode()
    assert achieved_response.status_code == 302
    assert newest.minor
    assert get_piece(newest.content, "milestones/start")["actual"] == "2031-05-01"
