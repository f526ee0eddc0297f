"""After a restore from a backup, end calendar addresses again that had ended since the backup."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.calendars.models import CalendarAddress
from partnerships.calendars.services import ENDED
from partnerships.kit.journal import RedoResult, identity, register_redo


def redo_ended(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End the addresses that were renewed or ended since the backup; `lines` are the journal's lines about them."""
    ended_hashes = {line["same"] for line in lines}
    owner_ids = {line["person"] for line in lines}
    ids_to_end = [
        address.pk
        for address in CalendarAddress.objects.filter(person__in=owner_ids)
        if identity(address.digest) in ended_hashes
    ]
    _, deleted_by_model = CalendarAddress.objects.filter(pk__in=ids_to_end).delete()
    return RedoResult(deleted_by_model.get(CalendarAddress._meta.label, 0))


def register() -> None:
    """Register the function for the command that runs after a restore."""
    register_redo(ENDED, "calendar addresses ended again", redo_ended)
