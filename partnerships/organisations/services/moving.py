"""Pass what one organisation holds to another, and put it back."""

from __future__ import annotations

import datetime as dt
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
from partnerships.organisations.obligations import Change, Column, Moving, Obligation, all_columns, settle


@dataclass(frozen=True, slots=True)
class Sorted:
    """Rows of a column: `free` can name the other organisation.

    `taken` find its row in their place.
    """

    free: list[int]
    taken: dict[int, int]


def sort_rows(
    column: Column, source: int, target: int, *, records: Collection[int] | None = None, lock: bool = False
) -> Sorted:
    """The rows that name the source, all or those of some records, by whether their place is free."""
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
    return Sorted([pk for pk in ids if pk not in taken], taken)


def _uniques(model: type[Model]) -> list[UniqueConstraint]:
    """What must be unique.

    Django says it in another way of the tables that it makes for links to several.
    """
    links = [UniqueConstraint(fields=together, name="links") for together in model._meta.unique_together]
    return [constraint for constraint in model._meta.constraints if isinstance(constraint, UniqueConstraint)] + links


def _taken(model: type[Model], name: str, rows: Collection[int], target: int) -> dict[int, int]:
    """Rows whose place is taken, each with the row of the target that takes it."""
    taken: dict[int, int] = {}
    for constraint in _uniques(model) if rows else ():
        if name not in constraint.fields:
            continue
        other_fields = [field for field in constraint.fields if field != name]
        everything: QuerySet[Any] = model._base_manager.all()
        if constraint.condition is not None:
            everything = everything.filter(constraint.condition)
        theirs = {tuple(key): pk for pk, *key in everything.filter(**{name: target}).values_list("pk", *other_fields)}
        for pk, *key in everything.filter(pk__in=rows).values_list("pk", *other_fields) if theirs else ():
            if tuple(key) in theirs and (None not in key or constraint.nulls_distinct is False):
                taken[pk] = theirs[tuple(key)]
    return taken


def carry(column: Column, moving: Moving, records: Collection[int] | None = None) -> list[Change]:
    """Let the rows of a column name the other organisation.

    Returns what changed.

    All its rows, or those of some records. A row whose place the other organisation holds already is ended instead.
    """
    return carry_together((column,), moving, records)


def carry_together(columns: Sequence[Column], moving: Moving, records: Collection[int] | None = None) -> list[Change]:
    """As `carry`, for the columns of one kind.

    Each is sorted before any moves: once the giver of a commitment has moved, its owner would seem locked.
    """
    source, target = moving.source.pk, moving.target.pk
    found = [(column, sort_rows(column, source, target, records=records, lock=True)) for column in columns]
    changes: list[Change] = []
    for column, rows in found:
        model, name = column.model, column.name
        model._base_manager.filter(pk__in=rows.free).update(**{name: target})
        changes += [Change(model._meta.label, pk, {name: source}, {name: target}) for pk in rows.free]
        changes += _unite(column, moving, rows.taken)
    return changes


def _unite(column: Column, moving: Moving, taken: dict[int, int]) -> list[Change]:
    """End rows whose place is taken, and give the other row what it lacks.

    What is history already stays.
    """
    if column.ending is None and not column.dropping:
        return []
    rows = column.model._base_manager
    still = set(rows.filter(column.only or Q(), pk__in=list(taken)).values_list("pk", flat=True))
    found = rows.in_bulk([*still, *(taken[pk] for pk in still)])
    changes = []
    for pk in sorted(still):
        if column.uniting is not None:
            changes.append(change_row(found[taken[pk]], column.uniting(found[pk], found[taken[pk]])))
        end = column.ending
        changes.append(_drop_row(found[pk], column.forgetting) if end is None else change_row(found[pk], end(moving)))
    return [change for change in changes if change.before]


def _drop_row(row: Any, forgetting: Collection[str]) -> Change:
    """Delete a row.

    Returns what stood in it, without the fields that are not kept.
    """
    kept = [field for field in row._meta.concrete_fields if field.name not in forgetting]
    before = {field.name: _plain(field.value_from_object(row)) for field in kept}
    type(row)._base_manager.filter(pk=row.pk).delete()
    return Change(row._meta.label, row.pk, before, {})


def _make_again(model: type[Model], changes: Sequence[Change]) -> set[int]:
    """Make rows again that were deleted, unless their place is taken.

    Returns which are there (ids).
    """
    rows = [
        model(**{model._meta.get_field(name).attname: value for name, value in change.before.items()})  # type: ignore[union-attr]  # columns have one
        for change in changes
    ]
    model._base_manager.bulk_create(rows, ignore_conflicts=True)
    return set(model._base_manager.filter(pk__in=[change.row for change in changes]).values_list("pk", flat=True))


def change_row(row: Any, values: dict[str, Any]) -> Change:
    """Change columns of a row; returns what differs afterwards."""
    differ = {name: value for name, value in values.items() if getattr(row, name) != value}
    before = {name: _plain(getattr(row, name)) for name in differ}
    if differ:
        for name, value in differ.items():
            setattr(row, name, value)
        type(row)._base_manager.filter(pk=row.pk).update(**differ)
    return Change(row._meta.label, row.pk, before, {name: _plain(value) for name, value in differ.items()})


def _plain(value: Any) -> Any:
    """The value as JSON keeps it; dates as text that the database reads."""
    return value.isoformat() if isinstance(value, dt.date) else value


def put_back(changes: Iterable[Change]) -> tuple[list[Change], list[Change]]:
    """Put back what the rows said before, last change first.

    Returns what this changed, and the changes that stay: somebody has changed the row since, or agreed to it, or
    another row has its place.
    """
    columns = {column.label: column for column in all_columns()}
    alike: dict[tuple[Any, ...], list[Change]] = defaultdict(list)
    for change in reversed(list(changes)):
        key = (change.table, tuple(sorted(change.before.items())), tuple(sorted(change.after.items())))
        alike[key].append(change)
    done: list[Change] = []
    missed: list[Change] = []
    for group in alike.values():
        first = group[0]
        model = apps.get_model(first.table)
        if first.after:
            rows = model._base_manager.filter(pk__in=[change.row for change in group], **first.after)
            for name in first.after:
                column = columns.get(f"{first.table}.{name}")
                if column is not None and column.stays is not None:
                    rows = rows.exclude(pk__in=model._base_manager.filter(column.stays).values("pk"))
            unchanged = set(rows.select_for_update().values_list("pk", flat=True))
            for name, value in first.before.items():
                if value is not None and model._meta.get_field(name).related_model is Organisation:
                    unchanged -= _taken(model, name, unchanged, value).keys()
            model._base_manager.filter(pk__in=unchanged).update(**first.before)
        else:
            unchanged = _make_again(model, group)
        done += [Change(one.table, one.row, one.after, one.before) for one in group if one.row in unchanged]
        missed += [change for change in group if change.row not in unchanged]
    return done, missed


def as_kept(changes: Iterable[Change]) -> list[Change]:
    """Changes of rows as they would be now.

    Where a record was merged since, they name the one that was kept.
    """
    kept = dict(Merge.objects.in_force().values_list("merged", "kept"))

    def now(table: str, values: dict[str, Any]) -> dict[str, Any]:
        fields = apps.get_model(table)._meta.fields
        names = {field.name for field in fields if field.related_model is Organisation}
        found = dict(values)
        for name in names & values.keys():
            while found[name] in kept:
                found[name] = kept[found[name]]
        return found

    if not kept:
        return list(changes)
    return [
        Change(change.table, change.row, now(change.table, change.before), now(change.table, change.after))
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
    found = list(kind.records(moving.source, day).filter(pk__in=list(records)).order_by("pk"))
    ids = [record.pk for record in found]
    if found:
        list(type(found[0])._base_manager.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    if kind.move is not None:
        changes = kind.move(found, moving)
    else:
        changes = carry_together(kind.columns, moving, ids) + settle(kind, ids, moving)
    stayed = set(kind.records(moving.source, day).filter(pk__in=ids).values_list("pk", flat=True))
    record_passing(kind, [record for record in found if record.pk not in stayed], moving)
    return changes


def keep_changes(
    changes: Iterable[Change], *, merge: Merge | None = None, succession: Succession | None = None
) -> None:
    """Keep what a merge or a succession changed, so that it can be put back."""
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
