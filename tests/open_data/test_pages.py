"""Open data is public once a lead turns publishing on, and shows nothing private."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.commitments.models import Commitment
from partnerships.commitments.services import record_progress
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.templatetags.kit import long_date
from partnerships.open_data.models import Publication
from partnerships.open_data.services import UnableToPublishData, begin_publishing, end_publishing
from partnerships.organisations.models import Organisation
from partnerships.organisations.services import create_organisation, merge_organisations
from partnerships.plans.models import Version
from partnerships.plans.services import create_plan, publish_version
from tests.support.signing_in import signed_in
from tests.transfer.lists import rows_of
from tests.world import World

#: A word in everything that nobody outside may read.
CANARY = "Xenotime"


def address(world: World, dataset: str = "plan") -> str:
    return reverse("open_data:file", args=[world.westmarch.pk, dataset])


def publish_files(world: World, standard: str = "plan") -> None:
    begin_publishing(
        organisation=world.westmarch, standard=standard, reason="The law asks.", author=world.ben, now=world.now
    )


def page_url(world: World) -> str:
    """Return the URL of Westmarch's page of open data."""
    return reverse("open_data:of-organisation", args=[world.westmarch.pk])


def publishing_url(world: World) -> str:
    """Return the URL on which a lead of Westmarch begins or ends publishing its plans."""
    return reverse("open_data:publishing", args=[world.westmarch.pk, "plan"])


def test_visitor_finds_no_open_data_before_a_council_publishes_any(world: World) -> None:
    assert Client().get(page_url(world)).status_code == 404
    assert Client().get(address(world)).status_code == 404


def test_lead_begins_publishing_with_a_reason(world: World) -> None:
    signed_in(world.ben).post(publishing_url(world), {"reason": "SI 2026/186"})

    assert b"Local plans" in Client().get(page_url(world)).content
    assert Client().get(address(world)).status_code == 200
    assert Event.objects.get(kind="open_data.begun").data["reason"] == "SI 2026/186"


def test_lead_ends_publishing_with_a_reason(world: World) -> None:
    publish_files(world)

    signed_in(world.ben).post(publishing_url(world), {"reason": "We moved"})

    assert Client().get(page_url(world)).status_code == 404
    assert Client().get(address(world)).status_code == 404
    assert Publication.objects.get().end_reason == "We moved"


@pytest.mark.parametrize("reason", ["", "  "])
def test_publishing_needs_a_reason(world: World, reason: str) -> None:
    with pytest.raises(UnableToPublishData, match="Enter a reason"):
        begin_publishing(organisation=world.westmarch, standard="plan", reason=reason, author=world.ben, now=world.now)


def test_same_files_are_not_published_twice(world: World) -> None:
    publish_files(world)

    with pytest.raises(UnableToPublishData, match="already"):
        publish_files(world)


def test_housing_association_cannot_publish_plans(world: World) -> None:
    with pytest.raises(UnableToPublishData, match="planning authorities"):
        begin_publishing(
            organisation=world.larkhaven, standard="plan", reason="Why not.", author=world.amina, now=world.now
        )


def test_files_that_are_not_published_cannot_be_withdrawn(world: World) -> None:
    with pytest.raises(UnableToPublishData, match="not published"):
        end_publishing(
            organisation=world.westmarch,
            standard="developer-contributions",
            reason="It moved.",
            author=world.ben,
            now=world.now,
        )


def local_plan(world: World, title: str, audience: str) -> None:
    """Publish a local plan of Westmarch with a public milestone, a confidential site and a changed draft."""
    content = {
        "about": {"title": title, "summary": "Homes for Westmarch."},
        "sites": [{"key": "quay", "name": f"{CANARY} Quay", "confidential": True}],
        "milestones": [
            {"key": "adopted", "name": "Plan adopted", "forecast": "2029-03"},
            {"key": "withdrawn", "name": "Plan withdrawn", "forecast": "2030", "note": CANARY, "restricted": True},
        ],
    }
    plan = create_plan(
        owners=[world.westmarch],
        partnership=None,
        title=title,
        kind="local_plan",
        audience=audience,
        author=world.ben,
        now=world.now,
    )
    publish_version(plan=plan, author=world.ben, note="First.", now=world.now, content=content)


@pytest.fixture
def plans_of_each_audience(world: World) -> None:
    """Publish the files of Westmarch, which has a public plan and two plans that strangers must not read."""
    local_plan(world, "Westmarch Local Plan", "public")
    local_plan(world, f"{CANARY} network plan", "network")
    local_plan(world, f"{CANARY} owners plan", "owners")
    publish_files(world)


@pytest.mark.usefixtures("plans_of_each_audience")
def test_stranger_downloads_the_public_plans_of_a_council(world: World) -> None:
    response = Client().get(address(world))

    (row,) = rows_of(response.content)
    assert row["name"] == "Westmarch Local Plan"
    assert row["datasets"] == "local-plan"
    assert row["documentation-url"].startswith(f"{settings.SITE_ORIGIN}/plans/")
    assert CANARY not in response.content.decode()


@pytest.mark.usefixtures("plans_of_each_audience")
def test_stranger_downloads_the_timetables_of_public_plans(world: World) -> None:
    (plan,) = rows_of(Client().get(address(world)).content)

    response = Client().get(address(world, "plan-timetable"))

    (event,) = rows_of(response.content)
    assert event["plan"] == plan["reference"]
    assert event["plan-event"] == "adopted"
    assert event["event-date"] == "2029-03"
    assert CANARY not in response.content.decode()


@pytest.mark.usefixtures("plans_of_each_audience")
def test_page_of_files_does_not_name_plans_that_are_not_public(world: World) -> None:
    response = Client().get(reverse("open_data:of-organisation", args=[world.westmarch.pk]))

    assert response.status_code == 200
    assert CANARY not in response.content.decode()


def test_the_page_says_on_which_day_a_file_last_changed(world: World) -> None:
    local_plan(world, "Westmarch Local Plan", "public")
    publish_files(world)

    page = Client().get(reverse("open_data:of-organisation", args=[world.westmarch.pk])).content.decode()

    changed_on = long_date(Version.objects.get(plan__title="Westmarch Local Plan").published_at)
    assert re.search(rf"Last changed</dt>\s*<dd>{changed_on}</dd>", page)


def test_file_is_a_csv_with_a_heading(world: World) -> None:
    publish_files(world)

    response = Client().get(address(world))

    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8; header=present"


def test_collector_that_has_the_file_gets_no_second_copy(world: World) -> None:
    publish_files(world)
    etag = Client().get(address(world))["ETag"]

    response = Client().get(address(world), headers={"if-none-match": etag})

    assert response.status_code == 304
    assert response.content == b""


def test_caches_must_ask_whether_a_file_is_still_published(world: World) -> None:
    publish_files(world)

    file_response = Client().get(address(world))
    unchanged_response = Client().get(address(world), headers={"if-none-match": file_response["ETag"]})

    assert file_response["Cache-Control"] == "public, no-cache"
    assert unchanged_response["Cache-Control"] == "public, no-cache"


def test_file_that_is_no_longer_published_is_not_found_even_by_a_cache(world: World) -> None:
    publish_files(world)
    etag = Client().get(address(world))["ETag"]
    end_publishing(
        organisation=world.westmarch, standard="plan", reason="We moved.", author=world.ben, now=timezone.now()
    )

    response = Client().get(address(world), headers={"if-none-match": etag})

    assert response.status_code == 404


def test_files_are_rate_limited(world: World, settings: Any) -> None:
    publish_files(world)
    settings.EXPORTS_PER_MINUTE = 1

    with time_machine.travel(timezone.now(), tick=False):  # a new minute would count from none
        statuses = [Client().get(address(world)).status_code for _ in range(2)]

    assert statuses == [200, 429]


@pytest.fixture
def kept_organisation(world: World) -> Organisation:
    """Merge Westmarch, which publishes a plan, with another record of it, and return the record that is kept."""
    local_plan(world, "Westmarch Local Plan", "public")
    publish_files(world)
    kept = create_organisation(name="Westmarch Council", kind="council", author=None, now=world.now)
    merge_organisations(kept=kept, merged=world.westmarch, reason="Twice.", author=None, now=timezone.now())
    return kept


def test_file_of_a_merged_organisation_redirects_to_that_of_the_kept_one(
    world: World, kept_organisation: Organisation
) -> None:
    response = Client().get(address(world), follow=True)

    assert response.redirect_chain == [(reverse("open_data:file", args=[kept_organisation.pk, "plan"]), 302)]
    assert rows_of(response.content)[0]["name"] == "Westmarch Local Plan"


def test_page_of_a_merged_organisation_redirects_to_that_of_the_kept_one(
    world: World, kept_organisation: Organisation
) -> None:
    response = Client().get(reverse("open_data:of-organisation", args=[world.westmarch.pk]), follow=True)

    assert kept_organisation.name in response.content.decode()


@pytest.mark.usefixtures("kept_organisation")
def test_file_that_does_not_exist_of_a_merged_organisation_is_not_found(world: World) -> None:
    response = Client().get(f"/open-data/{world.westmarch.pk}/nothing.csv")

    assert response.status_code == 404


@pytest.mark.parametrize("is_demonstration", [True, False])
def test_pages_say_that_files_are_made_up_only_for_the_demonstration(world: World, is_demonstration: bool) -> None:
    publish_files(world)
    Organisation.objects.filter(pk=world.westmarch.pk).update(is_demonstration=is_demonstration)

    index_page = Client().get(reverse("open_data:index")).content.decode()
    page_of_westmarch = Client().get(reverse("open_data:of-organisation", args=[world.westmarch.pk])).content.decode()

    assert ("Demonstration" in index_page) == is_demonstration
    assert ("Demonstration" in page_of_westmarch) == is_demonstration


def test_page_names_the_organisation_and_no_person(world: World) -> None:
    publish_files(world)

    page = Client().get(reverse("open_data:of-organisation", args=[world.westmarch.pk])).content.decode()

    assert world.westmarch.name in page
    assert "Open Government Licence v3.0" in page
    assert f"{settings.SITE_ORIGIN}{address(world)}" in page
    assert world.ben.display_name not in page
    assert world.ben.email not in page


def test_agreement_and_contribution_entered_on_pages_are_in_the_public_files(world: World) -> None:
    enter_agreement(world)
    commitment = enter_contribution(world)
    record_progress(
        commitment=commitment,
        status="in_progress",
        delivered=Decimal(5000),
        note_text="Paid.",
        author=world.ben,
        now=timezone.now(),
    )

    [agreement_row] = rows_of(Client().get(address(world, "developer-agreement")).content)
    [contribution_row] = rows_of(Client().get(address(world, "developer-agreement-contribution")).content)
    [transaction_row] = rows_of(Client().get(address(world, "developer-agreement-transaction")).content)

    assert agreement_row["reference"] == "W/77"
    assert agreement_row["developer-agreement-type"] == "section-106"
    assert agreement_row["start-date"] == "2026-03-01"
    assert contribution_row["reference"] == "W/77-a"
    assert contribution_row["developer-agreement"] == "W/77"
    assert contribution_row["amount"] == "12500"
    assert contribution_row["units"] == ""
    assert transaction_row["developer-agreement-contribution"] == "W/77-a"
    assert transaction_row["amount"] == "5000"


def enter_agreement(world: World) -> None:
    """Begin to publish Westmarch's agreements, and enter one on its page."""
    publish_files(world, "developer-contributions")
    response = signed_in(world.ben).post(
        reverse("open_data:enter-agreement", args=[world.westmarch.pk]),
        {"reference": "W/77", "kind": "section-106", "planning_application": "24/0077", "agreed_on": "1 March 2026"},
    )
    assert response.url == DeveloperAgreement.objects.get().get_absolute_url()


def enter_contribution(world: World) -> Commitment:
    """Enter a contribution to the only agreement on its page, and return its commitment."""
    signed_in(world.ben).post(
        reverse("open_data:enter-contribution", args=[DeveloperAgreement.objects.get().pk]),
        {"reference": "W/77-a", "purpose": "education", "amount": "£12,500"},
    )
    return Commitment.objects.get()


def test_contribution_is_a_commitment_of_the_developer_to_the_council(world: World) -> None:
    enter_agreement(world)

    commitment = enter_contribution(world)

    assert commitment.receiver == world.westmarch
    assert commitment.giver_name == "Developer of 24/0077"
    assert commitment.quantity == 12500
    assert commitment.unit == "pounds"


@pytest.mark.parametrize(
    ("contribution", "problem"),
    [
        ({"reference": "W/77-a", "homes": "4"}, "already exists"),
        ({"reference": "W/77-b", "homes": "4", "amount": "5"}, "Enter pounds or homes, not both"),
    ],
    ids=["same reference", "pounds and homes"],
)
def test_contribution_that_cannot_be_saved_is_refused_with_the_reason(
    world: World, contribution: dict[str, str], problem: str
) -> None:
    enter_agreement(world)
    enter_contribution(world)

    response = signed_in(world.ben).post(
        reverse("open_data:enter-contribution", args=[DeveloperAgreement.objects.get().pk]),
        {"purpose": "education", **contribution},
    )

    assert problem in response.content.decode()
    assert Commitment.objects.count() == 1
