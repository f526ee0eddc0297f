"""Find the organisations that take part in partnerships on a day, as far as the reader may see them.

The diagram of the network reads the parts in all partnerships at once, so they are stored in arrays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from partnerships.agreements.models import (
    FINAL_STATUSES,
    FORMER_STATUSES,
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

#: The id of a partnership, the id of an organisation that takes part, and its role.
Part = tuple[int, int, str]
#: The roles, in the order of their numbers in `Parts.role`. The number 0 is for any other role.
ROLES = ("", *(str(role) for role in PartyRole))


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of organisations in partnerships, as three arrays of the same length.

    The first two contain ids. The third contains the position of each role in `ROLES`.
    """

    partnership: Numbers
    organisation: Numbers
    role: Numbers

    @classmethod
    def from_tuples(cls, parts: Iterable[Part]) -> Parts:
        """Return these parts as arrays."""
        numbered_parts = [(partnership, organisation, ROLES.index(role)) for partnership, organisation, role in parts]
        # Without any part, `reshape` still makes three columns.
        return cls(*np.array(numbered_parts, dtype=np.int64).reshape(-1, 3).T)

    def __len__(self) -> int:
        """Return the number of parts."""
        return len(self.organisation)

    def select(self, mask: NDArray[np.bool_]) -> Parts:
        """Return the parts at which the mask is true."""
        return Parts(self.partnership[mask], self.organisation[mask], self.role[mask])

    def without(self, pairs: set[tuple[int, int]]) -> Parts:
        """Return the parts except those of these pairs, each the ids of a partnership and an organisation."""
        mask = np.ones(len(self), dtype=bool)
        # Comparing pairs is slow, so only the parts in these few partnerships are compared.
        candidates = np.flatnonzero(np.isin(self.partnership, [partnership for partnership, _ in pairs]))
        candidate_pairs = zip(
            self.partnership[candidates].tolist(), self.organisation[candidates].tolist(), strict=True
        )
        mask[candidates] = [pair not in pairs for pair in candidate_pairs]
        return self.select(mask)

    def as_tuples(self) -> Sequence[Part]:
        """Return the parts as tuples."""
        roles = [ROLES[role] for role in self.role.tolist()]
        return list(zip(self.partnership.tolist(), self.organisation.tolist(), roles, strict=True))


def partnerships_on(reader: Reader, day: dt.date) -> PartnershipQuerySet:
    """Return the partnerships that the reader can see today and that are not over on a day in the past or future.

    A partnership is over from the day on which its status changed, or from the day after its end date.
    """
    has_final_status = Q(status__in=FINAL_STATUSES)
    was_over_by_day = Q(status_since__lt=end_of(day)) | Q(ends_on__lt=day)
    is_over = (has_final_status & was_over_by_day) | has_run_out(day)
    return Partnership.objects.visible_today_to(reader).exclude(is_over)


def parts_on(partnerships: PartnershipQuerySet, reader: Reader, day: dt.date, *, today: dt.date) -> Parts:
    """Return the parts of organisations in these partnerships on a day.

    * For a future day, parties are left out if their notice will have run out.
    * For an earlier day, the parts are read from the row history. Parties that were entered later are included if the
      day is between their dates of joining and leaving.
    * If the reader can see only the outline of a partnership, parties that have left since are left out.
    """
    partnership_ids = partnerships.order_by().values("pk")
    current_parts = _read_parts(Party.objects.accepted().filter(partnership__in=partnership_ids))
    if day >= today:
        notices_run_out = Notice.objects.past_last_day(day).values_list("partnership_id", "organisation_id")
        return current_parts.without(set(notices_run_out))
    readable_ids = set(Partnership.objects.readable_today_by(reader).values_list("pk", flat=True))
    current_pairs = {(partnership, organisation) for partnership, organisation, _role in current_parts.as_tuples()}

    def may_be_shown(part: Part) -> bool:
        partnership, organisation, _role = part
        return partnership in readable_ids or (partnership, organisation) in current_pairs

    return Parts.from_tuples(part for part in _parts_then(partnerships, day) if may_be_shown(part))


def _read_parts(parties: PartyQuerySet) -> Parts:
    """Return the present parts of these parties. They are read into arrays, because there may be 200,000."""
    rows = parties.order_by().values("partnership_id", "organisation_id", "role")
    sql, values = subquery("parties", rows, empty="SELECT 0, 0, '' WHERE FALSE")
    role = "coalesce(array_position(%(roles)s::text[], role::text), 1) - 1"
    source = f"({sql}) AS parties(partnership, organisation, role)"
    return Parts(*numbers_of(source, {**values, "roles": list(ROLES)}, "partnership", "organisation", role))


def _parts_then(partnerships: PartnershipQuerySet, day: dt.date) -> Iterator[Part]:
    """Yield the parts of organisations on an earlier day, whether or not the reader may see them.

    The parties in the row history of that day come first. Then come parties that were entered later, for example by an
    import, if the day is between their dates of joining and leaving.
    """
    partnership_ids = partnerships.order_by().values("pk")
    fields = ("partnership_id", "organisation_id", "role", "status", "joined_on", "left_on")
    events = Party.pgh_event_model.objects  # type: ignore[attr-defined]  # made by pghistory
    events_up_to_day = events.filter(partnership__in=partnership_ids, pgh_created_at__lt=end_of(day))
    newest_events = events_up_to_day.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    party_ids_in_history = set()
    for party_id, label, *values in newest_events.values_list("pgh_obj_id", "pgh_label", *fields):
        partnership, organisation, role, *state = values
        party_ids_in_history.add(party_id)
        if label != "delete" and _took_part(day, *state, is_of_that_day=True):
            yield (partnership, organisation, role)
    all_parties = Party.objects.filter(partnership__in=partnership_ids)
    for party_id, *values in all_parties.values_list("pk", *fields):
        partnership, organisation, role, *state = values
        if party_id not in party_ids_in_history and _took_part(day, *state, is_of_that_day=False):
            yield (partnership, organisation, role)


def _took_part(
    day: dt.date, status: str, joined: dt.date | None, left: dt.date | None, *, is_of_that_day: bool
) -> bool:
    """Return whether a party with this status and these dates took part on a day.

    `is_of_that_day` is true if the party already had this status on the day. This decides the answer if the day of
    joining is unknown.
    """
    if status == PartyStatus.ACCEPTED:
        return joined <= day if joined is not None else is_of_that_day
    if status not in FORMER_STATUSES or left is None:
        return False
    had_joined = joined is None or joined <= day
    return had_joined and day < left
