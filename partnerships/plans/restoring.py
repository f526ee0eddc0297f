"""End shares again after a backup is restored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import not_undone, register_redo
from partnerships.plans.models import Share
from partnerships.plans.services.sharing import SHARE_ENDED, revoke_share


def redo_ended(lines: Sequence[dict[str, Any]], now: dt.datetime) -> int:
    """End the shares that had ended since the backup; returns how many."""
    ended = [line["share"] for line in not_undone("share", lines)]
    shares = list(Share.objects.filter(pk__in=ended, revoked_at=None))
    for share in shares:
        revoke_share(share=share, author=None, now=now)
    return len(shares)


def register() -> None:
    """Register this for restores."""
    register_redo(SHARE_ENDED, "shares of drafts ended again", redo_ended)
