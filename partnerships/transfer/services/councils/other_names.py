"""Add names and codes of councils from lists that have several rows for each council."""

from __future__ import annotations

from partnerships.organisations.models import Organisation, Scheme
from partnerships.transfer.models import Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.councils import GSS
from partnerships.transfer.reading.headings import Column, Line, Table
from partnerships.transfer.services.directory import Directory, RunningImport, alternative_names
from partnerships.transfer.services.refusals import set_aside_if_refused
from partnerships.transfer.services.simple_lists import SimpleList

_UNKNOWN = (
    "Remove the row if the council is outside England. Otherwise import the list of councils that has this council."
)


def _apply(table: Table, collector: Collector, run: RunningImport) -> int:
    """Add names and codes that the directory lacks, and return the number of rows outside England."""
    directory, outside_count = Directory(), 0
    for done_count, line in enumerate(table, start=1):
        code = line.text("gss").upper()
        if GSS.fullmatch(code) and not code.startswith("E"):
            collector.required(line, "key")
            outside_count += 1
        else:
            _apply_row(line, code, directory, collector, run)
        run.progress(done_count, len(table.rows))
    return outside_count


def _apply_row(line: Line, code: str, directory: Directory, collector: Collector, run: RunningImport) -> None:
    """Add the row's name and code to its council, or add the row's problem to the collector."""
    key = collector.required(line, "key").upper()
    if code and not GSS.fullmatch(code):
        collector.add_problem(line, "gss", f"“{code}” is not a GSS code.", "Enter a letter and eight digits.")
        return
    council = directory.holder(Scheme.LOCAL_AUTHORITY, key)
    if key and council is None:
        collector.leave_out(line, "key", f"no council in the directory has the key “{key}”.", _UNKNOWN)
        return
    if not code and not line.text("name"):
        collector.add_problem(
            line, "key", "the row has neither a name nor a code.", "Enter one of them, or remove the row."
        )
        return
    if council is not None:
        _add_name_and_code(council, line, code, directory, collector, run)


def _add_name_and_code(
    council: Organisation, line: Line, code: str, directory: Directory, collector: Collector, run: RunningImport
) -> None:
    """Add the row's name and code, unless the council already has them.

    If the council has a GSS code, another code is a former code. A code of another organisation is a problem.
    """
    identifiers = []
    if code:
        holder = directory.with_code(code)
        if holder is not None and holder != council:
            fault = f"{code} is a code of {holder.name} in the directory, not of {council.name}."
            collector.add_problem(line, "gss", fault, "Correct the key or the code, or the directory.")
            return
        if holder is None:
            has_code = bool(directory.values(council, Scheme.GSS))
            identifiers.append((Scheme.LOCAL_AUTHORITY_FORMER if has_code else Scheme.GSS, code))
    with set_aside_if_refused(line.number, directory, run):
        names = alternative_names(line.text("name"))
        changes = directory.update(council, run, fields={}, identifiers=identifiers, names=names)
        if changes:
            run.report.count("changed", f"{council.name}: {'; '.join(changes)}")
        else:
            run.report.count("left_alone")


OTHER_NAMES = SimpleList(
    Register.COUNCIL_NAMES,
    (
        Column(
            "key",
            ("localauthoritycode", "localauthoritykey", "lacode", "threelettercode"),
            "local-authority-code",
            required=True,
            values=r"[A-Z]{3,4}",
        ),
        Column("name", ("laname", "name", "officialname", "nicename", "localauthorityname"), "la-name"),
        Column("gss", ("gsscode", "gss", "onscode"), "gss-code", values=r"[EWSN]\d{8}"),
    ),
    "the list of names and codes of councils",
    _apply,
    one_of=("name", "gss"),
)
