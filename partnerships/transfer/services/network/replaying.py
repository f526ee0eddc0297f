"""A network while it is loaded, with the objects created so far and the events still to replay."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError

from partnerships.organisations.models import Area, Organisation
from partnerships.people.models import User
from partnerships.transfer.reading.problems import Problem, UnableToRead

#: A checked object of the file. Replayed events may add what they created, such as its primary key.
Item = dict[str, Any]


@dataclass(order=True)
class Step:
    """A call of a service at a moment in the past. Steps of the same moment run in the order of the file."""

    at: dt.datetime
    order: int
    path: str = field(compare=False)
    play: Callable[[dt.datetime], None] = field(compare=False)


@dataclass
class Network:
    """The objects loaded so far, by their keys in the file, and the steps still to replay."""

    file: dict[str, Any]
    now: dt.datetime
    author: User | None
    demo: bool
    areas: dict[str, Area] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    _orders: Iterator[int] = field(default_factory=count)

    @property
    def begins(self) -> dt.datetime:
        """When the organisations and people are created. Without a date in the file, this is the moment of loading."""
        begins: dt.datetime | None = self.file["begins"]
        return begins or self.now

    def actor(self, key: str) -> User:
        """Return the person who takes a step. The called service checks the person's rights.

        Raises `UnableToLoad` if the file names nobody.
        """
        if not key:
            raise UnableToLoad("the entry does not say who did this.", "Add “by” with the key of a person.")
        return self.people[key]

    def organisations_for(self, keys: list[str]) -> list[Organisation]:
        """Return the organisations with these keys, in the same order."""
        return [self.organisations[key] for key in keys]

    def remember(self, kind: str, key: str, created: Any) -> None:
        """Save the object that was created for a key of the file, for steps that refer to it."""
        self.objects.setdefault(kind, {})[key] = created

    def recall(self, kind: str, key: str, *, state: str = "there") -> Any:
        """Return the object that was created for a key of the file.

        Raises `UnableToLoad` if the object does not exist yet at this moment; `state` is a word in that message, such
        as “open”.
        """
        try:
            return self.objects[kind][key]
        except KeyError:
            raise UnableToLoad(
                f"“{key.partition('/')[0]}” of “{kind}” is not {state} yet on this date.", "Enter a later date."
            ) from None

    def schedule(self, at: dt.datetime, path: str, play: Callable[[dt.datetime], None]) -> None:
        """Add a step. `path` is the event's path in the file, for messages."""
        heapq.heappush(self.steps, Step(at, next(self._orders), path, play))


class UnableToLoad(Exception):
    """Raised if an entry of the file cannot be loaded. It says what is wrong and what to do."""

    def __init__(self, fault: str, remedy: str) -> None:
        self.fault, self.remedy = fault, remedy
        super().__init__(f"{fault} {remedy}")


@contextmanager
def errors_at(path: str) -> Iterator[None]:
    """Turn the refusal of a service into `UnableToRead`, with this path in the file."""
    try:
        yield
    except UnableToLoad as error:
        raise UnableToRead([Problem(None, "", error.fault, error.remedy, path=path)]) from error
    except UnableToRead:
        raise
    except ValidationError as error:
        raise UnableToRead([Problem(None, "", " ".join(error.messages), "Correct this value.", path=path)]) from error
    except (DataError, IntegrityError) as error:
        fault = str(error).splitlines()[0]
        raise UnableToRead(
            [Problem(None, "", f"we cannot store this entry: {fault}.", "Correct the entry.", path=path)]
        ) from error
    except Exception as error:
        # Services refuse with exceptions named UnableTo…. Any other exception is a bug.
        if not type(error).__name__.startswith("Unable"):
            raise
        raise UnableToRead(
            [Problem(None, "", str(error), "Correct this entry of the file, or its date.", path=path)]
        ) from error
