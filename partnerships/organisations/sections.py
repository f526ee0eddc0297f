"""Sections that upper rooms add to the page of a record, for example surveys on the page of a partnership."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias, TypeVar

from django.db.models import Model

from partnerships.kit.sections import Section, Sections
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import Lookup, RowsAbout, functions_with_rows, read_ahead, rows_lookup
from partnerships.people.models import User

Record = TypeVar("Record", bound=Model)
_Record = TypeVar("_Record", bound=Model, contravariant=True)


class BuildFromRows(Protocol[_Record]):
    """A function that builds a section.

    `has_rows` is False if none of the section's rows exist, so that the function need not query them.
    """

    def __call__(self, reader: User, record: _Record, /, *, has_rows: bool) -> Section | None: ...


#: A function that returns the lookups of a section with rows, so that all sections are read ahead in one query.
LookupsOf: TypeAlias = Callable[[User, Record], Iterable[Lookup]]


class RecordSections(Sections[User, Record]):
    """The sections of a record's page.

    Most records have no surveys, notices or working groups. One query finds out which sections have rows, and another
    query reads the `lookups` of these sections.
    """

    def __init__(self) -> None:
        super().__init__()
        self._from_rows: dict[str, BuildFromRows[Record]] = {}
        self._rows: list[tuple[str, RowsAbout]] = []
        self._lookups: dict[str, LookupsOf[Record]] = {}

    def register(
        self,
        name: str,
        build: Callable[[User, Record], Section | None],
        *,
        order: int,
        lookups: LookupsOf[Record] | None = None,
    ) -> None:
        """Add a section. `build` takes reader and record, and returns the section or None.

        The section with the lowest `order` is shown first.
        """
        super().register(name, build, order=order)
        if lookups is not None:
            self._lookups[name] = lookups

    def register_with_rows(
        self,
        name: str,
        build: BuildFromRows[Record],
        *rows: RowsAbout,
        order: int,
        lookups: LookupsOf[Record] | None = None,
    ) -> None:
        """Add a section and the rows that it reads. The section with the lowest `order` is shown first."""
        self._from_rows[name] = build
        self._order[name] = order
        self._rows += [(name, row) for row in rows]
        if lookups is not None:
            self._lookups[name] = lookups

    def rows_lookup(self, record_id: int) -> Lookup:
        """Return the first lookup that a later `of` needs, for `read_ahead`."""
        return rows_lookup(record_id, *(rows for _, rows in self._rows))

    def of(self, reader: User, record: Record, *, also: Iterable[Lookup] = ()) -> list[Section]:
        """Return the sections that have something to show to this reader.

        `also` are lookups of the page, which are read together with those of the sections.
        """
        section_rows = functions_with_rows(record.pk, *(rows for _, rows in self._rows))
        names_with_content = {*self._builders, *(name for name, rows in self._rows if rows in section_rows)}
        with_lookups = names_with_content & self._lookups.keys()
        lookups = list(also)
        for name in self.in_order():
            if name in with_lookups:
                lookups += self._lookups[name](reader, record)
        read_ahead(lookups)
        sections = (
            self._from_rows[name](reader, record, has_rows=name in names_with_content)
            if name in self._from_rows
            else self._builders[name](reader, record)
            for name in self.in_order()
        )
        return [section for section in sections if section is not None]


ON_ORGANISATIONS: RecordSections[Organisation] = RecordSections()
