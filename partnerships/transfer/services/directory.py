"""The directory in memory, for matching and updating by lists."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from partnerships.kit.leased_jobs import Progress as Progress
from partnerships.kit.names import fold_name
from partnerships.organisations.models import (
    Area,
    AreaKind,
    AreaServed,
    Identifier,
    NameKind,
    Organisation,
    OrganisationName,
    Scheme,
)
from partnerships.organisations.services import (
    add_identifier,
    add_name,
    end_area_served,
    mark_found,
    mark_missing,
    serve_area,
    update_organisation,
)
from partnerships.organisations.services.areas import AreaFields, keep_area
from partnerships.people.models import User
from partnerships.transfer.reading.about import About
from partnerships.transfer.reading.problems import SetAside
from partnerships.transfer.reporting import Report

#: What an authority's staff can do about a key that the directory does not have.
ASK_ADMINISTRATORS = "Correct the key, or ask an administrator to add it to the authority in the directory."


def silent(done: int, total: int) -> None:
    """Show no progress."""


@dataclass
class Import:
    """What each step of an import needs: author, time, list and report."""

    register: str
    author: User | None
    now: dt.datetime
    as_of: dt.date
    source: str
    report: Report = field(default_factory=Report)
    progress: Progress = silent
    #: The row being imported, for error messages.
    row: int | None = None
    #: How the list was read, and its rows.
    listed: About = field(default_factory=About)
    #: The SHA-256 of the files, where histories name them.
    digest: str = ""
    #: The authority whose own files they are: rows of others are set aside, and nothing is added to the directory.
    organisation: Organisation | None = None
    #: Whether a row that is refused is set aside and the others go in.
    rows_stand_alone: bool = False
    #: What the cells of rows set aside say, folded.
    _mentioned: set[str] = field(default_factory=set)

    def set_aside(self, row: SetAside) -> None:
        """Leave a row for a person to correct."""
        self.report.set_row_aside(row)
        self._mentioned.update(fold_name(cell) for cell in row.cells if cell)

    def is_mentioned(self, values: Iterable[str]) -> bool:
        """Whether a row that was set aside has one of these keys or names.

        Its body is in the list, though nothing was read of it.
        """
        return bool(self._mentioned) and any(fold_name(value) in self._mentioned for value in values)


class Directory:
    """Organisations, identifiers, names, areas and areas served.

    Kept in step with what the import writes.
    """

    def __init__(self) -> None:
        self.reload()

    def reload(self) -> None:
        """Read everything again, after changes were undone."""
        self.organisations: dict[int, Organisation] = {
            organisation.pk: organisation for organisation in Organisation.objects.all()
        }
        self.holders: dict[tuple[str, str], int] = {}
        self.identifiers: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for pk, scheme, value in Identifier.objects.values_list("organisation_id", "scheme", "value"):
            self._hold(pk, scheme, value)
        self.names: dict[int, set[str]] = defaultdict(set)
        self.by_name: dict[str, set[int]] = defaultdict(set)
        for pk, name in OrganisationName.objects.values_list("organisation_id", "name"):
            self._call(pk, name)
        self.areas: dict[str, Area] = {area.code: area for area in Area.objects.select_related("parent", "region")}
        self.served: dict[int, dict[int, list[AreaServed]]] = defaultdict(lambda: defaultdict(list))
        for row in AreaServed.objects.all():
            self.served[row.organisation_id][row.area_id].append(row)

    def _hold(self, pk: int, scheme: str, value: str) -> None:
        self.holders[scheme, value] = pk
        self.identifiers[pk].add((scheme, value))

    def _call(self, pk: int, name: str) -> None:
        self.names[pk].add(name)
        self.by_name[fold_name(name)].add(pk)

    def holder(self, scheme: str, value: str) -> Organisation | None:
        """The organisation that has an identifier."""
        pk = self.holders.get((scheme, value))
        return self.organisations[pk] if pk is not None else None

    def of_code(self, code: str) -> Organisation | None:
        """The body that has a GSS code, or had it formerly."""
        return self.holder(Scheme.GSS, code) or self.holder(Scheme.LOCAL_AUTHORITY_FORMER, code)

    def called(self, name: str) -> list[Organisation]:
        """Organisations with this name, whatever its spelling."""
        return [self.organisations[pk] for pk in sorted(self.by_name.get(fold_name(name), ()))]

    def having(self, scheme: str) -> list[Organisation]:
        """Organisations that have an identifier of the scheme."""
        return [self.organisations[pk] for pk in sorted({pk for (of, _), pk in self.holders.items() if of == scheme})]

    def values(self, organisation: Organisation, scheme: str) -> set[str]:
        """The organisation's identifiers of one scheme."""
        return {value for of, value in self.identifiers[organisation.pk] if of == scheme}

    def adopt(
        self,
        organisation: Organisation,
        *,
        identifiers: Iterable[tuple[str, str]],
        names: Iterable[str],
    ) -> None:
        """Add an organisation that was just created."""
        self.organisations[organisation.pk] = organisation
        for scheme, value in identifiers:
            self._hold(organisation.pk, scheme, value)
        for name in names:
            self._call(organisation.pk, name)

    def area(self, code: str, **fields: Any) -> Area:
        """The area with a code, created or updated."""
        known = self.areas.get(code)
        if known is not None and all(getattr(known, name) == value for name, value in fields.items()):
            return known
        area_fields: AreaFields = fields  # type: ignore[assignment]  # the callers' keywords are checked where they are written
        area, _, _ = keep_area(code=code, **area_fields)
        self.areas[code] = area
        return area

    def district(self, code: str, name: str) -> Area:
        """The area of a district's code, created by the list's name if unknown."""
        return self.areas.get(code) or self.area(code, name=name or code, kind=AreaKind.DISTRICT)

    def update(
        self,
        organisation: Organisation,
        run: Import,
        *,
        fields: Mapping[str, Any],
        identifiers: Iterable[tuple[str, str]] = (),
        names: Iterable[tuple[str, str]] = (),
        registered_on: dt.date | None = None,
    ) -> list[str]:
        """Write what differs; returns the changes in words.

        An identifier that another organisation has stays there.
        """
        said = []
        differing = {name: value for name, value in fields.items() if _differ(getattr(organisation, name), value)}
        if differing:
            before = {name: getattr(organisation, name) for name in differing}
            update_organisation(
                organisation=organisation,
                author=run.author,
                now=run.now,
                reason=run.source,
                **differing,
            )
            said = [f"{_words(name)} {_shown(before[name])} → {_shown(value)}" for name, value in differing.items()]
            if "name" in differing:
                self._call(organisation.pk, organisation.name)
            if differing.get("short_name"):
                self._call(organisation.pk, organisation.short_name)
        for scheme, value in identifiers:
            if value and (scheme, value) not in self.holders:
                add_identifier(
                    organisation=organisation,
                    scheme=scheme,
                    value=value,
                    author=run.author,
                    now=run.now,
                    valid_from=registered_on,
                )
                self._hold(organisation.pk, scheme, value)
                said.append(f"{Scheme(scheme).label} {value} added")
        for name, kind in names:
            if name and organisation.pk not in self.by_name[fold_name(name)]:
                add_name(organisation=organisation, name=name, kind=kind, author=run.author, now=run.now)
                self._call(organisation.pk, name)
                said.append(f"also called “{name}”")
        return said

    def serve(
        self,
        organisation: Organisation,
        area: Area,
        run: Import,
        *,
        starts_on: dt.date | None = None,
        ends_on: dt.date | None = None,
    ) -> bool:
        """Make the organisation serve the area; whether that is a change."""
        rows = self.served[organisation.pk][area.pk]
        if any(row.ends_on == ends_on or row.ends_on is None for row in rows):
            for row in rows:
                if row.ends_on is None and ends_on is not None:
                    end_area_served(served=row, on=ends_on, author=run.author, now=run.now)
                    return True
            return False
        if any(row.starts_on == starts_on for row in rows):
            return False
        rows.append(
            serve_area(
                organisation=organisation,
                area=area,
                starts_on=starts_on,
                ends_on=ends_on,
                source=run.source[:200],
                author=run.author,
                now=run.now,
            )
        )
        return True

    def end_service(self, organisation: Organisation, area: Area, on: dt.date, run: Import) -> bool:
        """End the organisation's service of the area; whether it was open."""
        for row in self.served[organisation.pk][area.pk]:
            if row.ends_on is None or row.ends_on > on:
                end_area_served(served=row, on=on, author=run.author, now=run.now)
                return True
        return False

    def mark_listed(self, listed: set[int], expected: Iterable[Organisation], run: Import) -> None:
        """Mark organisations missing from the list; unmark those found again.

        A part of a list marks none.
        """
        due = [
            expected_organisation
            for expected_organisation in (() if run.listed.is_part else expected)
            if not run.is_mentioned(
                {value for _, value in self.identifiers[expected_organisation.pk]}
                | self.names[expected_organisation.pk]
            )
        ]
        absent = [organisation for organisation in due if organisation.pk not in listed]
        news = [organisation for organisation in absent if run.register not in organisation.missing_from]
        if len(news) * 5 > len(due):
            run.report.too_many_missing = (len(news), len(due))
        for organisation in absent:
            if mark_missing(
                organisation=organisation, register=run.register, as_of=run.as_of, author=run.author, now=run.now
            ):
                run.report.count("missing", organisation.name)
        for pk in sorted(listed):
            organisation = self.organisations[pk]
            if run.register in organisation.missing_from and mark_found(
                organisation=organisation, register=run.register, author=run.author, now=run.now
            ):
                run.report.count("returned", organisation.name)


def alternative_names(*names: str) -> list[tuple[str, str]]:
    """Add alternative names, for searching."""
    return [(name, NameKind.ALTERNATIVE) for name in names if name]


def _differ(was: Any, now: Any) -> bool:
    """Whether a list has another value; capitals and apostrophes are ignored."""
    if isinstance(was, str) and isinstance(now, str) and was and now:
        return fold_name(was) != fold_name(now)
    return bool(was != now)


def _words(name: str) -> str:
    return {"valid_from": "begun", "valid_to": "ended"}.get(name, name.replace("_", " "))


def _shown(value: Any) -> str:
    return f"“{value}”" if value not in (None, "") else "(nothing)"
