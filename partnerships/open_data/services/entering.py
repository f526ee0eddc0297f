"""Enter developer agreements and contributions on pages, for leads of a planning authority."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.services.registers import RegisterPromise, create_from_register
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import (
    SOURCE,
    RegisterAgreement,
    giver_name_for,
    link_promises,
    promise_description,
    record_agreements,
)
from partnerships.kit.moments import beginning_of
from partnerships.kit.rights import require
from partnerships.open_data.models import ENTERED_POSITION
from partnerships.open_data.queries.contributions import key_of
from partnerships.open_data.services.records import FileRow, save_rows
from partnerships.open_data.standards import AGREEMENT, AGREEMENT_TYPES, CONTRIBUTION, PURPOSES
from partnerships.open_data.values import LAST_REPORT, OVER, REPORTED, figure_values, organisation_values
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToEnter(Exception):
    """Raised if the reference is taken, pounds and homes are both given, or the authority cannot enter agreements."""


@transaction.atomic
def enter_agreement(
    *,
    organisation: Organisation,
    reference: str,
    kind: str,
    planning_application: str = "",
    document_url: str = "",
    agreed_on: dt.date | None = None,
    author: User | None,
    now: dt.datetime,
) -> DeveloperAgreement:
    """Record an agreement, with a row for the authority's public file.

    `kind` is a code of the standard. Leads of the authority and administrators of the directory may do this. Raises
    `UnableToEnter`, for example if the reference is taken.
    """
    authority = _lock_authority(organisation, author, now)
    new_agreement = RegisterAgreement(
        reference=reference,
        kind=AGREEMENT_TYPES[kind],
        organisation=authority,
        planning_application=planning_application,
        document_url=document_url,
        agreed_on=agreed_on,
    )
    [agreement], new_count = record_agreements(agreements=[new_agreement], run_id=None, author=author, now=now)
    if not new_count:
        raise UnableToEnter(f"An agreement with the reference {reference} already exists. Enter another reference.")

    # The row of the public file.
    cells = {
        "reference": reference,
        "developer-agreement-type": kind,
        "planning-application": planning_application,
        "document-url": document_url,
        **_common_cells(authority, agreed_on, now),
    }
    row = FileRow(position=ENTERED_POSITION, cells=cells, values=organisation_values(authority.pk))
    save_rows(dataset=AGREEMENT.code, rows={agreement: [row]}, author=author, now=now)
    return agreement


@transaction.atomic
def enter_contribution(
    *,
    agreement: DeveloperAgreement,
    reference: str,
    purpose: str,
    amount: Decimal | None = None,
    homes: int | None = None,
    agreed_on: dt.date | None = None,
    author: User | None,
    now: dt.datetime,
) -> Commitment:
    """Record a contribution as a commitment of the developer, with a row for the public file.

    The contribution is in pounds or in homes, not in both. `purpose` is a code of the standard. Later progress reports
    on the commitment become transactions in the public file. Leads of the authority and administrators of the directory
    may do this. Raises `UnableToEnter`, for example if the reference is taken.
    """
    authority = _lock_authority(agreement.organisation, author, now)
    if amount is not None and homes is not None:
        raise UnableToEnter("Enter pounds or homes, not both. For both, enter two contributions.")

    quantity, unit = _quantity_and_unit(amount, homes)
    application = agreement.planning_application
    day = agreed_on or agreement.agreed_on or timezone.localdate(now)
    promise = RegisterPromise(
        reference=reference,
        text=promise_description(PURPOSES[purpose], agreement=agreement, application=application),
        receiver=authority,
        giver_name=giver_name_for(application),
        agreed_at=beginning_of(day),
        quantity=quantity,
        unit=unit,
    )
    commitments = create_from_register(promises=[promise], source=SOURCE, author=author, now=now)
    if not commitments:
        raise UnableToEnter(f"A contribution with the reference {reference} already exists. Enter another reference.")
    commitment = commitments[0]
    link_promises(promises=[(agreement, commitment)], author=author, now=now)

    # The row of the public file.
    cells = {
        "reference": reference,
        "developer-agreement": agreement.reference,
        "contribution-purpose": purpose,
        **figure_values(quantity, unit),
        **_common_cells(authority, agreed_on, now),
    }
    values = {OVER: "no", LAST_REPORT: "0", REPORTED: "0", **organisation_values(authority.pk)}
    row = FileRow(position=ENTERED_POSITION, cells=cells, values=values)
    save_rows(dataset=CONTRIBUTION.code, rows={commitment: [row]}, author=author, now=now)
    return commitment


def _quantity_and_unit(amount: Decimal | None, homes: int | None) -> tuple[Decimal | None, str]:
    """Return the quantity of a contribution and its unit, or None and "" for a contribution without a figure."""
    if amount is not None:
        return amount, "pounds"
    if homes is not None:
        return Decimal(homes), "homes"
    return None, ""


def _lock_authority(organisation: Organisation, author: User | None, now: dt.datetime) -> Organisation:
    """Lock and return the authority, if the author may enter agreements for it. Raises `UnableToEnter`."""
    authority = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    require(roles_of(author, now).may_import_published({authority.pk}))
    if not authority.is_planning_authority:
        raise UnableToEnter("Only planning authorities that still exist can add agreements.")
    return authority


def _common_cells(authority: Organisation, agreed_on: dt.date | None, now: dt.datetime) -> dict[str, str]:
    """Return the cells of the fields that agreements and contributions have in common."""
    return {
        "organisation": key_of(authority),
        "entry-date": timezone.localdate(now).isoformat(),
        "start-date": agreed_on.isoformat() if agreed_on else "",
    }
