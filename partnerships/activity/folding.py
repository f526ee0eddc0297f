"""The net change between two numbers of a subject."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class Fold(enum.StrEnum):
    """How several changes of one object become one line."""

    #: Each field: the first value before and the last value after.
    FIELDS = "fields"
    #: The object begins to exist.
    CREATED = "created"
    #: The object is gone.
    REMOVED = "removed"
    #: Only the newest of this kind.
    LAST = "last"
    #: Every one of them.
    EACH = "each"


#: A field never told with the creation of a thing: its changes have a line of their own.
STATUS = "status"
#: What a change is about: kind and id of the record, and what tells apart several objects of one record.
Thing = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered change, as folding sees it.

    `before` and `after` are values by field. A change of `Fold.FIELDS` without either counts as `Fold.LAST`.
    """

    number: int
    kind: str
    thing: Thing
    fold: Fold
    before: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    after: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields whose values this step names, in order."""
        return tuple(dict.fromkeys((*self.before, *self.after)))


@dataclass(frozen=True, slots=True)
class NetChange:
    """One line of a net change.

    With a `field`: its value `before` and `after`, and in how many `moves` it changed. Without: `kind` happened, and
    `values` are those of the fields that came with it, as they are at the end. `numbers` are the changes it sums up,
    in order; `kind` is that of the last.
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
        """How many changes it sums up."""
        return len(self.numbers)


def fold(steps: Iterable[Step]) -> list[NetChange]:
    """The net change of these steps, in the order of each line's last step.

    Left out: fields that returned to their first value, and things that were created and removed in between. A thing
    that was created is one line with its values at the end; one that was removed is one line, besides what is told
    each time it happens; one that was removed and came back is told through the fields that differ.
    """
    by_thing: dict[Thing, list[Step]] = {}
    for step in steps:
        by_thing.setdefault(step.thing, []).append(step)
    lines = [line for history in by_thing.values() for line in _fold_thing(history)]
    return sorted(lines, key=lambda line: (line.numbers[-1], line.field))


def _fold_thing(history: list[Step]) -> Iterator[NetChange]:
    """The net changes of one thing: none if it came and went, its end, or its values now."""
    turns = [step for step in history if step.fold in (Fold.CREATED, Fold.REMOVED)]
    was_there = not turns or turns[0].fold == Fold.REMOVED
    is_there = turns[-1].fold == Fold.CREATED if turns else True
    if not was_there and not is_there:
        return
    if not is_there:
        yield _happened(turns[-1:])
        yield from (_happened([step]) for step in history if step.fold == Fold.EACH)
        return
    if not was_there:
        created = turns[-1]
        history = [step for step in history if step.number > created.number]
        known = frozenset(created.fields) - {STATUS}
        own = [step for step in history if step.fold == Fold.FIELDS and known & set(step.fields)]
        values = dict(created.after)
        for step in own:
            values.update({name: step.after.get(name) for name in step.fields if name in known})
        yield NetChange(created.thing, created.kind, (created.number, *(step.number for step in own)), values=values)
        yield from _fold_present(history, known=known)
        return
    yield from _fold_present(history)


def _fold_present(history: list[Step], known: frozenset[str] = frozenset()) -> Iterator[NetChange]:
    """Lines of a thing that is there before and after.

    `known` fields were told with its creation.
    """
    moved: dict[str, list[Step]] = {}
    last: dict[str, list[Step]] = {}
    for step in history:
        if step.fold == Fold.EACH:
            yield _happened([step])
        elif step.fold == Fold.LAST or (step.fold == Fold.FIELDS and not step.fields):
            last.setdefault(step.kind, []).append(step)
        else:
            for name in step.fields:
                if name not in known and step.before.get(name) != step.after.get(name):
                    moved.setdefault(name, []).append(step)
    yield from (_happened(steps) for steps in last.values())
    for name, steps in moved.items():
        before, after = steps[0].before.get(name), steps[-1].after.get(name)
        if before != after:
            numbers = tuple(step.number for step in steps)
            yield NetChange(
                thing=steps[-1].thing, kind=steps[-1].kind, numbers=numbers, field=name, before=before, after=after
            )


def _happened(steps: list[Step]) -> NetChange:
    newest = steps[-1]
    values = dict(newest.after or newest.before)
    return NetChange(newest.thing, newest.kind, tuple(step.number for step in steps), values=values)
