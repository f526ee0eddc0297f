"""What successions did to what each reader without an account follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.utils import timezone

from partnerships.digests.emails import notices
from partnerships.digests.emails.recipients import Candidate
from partnerships.digests.queries.successions import moved_for
from partnerships.organisations.lineage import with_ties
from partnerships.organisations.models import Succession
from partnerships.outbox.parts import Message


def write_successions(
    candidates: Sequence[Candidate], privacy: Mapping[int, str], *, date: str, now: dt.datetime
) -> dict[int, Message]:
    """The emails about successions, by number; none for readers who may not know what it is about.

    `privacy`: the notice of people who have had no email yet, by person.
    """
    numbers = sorted({one.due.params["succession"] for one in candidates})
    known = with_ties(Succession.objects.select_related("undoes")).in_bulk(numbers) if numbers else {}
    written: dict[int, Message] = {}
    for number in numbers:
        mine = [one for one in candidates if one.due.params["succession"] == number]
        moved = moved_for(known[number], {one.person_id for one in mine}, day=timezone.localdate(now), now=now)
        written |= {
            one.pk: notices.succession(
                one.addressee,
                known[number],
                moved[one.person_id],
                delivery_id=one.pk,
                notice=privacy.get(one.person_id, ""),
                message_id=one.due.message_id,
                date=date,
                now=now,
            )
            for one in mine
            if one.person_id in moved
        }
    return written
