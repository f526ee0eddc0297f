"""Read the tables of a list that has several files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from partnerships.transfer.reading.headings import Column, Table, UnknownHeadings, find_table
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.problems import Problem, SetAside, UnableToRead
from partnerships.transfer.reading.tables import Row, Sheet


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a list."""

    #: Empty if the file is missing.
    sheets: Sequence[Sheet]
    name: str
    columns: Sequence[Column]
    #: The file in words, for messages, such as “the timetable”.
    what: str
    #: The columns of headings that people confirmed, by canonical heading.
    known: Mapping[str, str]


def find_tables(parts: Sequence[Part]) -> list[Table]:
    """Return the table of each file; the table of a missing file has no rows.

    Files may be missing only if the others have rows that were set aside and corrected. Raises `UnknownHeadings` if
    nothing but required columns are missing, and otherwise `UnableToRead`.
    """
    tables: list[Table] = []
    errors: list[UnableToRead] = []
    problems: list[Problem] = []
    for part in parts:
        if not part.sheets:
            tables.append(Table("", Row(1, ()), {}, ()))
            continue
        try:
            tables.append(find_table(part.sheets, part.columns, part.what, part.known))
        except UnableToRead as error:
            errors.append(error)
            problems += in_file(error.problems, part.name)
    if errors and all(isinstance(error, UnknownHeadings) for error in errors):
        raise UnknownHeadings(problems, ())
    if errors:
        raise UnableToRead(problems)
    missing = [part for part in parts if not part.sheets]
    if missing and not all(table.list_file.is_corrected for table in tables if table.heading.cells):
        remedy = "Choose its file too. Only rows that were set aside and corrected can be imported without it."
        raise UnableToRead([Problem(None, "", f"{part.what} is missing.", remedy) for part in missing])
    return tables


def in_file(problems: Sequence[Problem], name: str) -> list[Problem]:
    """Return the problems, with the name of the file."""
    return [replace(problem, sheet=f"{name}{', ' + problem.sheet if problem.sheet else ''}") for problem in problems]


def of_file(list_file: ListFile, name: str, file_index: int) -> ListFile:
    """Return the file with its index in the list, and with its name in the problems of rows set aside."""
    rows: list[SetAside] = [
        replace(row, problems=tuple(in_file(row.problems, name)), file=file_index) for row in list_file.set_aside
    ]
    return replace(list_file, set_aside=tuple(rows), file=file_index)
