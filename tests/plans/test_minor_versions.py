"""A minor version changes no homes, dates, money or parties."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.content import get_piece
from partnerships.plans.models import Draft, Plan
from tests.plans.drafts import fewer_homes, publish, published_plan, save
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World

#: Changes that a minor version may not have, as piece, fields and the words for them in the refusal.
SUBSTANTIVE_CHANGES: list[tuple[str, dict[str, object], str]] = [
    ("sites/north-quay", {"homes": [{"tenure": "social_rent", "count": 7}]}, "Homes, Social Rent"),
    ("sites/north-quay", {"forecast_completion": "2031"}, "forecast completion"),
    ("sites/north-quay", {"grant_programme": "A new programme"}, "grant programme"),
    ("sites/north-quay", {"lead": "Tidewater"}, "lead"),
    ("milestones/start", {"forecast": "2031-03"}, "forecast"),
    ("about", {"period_end": "2039"}, "period to"),
]


@pytest.mark.parametrize(("piece", "fields", "named"), SUBSTANTIVE_CHANGES)
def test_minor_version_with_a_substantive_change_is_refused(
    world: World, piece: str, fields: dict[str, object], named: str
) -> None:
    plan = published_plan(world)
    save(plan, world, piece, **fields)

    with pytest.raises(services.UnableToPublish, match="cannot be a minor version") as refusal:
        publish(plan, world, "Small things.", minor=True)

    assert named in str(refusal.value)


@pytest.mark.parametrize(("piece", "fields"), [change[:2] for change in SUBSTANTIVE_CHANGES])
def test_substantive_change_is_published_in_an_ordinary_version(
    world: World, piece: str, fields: dict[str, object]
) -> None:
    plan = published_plan(world)
    save(plan, world, piece, **fields)

    version = publish(plan, world, "Not so small.")

    assert not version.minor


def test_minor_version_may_change_words_and_report_what_happened(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "sections/vision", body="The same, spelt right.")
    save(plan, world, "milestones/start", actual="2027-03", status="achieved")
    save(plan, world, "sites/north-quay", planning_status="outline", actual_start="2027-03")

    version = publish(plan, world, "Spelling, and what was achieved.", minor=True)

    assert version.minor


def test_site_with_homes_is_not_removed_in_a_minor_version(world: World) -> None:
    plan = published_plan(world)
    services.save_piece(
        plan=plan, piece="sites/north-quay", value=None, based_on=None, author=world.amina, now=timezone.now()
    )

    with pytest.raises(services.UnableToPublish, match="Site removed: North Quay"):
        publish(plan, world, "Gone.", minor=True)


def test_page_to_publish_offers_a_minor_version_for_a_change_of_wording(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "sections/vision", body="The same, spelt right.")

    html = signed_in(world.amina).get(reverse("plans:publish", kwargs={"pk": plan.pk})).content.decode()

    assert 'name="minor"' in html
    assert "This cannot be a minor version" not in html


def test_page_to_publish_says_why_a_version_cannot_be_minor(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)

    html = signed_in(world.amina).get(reverse("plans:publish", kwargs={"pk": plan.pk})).content.decode()

    assert 'name="minor"' not in html
    assert "homes, dates, money or parties: Homes, Social Rent" in collapse(html)


def test_form_publishes_no_minor_version_with_fewer_homes(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)
    revision = Draft.objects.get(plan=plan).revision
    data = {"note": "Fewer.", "minor": "on", "draft_revision": revision, "embargo_time": "09:00"}

    response = signed_in(world.amina).post(reverse("plans:publish", kwargs={"pk": plan.pk}), data)

    assert response.status_code == 422
    assert "Publish the draft as an ordinary version" in response.content.decode()
    assert Plan.objects.get(pk=plan.pk).current_number == 1


MILESTONE_DATA = {"note": "Rain.", "minor": "on", "based_on": "1", "date": "1 May 2031"}


def test_new_forecast_of_a_milestone_is_not_published_as_a_minor_version(world: World) -> None:
    plan = published_plan(world)
    address = reverse("plans:milestone", kwargs={"pk": plan.pk, "key": "start"})

    response = signed_in(world.amina).post(address, {**MILESTONE_DATA, "happened": "moved"})

    assert response.status_code == 422
    assert "cannot be a minor version" in response.content.decode()


def test_achieved_milestone_is_published_as_a_minor_version(world: World) -> None:
    plan = published_plan(world)
    address = reverse("plans:milestone", kwargs={"pk": plan.pk, "key": "start"})

    response = signed_in(world.amina).post(address, {**MILESTONE_DATA, "happened": "achieved"})

    version = plan.versions.get(number=2)
    assert response.status_code == 302
    assert version.minor
    assert get_piece(version.content, "milestones/start")["actual"] == "2031-05-01"
