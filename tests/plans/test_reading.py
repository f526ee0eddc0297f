"""Readers see what their reading class allows in each format."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import PartyStatus
from partnerships.documents import downloads
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import Document, Milestone, Plan, Site, Version
from partnerships.plans.queries import content_of, draft_content, readers_of
from tests.plans.drafts import CANARY, CONTENT, begin, fewer_homes, publish, published_plan, save
from tests.support.signing_in import signed_in
from tests.world import World

FORMATS = [
    "{0}",
    "{0}versions/1/",
    "{0}versions/1/paper/",
    "{0}history/",
    "{0}map/",
    "{0}comments/",
    "{0}compare/?from=1&to=2",
    "{0}compare/paper/?from=1&to=2",
    "{0}compare/csv/?from=1&to=2",
]


def plan_with_two_versions(world: World, audience: str) -> Plan:
    """Return a plan with two versions between which its confidential parts changed too."""
    plan = published_plan(world, audience=audience)
    fewer_homes(plan, world)
    save(plan, world, "sites/secret", homes=[{"tenure": "shared_ownership", "count": 7777}], notes=CANARY)
    save(plan, world, "sections/inside", body=f"{CANARY}: a new price.")
    publish(plan, world, "Wet ground.")
    plan.refresh_from_db()
    return plan


def test_no_two_pages_of_a_plan_have_the_same_title(world: World) -> None:
    plan = plan_with_two_versions(world, "partnership")
    plan_url = plan.get_absolute_url()
    client = signed_in(world.amina)
    paths = [
        "",
        "versions/1/",
        "versions/2/",
        "versions/1/paper/",
        "versions/2/paper/",
        "history/",
        "compare/?from=1&to=2",
        "compare/paper/?from=1&to=2",
        "comments/",
        "comments/draft/",
        "draft/",
        "draft/preview/",
        "draft/paper/",
    ]

    pages = [client.get(f"{plan_url}{path}").content.decode() for path in paths]

    titles = [" ".join(re.findall(r"<title>(.*?)</title>", html, re.DOTALL)[0].split()) for html in pages]
    assert [title for title, count in Counter(titles).items() if count > 1] == []


@pytest.fixture
def plan_with_older_version(world: World) -> Plan:
    """Return a plan whose version 1 is from before sites had addresses, and whose version 2 has an address."""
    plan = begin(world)
    content = draft_content(plan)
    older_sites = [{code: value for code, value in site.items() if code != "address"} for site in content["sites"]]
    Version.objects.create(
        plan=plan,
        number=1,
        title=plan.title,
        content={**content, "sites": older_sites},
        note="Old.",
        published_at=plan.created_at,
    )
    plan.current_number = plan.open_number = 1
    plan.open_at = plan.created_at
    plan.save()
    save(plan, world, "sites/north-quay", address="Quay Street", postcode="po167gz")
    publish(plan, world, "An address.")
    return plan


def test_plan_shows_the_address_of_a_site(world: World, plan_with_older_version: Plan) -> None:
    html = signed_in(world.ben).get(plan_with_older_version.get_absolute_url()).content.decode()

    assert "NQ1, Quay Street, PO16 7GZ, Westmarch" in html


def test_version_from_before_sites_had_addresses_opens_without_them(
    world: World, plan_with_older_version: Plan
) -> None:
    response = signed_in(world.ben).get(f"{plan_with_older_version.get_absolute_url()}versions/1/")

    assert response.status_code == 200
    assert content_of(plan_with_older_version, 1)["sites"][0]["address"] == ""


def test_version_from_before_sites_had_addresses_is_compared_with_one_that_has_them(
    world: World, plan_with_older_version: Plan
) -> None:
    address = f"{plan_with_older_version.get_absolute_url()}compare/csv/?from=1&to=2"

    comparison_csv = signed_in(world.ben).get(address).content.decode()

    assert "Quay Street" in comparison_csv


@pytest.mark.parametrize("template", FORMATS)
def test_no_format_shows_confidential_parts_to_readers_outside(world: World, template: str) -> None:
    plan = plan_with_two_versions(world, "network")
    address = template.format(reverse("plans:detail", kwargs={"pk": plan.pk}))

    response_to_stranger = signed_in(world.chidi).get(address)
    response_to_partner = signed_in(world.ben).get(address)

    html_for_stranger = response_to_stranger.content.decode()
    assert response_to_stranger.status_code == 200
    assert response_to_partner.status_code == 200
    assert CANARY not in html_for_stranger
    # The number must stand alone, because tokens in the page may contain any characters.
    assert not re.search(r"(?<![\w-])7777(?![\w-])", html_for_stranger.replace("7,777", "7777"))


def test_figures_for_readers_outside_leave_out_confidential_homes(world: World) -> None:
    plan = plan_with_two_versions(world, "network")

    html = signed_in(world.chidi).get(plan.get_absolute_url()).content.decode()

    assert "100 homes in all" in html


def test_figures_for_partners_have_confidential_homes(world: World) -> None:
    plan = plan_with_two_versions(world, "network")

    html = signed_in(world.ben).get(plan.get_absolute_url()).content.decode()

    assert "7,877 homes" in html


EVERYBODY = ["amina", "eddie", "vera", "ben", "chidi", "hana", "nadia", "oscar", "dee", "lena"]
every_audience = pytest.mark.parametrize(
    ("audience", "readers"),
    [
        ("owners", ["amina", "eddie", "vera"]),
        ("partnership", ["amina", "eddie", "vera", "ben"]),
        ("network", EVERYBODY),
    ],
    ids=["owners", "partnership", "network"],
)


@every_audience
def test_page_of_a_plan_opens_only_for_its_audience(world: World, audience: str, readers: list[str]) -> None:
    address = published_plan(world, audience=audience).get_absolute_url()

    status_by_name = {name: signed_in(getattr(world, name)).get(address).status_code for name in EVERYBODY}

    assert [name for name, status in status_by_name.items() if status == 200] == readers


@every_audience
def test_readers_of_a_plan_are_its_audience(world: World, audience: str, readers: list[str]) -> None:
    plan = published_plan(world, audience=audience)

    found_readers = readers_of(plan)

    assert [name for name in EVERYBODY if getattr(world, name) in found_readers] == readers


@every_audience
@pytest.mark.parametrize("name", EVERYBODY)
def test_version_is_visible_only_to_the_audience_of_its_plan(
    world: World, audience: str, readers: list[str], name: str
) -> None:
    plan = published_plan(world, audience=audience)

    versions = Version.objects.visible_to(getattr(world, name)).filter(plan=plan)

    assert versions.exists() == (name in readers)


def test_public_plan_is_read_without_signing_in(world: World) -> None:
    plan = published_plan(world, audience="public")

    response = Client().get(plan.get_absolute_url())

    html = response.content.decode()
    assert response.status_code == 200
    assert CANARY not in html
    assert "Ben West" not in html


def test_plan_that_is_no_longer_public_is_not_read_without_signing_in(world: World) -> None:
    plan = published_plan(world, audience="public")
    services.change_audience(
        plan=plan, audience="partnership", reason="Not yet.", author=world.amina, now=timezone.now()
    )

    response = Client().get(reverse("plans:detail", kwargs={"pk": plan.pk}))

    assert response.status_code == 302


def test_partner_sees_the_rows_of_confidential_sites(world: World) -> None:
    plan = published_plan(world, audience="network")

    sites = Site.objects.visible_to(world.ben).filter(plan=plan)

    assert {site.key for site in sites} == {"north-quay", "secret"}


def test_stranger_does_not_see_the_rows_of_confidential_sites(world: World) -> None:
    plan = published_plan(world, audience="network")

    sites = Site.objects.visible_to(world.chidi).filter(plan=plan)

    assert {site.key for site in sites} == {"north-quay"}


def test_stranger_does_not_see_the_rows_of_milestones_at_confidential_sites(world: World) -> None:
    plan = published_plan(world, audience="network")

    milestones = Milestone.objects.visible_to(world.chidi).filter(plan=plan)

    assert {milestone.key for milestone in milestones} == {"start"}


def test_former_partner_reads_what_was_published_up_to_the_day_it_left(world: World) -> None:
    plan = published_plan(world)
    party = world.party(world.westmarch)
    type(party).objects.filter(pk=party.pk).update(status=PartyStatus.LEFT, left_at=timezone.now())
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")
    ben = signed_in(world.ben)

    response = ben.get(plan.get_absolute_url())
    response_for_later_version = ben.get(reverse("plans:version", kwargs={"pk": plan.pk, "number": 2}))

    assert response.status_code == 200
    assert "Version 1" in response.content.decode()
    assert response_for_later_version.status_code == 404


def test_comparison_shows_a_removed_site_with_its_homes(world: World) -> None:
    plan = published_plan(world)
    services.save_piece(
        plan=plan, piece="sites/north-quay", value=None, based_on=None, author=world.amina, now=timezone.now()
    )
    publish(plan, world, "Sold.")

    html = signed_in(world.ben).get(f"{plan.get_absolute_url()}compare/?from=1&to=2").content.decode()

    assert "North Quay" in html
    assert "No longer there" in html
    assert "120 fewer homes in all." in html


def test_formula_in_a_compared_text_is_harmless_in_a_spreadsheet(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "sections/vision", title="=cmd()")
    publish(plan, world, "A formula.")

    sheet = signed_in(world.ben).get(f"{plan.get_absolute_url()}compare/csv/?from=1&to=2").content.decode()

    assert "'=cmd()" in sheet
    assert ",=cmd()" not in sheet


def test_version_is_compared_with_the_pinned_baseline(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")
    signed_in(world.amina).post(reverse("plans:baseline", kwargs={"pk": plan.pk}), {"number": "1"})

    html = signed_in(world.ben).get(f"{plan.get_absolute_url()}compare/?from=baseline&to=2").content.decode()

    assert "20 fewer homes in all." in html
    assert "baseline" in html


def test_only_readers_of_the_draft_may_compare_with_it(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)
    address = f"{plan.get_absolute_url()}compare/?from=1&to=draft"

    response_to_editor = signed_in(world.eddie).get(address)
    response_to_partner = signed_in(world.ben).get(address)

    assert response_to_editor.status_code == 200
    assert response_to_partner.status_code == 404


def test_comparison_offers_the_draft_to_its_readers(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)

    html = signed_in(world.eddie).get(f"{plan.get_absolute_url()}compare/").content.decode()

    assert '<option value="1"' in html
    assert '<option value="draft"' in html


def test_comparison_does_not_offer_the_draft_to_a_partner(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)

    html = signed_in(world.ben).get(f"{plan.get_absolute_url()}compare/").content.decode()

    assert '<option value="1"' in html
    assert '<option value="draft"' not in html
    assert "draft" not in html.partition("<form")[2][:2000]


class PlanWithDocuments(NamedTuple):
    """A published plan with a document for all its readers and a restricted one."""

    plan: Plan
    layout_key: str
    price_key: str


@pytest.fixture
def plan_with_documents(world: World) -> PlanWithDocuments:
    """Publish a plan with the document "Layout" and the restricted document "Price"."""
    plan = begin(world, audience="network")
    for title, is_restricted in (("Layout", False), ("Price", True)):
        services.attach_document(
            plan=plan,
            title=title,
            file=SimpleUploadedFile("../../etc/plan.txt", b"North to the top."),
            restricted=is_restricted,
            author=world.amina,
            now=timezone.now(),
        )
    key_by_title = {item["title"]: item["key"] for item in publish(plan, world).content["documents"]}
    return PlanWithDocuments(plan, key_by_title["Layout"], key_by_title["Price"])


def get_document(person: User, plan: Plan, key: str) -> Any:
    """Return the response to a request for a document."""
    return signed_in(person).get(reverse("plans:document", kwargs={"pk": plan.pk, "key": key}))


def listed_titles(person: User) -> set[str]:
    """Return the titles, among those of these tests, that a person's list of documents shows."""
    html = signed_in(person).get(reverse("plans:documents")).content.decode()
    return {title for title in ("Layout", "Site layout", "Price") if f">{title}<" in html}


def rename_one_document_and_remove_the_other(documents: PlanWithDocuments, world: World) -> None:
    """Publish a version in which the layout has another title and is restricted, and the price is missing."""
    save(documents.plan, world, f"documents/{documents.layout_key}", title="Site layout", restricted=True)
    services.save_piece(
        plan=documents.plan,
        piece=f"documents/{documents.price_key}",
        value=None,
        based_on=None,
        author=world.amina,
        now=timezone.now(),
    )
    publish(documents.plan, world, "One less.")


def test_documents_are_downloaded_as_attachments(world: World, plan_with_documents: PlanWithDocuments) -> None:
    response = get_document(world.chidi, plan_with_documents.plan, plan_with_documents.layout_key)

    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert ".." not in response["Content-Disposition"]


def test_restricted_documents_are_only_for_partners(world: World, plan_with_documents: PlanWithDocuments) -> None:
    plan, key = plan_with_documents.plan, plan_with_documents.price_key

    response_to_partner = get_document(world.ben, plan, key)
    response_to_stranger = get_document(world.chidi, plan, key)

    assert response_to_partner.status_code == 200
    assert response_to_stranger.status_code == 404


@pytest.mark.usefixtures("plan_with_documents")
def test_list_of_documents_shows_restricted_documents_only_to_partners(world: World) -> None:
    titles_for_partner = listed_titles(world.ben)
    titles_for_stranger = listed_titles(world.chidi)

    assert titles_for_partner == {"Layout", "Price"}
    assert titles_for_stranger == {"Layout"}


def test_lists_of_documents_are_those_of_the_newest_version(
    world: World, plan_with_documents: PlanWithDocuments
) -> None:
    rename_one_document_and_remove_the_other(plan_with_documents, world)

    assert listed_titles(world.ben) == {"Site layout"}
    assert listed_titles(world.chidi) == set()


def test_rows_of_documents_from_a_server_of_the_previous_release_are_corrected(
    world: World, plan_with_documents: PlanWithDocuments
) -> None:
    plan = plan_with_documents.plan
    rename_one_document_and_remove_the_other(plan_with_documents, world)
    Document.objects.filter(plan=plan).update(title="", restricted=False, in_newest=False)

    save(plan, world, "about", summary="Homes along both banks.")
    publish(plan, world, "A summary.")

    assert listed_titles(world.ben) == {"Site layout"}
    assert listed_titles(world.chidi) == set()


def test_html_page_uploaded_as_a_document_is_refused(world: World) -> None:
    plan = begin(world)
    html_file = SimpleUploadedFile("plan.pdf", b"<html><script>alert(1)</script>")

    with pytest.raises(services.UnableToAttach, match="We do not accept this type of file"):
        services.attach_document(
            plan=plan, title="", file=html_file, restricted=False, author=world.amina, now=timezone.now()
        )


needs_pango = pytest.mark.skipif(
    not downloads.can_make_pdf(), reason="Pango is not installed here: the page says what to install"
)


@needs_pango
def test_version_can_be_read_as_a_pdf(world: World) -> None:
    plan = plan_with_two_versions(world, "partnership")

    pdf = signed_in(world.ben).get(reverse("plans:pdf", args=[plan.pk, 2]))

    assert pdf.content.startswith(b"%PDF-")


@needs_pango
def test_comparison_can_be_read_as_a_pdf(world: World) -> None:
    plan = plan_with_two_versions(world, "partnership")

    pdf = signed_in(world.ben).get(reverse("plans:compare-pdf", args=[plan.pk]) + "?from=1&to=2")

    assert pdf.content.startswith(b"%PDF-")


def test_page_says_what_to_install_when_pdfs_cannot_be_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = published_plan(world)
    monkeypatch.setattr(downloads, "can_make_pdf", lambda: False)

    response = signed_in(world.ben).get(reverse("plans:pdf", kwargs={"pk": plan.pk, "number": 1}))

    assert response.status_code == 503
    assert b"libpango" in response.content


def test_prose_is_sanitised(world: World) -> None:
    hostile = "<script>alert(1)</script> ![x](https://elsewhere.example/x.png) [go](javascript:alert(1)) **bold**"
    plan = published_plan(world, content=CONTENT | {"sections": [{"title": "Vision", "body": hostile}]})

    html = signed_in(world.ben).get(reverse("plans:detail", kwargs={"pk": plan.pk})).content.decode()

    assert "<script>alert" not in html
    assert "elsewhere.example" not in html
    assert 'href="javascript:' not in html
    assert "<strong>bold</strong>" in html


MANY_SITES = [{"key": f"site-{number}", "name": f"Site {number}", "homes": [{"count": 5}]} for number in range(60)]


def test_plan_with_many_sites_needs_no_more_queries(world: World, django_assert_max_num_queries: Any) -> None:
    plan = published_plan(world, content=CONTENT | {"sites": MANY_SITES})
    client = signed_in(world.ben)

    with django_assert_max_num_queries(30):
        response = client.get(plan.get_absolute_url())

    assert response.status_code == 200


def test_list_of_plans_with_many_sites_needs_no_more_queries(world: World, django_assert_max_num_queries: Any) -> None:
    published_plan(world, content=CONTENT | {"sites": MANY_SITES})
    client = signed_in(world.ben)

    with django_assert_max_num_queries(25):
        response = client.get(reverse("plans:list"))

    assert response.status_code == 200
