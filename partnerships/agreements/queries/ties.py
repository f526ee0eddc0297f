"""Who takes part in which partnership on a day, as far as a reader may know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Q

from partnerships.agreements.models import (
    FORMER_STATUSES,
    OVER,
    Notice,
    Partnership,
    PartnershipQuerySet,
    Party,
    PartyStatus,
)
from partnerships.agreements.models.clock import has_run_out
from partnerships.kit.moments import end_of
from partnerships.organisations.audience import Reader

#: A part: partnership and organisation (ids), and the role.
Part = tuple[int, int, str]


def partnerships_on(reader: Reader, day: dt.date) -> PartnershipQuerySet:
    """Partnerships that the reader may know of today, and that are not over on the day, past or future.

    One that is over has been so since its status says, or since its end date.
    """
    over_by = Q(status__in=OVER) & (Q(status_since__lt=end_of(day)) | Q(ends_on__lt=day))
    return Partnership.objects.known_today_to(reader).exclude(over_by | has_run_out(day))


def parts_on(partnerships: PartnershipQuerySet, reader: Reader, day: dt.date, *, today: dt.date) -> list[Part]:
    """Who takes part in these partnerships on a day.

    For earlier days the row history says who did, and the dates of joining and leaving do where the row is younger
    than the day. Of a partnership that the reader knows only in outline, those that have left since are not told. For
    days to come, parties whose notice will have run out are left out.
    """
    partnership_ids = partnerships.order_by().values("pk")
    present = Party.objects.present().filter(partnership__in=partnership_ids)
    current = list(present.values_list("partnership_id", "organisation_id", "role"))
    if day >= today:
        leaving = set(Notice.objects.run_out_by(day).values_list("partnership_id", "organisation_id"))
        return [part for part in current if part[:2] not in leaving]
    read_inside = set(Partnership.objects.inside_for(reader).values_list("pk", flat=True))
    still_there = {part[:2] for part in current}
    return [part for part in _parts_then(partnerships, day) if part[0] in read_inside or part[:2] in still_there]


def _parts_then(partnerships: PartnershipQuerySet, day: dt.date) -> Iterator[Part]:
    """Who took part on an earlier day, whatever a reader may know of it.

    First the parties that history knows on that day, as it has them; then those whose rows were written later, such as
    imported ones, by their dates of joining and leaving.
    """
    partnership_ids = partnerships.order_by().values("pk")
    fields = ("partnership_id", "organisation_id", "role", "status", "joined_on", "left_on")
    events = Party.pgh_event_model.objects  # type: ignore[attr-defined]  # made by pghistory
    before = events.filter(partnership__in=partnership_ids, pgh_created_at__lt=end_of(day))
    newest = before.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    in_history = set()
    for row, label, partnership, body, role, *state in newest.values_list("pgh_obj_id", "pgh_label", *fields):
        in_history.add(row)
        if label != "delete" and _took_part(day, *state, was_so=True):
            yield (partnership, body, role)
    for row, partnership, body, role, *state in Party.objects.filter(partnership__in=partnership_ids).values_list(
        "pk", *fields
    ):
        if row not in in_history and _took_part(day, *state, was_so=False):
            yield (partnership, body, role)


def _took_part(day: dt.date, status: str, joined: dt.date | None, left: dt.date | None, *, was_so: bool) -> bool:
    """Whether a row says that its organisation took part on a day.

    `was_so`: the row was already like that then.
    """
    if status == PartyStatus.ACCEPTED:
        return joined <= day if joined is not None else was_so
    return status in FORMER_STATUSES and left is not None and (joined is None or joined <= day) and day < left
