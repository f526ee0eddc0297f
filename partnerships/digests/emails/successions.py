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
    """The emails about successions, by their number.

    Readers who may not know what an email is about get none. `privacy`: the notice of people who have had no email yet,
    by person.
    """
    alike: dict[tuple[Any, ...], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        params = candidate.due.params
        alike[params["succession"], *params.get("also", ()), params.get("is_later", False)].append(candidate)
    written: dict[int, Message] = {}
    for person_candidates in alike.values():
        params = person_candidates[0].due.params
        is_later = params.get("is_later", False)
        people = {candidate.person_id for candidate in person_candidates}
        moved = moved_for(told_in(params), people, day=timezone.localdate(now), is_later=is_later, now=now)
        written |= {
            candidate.pk: notices.succession(
                candidate.addressee,
                moved[candidate.person_id],
                is_later=is_later,
                delivery_id=candidate.pk,
                notice=privacy.get(candidate.person_id, ""),
                message_id=candidate.due.message_id,
                date=date,
                now=now,
            )
            for candidate in person_candidates
            if candidate.person_id in moved
        }
    return written
