"""The network while it is loaded.

The objects that exist and the dated steps to replay.
"""

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

#: An object of the file, checked.
Item = dict[str, Any]


@dataclass(order=True)
class Step:
    """An event at a moment; events of one moment keep the file's order."""

    at: dt.datetime
    order: int
    path: str = field(compare=False)
    play: Callable[[dt.datetime], None] = field(compare=False)


@dataclass
class Network:
    """What is loaded, by the file's keys, and the steps still to replay."""

    file: dict[str, Any]
    now: dt.datetime
    author: User | None
    demo: bool
    areas: dict[str, Area] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    _orders: Iterator[int] = field(default_factory=count)

    @property
    def begins(self) -> dt.datetime:
        """When the network began: the age of its organisations and people."""
        begins: dt.datetime | None = self.file["begins"]
        return begins or self.now

    def by(self, key: str) -> User:
        """The person who acts; services check their rights. Raises `UnableToLoad` if the file names nobody."""
        if not key:
            raise UnableToLoad("it does not say who did this.", "Add “by” with the key of a person.")
        return self.people[key]

    def bodies(self, keys: list[str]) -> list[Organisation]:
        """Organisations of the file."""
        return [self.organisations[key] for key in keys]

    def keep(self, kind: str, key: str, made: Any) -> None:
        """Store the object that a key of the file became."""
        self.made.setdefault(kind, {})[key] = made

    def found(self, kind: str, key: str, *, state: str = "there") -> Any:
        """The object that a key of the file became.

        Raises `UnableToLoad` if it is not in that state yet at this moment.
        """
        try:
            return self.made[kind][key]
        except KeyError:
            raise UnableToLoad(
                f"“{key.partition('/')[0]}” of “{kind}” is not {state} yet at this point.", "Give it a later date."
            ) from None

    def then(self, at: dt.datetime, path: str, play: Callable[[dt.datetime], None]) -> None:
        """Replay this at its moment."""
        heapq.heappush(self.steps, Step(at, next(self._orders), path, play))


class UnableToLoad(Exception):
    """An entry in the file is not possible; says the problem and remedy."""

    def __init__(self, found: str, remedy: str) -> None:
        self.found, self.remedy = found, remedy
        super().__init__(f"{found} {remedy}")


@contextmanager
def at(path: str) -> Iterator[None]:
    """Add the place in the file to what a service refuses."""
    try:
        yield
    except UnableToLoad as error:
        raise UnableToRead([Problem(None, "", error.found, error.remedy, path=path)]) from error
    except UnableToRead:
        raise
    except ValidationError as error:
        raise UnableToRead([Problem(None, "", " ".join(error.messages), "Correct it.", path=path)]) from error
    except (DataError, IntegrityError) as error:
        found = str(error).splitlines()[0]
        raise UnableToRead([Problem(None, "", f"it cannot be stored: {found}.", "Correct it.", path=path)]) from error
    except Exception as error:
        # Services refuse with exceptions named UnableTo…; anything else is a bug.
        if not type(error).__name__.startswith("Unable"):
            raise
        raise UnableToRead([Problem(None, "", str(error), "Correct it, or its date.", path=path)]) from error
