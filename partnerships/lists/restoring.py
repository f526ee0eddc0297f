"""After a restore, remove views, stop sharing views and end follows again that were ended since the backup."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import RedoResult, ended_rows, redo_each, register_redo
from partnerships.lists.models import Follow, SavedView
from partnerships.lists.services.journal_lines import FOLLOW, VIEW, follow_identity, view_identity
from partnerships.lists.services.views import stop_sharing


def redo_views(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove views that were removed since the backup, and stop sharing views whose sharing has changed since.

    A view that has been shared with other people since the backup is then shared with nobody, until its owner shares it
    again.
    """

    def redo(view: SavedView, line: dict[str, Any]) -> int:
        """Repeat the last line about a view, and return 1 if anything changed."""
        if line["removed"]:
            view.delete()
            return 1
        sharing_in_journal = (line["organisation"], line["partnership"])
        if view.is_shared and (view.organisation_id, view.partnership_id) != sharing_in_journal:
            stop_sharing(view, author=None, now=now)
            return 1
        return 0

    views = SavedView.objects.filter(pk__in={line["view"] for line in lines}).order_by("pk")
    return redo_each("view", lines, views, identity_of=view_identity, began_at=lambda view: view.created_at, redo=redo)


def redo_follows(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End follows that people ended since the backup, unless they followed the view again later."""
    follows = Follow.objects.filter(view__in={line["view"] for line in lines}).select_related("view", "person")
    ended_follows = ended_rows(follows, lines, identity_of=follow_identity, began_at=lambda follow: follow.since)
    deleted_count, _ = Follow.objects.filter(pk__in=[follow.pk for follow in ended_follows]).delete()
    return RedoResult(deleted_count)


def register() -> None:
    """Register what a restore repeats about views. Called once at start-up."""
    register_redo(VIEW, "saved views removed again or no longer shared", redo_views)
    register_redo(FOLLOW, "views that people no longer follow", redo_follows)
