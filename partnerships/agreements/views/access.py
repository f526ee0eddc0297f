"""Fetch a partnership for a view, or answer 404 or 403.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.agreements.former_parties import partnership_as_read_by
from partnerships.agreements.models import Partnership, Party, PartyStatus
from partnerships.agreements.rights import rights_over
from partnerships.kit.rights import require
from partnerships.organisations.statements import Lookup, lookup, row_or_404, rows_for
from partnerships.people.models import User


def get_visible(user: User, pk: int) -> Partnership:
    """Return a partnership that the person may see, in full or in outline, or raise 404."""
    return row_or_404(_partnership, pk) if _is_own(user, pk) else row_or_404(_visible_partnership, user, pk)


def visible_lookup(user: User, pk: int) -> Lookup:
    """Return the query of `get_visible`, so that `read_ahead` can run it with others."""
    return lookup(_partnership, pk) if _is_own(user, pk) else lookup(_visible_partnership, user, pk)


def _partnership(pk: int) -> QuerySet[Partnership]:
    """Return the query for a partnership, without checking that the person may see it."""
    return Partnership.objects.filter(pk=pk)


def _visible_partnership(user: User, pk: int) -> QuerySet[Partnership]:
    """Return the query for a partnership, if the person may see it in full or in outline."""
    return Partnership.objects.visible_to(user).filter(pk=pk)


def _readable_id(user: User, pk: int) -> QuerySet[Partnership, int]:
    """Return the query for the id of a partnership, if the person may read it in full."""
    return Partnership.objects.readable_by(user).filter(pk=pk).values_list("pk", flat=True)


def is_readable(user: User, pk: int) -> bool:
    """Return whether the person may read the partnership in full.

    People of a former party may read it as it was when the party left, so this is true for them.
    """
    is_own = _is_own(user, pk)
    if is_own is not None:
        return is_own
    return bool(rows_for(_readable_id, user, pk))


def _is_own(user: User, pk: int) -> bool | None:
    """Return whether an organisation of the person is a party, was a party or is invited.

    This needs no query, because it uses the parties that were fetched for the page. Returns None if none were fetched.
    """
    statuses = [PartyStatus.ACCEPTED, PartyStatus.INVITED, PartyStatus.LEFT]
    partnership_ids = Party.objects.remembered_partnership_ids(user, Q(status__in=statuses))
    return None if partnership_ids is None else pk in partnership_ids


def get_readable(user: User, pk: int) -> Partnership:
    """Return a partnership that the person may read in full.

    People of a former party get the partnership as it was when the party left. Raises 404 for people who cannot see the
    partnership, and 403 for people who can see only its outline.
    """
    partnership = get_visible(user, pk)
    if not is_readable(user, pk):
        raise PermissionDenied
    return partnership_as_read_by(user, partnership)


def get_led(user: User, pk: int) -> Partnership:
    """Return a partnership whose terms and status the person may change, or raise 403 for other readers."""
    partnership = get_visible(user, pk)
    require(rights_over(partnership, user, timezone.now()).leads)
    return partnership
