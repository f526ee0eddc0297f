"""Merge two records of the same organisation, and undo such a merge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import (
    Merge,
    NameKind,
    NotSame,
    Organisation,
    OrganisationName,
    Succession,
    SuccessionTie,
)
from partnerships.organisations.obligations import (
    Change,
    RecordMove,
    following_columns,
    obligations,
    run_after_move,
)
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.moved_memberships import record_moved_memberships
from partnerships.organisations.services.moving import (
    change_row,
    count_sorted_rows,
    move_rows,
    move_rows_together,
    record_passed_records,
    restore_changes,
    save_changes,
)
from partnerships.organisations.services.organisations import SIGN_IN_FIELDS, record_sign_in_change
from partnerships.organisations.services.recording import record_event
from partnerships.people.models import User


class UnableToMerge(Exception):
    """Raised if two records cannot be merged, or a merge cannot be undone.

    The records are the same, one has already been merged or followed the other, or the reason is missing.
    """


#: The kind of journal line about a merge.
MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Preview:
    """How many rows of a kind a merge would move, and how many rows both records have."""

    label: str
    moves: int
    held_by_both: int


def preview_merge(*, kept: Organisation, merged: Organisation) -> list[Preview]:
    """Return the rows that a merge would move, counted by kind; kinds without rows are left out."""
    columns_by_label = [(kind.label, kind.columns) for kind in obligations()]
    columns_by_label.append(("Names, identifiers, areas and history", following_columns()))
    all_columns = [column for _, columns in columns_by_label for column in columns]
    counts_of_columns = iter(count_sorted_rows(all_columns, merged.pk, kept.pk))

    previews = []
    for label, columns in columns_by_label:
        counts = [next(counts_of_columns) for _ in columns]
        moves, held_by_both = sum(count.movable for count in counts), sum(count.conflicting for count in counts)
        previews.append(Preview(label=label, moves=moves, held_by_both=held_by_both))
    return [preview for preview in previews if preview.moves or preview.held_by_both]


@transaction.atomic
def merge_organisations(
    *, kept: Organisation, merged: Organisation, reason: str, author: User | None, now: dt.datetime
) -> Merge:
    """Move everything that belongs to one record to another record of the same organisation.

    The merged record's page then redirects to the kept record, which has its names and identifiers. Signatures still
    refer to the merged record, because they never change. Only administrators may do this. Raises `UnableToMerge`.
    """
    require(roles_of(author, now).may_change_directory)
    reason = reason.strip()
    if kept.pk == merged.pk:
        raise UnableToMerge("Choose two different organisations.")
    if not reason:
        raise UnableToMerge("Enter a reason.")
    organisation_by_id = _lock_records(kept.pk, merged.pk)
    _check_not_merged(organisation_by_id)
    _check_not_successors(organisation_by_id)

    move = RecordMove(
        source=organisation_by_id[merged.pk], target=organisation_by_id[kept.pk], reason=reason, author=author, now=now
    )
    changes = _move_everything(move)
    merge = Merge.objects.create(kept=move.target, merged=move.source, reason=reason, merged_by=author, merged_at=now)
    save_changes(changes, merge=merge)

    record_moved_memberships(changes, reason=reason, author=author, now=now)
    _record_for_both(merge, EventKind.MERGED, move)
    _journal(merge, now=now)
    return merge


def _check_not_merged(organisation_ids: Collection[int]) -> None:
    """Raise `UnableToMerge` if one of these organisations has been merged into another."""
    earlier_merge = Merge.objects.in_force().filter(merged__in=organisation_ids).select_related("merged").first()
    if earlier_merge is not None:
        raise UnableToMerge(f"{earlier_merge.merged.name} has already been merged, so you cannot merge it again.")


def _check_not_successors(organisation_ids: Collection[int]) -> None:
    """Raise `UnableToMerge` if one of these organisations followed another one of them."""
    ties = SuccessionTie.objects.filter(
        succession__in=Succession.objects.live(), predecessor__in=organisation_ids, successor__in=organisation_ids
    )
    # A tie from an organisation to itself only says that the organisation continues.
    if ties.exclude(predecessor=F("successor")).exists():
        raise UnableToMerge("One of these organisations is a successor of the other, so you cannot merge them.")


def merge_identity(merge: Merge) -> str:
    """Return the journal's hash of the two records of a merge. Fetch both with `select_related`."""
    kept, merged = merge.kept, merge.merged
    return journal.identity(kept.pk, kept.created_at, merged.pk, merged.created_at)


def _journal(merge: Merge, *, now: dt.datetime, undone: bool = False) -> None:
    """Write to the journal that a merge was made or, if `undone`, was undone."""
    same = merge_identity(merge)
    journal.note(MERGE, now=now, kept=merge.kept_id, merged=merge.merged_id, same=same, undone=undone)


def _lock_records(*ids: int) -> dict[int, Organisation]:
    """Lock these organisations, and return them by id.

    They are locked in the order of their ids, so that two merges cannot wait for each other.
    """
    organisations = Organisation.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return {organisation.pk: organisation for organisation in organisations}


def _move_everything(move: RecordMove) -> list[Change]:
    """Move the merged record's obligations, then its other rows, and make its official names alternative names."""
    day = timezone.localdate(move.now)
    records_and_kinds = [(list(kind.records(move.source, day).order_by("pk")), kind) for kind in obligations()]
    for records, kind in records_and_kinds:
        record_passed_records(kind, records, move)

    changes: list[Change] = []
    for _, kind in records_and_kinds:
        changes += move_rows_together(kind.columns, move)
    for records, kind in records_and_kinds:
        changes += run_after_move(kind, [record.pk for record in records], move)
    for column in following_columns():
        changes += move_rows(column, move)
    changes += _combine_sign_in_rules(move)

    moved_name_ids = [change.row for change in changes if change.table == OrganisationName._meta.label]
    moved_names = OrganisationName.objects.filter(pk__in=moved_name_ids)
    for name in moved_names.filter(kind__in=[NameKind.OFFICIAL, NameKind.SHORT]):
        changes.append(change_row(name, {"kind": NameKind.ALTERNATIVE.value}))
    return changes


def _combine_sign_in_rules(move: RecordMove) -> list[Change]:
    """Make the kept record require at sign-in what either record required, and return the changes.

    Raises `UnableToMerge` if both have their own sign-in page and one of them requires it.
    """
    kept, merged = move.target, move.source
    values: dict[str, Any] = {"second_factor_required": kept.second_factor_required or merged.second_factor_required}

    if kept.own_sign_in_required or merged.own_sign_in_required:
        providers = {organisation.sign_in_provider for organisation in (kept, merged)} - {""}
        if len(providers) > 1:
            raise UnableToMerge(
                "People in these organisations sign in through different pages. Choose one page for both first."
            )
        values["sign_in_provider"] = providers.pop()
        # The kept record's people may not know this page. From `now`, their leads can use passwords for one more day.
        values["own_sign_in_required_at"] = kept.own_sign_in_required_at or move.now

    change = change_row(kept, values)
    if not change.after:
        return []
    record_sign_in_change(
        kept, before=change.before, after=change.after, reason=move.reason, author=move.author, now=move.now
    )
    return [change]


def _record_for_both(merge: Merge, event: EventKind, move: RecordMove) -> None:
    """Record an event of both organisations of a merge, each with the name of the other."""
    for organisation, other_organisation in ((move.target, move.source), (move.source, move.target)):
        record_event(
            organisation,
            event,
            author=move.author,
            now=move.now,
            data={"title": other_organisation.name, "merge": merge.pk, "reason": move.reason},
        )


@transaction.atomic
def undo_merge(*, merge: Merge, reason: str, author: User | None, now: dt.datetime) -> int:
    """Undo a merge, and return how many rows could not be returned because they were changed in the meantime.

    These rows, and rows that were added after the merge, still belong to the kept record. Only administrators may do
    this. Raises `UnableToMerge`.
    """
    require(roles_of(author, now).may_change_directory)
    reason = reason.strip()
    if not reason:
        raise UnableToMerge("Enter a reason.")
    organisation_by_id = _lock_records(merge.kept_id, merge.merged_id)
    locked_merge = Merge.objects.select_for_update().get(pk=merge.pk)
    move = RecordMove(
        source=organisation_by_id[locked_merge.kept_id],
        target=organisation_by_id[locked_merge.merged_id],
        reason=reason,
        author=author,
        now=now,
    )
    if locked_merge.undone_at is not None:
        raise UnableToMerge("This merge has already been undone, so you do not need to do anything.")
    if Merge.objects.in_force().filter(merged=locked_merge.kept_id).exists():
        raise UnableToMerge(f"{move.source.name} has been merged since then. Undo that merge first.")

    changes = [Change(row.table, row.row, row.before, row.after) for row in locked_merge.rows.order_by("pk")]
    undone_changes, remaining_changes = restore_changes(changes)
    locked_merge.undone_by = author
    locked_merge.undone_at = now
    locked_merge.undone_because = reason
    locked_merge.save(update_fields=["undone_by", "undone_at", "undone_because"])

    _record_returned(undone_changes, move)
    _record_for_both(locked_merge, EventKind.UNMERGED, move)
    _journal(locked_merge, now=now, undone=True)
    merge.undone_at = now
    return len(remaining_changes)


def _record_returned(undone_changes: Sequence[Change], move: RecordMove) -> None:
    """Record which records, rules for signing in and memberships have returned after a merge was undone."""
    day = timezone.localdate(move.now)
    for kind in obligations():
        record_passed_records(kind, list(kind.records(move.target, day).order_by("pk")), move)

    # Undoing the changes has changed the rows of both organisations, but not these objects.
    move.target.refresh_from_db()
    move.source.refresh_from_db()
    for change in undone_changes:
        is_of_kept_record = (change.table, change.row) == (Organisation._meta.label, move.source.pk)
        if is_of_kept_record and SIGN_IN_FIELDS & change.before.keys():
            record_sign_in_change(
                move.source,
                before=change.before,
                after=change.after,
                reason=move.reason,
                author=move.author,
                now=move.now,
            )
    record_moved_memberships(undone_changes, reason=move.reason, author=move.author, now=move.now)


@transaction.atomic
def keep_apart(
    *, one: Organisation, other: Organisation, reason: str, author: User | None, now: dt.datetime
) -> NotSame:
    """Record that two organisations are not duplicates. Only administrators may do this. Raises `UnableToMerge`."""
    require(roles_of(author, now).may_change_directory)
    if one.pk == other.pk:
        raise UnableToMerge("Choose two different organisations.")
    if not reason.strip():
        raise UnableToMerge("Enter a reason.")
    first, second = sorted((one, other), key=lambda organisation: organisation.pk)
    not_same, _ = NotSame.objects.get_or_create(
        one=first, other=second, defaults={"reason": reason.strip(), "said_by": author, "said_at": now}
    )
    return not_same
