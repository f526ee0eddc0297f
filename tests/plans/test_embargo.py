"""A version under embargo stays hidden until its embargo ends."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import parse_origin_record
from partnerships.plans import services
from partnerships.plans.models import Comment, Plan, PlanCommitment, Version
from partnerships.plans.services import opening
from tests.plans.drafts import begin, content, publish, published_plan, save
from tests.support.signing_in import signed_in
from tests.world import World

HELD_BACK = "kingfisher-held-back"


def in_hours(count: int) -> dt.datetime:
    """Return the time some hours from now."""
    return timezone.now() + dt.timedelta(hours=count)


def plan_under_embargo(world: World, until: dt.datetime | None = None) -> Plan:
    """Return a plan with a version 2 that is under embargo."""
    plan = published_plan(world)
    save(plan, world, "about", summary=HELD_BACK)
    publish(plan, world, "Not yet.", embargo_until=until or in_hours(24))
    plan.refresh_from_db()
    return plan


def read_page(client: Client, name: str, plan: Plan, **more: Any) -> str:
    """Return the HTML of a page of the plan."""
    return client.get(reverse(name, kwargs={"pk": plan.pk, **more})).content.decode()


def report_milestone(plan: Plan, client: Client) -> str:
    """Report a milestone of version 2 as achieved, on its page, and return the HTML of the page that follows."""
    response = client.post(
        reverse("plans:milestone", kwargs={"pk": plan.pk, "key": "start"}),
        {"happened": "achieved", "date": "11 April 2027", "note": "The digger came.", "based_on": "2"},
        follow=True,
    )
    return response.content.decode()


def test_milestone_reported_during_an_embargo_is_published_under_the_same_embargo(world: World) -> None:
    until = in_hours(24)
    plan = plan_under_embargo(world, until)

    html = report_milestone(plan, signed_in(world.amina))

    assert "Only the owners can see this version until" in html
    assert plan.versions.get(number=3).embargo_until == until


@pytest.mark.parametrize("page", ["plans:detail", "plans:history", "plans:compare", "plans:comments"])
def test_pages_of_a_plan_hide_a_milestone_reported_during_an_embargo(world: World, page: str) -> None:
    plan = plan_under_embargo(world)
    report_milestone(plan, signed_in(world.amina))

    html = read_page(signed_in(world.ben), page, plan)

    assert HELD_BACK not in html
    assert "The digger came." not in html
    assert "ersion 2" not in html


def test_list_of_plans_hides_a_version_under_embargo(world: World) -> None:
    plan = plan_under_embargo(world)
    report_milestone(plan, signed_in(world.amina))

    html = signed_in(world.ben).get(reverse("plans:list")).content.decode()

    assert plan.title in html
    assert "ersion 2" not in html


def test_second_version_during_an_embargo_cannot_open_before_the_first(world: World) -> None:
    plan = plan_under_embargo(world, in_hours(24))
    save(plan, world, "about", source="A survey.")

    with pytest.raises(services.UnableToEmbargo, match="Version 2 is under embargo until"):
        publish(plan, world, "Sooner.", embargo_until=in_hours(1))


def test_page_to_publish_names_the_embargo_of_the_newest_version(world: World) -> None:
    plan = plan_under_embargo(world, in_hours(24))
    save(plan, world, "about", source="A survey.")

    html = read_page(signed_in(world.amina), "plans:publish", plan)

    assert "Version 2 is under embargo until" in html


def test_second_version_during_an_embargo_is_under_the_same_embargo_by_default(world: World) -> None:
    until = in_hours(24)
    plan = plan_under_embargo(world, until)
    save(plan, world, "about", source="A survey.")

    publish(plan, world, "With it.")

    visible_versions = Version.objects.visible_to(world.ben).filter(plan=plan)
    assert plan.versions.get(number=3).embargo_until == until
    assert [version.number for version in visible_versions] == [1]


@pytest.fixture
def plan_with_two_embargoes(world: World) -> Plan:
    """Return a plan with a version 2 under embargo for 24 hours, and a minor version 3 for 48 hours."""
    plan = plan_under_embargo(world, in_hours(24))
    save(plan, world, "about", title="The name after")
    publish(plan, world, "Later still.", minor=True, embargo_until=in_hours(48))
    return plan


def test_first_of_two_embargoed_versions_opens_at_the_end_of_its_embargo(plan_with_two_embargoes: Plan) -> None:
    plan = plan_with_two_embargoes
    first_end = plan.versions.get(number=2).embargo_until

    services.lift_embargoes(now=first_end + dt.timedelta(seconds=1))

    plan.refresh_from_db()
    assert plan.open_number == 2
    assert plan.announced_number == 2
    assert plan.title == "Estuary delivery programme"


def test_second_of_two_embargoed_versions_opens_at_the_end_of_its_embargo(plan_with_two_embargoes: Plan) -> None:
    plan = plan_with_two_embargoes
    services.lift_embargoes(now=in_hours(25))
    second_end = plan.versions.get(number=3).embargo_until

    services.lift_embargoes(now=second_end + dt.timedelta(seconds=1))

    plan.refresh_from_db()
    assert plan.open_number == 3
    assert plan.substantive_number == 2
    assert plan.title == "The name after"
    assert plan.embargoed_until is None


@pytest.mark.usefixtures("plan_with_two_embargoes")
def test_end_of_each_embargo_is_announced(published_numbers: list[int]) -> None:
    services.lift_embargoes(now=in_hours(25))
    services.lift_embargoes(now=in_hours(49))

    assert published_numbers == [2, 3]


def test_lifting_an_embargo_again_changes_nothing(plan_with_two_embargoes: Plan, published_numbers: list[int]) -> None:
    services.lift_embargoes(now=in_hours(25))

    services.lift_embargoes(now=in_hours(25))

    plan_with_two_embargoes.refresh_from_db()
    assert plan_with_two_embargoes.open_number == 2
    assert published_numbers == [2]


def test_embargo_in_the_past_is_refused_with_advice(world: World) -> None:
    plan = begin(world)
    yesterday = timezone.localtime() - dt.timedelta(days=1)

    response = signed_in(world.amina).post(
        reverse("plans:publish", kwargs={"pk": plan.pk}),
        {
            "note": "First version.",
            "draft_revision": "0",
            "embargo_day": yesterday.date().isoformat(),
            "embargo_time": "09:00",
        },
    )

    assert response.status_code == 422
    assert "leave the day empty to publish now" in response.content.decode()
    assert not plan.versions.exists()


def test_embargo_until_this_moment_is_refused(world: World) -> None:
    plan = begin(world)

    with pytest.raises(services.UnableToEmbargo, match="The end of the embargo is in the past"):
        publish(plan, world, embargo_until=timezone.now())


@pytest.fixture
def comment_under_embargo(world: World) -> Comment:
    """Return Eddie's comment on a version under embargo, which mentions Ben of another party."""
    return services.add_comment(
        plan=plan_under_embargo(world),
        version_number=2,
        text=f"Is {HELD_BACK} right, @Ben West?",
        author=world.eddie,
        now=timezone.now(),
    )


def test_comments_on_an_embargoed_version_are_shown_to_its_owners(world: World, comment_under_embargo: Comment) -> None:
    html = read_page(signed_in(world.vera), "plans:comments", comment_under_embargo.plan)

    assert HELD_BACK in html


def test_comments_on_an_embargoed_version_are_hidden_from_other_parties(
    world: World, comment_under_embargo: Comment
) -> None:
    plan = comment_under_embargo.plan
    ben = signed_in(world.ben)

    comments_page = read_page(ben, "plans:comments", plan)
    reply_response = ben.get(reverse("plans:reply", args=[plan.pk, comment_under_embargo.pk]))

    assert HELD_BACK not in comments_page
    assert reply_response.status_code == 404
    assert not comment_under_embargo.mentions.exists()


def test_comments_on_a_version_are_shown_to_all_parties_once_its_embargo_ends(
    world: World, comment_under_embargo: Comment
) -> None:
    services.lift_embargoes(now=in_hours(25))

    assert Comment.objects.visible_to(world.ben).filter(pk=comment_under_embargo.pk).exists()


def test_embargoed_version_cannot_be_pinned_as_baseline(world: World) -> None:
    plan = plan_under_embargo(world)

    response = signed_in(world.amina).post(reverse("plans:baseline", args=[plan.pk]), {"number": "2"}, follow=True)

    plan.refresh_from_db()
    assert "Wait until the embargo has ended" in response.content.decode()
    assert plan.baseline_number is None


@pytest.fixture
def commitment_from_embargoed_site(world: World) -> Commitment:
    """Return a commitment from a site that only version 2, which is under embargo, has."""
    plan = published_plan(world)
    site = {**content(plan, 1)["sites"][0], "name": HELD_BACK}
    services.save_piece(plan=plan, piece="sites/new", value=site, based_on=None, author=world.amina, now=timezone.now())
    publish(plan, world, "One more.", embargo_until=in_hours(24))
    return commitments.propose_commitment(
        giver=world.larkhaven,
        receiver=world.westmarch,
        text="Build it.",
        quantity=None,
        unit="",
        owner=None,
        due_on=timezone.localdate() + dt.timedelta(days=90),
        partnership=world.partnership,
        author=world.amina,
        now=timezone.now(),
        came_from=parse_origin_record(f"plan-site-{plan.sites.get(key='new').pk}"),
    )


def test_commitment_from_an_embargoed_version_names_its_site_to_owners(
    world: World, commitment_from_embargoed_site: Commitment
) -> None:
    html = signed_in(world.amina).get(commitment_from_embargoed_site.get_absolute_url()).content.decode()

    assert HELD_BACK in html


def test_commitment_from_an_embargoed_version_does_not_name_its_site_to_partners(
    world: World, commitment_from_embargoed_site: Commitment
) -> None:
    html = signed_in(world.ben).get(commitment_from_embargoed_site.get_absolute_url()).content.decode()

    assert HELD_BACK not in html
    assert "ersion 2" not in html


def test_plan_does_not_name_an_embargoed_site_to_partners_for_its_commitment(
    world: World, commitment_from_embargoed_site: Commitment
) -> None:
    plan = PlanCommitment.objects.get(commitment=commitment_from_embargoed_site).plan

    html = signed_in(world.ben).get(plan.get_absolute_url()).content.decode()

    assert HELD_BACK not in html
    assert "ersion 2" not in html


def fail_to_open(monkeypatch: pytest.MonkeyPatch, failing_plan: Plan) -> None:
    """Let `open_version` fail for one plan."""
    original_open_version = opening.open_version

    def fail_for_one_plan(plan: Plan, version: Version, at: dt.datetime) -> None:
        if plan.pk == failing_plan.pk:
            raise RuntimeError("The disk is full.")
        original_open_version(plan, version, at)

    monkeypatch.setattr(opening, "open_version", fail_for_one_plan)


def test_failure_to_lift_one_embargo_does_not_stop_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_plan = plan_under_embargo(world)
    other_plan = plan_under_embargo(world)
    fail_to_open(monkeypatch, failing_plan)

    opened_count = services.lift_embargoes(now=in_hours(25))

    assert opened_count == 1
    assert Plan.objects.get(pk=other_plan.pk).open_number == 2


def test_embargo_that_failed_to_be_lifted_is_lifted_in_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_under_embargo(world)
    with monkeypatch.context() as failing_run:
        fail_to_open(failing_run, plan)
        services.lift_embargoes(now=in_hours(25))

    opened_count = services.lift_embargoes(now=in_hours(25))

    assert opened_count == 1
    assert Plan.objects.get(pk=plan.pk).open_number == 2


def test_form_of_a_plan_refuses_a_period_that_ends_before_it_starts(world: World) -> None:
    plan = begin(world)

    response = signed_in(world.amina).post(
        reverse("plans:edit-about", kwargs={"pk": plan.pk}),
        {"title": plan.title, "period_start": "2031", "period_end": "2026", "based_on": "0"},
    )

    assert response.status_code == 422
    assert "“Period to” must not be before 2031" in response.content.decode()


def test_new_plan_cannot_have_a_period_that_ends_before_it_starts(world: World) -> None:
    with pytest.raises(services.UnableToCreatePlan, match="Period to"):
        begin(world, content={"about": {"title": "Plan", "period_start": "2031", "period_end": "2026"}})


def test_period_reversed_by_merging_two_edits_is_refused_at_publication(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "about", period_start="2031")
    imported_content = content(plan, 1)
    imported_content["about"]["period_end"] = "2029"
    services.publish_version(
        plan=plan, author=None, note="From the register.", now=timezone.now(), content=imported_content
    )

    response = signed_in(world.amina).post(
        reverse("plans:publish", kwargs={"pk": plan.pk}),
        {"note": "Both.", "draft_revision": str(plan.draft.revision)},
    )

    assert response.status_code == 422
    assert "“Period to” must not be before 2031" in response.content.decode()
