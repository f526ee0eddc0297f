"""Developer agreements and contributions that a planning authority's lead enters on pages."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.services.registers import RegisterPromise, record_from_register
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import (
    SOURCE,
    RegisterAgreement,
    giver_of,
    link_promises,
    record_agreements,
    words_of,
)
from partnerships.kit.moments import beginning_of
from partnerships.kit.rights import require
from partnerships.open_data.models import LAST
from partnerships.open_data.queries.contributions import key_of
from partnerships.open_data.services.records import Kept, keep_rows
from partnerships.open_data.standards import AGREEMENT, AGREEMENT_TYPES, CONTRIBUTION, PURPOSES
from partnerships.open_data.values import LAST_REPORT, OVER, REPORTED, figure_values, organisation_values
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToEnter(Exception):
    """The reference is used already, a figure is missing, or the body is no planning authority any more."""


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

    `kind` is a code of the standard. By leads of the authority and those who keep the directory. Raises
    `UnableToEnter`.
    """
    body = _locked(organisation, author, now)
    made = RegisterAgreement(
        reference=reference,
        kind=AGREEMENT_TYPES[kind],
        organisation=body,
        planning_application=planning_application,
        document_url=document_url,
        agreed_on=agreed_on,
    )
    [agreement], new = record_agreements(agreements=[made], run_id=None, author=author, now=now)
    if not new:
        raise UnableToEnter(f"An agreement with the reference {reference} already exists.")
    cells = {
        "reference": reference,
        "developer-agreement-type": kind,
        "planning-application": planning_application,
        "document-url": document_url,
        **_common(body, agreed_on, now),
    }
    kept = Kept(LAST, cells, values=organisation_values(body.pk))
    keep_rows(dataset=AGREEMENT.code, rows={agreement: [kept]}, author=author, now=now)
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

    It counts pounds or homes, not both; `purpose` is a code of the standard. Reports on its page become transactions.
    By leads of the authority and those who keep the directory. Raises `UnableToEnter`.
    """
    body = _locked(agreement.organisation, author, now)
    if amount is not None and homes is not None:
        raise UnableToEnter("Give pounds or homes, not both. For both, enter two contributions.")
    quantity, unit = _figure(amount, homes)
    application, day = agreement.planning_application, agreed_on or agreement.agreed_on or timezone.localdate(now)
    promise = RegisterPromise(
        reference=reference,
        text=words_of(PURPOSES[purpose], agreement=agreement, application=application),
        receiver=body,
        giver_name=giver_of(application),
        agreed_at=beginning_of(day),
        quantity=quantity,
        unit=unit,
    )
    made = record_from_register(promises=[promise], source=SOURCE, author=author, now=now)
    if not made:
        raise UnableToEnter(f"A contribution with the reference {reference} already exists.")
    link_promises(promises=[(agreement, made[0])], author=author, now=now)
    cells = {
        "reference": reference,
        "developer-agreement": agreement.reference,
        "contribution-purpose": purpose,
        **figure_values(quantity, unit),
        **_common(body, agreed_on, now),
    }
    values = {OVER: "no", LAST_REPORT: "0", REPORTED: "0", **organisation_values(body.pk)}
    rows = {made[0]: [Kept(LAST, cells, values=values)]}
    keep_rows(dataset=CONTRIBUTION.code, rows=rows, author=author, now=now)
    return made[0]


def _figure(amount: Decimal | None, homes: int | None) -> tuple[Decimal | None, str]:
    """The quantity of a contribution and its unit.

    None and "" if neither was given.
    """
    if amount is not None:
        return amount, "pounds"
    if homes is not None:
        return Decimal(homes), "homes"
    return None, ""


def _locked(organisation: Organisation, author: User | None, now: dt.datetime) -> Organisation:
    body = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    require(roles_of(author, now).keeps_published({body.pk}))
    if not body.is_planning_authority:
        raise UnableToEnter("Only planning authorities that still exist can enter agreements.")
    return body


def _common(body: Organisation, since: dt.date | None, now: dt.datetime) -> dict[str, str]:
    """The last fields of both files."""
    return {
        "organisation": key_of(body),
        "entry-date": timezone.localdate(now).isoformat(),
        "start-date": since.isoformat() if since else "",
    }
