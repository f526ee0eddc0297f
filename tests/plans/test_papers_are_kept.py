"""PDFs of published versions are stored, one for each reading class."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.documents import downloads
from partnerships.people.retention import apply_retention
from partnerships.plans import services
from partnerships.plans.models import ComparedPaper, Paper, Plan
from tests.plans.drafts import CANARY, ask_signatures, publish, published_plan, save
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def rendered_pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the pages that were rendered. Each PDF is its page, so that tests can read it."""
    pages: list[str] = []

    def draw(page: str) -> bytes:
        pages.append(page)
        return page.encode()

    monkeypatch.setattr(downloads, "can_make_pdf", lambda: True)
    monkeypatch.setattr(downloads, "draw_pdf", draw)
    return pages


def pdf(client: Client, plan: Plan) -> str:
    """Return the page that was rendered for the PDF of version 1, as this reader gets it."""
    response = client.get(reverse("plans:pdf", kwargs={"pk": plan.pk, "number": 1}))
    assert response.status_code == 200
    return response.content.decode()


def test_pdf_is_drawn_once_for_all_strangers(world: World, rendered_pages: list[str]) -> None:
    plan = published_plan(world, audience="public")

    pages = [pdf(client, plan) for client in (Client(), signed_in(world.chidi), Client(), signed_in(world.oscar))]

    assert len(rendered_pages) == 1
    assert pages == rendered_pages * 4
    assert CANARY not in rendered_pages[0]


def test_each_reading_class_has_its_own_pdf(world: World, rendered_pages: list[str]) -> None:
    plan = published_plan(world, audience="public")

    inside = pdf(signed_in(world.ben), plan)
    outside = pdf(signed_in(world.chidi), plan)

    assert CANARY in inside
    assert CANARY not in outside
    assert len(rendered_pages) == 2
    assert Paper.objects.count() == 2


@pytest.fixture
def comparison_address(world: World) -> str:
    """Return the address of the PDF that compares version 1 of a public plan, without the other side."""
    plan = published_plan(world, audience="public")
    save(plan, world, "sections/inside", body=f"The price rose to {CANARY}.")
    publish(plan, world, "A new price.")
    return f"{reverse('plans:compare-pdf', kwargs={'pk': plan.pk})}?from=1&to="


def test_pdf_of_two_versions_compared_is_drawn_once_for_each_reading_class(
    world: World, rendered_pages: list[str], comparison_address: str
) -> None:
    readers = (Client(), signed_in(world.chidi), signed_in(world.ben))

    page_of_visitor, page_of_chidi, page_of_ben = (
        reader.get(f"{comparison_address}2").content.decode() for reader in readers
    )

    assert page_of_visitor == page_of_chidi
    assert CANARY not in page_of_visitor
    assert CANARY in page_of_ben
    assert len(rendered_pages) == 2


def test_pdf_of_a_version_compared_with_the_draft_is_drawn_each_time(
    world: World, rendered_pages: list[str], comparison_address: str
) -> None:
    amina = signed_in(world.amina)

    responses = [amina.get(f"{comparison_address}draft") for _ in range(2)]

    assert [response.status_code for response in responses] == [200, 200]
    assert len(rendered_pages) == 2


def test_retention_deletes_stored_pdfs_of_comparisons(comparison_address: str, rendered_pages: list[str]) -> None:
    Client().get(f"{comparison_address}2")

    apply_retention(now=timezone.now() + dt.timedelta(days=30))

    assert not ComparedPaper.objects.exists()


def test_stored_pdf_is_served_only_after_the_permission_check(world: World, rendered_pages: list[str]) -> None:
    plan = published_plan(world)
    pdf(signed_in(world.ben), plan)

    response = signed_in(world.chidi).get(reverse("plans:pdf", kwargs={"pk": plan.pk, "number": 1}))

    assert response.status_code == 404


def test_new_signature_replaces_the_stored_pdf(world: World, rendered_pages: list[str]) -> None:
    plan = ask_signatures(published_plan(world), world)
    pdf(signed_in(world.ben), plan)
    services.sign_off(
        plan=plan,
        organisation=world.westmarch,
        person=world.ben,
        decision="approved",
        reason="",
        number=1,
        now=timezone.now(),
    )

    page = pdf(signed_in(world.ben), plan)

    assert "Ben West" in page
    assert len(rendered_pages) == 2
    assert Paper.objects.count() == 1


@pytest.mark.parametrize(("days", "stored_count"), [(29, 1), (30, 0)])
def test_stored_pdfs_are_deleted_after_thirty_days(
    world: World, rendered_pages: list[str], days: int, stored_count: int
) -> None:
    plan = published_plan(world, audience="public")
    pdf(Client(), plan)

    apply_retention(now=timezone.now() + dt.timedelta(days=days))

    assert Paper.objects.count() == stored_count


def test_deleted_pdf_is_drawn_again_for_the_next_reader(world: World, rendered_pages: list[str]) -> None:
    plan = published_plan(world, audience="public")
    pdf(Client(), plan)
    apply_retention(now=timezone.now() + dt.timedelta(days=30))

    pdf(Client(), plan)

    assert len(rendered_pages) == 2
