"""Helpers that make a signed nominations agreement of Westmarch and Larkhaven through the services."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.services import answer_invitation, change_status, create_partnership, invite_organisation
from partnerships.nominations.models import NominationsAgreement
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from tests.support.terms import agree_terms, draft, first_proposal, put_up, sign_all
from tests.world import World


def partnership_between(world: World, kind: str, title: str, *others: tuple[Organisation, User, str]) -> Partnership:
    """Make a partnership of Larkhaven, Westmarch and the other parties, whose terms are being drafted.

    Each of `others` is an organisation, its lead and its role.
    """
    now = timezone.now()
    partnership = create_partnership(
        organisation=world.larkhaven, author=world.amina, title=title, kind=kind, starter=True, now=now
    )
    for body, lead, role in ((world.westmarch, world.ben, "member"), *others):
        party = invite_organisation(
            partnership=partnership, organisation=body, role=role, reason="We need them.", author=world.amina, now=now
        )
        answer_invitation(party=party, accept=True, reason="", author=lead, now=now)
    change_status(partnership=partnership, status="drafting", reason="Agreed.", author=world.amina, now=now)
    return partnership


def sign_data_sharing(world: World) -> Partnership:
    """Make a signed data-sharing agreement of Larkhaven and Westmarch."""
    partnership = partnership_between(world, "data_sharing", "Data about lettings")
    version = put_up(
        draft(first_proposal(partnership), world.amina, text="We share lettings."), world.amina, checked=False
    )
    sign_all(version)
    partnership.refresh_from_db()
    return partnership


def sign_nominations(world: World, *, shares_data: bool = True, **about: Any) -> NominationsAgreement:
    """Make a nominations agreement with the values of a first draft, signed today. Riverside observes.

    `about` changes fields of the terms.
    """
    if shares_data:
        sign_data_sharing(world)
    partnership = partnership_between(
        world, "nominations", "Westmarch nominations", (world.riverside, world.nadia, "observer")
    )
    names = {"council": world.westmarch.name, "provider": world.larkhaven.name}
    agree_terms(partnership, world.amina, **{**names, **about})
    return NominationsAgreement.objects.for_pages().get(partnership=partnership)
