"""Helpers of the views: fetch a commitment with the person's rights, and the names of the terms."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.rights import Rights, rights_over
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The fields that both sides agree to.
TERMS = ("text", "quantity", "unit", "owner", "due_on")


def commitment_for(user: User, pk: int) -> Commitment:
    """Return the commitment. Raises Http404 unless the person may see it."""
    return get_object_or_404(Commitment.objects.visible_to(user).for_listing(), pk=pk)


def open_commitment(request: HttpRequest, pk: int) -> tuple[User, Commitment, Rights]:
    """Return the person, the commitment and the person's rights over it.

    Raises Http404 unless they may see the commitment.
    """
    user = signed_in(request)
    commitment = commitment_for(user, pk)
    return user, commitment, rights_over(commitment, user, timezone.now())
