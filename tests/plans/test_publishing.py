"""A draft is published as a numbered version that never changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import InternalError, transaction
from django.urls import reverse
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.models import Homes, Milestone, Plan, Site, Version
from partnerships.plans.queries import draft_content, milestones_due_by
from tests.plans.drafts import CONTENT, begin, content, fewer_homes, publish, published_plan, save
from tests.support.signing_in import signed_in
from tests.world import World


def test_plan_is_shared_from_its_first_version(world: World) -> None:
    plan = begin(world)

    publish(plan, world)

    plan.refresh_from_db()
    assert plan.status == "shared"
    assert plan.current_number == 1


def test_next_version_has_the_next_number_and_a_summary_of_its_changes(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)

    version = publish(plan, world, "The ground is wet.")

    plan.refresh_from_db()
    assert version.number == 2
    assert plan.current_number == 2
    assert plan.status == "shared"
    assert version.figures["inside"]["summary"] == "1 change. 20 fewer homes in all."
    assert version.organisation == world.larkhaven


def test_unchanged_draft_cannot_be_published(world: World) -> None:
    plan = published_plan(world)

    with pytest.raises(services.UnableToPublish, match="Nothing has changed"):
        publish(plan, world, "Nothing.")


def test_draft_that_was_changed_back_cannot_be_published(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world, 100)
    fewer_homes(plan, world, 120)

    with pytest.raises(services.UnableToPublish, match="Nothing has changed"):
        publish(plan, world, "There and back.")


def test_publishing_needs_a_note(world: World) -> None:
    with pytest.raises(services.UnableToPublish, match="what changed and why"):
        publish(begin(world), world, "  ")


def test_draft_saved_since_the_page_was_opened_is_not_published(world: World) -> None:
    plan = begin(world)
    save(plan, world, "about", summary="Other words.")

    with pytest.raises(services.UnableToPublish, match="changed since you opened this page"):
        publish(plan, world, draft_choices=services.DraftChoices(revision=0))


def test_database_refuses_to_change_a_published_version(world: World) -> None:
    versions = Version.objects.filter(plan=published_plan(world))

    with pytest.raises(InternalError, match="Cannot"), transaction.atomic():
        versions.update(note="Rewritten.")

    assert versions.get().note == "First version."


def test_database_refuses_to_delete_a_published_version(world: World) -> None:
    versions = Version.objects.filter(plan=published_plan(world))

    with pytest.raises(InternalError, match="Cannot"), transaction.atomic():
        versions.delete()

    assert versions.get().note == "First version."


def test_publishing_updates_the_row_of_a_changed_site_and_its_homes(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)

    publish(plan, world, "Wet ground.")

    quay = Site.objects.get(plan=plan, key="north-quay")
    assert quay.homes == 100
    assert quay.area == world.fareham
    assert Homes.objects.get(site=quay).count == 100


def test_publishing_keeps_the_row_of_an_unchanged_site(world: World) -> None:
    plan = published_plan(world)
    unchanged_site = Site.objects.get(plan=plan, key="secret")
    fewer_homes(plan, world)

    publish(plan, world, "Wet ground.")

    assert Site.objects.get(plan=plan, key="secret").pk == unchanged_site.pk


def test_publishing_updates_the_row_of_a_changed_milestone(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "milestones/start", forecast="2027-07")

    publish(plan, world, "Wet ground.")

    start = Milestone.objects.get(plan=plan, key="start")
    assert start.forecast == "2027-07"
    assert start.due_by == dt.date(2027, 7, 31)


def test_version_from_an_import_keeps_changes_in_the_draft(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "about", summary="Drafted words.")
    imported_content = content(plan, 1)
    imported_content["milestones"][0]["forecast"] = "2027-10"

    services.publish_version(
        plan=plan, author=None, note="From the register.", now=timezone.now(), content=imported_content
    )

    draft = draft_content(Plan.objects.get(pk=plan.pk))
    assert draft["about"]["summary"] == "Drafted words."
    assert draft["milestones"][0]["forecast"] == "2027-10"


def test_milestone_achieved_while_its_note_is_drafted_stays_achieved(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "milestones/start", note="The digger is ordered.")
    start = content(plan, 1)["milestones"][0]
    services.publish_piece(
        plan=plan,
        piece="milestones/start",
        value={**start, "actual": "2027-04-11", "status": "achieved"},
        based_on=1,
        author=world.amina,
        note="The digger came.",
        now=timezone.now(),
    )

    publish(plan, world, "The note.")

    newest_milestone = content(plan, 3)["milestones"][0]
    assert newest_milestone["actual"] == "2027-04-11"
    assert newest_milestone["status"] == "achieved"
    assert newest_milestone["note"] == "The digger is ordered."


@pytest.fixture
def embargoed_plan(world: World) -> Plan:
    """Return a plan with a version 2 that is under embargo until tomorrow."""
    plan = published_plan(world)
    save(plan, world, "about", title="A secret name", summary="Embargoed words.")
    publish(plan, world, "Held back.", embargo_until=timezone.now() + dt.timedelta(days=1))
    return plan


def test_version_under_embargo_is_shown_to_owners(world: World, embargoed_plan: Plan) -> None:
    html = signed_in(world.vera).get(reverse("plans:detail", kwargs={"pk": embargoed_plan.pk})).content.decode()

    assert "Embargoed words." in html


def test_version_under_embargo_is_hidden_from_partners(world: World, embargoed_plan: Plan) -> None:
    ben = signed_in(world.ben)

    plan_page = ben.get(reverse("plans:detail", kwargs={"pk": embargoed_plan.pk})).content
    list_page = b" ".join(ben.get(reverse("plans:list")).content.split())
    history_page = ben.get(reverse("plans:history", kwargs={"pk": embargoed_plan.pk})).content

    assert b"Embargoed words." not in plan_page
    assert b"Homes along the estuary." in plan_page
    assert b"A secret name" not in list_page
    assert b"version 1" in list_page
    assert b"Held back." not in history_page


def test_plan_whose_first_version_is_under_embargo_is_hidden_from_partners(world: World) -> None:
    plan = begin(world)
    publish(plan, world, embargo_until=timezone.now() + dt.timedelta(days=1))
    address = reverse("plans:detail", kwargs={"pk": plan.pk})

    response_to_owner = signed_in(world.vera).get(address)
    response_to_partner = signed_in(world.ben).get(address)

    assert response_to_owner.status_code == 200
    assert response_to_partner.status_code == 404


def test_end_of_an_embargo_is_announced_once(world: World, published_numbers: list[int]) -> None:
    plan = published_plan(world)
    save(plan, world, "about", title="The new name")
    until = timezone.now() + dt.timedelta(hours=1)
    publish(plan, world, "Held back.", embargo_until=until)
    published_numbers.clear()

    services.lift_embargoes(now=until + dt.timedelta(seconds=1))
    services.lift_embargoes(now=until + dt.timedelta(seconds=2))

    plan.refresh_from_db()
    assert published_numbers == [2]
    assert plan.title == "The new name"


ACHIEVED = {
    "happened": "achieved",
    "date": "11 April 2027",
    "note": "The digger came.",
    "based_on": "1",
}


def test_milestone_is_marked_achieved_by_one_form_in_one_version(world: World) -> None:
    plan = published_plan(world)

    response = signed_in(world.amina).post(reverse("plans:milestone", kwargs={"pk": plan.pk, "key": "start"}), ACHIEVED)

    version = plan.versions.get(number=2)
    assert response.status_code == 302
    assert version.content["milestones"][0]["actual"] == "2027-04-11"
    assert version.note == "The digger came."
    assert Milestone.objects.get(plan=plan, key="start").status == "achieved"


@pytest.fixture
def changed_milestone(world: World) -> Plan:
    """Return a plan whose milestone changed in version 2, so that an update based on version 1 conflicts."""
    plan = published_plan(world)
    save(plan, world, "milestones/start", forecast="2027-10", note="Flooded.")
    publish(plan, world, "Flooded.")
    return plan


def test_conflicting_update_of_a_milestone_shows_the_other_change(world: World, changed_milestone: Plan) -> None:
    address = reverse("plans:milestone", kwargs={"pk": changed_milestone.pk, "key": "start"})

    response = signed_in(world.amina).post(address, ACHIEVED)

    html = response.content.decode()
    assert response.status_code == 409
    assert "Milestone Start on site, forecast: was April 2027, now October 2027 (2 quarters later)" in html
    assert 'name="based_on" value="2"' in html
    assert changed_milestone.versions.count() == 2


def test_update_of_a_milestone_based_on_the_newest_version_keeps_its_other_changes(
    world: World, changed_milestone: Plan
) -> None:
    address = reverse("plans:milestone", kwargs={"pk": changed_milestone.pk, "key": "start"})

    response = signed_in(world.amina).post(address, ACHIEVED | {"based_on": "2"})

    newest_milestone = content(changed_milestone, 3)["milestones"][0]
    assert response.status_code == 302
    assert newest_milestone["actual"] == "2027-04-11"
    assert newest_milestone["forecast"] == "2027-10"
    assert newest_milestone["note"] == "Flooded."


def test_unrelated_version_does_not_conflict_with_a_milestone_update(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "about", summary="Both banks.")
    publish(plan, world, "Both banks.")

    response = signed_in(world.amina).post(reverse("plans:milestone", kwargs={"pk": plan.pk, "key": "start"}), ACHIEVED)

    assert response.status_code == 302
    assert content(plan, 3)["about"]["summary"] == "Both banks."


@pytest.fixture
def plan_with_late_milestones(world: World) -> Plan:
    """Return a plan for the network with milestones of January 2026. One of them is restricted, and one is done."""
    milestones = [
        {"key": "late", "name": "Late", "forecast": "2026-01"},
        {"key": "hidden", "name": "Hidden", "forecast": "2026-01", "restricted": True},
        {"key": "done", "name": "Done", "forecast": "2026-01", "actual": "2026-01"},
    ]
    return published_plan(world, audience="network", content=CONTENT | {"milestones": milestones})


@pytest.mark.usefixtures("plan_with_late_milestones")
def test_restricted_milestones_that_are_overdue_are_shown_only_to_partners(world: World) -> None:
    today = dt.date(2026, 2, 10)

    overdue_for_partner = Milestone.objects.visible_to(world.ben).overdue(today)
    overdue_for_stranger = Milestone.objects.visible_to(world.chidi).overdue(today)

    assert {milestone.key for milestone in overdue_for_partner} == {"late", "hidden"}
    assert {milestone.key for milestone in overdue_for_stranger} == {"late"}


@pytest.mark.usefixtures("plan_with_late_milestones")
def test_milestones_due_by_a_day_are_those_not_yet_achieved(world: World) -> None:
    due_milestones = milestones_due_by(world.ben, dt.date(2026, 2, 14))

    assert {milestone.key for milestone in due_milestones} == {"late", "hidden"}


def test_plan_shared_for_comment_cannot_be_monitored(world: World) -> None:
    plan = published_plan(world)

    with pytest.raises(services.UnableToChangeStatus, match="from shared for comment to monitoring"):
        services.change_status(plan=plan, to="monitoring", reason="Too soon.", author=world.amina, now=timezone.now())


def test_status_of_a_plan_is_not_changed_without_a_reason(world: World) -> None:
    plan = published_plan(world)

    with pytest.raises(services.UnableToChangeStatus, match="Enter a reason"):
        services.change_status(plan=plan, to="closed", reason="", author=world.amina, now=timezone.now())


def closed_plan(world: World) -> Plan:
    """Return a published plan that Amina then closed."""
    plan = published_plan(world)
    services.change_status(plan=plan, to="closed", reason="All built.", author=world.amina, now=timezone.now())
    return plan


def test_closed_plan_cannot_be_published(world: World) -> None:
    plan = closed_plan(world)

    with pytest.raises(services.UnableToPublish, match="you can no longer publish it"):
        publish(plan, world, "Too late.", content=CONTENT)


def test_closed_plan_cannot_be_changed(world: World) -> None:
    plan = closed_plan(world)

    with pytest.raises(services.UnableToSavePiece, match="you can no longer change it"):
        fewer_homes(plan, world)


def content_with_both_kinds_of_years(plan: Plan) -> dict[str, Any]:
    """Return the content of version 1, with calendar years for the homes of the second site."""
    first_content = content(plan, 1)
    quay, secret_site = first_content["sites"]
    calendar_homes = [{"tenure": "social_rent", "year": "2028", "count": 5}]
    return {**first_content, "sites": [quay, {**secret_site, "homes": calendar_homes}]}


def test_content_with_both_kinds_of_years_is_not_published(world: World) -> None:
    plan = published_plan(world)

    with pytest.raises(services.UnableToPublish, match="the same kind of year for all"):
        publish(plan, world, "Both.", content=content_with_both_kinds_of_years(plan))


def test_content_with_both_kinds_of_years_is_published_as_it_was_elsewhere(world: World) -> None:
    plan = published_plan(world)
    mixed_content = content_with_both_kinds_of_years(plan)

    version = publish(plan, world, "Both.", content=mixed_content, published_elsewhere=True)

    assert version.number == 2


def test_plan_that_already_has_both_kinds_of_years_can_keep_them(world: World) -> None:
    plan = published_plan(world)
    mixed_content = content_with_both_kinds_of_years(plan)
    publish(plan, world, "Both.", content=mixed_content, published_elsewhere=True)

    version = publish(plan, world, "An older plan goes on.", content={**mixed_content, "outcomes": []})

    assert version.number == 3
