"""Who can do what with saved views."""

from __future__ import annotations

from partnerships.agreements.rights import edits_for
from partnerships.lists.models import SavedView
from partnerships.people.models import User


def owns_view(view: SavedView, person: User) -> bool:
    """Whether the person saved the view. Only its owner can share or remove a view."""
    return view.owner_id == person.pk


def may_change_view(view: SavedView, person: User) -> bool:
    """Whether the view is the person's own and, if it is shared, they are still an editor for those who share it."""
    shared_with = view.organisation or view.partnership
    return owns_view(view, person) and (shared_with is None or edits_for(person, shared_with))
