"""What successions did to what each reader without an account follows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from partnerships.digests.emails import notices
from partnerships.digests.emails.recipients import Candidate
from partnerships.digests.queries.successions import moved_for
from partnerships.organisations.lineage import told_in
from partnerships.outbox.parts import Message


def write_successions(
    candidates: Sequence[Candidate], privacy: Mapping[int, str], *, date: str, now: dt.datetime
) -> dict[int, Message]:
    """The emails about successions, by their number; none for readers who may not know what it is about.

    `privacy`: the notice of people who have had no email yet, by person.
    """
    alike: dict[tuple[Any, ...], list[Candidate]] = defaultdict(list)
    for one in candidates:
        params = one.due.params
        alike[params["succession"], *params.get("also", ()), params.get("is_later", False)].append(one)
    written: dict[int, Message] = {}
    for mine in alike.values():
        params = mine[0].due.params
        is_later = params.get("is_later", False)
        people = {one.person_id for one in mine}
        moved = moved_for(told_in(params), people, day=timezone.localdate(now), is_later=is_later, now=now)
        written |= {
            one.pk: notices.succession(
                one.addressee,
                moved[one.person_id],
                is_later=is_later,
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
