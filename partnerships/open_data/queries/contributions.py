"""The rows of agreements, contributions and transactions.

As read, with what was recorded here since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.utils import timezone

from partnerships.commitments.models import ENDS, Progress
from partnerships.kit.dates import long_date
from partnerships.open_data.models import LAST, Record
from partnerships.open_data.queries.written import Written
from partnerships.open_data.standards import AGREEMENT, CONTRIBUTION, TRANSACTION
from partnerships.open_data.values import (
    LAST_REPORT,
    OVER,
    REPORTED,
    Cells,
    figure_values,
    organisation_values,
    own_reference,
)
from partnerships.organisations.models import Organisation, Scheme


def agreement_rows(organisation: Organisation) -> list[Written]:
    """A row for each agreement that was read."""
    return _as_read(organisation, Record.objects.filter(dataset=AGREEMENT.code, agreement__organisation=organisation))


def contribution_rows(organisation: Organisation) -> list[Written]:
    """A row for each contribution that was read.

    One that ended here since has an end.
    """
    records = list(_of_commitments(organisation, CONTRIBUTION.code))
    rows = []
    for record, row in zip(records, _as_read(organisation, records), strict=True):
        commitment = record.commitment
        if commitment is None or commitment.status not in ENDS or record.values.get(OVER) != "no":
            rows.append(row)
            continue
        day = _day(commitment.status_since)
        cells = {**row.cells, "end-date": day, "entry-date": day}
        rows.append(Written(row.order, cells, max(commitment.status_since, record.read_at)))
    return rows


def transaction_rows(organisation: Organisation) -> list[Written]:
    """A row for each transaction that was read, and for each report of the authority here since.

    Of a report, only what came in and the day are written, not its text. Reports of the developer are not written.
    """
    rows = _as_read(organisation, _of_commitments(organisation, TRANSACTION.code))
    contributions = list(_of_commitments(organisation, CONTRIBUTION.code))
    written = {record.commitment_id: (record.cells, record.values) for record in contributions}
    reports = Progress.objects.filter(commitment__in=written).select_related("commitment").order_by("pk")
    counted = {pk: Decimal(values.get(REPORTED, "0")) for pk, (_, values) in written.items()}
    for report in reports:
        cells, values = written[report.commitment_id]
        is_new = LAST_REPORT in values and report.pk > int(values[LAST_REPORT])
        if not is_new or (report.organisation_id and report.organisation_id == report.commitment.giver_id):
            continue
        rows += _reported(report, report.delivered - counted[report.commitment_id], cells)
        counted[report.commitment_id] = report.delivered
    return rows


def _of_commitments(organisation: Organisation, dataset: str) -> Iterable[Record]:
    rows = Record.objects.filter(dataset=dataset, commitment__receiver=organisation).select_related("commitment")
    return rows.order_by("position", "pk")


def _as_read(organisation: Organisation, records: Iterable[Record]) -> list[Written]:
    """The rows as they were read.

    One that passed to this organisation names it.
    """
    own, key = organisation_values(organisation.pk)["organisation"], key_of(organisation)
    return [
        Written(
            (record.position, record.pk, ""),
            record.cells if record.values.get("organisation") == own else {**record.cells, "organisation": key},
            record.read_at,
        )
        for record in records
    ]


def key_of(organisation: Organisation) -> str:
    """Its key as the platform writes it.

    `local-authority:SRY`, `development-corporation:Q1`; else its name.
    """
    schemes = [Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA]
    held = organisation.identifiers.filter(scheme__in=schemes, valid_to=None).order_by("pk")
    keys = {row.scheme: row.value for row in reversed(held) if row.scheme == Scheme.LOCAL_AUTHORITY or ":" in row.value}
    if key := keys.get(Scheme.LOCAL_AUTHORITY):
        return f"local-authority:{key}"
    return keys.get(Scheme.PLANNING_DATA, organisation.name)


def _reported(report: Progress, more: Decimal, contribution: Mapping[str, str]) -> list[Written]:
    """The row of one report; none if nothing came in."""
    place, day = (LAST, report.pk, ""), _day(report.at)
    figures = figure_values(more, report.commitment.unit)
    if not more or not any(figures.values()):
        return []
    if more < 0:
        when = long_date(timezone.localdate(report.at))
        words = f"The report of {when} on {contribution['reference']}: its total is less than the one before."
        return [Written(place, {}, None, words)]
    cells: Cells = {
        "reference": own_reference(report.pk),
        "developer-agreement-contribution": contribution["reference"],
        "contribution-funding-status": "received",
        **figures,
        "organisation": contribution.get("organisation", ""),
        "entry-date": day,
        "start-date": day,
    }
    return [Written(place, cells, report.at)]


def _day(moment: dt.datetime) -> str:
    return timezone.localdate(moment).isoformat()
