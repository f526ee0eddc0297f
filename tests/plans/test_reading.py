"""Readers see what their reading class allows in each format."""

from __future__ import annotations

import re
from collections.abc import Callable
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


def test_a_plan_its_versions_papers_and_draft_have_titles_of_their_own(
    world: World, as_: Callable[[User], Client]
) -> None:
    plan = plan_with_two_versions(world, "partnership")
    plan_url = plan.get_absolute_url()
    client = as_(world.amina)
    paths = [
        "",
        "versions/1/",
        "versions/2/",
        "versions/1/paper/",
        "versions/2/paper/",
        "history/",
        "compare/?from=1&to=2",
    ]
    paths += ["compare/paper/?from=1&to=2", "comments/", "comments/draft/", "draft/", "draft/preview/", "draft/paper/"]

    pages = {path: client.get(f"{plan_url}{path}").content.decode() for path in paths}

    titles = {
        path: " ".join(re.findall(r"<title>(.*?)</title>", page, re.DOTALL)[0].split()) for path, page in pages.items()
    }
    paths_by_title = {title: [path for path in paths if titles[path] == title] for title in titles.values()}
    assert {title: paths_of_title for title, paths_of_title in paths_by_title.items() if len(paths_of_title) > 1} == {}


def test_version_from_before_sites_had_addresses_opens_and_compares(
    world: World, as_: Callable[[User], Client]
) -> None:
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
    plan_url = reverse("plans:detail", kwargs={"pk": plan.pk})
    client = as_(world.ben)

    assert "NQ1, Quay Street, PO16 7GZ, Westmarch" in client.get(plan_url).content.decode()
    assert client.get(f"{plan_url}versions/1/").status_code == 200
    comparison_csv = client.get(f"{plan_url}compare/csv/?from=1&to=2").content.decode()
    assert "Quay Street" in comparison_csv
    assert content_of(plan, 1)["sites"][0]["address"] == ""


@pytest.mark.parametrize("template", FORMATS)
def test_no_format_shows_confidential_parts_to_readers_outside(
    world: World, as_: Callable[[User], Client], template: str
) -> None:
    plan = plan_with_two_versions(world, "network")
    address = template.format(reverse("plans:detail", kwargs={"pk": plan.pk}))

    outside = as_(world.chidi).get(address)
    inside = as_(world.ben).get(address)

    assert outside.status_code == 200
    assert inside.status_code == 200
    assert CANARY not in outside.content.decode()
    # The number must stand alone, because tokens in the page may contain any characters.
    assert not re.search(r"(?<![\w-])7777(?![\w-])", outside.content.decode().replace("7,777", "7777"))


def test_figures_for_readers_outside_leave_out_confidential_homes(world: World, as_: Callable[[User], Client]) -> None:
    plan = plan_with_two_versions(world, "network")

    html = as_(world.chidi).get(reverse("plans:detail", kwargs={"pk": plan.pk})).content.decode()

    assert "100 homes in all" in html
    assert "7,877 homes" in as_(world.ben).get(reverse("plans:detail", kwargs={"pk": plan.pk})).content.decode()


@pytest.mark.parametrize(
    ("audience", "readers"),
    [
        ("owners", {"amina", "eddie", "vera"}),
        ("partnership", {"amina", "eddie", "vera", "ben"}),
        ("network", {"amina", "eddie", "vera", "ben", "chidi", "hana", "nadia", "oscar", "dee", "lena"}),
    ],
)
def test_audience_matches_the_page_and_both_visibility_queries(
    world: World, as_: Callable[[User], Client], audience: str, readers: set[str]
) -> None:
    plan = published_plan(world, audience=audience)
    everybody = ["amina", "eddie", "vera", "ben", "chidi", "hana", "nadia", "oscar", "dee", "lena"]

    by_page = {
        name
        for name in everybody
        if as_(getattr(world, name)).get(reverse("plans:detail", kwargs={"pk": plan.pk})).status_code == 200
    }
    by_relation = {name for name in everybody if readers_of(plan).filter(pk=getattr(world, name).pk).exists()}

    assert by_page == by_relation == readers
    assert {
        name for name in everybody if Version.objects.visible_to(getattr(world, name)).filter(plan=plan).exists()
    } == readers


def test_public_plan_is_read_without_signing_in(world: World) -> None:
    plan = published_plan(world, audience="public")

    response = Client().get(reverse("plans:detail", kwargs={"pk": plan.pk}))

    assert response.status_code == 200
    assert CANARY not in response.content.decode()
    assert "Ben West" not in response.content.decode()


def test_plan_that_is_no_longer_public_is_not_read_without_signing_in(world: World) -> None:
    plan = published_plan(world, audience="public")

    services.change_audience(
        plan=plan, audience="partnership", reason="Not yet.", author=world.amina, now=timezone.now()
    )

    assert Client().get(reverse("plans:detail", kwargs={"pk": plan.pk})).status_code == 302


def test_rows_of_confidential_sites_are_for_readers_inside(world: World) -> None:
    plan = published_plan(world, audience="network")

    assert set(Site.objects.visible_to(world.chidi).filter(plan=plan).values_list("key", flat=True)) == {"north-quay"}
    assert set(Milestone.objects.visible_to(world.chidi).filter(plan=plan).values_list("key", flat=True)) == {"start"}
    assert Site.objects.visible_to(world.ben).filter(plan=plan).count() == 2


def test_former_partner_reads_what_was_published_up_to_the_day_it_left(
    world: World, as_: Callable[[User], Client]
) -> None:
    plan = published_plan(world)
    party = world.party(world.westmarch)
    type(party).objects.filter(pk=party.pk).update(status=PartyStatus.LEFT, left_at=timezone.now())
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")
    ben = as_(world.ben)

    page = ben.get(reverse("plans:detail", kwargs={"pk": plan.pk}))
    page_of_later_version = ben.get(reverse("plans:version", kwargs={"pk": plan.pk, "number": 2}))

    assert page.status_code == 200
    assert b"Version 1" in page.content
    assert page_of_later_version.status_code == 404


def test_comparison_shows_removed_sites_and_neutralises_formulas(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)
    save(plan, world, "sections/vision", title="=cmd()")
    services.save_piece(
        plan=plan, piece="sites/north-quay", value=None, based_on=None, author=world.amina, now=timezone.now()
    )
    publish(plan, world, "Sold.")
    base = reverse("plans:compare", kwargs={"pk": plan.pk})

    html = as_(world.ben).get(f"{base}?from=1&to=2").content.decode()
    sheet = as_(world.ben).get(f"{base}csv/?from=1&to=2").content.decode()

    assert "North Quay" in html
    assert "No longer there" in html
    assert "120 fewer homes in all." in html
    assert "'=cmd()" in sheet
    assert ",=cmd()" not in sheet


def test_baseline_is_pinned_and_compared(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")

    as_(world.amina).post(reverse("plans:baseline", kwargs={"pk": plan.pk}), {"number": "1"})
    page = as_(world.ben).get(reverse("plans:compare", kwargs={"pk": plan.pk}) + "?from=baseline&to=2").content

    assert b"20 fewer homes in all." in page
    assert b"baseline" in page


def test_only_readers_of_the_draft_may_compare_with_it(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)
    address = reverse("plans:compare", kwargs={"pk": plan.pk}) + "?from=1&to=draft"

    assert as_(world.eddie).get(address).status_code == 200
    assert as_(world.ben).get(address).status_code == 404
    assert b"draft" not in as_(world.ben).get(address.partition("?")[0]).content.partition(b"<form")[2][:2000]


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

    assert get_document(world.chidi, plan, key).status_code == 404
    assert get_document(world.ben, plan, key).status_code == 200
    assert listed_titles(world.ben) == {"Layout", "Price"}
    assert listed_titles(world.chidi) == {"Layout"}


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
    with pytest.raises(services.UnableToAttach):
        services.attach_document(
            plan=begin(world),
            title="",
            file=SimpleUploadedFile("plan.pdf", b"<html><script>alert(1)</script>"),
            restricted=False,
            author=world.amina,
            now=timezone.now(),
        )


@pytest.mark.skipif(not downloads.can_make_pdf(), reason="Pango is not installed here: the page says what to install")
def test_versions_and_comparisons_can_be_read_as_pdfs(world: World, as_: Callable[[User], Client]) -> None:
    plan = plan_with_two_versions(world, "partnership")
    client = as_(world.ben)

    version_pdf = client.get(reverse("plans:pdf", kwargs={"pk": plan.pk, "number": 2}))
    comparison_pdf = client.get(reverse("plans:compare-pdf", kwargs={"pk": plan.pk}) + "?from=1&to=2")

    assert version_pdf.content.startswith(b"%PDF-")
    assert comparison_pdf.content.startswith(b"%PDF-")


def test_page_says_what_to_install_when_pdfs_cannot_be_made(
    world: World, as_: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = published_plan(world)
    monkeypatch.setattr(downloads, "can_make_pdf", lambda: False)

    response = as_(world.ben).get(reverse("plans:pdf", kwargs={"pk": plan.pk, "number": 1}))

    assert response.status_code == 503
    assert b"libpango" in response.content


def test_prose_is_sanitised(world: World, as_: Callable[[User], Client]) -> None:
    hostile = "<script>alert(1)</script> ![x](https://elsewhere.example/x.png) [go](javascript:alert(1)) **bold**"
    plan = published_plan(world, content=CONTENT | {"sections": [{"title": "Vision", "body": hostile}]})

    html = as_(world.ben).get(reverse("plans:detail", kwargs={"pk": plan.pk})).content.decode()

    assert "<script>alert" not in html
    assert "elsewhere.example" not in html
    assert 'href="javascript:' not in html
    assert "<strong>bold</strong>" in html


def test_plan_with_many_sites_needs_no_more_queries(
    world: World, as_: Callable[[User], Client], django_assert_max_num_queries: Any
) -> None:
    sites = [{"key": f"site-{number}", "name": f"Site {number}", "homes": [{"count": 5}]} for number in range(60)]
    plan = published_plan(world, content=CONTENT | {"sites": sites})
    client = as_(world.ben)

    with django_assert_max_num_queries(30):
        assert client.get(reverse("plans:detail", kwargs={"pk": plan.pk})).status_code == 200
    with django_assert_max_num_queries(25):
        assert client.get(reverse("plans:list")).status_code == 200
