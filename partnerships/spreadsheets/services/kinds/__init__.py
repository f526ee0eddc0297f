"""The kinds of spreadsheets, by code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from partnerships.spreadsheets.services.kinds.base import Exported, Run, SheetKind, Target
from partnerships.spreadsheets.services.kinds.homes import HOMES
from partnerships.spreadsheets.services.kinds.milestones import MILESTONES
from partnerships.spreadsheets.services.kinds.sites import SITES

__all__ = ["KINDS", "Exported", "Run", "SheetKind", "Target", "kinds_of"]

KINDS: Mapping[str, SheetKind] = MappingProxyType({kind.code: kind for kind in (SITES, HOMES, MILESTONES)})
#: Which kinds each record has.
_OF_PLAN = (SITES, HOMES, MILESTONES)


def kinds_of(target: Target) -> tuple[SheetKind, ...]:
    """The kinds of spreadsheets that a record has."""
    return _OF_PLAN if target.plan is not None else ()
