"""A small public directory for the reconciliation service."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from partnerships.kit.dates import known_day
from partnerships.organisations.models import Organisation, OrganisationName
from partnerships.organisations.services import create_organisation, dissolve, record_succession, ties_between
from tests.world import area

REORGANISED_ON = dt.date(2019, 4, 1)


@dataclass
class Register:
    """Northmere and Fenmoor became Mereland on 1 April 2019; Saltmarsh Homes was Salt Homes until 2020."""

    northmere: Organisation
    fenmoor: Organisation
    mereland: Organisation
    saltmarsh: Organisation
    private: Organisation
    invented: Organisation


@pytest.fixture
def register(db: None) -> Register:
    """Create the directory through services, and return it."""
    now = timezone.now()

    def council(name: str, code: str, **fields: Any) -> Organisation:
        identifiers = [("gss", code)]
        return create_organisation(name=name, kind="council", identifiers=identifiers, author=None, now=now, **fields)

    def provider(name: str, number: str, **fields: Any) -> Organisation:
        identifiers = [("rsh", number)]
        return create_organisation(
            name=name, kind="registered_provider", identifiers=identifiers, author=None, now=now, **fields
        )

    northmere = council("Northmere Borough Council", "E07009991", council_type="NMD")
    fenmoor = council("Fenmoor District Council", "E07009992", council_type="NMD")
    mereland = council(
        "Mereland Council",
        "E06009993",
        council_type="UA",
        areas=[area("E06009993", "Mereland")],
        valid_from=REORGANISED_ON,
    )
    record_succession(
        kind="merge",
        status="effective",
        vests_on=known_day(REORGANISED_ON),
        ties=ties_between([northmere, fenmoor], [mereland]),
        author=None,
        now=now,
    )
    for predecessor in (northmere, fenmoor):
        dissolve(organisation=predecessor, on=REORGANISED_ON, author=None, now=now, reason="Merged.")
    saltmarsh = provider("Saltmarsh Homes Limited", "L9991", short_name="Saltmarsh")
    OrganisationName.objects.create(
        organisation=saltmarsh,
        name="Salt Homes Limited",
        folded="salt homes limited",
        kind="former",
        valid_to=dt.date(2020, 1, 1),
    )
    return Register(
        northmere=northmere,
        fenmoor=fenmoor,
        mereland=mereland,
        saltmarsh=saltmarsh,
        private=create_organisation(name="Saltmarsh Private Homes", kind="developer", author=None, now=now),
        invented=provider("Saltmarsh Invented Homes", "L9992", is_demonstration=True),
    )
