"""What the journal knows of views, so that a restore neither shares one again nor sends emails about it again."""

from __future__ import annotations

import datetime as dt

from partnerships.kit import journal
from partnerships.lists.models import Follow, SavedView

#: The journal's names for who can open a view, and for who follows one.
VIEW, FOLLOW = "view", "followed view"


def view_identity(view: SavedView) -> str:
    """The journal's hash of a view."""
    return journal.identity(view.owner_id, view.kind, view.created_at)


def follow_identity(follow: Follow) -> str:
    """The journal's hash of who follows which view."""
    return journal.identity(follow.person_id, follow.person.joined_at, view_identity(follow.view))


def journal_view(view: SavedView, *, now: dt.datetime, removed: bool = False) -> None:
    """Note who a view is shared with now, or that it was removed."""
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
    """Note that somebody no longer follows a view; `undone`: they do."""
    journal.note(FOLLOW, now=now, view=follow.view_id, same=follow_identity(follow), undone=undone)
