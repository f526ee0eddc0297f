"""Import the contributions of section 106 agreements from public registers, as commitments."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
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

#: A reference, and the id of a receiver.
PromiseKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class RegisterProgress:
    """The total that was delivered by a time, as a register reports it."""

    at: dt.datetime
    delivered: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class RegisterPromise:
    """A row of a register, as a promise to `receiver`.

    - `reference`: the register's own key, which is unique for each receiver and source.
    - `giver_name`: the giver, who need not be in the directory.
    - `agreed_at`: the time of the legal agreement.
    - `done`: whether the register says that everything has been delivered.
    - `withdrawn`: why the register no longer has the row. The commitment is cancelled, but is not a broken promise.
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

    @property
    def key(self) -> PromiseKey:
        """Return the reference and the id of the receiver, which identify the promise within its register."""
        return self.reference, self.receiver.pk

    @property
    def delivered(self) -> Decimal:
        """Return the total delivered so far."""
        return self.progress[-1].delivered if self.progress else Decimal(0)


@transaction.atomic
def create_from_register(
    *, promises: Sequence[RegisterPromise], source: str, author: User | None, now: dt.datetime
) -> list[Commitment]:
    """Create the commitments that do not exist yet, with their progress, and return them.

    A promise with an existing source, reference and receiver is skipped, so the same file can be imported twice. Only
    leads of the receivers, and people who maintain the directory, may do this.
    """
    if not promises:
        return []
    require(roles_of(author, now).may_import_published({promise.receiver.pk for promise in promises}))
    existing = Commitment.objects.filter(
        source=source, source_reference__in=[promise.reference for promise in promises]
    )
    existing_keys = set(existing.values_list("source_reference", "receiver_id"))
    new_promises = [promise for promise in promises if promise.key not in existing_keys]

    ids = next_ids(len(new_promises)) if new_promises else []
    commitments, reports = [], []
    for pk, promise in zip(ids, new_promises, strict=True):
        commitment = _new_commitment(pk, promise, source, author)
        commitments.append(commitment)
        reports += _new_reports(commitment, promise, author)
    Commitment.objects.bulk_create(commitments, batch_size=500)
    Progress.objects.bulk_create(reports, batch_size=500)

    for commitment in commitments:
        row = commitment.source_reference
        _record_event(commitment, EventKind.READ_FROM_REGISTER, author=author, now=now, row=row)
    return commitments


@transaction.atomic
def add_reports_from_register(
    *, promises: Sequence[RegisterPromise], source: str, author: User | None, now: dt.datetime
) -> tuple[list[Commitment], list[Commitment]]:
    """Add new reports to existing commitments, and return the changed commitments and the skipped ones.

    A commitment is skipped if the register has changed an earlier report, or if people have reported progress here. If
    a new report is between earlier ones, the totals of the later ones are corrected. Commitments that the register has
    withdrawn are cancelled in any case. Only leads of the receivers, and people who maintain the directory, may do
    this.
    """
    if not promises:
        return [], []
    require(roles_of(author, now).may_import_published({promise.receiver.pk for promise in promises}))
    promises_by_key = {promise.key: promise for promise in promises}
    commitments = _lock_existing(promises_by_key, source)
    reports_by_commitment = _reports_by_commitment(commitments)

    changed_commitments, skipped_commitments = [], []
    for commitment in commitments:
        promise = promises_by_key[commitment.source_reference, commitment.receiver_id or 0]
        if promise.withdrawn and not commitment.is_over:
            _withdraw(commitment, promise, author, now)
            changed_commitments.append(commitment)
            continue

        recorded_by_position = _recorded_by_position(reports_by_commitment[commitment.pk], promise.progress)
        has_every_report = recorded_by_position is not None and len(recorded_by_position) == len(promise.progress)
        if has_every_report and commitment.delivered_quantity == promise.delivered:
            continue
        # The totals differ without a new report, or one of the recorded reports is not in the register.
        if commitment.is_over or recorded_by_position is None or has_every_report:
            skipped_commitments.append(commitment)
            continue
        _add_reports(commitment, promise, recorded_by_position, author, now)
        changed_commitments.append(commitment)
    return changed_commitments, skipped_commitments


def _lock_existing(promises_by_key: Mapping[PromiseKey, RegisterPromise], source: str) -> list[Commitment]:
    """Lock the commitments that were imported from these promises, and return them."""
    references = [reference for reference, _receiver_id in promises_by_key]
    candidates = Commitment.objects.filter(source=source, source_reference__in=references)
    locked_candidates = candidates.select_for_update(of=("self",)).select_related("receiver").order_by("pk")
    # Two receivers may use the same reference.
    return [
        commitment
        for commitment in locked_candidates
        if (commitment.source_reference, commitment.receiver_id) in promises_by_key
    ]


def _reports_by_commitment(commitments: Sequence[Commitment]) -> Mapping[int, list[Progress]]:
    """Return the recorded reports of these commitments, by id of the commitment, the earliest first."""
    reports_by_commitment: dict[int, list[Progress]] = defaultdict(list)
    for report in Progress.objects.filter(commitment__in=commitments).order_by("at", "pk"):
        reports_by_commitment[report.commitment_id].append(report)
    return reports_by_commitment


def _record_event(
    commitment: Commitment, event: EventKind, *, author: User | None, now: dt.datetime, **data: Any
) -> None:
    """Record an event of an imported commitment, with the register that it comes from."""
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
    """Return the recorded reports by their positions among the register's reports.

    Returns None if a recorded report is not in the register. Two reports are the same if they have the same time and
    the same note, because the note contains the figure.
    """
    free_positions: dict[tuple[dt.datetime, str], list[int]] = defaultdict(list)
    for position, register_report in enumerate(register_reports):
        free_positions[register_report.at, register_report.note].append(position)

    recorded_by_position: dict[int, Progress] = {}
    for report in recorded_reports:
        positions = free_positions[report.at, report.note]
        if not positions:
            return None
        recorded_by_position[positions.pop(0)] = report
    return recorded_by_position


def _add_reports(
    commitment: Commitment,
    promise: RegisterPromise,
    recorded_by_position: dict[int, Progress],
    author: User | None,
    now: dt.datetime,
) -> None:
    """Save the reports that are not recorded yet, correct the totals of later ones, and update the status."""
    for position, report in enumerate(_new_reports(commitment, promise, author)):
        recorded_report = recorded_by_position.get(position)
        if recorded_report is None:
            report.save(force_insert=True)
        else:
            _correct_totals(recorded_report, report)

    last_report = promise.progress[-1]
    delivered_before = commitment.delivered_quantity
    status = Status.DONE if promise.done else Status.IN_PROGRESS
    if status != commitment.status:
        commitment.status = status
        commitment.status_since = last_report.at
    commitment.done_at = last_report.at if promise.done else None
    commitment.delivered_quantity = last_report.delivered
    commitment.save(update_fields=["status", "status_since", "done_at", "delivered_quantity"])

    _record_event(
        commitment,
        EventKind.REPORTS_READ_FROM_REGISTER,
        author=author,
        now=now,
        before={"delivered": str(delivered_before)},
        after={"delivered": str(commitment.delivered_quantity)},
    )


def _correct_totals(recorded_report: Progress, report: Progress) -> None:
    """Give a recorded report the totals of the register, if they differ."""
    totals = (report.delivered_before, report.delivered)
    if (recorded_report.delivered_before, recorded_report.delivered) != totals:
        recorded_report.delivered_before, recorded_report.delivered = totals
        recorded_report.save(update_fields=["delivered_before", "delivered"])


def _withdraw(commitment: Commitment, promise: RegisterPromise, author: User | None, now: dt.datetime) -> None:
    """Cancel a commitment that the register no longer has, and reopen the asks and offers that it met."""
    status_before = commitment.get_status_display()
    commitment.status = Status.CANCELLED
    commitment.status_since = now
    commitment.reason = promise.withdrawn
    commitment.save(update_fields=["status", "status_since", "reason"])

    # The listeners reopen only asks and offers that an agreed commitment met, so call them while it is confirmed.
    call_listeners(commitment=commitment, author=author, now=now)
    commitment.giver_confirmed_at = None
    commitment.receiver_confirmed_at = None
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
    """Return an unsaved progress report for each of the register's reports, with the total before each."""
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
    """Return the status of a new commitment.

    It is agreed at once, because the register says that the legal agreement was signed.
    """
    if promise.withdrawn:
        return Status.CANCELLED
    if promise.done:
        return Status.DONE
    return Status.IN_PROGRESS if promise.progress else Status.AGREED


def _new_commitment(pk: int, promise: RegisterPromise, source: str, author: User | None) -> Commitment:
    """Return an unsaved commitment for a row of a register."""
    status_since = promise.progress[-1].at if promise.progress else promise.agreed_at
    # A cancelled commitment is a broken promise if it was confirmed, and a withdrawn row is not a broken promise.
    confirmed_at = None if promise.withdrawn else promise.agreed_at
    return Commitment(
        pk=pk,
        reference=reference_for(pk),
        text=promise.text,
        giver_name=promise.giver_name,
        receiver=promise.receiver,
        owner_organisation=promise.receiver,
        quantity=promise.quantity,
        unit=promise.unit if promise.quantity is not None else "",
        delivered_quantity=promise.delivered,
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
