"""Letters about acting for an organisation."""

from __future__ import annotations

from partnerships.kit.letters import link, send_letter
from partnerships.organisations.models import Membership


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
