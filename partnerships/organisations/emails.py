"""Letters about acting for an organisation."""

from __future__ import annotations

from partnerships.kit.letters import link, send_letter
from partnerships.organisations.models import Membership
from partnerships.organisations.queries import leads_of


def send_member_invitation(membership: Membership, token: str) -> bool:
    """Ask somebody to act for an organisation; the link works once and is bound to them."""
    invitation = membership.invitation
    inviter = invitation.invited_by if invitation else None
    return send_letter(
        to=membership.person.email,
        template="organisations/invitation",
        context={
            "membership": membership,
            "organisation": membership.organisation,
            "invitation": invitation,
            "inviter": inviter,
            "link": link("organisations:accept-invitation", token=token),
        },
        reply_to=inviter.email if inviter else "",
    )


def tell_of_membership(membership: Membership, *, reason: str) -> int:
    """An administrator has let somebody in: tell the person, and the organisation's leads, each by a letter."""
    told = {membership.person, *leads_of(membership.organisation)}
    return sum(
        send_letter(
            to=one.email,
            template="organisations/let_in",
            context={
                "membership": membership,
                "organisation": membership.organisation,
                "own": one == membership.person,
                "reason": reason,
                "link": link("organisations:detail", pk=membership.organisation_id),
            },
        )
        for one in sorted(told, key=lambda person: person.pk)
    )
