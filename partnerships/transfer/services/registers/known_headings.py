"""Headings that people confirmed for the lists of each publisher."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from partnerships.transfer.models import KnownHeading
from partnerships.transfer.reading.headings import HEADING_WITHIN, canonical
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import text


def publishers_of(register: str) -> list[str]:
    """Return the publishers whose headings of this register were confirmed."""
    headings = KnownHeading.objects.filter(register=register).order_by("publisher")
    return list(headings.values_list("publisher", flat=True).distinct())


def stored_heading(heading: str, file_index: int) -> str:
    """Return a heading in the form that `KnownHeading` stores, which is its canonical form.

    Headings of the second and third file of a list begin with the number of the file.
    """
    prefix = f"{file_index + 1}:" if file_index else ""
    return f"{prefix}{canonical(heading)}"[:120]


def headings_known_for(register: str, publisher: str) -> Callable[[int, Sequence[Sheet]], dict[str, str]]:
    """Return a function of a file's index and sheets that returns the file's `known_headings`."""
    return lambda file_index, sheets: known_headings(register, publisher, sheets, file_index)


def known_headings(register: str, publisher: str, sheets: Sequence[Sheet], file_index: int = 0) -> dict[str, str]:
    """Return the codes of columns by the canonical headings that were confirmed for a publisher.

    `file_index` is the index of the file in the list's files. Without a publisher, the only publisher whose lists look
    like this file is used. A file looks like a publisher's lists if it has a heading for each column that was ever
    confirmed for the publisher. Headings may differ from year to year, so one confirmed heading of a column is enough.
    """
    columns_by_publisher = _columns_by_publisher(register, file_index)
    if publisher:
        return columns_by_publisher.get(publisher.casefold(), {})
    if not columns_by_publisher:
        return {}

    headings_in_file: set[str] = set()
    for sheet in sheets:
        for row in sheet.rows[:HEADING_WITHIN]:
            headings_in_file.update(canonical(text(cell)) for cell in row.cells if cell)
    matches = []
    for columns in columns_by_publisher.values():
        columns_in_file = {column for heading, column in columns.items() if heading in headings_in_file}
        if columns_in_file == set(columns.values()):
            matches.append(columns)
    return matches[0] if len(matches) == 1 else {}


def _columns_by_publisher(register: str, file_index: int) -> dict[str, dict[str, str]]:
    """Return the codes of columns by publisher (in lower case) and then by heading."""
    columns_by_publisher: dict[str, dict[str, str]] = {}
    # Headings of the second and further files of a list begin with the number of the file, such as "2:".
    wanted_prefix = str(file_index + 1) if file_index else ""
    for known_heading in KnownHeading.objects.filter(register=register).order_by("pk"):
        prefix, _, heading = known_heading.heading.rpartition(":")
        if prefix == wanted_prefix:
            columns = columns_by_publisher.setdefault(known_heading.publisher.casefold(), {})
            columns[heading] = known_heading.column
    return columns_by_publisher
