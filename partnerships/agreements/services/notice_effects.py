"""Which notice ends a partnership, given its present parties."""

from __future__ import annotations

from partnerships.agreements.models import LEADING_ROLES, Partnership, PartyRole


def set_end_by_notice(locked: Partnership) -> None:
    """Set which open notice ends a locked partnership, and on which day.

    Parties leave in the order of their last days. The first whose leaving keeps fewer than two parties, or none that
    leads, ends the partnership; observers do not count. Call this when a notice or a party has changed.
    """
    parties = locked.parties.present().exclude(role=PartyRole.OBSERVER)
    staying = dict(parties.values_list("organisation_id", "role"))
    ends_on = None
    for notice in locked.notices.open().order_by("last_day", "given_at", "pk"):
        counted = staying.pop(notice.organisation_id, None) is not None
        ends = counted and (len(staying) < 2 or not set(staying.values()) & set(LEADING_ROLES))
        if ends and ends_on is None:
            ends_on = notice.last_day
        if ends != notice.ends_partnership:
            notice.ends_partnership = ends
            notice.save(update_fields=["ends_partnership"])
    if locked.notice_ends_on != ends_on:
        locked.notice_ends_on = ends_on
        locked.save(update_fields=["notice_ends_on"])
