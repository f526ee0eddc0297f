"""Save the agreements of the files, and find those that their contributions belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import RegisterAgreement, record_agreements
from partnerships.organisations.models import Organisation
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.agreement_rows import Agreement, Promise
from partnerships.transfer.reading.developer_agreements import AgreementFiles
from partnerships.transfer.services.developer_agreements.authorities import Authorities
from partnerships.transfer.services.developer_agreements.passed_on import PassedOn
from partnerships.transfer.services.developer_agreements.refusals import not_own, repeated, unknown_authority
from partnerships.transfer.services.directory import Import


def save_agreements(
    read: AgreementFiles, authorities: Authorities, passed_on: PassedOn, run: Import, import_run: ImportRun
) -> tuple[dict[int, DeveloperAgreement], set[int]]:
    """Save the agreements, and set aside those that cannot be saved.

    Returns the saved agreements by row number, and the numbers of the rows whose authority is not in the directory.
    """
    account = read.accounts[0]
    named_by_promises = _authorities_named(read.promises)
    usable: dict[int, RegisterAgreement] = {}
    taken: dict[tuple[str, int], int] = {}
    unknown: set[int] = set()
    for agreement in read.agreements:
        named = authorities.find(agreement.organisation)
        if named is None:
            named = _only_authority(named_by_promises.get(agreement.row, ()), authorities)
            if named is None:
                account.set_aside_read(agreement.row, *unknown_authority(agreement.organisation, run))
                unknown.add(agreement.row)
                continue
            account.remark(
                agreement.row,
                f"“{agreement.organisation}” is not in the directory: its promises name {named.name}, which is "
                "used instead.",
            )
        authority = passed_on.agreement(agreement.key[:200], named)
        if run.organisation is not None and authority != run.organisation:
            account.set_aside_read(agreement.row, *not_own(authority, run.organisation))
            continue
        first = taken.setdefault((agreement.key[:200], authority.pk), agreement.row)
        if first != agreement.row:
            account.set_aside_read(agreement.row, *repeated(agreement.key, authority, first))
            continue
        usable[agreement.row] = _register_agreement(agreement, authority)
    saved, new = record_agreements(
        agreements=list(usable.values()), run_id=import_run.pk, author=run.author, now=run.now
    )
    run.report.counts["created"] += new
    run.report.counts["left_alone"] += len(saved) - new
    return dict(zip(usable, saved, strict=True)), unknown


def _authorities_named(promises: Iterable[Promise]) -> dict[int, set[str]]:
    """Return the names of authorities in the contributions of each agreement, by the agreement's row."""
    named: dict[int, set[str]] = defaultdict(set)
    for promise in promises:
        if promise.agreement_row is not None:
            named[promise.agreement_row].add(promise.organisation)
    return named


def _only_authority(names: Iterable[str], authorities: Authorities) -> Organisation | None:
    """Return the one authority that these names mean; None if they mean none or several."""
    authority_by_id = {authority.pk: authority for name in names if (authority := authorities.find(name)) is not None}
    return next(iter(authority_by_id.values())) if len(authority_by_id) == 1 else None


def _register_agreement(agreement: Agreement, authority: Organisation) -> RegisterAgreement:
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
    """The agreement of each contribution: in these files, or read before."""

    def __init__(self, read: AgreementFiles, saved: dict[int, DeveloperAgreement], unknown: Collection[int]) -> None:
        self._rows = {row.row: row for row in read.agreements}
        self._saved, self._unknown = saved, unknown
        named = {promise.agreement[:200] for promise in read.promises if promise.agreement_row is None}
        self._here: dict[str, list[DeveloperAgreement]] = {}
        for developer_agreement in (
            DeveloperAgreement.objects.filter(reference__in=named).select_related("organisation").order_by("pk")
        ):
            self._here.setdefault(developer_agreement.reference, []).append(developer_agreement)

    def row_of(self, promise: Promise) -> Agreement | None:
        """Return the row of the contribution's agreement in these files; None if it is in no file."""
        return None if promise.agreement_row is None else self._rows[promise.agreement_row]

    def is_unknown(self, promise: Promise) -> bool:
        """Return whether its row was set aside because its authority is not known."""
        return promise.agreement_row in self._unknown

    def of(self, promise: Promise, receiver: Organisation | None) -> DeveloperAgreement | None:
        """Return the agreement; of the receiver, if it is not in these files."""
        if promise.agreement_row is not None:
            return self._saved.get(promise.agreement_row)
        here = self._here.get(promise.agreement[:200], [])
        own = [one for one in here if receiver is None or one.organisation == receiver]
        return own[0] if len(own) == 1 else None
