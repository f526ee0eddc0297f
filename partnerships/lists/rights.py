"""Who can do what with saved views."""

from __future__ import annotations

from partnerships.agreements.rights import edits_for
from partnerships.lists.models import SavedView
from partnerships.people.models import User


def owns_view(view: SavedView, person: User) -> bool:
    """Whether they saved it: only they share or remove it."""
    return view.owner_id == person.pk


def may_change_view(view: SavedView, person: User) -> bool:
    """Whether it is theirs and, while others use it, they still act for those it is shared with."""
    shared_with = view.organisation or view.partnership
    return owns_view(view, person) and (shared_with is None or edits_for(person, shared_with))
