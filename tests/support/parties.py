"""Let organisations join and leave the world's partnership."""

from __future__ import annotations

from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.agreements.services import answer_invitation, invite_organisation, leave_partnership
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from tests.world import World


def invite_and_accept(world: World, organisation: Organisation, *, accepted_by: User, role: str = "member") -> Party:
    """Invite an organisation to the partnership, accept the invitation, and return the new party."""
    party = invite_organisation(
        partnership=world.partnership,
        organisation=organisation,
        role=role,
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    answer_invitation(party=party, accept=True, reason="", author=accepted_by, now=timezone.now())
    return party


def leave_partnership_as_westmarch(world: World) -> None:
    """Take Westmarch out of the partnership, as its lead Ben."""
    leave_partnership(party=world.party(world.westmarch), reason="Budget.", author=world.ben, now=timezone.now())
