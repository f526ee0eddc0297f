"""Keeping the gazetteer true: areas by their codes, what contains them, and how long each was one."""

from __future__ import annotations

import datetime as dt
from typing import TypedDict, Unpack

from django.db import transaction

from partnerships.activity.values import apply_changes
from partnerships.organisations.models import Area


class AreaFields(TypedDict, total=False):
    """What may be said of an area; what is not given stays as it was."""

    name: str
    kind: str
    parent: Area | None
    region: Area | None
    valid_from: dt.date | None
    valid_to: dt.date | None


@transaction.atomic
def keep_area(*, code: str, **fields: Unpack[AreaFields]) -> tuple[Area, bool, tuple[str, ...]]:
    """The area of this code, whether it is new, and which of the fields changed. Published codes only: nobody owns an
    area."""
    area = Area.objects.select_for_update(of=("self",)).filter(code=code).first()
    if area is None:
        return Area.objects.create(code=code, **fields), True, ()
    before, _ = apply_changes(area, fields)
    if before:
        area.save(update_fields=list(before))
    return area, False, tuple(before)
