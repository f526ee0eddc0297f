"""Letters about taking part in a partnership, to the leads of organisations."""

from __future__ import annotations

from partnerships.agreements.models import Party
from partnerships.kit.letters import link, send_letter
from partnerships.organisations.queries import leads_of


def send_invitation(party: Party) -> int:
    """Tell the leads of an invited organisation; how many letters left."""
    inviter = party.invited_by
    return sum(
        send_letter(
            to=lead.email,
            template="agreements/invitation",
            context={
                "party": party,
                "partnership": party.partnership,
                "person": lead,
                "inviter": inviter,
                "link": link("agreements:answer", pk=party.partnership_id, party=party.pk),
            },
            reply_to=inviter.email if inviter else "",
        )
        for lead in leads_of(party.organisation).order_by("pk")
    )


def send_answer(party: Party) -> bool:
    """Tell whoever sent the invitation what the organisation answered."""
    inviter = party.invited_by
    if inviter is None or not inviter.is_active or inviter.is_stakeholder:
        return False
    return send_letter(
        to=inviter.email,
        template="agreements/answer",
        context={
            "party": party,
            "partnership": party.partnership,
            "person": inviter,
            "link": link("agreements:detail", pk=party.partnership_id),
        },
    )
