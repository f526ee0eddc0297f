"""Headings that a person confirmed, remembered for their publisher."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from partnerships.transfer.models import KnownHeading
from partnerships.transfer.reading.headings import HEADING_WITHIN, canonical
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import text


def publishers_of(register: str) -> list[str]:
    """Publishers whose headings of this register are remembered."""
    rows = KnownHeading.objects.filter(register=register).order_by("publisher")
    return list(rows.values_list("publisher", flat=True).distinct())


def kept_heading(heading: str, place: int) -> str:
    """A heading as it is remembered; from the second file of a list on, with the number of the file."""
    return f"{place + 1}:{canonical(heading)}"[:120] if place else canonical(heading)[:120]


def headings_known_for(register: str, publisher: str) -> Callable[[int, Sequence[Sheet]], dict[str, str]]:
    """A function that finds `known_headings` of the file at a place."""
    return lambda place, sheets: known_headings(register, publisher, sheets, place)


def known_headings(register: str, publisher: str, sheets: Sequence[Sheet], place: int = 0) -> dict[str, str]:
    """The meanings of a publisher's headings, by canonical heading.

    Of the file at this place, if the list comes as several. Without a publisher, those of the one publisher who has a
    heading in the file for each of the known columns; else none. A publisher may have had other headings in other
    years.
    """
    by_publisher: dict[str, dict[str, str]] = {}
    for row in KnownHeading.objects.filter(register=register).order_by("pk"):
        number, _, heading = row.heading.rpartition(":")
        if number == (str(place + 1) if place else ""):
            by_publisher.setdefault(row.publisher.casefold(), {})[heading] = row.column
    if publisher:
        return by_publisher.get(publisher.casefold(), {})
    if not by_publisher:
        return {}
    written = {
        canonical(text(cell)) for sheet in sheets for row in sheet.rows[:HEADING_WITHIN] for cell in row.cells if cell
    }
    fitting = [
        headings
        for headings in by_publisher.values()
        if {column for heading, column in headings.items() if heading in written} == set(headings.values())
    ]
    return fitting[0] if len(fitting) == 1 else {}
