"""Freeze a report, which stores its figures unchanged with a name and a reason."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.agreements.models import Partnership
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.reports.event_kinds import EventKind
from partnerships.reports.models import FrozenReport
from partnerships.reports.queries import InvalidFilters, audience_snapshot
from partnerships.reports.registry import find_report
from partnerships.reports.rights import may_report_for
from partnerships.reports.services.recording import lock_audience, record_event
from partnerships.reports.snapshot import to_json, with_rows_limited


class UnableToFreeze(Exception):
    """Raised if the report, its filters, its name or the reason are not valid."""


@transaction.atomic
def freeze_report(
    *,
    report: str,
    query_string: str,
    name: str,
    reason: str,
    audience: Organisation | Partnership,
    author: User | None,
    now: dt.datetime,
) -> FrozenReport:
    """Compute a report from the records that everybody of its audience may read now, and store its figures.

    `query_string` has the filters, as in the address of the report's page. The author is None for a scheduled report.
    Raises `UnableToFreeze`.
    """
    # While the audience is locked, no organisation can join or leave the partnership. So the people who can read the
    # report are those for whom it was computed.
    lock_audience(audience)
    require(author is None or may_report_for(author, audience, now))
    definition = find_report(report)
    if definition is None:
        raise UnableToFreeze("This report does not exist. Choose a report from the list of reports.")
    if not name.strip():
        raise UnableToFreeze("Enter a name, for example “As reported to the board on 3 March”.")
    if not reason.strip():
        raise UnableToFreeze("Enter why you are freezing this report.")

    try:
        snapshot = audience_snapshot(definition, audience, query_string, now)
    except InvalidFilters as error:
        # Filters that are valid for the author can still name a record that other people of the audience cannot see.
        raise UnableToFreeze(
            "Not everyone who will read the report can use these filters. Correct the filters, or remove each filter "
            "that names something only you can see."
        ) from error

    frozen_report = FrozenReport.objects.create(
        report=report,
        name=name.strip()[:200],
        reason=reason.strip(),
        question=query_string,
        content=to_json(with_rows_limited(snapshot)),
        organisation=audience if isinstance(audience, Organisation) else None,
        partnership=audience if isinstance(audience, Partnership) else None,
        frozen_by=author,
        frozen_at=now,
    )
    record_event(frozen_report, EventKind.FROZEN, author=author, now=now, reason=frozen_report.reason)
    return frozen_report
