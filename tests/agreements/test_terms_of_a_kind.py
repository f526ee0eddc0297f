"""Terms let parties choose from a list, and last for the days that the kind of partnership gives."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import PartnershipKind
from partnerships.agreements.queries.dates import reminder_choices_of
from partnerships.agreements.queries.terms import content_of_proposal
from partnerships.agreements.services import create_partnership, save_terms_piece
from partnerships.kit.bank_holidays import Nation, holidays
from partnerships.organisations.models import Area, AreaServed
from partnerships.organisations.nations import holidays_of_any
from tests.agreements.signing import draft_first_terms
from tests.support.signing_in import signed_in
from tests.support.terms import first_proposal
from tests.world import World

CONTRIBUTION = {"year": "2027", "money": "5000", "in_kind": "", "note": "", "based_on": "0", "key": "ab12"}


@pytest.fixture
def contribution_address(world: World) -> str:
    """Return the address of the form that adds a contribution to draft terms."""
    proposal = draft_first_terms(world)
    return reverse("agreements:terms-add", args=[world.partnership.pk, proposal.number, "contributions"])


def test_the_form_of_a_contribution_offers_the_parties(world: World, contribution_address: str) -> None:
    form = signed_in(world.amina).get(contribution_address).content.decode()

    assert f'<option value="{world.westmarch.name}">' in form


def test_a_contribution_of_a_party_is_saved_in_the_draft(world: World, contribution_address: str) -> None:
    response = signed_in(world.amina).post(contribution_address, CONTRIBUTION | {"party": world.westmarch.name})

    contributions = content_of_proposal(first_proposal(world.partnership))["contributions"]
    assert response.status_code == 302
    assert [contribution["party"] for contribution in contributions] == [world.westmarch.name]


def test_a_contribution_of_an_organisation_outside_is_refused(world: World, contribution_address: str) -> None:
    response = signed_in(world.amina).post(contribution_address, CONTRIBUTION | {"party": "Somebody else"})

    assert response.status_code == 422
    assert not content_of_proposal(first_proposal(world.partnership))["contributions"]


def test_a_name_that_a_draft_has_already_stays_on_the_list(world: World) -> None:
    proposal = draft_first_terms(world)
    row = {"party": "Old Quay Trust", "year": "2026", "money": "", "in_kind": "Land", "note": ""}
    save_terms_piece(
        proposal=proposal, piece="contributions/quay", value=row, based_on=None, author=world.amina, now=timezone.now()
    )
    page = reverse("agreements:terms-item", args=[world.partnership.pk, proposal.number, "contributions", "quay"])

    assert '<option value="Old Quay Trust" selected>' in signed_in(world.amina).get(page).content.decode()


def test_notice_and_reminder_days_come_from_the_kind(world: World) -> None:
    kind = PartnershipKind.objects.get(code=world.partnership.kind_id)
    kind.notice_days = 90
    kind.reminder_days = [14, 120]
    kind.save()

    partnership = create_partnership(
        organisation=world.larkhaven,
        author=world.amina,
        title="Quays",
        kind=kind.code,
        starter=True,
        now=timezone.now(),
    )

    assert content_of_proposal(first_proposal(partnership))["about"]["notice_days"] == 90
    party = partnership.parties.select_related("partnership").get()
    assert reminder_choices_of(party)[0] == [120, 14]


def test_meetings_avoid_the_bank_holidays_of_every_party(world: World) -> None:
    st_andrew = next(
        day for day in sorted(holidays(Nation.SCOTLAND) - holidays()) if day.month in (11, 12) and day.year >= 2024
    )
    area = Area.objects.create(code="S12000036", name="Westmarch in Scotland", kind="district")
    AreaServed.objects.filter(organisation=world.westmarch).delete()
    AreaServed.objects.create(organisation=world.westmarch, area=area, starts_on=dt.date(2020, 1, 1))

    holidays_of_both = holidays_of_any([world.larkhaven, world.westmarch])

    assert st_andrew in holidays_of_both
    assert holidays() <= holidays_of_both
    assert st_andrew not in holidays_of_any([world.larkhaven])
