"""The service that marks an ask or offer "Tell stakeholders", or removes the mark."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.agreements.rights import rights_over
from partnerships.exchange.models import Entry
from partnerships.exchange.services.recording import event_kind_of, lock_entry, record_event
from partnerships.kit.rights import require
from partnerships.people.models import User

ONLY_LEADS = "Only leads of organisations in the partnership can choose what we tell stakeholders."


@transaction.atomic
def mark_for_stakeholders(*, entry: Entry, tell: bool, author: User, now: dt.datetime) -> Entry:
    """Mark an ask or offer for stakeholders, or remove the mark.

    Stakeholders who follow the partnership then get the entry's title, date and status in their digests.
    """
    lock_entry(entry)
    partnership = entry.partnership
    may_mark = (
        partnership is not None
        and entry.shared_at is not None
        and rights_over(partnership, author, now).may_tell_stakeholders
    )
    require(may_mark, ONLY_LEADS)
    if entry.tells_stakeholders != tell:
        entry.tells_stakeholders = tell
        entry.save(update_fields=["tells_stakeholders"])
        event = event_kind_of(entry, "marked_for_stakeholders" if tell else "unmarked_for_stakeholders")
        record_event(entry, event=event, author=author, organisation=None, now=now)
    return entry
