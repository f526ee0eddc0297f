"""Fold the numbered changes of a subject into their net change: the differences between two moments, line by line.

Digests fold every change between a reader's watermark and now. This module needs no database.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class FoldRule(enum.StrEnum):
    """How several changes of one thing become lines.

    A "thing" is what a change is about: see `Thing`.
    """

    #: One line for each field, from its first value before to its last value after.
    FIELDS = "fields"
    #: The change creates the thing.
    CREATED = "created"
    #: The change removes the thing.
    REMOVED = "removed"
    #: One line for the newest change of this kind.
    LAST = "last"
    #: One line for every change.
    EACH = "each"


#: The one field that is never in the line about a new thing, because changes of the status have lines of their own.
STATUS = "status"
#: The object of a change: the kind and id of a record, and a text that distinguishes several things of one record.
Thing = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered change of a thing.

    `before` and `after` are values by field. A change of `Fold.FIELDS` without any values counts as `Fold.LAST`.
    """

    number: int
    kind: str
    thing: Thing
    fold: FoldRule
    before: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    after: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of the fields with a value before or after, in order."""
        return tuple(dict.fromkeys((*self.before, *self.after)))


@dataclass(frozen=True, slots=True)
class NetChange:
    """One line of a net change.

    A line about a `field` has the value `before` and `after`. A line without a field says that `kind` happened; its
    `values` are the final values of the fields that were part of the change. `numbers` are the numbers of the changes
    that the line sums up, in order; `kind` is the kind of the last change.
    """

    thing: Thing
    kind: str
    numbers: tuple[int, ...]
    field: str = ""
    before: Any = None
    after: Any = None
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def moves(self) -> int:
        """Return how many changes the line sums up."""
        return len(self.numbers)


def fold_steps(steps: Iterable[Step]) -> list[NetChange]:
    """Return the net change of these steps, in the order of each line's last step.

    * A field that returned to its first value has no line.
    * A thing that was created has one line with its values at the end.
    * A thing that was removed has one line, and one line for each step of `Fold.EACH`.
    * A thing that was created and removed again has no line.
    * A thing that was removed and created again has lines for the fields that differ.
    """
    steps_by_thing: dict[Thing, list[Step]] = {}
    for step in steps:
        steps_by_thing.setdefault(step.thing, []).append(step)
    lines = [line for thing_steps in steps_by_thing.values() for line in _fold_steps_of_thing(thing_steps)]
    return sorted(lines, key=lambda line: (line.numbers[-1], line.field))


def _fold_steps_of_thing(steps: list[Step]) -> Iterator[NetChange]:
    """Yield the lines of one thing, depending on whether it existed before the first step and exists after the last."""
    turning_points = [step for step in steps if step.fold in (FoldRule.CREATED, FoldRule.REMOVED)]
    existed_before = not turning_points or turning_points[0].fold == FoldRule.REMOVED
    exists_after = not turning_points or turning_points[-1].fold == FoldRule.CREATED
    if existed_before and exists_after:
        yield from _fold_existing_thing(steps)
    elif existed_before:
        yield _event_line(turning_points[-1:])
        yield from (_event_line([step]) for step in steps if step.fold == FoldRule.EACH)
    elif exists_after:
        yield from _fold_new_thing(turning_points[-1], steps)


def _fold_new_thing(creation: Step, steps: list[Step]) -> Iterator[NetChange]:
    """Yield the lines of a new thing: one line for its creation with the final values, and the lines of later steps."""
    later_steps = [step for step in steps if step.number > creation.number]
    created_fields = frozenset(creation.fields) - {STATUS}
    values = dict(creation.after)
    numbers = [creation.number]
    for step in later_steps:
        if step.fold == FoldRule.FIELDS and not created_fields.isdisjoint(step.fields):
            values.update({name: step.after.get(name) for name in step.fields if name in created_fields})
            numbers.append(step.number)
    yield NetChange(creation.thing, creation.kind, tuple(numbers), values=values)
    yield from _fold_existing_thing(later_steps, without_fields=created_fields)


def _fold_existing_thing(steps: list[Step], without_fields: frozenset[str] = frozenset()) -> Iterator[NetChange]:
    """Yield the lines of a thing that exists before and after.

    Fields in `without_fields` get no line, because the line about the creation of the thing has their values.
    """
    steps_by_field: dict[str, list[Step]] = {}
    steps_by_kind: dict[str, list[Step]] = {}
    for step in steps:
        if step.fold == FoldRule.EACH:
            yield _event_line([step])
        elif step.fold == FoldRule.LAST or (step.fold == FoldRule.FIELDS and not step.fields):
            steps_by_kind.setdefault(step.kind, []).append(step)
        else:
            for name in step.fields:
                if name not in without_fields and step.before.get(name) != step.after.get(name):
                    steps_by_field.setdefault(name, []).append(step)
    yield from (_event_line(kind_steps) for kind_steps in steps_by_kind.values())
    for name, field_steps in steps_by_field.items():
        first_step, last_step = field_steps[0], field_steps[-1]
        before, after = first_step.before.get(name), last_step.after.get(name)
        if before != after:
            yield NetChange(
                thing=last_step.thing,
                kind=last_step.kind,
                numbers=tuple(step.number for step in field_steps),
                field=name,
                before=before,
                after=after,
            )


def _event_line(steps: list[Step]) -> NetChange:
    """Return one line for these steps of one kind, with the values of the newest."""
    newest_step = steps[-1]
    values = dict(newest_step.after or newest_step.before)
    return NetChange(newest_step.thing, newest_step.kind, tuple(step.number for step in steps), values=values)
