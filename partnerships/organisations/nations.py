"""The nation of an organisation, whose bank holidays its working days follow."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from django.db.models import Q

from partnerships.kit.bank_holidays import Nation, holidays
from partnerships.organisations.models import Area, AreaServed, Organisation

#: First characters of GSS codes; K is the whole United Kingdom.
_NATIONS = {
    "E": Nation.ENGLAND_AND_WALES,
    "W": Nation.ENGLAND_AND_WALES,
    "S": Nation.SCOTLAND,
    "N": Nation.NORTHERN_IRELAND,
}


def nation_of_codes(codes: Iterable[str]) -> Nation:
    """The nation that most of these GSS codes are in.

    England and Wales where there are none.
    """
    counted = Counter(_NATIONS[code[0]] for code in codes if code[:1] in _NATIONS)
    return max(Nation, key=lambda nation: counted[nation])


def nation_of(organisation: Organisation) -> Nation:
    """The nation of the areas that it serves, else of its region; one query."""
    served = AreaServed.objects.filter(organisation=organisation, ends_on=None).values("area")
    areas = Area.objects.filter(Q(pk__in=served) | Q(pk=organisation.region_id or 0))
    codes = dict(areas.values_list("pk", "code"))
    region = codes.pop(organisation.region_id, "") if organisation.region_id else ""
    return nation_of_codes(codes.values() or [region])


def holidays_of(organisation: Organisation) -> frozenset[dt.date]:
    """The bank holidays that its working days leave out; one query."""
    return holidays(nation_of(organisation))


def holidays_of_any(organisations: Iterable[Organisation]) -> frozenset[dt.date]:
    """The days that are a bank holiday for any of these organisations.

    One query.
    """
    bodies = list(organisations)
    served = AreaServed.objects.filter(organisation__in=bodies, ends_on=None).values_list("organisation", "area__code")
    codes: dict[int, list[str]] = {}
    for organisation, code in served:
        codes.setdefault(organisation, []).append(code)
    regions = {body.pk: [body.region.code] if body.region else [] for body in bodies}
    nations = {nation_of_codes(codes.get(body.pk) or regions[body.pk]) for body in bodies}
    return frozenset(day for nation in nations or {Nation.ENGLAND_AND_WALES} for day in holidays(nation))
