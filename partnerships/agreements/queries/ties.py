"""Who takes part in which partnership on a day, as far as a reader may know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from partnerships.agreements.models import (
    FORMER_STATUSES,
    OVER,
    Notice,
    Partnership,
    PartnershipQuerySet,
    Party,
    PartyQuerySet,
    PartyRole,
    PartyStatus,
)
from partnerships.agreements.models.clock import has_run_out
from partnerships.kit.database import subquery
from partnerships.kit.late import late
from partnerships.kit.moments import end_of
from partnerships.kit.numbers import numbers_of
from partnerships.organisations.audience import Reader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from partnerships.kit.numbers import Numbers
else:
    np = late("numpy")

#: A part: partnership and organisation (ids), and the role.
Part = tuple[int, int, str]
#: Roles by their numbers in `Parts`.
ROLES = ("", *(str(role) for role in PartyRole))


@dataclass(frozen=True, slots=True)
class Parts:
    """Who takes part in what: partnerships and organisations (ids), and places of roles in `ROLES`."""

    partnership: Numbers
    body: Numbers
    role: Numbers

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Parts:
        """Return these parts as arrays."""
        rows = [(partnership, body, ROLES.index(role)) for partnership, body, role in parts]
        return cls(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)

    def __len__(self) -> int:
        return len(self.body)

    def only(self, kept: NDArray[np.bool_]) -> Parts:
        """Return some of them."""
        return Parts(self.partnership[kept], self.body[kept], self.role[kept])

    def without(self, pairs: set[tuple[int, int]]) -> Parts:
        """Return all but those of these partnerships and organisations."""
        kept = np.ones(len(self), dtype=bool)
        candidates = np.flatnonzero(np.isin(self.partnership, [partnership for partnership, _ in pairs]))
        pairs_there = zip(self.partnership[candidates].tolist(), self.body[candidates].tolist(), strict=True)
        kept[candidates] = [pair not in pairs for pair in pairs_there]
        return self.only(kept)

    def rows(self) -> Sequence[Part]:
        """Return the parts one by one."""
        roles = [ROLES[role] for role in self.role.tolist()]
        return list(zip(self.partnership.tolist(), self.body.tolist(), roles, strict=True))


def partnerships_on(reader: Reader, day: dt.date) -> PartnershipQuerySet:
    """Return partnerships that the reader may know of today, and that are not over on the day, past or future.

    One that is over has been so since its status says, or since its end date.
    """
    over_by = Q(status__in=OVER) & (Q(status_since__lt=end_of(day)) | Q(ends_on__lt=day))
    return Partnership.objects.known_today_to(reader).exclude(over_by | has_run_out(day))


def parts_on(partnerships: PartnershipQuerySet, reader: Reader, day: dt.date, *, today: dt.date) -> Parts:
    """Return who takes part in these partnerships on a day.

    For earlier days the row history says who did, and the dates of joining and leaving do where the row is younger
    than the day. Of a partnership that the reader knows only in outline, those that have left since are not told. For
    days to come, parties whose notice will have run out are left out.
    """
    partnership_ids = partnerships.order_by().values("pk")
    current = _read_parts(Party.objects.present().filter(partnership__in=partnership_ids))
    if day >= today:
        return current.without(set(Notice.objects.run_out_by(day).values_list("partnership_id", "organisation_id")))
    read_inside = set(Partnership.objects.inside_for(reader).values_list("pk", flat=True))
    still_there = {part[:2] for part in current.rows()}
    return Parts.of(
        part for part in _parts_then(partnerships, day) if part[0] in read_inside or part[:2] in still_there
    )


def _read_parts(parties: PartyQuerySet) -> Parts:
    """Return the parts that these parties have now: 200,000 at ten times England."""
    rows = parties.order_by().values("partnership_id", "organisation_id", "role")
    sql, values = subquery("parties", rows, empty="SELECT 0, 0, '' WHERE FALSE")
    role = "coalesce(array_position(%(roles)s::text[], role::text), 1) - 1"
    source = f"({sql}) AS parties(partnership, body, role)"
    return Parts(*numbers_of(source, {**values, "roles": list(ROLES)}, "partnership", "body", role))


def _parts_then(partnerships: PartnershipQuerySet, day: dt.date) -> Iterator[Part]:
    """Yield who took part on an earlier day, whatever a reader may know of it.

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
    """Return whether a row says that its organisation took part on a day.

    `was_so`: the row was already like that then.
    """
    if status == PartyStatus.ACCEPTED:
        return joined <= day if joined is not None else was_so
    return status in FORMER_STATUSES and left is not None and (joined is None or joined <= day) and day < left
