"""The content of an organisation's file: only what everybody may read."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from partnerships.kit.exports import safe_cell
from partnerships.open_data.models import Record
from partnerships.open_data.queries.plans import plan_rows, timetable_rows
from partnerships.open_data.queries.sites import site_rows
from partnerships.open_data.queries.written import Written
from partnerships.open_data.standards import (
    AGREEMENT,
    BROWNFIELD_LAND,
    CONTRIBUTION,
    DATASETS,
    PLAN,
    TIMETABLE,
    TRANSACTION,
)
from partnerships.open_data.values import organisation_values
from partnerships.organisations.models import Organisation, Scheme

#: A number is no formula, though it may begin with a sign.
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file of a standard: its rows, and when one of them last changed."""

    headings: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    changed_at: dt.datetime | None
    #: What has no place in the file, in words.
    left_out: tuple[str, ...] = ()

    @property
    def data(self) -> bytes:
        """The file as CSV (RFC 4180) in UTF-8."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(self.headings)
        for row in self.rows:
            writer.writerow([_cell(row.get(heading, "")) for heading in self.headings])
        return out.getvalue().encode()


def _cell(value: str) -> str:
    return value if _NUMBER.fullmatch(value) else str(safe_cell(value))


def file_of(organisation: Organisation, dataset: str) -> OpenFile:
    """The file of an organisation.

    Its order is that of the files read, then that of the plans made here.
    """
    rows = _ROWS[dataset](organisation)
    ordered = sorted(rows, key=lambda one: one.order)
    return OpenFile(
        headings=DATASETS[dataset].headings,
        rows=tuple(one.cells for one in ordered if not one.left_out),
        changed_at=max((one.changed_at for one in ordered if one.changed_at), default=None),
        left_out=tuple(dict.fromkeys(one.left_out for one in ordered if one.left_out)),
    )


def _of_agreements(organisation: Organisation) -> Sequence[Written]:
    return _as_read(organisation, Record.objects.filter(dataset=AGREEMENT.code, agreement__organisation=organisation))


def _of_commitments(dataset: str) -> Callable[[Organisation], Sequence[Written]]:
    def rows(organisation: Organisation) -> Sequence[Written]:
        return _as_read(organisation, Record.objects.filter(dataset=dataset, commitment__receiver=organisation))

    return rows


def _as_read(organisation: Organisation, records: Iterable[Record]) -> list[Written]:
    """The rows as they were read; one that passed to this organisation names it."""
    own, key = organisation_values(organisation.pk), _key_of(organisation)
    return [
        Written(
            (one.position, one.pk, ""),
            one.cells if one.values == own else {**one.cells, "organisation": key},
            one.read_at,
        )
        for one in records
    ]


def _key_of(organisation: Organisation) -> str:
    """Its key as the platform writes it: `local-authority:SRY`; else its name."""
    row = organisation.identifiers.filter(scheme=Scheme.LOCAL_AUTHORITY, valid_to=None).order_by("pk").first()
    return f"local-authority:{row.value}" if row else organisation.name


_ROWS: Mapping[str, Callable[[Organisation], Sequence[Written]]] = {
    PLAN.code: plan_rows,
    TIMETABLE.code: timetable_rows,
    AGREEMENT.code: _of_agreements,
    CONTRIBUTION.code: _of_commitments(CONTRIBUTION.code),
    TRANSACTION.code: _of_commitments(TRANSACTION.code),
    BROWNFIELD_LAND.code: site_rows,
}
