"""Save areas from published lists."""

from __future__ import annotations

import datetime as dt
from typing import TypedDict, Unpack

from django.db import transaction

from partnerships.activity.values import apply_changes
from partnerships.organisations.models import Area


class AreaFields(TypedDict, total=False):
    """The fields of an area. Fields that are not given do not change."""

    name: str
    kind: str
    parent: Area | None
    region: Area | None
    valid_from: dt.date | None
    valid_to: dt.date | None


@transaction.atomic
def save_area(*, code: str, **fields: Unpack[AreaFields]) -> tuple[Area, bool, tuple[str, ...]]:
    """Create or update the area with this code; return it, whether it is new, and the names of changed fields.

    No rights are checked, because areas come from published lists.
    """
    # Lock only the area's own row, not the rows of its parent and region.
    area = Area.objects.select_for_update(of=("self",)).filter(code=code).first()
    if area is None:
        return Area.objects.create(code=code, **fields), True, ()
    before, _ = apply_changes(area, fields)
    if before:
        area.save(update_fields=list(before))
    return area, False, tuple(before)
