"""Save the agreements of a public register in bulk, and link the commitments that were made in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from partnerships.commitments.models import Commitment
from partnerships.developer_agreements.models import AgreementPromise, DeveloperAgreement
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User

#: The `source` of commitments in agreements. It must never change, because imports find the commitments by source,
#: reference and receiver.
SOURCE = "developer agreements (planning data platform, MHCLG)"


def promise_description(
    purpose: str, *, qualifier: str = "", agreement: DeveloperAgreement | None, application: str
) -> str:
    """Return the text of a contribution's commitment.

    For example `Education, under section 106 agreement W/1 (planning application W/1)`.
    """
    under = f", under {agreement.title}" if agreement else ", agreement not published"
    where = f" (planning application {application})" if application else ""
    return f"{purpose[:1].upper()}{purpose[1:]}{qualifier}{under}{where}"


def giver_name_for(application: str) -> str:
    """Return a name for the developer, because the files do not contain it.

    For example, `Developer of AWDM/0205/12`.
    """
    return f"Developer of {application}"[:200] if application else "A developer"


@dataclass(frozen=True, slots=True)
class RegisterAgreement:
    """One row of a register. `reference` is unique for the organisation."""

    reference: str
    kind: str
    organisation: Organisation
    planning_application: str = ""
    document_url: str = ""
    agreed_on: dt.date | None = None
    ended_on: dt.date | None = None


@transaction.atomic
def record_agreements(
    *, agreements: Sequence[RegisterAgreement], run_id: int | None, author: User | None, now: dt.datetime
) -> tuple[list[DeveloperAgreement], int]:
    """Save the agreements that are not stored yet.

    Return the stored agreements in the order given, and the number of new ones. If an agreement with the same
    organisation and reference is stored already, it does not change, so the same file can be imported twice. `run_id`
    is the id of the import, or None for agreements that were entered on a page. Only leads of the organisations, and
    administrators who maintain the directory, may do this.
    """
    if not agreements:
        return [], 0
    require(roles_of(author, now).may_import_published({agreement.organisation.pk for agreement in agreements}))

    references = [agreement.reference for agreement in agreements]
    existing_agreements = DeveloperAgreement.objects.filter(reference__in=references)
    existing_by_key = {(existing.organisation_id, existing.reference): existing for existing in existing_agreements}
    stored_agreements: list[DeveloperAgreement] = []
    new_agreements: list[DeveloperAgreement] = []
    for agreement in agreements:
        stored_agreement = existing_by_key.get((agreement.organisation.pk, agreement.reference))
        if stored_agreement is None:
            stored_agreement = _new_agreement(agreement, run_id)
            new_agreements.append(stored_agreement)
        stored_agreements.append(stored_agreement)
    DeveloperAgreement.objects.bulk_create(new_agreements, batch_size=500)
    return stored_agreements, len(new_agreements)


def _new_agreement(agreement: RegisterAgreement, run_id: int | None) -> DeveloperAgreement:
    """Return an unsaved agreement from a row of a register."""
    return DeveloperAgreement(
        reference=agreement.reference,
        kind=agreement.kind,
        organisation=agreement.organisation,
        planning_application=agreement.planning_application,
        document_url=agreement.document_url,
        agreed_on=agreement.agreed_on,
        ended_on=agreement.ended_on,
        run_id=run_id,
    )


@transaction.atomic
def link_promises(
    *, promises: Sequence[tuple[DeveloperAgreement, Commitment]], author: User | None, now: dt.datetime
) -> None:
    """Link each commitment to the agreement in which it was made. A commitment is made in at most one agreement."""
    if not promises:
        return
    require(roles_of(author, now).may_import_published({agreement.organisation_id for agreement, _ in promises}))
    AgreementPromise.objects.bulk_create(
        [AgreementPromise(agreement=agreement, commitment=commitment) for agreement, commitment in promises],
        batch_size=500,
    )
