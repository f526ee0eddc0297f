"""Work out whether a notice ends a partnership, and on which day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from partnerships.agreements.models import LEADING_ROLES, Notice, Partnership, Party, PartyRole


def set_end_by_notice(partnership: Partnership) -> None:
    """Store which open notices end a partnership, and on which day it ends.

    Call this after each change of a notice or a party, with the partnership locked.
    """
    notices = list(partnership.notices.pending().order_by("last_day", "given_at", "pk"))
    are_decisive = _are_decisive(partnership, (notice.organisation_id for notice in notices))
    ends_on = None
    for notice, is_decisive in zip(notices, are_decisive, strict=True):
        # The earliest decisive notice ends the partnership.
        if is_decisive and ends_on is None:
            ends_on = notice.last_day
        if is_decisive != notice.ends_partnership:
            notice.ends_partnership = is_decisive
            notice.save(update_fields=["ends_partnership"])

    if partnership.notice_ends_on != ends_on:
        partnership.notice_ends_on = ends_on
        partnership.save(update_fields=["notice_ends_on"])


def end_if_notice_given(party: Party, last_day: dt.date, other_notices: Iterable[Notice]) -> dt.date | None:
    """Return the last day of the partnership if the party gave notice until `last_day`, or None if it would continue.

    `other_notices` are the open notices of the other parties, earliest first.
    """
    departures = [(notice.last_day, notice.organisation_id) for notice in other_notices]
    # Among notices for the same day, this notice would be the last, because it would be given last.
    position = sum(day <= last_day for day, _ in departures)
    departures.insert(position, (last_day, party.organisation_id))
    are_decisive = _are_decisive(party.partnership, (organisation for _, organisation in departures))
    for (day, _organisation), is_decisive in zip(departures, are_decisive, strict=True):
        if is_decisive:
            return day
    return None


def _are_decisive(partnership: Partnership, leavers: Iterable[int]) -> Iterator[bool]:
    """Yield, for each organisation (id) in the order in which they leave, whether its departure ends the partnership.

    A partnership ends when fewer than two parties remain, or when no chair or lead remains. Observers are not included.
    For example, three organisations lead a partnership. It survives the departure of one, but not of a second.
    """
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    remaining_roles = dict(parties.values_list("organisation_id", "role"))
    for organisation_id in leavers:
        was_party = remaining_roles.pop(organisation_id, None) is not None
        has_lead = any(role in LEADING_ROLES for role in remaining_roles.values())
        yield was_party and (len(remaining_roles) < 2 or not has_lead)
