"""Lists of all names or codes of councils with their keys.

Adds those that the directory lacks.
"""

from __future__ import annotations

from partnerships.organisations.models import Organisation, Scheme
from partnerships.transfer.models import Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.councils import GSS
from partnerships.transfer.reading.headings import Column, Line, Table
from partnerships.transfer.services.directory import Directory, Import, alternative_names
from partnerships.transfer.services.rows import one_row
from partnerships.transfer.services.simple_lists import SimpleList

_UNKNOWN = "Leave it out if the council is outside England. Otherwise import the list of councils that has it."


def _apply(table: Table, faults: Collector, run: Import) -> int:
    """Add names and codes; those of councils outside England are counted."""
    directory, outside = Directory(), 0
    for done, line in enumerate(table, start=1):
        key, code = faults.required(line, "key").upper(), line.text("gss").upper()
        body = directory.holder(Scheme.LOCAL_AUTHORITY, key)
        if code and not GSS.fullmatch(code):
            faults.add_problem(line, "gss", f"“{code}” is not a GSS code.", "Write a letter and eight digits.")
        elif code and not code.startswith("E"):
            outside += 1
        elif key and body is None:
            faults.leave_out(line, "key", f"no council in the directory has the key “{key}”.", _UNKNOWN)
        elif not (code or line.text("name")):
            faults.add_problem(line, "key", "it has neither a name nor a code.", "Fill in one, or remove the row.")
        elif body is not None:
            _complete(body, line, code, directory, faults, run)
        run.progress(done, len(table.rows))
    return outside


def _complete(body: Organisation, line: Line, code: str, directory: Directory, faults: Collector, run: Import) -> None:
    """Add the row's name and code, unless the council has them.

    A code of another body is a problem.
    """
    identifiers = []
    if code:
        held = directory.of_code(code)
        if held is not None and held != body:
            found = f"{code} is a code of {held.name} in the directory, not of {body.name}."
            faults.add_problem(line, "gss", found, "Correct the key or the code, or the directory.")
            return
        if held is None:
            has_code = bool(directory.values(body, Scheme.GSS))
            identifiers.append((Scheme.LOCAL_AUTHORITY_FORMER if has_code else Scheme.GSS, code))
    with one_row(line.number, directory, run):
        names = alternative_names(line.text("name"))
        said = directory.update(body, run, fields={}, identifiers=identifiers, names=names)
        if said:
            run.report.count("changed", f"{body.name}: {'; '.join(said)}")
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
