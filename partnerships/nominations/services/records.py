"""Keep the record of a return that the council confirmed."""

from __future__ import annotations

import datetime as dt

from partnerships.nominations.models import NominationsReturn, ReturnRecord
from partnerships.nominations.queries.agreement import period_of
from partnerships.nominations.queries.records import content_of, masked_for
from partnerships.nominations.queries.returns import result_of
from partnerships.people.models import User


def keep_record(found: NominationsReturn, *, author: User, now: dt.datetime) -> ReturnRecord:
    """Write the next record of a return that was just settled. Call it with the return locked."""
    assert found.sent_at is not None  # it was settled
    lines, before = result_of(found).lines, found.records.order_by("-number").first()
    return ReturnRecord.objects.create(
        nominations_return=found,
        number=found.confirmations,
        reason=found.correction if before else "",
        content=content_of(found, lines, period_of(found.agreement, found.quarter)),
        masked=masked_for(lines, before),
        sent_at=found.sent_at,
        sent_by=found.sent_by,
        confirmed_at=now,
        confirmed_by=author,
    )
