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
    new_promises = [promise for promise in promises if (promise.reference, promise.receiver.pk) not in known_references]
    numbers = next_ids(len(new_promises)) if new_promises else []
    commitments, reports = [], []
    for number, promise in zip(numbers, new_promises, strict=True):
        commitment = _new_commitment(number, promise, source, author)
        commitments.append(commitment)
        reports += _new_reports(commitment, promise, author)
    Commitment.objects.bulk_create(commitments, batch_size=500)
    Progress.objects.bulk_create(reports, batch_size=500)
    for commitment in commitments:
        _record_event(
            commitment,
            EventKind.READ_FROM_REGISTER,
            author=author,
            now=now,
            row=commitment.source_reference,
        )
    return commitments


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
    commitments = [
        commitment
        for commitment in known_commitments
        if (commitment.source_reference, commitment.receiver_id) in promises_by_key
    ]
    recorded_reports: dict[int, list[Progress]] = {commitment.pk: [] for commitment in commitments}
    for report in Progress.objects.filter(commitment__in=commitments).order_by("at", "pk"):
        recorded_reports[report.commitment_id].append(report)
    changed, skipped = [], []
    for commitment in commitments:
        promise = promises_by_key[commitment.source_reference, commitment.receiver_id or 0]
        if promise.withdrawn and not commitment.is_over:
            _withdraw(commitment, promise, author, now)
            changed.append(commitment)
            continue
        recorded = _recorded_by_position(recorded_reports[commitment.pk], promise.progress)
        has_every_report = recorded is not None and len(recorded) == len(promise.progress)
        total = promise.progress[-1].delivered if promise.progress else Decimal(0)
        if has_every_report and commitment.delivered_quantity == total:
            continue
        if commitment.is_over or recorded is None or has_every_report:
            skipped.append(commitment)
            continue
        _add_reports(commitment, promise, recorded, author, now)
        changed.append(commitment)
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


def _recorded_by_position(
    recorded_reports: Sequence[Progress], register_reports: Sequence[RegisterProgress]
) -> dict[int, Progress] | None:
    """The recorded reports, by their positions among the register's reports.

    None if a recorded report is not in the register. Two reports are the same if their moment and their note are: the
    note names the figure.
    """
    free_positions: dict[tuple[dt.datetime, str], list[int]] = {}
    for position, report in enumerate(register_reports):
        free_positions.setdefault((report.at, report.note), []).append(position)
    recorded_by_position: dict[int, Progress] = {}
    for recorded in recorded_reports:
        positions = free_positions.get((recorded.at, recorded.note))
        if not positions:
            return None
        recorded_by_position[positions.pop(0)] = recorded
    return recorded_by_position


def _add_reports(
    commitment: Commitment,
    promise: RegisterPromise,
    recorded_by_position: dict[int, Progress],
    author: User | None,
    now: dt.datetime,
) -> None:
    """Add the reports that are not recorded yet, and take the status from the last."""
    delivered_before = commitment.delivered_quantity
    for position, report in enumerate(_new_reports(commitment, promise, author)):
        recorded = recorded_by_position.get(position)
        if recorded is None:
            report.save(force_insert=True)
        elif (recorded.delivered_before, recorded.delivered) != (report.delivered_before, report.delivered):
            recorded.delivered_before, recorded.delivered = report.delivered_before, report.delivered
            recorded.save(update_fields=["delivered_before", "delivered"])
    last = promise.progress[-1]
    status = Status.DONE if promise.done else Status.IN_PROGRESS
    if status != commitment.status:
        commitment.status, commitment.status_since = status, last.at
    commitment.done_at = last.at if promise.done else None
    commitment.delivered_quantity = last.delivered
    commitment.save(update_fields=["status", "status_since", "done_at", "delivered_quantity"])
    _record_event(
        commitment,
        EventKind.REPORTS_READ_FROM_REGISTER,
        author=author,
        now=now,
        before={"delivered": str(delivered_before)},
        after={"delivered": str(commitment.delivered_quantity)},
    )


def _withdraw(commitment: Commitment, promise: RegisterPromise, author: User | None, now: dt.datetime) -> None:
    """Cancel what the register no longer has, and reopen the entries that it met."""
    status_before = commitment.get_status_display()
    commitment.status, commitment.status_since, commitment.reason = Status.CANCELLED, now, promise.withdrawn
    commitment.save(update_fields=["status", "status_since", "reason"])
    # Listeners need the agreed state, to reopen the entries that it met.
    call_listeners(commitment=commitment, author=author, now=now)
    commitment.giver_confirmed_at = commitment.receiver_confirmed_at = None
    commitment.save(update_fields=["giver_confirmed_at", "receiver_confirmed_at"])
    _record_event(
        commitment,
        EventKind.WITHDRAWN_IN_REGISTER,
        author=author,
        now=now,
        reason=commitment.reason,
        before={"status": status_before},
        after={"status": commitment.get_status_display()},
    )


def _new_reports(commitment: Commitment, promise: RegisterPromise, author: User | None) -> list[Progress]:
    """A report for each of the register's figures, each with the figure before it."""
    reports, delivered_before = [], Decimal(0)
    for report in promise.progress:
        reports.append(
            Progress(
                commitment=commitment,
                delivered_before=delivered_before,
                delivered=report.delivered,
                status=Status.IN_PROGRESS,
                note=report.note,
                by=author,
                organisation=promise.receiver,
                at=report.at,
            )
        )
        delivered_before = report.delivered
    return reports


def _status_of(promise: RegisterPromise) -> Status:
    """The status of a new commitment: agreed at once, since the register says that it was signed."""
    if promise.withdrawn:
        return Status.CANCELLED
    if promise.done:
        return Status.DONE
    return Status.IN_PROGRESS if promise.progress else Status.AGREED


def _new_commitment(number: int, promise: RegisterPromise, source: str, author: User | None) -> Commitment:
    """The commitment of a register's promise, not saved yet."""
    delivered = promise.progress[-1].delivered if promise.progress else Decimal(0)
    status_since = promise.progress[-1].at if promise.progress else promise.agreed_at
    # Agreed and then cancelled would count as broken; a withdrawn record is not.
    confirmed_at = None if promise.withdrawn else promise.agreed_at
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
        status=_status_of(promise),
        status_since=status_since,
        done_at=status_since if promise.done and not promise.withdrawn else None,
        reason=promise.withdrawn,
        proposed_by=author,
        proposed_for=promise.receiver,
        proposed_at=promise.agreed_at,
        giver_confirmed_at=confirmed_at,
        receiver_confirmed_at=confirmed_at,
        source=source,
        source_reference=promise.reference,
    )
