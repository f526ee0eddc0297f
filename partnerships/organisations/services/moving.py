"""Move rows from one organisation to another, and undo such moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet, UniqueConstraint, Value
from django.db.models.lookups import IsNull
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.services import new_event, record_all
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import Merge, MovedRow, Organisation, Succession
from partnerships.organisations.obligations import (
    Change,
    Column,
    Obligation,
    RecordMove,
    all_columns,
    json_value,
    run_after_move,
)


@dataclass(frozen=True, slots=True)
class SortedRows:
    """Rows that can be moved to another organisation, and rows that cannot.

    A row cannot be moved if the other organisation has an equivalent row, for example a part in the same partnership.
    `conflicts` maps the id of such a row to the id of the equivalent row.
    """

    movable_ids: list[int]
    conflicts: dict[int, int]


def sort_rows(
    column: Column, source: int, target: int, *, records: Collection[int] | None = None, lock: bool = False
) -> SortedRows:
    """Sort the rows that refer to the source by whether they can refer to the target.

    If `records` is given, only rows of these records are sorted. With `lock`, the rows are locked.
    """
    all_rows = column.model._base_manager
    rows = _rows_to_sort(column, source, target)
    if records is not None:
        rows = rows.filter(column.only or Q(), **{f"{column.record}__in": list(records)})

    row_ids = sorted(set(rows.values_list("pk", flat=True)))
    if lock:
        list(all_rows.select_for_update().filter(pk__in=row_ids).order_by("pk").values_list("pk"))
    conflicts = _conflicting_rows(column.model, column.name, row_ids, target)
    return SortedRows(movable_ids=[pk for pk in row_ids if pk not in conflicts], conflicts=conflicts)


def _rows_to_sort(column: Column, source: int, target: int) -> QuerySet[Any]:
    """Return the rows that refer to the source, without rows that never move or cannot refer to the target."""
    rows: QuerySet[Any] = column.model._base_manager.filter(**{column.name: source})
    if column.cannot_move_to is not None:
        rows = rows.exclude(column.cannot_move_to(target))
    if column.never_moves is not None:
        rows = rows.exclude(column.never_moves)
    return rows


class RowCounts(NamedTuple):
    """The numbers of rows of one column that can be moved, and that have an equivalent row at the target."""

    movable: int
    conflicting: int


def count_sorted_rows(columns: Sequence[Column], source: int, target: int) -> list[RowCounts]:
    """Return how many rows `sort_rows` would return for each of the columns, in one query for all of them."""
    counts_by_column = [
        _rows_to_sort(column, source, target)
        .order_by()
        .annotate(index=Value(index))
        .values("index")
        .annotate(
            total=Count("pk", distinct=True),
            conflicting=Count("pk", filter=_has_equivalent_row(column, target), distinct=True),
        )
        .values_list("index", "total", "conflicting")
        for index, column in enumerate(columns)
    ]
    row_counts = [RowCounts(0, 0)] * len(columns)
    for index, total, conflicting in counts_by_column[0].union(*counts_by_column[1:], all=True):
        row_counts[index] = RowCounts(movable=total - conflicting, conflicting=conflicting)
    return row_counts


def _has_equivalent_row(column: Column, target: int) -> Q:
    """Return the condition that a row would break a unique constraint if it referred to the target.

    It selects the same rows as `_conflicting_rows`.
    """
    is_conflict = Q(Value(False))
    for constraint in _unique_constraints(column.model):
        if column.name in constraint.fields:
            condition = constraint.condition or Q()
            equivalent_rows: QuerySet[Any] = column.model._base_manager.filter(condition, **{column.name: target})
            for name in constraint.fields:
                if name != column.name:
                    is_equal = Q(**{name: OuterRef(name)})
                    if constraint.nulls_distinct is False:
                        is_equal |= Q(IsNull(OuterRef(name), True), **{f"{name}__isnull": True})
                    equivalent_rows = equivalent_rows.filter(is_equal)
            is_conflict |= condition & Q(Exists(equivalent_rows))
    return is_conflict


def _unique_constraints(model: type[Model]) -> list[UniqueConstraint]:
    """Return the unique constraints of a model.

    Django declares the constraints of many-to-many tables as `unique_together`.
    """
    constraints = [constraint for constraint in model._meta.constraints if isinstance(constraint, UniqueConstraint)]
    unique_together = [UniqueConstraint(fields=fields, name="together") for fields in model._meta.unique_together]
    return constraints + unique_together


def _conflicting_rows(model: type[Model], name: str, rows: Collection[int], target: int) -> dict[int, int]:
    """Return the rows that would break a unique constraint, each with the equivalent row of the target."""
    conflicts: dict[int, int] = {}
    if rows:
        for constraint in _unique_constraints(model):
            if name in constraint.fields:
                conflicts |= _conflicts_with(constraint, model, name, rows, target)
    return conflicts


def _conflicts_with(
    constraint: UniqueConstraint, model: type[Model], name: str, rows: Collection[int], target: int
) -> dict[int, int]:
    """Return the rows that would break one constraint, each with the equivalent row of the target."""
    constrained_rows: QuerySet[Any] = model._base_manager.all()
    if constraint.condition is not None:
        constrained_rows = constrained_rows.filter(constraint.condition)
    other_fields = [field for field in constraint.fields if field != name]
    target_rows = constrained_rows.filter(**{name: target}).values_list("pk", *other_fields)
    target_row_by_key = {tuple(key): pk for pk, *key in target_rows}
    if not target_row_by_key:
        return {}

    conflicts: dict[int, int] = {}
    for pk, *values in constrained_rows.filter(pk__in=rows).values_list("pk", *other_fields):
        key = tuple(values)
        # For PostgreSQL, a row with NULL breaks no constraint, unless the constraint says that NULLs are equal.
        is_compared = None not in key or constraint.nulls_distinct is False
        if is_compared and key in target_row_by_key:
            conflicts[pk] = target_row_by_key[key]
    return conflicts


def move_rows(column: Column, move: RecordMove, records: Collection[int] | None = None) -> list[Change]:
    """Make the rows of a column refer to the other organisation, and return the changes.

    If `records` is given, only rows of these records move. If the other organisation has an equivalent row, the row is
    ended instead.
    """
    return move_rows_together((column,), move, records)


def move_rows_together(
    columns: Sequence[Column], move: RecordMove, records: Collection[int] | None = None
) -> list[Change]:
    """Make the rows of several columns of one kind refer to the other organisation, and return the changes.

    If the other organisation has an equivalent row, the row is ended instead. The rows of all columns are sorted before
    any row changes. For example, once the giver of a commitment has moved, its owner could no longer move.
    """
    source, target = move.source.pk, move.target.pk
    sorted_columns = [(column, sort_rows(column, source, target, records=records, lock=True)) for column in columns]
    changes: list[Change] = []
    for column, rows in sorted_columns:
        model, name = column.model, column.name
        model._base_manager.filter(pk__in=rows.movable_ids).update(**{name: target})
        changes += [Change(model._meta.label, pk, {name: source}, {name: target}) for pk in rows.movable_ids]
        changes += _end_conflicting(column, move, rows.conflicts)
    return changes


def _end_conflicting(column: Column, move: RecordMove, conflicts: dict[int, int]) -> list[Change]:
    """Combine rows with the equivalent rows of the other organisation, and end or delete them.

    Rows that are history do not change.
    """
    if column.end_values is None and not column.deletes_duplicate:
        return []
    rows = column.model._base_manager
    present_ids = set(rows.filter(column.only or Q(), pk__in=list(conflicts)).values_list("pk", flat=True))
    row_by_id = rows.in_bulk([*present_ids, *(conflicts[pk] for pk in present_ids)])

    changes = []
    for pk in sorted(present_ids):
        row = row_by_id[pk]
        equivalent_row = row_by_id[conflicts[pk]]
        if column.merge_values is not None:
            changes.append(change_row(equivalent_row, column.merge_values(row, equivalent_row)))
        if column.end_values is not None:
            changes.append(change_row(row, column.end_values(move)))
        else:
            changes.append(_delete_row(row, column.fields_not_stored))
    # Without earlier values, the row did not change.
    return [change for change in changes if change.before]


def _delete_row(row: Any, fields_not_stored: Collection[str]) -> Change:
    """Delete a row, and return its values except those of the fields that must not be stored."""
    stored_fields = [field for field in row._meta.concrete_fields if field.name not in fields_not_stored]
    before = {field.name: json_value(field.value_from_object(row)) for field in stored_fields}
    type(row)._base_manager.filter(pk=row.pk).delete()
    return Change(row._meta.label, row.pk, before, {})


def _recreate(model: type[Model], changes: Sequence[Change]) -> set[int]:
    """Recreate deleted rows that do not conflict with other rows; return the ids of the rows that exist now."""
    rows = [
        model(**{model._meta.get_field(name).attname: value for name, value in change.before.items()})  # type: ignore[union-attr]  # columns have one
        for change in changes
    ]
    model._base_manager.bulk_create(rows, ignore_conflicts=True)
    return set(model._base_manager.filter(pk__in=[change.row for change in changes]).values_list("pk", flat=True))


def change_row(row: Any, values: dict[str, Any]) -> Change:
    """Change fields of a row, and return the values before and after of the fields that differ."""
    new_values = {name: value for name, value in values.items() if getattr(row, name) != value}
    before = {name: json_value(getattr(row, name)) for name in new_values}
    after = {name: json_value(value) for name, value in new_values.items()}
    if new_values:
        for name, value in new_values.items():
            setattr(row, name, value)
        type(row)._base_manager.filter(pk=row.pk).update(**new_values)
    return Change(row._meta.label, row.pk, before, after)


def restore_changes(changes: Iterable[Change]) -> tuple[list[Change], list[Change]]:
    """Undo changes of rows, the last change first.

    Returns the changes that this made, and the earlier changes that could not be undone. A change cannot be undone if
    the row was changed or agreed to in the meantime, or if it would now break a unique constraint.
    """
    reversals: list[Change] = []
    remaining_changes: list[Change] = []
    for group in _equal_changes(reversed(list(changes))):
        model = apps.get_model(group[0].table)
        restored_ids = _restore(model, group) if group[0].after else _recreate(model, group)
        for change in group:
            if change.row in restored_ids:
                reversals.append(Change(change.table, change.row, change.after, change.before))
            else:
                remaining_changes.append(change)
    return reversals, remaining_changes


def _equal_changes(changes: Iterable[Change]) -> list[list[Change]]:
    """Group changes of the same fields with the same values before and after, so that one update can undo a group."""
    groups: dict[tuple[Any, ...], list[Change]] = defaultdict(list)
    for change in changes:
        key = (change.table, tuple(sorted(change.before.items())), tuple(sorted(change.after.items())))
        groups[key].append(change)
    return list(groups.values())


def _restore(model: type[Model], equal_changes: Sequence[Change]) -> set[int]:
    """Undo the same change of several rows, and return the ids of the rows that were restored."""
    before, after = equal_changes[0].before, equal_changes[0].after

    # Rows that have been changed since, or that nobody may change any more, are not restored.
    rows = model._base_manager.filter(pk__in=[change.row for change in equal_changes], **after)
    column_by_label = {column.label: column for column in all_columns()}
    for name in after:
        column = column_by_label.get(f"{model._meta.label}.{name}")
        if column is not None and column.never_moves is not None:
            rows = rows.exclude(pk__in=model._base_manager.filter(column.never_moves).values("pk"))
    restorable_ids = set(rows.select_for_update().values_list("pk", flat=True))

    # Rows that would now break a unique constraint are not restored either.
    for name, value in before.items():
        if value is not None and model._meta.get_field(name).related_model is Organisation:
            restorable_ids -= _conflicting_rows(model, name, restorable_ids, value).keys()
    model._base_manager.filter(pk__in=restorable_ids).update(**before)
    return restorable_ids


def replace_merged_organisations(changes: Iterable[Change]) -> list[Change]:
    """Return the changes, with each organisation that has been merged replaced by the organisation that was kept."""
    kept_by_merged = dict(Merge.objects.in_force().values_list("merged", "kept"))
    if not kept_by_merged:
        return list(changes)
    return [
        replace(
            change,
            before=_replace_merged(change.table, change.before, kept_by_merged),
            after=_replace_merged(change.table, change.after, kept_by_merged),
        )
        for change in changes
    ]


def _replace_merged(table: str, values: dict[str, Any], kept_by_merged: Mapping[int, int]) -> dict[str, Any]:
    """Return a row's values with merged organisations replaced by those that were kept."""
    fields = apps.get_model(table)._meta.fields
    organisation_fields = {field.name for field in fields if field.related_model is Organisation}
    new_values = dict(values)
    for name in organisation_fields & values.keys():
        # The kept organisation may itself have been merged later.
        while new_values[name] in kept_by_merged:
            new_values[name] = kept_by_merged[new_values[name]]
    return new_values


def record_passed_records(kind: Obligation, records: Sequence[Any], move: RecordMove) -> None:
    """Record in the log of each record that the record passed to the other organisation."""
    if kind.target:
        record_all([_passing_event(kind, record, move) for record in records])


def _passing_event(kind: Obligation, record: Any, move: RecordMove) -> Event:
    """Return the unsaved event of a record that passes to the other organisation."""
    within_kind, within_id = kind.within(record)
    data: dict[str, Any] = {
        "title": kind.describe(record, move.source).generic_title,
        "before": {"organisation": move.source.name},
        "after": {"organisation": move.target.name},
        "reason": move.reason,
    }
    if move.succession:
        data["succession"] = move.succession
    return new_event(
        actor_id=move.author.pk if move.author else None,
        organisation_id=move.target.pk,
        kind=EventKind.PASSED_ON,
        target_kind=kind.target,
        target_id=record.pk,
        within_kind=within_kind,
        within_id=within_id,
        now=move.now,
        data=data,
    )


def move_records(kind: Obligation, records: Collection[int], move: RecordMove) -> list[Change]:
    """Pass records of one kind to another organisation, and return the changes.

    The function locks the records. Call it inside a transaction, after checking the rights.
    """
    day = timezone.localdate(move.now)
    source_records = list(kind.records(move.source, day).filter(pk__in=list(records)).order_by("pk"))
    ids = [record.pk for record in source_records]
    if source_records:
        rows_to_lock = type(source_records[0])._base_manager.select_for_update().filter(pk__in=ids)
        list(rows_to_lock.order_by("pk").values_list("pk"))

    if kind.move is not None:
        changes = kind.move(source_records, move)
    else:
        changes = move_rows_together(kind.columns, move, ids) + run_after_move(kind, ids, move)

    # Some records may have stayed, because the other organisation cannot have them.
    stayed_ids = set(kind.records(move.source, day).filter(pk__in=ids).values_list("pk", flat=True))
    record_passed_records(kind, [record for record in source_records if record.pk not in stayed_ids], move)
    return changes


def save_changes(
    changes: Iterable[Change], *, merge: Merge | None = None, succession: Succession | None = None
) -> None:
    """Save the changes of a merge or a succession, so that they can be undone."""
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
