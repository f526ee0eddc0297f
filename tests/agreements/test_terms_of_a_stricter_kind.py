"""Terms in force, amendments and renewals still work when administrators make a kind stricter."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships import documents
from partnerships.agreements.models import KindField, PartnershipKind
from partnerships.agreements.queries.terms import content_of_proposal, version_in_force
from partnerships.agreements.services import change_status, renew
from partnerships.agreements.terms.declarations import FieldDeclaration, declare
from partnerships.agreements.terms.schema import build_schema, declarations_with
from tests.agreements.signing import clause_text, propose_change
from tests.support.moments import today
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms, first_proposal, put_up, sign_all
from tests.world import World


def add_choice_to_kind(world: World) -> KindField:
    """Sign first terms, then add a field with two choices to their kind, which the terms leave empty."""
    agree_terms(world.partnership, world.amina)
    kind = PartnershipKind.objects.get(code=world.partnership.kind_id)
    return KindField.objects.create(
        kind=kind, code="basis", label="Basis", shape="choice", choices="fee: A fee\ncost: At cost", position=50
    )


def drop_fee(field: KindField) -> None:
    """Remove the choice "fee" from the field."""
    field.choices = "cost: At cost"
    field.save()


def test_an_amendment_keeps_a_choice_that_the_kind_has_dropped(world: World) -> None:
    field = add_choice_to_kind(world)
    sign_all(put_up(propose_change(world, world.ben, world.westmarch, basis="fee"), world.ben))
    drop_fee(field)

    proposal = propose_change(world, world.amina, world.larkhaven, text="We meet twice.")
    sign_all(put_up(proposal, world.amina))

    version = version_in_force(world.partnership, today())
    assert version is not None
    assert version.content["about"]["basis"] == "fee"
    assert clause_text(version) == "We meet twice."


def test_an_amendment_with_a_dropped_choice_has_a_page(world: World) -> None:
    field = add_choice_to_kind(world)
    sign_all(put_up(propose_change(world, world.ben, world.westmarch, basis="fee"), world.ben))
    drop_fee(field)
    proposal = propose_change(world, world.amina, world.larkhaven, text="We meet twice.")

    response = signed_in(world.amina).get(proposal.get_absolute_url())

    assert response.status_code == 200


def test_versions_from_before_and_after_a_dropped_choice_are_compared(world: World) -> None:
    field = add_choice_to_kind(world)
    sign_all(put_up(propose_change(world, world.ben, world.westmarch, basis="fee"), world.ben))
    sign_all(put_up(propose_change(world, world.ben, world.westmarch, basis="cost"), world.ben))
    drop_fee(field)
    sign_all(put_up(propose_change(world, world.ben, world.westmarch, text="We meet twice."), world.ben))

    address = reverse("agreements:terms-compare", args=[world.partnership.pk])
    page = signed_in(world.amina).get(address, {"from": "2", "to": "4"})

    assert page.status_code == 200
    assert "A fee" in page.content.decode()


@pytest.mark.parametrize("first", ["loose", "strict"])
def test_amendments_from_before_and_after_a_dropped_choice_are_put_together(world: World, first: str) -> None:
    field = add_choice_to_kind(world)
    with_dropped_choice = propose_change(world, world.ben, world.westmarch, basis="fee")
    drop_fee(field)
    with_stricter_kind = propose_change(world, world.amina, world.larkhaven, text="We meet twice.")
    versions = {"strict": put_up(with_stricter_kind, world.amina), "loose": put_up(with_dropped_choice, world.ben)}

    for name in sorted(versions, key=lambda name: name != first):
        sign_all(versions[name])

    version = version_in_force(world.partnership, today())
    assert version is not None
    assert version.content["about"]["basis"] == "fee"
    assert clause_text(version) == "We meet twice."
    assert signed_in(world.ben).get(version.get_absolute_url()).status_code == 200


def test_a_draft_from_after_a_dropped_choice_is_sent_on_terms_from_before(world: World) -> None:
    field = add_choice_to_kind(world)
    version_with_dropped_choice = put_up(propose_change(world, world.ben, world.westmarch, basis="fee"), world.ben)
    drop_fee(field)
    draft_of_stricter_kind = propose_change(world, world.amina, world.larkhaven, text="We meet twice.")
    sign_all(version_with_dropped_choice)

    version = put_up(draft_of_stricter_kind, world.amina)
    draft_of_stricter_kind.refresh_from_db()

    assert version.content["about"]["basis"] == "fee"
    assert clause_text(version) == "We meet twice."
    assert content_of_proposal(draft_of_stricter_kind) == version.content


def test_a_renewal_leaves_out_what_the_kind_no_longer_takes_and_says_so(world: World) -> None:
    field = add_choice_to_kind(world)
    sign_all(put_up(propose_change(world, world.ben, world.westmarch, basis="fee"), world.ben))
    drop_fee(field)
    now = timezone.now()
    world.partnership.refresh_from_db()
    change_status(partnership=world.partnership, status="under_review", reason="Due.", author=world.amina, now=now)

    successor = renew(
        partnership=world.partnership, organisation=world.larkhaven, reason="Again.", author=world.amina, now=now
    )

    proposal = first_proposal(successor)
    html = signed_in(world.amina).get(proposal.get_absolute_url()).content.decode()
    assert content_of_proposal(proposal)["about"]["basis"] == ""
    assert "This kind of partnership no longer has “Basis”" in html


def test_a_field_keeps_its_earlier_shape_and_row_name_while_values_need_them() -> None:
    number: FieldDeclaration = {"code": "homes", "label": "Homes", "shape": "number"}
    name: FieldDeclaration = {"code": "name", "label": "Name", "shape": "line"}
    code: FieldDeclaration = {"code": "code", "label": "Code", "shape": "line"}
    lots = {"code": "lots", "label": "Lots", "one": "lot"}
    earlier_declarations = declare(
        "panel", "Panel", fields=[{**number, "shape": "line"}], tables=[{**lots, "fields": [name]}]
    )  # type: ignore[typeddict-item]  # spread
    current_declarations = declare("panel", "Panel", fields=[number], tables=[{**lots, "fields": [code, name]}])  # type: ignore[typeddict-item]  # spread
    content_in_words = documents.normalise(
        build_schema(earlier_declarations), {"about": {"homes": "a few"}, "lots": [{"name": "North"}]}
    )
    content_in_numbers = documents.normalise(build_schema(earlier_declarations), {"about": {"homes": "12"}})

    widened = declarations_with(current_declarations, earlier_declarations, content_in_words)

    assert documents.normalise(build_schema(widened), content_in_words)["about"]["homes"] == "a few"
    assert documents.normalise(build_schema(widened), content_in_words)["lots"][0]["name"] == "North"
    assert declarations_with(current_declarations, earlier_declarations, content_in_numbers) == current_declarations
