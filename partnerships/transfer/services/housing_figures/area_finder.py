"""Find the areas of published codes, including codes that have been replaced."""

from __future__ import annotations

from collections import defaultdict

from partnerships.organisations.models import Area, AreaKind, AreaServed, Identifier, Scheme


class AreaFinder:
    """Finds areas by their codes, or by the current and former codes of the organisations that serve them."""

    def __init__(self) -> None:
        self._area_id_by_code: dict[str, int] = dict(Area.objects.values_list("code", "pk"))
        district_ids_by_organisation: dict[int, set[int]] = defaultdict(set)
        districts_served = AreaServed.objects.filter(area__kind=AreaKind.DISTRICT)
        for organisation_id, area_id in districts_served.values_list("organisation_id", "area_id"):
            district_ids_by_organisation[organisation_id].add(area_id)
        self._area_ids_by_code_of_organisation: dict[str, set[int]] = defaultdict(set)
        identifiers = Identifier.objects.filter(scheme__in=(Scheme.GSS, Scheme.LOCAL_AUTHORITY_FORMER))
        for organisation_id, code in identifiers.values_list("organisation_id", "value"):
            self._area_ids_by_code_of_organisation[code] |= district_ids_by_organisation[organisation_id]

    def find(self, code: str) -> int | None:
        """Return the id of the area with a code, or None if no area or more than one is meant.

        If no area has the code, but one organisation has or had it, the result is that organisation's only district.
        """
        if code in self._area_id_by_code:
            return self._area_id_by_code[code]
        area_ids = self._area_ids_by_code_of_organisation.get(code, set())
        return next(iter(area_ids)) if len(area_ids) == 1 else None
