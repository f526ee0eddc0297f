"""Import simple lists, which are single files whose rows do not depend on each other.

A row that an earlier list had is not reported as missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import Column, Table, UnknownHeadings, find_table
from partnerships.transfer.reading.problems import Problem, refuse_file
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.directory import RunningImport
from partnerships.transfer.services.files import ImportRequest
from partnerships.transfer.services.outcomes import refuse_unusable
from partnerships.transfer.services.refusals import refuse_file_with_row

#: A function that applies the rows, adds problems for unusable rows, and returns the number of rows outside England.
Apply = Callable[[Table, Collector, RunningImport], int]


@dataclass(frozen=True, slots=True)
class SimpleList:
    """The register and the columns of a simple list, and how its rows are applied."""

    register: Register
    columns: tuple[Column, ...]
    #: Words for the list in messages, such as “the list of changes of councils”.
    description: str
    apply: Apply
    #: The codes of alternative columns. The file must have at least one of them.
    one_of: tuple[str, ...] = ()


def apply_simple_list(import_request: ImportRequest, *, simple_list: SimpleList) -> ImportRun:
    """Import the list inside the caller's transaction, and return the run.

    Raises `UnableToRead` if the file is another list, or none of its rows can be used.
    """
    sheets = import_request.files[0].sheets
    table = find_table(sheets, simple_list.columns, simple_list.description, import_request.known_headings(0, sheets))
    _require_one_of(table, simple_list)

    list_file = table.list_file
    report = Report()
    day = import_request.settle_date(
        simple_list.register,
        is_corrected=list_file.is_corrected,
        date_in_title=list_file.true_on,
        report=report,
    )
    run = import_request.start(simple_list.register, day, report=report, list_file=list_file)
    for remark in table.remarks:
        report.remark(remark)

    collector = Collector(table)
    with report.timed(), refuse_file_with_row(run):
        outside_count = simple_list.apply(table, collector, run)
    list_file = replace(collector.list_file(), outside=outside_count)
    refuse_unusable(list_file, all_or_nothing=import_request.choices.all_or_nothing)
    for row in list_file.set_aside:
        run.set_aside(row)
    report.account_for(list_file)

    if not report.rows["used"]:
        raise refuse_file(
            f"none of its {len(list_file.rows):,} rows can be used.",
            "Is it the right list? If so, import the list it refers to first.",
        )
    return import_request.finish(import_request.new_run(run.register, day), run, EventKind.LIST_IMPORTED)


def _require_one_of(table: Table, simple_list: SimpleList) -> None:
    """Raise `UnknownHeadings` if the file has none of the columns in `SimpleList.one_of`."""
    if not simple_list.one_of or any(table.has(code) for code in simple_list.one_of):
        return
    columns = " or ".join(f"“{column.shown}”" for column in simple_list.columns if column.code in simple_list.one_of)
    fault = f"{simple_list.description} needs the column {columns}."
    raise UnknownHeadings([Problem(table.heading.number, "", fault, "Is it the right file?")], simple_list.columns)
