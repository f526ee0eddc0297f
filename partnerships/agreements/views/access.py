"""Fetch a partnership for a view: first what is visible, then the rights."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyStatus
from partnerships.agreements.past import as_read_by
from partnerships.agreements.rights import rights_over
from partnerships.kit.rights import require
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User


def seen(user: User, pk: int) -> Partnership:
    """A partnership the person sees at least in outline; else 404."""
    rows = rows_for(_by_id, pk) if _is_known_held(user, pk) else rows_for(_known, user, pk)
    if not rows:
        raise Http404
    return rows[0]


def seen_lookup(user: User, pk: int) -> Lookup:
    """What `seen` is going to ask, for `read_ahead`."""
    return lookup(_by_id, pk) if _is_known_held(user, pk) else lookup(_known, user, pk)


def _by_id(pk: int) -> QuerySet[Partnership]:
    return Partnership.objects.filter(pk=pk)


def _known(user: User, pk: int) -> QuerySet[Partnership]:
    return Partnership.objects.visible_to(user).filter(pk=pk)


def is_held(user: User, pk: int) -> bool:
    """Whether the person may read the partnership in full, today or up to the day they left."""
    is_own = _is_known_held(user, pk)
    return bool(rows_for(_held, user, pk)) if is_own is None else is_own


def _is_known_held(user: User, pk: int) -> bool | None:
    """The same from what was read for the page.

    Whether they act for a party that is inside or has left; else None.
    """
    partnership_ids = Party.objects.held_in(
        user, Q(status__in=[PartyStatus.ACCEPTED, PartyStatus.INVITED, PartyStatus.LEFT])
    )
    return None if partnership_ids is None else pk in partnership_ids


def _held(user: User, pk: int) -> QuerySet[Partnership, int]:
    return Partnership.objects.held_by(user).filter(pk=pk).values_list("pk", flat=True)


def held(user: User, pk: int) -> Partnership:
    """A partnership the person may read in full; 403 for the outline only.

    For a former party, as it was when it left.
    """
    partnership = seen(user, pk)
    if not is_held(user, pk):
        raise PermissionDenied
    return as_read_by(user, partnership)


def led(user: User, pk: int) -> Partnership:
    """A partnership whose terms the person may change; 403 for other readers."""
    partnership = seen(user, pk)
    require(rights_over(partnership, user, timezone.now()).leads)
    return partnership
