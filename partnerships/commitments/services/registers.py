"""Import of commitments from public registers: section 106 contributions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction

from partnerships.activity.services import record
from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Progress, Status
from partnerships.commitments.registry import call_listeners
from partnerships.commitments.services.recording import next_ids, reference_for, title_of
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class RegisterProgress:
    """One report in a register: the total delivered by then."""

    at: dt.datetime
    delivered: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class RegisterPromise:
    """One row of a register, as a promise to `receiver`.

    The giver need not be in the directory. `reference` is the register's own key, unique per receiver and `source`;
    `agreed_at` is the moment of the legal agreement. `done` means that the register has it as wholly delivered.
    `withdrawn` is the reason why the register dropped the record: it is imported as cancelled, and counts neither as
    kept nor as broken.
    """

    reference: str
    text: str
    receiver: Organisation
    giver_name: str
    agreed_at: dt.datetime
    quantity: Decimal | None = None
    unit: str = ""
    due_on: dt.date | None = None
    done: bool = False
    withdrawn: str = ""
    progress: Sequence[RegisterProgress] = field(default_factory=tuple)


@transaction.atomic
def record_from_register(
    *, promises: Sequence[RegisterPromise], source: str, author: User | None, now: dt.datetime
) -> list[Commitment]:
    """Create the commitments that are missing, with progress; the new ones.

    A promise with a known source, reference and receiver is skipped, so the same file may be imported twice. By those
    who keep the directory, and leads of the receivers.
    """
    if not promises:
        return []
    require(roles_of(author, now).keeps_published({promise.receiver.pk for promise in promises}))
    known_references = set(
        Commitment.objects.filter(
            source=source, source_reference__in=[promise.reference for promise in promises]
        ).values_list("source_reference", "receiver_id")
    )
    fresh = [promise for promise in promises if (promise.reference, promise.receiver.pk) not in known_references]
    numbers = next_ids(len(fresh)) if fresh else []
    rows, reports = [], []
    for number, promise in zip(numbers, fresh, strict=True):
        commitment = _row(number, promise, source, author)
        rows.append(commitment)
        reports += _reports(commitment, promise, author)
    Commitment.objects.bulk_create(rows, batch_size=500)
    Progress.objects.bulk_create(reports, batch_size=500)
    for commitment in rows:
        _record_event(
            commitment,
            EventKind.READ_FROM_REGISTER,
            author=author,
            now=now,
            row=commitment.source_reference,
        )
    return rows


@transaction.atomic
def add_from_register(
    *, promises: Sequence[RegisterPromise], source: str, author: User | None, now: dt.datetime
) -> tuple[list[Commitment], list[Commitment]]:
    """Add new reports to known commitments; the changed and the skipped.

    Reports are added only if all reports so far are the register's own and unchanged. A report between them changes the
    totals of later ones; row history keeps what they were. Skipped are those where the register changed an earlier
    report, or where people reported themselves. What the register has withdrawn is cancelled in any case. By those who
    keep the directory, and leads of the receivers.
    """
    if not promises:
        return [], []
    require(roles_of(author, now).keeps_published({promise.receiver.pk for promise in promises}))
    promises_by_key = {(promise.reference, promise.receiver.pk): promise for promise in promises}
    known_commitments = (
        Commitment.objects.select_for_update(of=("self",))
        .select_related("receiver")
        .filter(source=source, source_reference__in=[promise.reference for promise in promises])
        .order_by("pk")
    )
    rows = [row for row in known_commitments if (row.source_reference, row.receiver_id) in promises_by_key]
    reports: dict[int, list[Progress]] = {row.pk: [] for row in rows}
    for report in Progress.objects.filter(commitment__in=rows).order_by("at", "pk"):
        reports[report.commitment_id].append(report)
    changed, skipped = [], []
    for row in rows:
        promise = promises_by_key[row.source_reference, row.receiver_id or 0]
        if promise.withdrawn and not row.is_over:
            _withdraw(row, promise, author, now)
            changed.append(row)
            continue
        known_reports = _matched(reports[row.pk], promise.progress)
        is_complete = known_reports is not None and len(known_reports) == len(promise.progress)
        last = promise.progress[-1].delivered if promise.progress else Decimal(0)
        if is_complete and row.delivered_quantity == last:
            continue
        if row.is_over or known_reports is None or is_complete:
            skipped.append(row)
            continue
        _add_reports(row, promise, known_reports, author, now)
        changed.append(row)
    return changed, skipped


def _record_event(
    commitment: Commitment, event: EventKind, *, author: User | None, now: dt.datetime, **data: Any
) -> None:
    record(
        actor_id=author.pk if author else None,
        organisation_id=commitment.receiver_id,
        kind=event,
        target_kind="commitment",
        target_id=commitment.pk,
        now=now,
        data={"title": title_of(commitment), "source": commitment.source, **data},
    )


def _matched(reports: Sequence[Progress], says: Sequence[RegisterProgress]) -> dict[int, Progress] | None:
    """The reports that are recorded, by their places among the register's.

    None if one of them is not of the register. A report is known by its day and its words, which name its figure.
    """
    places: dict[tuple[dt.datetime, str], list[int]] = {}
    for place, report in enumerate(says):
        places.setdefault((report.at, report.note), []).append(place)
    matches: dict[int, Progress] = {}
    for known in reports:
        free = places.get((known.at, known.note))
        if not free:
            return None
        matches[free.pop(0)] = known
    return matches


def _add_reports(
    row: Commitment, promise: RegisterPromise, known_reports: dict[int, Progress], author: User | None, now: dt.datetime
) -> None:
    """Add the reports that are not held yet, and take the status from the last."""
    before = row.delivered_quantity
    for place, position_report in enumerate(_reports(row, promise, author)):
        report = known_reports.get(place)
        if report is None:
            position_report.save(force_insert=True)
        elif (report.delivered_before, report.delivered) != (
            position_report.delivered_before,
            position_report.delivered,
        ):
            report.delivered_before, report.delivered = position_report.delivered_before, position_report.delivered
            report.save(update_fields=["delivered_before", "delivered"])
    last = promise.progress[-1]
    status = Status.DONE if promise.done else Status.IN_PROGRESS
    if status != row.status:
        row.status, row.status_since = status, last.at
    row.done_at = last.at if promise.done else None
    row.delivered_quantity = last.delivered
    row.save(update_fields=["status", "status_since", "done_at", "delivered_quantity"])
    _record_event(
        row,
        EventKind.REPORTS_READ_FROM_REGISTER,
        author=author,
        now=now,
        before={"delivered": str(before)},
        after={"delivered": str(row.delivered_quantity)},
    )


def _withdraw(row: Commitment, promise: RegisterPromise, author: User | None, now: dt.datetime) -> None:
    """Cancel what the register no longer has, and reopen the entries that it met."""
    before = row.get_status_display()
    row.status, row.status_since, row.reason = Status.CANCELLED, now, promise.withdrawn
    row.save(update_fields=["status", "status_since", "reason"])
    # Listeners need the agreed state, to reopen the entries that it met.
    call_listeners(commitment=row, author=author, now=now)
    row.giver_confirmed_at = row.receiver_confirmed_at = None
    row.save(update_fields=["giver_confirmed_at", "receiver_confirmed_at"])
    _record_event(
        row,
        EventKind.WITHDRAWN_IN_REGISTER,
        author=author,
        now=now,
        reason=row.reason,
        before={"status": before},
        after={"status": row.get_status_display()},
    )


def _reports(row: Commitment, promise: RegisterPromise, author: User | None) -> list[Progress]:
    """A report for each of the register's figures, each with the figure before it."""
    reports, before = [], Decimal(0)
    for report in promise.progress:
        reports.append(
            Progress(
                commitment=row,
                delivered_before=before,
                delivered=report.delivered,
                status=Status.IN_PROGRESS,
                note=report.note,
                by=author,
                organisation=promise.receiver,
                at=report.at,
            )
        )
        before = report.delivered
    return reports


def _row(number: int, promise: RegisterPromise, source: str, author: User | None) -> Commitment:
    """The row of a register's promise.

    Agreed at once, since the register says that it was signed.
    """
    delivered = promise.progress[-1].delivered if promise.progress else Decimal(0)
    last = promise.progress[-1].at if promise.progress else promise.agreed_at
    status = Status.IN_PROGRESS if promise.progress else Status.AGREED
    status = Status.DONE if promise.done else status
    # Agreed and then cancelled would count as broken; a withdrawn record is not.
    confirmed = None if promise.withdrawn else promise.agreed_at
    return Commitment(
        pk=number,
        reference=reference_for(number),
        text=promise.text,
        giver_name=promise.giver_name,
        receiver=promise.receiver,
        owner_organisation=promise.receiver,
        quantity=promise.quantity,
        unit=promise.unit if promise.quantity is not None else "",
        delivered_quantity=delivered,
        due_on=promise.due_on,
        original_due_on=promise.due_on,
        status=Status.CANCELLED if promise.withdrawn else status,
        status_since=last,
        done_at=last if promise.done and not promise.withdrawn else None,
        reason=promise.withdrawn,
        proposed_by=author,
        proposed_for=promise.receiver,
        proposed_at=promise.agreed_at,
        giver_confirmed_at=confirmed,
        receiver_confirmed_at=confirmed,
        source=source,
        source_reference=promise.reference,
    )
