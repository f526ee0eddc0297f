"""Save the agreements of a public register, and link their promises, in bulk."""

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

#: The source of the commitments in agreements. Imports find these by source, reference and receiver, so the source must
#: never change.
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
    """Return a name for the developer, whom the files do not name."""
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

    Return a row for each agreement, in the order given, and how many of the rows are new. An agreement whose
    organisation and reference are stored does not change, so importing a file twice is safe. `run_id` is the number of
    the import, or None for agreements entered on a page. Only administrators who keep the directory, and leads of the
    organisations, may do this.
    """
    if not agreements:
        return [], 0
    require(roles_of(author, now).may_import_published({agreement.organisation.pk for agreement in agreements}))

    references = [agreement.reference for agreement in agreements]
    existing_rows = {
        (row.organisation_id, row.reference): row for row in DeveloperAgreement.objects.filter(reference__in=references)
    }
    rows: list[DeveloperAgreement] = []
    new_rows: list[DeveloperAgreement] = []
    for agreement in agreements:
        row = existing_rows.get((agreement.organisation.pk, agreement.reference))
        if row is None:
            row = _new_row(agreement, run_id)
            new_rows.append(row)
        rows.append(row)
    DeveloperAgreement.objects.bulk_create(new_rows, batch_size=500)
    return rows, len(new_rows)


def _new_row(agreement: RegisterAgreement, run_id: int | None) -> DeveloperAgreement:
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
    """Link each commitment to the agreement in which it was made.

    A commitment has at most one agreement.
    """
    if not promises:
        return
    require(roles_of(author, now).may_import_published({agreement.organisation_id for agreement, _ in promises}))
    AgreementPromise.objects.bulk_create(
        [AgreementPromise(agreement=agreement, commitment=commitment) for agreement, commitment in promises],
        batch_size=500,
    )
