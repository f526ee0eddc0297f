"""Fold the numbered changes of a subject into their net change, which is what differs between two moments.

For example, a date that moved from March to April and then to May becomes one line, "March to May". Digests fold all
changes after a reader's watermark. This module needs no database.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class FoldRule(enum.StrEnum):
    """How several changes of one target become lines."""

    #: One line for each field, from its first value before to its last value after.
    FIELDS = "fields"
    #: The change creates the target.
    CREATED = "created"
    #: The change removes the target.
    REMOVED = "removed"
    #: One line for the newest change of this kind.
    LAST = "last"
    #: One line for every change.
    EACH = "each"


#: The line about a new target never includes this field. A later change of the status gets a separate line.
STATUS = "status"
#: What a change is about: the kind and id of a record, and a text for the part of the record, or "". For example,
#: `("partnership", 1, "party 7")` is one party of partnership 1.
Target = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered change of a target.

    `before` and `after` are values by field. A step with the rule `FIELDS` but without values is folded as `LAST`.
    """

    number: int
    kind: str
    target: Target
    fold: FoldRule
    before: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    after: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of the fields with a value before or after, in order."""
        return tuple(dict.fromkeys((*self.before, *self.after)))


@dataclass(frozen=True, slots=True)
class NetChange:
    """One line of a net change, which sums up one or more steps.

    A line with a `field` says that this field changed from `before` to `after`. A line without a field says that
    `kind` happened, and `values` are the final values of its fields. `numbers` are the numbers of the steps, in order,
    and `kind` is the kind of the last step.
    """

    target: Target
    kind: str
    numbers: tuple[int, ...]
    field: str = ""
    before: Any = None
    after: Any = None
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def moves(self) -> int:
        """Return how many steps the line sums up."""
        return len(self.numbers)


def fold_steps(steps: Iterable[Step]) -> list[NetChange]:
    """Return the net change of these steps, in the order of each line's last step.

    * A field that returned to its first value has no line.
    * A target that was created has one line with its values at the end.
    * A target that was removed has one line, and one line for each step with the rule `EACH`.
    * A target that was created and removed again has no line.
    * A target that was removed and created again has lines for the fields that differ.
    """
    steps_by_target: dict[Target, list[Step]] = {}
    for step in steps:
        steps_by_target.setdefault(step.target, []).append(step)
    lines = [line for target_steps in steps_by_target.values() for line in _fold_steps_of_target(target_steps)]
    return sorted(lines, key=lambda line: (line.numbers[-1], line.field))


def _fold_steps_of_target(steps: list[Step]) -> Iterator[NetChange]:
    """Yield the lines of one target, depending on whether it existed before the first step and exists after the last.

    A target that is neither created nor removed by these steps existed before and exists after.
    """
    turning_points = [step for step in steps if step.fold in (FoldRule.CREATED, FoldRule.REMOVED)]
    existed_before = not turning_points or turning_points[0].fold == FoldRule.REMOVED
    exists_after = not turning_points or turning_points[-1].fold == FoldRule.CREATED
    if existed_before and exists_after:
        yield from _fold_existing_target(steps)
    elif existed_before:
        yield _event_line(turning_points[-1:])
        yield from (_event_line([step]) for step in steps if step.fold == FoldRule.EACH)
    elif exists_after:
        yield from _fold_new_target(turning_points[-1], steps)


def _fold_new_target(creation: Step, steps: list[Step]) -> Iterator[NetChange]:
    """Yield one line for the creation of a target, with its final values, then the lines of the later steps."""
    later_steps = [step for step in steps if step.number > creation.number]
    created_fields = frozenset(creation.fields) - {STATUS}
    final_values = dict(creation.after)
    step_numbers = [creation.number]
    for step in later_steps:
        if step.fold == FoldRule.FIELDS and not created_fields.isdisjoint(step.fields):
            final_values.update({name: step.after.get(name) for name in step.fields if name in created_fields})
            step_numbers.append(step.number)
    yield NetChange(creation.target, creation.kind, tuple(step_numbers), values=final_values)
    yield from _fold_existing_target(later_steps, without_fields=created_fields)


def _fold_existing_target(steps: list[Step], without_fields: frozenset[str] = frozenset()) -> Iterator[NetChange]:
    """Yield the lines of a target that exists before and after these steps.

    Fields in `without_fields` get no line, because the line about the creation of the target has their values.
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
                target=last_step.target,
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
    return NetChange(newest_step.target, newest_step.kind, tuple(step.number for step in steps), values=values)
