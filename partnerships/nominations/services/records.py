"""Creates a record of each return that the council has confirmed."""

from __future__ import annotations

import datetime as dt

from partnerships.nominations.models import NominationsReturn, ReturnRecord
from partnerships.nominations.queries.agreement import period_in_force
from partnerships.nominations.queries.records import masked_counts, record_content
from partnerships.nominations.queries.returns import result_of
from partnerships.people.models import User


def create_record(nominations_return: NominationsReturn, *, author: User, now: dt.datetime) -> ReturnRecord:
    """Create the next record of a return that was settled just now. Call with the return locked."""
    assert nominations_return.sent_at is not None  # only a return that was sent can be settled
    lines = result_of(nominations_return).lines
    period = period_in_force(nominations_return.agreement, nominations_return.quarter)
    previous_record = nominations_return.records.order_by("-number").first()
    return ReturnRecord.objects.create(
        nominations_return=nominations_return,
        number=nominations_return.confirmations,
        reason=nominations_return.correction if previous_record else "",
        content=record_content(nominations_return, lines, period),
        masked=masked_counts(lines, previous_record),
        sent_at=nominations_return.sent_at,
        sent_by=nominations_return.sent_by,
        confirmed_at=now,
        confirmed_by=author,
    )
