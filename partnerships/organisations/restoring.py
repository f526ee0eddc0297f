"""Ends memberships again after a backup is restored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import register_redo
from partnerships.organisations.models import Membership
from partnerships.organisations.services.memberships import MEMBERSHIP_ENDED, UnableToEndMembership, end_membership

_REASON = "As it was before a backup was restored."


def redo_ended(lines: Sequence[dict[str, Any]], now: dt.datetime) -> int:
    """End again the memberships that ended since the backup; returns how many."""
    ended = 0
    for membership in Membership.objects.filter(pk__in=[line["membership"] for line in lines], ends_on=None):
        try:
            end_membership(membership=membership, author=None, reason=_REASON, now=now, even_last_lead=True)
        except UnableToEndMembership:
            continue
        ended += 1
    return ended


def register() -> None:
    """Register this to run after a restore."""
    register_redo(MEMBERSHIP_ENDED, "memberships ended again", redo_ended)
