"""Fetch a commitment with the person's rights, for the views."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.rights import Rights, rights_over
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The fields to which giver and receiver agree.
TERMS = ("text", "quantity", "unit", "owner", "due_on")


def commitment_for(user: User, pk: int) -> Commitment:
    """Return a commitment that the person may see, or raise Http404."""
    return get_object_or_404(Commitment.objects.visible_to(user).for_listing(), pk=pk)


def open_commitment(request: HttpRequest, pk: int) -> tuple[User, Commitment, Rights]:
    """Return the person, a commitment that the person may see, and their rights over it, or raise Http404."""
    user = signed_in(request)
    commitment = commitment_for(user, pk)
    return user, commitment, rights_over(commitment, user, timezone.now())
