"""Writes emails to people without an account about successions in the records that they follow."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from partnerships.digests.emails import notices
from partnerships.digests.emails.recipients import Candidate
from partnerships.digests.queries.successions import moved_for
from partnerships.organisations.lineage import successions_in_email
from partnerships.outbox.parts import Message


def write_successions(
    candidates: Sequence[Candidate], notice_by_person: Mapping[int, str], *, date: str, now: dt.datetime
) -> dict[int, Message]:
    """Return the emails about successions, by the id of the email.

    Readers who may not know what an email is about get none. `notice_by_person` has the privacy notices of people for
    whom this is the first email.
    """
    # Emails about the same order share their queries, because all of them are sent on the same day.
    candidates_by_order: dict[tuple[Any, ...], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        params = candidate.due.params
        order = (params["succession"], *params.get("also", ()), params.get("is_later", False))
        candidates_by_order[order].append(candidate)

    messages: dict[int, Message] = {}
    for order_candidates in candidates_by_order.values():
        messages |= _write_for_order(order_candidates, notice_by_person, date=date, now=now)
    return messages


def _write_for_order(
    candidates: Sequence[Candidate], notice_by_person: Mapping[int, str], *, date: str, now: dt.datetime
) -> dict[int, Message]:
    """Return the emails about the successions of one order, by the id of the email."""
    params = candidates[0].due.params
    is_later = params.get("is_later", False)
    people = {candidate.person_id for candidate in candidates}
    moved_by_person = moved_for(
        successions_in_email(params), people, day=timezone.localdate(now), is_later=is_later, now=now
    )
    return {
        candidate.pk: notices.succession(
            candidate.addressee,
            moved_by_person[candidate.person_id],
            is_later=is_later,
            delivery_id=candidate.pk,
            notice=notice_by_person.get(candidate.person_id, ""),
            message_id=candidate.due.message_id,
            date=date,
            now=now,
        )
        for candidate in candidates
        if candidate.person_id in moved_by_person
    }
