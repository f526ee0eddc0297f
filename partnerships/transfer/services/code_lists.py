"""Published code lists, compared with those that Common Ground knows.

An unknown code is named, nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from partnerships.open_data.standards import AGREEMENT_TYPES, PURPOSES
from partnerships.transfer.models import Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.developer_agreements import STATUSES
from partnerships.transfer.reading.headings import Column, Table
from partnerships.transfer.reading.plan_events import EVENTS
from partnerships.transfer.reading.providers import DESIGNATION_CODES, FORM_CODES
from partnerships.transfer.services.directory import Import
from partnerships.transfer.services.local_plans.documents import DOCUMENT_KINDS
from partnerships.transfer.services.simple_lists import SimpleList

#: The codes that are known, by the column of a list that has them.
_KNOWN: Mapping[str, Collection[str]] = {
    "status": STATUSES,
    "purpose": PURPOSES,
    "type": AGREEMENT_TYPES,
    "designation": DESIGNATION_CODES,
    "form": FORM_CODES,
}


def _apply(table: Table, collector: Collector, run: Import) -> int:
    """Count the codes that are known or have ended; the others are set aside."""
    column = next(code for code in (*_KNOWN, "reference") if table.has(code))
    listed = {line.text(column) for line in table}
    # Events and documents of plans are both called “reference”.
    known = _KNOWN.get(column) or max((EVENTS, DOCUMENT_KINDS), key=lambda codes: len(listed & set(codes)))
    for line in table:
        code, ended = collector.required(line, column), collector.day(line, "ended")
        if line.number in collector.bad_rows:
            continue
        if code in known or (ended is not None and ended <= run.as_of):
            run.report.count("left_alone")
            continue
        remedy = "Correct it, or ask for a version of Common Ground that knows it. Until then it is kept as written."
        collector.add_problem(line, column, f"Common Ground does not know the code “{code}”.", remedy)
    return 0


CODE_LISTS = SimpleList(
    Register.CODE_LISTS,
    (
        Column("status", ("contributionfundingstatus",), "contribution-funding-status"),
        Column("purpose", ("contributionpurpose",), "contribution-purpose"),
        Column("type", ("developeragreementtype",), "developer-agreement-type"),
        Column("designation", ("socialhousingproviderdesignation(eng)?",), "social-housing-provider-designation-eng"),
        Column("form", ("socialhousingproviderlegalentity(eng)?",), "social-housing-provider-legal-entity-eng"),
        Column("reference", ("reference", "localplanevent", "planevent", "documenttype"), "reference"),
        Column("name", ("name",), "name", required=True),
        Column("ended", ("enddate",), "end-date"),
    ),
    "a code list",
    _apply,
    one_of=(*_KNOWN, "reference"),
)
