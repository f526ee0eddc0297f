"""Keep the record of a return that the council confirmed."""

from __future__ import annotations

import datetime as dt

from partnerships.nominations.models import NominationsReturn, ReturnRecord
from partnerships.nominations.queries.agreement import period_of
from partnerships.nominations.queries.records import content_of, masked_for
from partnerships.nominations.queries.returns import result_of
from partnerships.people.models import User


def keep_record(nominations_return: NominationsReturn, *, author: User, now: dt.datetime) -> ReturnRecord:
    """Write the next record of a return that was just settled. Call it with the return locked."""
    assert nominations_return.sent_at is not None  # it was settled
    lines, before = result_of(nominations_return).lines, nominations_return.records.order_by("-number").first()
    return ReturnRecord.objects.create(
        nominations_return=nominations_return,
        number=nominations_return.confirmations,
        reason=nominations_return.correction if before else "",
        content=content_of(
            nominations_return, lines, period_of(nominations_return.agreement, nominations_return.quarter)
        ),
        masked=masked_for(lines, before),
        sent_at=nominations_return.sent_at,
        sent_by=nominations_return.sent_by,
        confirmed_at=now,
        confirmed_by=author,
    )
