"""Contributions in files older than the last ones fill history, as at their date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from django.db.models import Q

from partnerships.activity.services import record
from partnerships.commitments.models import Commitment
from partnerships.commitments.quantities import quantity_words
from partnerships.commitments.services.registers import RegisterPromise
from partnerships.kit.dates import long_date
from partnerships.open_data.models import LAST, Record
from partnerships.open_data.standards import AGREEMENT, CONTRIBUTION, TRANSACTION
from partnerships.organisations.models import Organisation
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.reading.agreement_rows import Agreement, Promise
from partnerships.transfer.reading.by_reference import authority_key
from partnerships.transfer.reading.developer_agreements import AgreementFiles
from partnerships.transfer.reading.standard_cells import day_in
from partnerships.transfer.services.directory import Import
from partnerships.transfer.services.vintages import Ages, ids_with_event_of_files, remark_on_older_rows


class Vintages:
    """Which rows of agreements and contributions are older than those read before.

    A row goes by its `entry-date`, a contribution by those of its transactions too: it is older if one of them is
    earlier and none later. Rows that were not read before go as the others of their authority. Where these say nothing
    either, files of the whole country go by their date; so do an authority's own in which nothing can be compared.
    """

    def __init__(self, read: AgreementFiles, newer: dt.date | None, own: Organisation | None) -> None:
        known = _known(own)
        self._ages = Ages()
        for dataset, number, authority, rows in _rows_of(read):
            both = [
                (here, last)
                for kind, cells in rows
                if (here := day_in(cells, "entry-date")) and (last := known.get(_key(kind, cells)))
            ]
            self._ages.add((dataset, number), authority, both)
        self._otherwise = None if own is not None and self._ages.is_compared else newer

    def of_agreement(self, row: Agreement) -> dt.date | None:
        """Return the date of what was read of it before, if that is newer."""
        return self._ages.newer_than((AGREEMENT.code, row.row), authority_key(row.organisation), self._otherwise)

    def of_contribution(self, row: Promise) -> dt.date | None:
        """Return the date of what was read of it before, if that is newer."""
        return self._ages.newer_than((CONTRIBUTION.code, row.row), authority_key(row.organisation), self._otherwise)


def _rows_of(read: AgreementFiles) -> Iterator[tuple[str, int, str, list[tuple[str, Mapping[str, str]]]]]:
    """Yield each agreement and contribution with the rows that tell its age."""
    for agreement in read.agreements:
        yield AGREEMENT.code, agreement.row, authority_key(agreement.organisation), [(AGREEMENT.code, agreement.cells)]
    for promise in read.promises:
        moved = [(TRANSACTION.code, movement.cells) for movement in promise.movements]
        yield (
            CONTRIBUTION.code,
            promise.row,
            authority_key(promise.organisation),
            [(CONTRIBUTION.code, promise.cells), *moved],
        )


def _known(own: Organisation | None) -> dict[tuple[str, str, str], dt.date]:
    """Return the dates of the rows that were read before, of one authority or of all.

    What was entered here is of no file.
    """
    records = Record.objects.filter(dataset__in=[AGREEMENT.code, CONTRIBUTION.code, TRANSACTION.code])
    if own is not None:
        records = records.filter(Q(agreement__organisation=own) | Q(commitment__receiver=own))
    rows = records.exclude(position=LAST).values_list("dataset", "cells").iterator()
    return {_key(dataset, cells): day for dataset, cells in rows if (day := day_in(cells, "entry-date"))}


def _key(dataset: str, cells: Mapping[str, str]) -> tuple[str, str, str]:
    """Return what identifies a row: its dataset, its reference and its authority.

    References are unique only within an authority.
    """
    return dataset, cells.get("reference", ""), authority_key(cells.get("organisation", ""))


class Older:
    """What older rows say of contributions.

    `promises` are with the dates of what was read of them before.
    """

    def __init__(self, promises: Sequence[tuple[RegisterPromise, dt.date]], source: str, run: Import) -> None:
        self._run, self._source = run, source
        here = Commitment.objects.filter(source=source).select_related("receiver").order_by("pk")
        here = here.filter(receiver__in={one.receiver.pk for one, _ in promises})
        self._here = {(row.source_reference, row.receiver_id or 0): row for row in here} if promises else {}
        self._promises = {(one.reference, one.receiver.pk): (one, newer) for one, newer in promises}

    @property
    def gone(self) -> list[RegisterPromise]:
        """Promises that newer files do not have, as withdrawn.

        They count neither as kept nor as broken.
        """
        return [
            replace(one, withdrawn=one.withdrawn or f"Missing from newer files, such as those of {long_date(newer)}.")
            for key, (one, newer) in self._promises.items()
            if key not in self._here
        ]

    def fill_history(self, present: Sequence[RegisterPromise]) -> None:
        """Add what was promised and delivered then to the history of each that has changed since, and compare.

        `present` are the contributions in the files that are not older.
        """
        if not self._promises:
            return
        run, changed = self._run, 0
        known = [(self._here[key], one) for key, (one, _) in self._promises.items() if key in self._here]
        told = ids_with_event_of_files(EventKind.CONTRIBUTION_IN_OLDER_FILE, [row.pk for row, _ in known], run)
        for row, promise in known:
            if not (since := _since(row, promise)):
                continue
            changed += 1
            if row.pk in told:
                continue
            run.report.counts["left_alone"] -= 1  # counted because it is known
            run.report.count("changed", f"{row.source_reference} ({row.receiver}), changed since: {since}")
            reason = f"{self._source}, as of {long_date(run.as_of)}. Changed since: {since}."
            record(
                actor_id=run.author.pk if run.author else None,
                organisation_id=row.receiver_id,
                kind=EventKind.CONTRIBUTION_IN_OLDER_FILE,
                target_kind="commitment",
                target_id=row.pk,
                now=run.now,
                data={"title": row.reference, "reason": reason, "file": run.digest},
            )
        in_files = self._promises.keys() | {
            (register_promise.reference, register_promise.receiver.pk) for register_promise in present
        }
        gone, later = len(self._promises) - len(known), len(self._here.keys() - in_files)
        newest = max(newer for _, newer in self._promises.values())
        remark_on_older_rows(run, newest, "contributions", changed=changed, known=len(known), gone=gone, later=later)


def _since(row: Commitment, promise: RegisterPromise) -> str:
    """Return how a commitment differs from an older file, in words; "" if it does not."""
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
