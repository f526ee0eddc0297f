"""The nation of an organisation, which decides its bank holidays."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from django.db.models import Q

from partnerships.kit.bank_holidays import Nation, holidays
from partnerships.organisations.models import Area, AreaServed, Organisation

#: Nations by the first character of a GSS code. K is left out, because it means the whole United Kingdom.
_NATIONS = {
    "E": Nation.ENGLAND_AND_WALES,
    "W": Nation.ENGLAND_AND_WALES,
    "S": Nation.SCOTLAND,
    "N": Nation.NORTHERN_IRELAND,
}


def nation_of_codes(codes: Iterable[str]) -> Nation:
    """Return the nation to which most of these GSS codes belong; England and Wales if there are no codes."""
    counts = Counter(_NATIONS[code[0]] for code in codes if code[:1] in _NATIONS)
    return max(Nation, key=lambda nation: counts[nation])


def nation_of(organisation: Organisation) -> Nation:
    """Return the nation of the areas that an organisation serves or, if it serves none, of its region; one query."""
    served_areas = AreaServed.objects.filter(organisation=organisation, ends_on=None).values("area")
    areas = Area.objects.filter(Q(pk__in=served_areas) | Q(pk=organisation.region_id or 0))
    code_by_area = dict(areas.values_list("pk", "code"))
    region_code = code_by_area.pop(organisation.region_id, "") if organisation.region_id else ""
    return nation_of_codes(code_by_area.values() or [region_code])


def holidays_of(organisation: Organisation) -> frozenset[dt.date]:
    """Return the bank holidays of an organisation; one query."""
    return holidays(nation_of(organisation))


def holidays_of_any(organisations: Iterable[Organisation]) -> frozenset[dt.date]:
    """Return the days that are a bank holiday for at least one of these organisations; one query."""
    bodies = list(organisations)
    areas_served = AreaServed.objects.filter(organisation__in=bodies, ends_on=None)
    codes_by_organisation: dict[int, list[str]] = {}
    for organisation_id, code in areas_served.values_list("organisation", "area__code"):
        codes_by_organisation.setdefault(organisation_id, []).append(code)

    nations = set()
    for organisation in bodies:
        region_codes = [organisation.region.code] if organisation.region else []
        nations.add(nation_of_codes(codes_by_organisation.get(organisation.pk) or region_codes))
    return frozenset(day for nation in nations or {Nation.ENGLAND_AND_WALES} for day in holidays(nation))
