"""Compare published code lists with the codes that Common Ground knows, without changing anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from partnerships.open_data.standards import AGREEMENT_TYPES, PURPOSES
from partnerships.transfer.models import Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.developer_agreements import STATUSES
from partnerships.transfer.reading.headings import Column, Table
from partnerships.transfer.reading.plan_events import EVENTS
from partnerships.transfer.reading.providers import DESIGNATION_CODES, FORM_CODES
from partnerships.transfer.services.directory import RunningImport
from partnerships.transfer.services.local_plans.documents import DOCUMENT_KINDS
from partnerships.transfer.services.simple_lists import SimpleList

#: The known codes, by the column of the list that has them.
_KNOWN_CODES: Mapping[str, Collection[str]] = {
    "status": STATUSES,
    "purpose": PURPOSES,
    "type": AGREEMENT_TYPES,
    "designation": DESIGNATION_CODES,
    "form": FORM_CODES,
}


def _apply(table: Table, collector: Collector, run: RunningImport) -> int:
    """Set rows with unknown codes aside, except codes that have ended.

    Every simple list returns the number of its rows outside England. For code lists, this is always 0.
    """
    column = next(code for code in (*_KNOWN_CODES, "reference") if table.has(code))
    listed_codes = {line.text(column) for line in table}
    # Lists of events and lists of documents have the same columns, so only the codes show which list it is.
    has_more_events = len(listed_codes & set(EVENTS)) >= len(listed_codes & set(DOCUMENT_KINDS))
    known_codes = _KNOWN_CODES.get(column) or (EVENTS if has_more_events else DOCUMENT_KINDS)
    for line in table:
        code = collector.required(line, column)
        ended_on = collector.day(line, "ended")
        if collector.has_problem(line):
            continue
        if code in known_codes or (ended_on is not None and ended_on <= run.as_of):
            run.report.count("left_alone")
            continue
        remedy = (
            "Correct the code. If the code is new, ask for a version of Common Ground that includes it. Until then, we "
            "show the code as it is written."
        )
        collector.add_problem(line, column, f"The code “{code}” is not one that Common Ground recognises.", remedy)
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
    one_of=(*_KNOWN_CODES, "reference"),
)
