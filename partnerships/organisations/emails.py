"""Letters about acting for an organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from partnerships.kit.letters import link, send_letter
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.queries import leads_of
from partnerships.people.models import User


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
    """An administrator has let somebody in: tell the person, and who watches over it, each by a letter."""
    return _tell("let_in", membership, {membership.person, *_watching(membership)}, reason=reason)


def tell_of_invitation(membership: Membership, *, reason: str) -> int:
    """An administrator has invited somebody: tell who watches over the organisation, each by a letter."""
    return _tell("invited_by_administrator", membership, _watching(membership), reason=reason)


def tell_of_role(membership: Membership, *, reason: str) -> int:
    """An administrator has given somebody another role: tell the person, and who watches over it, each by a letter."""
    return _tell("role_by_administrator", membership, {membership.person, *_watching(membership)}, reason=reason)


def tell_of_ways_in(organisation: Organisation, *, before: Mapping[str, Any], author: User | None, reason: str) -> int:
    """How its people sign in has changed: tell its leads, each by a letter."""
    return sum(
        send_letter(
            to=lead.email,
            template="organisations/ways_in",
            context={
                "organisation": organisation,
                "before": before,
                "author": author,
                "reason": reason.strip(),
                "link": link("organisations:detail", pk=organisation.pk),
            },
        )
        for lead in leads_of(organisation).order_by("pk")
    )


def _watching(membership: Membership) -> set[User]:
    """The leads besides the person, or, where nobody else leads, all administrators: what one does is never unseen."""
    leads = set(leads_of(membership.organisation).exclude(pk=membership.person_id))
    return leads or set(User.objects.filter(is_staff=True, is_active=True))


def _tell(template: str, membership: Membership, told: Iterable[User], *, reason: str) -> int:
    return sum(
        send_letter(
            to=one.email,
            template=f"organisations/{template}",
            context={
                "membership": membership,
                "organisation": membership.organisation,
                "own": one == membership.person,
                "reason": reason,
                "link": link("organisations:people", pk=membership.organisation_id),
            },
        )
        for one in sorted(told, key=lambda person: person.pk)
    )
