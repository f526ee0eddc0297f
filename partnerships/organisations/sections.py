"""Sections that upper rooms add to the page of a record, and those of an organisation's page."""

from __future__ import annotations

from typing import Protocol, TypeVar

from django.db.models import Model

from partnerships.kit.sections import Section, Sections
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import RowsAbout, with_rows
from partnerships.people.models import User

Record = TypeVar("Record", bound=Model)
_Record = TypeVar("_Record", bound=Model, contravariant=True)


class BuildFromRows(Protocol[_Record]):
    """Builds a section; `has_rows` is false where none of its rows exist, so that it need not ask for them."""

    def __call__(self, reader: User, record: _Record, /, *, has_rows: bool) -> Section | None: ...


class RecordSections(Sections[User, Record]):
    """Sections of a record's page; some are told whether they have rows.

    Most records have no surveys, notices or working groups. One query finds that out for all sections.
    """

    def __init__(self) -> None:
        super().__init__()
        self._from_rows: dict[str, BuildFromRows[Record]] = {}
        self._rows: list[tuple[str, RowsAbout]] = []

    def register_with_rows(self, name: str, build: BuildFromRows[Record], *rows: RowsAbout) -> None:
        """Add a section with the rows that it reads."""
        self._from_rows[name] = build
        self._rows += [(name, one) for one in rows]

    def of(self, reader: User, record: Record) -> list[Section]:
        """The sections with something to show to this reader."""
        found = with_rows(record.pk, *(rows for _, rows in self._rows))
        there = {name for name, rows in self._rows if rows in found}
        built = (
            self._from_rows[name](reader, record, has_rows=name in there)
            if name in self._from_rows
            else self._builders[name](reader, record)
            for name in sorted({*self._builders, *self._from_rows})
        )
        return [section for section in built if section is not None]


ON_ORGANISATIONS: RecordSections[Organisation] = RecordSections()
