"""Importing a list of one file whose rows each stand alone, and that marks nothing as missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import Column, Table, UnknownHeadings, find_table
from partnerships.transfer.reading.problems import Problem, unable
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.dating import settled_date
from partnerships.transfer.services.directory import Import
from partnerships.transfer.services.files import Given
from partnerships.transfer.services.outcomes import refuse_unusable
from partnerships.transfer.services.rows import row_errors

#: Applies the rows, adds problems to those that it cannot use, and returns how many are outside England.
Apply = Callable[[Table, Collector, Import], int]


@dataclass(frozen=True, slots=True)
class SimpleList:
    """A list: its register, its columns, what it is in words, and how its rows are applied."""

    register: Register
    columns: tuple[Column, ...]
    what: str
    apply: Apply
    #: Codes of columns. At least one of these columns must be there.
    one_of: tuple[str, ...] = ()


def apply_simple_list(given: Given, *, listed: SimpleList) -> ImportRun:
    """Import the list inside the caller's transaction.

    Returns the run. Raises `UnableToRead`.
    """
    sheets = given.files[0].sheets
    table = find_table(sheets, listed.columns, listed.what, given.known(0, sheets))
    _need_one_of(table, listed)
    report, list_file = Report(), table.list_file
    day = settled_date(
        given=given.choices.as_of,
        named=given.named_date or list_file.true_on,
        said=given.latest_date(listed.register) if list_file.is_corrected else None,
        now=given.now,
        report=report,
    )
    run = given.start(listed.register, day, report=report, list_file=list_file)
    for line in table.remarks:
        report.remark(line)
    collector = Collector(table)
    with report.timed(), row_errors(run):
        outside = listed.apply(table, collector, run)
    list_file = replace(collector.list_file(), outside=outside)
    refuse_unusable(list_file, all_or_nothing=given.choices.all_or_nothing)
    for row in list_file.set_aside:
        run.set_aside(row)
    report.account_for(list_file)
    if not report.rows["used"]:
        raise unable(
            f"none of its {len(list_file.rows):,} rows can be used.",
            "Is it the right list? If so, import the list it refers to first.",
        )
    return given.finish(given.new_run(run.register, day), run, EventKind.LIST_IMPORTED)


def _need_one_of(table: Table, listed: SimpleList) -> None:
    """Ask for the headings of a list that has none of its alternative columns."""
    if not listed.one_of or any(table.has(code) for code in listed.one_of):
        return
    shown = " or ".join(f"“{column.shown}”" for column in listed.columns if column.code in listed.one_of)
    problem = Problem(table.heading.number, "", f"{listed.what} needs the column {shown}.", "Is it the right file?")
    raise UnknownHeadings([problem], listed.columns)
