"""Repeat departures from partnerships after a backup is restored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.agreements.models import Party, PartyStatus
from partnerships.agreements.services.parties import PARTY_LEFT, UnableToLeave, remove_party
from partnerships.kit.journal import not_undone, register_redo

_REASON = "As it was before a backup was restored."


def redo_ended(lines: Sequence[dict[str, Any]], now: dt.datetime) -> int:
    """End the parts that ended after the backup; the number of them."""
    ended = 0
    gone = [line["party"] for line in not_undone("party", lines)]
    present = Party.objects.filter(pk__in=gone).exclude(status=PartyStatus.LEFT)
    for party in present:
        try:
            remove_party(party=party, author=None, reason=_REASON, now=now)
        except UnableToLeave:
            continue
        ended += 1
    return ended


def register() -> None:
    """Register this for restores."""
    register_redo(PARTY_LEFT, "parts in partnerships ended again", redo_ended)
