"""A version as a Word document has the parts that its reader may see, and the page of signatures."""

from __future__ import annotations

import io

import docx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import Plan
from tests.plans.drafts import CANARY, fewer_homes, plan_awaiting_signatures, publish, published_plan
from tests.support.signing_in import signed_in
from tests.world import World


def word_text(person: User, plan: Plan, number: int) -> str:
    """Return the whole text, with that of tables, of a version's Word document as this person downloads it."""
    response = signed_in(person).get(reverse("plans:word", args=[plan.pk, number]))
    assert response.status_code == 200
    document = docx.Document(io.BytesIO(response.content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def test_word_document_is_downloaded_as_a_docx_file(world: World) -> None:
    plan = published_plan(world)

    response = signed_in(world.amina).get(reverse("plans:word", args=[plan.pk, 1]))

    assert response["Content-Disposition"].endswith('.docx"')


def test_word_document_has_the_content_of_its_version(world: World) -> None:
    plan = published_plan(world)

    text = word_text(world.amina, plan, 1)

    assert "Estuary delivery programme" in text
    assert "120 Social Rent, 2 bedrooms, 2027-28" in text


def test_word_document_of_a_later_version_says_what_changed(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world, 77)
    publish(plan, world, "Fewer homes.")

    text = word_text(world.amina, plan, 2)

    assert "What changed since version 1" in text
    assert "Fewer homes." in text
    assert "77 Social Rent, 2 bedrooms, 2027-28" in text


def plan_signed_by_westmarch(world: World) -> Plan:
    """Return a plan that Ben approved for Westmarch, and about which Larkhaven has not decided."""
    plan = plan_awaiting_signatures(world)
    services.sign_off(
        plan=plan,
        number=1,
        organisation=world.westmarch,
        person=world.ben,
        decision="approved",
        now=timezone.now(),
    )
    return plan


def test_word_document_names_who_signed(world: World) -> None:
    plan = plan_signed_by_westmarch(world)

    text = word_text(world.amina, plan, 1)

    assert "Ben West, " in text


def test_word_document_has_room_for_a_missing_signature(world: World) -> None:
    plan = plan_signed_by_westmarch(world)

    text = word_text(world.amina, plan, 1)

    assert text.count("Signature:") == 1


@pytest.fixture
def plan_for_the_network(world: World) -> Plan:
    """Return a plan that Chidi, who works for no party, may read."""
    return published_plan(world, audience="network")


def test_word_document_for_an_owner_has_the_restricted_parts(world: World, plan_for_the_network: Plan) -> None:
    text = word_text(world.amina, plan_for_the_network, 1)

    assert f"The price is {CANARY}." in text


def test_word_document_for_the_network_leaves_out_the_restricted_parts(
    world: World, plan_for_the_network: Plan
) -> None:
    text = word_text(world.chidi, plan_for_the_network, 1)

    assert "North Quay" in text
    assert CANARY not in text


def test_partner_downloads_the_word_document(world: World) -> None:
    plan = published_plan(world)

    response = signed_in(world.ben).get(reverse("plans:word", args=[plan.pk, 1]))

    assert response.status_code == 200


def test_stranger_does_not_find_the_word_document(world: World) -> None:
    plan = published_plan(world)

    response = signed_in(world.chidi).get(reverse("plans:word", args=[plan.pk, 1]))

    assert response.status_code == 404


def test_visitor_must_sign_in_for_the_word_document(world: World) -> None:
    plan = published_plan(world)

    response = Client().get(reverse("plans:word", args=[plan.pk, 1]))

    assert response.status_code == 302
