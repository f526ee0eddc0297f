"""The rights of a person over saved views."""

from __future__ import annotations

from partnerships.agreements.rights import may_edit_for
from partnerships.lists.models import SavedView
from partnerships.people.models import User


def owns_view(view: SavedView, person: User) -> bool:
    """Return whether the person saved the view. Only its owner can share or remove a view."""
    return view.owner_id == person.pk


def may_change_view(view: SavedView, person: User) -> bool:
    """Return whether the person may change the view.

    Its owner may. If the view is shared, the owner must still be an editor of the organisation or partnership.
    """
    shared_with = view.organisation or view.partnership
    return owns_view(view, person) and (shared_with is None or may_edit_for(person, shared_with))
