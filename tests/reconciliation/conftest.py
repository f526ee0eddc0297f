"""A small public directory for the reconciliation service."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from django.utils import timezone

from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import Organisation, OrganisationName
from partnerships.organisations.services import create_organisation, dissolve, record_succession, ties_between
from tests.world import area

CHANGED = dt.date(2019, 4, 1)


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

    def body(name: str, kind: str, scheme: str = "", number: str = "", **fields: object) -> Organisation:
        numbers = [(scheme, number)] if number else []
        return create_organisation(name=name, kind=kind, identifiers=numbers, author=None, now=now, **fields)  # type: ignore[arg-type]

    council_fields = {"kind": "council", "scheme": "gss"}
    northmere = body("Northmere Borough Council", number="E07009991", council_type="NMD", **council_fields)
    fenmoor = body("Fenmoor District Council", number="E07009992", council_type="NMD", **council_fields)
    mereland = body(
        "Mereland Council",
        number="E06009993",
        council_type="UA",
        areas=[area("E06009993", "Mereland")],
        valid_from=CHANGED,
        **council_fields,
    )
    record_succession(
        kind="merge",
        status="effective",
        vests_on=PartialDate(2019, 4, 1),
        ties=ties_between([northmere, fenmoor], [mereland]),
        author=None,
        now=now,
    )
    for predecessor in (northmere, fenmoor):
        dissolve(organisation=predecessor, on=CHANGED, author=None, now=now, reason="Merged.")
    saltmarsh = body("Saltmarsh Homes Limited", "registered_provider", "rsh", "L9991", short_name="Saltmarsh")
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
        private=body("Saltmarsh Private Homes", "developer"),
        invented=body("Saltmarsh Invented Homes", "registered_provider", "rsh", "L9992", is_demonstration=True),
    )
