"""Lines about views in the journal, so that a restore neither shares a view again nor sends its emails again."""

from __future__ import annotations

import datetime as dt

from partnerships.kit import journal
from partnerships.lists.models import Follow, SavedView

#: Names of the lines in the journal about the sharing or removal of a view, and about the end of a follow.
VIEW, FOLLOW = "view", "followed view"


def view_identity(view: SavedView) -> str:
    """Return the hash by which the journal recognises a view."""
    return journal.identity(view.owner_id, view.kind, view.created_at)


def follow_identity(follow: Follow) -> str:
    """Return the hash by which the journal recognises that a person follows a view."""
    return journal.identity(follow.person_id, follow.person.joined_at, view_identity(follow.view))


def note_sharing(view: SavedView, *, now: dt.datetime, is_removed: bool = False) -> None:
    """Note in the journal with whom a view is shared from now on, or that the view was removed."""
    journal.note(
        VIEW,
        now=now,
        view=view.pk,
        same=view_identity(view),
        organisation=view.organisation_id,
        partnership=view.partnership_id,
        removed=is_removed,
    )


def note_unfollowing(follow: Follow, *, now: dt.datetime, is_undone: bool = False) -> None:
    """Note in the journal that a person no longer follows a view or, with `is_undone`, follows it again."""
    journal.note(FOLLOW, now=now, view=follow.view_id, same=follow_identity(follow), undone=is_undone)
