"""The rows of agreements, contributions and transactions, kept so that they can be written again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from django.db.models import Max

from partnerships.commitments.models import ENDS, Commitment, Progress
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.open_data.models import LAST, Record
from partnerships.open_data.services import FileRow, keep_rows
from partnerships.open_data.standards import AGREEMENT, CONTRIBUTION, TRANSACTION
from partnerships.open_data.values import LAST_REPORT, OVER, REPORTED, Cells, organisation_values
from partnerships.organisations.models import Organisation
from partnerships.transfer.reading.agreement_rows import Agreement, Promise
from partnerships.transfer.services.directory import Import


def keep_agreements(
    rows: Sequence[Agreement],
    saved: Mapping[int, DeveloperAgreement],
    find_organisation: Callable[[str], Organisation | None],
    run: Import,
) -> None:
    """Keep the rows of the agreements that went in.

    `saved` has them by the number of their row. `find_organisation` finds the authority that a row names: the
    agreement may have passed to another one.
    """
    kept = {}
    for row in rows:
        if (agreement := saved.get(row.row)) is not None:
            authority = find_organisation(row.organisation) or agreement.organisation
            kept[agreement] = [_kept(row.row, row.cells, authority.pk)]
    keep_rows(dataset=AGREEMENT.code, rows=kept, author=run.author, now=run.now)


def keep_promises(rows: Sequence[tuple[Promise, int, int]], source: str, run: Import) -> None:
    """Keep the rows of the contributions that went in and of their transactions.

    Each comes with the authorities (ids) that hold it and that it names.
    """
    known = Commitment.objects.filter(source=source, source_reference__in=[row.key[:200] for row, _, _ in rows])
    commitments = {(commitment.source_reference, commitment.receiver_id): commitment for commitment in known}
    then = _values_before(commitments.values())
    reports = dict(
        Progress.objects.filter(commitment__in=commitments.values()).values_list("commitment").annotate(Max("pk"))
    )
    contributions: dict[Commitment, list[FileRow]] = {}
    transactions: dict[Commitment, list[FileRow]] = {}
    for row, receiver, named in rows:
        commitment = commitments.get((row.key[:200], receiver))
        if commitment is None:
            continue
        moved = sorted(row.movements, key=lambda movement: movement.row)
        cells = [row.cells, *(movement.cells for movement in moved)]
        before, values = then.get(commitment.pk, ([], {}))
        if before != cells:
            values = {
                OVER: "yes" if row.ended_on or commitment.status in ENDS else "no",
                LAST_REPORT: str(reports.get(commitment.pk, 0)),
                REPORTED: str(commitment.delivered_quantity),
            }
        contributions[commitment] = [FileRow(row.row, row.cells, values={**values, **organisation_values(named)})]
        transactions[commitment] = [_kept(movement.row, movement.cells, named) for movement in moved]
    keep_rows(dataset=CONTRIBUTION.code, rows=contributions, author=run.author, now=run.now)
    keep_rows(dataset=TRANSACTION.code, rows=transactions, author=run.author, now=run.now)


def _values_before(commitments: Iterable[Commitment]) -> dict[int, tuple[list[Cells], Cells]]:
    """Return the rows kept before of each contribution, its own first, and what was known when they were read."""
    cells: dict[int, tuple[list[Cells], Cells]] = {}
    rows = Record.objects.filter(dataset__in=[CONTRIBUTION.code, TRANSACTION.code], commitment__in=commitments)
    for record in rows.order_by("dataset", "position", "pk"):  # a contribution comes before its transactions
        cells.setdefault(record.commitment_id or 0, ([], record.values))[0].append(record.cells)
    return cells


def _kept(row: int, cells: Cells, organisation: int) -> FileRow:
    return FileRow(row, cells, values=organisation_values(organisation))


def recall_rows(
    own: Organisation | None, dataset: str, column: str, values: Collection[str]
) -> list[tuple[int, Cells]]:
    """Return saved rows of contributions or transactions, as pairs of a row number and the texts.

    The rows are those with one of the values in the column. With `own`, only rows of that authority.
    """
    if not values:
        return []
    rows = Record.objects.filter(dataset=dataset, **{f"cells__{column}__in": list(values)}).exclude(position=LAST)
    if own is not None:
        rows = rows.filter(commitment__receiver=own)
    return list(rows.order_by("position", "pk").values_list("position", "cells"))
