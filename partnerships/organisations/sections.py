"""What rooms above add to an organisation's page: they register a section at start-up, the page asks each for its
part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from partnerships.organisations.models import Organisation
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Section:
    """A template to include on the page, and what it shows: already limited to what the reader may see."""

    template: str
    context: dict[str, Any]


#: From the reader and the organisation to a section, or None where there is nothing to show.
Build = Callable[[User, Organisation], Section | None]
_builders: dict[str, Build] = {}


def register_section(name: str, build: Build) -> None:
    """Add a part to every organisation's page; parts stand in the order of their names."""
    _builders[name] = build


def sections_for(user: User, organisation: Organisation) -> list[Section]:
    """The parts that have something to show to this reader."""
    built = (_builders[name](user, organisation) for name in sorted(_builders))
    return [section for section in built if section is not None]
