"""Lines about views in the journal, so that a restore neither shares a view again nor sends its emails again."""

from __future__ import annotations

import datetime as dt

from partnerships.kit import journal
from partnerships.lists.models import Follow, SavedView

#: Names of lines in the journal: with whom a view is shared, and that a person no longer follows a view.
VIEW, FOLLOW = "view", "followed view"


def view_identity(view: SavedView) -> str:
    """Return the hash by which the journal recognises a view."""
    return journal.identity(view.owner_id, view.kind, view.created_at)


def follow_identity(follow: Follow) -> str:
    """Return the hash by which the journal recognises that a person follows a view."""
    return journal.identity(follow.person_id, follow.person.joined_at, view_identity(follow.view))


def journal_view(view: SavedView, *, now: dt.datetime, removed: bool = False) -> None:
    """Note with whom a view is shared from now on, or that it was removed."""
    journal.note(
        VIEW,
        now=now,
        view=view.pk,
        same=view_identity(view),
        organisation=view.organisation_id,
        partnership=view.partnership_id,
        removed=removed,
    )


def journal_follow(follow: Follow, *, now: dt.datetime, undone: bool = False) -> None:
    """Note that a person no longer follows a view. With `undone`, that they follow it again."""
    journal.note(FOLLOW, now=now, view=follow.view_id, same=follow_identity(follow), undone=undone)
