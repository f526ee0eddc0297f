"""Find the authorities that the files of developer agreements name."""

from __future__ import annotations

from partnerships.kit.names import fold_name
from partnerships.organisations.models import Identifier, Kind, Organisation, OrganisationName, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.transfer.reading.national_parks import NATIONAL_PARKS
from partnerships.transfer.services.directory import Import

_KINDS = (Kind.COUNCIL, Kind.NATIONAL_PARK, Kind.DEVELOPMENT_CORPORATION)


class Authorities:
    """Organisations by their keys, names and Wikidata numbers."""

    def __init__(self, run: Import) -> None:
        self._run = run
        self._by_identifier = {
            (row.scheme, row.value.casefold()): row.organisation
            for row in Identifier.objects.select_related("organisation").filter(
                scheme__in=[Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA]
            )
        }
        self.include_councils = any(scheme == Scheme.LOCAL_AUTHORITY for scheme, _ in self._by_identifier)

    def find(self, written: str) -> Organisation | None:
        """Return the organisation that a cell names, or None.

        A cell holds `local-authority-eng:ADU`, `developer-agreement:Boston Borough Council` or
        `national-park-authority:Q4972284`. A national park authority that is not in the directory is added.
        """
        prefix, _, key = written.partition(":")
        if not key:
            prefix, key = "", written
        authority_named = self._by_identifier.get((Scheme.LOCAL_AUTHORITY, key.casefold()))
        authority_named = authority_named or self._by_identifier.get((Scheme.PLANNING_DATA, written.casefold()))
        if authority_named is not None or not key:
            return authority_named
        if prefix == "national-park-authority" and key in NATIONAL_PARKS and self._run.organisation is None:
            return self._add_national_park(NATIONAL_PARKS[key], written)
        organisation_names = OrganisationName.objects.filter(folded=fold_name(key), organisation__kind__in=_KINDS)
        ids = set(organisation_names.values_list("organisation", flat=True))
        return Organisation.objects.get(pk=ids.pop()) if len(ids) == 1 else None

    def _add_national_park(self, name: str, written: str) -> Organisation:
        organisation = create_organisation(
            name=name,
            kind=Kind.NATIONAL_PARK,
            identifiers=[(Scheme.PLANNING_DATA, written)],
            author=self._run.author,
            now=self._run.now,
        )
        self._run.report.remark(f"{name} was added to the directory, because no register lists it.")
        self._by_identifier[Scheme.PLANNING_DATA, written.casefold()] = organisation
        return organisation
