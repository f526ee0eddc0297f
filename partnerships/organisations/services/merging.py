"""Make one record of two records of the same body, and undo it."""

from __future__ import annotations

import datetime as dt
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
from partnerships.organisations.obligations import Change, Column, Moving, following, obligations, settle
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.moved_memberships import record_moved_memberships
from partnerships.organisations.services.moving import (
    carry,
    carry_together,
    change_row,
    keep_changes,
    put_back,
    record_passing,
    sort_rows,
)
from partnerships.organisations.services.organisations import WAYS_IN_FIELDS, tell_ways_in
from partnerships.organisations.services.recording import record_event
from partnerships.people.models import User


class UnableToMerge(Exception):
    """The same record twice, one that was merged already, or no reason."""


#: The journal's name for two records made one.
MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Preview:
    """How many rows of a kind pass to the kept record, and how many it has already."""

    label: str
    moves: int
    held_by_both: int


def preview_merge(*, kept: Organisation, merged: Organisation) -> list[Preview]:
    """What a merge would move, by kind; kinds without rows are left out."""
    lines = [_preview(kind.label, kind.columns, kept, merged) for kind in obligations()]
    lines.append(_preview("Names, identifiers, areas and history", following(), kept, merged))
    return [line for line in lines if line.moves or line.held_by_both]


def _preview(label: str, columns: tuple[Column, ...], kept_organisation: Organisation, merged: Organisation) -> Preview:
    sorted_rows = [sort_rows(column, merged.pk, kept_organisation.pk) for column in columns]
    return Preview(
        label,
        sum(len(sorted_column.free) for sorted_column in sorted_rows),
        sum(len(sorted_column.taken) for sorted_column in sorted_rows),
    )


@transaction.atomic
def merge_organisations(
    *, kept: Organisation, merged: Organisation, reason: str, author: User | None, now: dt.datetime
) -> Merge:
    """Let everything of one record pass to another record of the same body.

    Its address, names and identifiers lead to the kept one. What the database keeps unchanged, such as signatures,
    still names the merged record. Administrators only. Raises `UnableToMerge`.
    """
    require(roles_of(author, now).keeps_directory)
    if kept.pk == merged.pk:
        raise UnableToMerge("Choose two different organisations.")
    if not reason.strip():
        raise UnableToMerge("Give a reason.")
    locked = {organisation.pk: organisation for organisation in _lock(kept.pk, merged.pk)}
    known = Merge.objects.in_force().filter(merged__in=locked).select_related("merged").first()
    if known is not None:
        raise UnableToMerge(f"{known.merged.name} has already been merged.")
    ties = SuccessionTie.objects.filter(succession__in=Succession.objects.live())
    if ties.filter(predecessor__in=locked, successor__in=locked).exclude(predecessor=F("successor")).exists():
        raise UnableToMerge("One of them followed the other: they are two organisations.")
    moving = Moving(source=locked[merged.pk], target=locked[kept.pk], reason=reason.strip(), author=author, now=now)
    changes = _carry_everything(moving)
    merge = Merge.objects.create(
        kept=moving.target, merged=moving.source, reason=moving.reason, merged_by=author, merged_at=now
    )
    keep_changes(changes, merge=merge)
    record_moved_memberships(changes, reason=moving.reason, author=author, now=now)
    _record(merge, EventKind.MERGED, moving, author=author, now=now)
    _journal(merge, now=now)
    return merge


def merge_identity(merge: Merge) -> str:
    """The journal's hash of a merged record and the one that was kept.

    Select both with it.
    """
    kept, merged = merge.kept, merge.merged
    return journal.identity(kept.pk, kept.created_at, merged.pk, merged.created_at)


def _journal(merge: Merge, *, now: dt.datetime, undone: bool = False) -> None:
    """Note that nobody acts for the merged record any more.

    `undone`: nor do its people for the kept one.
    """
    same = merge_identity(merge)
    journal.note(MERGE, now=now, kept=merge.kept_id, merged=merge.merged_id, same=same, undone=undone)


def _lock(*ids: int) -> list[Organisation]:
    return list(Organisation.objects.select_for_update().filter(pk__in=ids).order_by("pk"))


def _carry_everything(moving: Moving) -> list[Change]:
    """Move obligations, then what follows them, then names.

    Official names become other names.
    """
    day = timezone.localdate(moving.now)
    changes: list[Change] = []
    passing = [(kind, list(kind.records(moving.source, day).order_by("pk"))) for kind in obligations()]
    for kind, records in passing:
        record_passing(kind, records, moving)
    for kind, _ in passing:
        changes += carry_together(kind.columns, moving)
    for kind, records in passing:
        changes += settle(kind, [record.pk for record in records], moving)
    for column in following():
        changes += carry(column, moving)
    changes += _keep_ways_in(moving)
    moved = [change.row for change in changes if change.table == OrganisationName._meta.label]
    for name in OrganisationName.objects.filter(pk__in=moved, kind__in=[NameKind.OFFICIAL, NameKind.SHORT]):
        changes.append(change_row(name, {"kind": NameKind.ALTERNATIVE.value}))
    return changes


def _keep_ways_in(moving: Moving) -> list[Change]:
    """Let the kept record ask as much at sign-in as either did.

    Returns what changed. Raises `UnableToMerge` where both have a sign-in page of their own and one requires it.
    """
    kept, merged = moving.target, moving.source
    values: dict[str, Any] = {"second_factor_required": kept.second_factor_required or merged.second_factor_required}
    pages = {organisation.sign_in_provider for organisation in (kept, merged)} - {""}
    if kept.own_sign_in_required or merged.own_sign_in_required:
        if len(pages) > 1:
            raise UnableToMerge("Their people sign in through different pages: choose one for both first.")
        # For people of the kept record it may be new: their leads keep their passwords for a day.
        since = kept.own_sign_in_required_at or moving.now
        values |= {"sign_in_provider": pages.pop(), "own_sign_in_required_at": since}
    change = change_row(kept, values)
    if not change.after:
        return []
    tell_ways_in(
        kept, before=change.before, after=change.after, reason=moving.reason, author=moving.author, now=moving.now
    )
    return [change]


def _record(merge: Merge, event: EventKind, moving: Moving, *, author: User | None, now: dt.datetime) -> None:
    for organisation, other in ((moving.target, moving.source), (moving.source, moving.target)):
        record_event(
            organisation,
            event,
            author=author,
            now=now,
            data={"title": other.name, "merge": merge.pk, "reason": moving.reason},
        )


@transaction.atomic
def undo_merge(*, merge: Merge, reason: str, author: User | None, now: dt.datetime) -> int:
    """Make two records of one again.

    Returns how many rows stay where they are. Those were changed since the merge. What was added since stays with the
    kept record. Administrators only. Raises `UnableToMerge`.
    """
    require(roles_of(author, now).keeps_directory)
    if not reason.strip():
        raise UnableToMerge("Give a reason.")
    bodies = {organisation.pk: organisation for organisation in _lock(merge.kept_id, merge.merged_id)}
    locked = Merge.objects.select_for_update().get(pk=merge.pk)
    if locked.undone_at is not None:
        raise UnableToMerge("This merge has already been undone.")
    if Merge.objects.in_force().filter(merged=locked.kept_id).exists():
        raise UnableToMerge(f"{bodies[locked.kept_id].name} has been merged since then. Undo that merge first.")
    rows = locked.rows.order_by("pk")
    put, missed = put_back(Change(row.table, row.row, row.before, row.after) for row in rows)
    locked.undone_by, locked.undone_at, locked.undone_because = author, now, reason.strip()
    locked.save(update_fields=["undone_by", "undone_at", "undone_because"])
    moving = Moving(
        source=bodies[locked.kept_id], target=bodies[locked.merged_id], reason=reason.strip(), author=author, now=now
    )
    day = timezone.localdate(now)
    for kind in obligations():
        record_passing(kind, list(kind.records(moving.target, day).order_by("pk")), moving)
    moving.target.refresh_from_db()
    moving.source.refresh_from_db()
    for one in put:
        if (one.table, one.row) == (Organisation._meta.label, moving.source.pk) and WAYS_IN_FIELDS & one.before.keys():
            tell_ways_in(
                moving.source, before=one.before, after=one.after, reason=moving.reason, author=author, now=now
            )
    record_moved_memberships(put, reason=moving.reason, author=author, now=now)
    _record(locked, EventKind.UNMERGED, moving, author=author, now=now)
    _journal(locked, now=now, undone=True)
    merge.undone_at = now
    return len(missed)


@transaction.atomic
def keep_apart(
    *, one: Organisation, other: Organisation, reason: str, author: User | None, now: dt.datetime
) -> NotSame:
    """Record that two organisations are not the same body.

    Administrators only. Raises `UnableToMerge`.
    """
    require(roles_of(author, now).keeps_directory)
    if one.pk == other.pk:
        raise UnableToMerge("Choose two different organisations.")
    if not reason.strip():
        raise UnableToMerge("Give a reason.")
    first, second = sorted((one, other), key=lambda body: body.pk)
    return NotSame.objects.get_or_create(
        one=first, other=second, defaults={"reason": reason.strip(), "said_by": author, "said_at": now}
    )[0]
