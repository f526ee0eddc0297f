"""The kinds of spreadsheets, by code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from partnerships.spreadsheets.services.kinds.base import Exported, ImportedRows, SheetKind, Target
from partnerships.spreadsheets.services.kinds.commitments import COMMITMENTS
from partnerships.spreadsheets.services.kinds.contacts import CONTACTS
from partnerships.spreadsheets.services.kinds.entries import ENTRIES
from partnerships.spreadsheets.services.kinds.homes import HOMES
from partnerships.spreadsheets.services.kinds.milestones import MILESTONES
from partnerships.spreadsheets.services.kinds.recommendations import RECOMMENDATIONS
from partnerships.spreadsheets.services.kinds.sites import SITES
from partnerships.spreadsheets.services.kinds.stakeholders import STAKEHOLDERS

__all__ = ["KINDS", "Exported", "ImportedRows", "SheetKind", "Target", "kinds_of"]

#: The kinds of spreadsheet for each kind of record.
_OF_PLAN = (SITES, HOMES, MILESTONES, STAKEHOLDERS)
_OF_PARTNERSHIP = (COMMITMENTS, ENTRIES, CONTACTS, STAKEHOLDERS)
_OF_ORGANISATION = (CONTACTS, RECOMMENDATIONS)
KINDS: Mapping[str, SheetKind] = MappingProxyType(
    {kind.code: kind for kind in (*_OF_PLAN, *_OF_PARTNERSHIP, *_OF_ORGANISATION)}
)


def kinds_of(target: Target) -> tuple[SheetKind, ...]:
    """Return the kinds of spreadsheets that a record has."""
    if target.plan is not None:
        return _OF_PLAN
    return _OF_PARTNERSHIP if target.partnership is not None else _OF_ORGANISATION
