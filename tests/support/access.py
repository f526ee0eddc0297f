"""The access table, which has the status that each persona gets from each method of each URL.

Each room keeps its rows in tests/<room>/access.py:

    def prepare(world: World) -> None:            # optional: more records, made through services
        world.things["plan"] = create_plan(...)

    ROWS = (
        Row("plans:list", get=expect(inside=200, outside=200)),
        Row("plans:detail", on=lambda world: {"pk": world.things["plan"].pk}, get=expect(inside=200, outside=404)),
        Row("plans:publish", on=..., get=expect(inside=403, outside=404, lead=200), post=expect(inside=403,
        outside=404, lead=422)),
    )

`expect` gives the status for each persona. By default, people who are signed out are sent to sign in (302). So is the
stakeholder, who has opened the links of an email but has no account. `inside` are the people of Larkhaven and its
partner (viewer, editor, lead, partner). `outside` is everybody else who is signed in. Name a persona to give another
status. A method without an expectation must answer 405 to everyone signed in. POST is sent empty (or with `data`), so
that a person who may use it gets 422 or 302.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.world import World

SIGNED_OUT = "signed_out"
#: A person who has opened the links of a digest, but has no account.
STAKEHOLDER = "stakeholder"
WITHOUT_ACCOUNT = (SIGNED_OUT, STAKEHOLDER)
INSIDE = ("viewer", "editor", "lead", "partner")
OUTSIDE = ("stranger", "left", "shared", "share_ended", "administrator")
PERSONAS = (*WITHOUT_ACCOUNT, *INSIDE, *OUTSIDE)

#: The world's person for each persona.
WHO = {
    "viewer": "vera",
    "editor": "eddie",
    "lead": "amina",
    "partner": "ben",
    "stranger": "chidi",
    "left": "lena",
    "shared": "nadia",
    "share_ended": "oscar",
    "administrator": "dee",
}

Expected = Mapping[str, int]


def expect(*, inside: int, outside: int, signed_out: int = 302, **individual: int) -> Expected:
    """Return the status for every persona. `individual` has the personas that differ from the others of their side."""
    unknown = set(individual) - set(PERSONAS)
    if unknown:
        raise ValueError(f"No such persona: {', '.join(sorted(unknown))}")
    statuses = dict.fromkeys(WITHOUT_ACCOUNT, signed_out)
    statuses |= dict.fromkeys(INSIDE, inside)
    statuses |= dict.fromkeys(OUTSIDE, outside)
    return statuses | individual


def everyone(status: int = 200, signed_out: int = 302) -> Expected:
    """Return the same status for everyone signed in."""
    return expect(inside=status, outside=status, signed_out=signed_out)


def public(status: int = 200) -> Expected:
    """Return the same status for everyone, signed in or out."""
    return expect(inside=status, outside=status, signed_out=status)


def _nothing(world: World) -> dict[str, Any]:
    """Return no keyword arguments and no data."""
    return {}


@dataclass(frozen=True)
class Row:
    """The statuses of a URL by persona. `case` distinguishes several rows of one URL."""

    name: str
    get: Expected | None = None
    post: Expected | None = None
    on: Callable[[World], dict[str, Any]] = _nothing
    data: Callable[[World], dict[str, Any]] = field(default=_nothing)
    query: str = ""
    case: str = ""
    #: Other methods with an answer, such as OPTIONS of addresses that scripts of other sites may call.
    also: Mapping[str, Expected] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Return the name of the row in tests and in recorded counts."""
        return " ".join(filter(None, (f"{self.name}{self.query}", self.case)))

    @property
    def expectations(self) -> dict[str, Expected]:
        """Return the expectations by method. Other methods must answer 405."""
        return {
            method: expected for method, expected in (("get", self.get), ("post", self.post)) if expected is not None
        }
