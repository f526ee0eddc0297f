"""Published rows of agreements, contributions and transactions, with later changes and progress reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from django.utils import timezone

from partnerships.commitments.models import UNDELIVERED_STATUSES, Commitment, Progress
from partnerships.kit.dates import long_date
from partnerships.open_data.models import ENTERED_POSITION, Record
from partnerships.open_data.queries.rows import PublishedRow
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
    saved_rows = _saved_rows(organisation, records)
    return [
        _ended_row(row, record) if _has_ended_since_import(record) else row
        for record, row in zip(records, saved_rows, strict=True)
    ]


def _has_ended_since_import(record: Record) -> bool:
    """Return whether a contribution was still due in the imported file, and has been cancelled or replaced since."""
    return record.values.get(OVER) == "no" and _commitment_of(record).status in UNDELIVERED_STATUSES


def _ended_row(row: PublishedRow, record: Record) -> PublishedRow:
    """Return the row of a contribution with the day on which it was cancelled or replaced."""
    ended_at = _commitment_of(record).status_since
    ended_on = _iso_date(ended_at)
    cells = {**row.cells, "end-date": ended_on, "entry-date": ended_on}
    return replace(row, cells=cells, changed_at=max(ended_at, record.read_at))


def _commitment_of(record: Record) -> Commitment:
    """Return the record's commitment. Each record that `_records` returns has one."""
    assert record.commitment is not None
    return record.commitment


def transaction_rows(organisation: Organisation) -> list[PublishedRow]:
    """Return a row for each saved transaction, and for each later progress report of the authority.

    For example, if a report raises the total from £2,000 to £5,000, its row has £3,000 and the date, but not the text
    of the report. Reports of the developer are left out.
    """
    rows = _saved_rows(organisation, _records(organisation, TRANSACTION.code))
    contribution_by_commitment = {record.commitment_id: record for record in _records(organisation, CONTRIBUTION.code)}
    total_by_commitment = {
        commitment_id: Decimal(contribution.values.get(REPORTED, "0"))
        for commitment_id, contribution in contribution_by_commitment.items()
    }
    for report in _later_authority_reports(contribution_by_commitment):
        increase = report.delivered - total_by_commitment[report.commitment_id]
        total_by_commitment[report.commitment_id] = report.delivered
        row = _row_of_report(report, increase, contribution_by_commitment[report.commitment_id].cells)
        if row is not None:
            rows.append(row)
    return rows


def _later_authority_reports(contribution_by_commitment: Mapping[int | None, Record]) -> list[Progress]:
    """Return the progress reports that the authority has added since its contributions were imported, oldest first."""
    reports = Progress.objects.filter(commitment__in=contribution_by_commitment)
    later_reports = []
    for report in reports.select_related("commitment").order_by("pk"):
        imported_report_id = contribution_by_commitment[report.commitment_id].values.get(LAST_REPORT)
        is_later = imported_report_id is not None and report.pk > int(imported_report_id)
        is_from_developer = bool(report.organisation_id) and report.organisation_id == report.commitment.giver_id
        if is_later and not is_from_developer:
            later_reports.append(report)
    return later_reports


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


def _row_of_report(report: Progress, increase: Decimal, contribution: Mapping[str, str]) -> PublishedRow | None:
    """Return the row of a report, or None if the total did not change.

    A decrease cannot be published. Its row has no cells. It has the reason, which the council sees on its page.
    """
    order = (ENTERED_POSITION, report.pk, "")
    figures = figure_values(increase, report.commitment.unit)
    if not increase or not any(figures.values()):
        return None
    if increase < 0:
        reported_on = long_date(timezone.localdate(report.at))
        reason = (
            f"The total for {contribution['reference']} in the report of {reported_on} is less than the one before."
        )
        return PublishedRow(order=order, cells={}, changed_at=None, left_out=reason)
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
    return PublishedRow(order=order, cells=cells, changed_at=report.at)


def _iso_date(moment: dt.datetime) -> str:
    """Return the day of a moment in ISO format."""
    return timezone.localdate(moment).isoformat()
