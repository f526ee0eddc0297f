"""The directory of organisations, loaded into memory to match lists with it and update it from them."""

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
from partnerships.organisations.services.areas import AreaFields, save_area
from partnerships.people.models import User
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.problems import SetAside
from partnerships.transfer.reporting import Report

#: The remedy for a key that is not in the directory, shown to the staff of an authority.
ASK_ADMINISTRATORS = "Correct the key, or ask an administrator to add it to the authority in the directory."


def ignore_progress(done: int, total: int) -> None:
    """Do nothing with the progress of an import that nobody watches."""


@dataclass
class RunningImport:
    """An import that is running, with its author and time, its list, and its report."""

    register: str
    author: User | None
    now: dt.datetime
    as_of: dt.date
    source: str
    report: Report = field(default_factory=Report)
    progress: Progress = ignore_progress
    #: The number of the row that is being imported, for error messages.
    row: int | None = None
    #: The file that is imported, with its rows.
    list_file: ListFile = field(default_factory=ListFile)
    #: The SHA-256 of the files, for entries in histories.
    digest: str = ""
    #: The authority that uploads its own files. Rows of other authorities are set aside, and nothing is added to the
    #: directory.
    organisation: Organisation | None = None
    #: Whether a refused row is set aside and the other rows are imported, instead of refusing the whole file.
    sets_bad_rows_aside: bool = False
    #: The text of every cell in the rows set aside, folded by `fold_name`.
    _cells_set_aside: set[str] = field(default_factory=set)

    def set_aside(self, row: SetAside) -> None:
        """Set a row aside, for a person to correct."""
        self.report.set_row_aside(row)
        self._cells_set_aside.update(fold_name(cell) for cell in row.cells if cell)

    def is_mentioned(self, values: Iterable[str]) -> bool:
        """Return whether a row that was set aside has one of these keys or names in a cell.

        If so, the organisation is in the list, although its row could not be used.
        """
        return bool(self._cells_set_aside) and any(fold_name(value) in self._cells_set_aside for value in values)


class Directory:
    """Every organisation with its identifiers, names and areas, loaded into memory once.

    Its methods change the database and this copy together.
    """

    def __init__(self) -> None:
        self.reload()

    def reload(self) -> None:
        """Load everything from the database. Call this again after a rollback."""
        self.organisations: dict[int, Organisation] = {
            organisation.pk: organisation for organisation in Organisation.objects.all()
        }
        #: The id of the organisation with each identifier, by scheme and value.
        self.holders: dict[tuple[str, str], int] = {}
        #: The scheme and value of each identifier, by organisation id.
        self.identifiers: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for pk, scheme, value in Identifier.objects.values_list("organisation_id", "scheme", "value"):
            self._index_identifier(pk, scheme, value)
        #: Names by organisation id, and organisation ids by folded name.
        self.names: dict[int, set[str]] = defaultdict(set)
        self.by_name: dict[str, set[int]] = defaultdict(set)
        for pk, name in OrganisationName.objects.values_list("organisation_id", "name"):
            self._index_name(pk, name)
        #: Areas by GSS code.
        self.areas: dict[str, Area] = {area.code: area for area in Area.objects.select_related("parent", "region")}
        #: Areas served, by organisation id and then by area id.
        self.served: dict[int, dict[int, list[AreaServed]]] = defaultdict(lambda: defaultdict(list))
        for area_served in AreaServed.objects.all():
            self.served[area_served.organisation_id][area_served.area_id].append(area_served)

    def _index_identifier(self, pk: int, scheme: str, value: str) -> None:
        """Add an identifier of an organisation to the copy in memory."""
        self.holders[scheme, value] = pk
        self.identifiers[pk].add((scheme, value))

    def _index_name(self, pk: int, name: str) -> None:
        """Add a name of an organisation to the copy in memory."""
        self.names[pk].add(name)
        self.by_name[fold_name(name)].add(pk)

    def holder(self, scheme: str, value: str) -> Organisation | None:
        """Return the organisation that has an identifier, or None if no organisation has it."""
        pk = self.holders.get((scheme, value))
        return self.organisations[pk] if pk is not None else None

    def with_code(self, code: str) -> Organisation | None:
        """Return the organisation that has this GSS code or had it earlier, or None if there is none."""
        return self.holder(Scheme.GSS, code) or self.holder(Scheme.LOCAL_AUTHORITY_FORMER, code)

    def with_name(self, name: str) -> list[Organisation]:
        """Return the organisations that have this name, apart from case, accents and punctuation."""
        return [self.organisations[pk] for pk in sorted(self.by_name.get(fold_name(name), ()))]

    def with_scheme(self, scheme: str) -> list[Organisation]:
        """Return the organisations that have an identifier of the scheme."""
        ids = {pk for (identifier_scheme, _), pk in self.holders.items() if identifier_scheme == scheme}
        return [self.organisations[pk] for pk in sorted(ids)]

    def values(self, organisation: Organisation, scheme: str) -> set[str]:
        """Return the values of the organisation's identifiers of one scheme."""
        return {value for identifier_scheme, value in self.identifiers[organisation.pk] if identifier_scheme == scheme}

    def remember(
        self,
        organisation: Organisation,
        *,
        identifiers: Iterable[tuple[str, str]],
        names: Iterable[str],
    ) -> None:
        """Add an organisation that was just created to the copy in memory."""
        self.organisations[organisation.pk] = organisation
        for scheme, value in identifiers:
            self._index_identifier(organisation.pk, scheme, value)
        for name in names:
            self._index_name(organisation.pk, name)

    def area(self, code: str, **fields: Any) -> Area:
        """Return the area with this code. Create the area, or update it with the fields, if needed."""
        existing_area = self.areas.get(code)
        if existing_area is not None and all(getattr(existing_area, name) == value for name, value in fields.items()):
            return existing_area
        area_fields: AreaFields = fields  # type: ignore[assignment]  # the callers' keywords are checked where they are written
        area, _, _ = save_area(code=code, **area_fields)
        self.areas[code] = area
        return area

    def district(self, code: str, name: str) -> Area:
        """Return the area with a district's code. A new area gets the name in the list."""
        return self.areas.get(code) or self.area(code, name=name or code, kind=AreaKind.DISTRICT)

    def update(
        self,
        organisation: Organisation,
        run: RunningImport,
        *,
        fields: Mapping[str, Any],
        identifiers: Iterable[tuple[str, str]] = (),
        names: Iterable[tuple[str, str]] = (),
        registered_on: dt.date | None = None,
    ) -> list[str]:
        """Save the fields, identifiers and names that differ, and return the changes in words.

        `names` are pairs of a name and its kind. An identifier that another organisation has is not moved.
        """
        changes = self._update_fields(organisation, run, fields)
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
                self._index_identifier(organisation.pk, scheme, value)
                changes.append(f"{Scheme(scheme).label} {value} added")
        for name, kind in names:
            if name and organisation.pk not in self.by_name[fold_name(name)]:
                add_name(organisation=organisation, name=name, kind=kind, author=run.author, now=run.now)
                self._index_name(organisation.pk, name)
                changes.append(f"also called “{name}”")
        return changes

    def _update_fields(self, organisation: Organisation, run: RunningImport, fields: Mapping[str, Any]) -> list[str]:
        """Save the fields that differ, and return the changes in words."""
        new_values = {name: value for name, value in fields.items() if _differ(getattr(organisation, name), value)}
        if not new_values:
            return []
        old_values = {name: getattr(organisation, name) for name in new_values}
        update_organisation(
            organisation=organisation,
            author=run.author,
            now=run.now,
            reason=run.source,
            **new_values,
        )
        if "name" in new_values:
            self._index_name(organisation.pk, organisation.name)
        if new_values.get("short_name"):
            self._index_name(organisation.pk, organisation.short_name)
        return [
            f"{_field_label(name)} {_quoted(old_values[name])} → {_quoted(value)}" for name, value in new_values.items()
        ]

    def serve(
        self,
        organisation: Organisation,
        area: Area,
        run: RunningImport,
        *,
        starts_on: dt.date | None = None,
        ends_on: dt.date | None = None,
    ) -> bool:
        """Record that the organisation serves the area between these days, and return whether anything changed.

        If a service without an end is already recorded, it ends on `ends_on`. A service with the same last day or the
        same first day is not added again.
        """
        services = self.served[organisation.pk][area.pk]
        unended_service = next((service for service in services if service.ends_on is None), None)
        if unended_service is not None and ends_on is not None:
            end_area_served(served=unended_service, day=ends_on, author=run.author, now=run.now)
            return True
        if unended_service is not None or any(service.ends_on == ends_on for service in services):
            return False
        if any(service.starts_on == starts_on for service in services):
            return False
        services.append(
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

    def end_service(self, organisation: Organisation, area: Area, on: dt.date, run: RunningImport) -> bool:
        """End the organisation's service of the area on a day. Return False if it ends by that day already."""
        for service in self.served[organisation.pk][area.pk]:
            if service.ends_on is None or service.ends_on > on:
                end_area_served(served=service, day=on, author=run.author, now=run.now)
                return True
        return False

    def mark_listed(self, listed_ids: set[int], expected: Iterable[Organisation], run: RunningImport) -> None:
        """Mark expected organisations that are not in the list as missing, and unmark those that are listed again.

        A list that is only a part of its register marks none as missing. If more than a fifth would be newly missing,
        the report asks for confirmation.
        """
        comparable_organisations = [
            organisation
            for organisation in expected
            if not run.list_file.is_part and not run.is_mentioned(self._keys_and_names(organisation))
        ]
        missing = [organisation for organisation in comparable_organisations if organisation.pk not in listed_ids]
        newly_missing = [organisation for organisation in missing if run.register not in organisation.missing_from]
        if len(newly_missing) * 5 > len(comparable_organisations):
            run.report.too_many_missing = (len(newly_missing), len(comparable_organisations))

        for organisation in missing:
            if mark_missing(
                organisation=organisation, register=run.register, as_of=run.as_of, author=run.author, now=run.now
            ):
                run.report.count("missing", organisation.name)
        for pk in sorted(listed_ids):
            organisation = self.organisations[pk]
            if run.register in organisation.missing_from and mark_found(
                organisation=organisation, register=run.register, author=run.author, now=run.now
            ):
                run.report.count("returned", organisation.name)

    def _keys_and_names(self, organisation: Organisation) -> set[str]:
        """Return everything by which a row of a list can mean the organisation."""
        return {value for _, value in self.identifiers[organisation.pk]} | self.names[organisation.pk]


def alternative_names(*names: str) -> list[tuple[str, str]]:
    """Return the names that are not empty, each with the kind “alternative”, for `Directory.update`."""
    return [(name, NameKind.ALTERNATIVE) for name in names if name]


def _differ(old_value: Any, new_value: Any) -> bool:
    """Return whether two values differ. Texts that differ only in case and punctuation are equal."""
    if isinstance(old_value, str) and isinstance(new_value, str) and old_value and new_value:
        return fold_name(old_value) != fold_name(new_value)
    return bool(old_value != new_value)


def _field_label(name: str) -> str:
    """Return the name of a field in words, for the changes in the report."""
    return {"valid_from": "begun", "valid_to": "ended"}.get(name, name.replace("_", " "))


def _quoted(value: Any) -> str:
    """Return a value in quotation marks, or “(nothing)” for an empty one."""
    return f"“{value}”" if value not in (None, "") else "(nothing)"
