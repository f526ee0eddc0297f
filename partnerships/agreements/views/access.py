"""Fetch a partnership for a view: first what is visible, then the rights."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.past import as_read_by
from partnerships.agreements.rights import rights_over
from partnerships.kit.rights import require
from partnerships.people.models import User


def seen(user: User, pk: int) -> Partnership:
    """A partnership the person sees at least in outline; else 404."""
    return get_object_or_404(Partnership.objects.visible_to(user), pk=pk)


def held(user: User, pk: int) -> Partnership:
    """A partnership the person may read in full; 403 for the outline only.

    For a former party, as it was when it left.
    """
    partnership = seen(user, pk)
    if not Partnership.objects.held_by(user).filter(pk=pk).exists():
        raise PermissionDenied
    return as_read_by(user, partnership)


def led(user: User, pk: int) -> Partnership:
    """A partnership whose terms the person may change; 403 for other readers."""
    partnership = seen(user, pk)
    require(rights_over(partnership, user, timezone.now()).leads)
    return partnership
