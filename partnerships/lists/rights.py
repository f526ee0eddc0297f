"""Who may do what with saved views."""

from __future__ import annotations

from partnerships.agreements.models import Partnership
from partnerships.lists.models import SavedView
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User


def owns_view(view: SavedView, person: User) -> bool:
    """Whether they saved it: only they share or remove it."""
    return view.owner_id == person.pk


def may_change_view(view: SavedView, person: User) -> bool:
    """Whether it is theirs and, while others use it, they still act for those it is shared with."""
    shared_with = view.organisation or view.partnership
    return owns_view(view, person) and (shared_with is None or may_share_with(person, shared_with))


def may_share_with(person: User, shared_with: Organisation | Partnership) -> bool:
    """Whether they edit for the organisation, or for a present party of the partnership."""
    if isinstance(shared_with, Organisation):
        return Organisation.objects.of_person(person, *EDITING_ROLES).filter(pk=shared_with.pk).exists()
    return Partnership.objects.present_for(person, *EDITING_ROLES).filter(pk=shared_with.pk).exists()
