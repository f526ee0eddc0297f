"""Contributions in files older than the last ones fill history, as at their date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from django.db.models import Q

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.commitments.models import Commitment
from partnerships.commitments.quantities import quantity_words
from partnerships.commitments.services.registers import RegisterPromise
from partnerships.kit.dates import long_date
from partnerships.open_data.models import Record
from partnerships.open_data.standards import AGREEMENT, CONTRIBUTION, TRANSACTION
from partnerships.organisations.models import Organisation
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.reading.developer_agreements import AgreementFiles
from partnerships.transfer.reading.standard_cells import day_in
from partnerships.transfer.services.directory import Import
from partnerships.transfer.services.vintages import remark_on_newer_files


def newer_rows_of(own: Organisation, read: AgreementFiles, *, otherwise: dt.date | None) -> dt.date | None:
    """The newest date of an authority's rows here, if those of its own files are older; None if they are not.

    By the `entry-date` of the rows that were kept of it before: one is earlier in the files and none later. If no row
    can be compared, it is `otherwise`.
    """
    known = {
        _key(record.dataset, record.cells): day
        for record in Record.objects.filter(
            Q(agreement__organisation=own) | Q(commitment__receiver=own),
            dataset__in=[AGREEMENT.code, CONTRIBUTION.code, TRANSACTION.code],
        )
        if (day := day_in(record.cells, "entry-date"))
    }
    rows = [
        *((AGREEMENT.code, one.cells) for one in read.agreements),
        *((CONTRIBUTION.code, one.cells) for one in read.promises),
        *((TRANSACTION.code, moved.cells) for one in read.promises for moved in one.movements),
    ]
    both = [
        (here, last)
        for dataset, cells in rows
        if (here := day_in(cells, "entry-date")) and (last := known.get(_key(dataset, cells)))
    ]
    if not both:
        return otherwise
    if any(here > last for here, last in both):
        return None
    return max((last for here, last in both if here < last), default=None)


def _key(dataset: str, cells: Mapping[str, str]) -> tuple[str, str, str]:
    """Which row it is: references are unique within an authority, whose key has prefixes that changed over time."""
    return dataset, cells.get("reference", ""), cells.get("organisation", "").rpartition(":")[2].casefold()


class Older:
    """What older files say of contributions; newer files, of the date `newer`, were imported before."""

    def __init__(self, promises: Sequence[RegisterPromise], source: str, newer: dt.date, run: Import) -> None:
        self._newer, self._run, self._source = newer, run, source
        here = Commitment.objects.filter(source=source).select_related("receiver").order_by("pk")
        if run.organisation is not None:
            here = here.filter(receiver=run.organisation)
        self._here = {(row.source_reference, row.receiver_id or 0): row for row in here}
        self._promises = {(one.reference, one.receiver.pk): one for one in promises}

    @property
    def gone(self) -> list[RegisterPromise]:
        """Those that newer files do not have, as withdrawn: they count neither as kept nor as broken."""
        reason = f"It is not in newer files, of {long_date(self._newer)}."
        return [
            replace(one, withdrawn=one.withdrawn or reason)
            for key, one in self._promises.items()
            if key not in self._here
        ]

    def fill_history(self) -> None:
        """Add what was promised and delivered then to the history of each that has changed since, and compare."""
        run, changed = self._run, 0
        known = [(self._here[key], one) for key, one in self._promises.items() if key in self._here]
        events = Event.objects.filter(
            kind=EventKind.CONTRIBUTION_IN_OLDER_FILE,
            target_kind="commitment",
            target_id__in=[row.pk for row, _ in known],
        )
        told = set(events.values_list("target_id", "data__reason"))
        for row, promise in known:
            if not (since := _since(row, promise)):
                continue
            changed += 1
            reason = f"{self._source}, as of {long_date(run.as_of)}. Changed since: {since}."
            if (row.pk, reason) in told:
                continue
            run.report.counts["left_alone"] -= 1  # counted because it is known
            run.report.count("changed", f"{row.source_reference} ({row.receiver}), changed since: {since}")
            record(
                actor_id=run.author.pk if run.author else None,
                organisation_id=row.receiver_id,
                kind=EventKind.CONTRIBUTION_IN_OLDER_FILE,
                target_kind="commitment",
                target_id=row.pk,
                now=run.now,
                data={"title": row.reference, "reason": reason},
            )
        gone, later = len(self._promises) - len(known), len(self._here.keys() - self._promises.keys())
        remark_on_newer_files(
            run, self._newer, "contributions", changed=changed, known=len(known), gone=gone, later=later
        )


def _since(row: Commitment, promise: RegisterPromise) -> str:
    """What has changed in a commitment since the file said so; "" if nothing has."""
    then = promise.progress[-1].delivered if promise.progress else Decimal(0)
    parts = []
    if (promise.quantity, promise.unit if promise.quantity is not None else "") != (row.quantity, row.unit):
        parts.append(f"promised was {_words(promise.quantity, promise.unit)}, now {_words(row.quantity, row.unit)}")
    if then != row.delivered_quantity:
        was, now = _words(then, promise.unit), _words(row.delivered_quantity, row.unit)
        parts.append(f"delivered was {was}, now {now}")
    return "; ".join(parts)


def _words(quantity: Decimal | None, unit: str) -> str:
    return "no figure" if quantity is None else quantity_words(quantity, unit)
