"""Move rows from one organisation to another, and undo it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model, Q, QuerySet, UniqueConstraint
from django.utils import timezone

from partnerships.activity.services import new_event, record_all
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import Merge, MovedRow, Organisation, Succession
from partnerships.organisations.obligations import (
    Change,
    Column,
    Moving,
    Obligation,
    all_columns,
    kept_value,
    settle,
)


@dataclass(frozen=True, slots=True)
class SortedRows:
    """Rows of a column that can be moved to another organisation, and those that cannot.

    `free` are the ids of rows that can name it. `taken` maps each row that would break a unique constraint to the row
    of the other organisation that is in its place.
    """

    free: list[int]
    taken: dict[int, int]


def sort_rows(
    column: Column, source: int, target: int, *, records: Collection[int] | None = None, lock: bool = False
) -> SortedRows:
    """The rows that name the source, or those of some records, by whether they can name the target instead."""
    rows: QuerySet[Any] = column.model._base_manager.filter(**{column.name: source})
    if records is not None:
        rows = rows.filter(column.only or Q(), **{f"{column.record}__in": list(records)})
    if column.locked is not None:
        rows = rows.exclude(column.locked(target))
    if column.stays is not None:
        rows = rows.exclude(column.stays)
    ids = sorted(set(rows.values_list("pk", flat=True)))
    if lock:
        list(column.model._base_manager.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    taken = _taken(column.model, column.name, ids, target)
    return SortedRows([pk for pk in ids if pk not in taken], taken)


def _uniques(model: type[Model]) -> list[UniqueConstraint]:
    """The unique constraints of a table; those of many-to-many tables, which Django declares in another way, too."""
    declared = [constraint for constraint in model._meta.constraints if isinstance(constraint, UniqueConstraint)]
    together = [UniqueConstraint(fields=fields, name="together") for fields in model._meta.unique_together]
    return declared + together


def _taken(model: type[Model], name: str, rows: Collection[int], target: int) -> dict[int, int]:
    """Rows that would break a unique constraint if they named the target, each with the target's row in its place."""
    taken: dict[int, int] = {}
    for constraint in _uniques(model) if rows else ():
        if name not in constraint.fields:
            continue
        other_fields = [field for field in constraint.fields if field != name]
        everything: QuerySet[Any] = model._base_manager.all()
        if constraint.condition is not None:
            everything = everything.filter(constraint.condition)
        of_target = everything.filter(**{name: target}).values_list("pk", *other_fields)
        by_key = {tuple(key): pk for pk, *key in of_target}
        if not by_key:
            continue
        for pk, *key in everything.filter(pk__in=rows).values_list("pk", *other_fields):
            can_clash = None not in key or constraint.nulls_distinct is False
            if can_clash and tuple(key) in by_key:
                taken[pk] = by_key[tuple(key)]
    return taken


def carry(column: Column, moving: Moving, records: Collection[int] | None = None) -> list[Change]:
    """Make the rows of a column, or those of some records, name the other organisation; returns what changed.

    A row is ended instead if the other organisation already has a row in its place.
    """
    return carry_together((column,), moving, records)


def carry_together(columns: Sequence[Column], moving: Moving, records: Collection[int] | None = None) -> list[Change]:
    """Like `carry`, for the columns of one kind.

    All columns are sorted before any is changed: once the giver of a commitment has moved, its owner would look locked.
    """
    source, target = moving.source.pk, moving.target.pk
    sorted_columns = [(column, sort_rows(column, source, target, records=records, lock=True)) for column in columns]
    changes: list[Change] = []
    for column, rows in sorted_columns:
        model, name = column.model, column.name
        model._base_manager.filter(pk__in=rows.free).update(**{name: target})
        changes += [Change(model._meta.label, pk, {name: source}, {name: target}) for pk in rows.free]
        changes += _end_taken(column, moving, rows.taken)
    return changes


def _end_taken(column: Column, moving: Moving, taken: dict[int, int]) -> list[Change]:
    """End or delete rows whose place is taken, and update the rows in their place; rows that are history stay."""
    if column.ending is None and not column.dropping:
        return []
    rows = column.model._base_manager
    present = set(rows.filter(column.only or Q(), pk__in=list(taken)).values_list("pk", flat=True))
    rows_by_id = rows.in_bulk([*present, *(taken[pk] for pk in present)])
    changes = []
    for pk in sorted(present):
        row, in_its_place = rows_by_id[pk], rows_by_id[taken[pk]]
        if column.uniting is not None:
            changes.append(change_row(in_its_place, column.uniting(row, in_its_place)))
        if column.ending is None:
            changes.append(_drop_row(row, column.forgetting))
        else:
            changes.append(change_row(row, column.ending(moving)))
    return [change for change in changes if change.before]


def _drop_row(row: Any, forgetting: Collection[str]) -> Change:
    """Delete a row; returns its values, without the fields that are not kept."""
    kept = [field for field in row._meta.concrete_fields if field.name not in forgetting]
    before = {field.name: kept_value(field.value_from_object(row)) for field in kept}
    type(row)._base_manager.filter(pk=row.pk).delete()
    return Change(row._meta.label, row.pk, before, {})


def _recreate(model: type[Model], changes: Sequence[Change]) -> set[int]:
    """Recreate deleted rows, unless another row is in their place; returns the ids of those that exist now."""
    rows = [
        model(**{model._meta.get_field(name).attname: value for name, value in change.before.items()})  # type: ignore[union-attr]  # columns have one
        for change in changes
    ]
    model._base_manager.bulk_create(rows, ignore_conflicts=True)
    return set(model._base_manager.filter(pk__in=[change.row for change in changes]).values_list("pk", flat=True))


def change_row(row: Any, values: dict[str, Any]) -> Change:
    """Change columns of a row; returns those whose values differ."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    before = {name: kept_value(getattr(row, name)) for name in changed}
    if changed:
        for name, value in changed.items():
            setattr(row, name, value)
        type(row)._base_manager.filter(pk=row.pk).update(**changed)
    return Change(row._meta.label, row.pk, before, {name: kept_value(value) for name, value in changed.items()})


def put_back(changes: Iterable[Change]) -> tuple[list[Change], list[Change]]:
    """Undo changes of rows, the last one first.

    Returns what this changed, and the changes that stay because somebody has changed the row since or agreed to it, or
    because another row is in its place.
    """
    done: list[Change] = []
    missed: list[Change] = []
    for group in _alike(reversed(list(changes))):
        model = apps.get_model(group[0].table)
        restored = _restore(model, group) if group[0].after else _recreate(model, group)
        done += [Change(one.table, one.row, one.after, one.before) for one in group if one.row in restored]
        missed += [change for change in group if change.row not in restored]
    return done, missed


def _alike(changes: Iterable[Change]) -> list[list[Change]]:
    """Changes of the same columns from the same values to the same values, together, so that one update undoes them."""
    groups: dict[tuple[Any, ...], list[Change]] = defaultdict(list)
    for change in changes:
        key = (change.table, tuple(sorted(change.before.items())), tuple(sorted(change.after.items())))
        groups[key].append(change)
    return list(groups.values())


def _restore(model: type[Model], alike: Sequence[Change]) -> set[int]:
    """Give rows with the same change their values before it; returns the ids of those that could be changed back."""
    before, after = alike[0].before, alike[0].after
    columns = {column.label: column for column in all_columns()}
    rows = model._base_manager.filter(pk__in=[change.row for change in alike], **after)
    for name in after:
        column = columns.get(f"{model._meta.label}.{name}")
        if column is not None and column.stays is not None:
            rows = rows.exclude(pk__in=model._base_manager.filter(column.stays).values("pk"))
    unchanged = set(rows.select_for_update().values_list("pk", flat=True))
    for name, value in before.items():
        if value is not None and model._meta.get_field(name).related_model is Organisation:
            unchanged -= _taken(model, name, unchanged, value).keys()
    model._base_manager.filter(pk__in=unchanged).update(**before)
    return unchanged


def as_kept(changes: Iterable[Change]) -> list[Change]:
    """The changes with each organisation that was merged since replaced by the one that was kept."""
    kept = dict(Merge.objects.in_force().values_list("merged", "kept"))
    if not kept:
        return list(changes)

    def with_kept(table: str, values: dict[str, Any]) -> dict[str, Any]:
        fields = apps.get_model(table)._meta.fields
        names = {field.name for field in fields if field.related_model is Organisation}
        replaced = dict(values)
        for name in names & values.keys():
            while replaced[name] in kept:
                replaced[name] = kept[replaced[name]]
        return replaced

    return [
        Change(change.table, change.row, with_kept(change.table, change.before), with_kept(change.table, change.after))
        for change in changes
    ]


def record_passing(kind: Obligation, records: Sequence[Any], moving: Moving) -> None:
    """Record for each record that it passed to the other organisation."""
    events = []
    for record in records if kind.target else ():
        within_kind, within_id = kind.within(record)
        made = new_event(
            actor_id=moving.author.pk if moving.author else None,
            organisation_id=moving.target.pk,
            kind=EventKind.PASSED_ON,
            target_kind=kind.target,
            target_id=record.pk,
            within_kind=within_kind,
            within_id=within_id,
            now=moving.now,
            data={
                "title": kind.describe(record, moving.source).outside,
                "before": {"organisation": moving.source.name},
                "after": {"organisation": moving.target.name},
                "reason": moving.reason,
            }
            | ({"succession": moving.succession} if moving.succession else {}),
        )
        events.append(made)
    record_all(events)


def move_records(kind: Obligation, records: Collection[int], moving: Moving) -> list[Change]:
    """Pass records of one kind to another organisation; returns what changed.

    Locks the records. Call inside the transaction, after checking the rights.
    """
    day = timezone.localdate(moving.now)
    moved_records = list(kind.records(moving.source, day).filter(pk__in=list(records)).order_by("pk"))
    ids = [record.pk for record in moved_records]
    if moved_records:
        list(
            type(moved_records[0])._base_manager.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk")
        )
    if kind.move is not None:
        changes = kind.move(moved_records, moving)
    else:
        changes = carry_together(kind.columns, moving, ids) + settle(kind, ids, moving)
    stayed = set(kind.records(moving.source, day).filter(pk__in=ids).values_list("pk", flat=True))
    record_passing(kind, [record for record in moved_records if record.pk not in stayed], moving)
    return changes


def keep_changes(
    changes: Iterable[Change], *, merge: Merge | None = None, succession: Succession | None = None
) -> None:
    """Save what a merge or a succession changed, so that it can be undone."""
    MovedRow.objects.bulk_create(
        (
            MovedRow(
                merge=merge,
                succession=succession,
                table=change.table,
                row=change.row,
                before=change.before,
                after=change.after,
            )
            for change in changes
        ),
        batch_size=2000,
    )
