"""Find the authorities whose names or keys are in the files of developer agreements."""

from __future__ import annotations

from partnerships.kit.names import fold_name
from partnerships.organisations.models import Identifier, Kind, Organisation, OrganisationName, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.transfer.reading.national_parks import NATIONAL_PARKS
from partnerships.transfer.services.directory import RunningImport

_KINDS = (Kind.COUNCIL, Kind.NATIONAL_PARK, Kind.DEVELOPMENT_CORPORATION)


class Authorities:
    """The organisations that a cell of the files can mean, found by key, Wikidata number or name."""

    def __init__(self, run: RunningImport) -> None:
        self._run = run
        identifiers = Identifier.objects.select_related("organisation").filter(
            scheme__in=[Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA]
        )
        self._organisation_by_identifier = {
            (identifier.scheme, identifier.value.casefold()): identifier.organisation for identifier in identifiers
        }
        self.has_councils = any(scheme == Scheme.LOCAL_AUTHORITY for scheme, _ in self._organisation_by_identifier)

    def find(self, cell: str) -> Organisation | None:
        """Return the organisation in a cell, or None if the directory does not have it, or the cell is blank.

        A cell has `local-authority-eng:ADU`, `developer-agreement:Boston Borough Council`,
        `national-park-authority:Q4972284`, or a name or key alone. A national park authority that is not in the
        directory is added.
        """
        prefix, _, key = cell.partition(":")
        if not key:
            prefix, key = "", cell
        if not key:
            return None
        council = self._organisation_by_identifier.get((Scheme.LOCAL_AUTHORITY, key.casefold()))
        organisation = council or self._organisation_by_identifier.get((Scheme.PLANNING_DATA, cell.casefold()))
        if organisation is not None:
            return organisation
        if prefix == "national-park-authority" and key in NATIONAL_PARKS and self._run.organisation is None:
            return self._add_national_park(NATIONAL_PARKS[key], cell)
        names = OrganisationName.objects.filter(folded=fold_name(key), organisation__kind__in=_KINDS)
        organisation_ids = set(names.values_list("organisation", flat=True))
        return Organisation.objects.get(pk=organisation_ids.pop()) if len(organisation_ids) == 1 else None

    def _add_national_park(self, name: str, cell: str) -> Organisation:
        """Add a national park authority to the directory, with a remark in the report."""
        organisation = create_organisation(
            name=name,
            kind=Kind.NATIONAL_PARK,
            identifiers=[(Scheme.PLANNING_DATA, cell)],
            author=self._run.author,
            now=self._run.now,
        )
        self._run.report.remark(f"We added {name} to the directory, because it is not on any register.")
        self._organisation_by_identifier[Scheme.PLANNING_DATA, cell.casefold()] = organisation
        return organisation
