"""Published rows of agreements, contributions and transactions, with later changes and progress reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.utils import timezone

from partnerships.commitments.models import UNDELIVERED_STATUSES, Progress
from partnerships.kit.dates import long_date
from partnerships.open_data.models import ENTERED_POSITION, Record
from partnerships.open_data.queries.written import PublishedRow
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


def agreement_rows(organisation: Organisation) -> list[PublishedRow]:
    """Return a row for each saved agreement."""
    return _saved_rows(
        organisation, Record.objects.filter(dataset=AGREEMENT.code, agreement__organisation=organisation)
    )


def contribution_rows(organisation: Organisation) -> list[PublishedRow]:
    """Return a row for each saved contribution. If it has ended since the import, the row gets an end date."""
    records = list(_records(organisation, CONTRIBUTION.code))
    rows = []
    for record, row in zip(records, _saved_rows(organisation, records), strict=True):
        commitment = record.commitment
        assert commitment is not None  # `_records` finds rows by their commitment
        had_ended = record.values.get(OVER) != "no"
        if had_ended or commitment.status not in UNDELIVERED_STATUSES:
            rows.append(row)
            continue
        ended_on = _iso_date(commitment.status_since)
        cells = {**row.cells, "end-date": ended_on, "entry-date": ended_on}
        changed_at = max(commitment.status_since, record.read_at)
        rows.append(PublishedRow(order=row.order, cells=cells, changed_at=changed_at))
    return rows


def transaction_rows(organisation: Organisation) -> list[PublishedRow]:
    """Return a row for each saved transaction, and for each later progress report of the authority.

    For example, if a report raises the total from £2,000 to £5,000, its row has £3,000 and the date, but not the text
    of the report. Reports of the developer are left out.
    """
    rows = _saved_rows(organisation, _records(organisation, TRANSACTION.code))
    contribution_by_commitment = {record.commitment_id: record for record in _records(organisation, CONTRIBUTION.code)}
    total_by_commitment = {
        pk: Decimal(record.values.get(REPORTED, "0")) for pk, record in contribution_by_commitment.items()
    }
    reports = Progress.objects.filter(commitment__in=contribution_by_commitment)
    for report in reports.select_related("commitment").order_by("pk"):
        contribution = contribution_by_commitment[report.commitment_id]
        last_report = contribution.values.get(LAST_REPORT)
        is_later = last_report is not None and report.pk > int(last_report)
        is_from_developer = bool(report.organisation_id) and report.organisation_id == report.commitment.giver_id
        if is_later and not is_from_developer:
            increase = report.delivered - total_by_commitment[report.commitment_id]
            rows += _rows_of_report(report, increase, contribution.cells)
            total_by_commitment[report.commitment_id] = report.delivered
    return rows


def _records(organisation: Organisation, dataset: str) -> Iterable[Record]:
    """Return the saved rows of contributions to the organisation, or of their transactions."""
    records = Record.objects.filter(dataset=dataset, commitment__receiver=organisation).select_related("commitment")
    return records.order_by("position", "pk")


def _saved_rows(organisation: Organisation, records: Iterable[Record]) -> list[PublishedRow]:
    """Return the saved rows. A record that has passed to this organisation from another gets its key."""
    organisation_value = organisation_values(organisation.pk)["organisation"]
    key = key_of(organisation)
    rows = []
    for record in records:
        is_own = record.values.get("organisation") == organisation_value
        cells = record.cells if is_own else {**record.cells, "organisation": key}
        rows.append(PublishedRow(order=(record.position, record.pk, ""), cells=cells, changed_at=record.read_at))
    return rows


def key_of(organisation: Organisation) -> str:
    """Return the organisation's key on the planning data platform, or its name if it has no key.

    For example `local-authority:SRY` or `development-corporation:Q1`.
    """
    schemes = [Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA]
    identifiers = organisation.identifiers.filter(scheme__in=schemes, valid_to=None).order_by("pk")
    value_by_scheme: dict[str, str] = {}
    for identifier in identifiers:
        if identifier.scheme == Scheme.LOCAL_AUTHORITY or ":" in identifier.value:
            value_by_scheme.setdefault(identifier.scheme, identifier.value)
    if Scheme.LOCAL_AUTHORITY in value_by_scheme:
        return f"local-authority:{value_by_scheme[Scheme.LOCAL_AUTHORITY]}"
    return value_by_scheme.get(Scheme.PLANNING_DATA, organisation.name)


def _rows_of_report(report: Progress, increase: Decimal, contribution: Mapping[str, str]) -> list[PublishedRow]:
    """Return a list with the row of a report, or an empty list if the total did not change.

    A decrease cannot be published, so its row has no cells, but the reason for the page of the council.
    """
    order = (ENTERED_POSITION, report.pk, "")
    figures = figure_values(increase, report.commitment.unit)
    if not increase or not any(figures.values()):
        return []
    if increase < 0:
        reported_on = long_date(timezone.localdate(report.at))
        reason = (
            f"The total for {contribution['reference']} in the report of {reported_on} is less than the one before."
        )
        return [PublishedRow(order=order, cells={}, changed_at=None, left_out=reason)]
    day = _iso_date(report.at)
    cells: Cells = {
        "reference": own_reference(report.pk),
        "developer-agreement-contribution": contribution["reference"],
        "contribution-funding-status": "received",
        **figures,
        "organisation": contribution.get("organisation", ""),
        "entry-date": day,
        "start-date": day,
    }
    return [PublishedRow(order=order, cells=cells, changed_at=report.at)]


def _iso_date(moment: dt.datetime) -> str:
    """Return the day of a moment in ISO format."""
    return timezone.localdate(moment).isoformat()
