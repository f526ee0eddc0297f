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
    ending = _ending(locked, (notice.organisation_id for notice in notices))
    for notice, ends in zip(notices, ending, strict=True):
        if ends and ends_on is None:
            ends_on = notice.last_day
        if ends != notice.ends_partnership:
            notice.ends_partnership = ends
            notice.save(update_fields=["ends_partnership"])
    if locked.notice_ends_on != ends_on:
        locked.notice_ends_on = ends_on
        locked.save(update_fields=["notice_ends_on"])


def end_with_notice(party: Party, last_day: dt.date, others: Iterable[Notice]) -> dt.date | None:
    """The day on which notices would end the partnership if the party gave notice for this day; None: it goes on.

    `others` are the open notices of the other parties, in the order of their days.
    """
    going = [(other.last_day, other.organisation_id) for other in others]
    # Of notices for the same day, the new one is given last.
    place = sum(day <= last_day for day, _ in going)
    going.insert(place, (last_day, party.organisation_id))
    ending = _ending(party.partnership, (organisation for _, organisation in going))
    return next((day for (day, _), ends in zip(going, ending, strict=True) if ends), None)


def _ending(partnership: Partnership, leaving: Iterable[int]) -> Iterator[bool]:
    """For parties that leave in this order, whether the partnership cannot go on without each.

    It cannot when fewer than two parties would stay, or none that leads; observers do not count.
    """
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    staying = dict(parties.values_list("organisation_id", "role"))
    for organisation in leaving:
        counted = staying.pop(organisation, None) is not None
        yield counted and (len(staying) < 2 or not set(staying.values()) & set(LEADING_ROLES))
