"""Signed links to answer by name, which work until the round is over."""

from __future__ import annotations

from django.core import signing

from partnerships.surveys.models import Invitation

_signer = signing.TimestampSigner(salt="surveys.answer-by-name")


def make_link(invitation: Invitation) -> str:
    """Return the signed token for the link of an invitation."""
    return _signer.sign(str(invitation.pk))


def read_link(token: str) -> Invitation | None:
    """Return the invitation for a token.

    Returns None if the token is invalid or the round is anonymous. It is also None once the round is over, because its
    invitations have then been deleted.
    """
    try:
        pk = int(_signer.unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    invitations = Invitation.objects.select_related("person", "round__question_set", "round__partnership")
    return invitations.filter(pk=pk).exclude(round__way="anonymous").first()
