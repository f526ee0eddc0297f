"""Which notice ends a partnership, given its present parties."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from partnerships.agreements.models import LEADING_ROLES, Notice, Partnership, Party, PartyRole


def set_end_by_notice(locked: Partnership) -> None:
    """Set which open notice ends a locked partnership, and on which day.

    Call this when a notice or a party has changed.
    """
    notices = list(locked.notices.open().order_by("last_day", "given_at", "pk"))
    ends_on = None
    decisive = _ends_partnership(locked, (notice.organisation_id for notice in notices))
    for notice, ends in zip(notices, decisive, strict=True):
        if ends and ends_on is None:
            ends_on = notice.last_day
        if ends != notice.ends_partnership:
            notice.ends_partnership = ends
            notice.save(update_fields=["ends_partnership"])
    if locked.notice_ends_on != ends_on:
        locked.notice_ends_on = ends_on
        locked.save(update_fields=["notice_ends_on"])


def end_if_notice_given(party: Party, last_day: dt.date, other_notices: Iterable[Notice]) -> dt.date | None:
    """When the partnership would end if this party left after `last_day`.

    `other_notices` are the open notices of the other parties, earliest first. None: the partnership would go on.
    """
    departures = [(notice.last_day, notice.organisation_id) for notice in other_notices]
    # This notice would be the latest one, so it comes after others for the same day.
    position = sum(day <= last_day for day, _ in departures)
    departures.insert(position, (last_day, party.organisation_id))
    decisive = _ends_partnership(party.partnership, (organisation for _, organisation in departures))
    return next((day for (day, _), ends in zip(departures, decisive, strict=True) if ends), None)


def _ends_partnership(partnership: Partnership, leaving: Iterable[int]) -> Iterator[bool]:
    """For each organisation that leaves, in order: whether that ends the partnership.

    It ends when fewer than two parties remain, or no leading one. Observers do not count.
    """
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    remaining = dict(parties.values_list("organisation_id", "role"))
    for organisation in leaving:
        was_counted = remaining.pop(organisation, None) is not None
        has_lead = any(role in LEADING_ROLES for role in remaining.values())
        yield was_counted and (len(remaining) < 2 or not has_lead)
