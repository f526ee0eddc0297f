"""Which area a published code means: present codes, and those before."""

from __future__ import annotations

from collections import defaultdict

from partnerships.organisations.models import Area, AreaKind, AreaServed, Identifier, Scheme


class Places:
    """Areas by the codes that lists have for them."""

    def __init__(self) -> None:
        self._areas: dict[str, int] = dict(Area.objects.values_list("code", "pk"))
        served: dict[int, set[int]] = defaultdict(set)
        districts = AreaServed.objects.filter(area__kind=AreaKind.DISTRICT)
        for body, area in districts.values_list("organisation_id", "area_id"):
            served[body].add(area)
        self._known: dict[str, set[int]] = defaultdict(set)
        identifiers = Identifier.objects.filter(scheme__in=(Scheme.GSS, Scheme.LOCAL_AUTHORITY_FORMER))
        for body, code in identifiers.values_list("organisation_id", "value"):
            self._known[code] |= served[body]

    def find(self, code: str) -> int | None:
        """Return the id of the area with a code; None if there is no such area.

        If no area has the code, but one organisation has or had it, that organisation's only area is returned.
        """
        if code in self._areas:
            return self._areas[code]
        areas = self._known.get(code, set())
        return next(iter(areas)) if len(areas) == 1 else None
