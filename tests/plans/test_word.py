"""A version as a Word document has the parts that its reader may see, and the page of signatures."""

from __future__ import annotations

import io
from typing import Any

import docx
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.models import Plan
from tests.plans.drafts import CANARY, ask_signatures, fewer_homes, publish, published_plan
from tests.support.signing_in import signed_in
from tests.world import World


def open_word_file(client: Client, plan: Plan, number: int) -> Any:
    """Return the Word document of a version, read back with python-docx."""
    response = client.get(reverse("plans:word", kwargs={"pk": plan.pk, "number": number}))
    assert response.status_code == 200
    assert response["Content-Disposition"].endswith('.docx"')
    return docx.Document(io.BytesIO(response.content))


def text_of(document: Any) -> str:
    """Return the whole text of a document, with the text of its tables."""
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def test_word_document_has_the_content_and_what_changed(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world, 77)
    publish(plan, world, "Fewer homes.")

    document_text = text_of(open_word_file(signed_in(world.amina), plan, 2))

    assert plan.title in document_text
    assert "Fewer homes." in document_text
    assert "77 Social Rent, 2 bedrooms, 2027-28" in document_text
    assert "What changed since version 1" in document_text


def test_word_document_has_signatures_and_room_for_missing_ones(world: World) -> None:
    plan = published_plan(world)
    ask_signatures(plan, world)
    services.sign_off(
        plan=plan,
        number=1,
        organisation=world.westmarch,
        person=world.ben,
        decision="approved",
        now=timezone.now(),
    )

    document_text = text_of(open_word_file(signed_in(world.amina), plan, 1))

    assert f"{world.ben.display_name}, " in document_text
    assert "Signature:" in document_text  # Larkhaven has not decided


def test_word_document_hides_what_the_page_hides(world: World) -> None:
    plan = published_plan(world)
    services.change_audience(plan=plan, audience="network", reason="For all.", author=world.amina, now=timezone.now())

    aminas_text = text_of(open_word_file(signed_in(world.amina), plan, 1))
    chidis_text = text_of(open_word_file(signed_in(world.chidi), plan, 1))

    assert aminas_text.count(CANARY) > 2
    assert CANARY not in chidis_text
    assert "North Quay" in chidis_text


def test_stranger_and_visitor_get_no_word_document(world: World) -> None:
    plan = published_plan(world)
    address = reverse("plans:word", kwargs={"pk": plan.pk, "number": 1})

    assert signed_in(world.chidi).get(address).status_code == 404
    assert Client().get(address).status_code == 302
    assert signed_in(world.ben).get(address).status_code == 200
