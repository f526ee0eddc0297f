"""Links to answer by name: signed, and good until the round is over."""

from __future__ import annotations

from django.core import signing

from partnerships.surveys.models import Invitation

_signer = signing.TimestampSigner(salt="surveys.answer-by-name")


def make_link(invitation: Invitation) -> str:
    """The token in the link of an invitation."""
    return _signer.sign(str(invitation.pk))


def read_link(token: str) -> Invitation | None:
    """The invitation of a token. None if the token is invalid or the round is over."""
    try:
        pk = int(_signer.unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    survey_round = Invitation.objects.select_related("person", "round__question_set", "round__partnership").filter(
        pk=pk
    )
    return survey_round.exclude(round__way="anonymous").first()
