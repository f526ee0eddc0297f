"""A draft is shown like the version it will become, marked as a draft."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.documents import downloads
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import Document, Plan, Share
from partnerships.plans.queries import draft_content
from tests.plans.drafts import CANARY, begin, fewer_homes, publish, published_plan, save
from tests.support.pages import tight
from tests.support.signing_in import signed_in
from tests.world import World

LAYOUT = b"North to the top."


def share_draft_with(plan: Plan, world: World, person: User, *, may_comment: bool = True) -> Share:
    """Share the draft with a person as Amina."""
    return services.share_draft(
        plan=plan,
        email=person.email,
        may_comment=may_comment,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )


def attach_document(plan: Plan, world: World, title: str, *, restricted: bool = False) -> Any:
    """Attach a file to the draft as Amina."""
    return services.attach_document(
        plan=plan,
        title=title,
        file=SimpleUploadedFile("layout.txt", LAYOUT),
        restricted=restricted,
        author=world.amina,
        now=timezone.now(),
    )


def plan_page(client: Client, plan: Plan, route: str = "plans:draft", query: str = "") -> str:
    """Return the HTML of a page of the plan; without a route, of the draft."""
    response = client.get(reverse(route, kwargs={"pk": plan.pk}) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_person_with_a_share_reads_every_open_part_of_the_draft(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)

    draft_page = plan_page(signed_in(world.nadia), plan)

    texts_of_open_parts = (
        "Homes along the estuary.",
        "150 homes by 2031",
        "Build what is <em>needed</em>.",
        "120 Social Rent, 2 bedrooms, 2027-28",
        "Fareham",
        "Start on site",
        "April 2027",
        "3 × 4 = 12, medium",
        "Meet weekly.",
    )
    assert [text for text in texts_of_open_parts if text not in draft_page] == []
    assert CANARY not in draft_page


def test_draft_names_only_unrestricted_documents_to_a_person_with_a_share(world: World) -> None:
    plan = begin(world)
    attach_document(plan, world, "Site layout")
    attach_document(plan, world, "Price list", restricted=True)
    share_draft_with(plan, world, world.nadia)

    draft_page = plan_page(signed_in(world.nadia), plan)

    assert "Site layout" in draft_page
    assert "Price list" not in draft_page


@pytest.mark.parametrize(("restricted", "status_code"), [(False, 200), (True, 404)])
def test_person_with_a_share_opens_only_unrestricted_documents(
    world: World, restricted: bool, status_code: int
) -> None:
    plan = begin(world)
    document = attach_document(plan, world, "Site layout", restricted=restricted)
    share_draft_with(plan, world, world.nadia)

    response = signed_in(world.nadia).get(reverse("plans:document", args=[plan.pk, document.key]))

    assert response.status_code == status_code


def test_person_with_a_share_sees_no_links_to_pages_they_may_not_open(world: World) -> None:
    plan = published_plan(world)
    share_draft_with(plan, world, world.nadia)
    nadia = signed_in(world.nadia)

    draft_page = plan_page(nadia, plan)

    main = draft_page.partition("<main")[2].partition("</main>")[0]
    links = {unescape(link) for link in re.findall(r'href="(/[^"#]+)', main)}
    status_by_link = {link: nadia.get(link).status_code for link in links}
    assert reverse("plans:draft-paper", args=[plan.pk]) in links
    assert {link: status for link, status in status_by_link.items() if status not in (200, 302, 503)} == {}


def test_person_with_a_share_compares_the_draft_once_they_may_read_the_versions(world: World) -> None:
    plan = published_plan(world)
    share_draft_with(plan, world, world.nadia)
    services.change_audience(plan=plan, audience="network", reason="Ready.", author=world.amina, now=timezone.now())

    draft_page = plan_page(signed_in(world.nadia), plan)

    assert reverse("plans:compare", args=[plan.pk]) in draft_page


def test_draft_is_shown_like_the_version_made_from_it(world: World) -> None:
    plan = begin(world)
    attach_document(plan, world, "Site layout")
    amina = signed_in(world.amina)
    preview_page = plan_page(amina, plan, "plans:preview")

    services.publish_version(plan=plan, author=world.amina, note="First version.", now=timezone.now())

    version_page = plan_page(amina, plan, "plans:detail")
    ids = ("outcomes", "sections-vision", "sections-inside", "sites", "milestones", "risks", "documents")
    assert [part for part in ids if f'id="{part}"' not in preview_page] == []
    assert [part for part in ids if f'id="{part}"' not in version_page] == []


def test_preview_shows_confidential_sites_to_owners(world: World) -> None:
    plan = begin(world)

    preview_page = plan_page(signed_in(world.amina), plan, "plans:preview")

    assert f"Plot {CANARY}" in preview_page


def test_changed_text_of_a_draft_is_only_in_its_preview(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "sections/vision", body="Build **more**.")
    amina = signed_in(world.amina)

    preview_page = plan_page(amina, plan, "plans:preview")
    published_page = plan_page(amina, plan, "plans:detail")

    assert "Build <strong>more</strong>." in preview_page
    assert "Build <strong>more</strong>." not in published_page


def test_comments_on_a_draft_are_shown_to_people_who_may_comment(world: World) -> None:
    plan = begin(world)
    share_draft_with(plan, world, world.nadia)
    share_draft_with(plan, world, world.chidi, may_comment=False)
    services.add_comment(
        plan=plan,
        version_number=0,
        text="How tall?",
        anchor="sites/north-quay",
        author=world.nadia,
        now=timezone.now(),
    )

    nadias_page, chidis_page, aminas_page = (
        tight(plan_page(signed_in(person), plan)) for person in (world.nadia, world.chidi, world.amina)
    )

    assert '?about=sites/north-quay">1 comment<' in nadias_page
    assert '?about=sections/vision">Comment<' in nadias_page
    assert "?about=" not in chidis_page
    assert '?about=sites/north-quay">1 comment<' in aminas_page


@pytest.mark.parametrize("route", ["plans:draft", "plans:preview", "plans:draft-paper"])
def test_draft_is_marked_in_every_view(world: World, route: str) -> None:
    plan = begin(world)

    html = plan_page(signed_in(world.amina), plan, route)

    assert 'class="cg-draft-mark"' in html
    assert 'class="cg-draft"' in html


@pytest.mark.parametrize("route", ["plans:compare", "plans:compare-paper"])
def test_comparison_with_a_draft_is_marked(world: World, route: str) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)

    comparison = plan_page(signed_in(world.amina), plan, route, "?from=1&to=draft")

    assert 'class="cg-draft-mark"' in comparison


@pytest.mark.parametrize("route", ["plans:compare", "plans:compare-paper"])
def test_comparison_of_two_versions_is_not_marked(world: World, route: str) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")

    comparison = plan_page(signed_in(world.amina), plan, route, "?from=1&to=2")

    assert 'class="cg-draft-mark"' not in comparison


@pytest.fixture
def pages_sent_to_pdf(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which the HTML of each PDF is added. WeasyPrint is replaced, so no PDF is drawn."""
    pages: list[str] = []

    class FakeHTML:
        def __init__(self, *, string: str, url_fetcher: object) -> None:
            pages.append(string)

        def write_pdf(self, **_options: object) -> bytes:
            return b"%PDF-"

    monkeypatch.setattr(downloads, "can_make_pdf", lambda: True)
    monkeypatch.setattr(downloads, "weasyprint", type("weasyprint", (), {"HTML": FakeHTML}))
    return pages


@pytest.mark.parametrize(
    ("route", "query", "is_marked"),
    [
        ("plans:draft-pdf", "", True),
        ("plans:compare-pdf", "?from=1&to=draft", True),
        ("plans:compare-pdf", "?from=1&to=1", False),
    ],
)
def test_every_page_of_the_pdf_of_a_draft_is_marked(
    world: World, pages_sent_to_pdf: list[str], route: str, query: str, is_marked: bool
) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)

    signed_in(world.amina).get(reverse(route, kwargs={"pk": plan.pk}) + query)

    (html,) = pages_sent_to_pdf
    assert ('content: "DRAFT: not published, may change"' in html) == is_marked


@pytest.fixture
def removed_document(world: World) -> Document:
    """Return a document that Eddie removed from the draft, while Amina was editing it."""
    plan = begin(world)
    document = attach_document(plan, world, "Site layout")
    services.save_piece(
        plan=plan, piece=f"documents/{document.key}", value=None, based_on=None, author=world.eddie, now=timezone.now()
    )
    return document


def save_title(document: Document, client: Client, *, based_on: str) -> Any:
    """Save another title of the document on its page, and return the response."""
    address = reverse("plans:edit-item", args=[document.plan_id, "documents", document.key])
    return client.post(address, {"title": "Layout of the site", "based_on": based_on})


def test_saving_a_document_that_was_removed_meanwhile_is_a_conflict(world: World, removed_document: Document) -> None:
    response = save_title(removed_document, signed_in(world.amina), based_on="1")

    html = response.content.decode()
    assert response.status_code == 409
    assert "Eddie Larch removed this while you were editing it" in html
    assert "Keep my version" in html


def test_keeping_a_document_that_was_removed_meanwhile_keeps_its_file(world: World, removed_document: Document) -> None:
    save_title(removed_document, signed_in(world.amina), based_on="2")

    (saved_document,) = draft_content(removed_document.plan)["documents"]
    assert saved_document["title"] == "Layout of the site"
    assert saved_document["file_name"] == "layout.txt"
    assert saved_document["size"] == len(LAYOUT)
