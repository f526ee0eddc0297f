"""Save the agreements of the files, and find the agreement of each contribution."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import RegisterAgreement, record_agreements
from partnerships.organisations.models import Organisation
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.accounts import RowAccounts
from partnerships.transfer.reading.agreement_rows import Agreement, Promise
from partnerships.transfer.reading.developer_agreements import AgreementFiles
from partnerships.transfer.services.developer_agreements.authorities import Authorities
from partnerships.transfer.services.developer_agreements.passed_on import PassedOn
from partnerships.transfer.services.developer_agreements.refusals import (
    problem_of_other_authority,
    problem_of_repeated_key,
    problem_of_unknown_authority,
)
from partnerships.transfer.services.directory import RunningImport


def save_agreements(
    files: AgreementFiles, authorities: Authorities, passed_on: PassedOn, run: RunningImport, import_run: ImportRun
) -> tuple[dict[int, DeveloperAgreement], set[int]]:
    """Save the agreements, and set aside those that cannot be saved.

    Returns the saved agreements by row number, and the numbers of the rows whose authority is not in the directory.
    """
    account = files.accounts.agreements
    names_by_row = _authority_names_in_promises(files.promises)
    usable_agreements: dict[int, RegisterAgreement] = {}
    first_row_by_key: dict[tuple[str, int], int] = {}
    rows_without_authority: set[int] = set()
    for agreement in files.agreements:
        reference = agreement.key[:200]
        row_authority = _authority_of(agreement, names_by_row.get(agreement.row, ()), authorities, account)
        if row_authority is None:
            account.set_aside_read(agreement.row, *problem_of_unknown_authority(agreement.organisation, run))
            rows_without_authority.add(agreement.row)
            continue
        authority = passed_on.agreement(reference, row_authority)
        if run.organisation is not None and authority != run.organisation:
            account.set_aside_read(agreement.row, *problem_of_other_authority(authority, run.organisation))
            continue
        first_row = first_row_by_key.setdefault((reference, authority.pk), agreement.row)
        if first_row != agreement.row:
            account.set_aside_read(agreement.row, *problem_of_repeated_key(agreement.key, authority, first_row))
            continue
        usable_agreements[agreement.row] = _register_agreement(agreement, authority)

    saved_agreements, new_count = record_agreements(
        agreements=list(usable_agreements.values()), run_id=import_run.pk, author=run.author, now=run.now
    )
    run.report.counts["created"] += new_count
    run.report.counts["left_alone"] += len(saved_agreements) - new_count
    return dict(zip(usable_agreements, saved_agreements, strict=True)), rows_without_authority


def _authority_of(
    agreement: Agreement, names_in_promises: Iterable[str], authorities: Authorities, account: RowAccounts
) -> Organisation | None:
    """Return the authority in an agreement's row or, if that is not in the directory, in its contributions.

    Returns None if the directory has neither. An authority from the contributions gets a remark in the report.
    """
    row_authority = authorities.find(agreement.organisation)
    if row_authority is not None:
        return row_authority
    authority = _only_authority(names_in_promises, authorities)
    if authority is not None:
        account.remark(
            agreement.row,
            f"“{agreement.organisation}” is not in the directory. Its promises name {authority.name}, so we used that "
            "instead.",
        )
    return authority


def _authority_names_in_promises(promises: Iterable[Promise]) -> dict[int, set[str]]:
    """Return the authorities' names in the contributions of each agreement, by the agreement's row."""
    names_by_row: dict[int, set[str]] = defaultdict(set)
    for promise in promises:
        if promise.agreement_row is not None:
            names_by_row[promise.agreement_row].add(promise.organisation)
    return names_by_row


def _only_authority(names: Iterable[str], authorities: Authorities) -> Organisation | None:
    """Return the single authority that all these names mean, or None if they mean several or none."""
    meant_authorities = {authority for name in names if (authority := authorities.find(name)) is not None}
    return meant_authorities.pop() if len(meant_authorities) == 1 else None


def _register_agreement(agreement: Agreement, authority: Organisation) -> RegisterAgreement:
    """Return an agreement in the form in which it is saved, with its texts shortened to the columns."""
    return RegisterAgreement(
        reference=agreement.key[:200],
        kind=agreement.kind[:120],
        organisation=authority,
        planning_application=agreement.application[:300],
        document_url=agreement.url[:1000],
        agreed_on=agreement.agreed_on,
        ended_on=agreement.ended_on,
    )


class Agreements:
    """Finds the agreement of a contribution in these files, or among the agreements of earlier imports."""

    def __init__(
        self,
        files: AgreementFiles,
        agreement_by_row: dict[int, DeveloperAgreement],
        rows_without_authority: Collection[int],
    ) -> None:
        self._row_by_number = {row.row: row for row in files.agreements}
        self._agreement_by_row = agreement_by_row
        self._rows_without_authority = rows_without_authority
        references = {promise.agreement[:200] for promise in files.promises if promise.agreement_row is None}
        self._existing_by_reference: dict[str, list[DeveloperAgreement]] = defaultdict(list)
        existing = DeveloperAgreement.objects.filter(reference__in=references).select_related("organisation")
        for agreement in existing.order_by("pk"):
            self._existing_by_reference[agreement.reference].append(agreement)

    def row_of(self, promise: Promise) -> Agreement | None:
        """Return the row of the contribution's agreement, or None if these files do not have the agreement."""
        return None if promise.agreement_row is None else self._row_by_number[promise.agreement_row]

    def has_unknown_authority(self, promise: Promise) -> bool:
        """Return whether the agreement's row was set aside because its authority is not in the directory."""
        return promise.agreement_row in self._rows_without_authority

    def agreement_of(self, promise: Promise, receiver: Organisation | None) -> DeveloperAgreement | None:
        """Return the agreement of a contribution, or None if it has none, or if it may mean several.

        An agreement that is not in these files must be the receiver's, if the receiver is known.
        """
        if promise.agreement_row is not None:
            return self._agreement_by_row.get(promise.agreement_row)
        agreements = self._existing_by_reference.get(promise.agreement[:200], [])
        candidates = [agreement for agreement in agreements if receiver is None or agreement.organisation == receiver]
        return candidates[0] if len(candidates) == 1 else None
