"""The rows of agreements, contributions and transactions, kept so that they can be written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from partnerships.commitments.models import Commitment
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.open_data.services import Kept, keep_rows
from partnerships.open_data.standards import AGREEMENT, CONTRIBUTION, TRANSACTION
from partnerships.open_data.values import Cells, organisation_values
from partnerships.transfer.reading.developer_agreements import Agreement, Promise
from partnerships.transfer.services.directory import Import


def keep_agreements(rows: Sequence[Agreement], saved: Mapping[str, DeveloperAgreement], run: Import) -> None:
    """Keep the rows of the agreements that went in; `saved` has them by key."""
    kept = {
        saved[row.key]: [_kept(row.row, row.cells, saved[row.key].organisation_id)] for row in rows if row.key in saved
    }
    keep_rows(dataset=AGREEMENT.code, rows=kept, author=run.author, now=run.now)


def keep_promises(rows: Sequence[Promise], receivers: Mapping[int, int], source: str, run: Import) -> None:
    """Keep the rows of the contributions that went in, and of their transactions.

    `receivers` has the authority (id) of each contribution's row.
    """
    known = Commitment.objects.filter(source=source, source_reference__in=[row.key[:200] for row in rows])
    commitments = {(one.source_reference, one.receiver_id): one for one in known}
    contributions: dict[Commitment, list[Kept]] = {}
    transactions: dict[Commitment, list[Kept]] = {}
    for row in rows:
        commitment = commitments.get((row.key[:200], receivers.get(row.row)))
        if commitment is None:
            continue
        contributions[commitment] = [_kept(row.row, row.cells, receivers[row.row])]
        transactions[commitment] = [
            _kept(one.row, one.cells, receivers[row.row]) for one in sorted(row.movements, key=lambda one: one.row)
        ]
    keep_rows(dataset=CONTRIBUTION.code, rows=contributions, author=run.author, now=run.now)
    keep_rows(dataset=TRANSACTION.code, rows=transactions, author=run.author, now=run.now)


def _kept(row: int, cells: Cells, organisation: int) -> Kept:
    return Kept(row, cells, values=organisation_values(organisation))
