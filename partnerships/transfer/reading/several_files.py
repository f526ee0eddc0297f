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
    """A file of a list, and what is needed to find its table."""

    #: Empty if the file is missing.
    sheets: Sequence[Sheet]
    name: str
    columns: Sequence[Column]
    #: Words for the file in messages, such as “the timetable”.
    description: str
    #: The columns of headings that people confirmed, by canonical heading.
    known_headings: Mapping[str, str]


def find_tables(parts: Sequence[Part]) -> list[Table]:
    """Return the table of each file. The table of a missing file has no rows.

    Files may be missing only if the others have corrected rows that were set aside earlier. Raises `UnknownHeadings` if
    the only problems are missing columns, and otherwise `UnableToRead`.
    """
    tables: list[Table] = []
    errors: list[UnableToRead] = []
    problems: list[Problem] = []
    for part in parts:
        if not part.sheets:
            tables.append(Table("", Row(1, ()), {}, ()))
            continue
        try:
            tables.append(find_table(part.sheets, part.columns, part.description, part.known_headings))
        except UnableToRead as error:
            errors.append(error)
            problems += problems_with_file_name(error.problems, part.name)
    if errors and all(isinstance(error, UnknownHeadings) for error in errors):
        raise UnknownHeadings(problems, ())
    if errors:
        raise UnableToRead(problems)
    missing = [part for part in parts if not part.sheets]
    if missing and not all(table.list_file.is_corrected for table in tables if table.heading.cells):
        remedy = "Choose its file too. Only rows that were set aside and corrected can be imported without this file."
        raise UnableToRead([Problem(None, "", f"{part.description} is missing.", remedy) for part in missing])
    return tables


def problems_with_file_name(problems: Sequence[Problem], name: str) -> list[Problem]:
    """Return the problems with the name of the file in front of the name of the sheet."""
    return [replace(problem, sheet=f"{name}{', ' + problem.sheet if problem.sheet else ''}") for problem in problems]


def list_file_with_name(list_file: ListFile, name: str, file_index: int) -> ListFile:
    """Return the file with its index in the list, and with its name in the problems of its rows set aside."""
    rows: list[SetAside] = [
        replace(row, problems=tuple(problems_with_file_name(row.problems, name)), file=file_index)
        for row in list_file.set_aside
    ]
    return replace(list_file, set_aside=tuple(rows), file=file_index)
