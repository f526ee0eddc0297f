"""After a restore: views that were removed or shared with fewer people, and those that people stopped following."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import Redone, ended_rows, redo_each, register_redo
from partnerships.lists.models import Follow, SavedView
from partnerships.lists.services.noting import FOLLOW, VIEW, follow_identity, view_identity
from partnerships.lists.services.views import stop_sharing


def redo_views(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Remove views that were removed since the backup.

    Share with nobody those shared with others since.
    """

    def redo(view: SavedView, line: dict[str, Any]) -> int:
        if line["removed"]:
            view.delete()
        elif view.is_shared and (view.organisation_id, view.partnership_id) != (
            line["organisation"],
            line["partnership"],
        ):
            stop_sharing(view, author=None, now=now)
        else:
            return 0
        return 1

    rows = SavedView.objects.filter(pk__in={line["view"] for line in lines}).order_by("pk")
    return redo_each("view", lines, rows, identity_of=view_identity, began_at=lambda row: row.created_at, redo=redo)


def redo_follows(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Let people no longer follow what they had stopped following since the backup, unless they follow it again."""
    rows = Follow.objects.filter(view__in={line["view"] for line in lines}).select_related("view", "person")
    stopped = ended_rows(rows, lines, identity_of=follow_identity, began_at=lambda row: row.since)
    return Redone(Follow.objects.filter(pk__in=[line.pk for line in stopped]).delete()[0])


def register() -> None:
    """Register these for after a restore."""
    register_redo(VIEW, "saved views removed again, or shared with nobody", redo_views)
    register_redo(FOLLOW, "views that people no longer follow", redo_follows)
