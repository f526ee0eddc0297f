"""Calendar addresses that must not work again after a backup is restored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.calendars.models import CalendarAddress
from partnerships.calendars.services import ENDED
from partnerships.kit.journal import Redone, identity, register_redo


def redo_ended(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """End again the addresses that were renewed or ended since the backup."""
    ended = {line["same"] for line in lines}
    people = {line["person"] for line in lines}
    addresses_to_end = [
        calendar_address.pk
        for calendar_address in CalendarAddress.objects.filter(person__in=people)
        if identity(calendar_address.digest) in ended
    ]
    return Redone(
        CalendarAddress.objects.filter(pk__in=addresses_to_end).delete()[1].get(CalendarAddress._meta.label, 0)
    )


def register() -> None:
    """Register this with the journal, once, at start-up."""
    register_redo(ENDED, "calendar addresses ended again", redo_ended)
