"""A signed nominations agreement of Westmarch and Larkhaven, made through services."""

from __future__ import annotations

import datetime as dt
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
    """A partnership of Larkhaven and Westmarch, and of others if given, whose terms are drafted."""
    now = timezone.now()
    made = create_partnership(
        organisation=world.larkhaven, author=world.amina, title=title, kind=kind, starter=True, now=now
    )
    for body, lead, role in ((world.westmarch, world.ben, "member"), *others):
        party = invite_organisation(
            partnership=made, organisation=body, role=role, reason="We need them.", author=world.amina, now=now
        )
        answer_invitation(party=party, accept=True, reason="", author=lead, now=now)
    change_status(partnership=made, status="drafting", reason="Agreed.", author=world.amina, now=now)
    return made


def sign_data_sharing(world: World) -> Partnership:
    """A signed data-sharing agreement of Larkhaven and Westmarch."""
    made = partnership_between(world, "data_sharing", "Data about lettings")
    version = put_up(draft(first_proposal(made), world.amina, text="We share lettings."), world.amina, checked=False)
    sign_all(version)
    made.refresh_from_db()
    return made


def sign_nominations(world: World, *, shares_data: bool = True, **about: Any) -> NominationsAgreement:
    """The agreement, with what first drafts begin with, signed today; Riverside observes.

    `about` changes fields of the terms.
    """
    if shares_data:
        sign_data_sharing(world)
    made = partnership_between(
        world, "nominations", "Westmarch nominations", (world.riverside, world.nadia, "observer")
    )
    names = {"council": world.westmarch.name, "provider": world.larkhaven.name}
    agree_terms(made, world.amina, **{**names, **about})
    return NominationsAgreement.objects.for_pages().get(partnership=made)


def day_in_a_year() -> dt.date:
    """A day in a year."""
    return timezone.localdate() + dt.timedelta(days=365)
