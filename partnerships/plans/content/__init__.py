"""What a plan says, as one JSON value: its shape, how it is made regular, and what outsiders may read of it.

A content is a plain dictionary, regular after `normalise`: every field present, in one order, in one spelling, so
that two contents are equal exactly when `==` says so. It holds

    about        its title, what it is for, its period and its source
    outcomes     what the partners want to see
    sections     titled Markdown
    sites        places, each with its homes by tenure × bedrooms × needs type × year
    milestones   baseline, forecast, actual and status
    risks        likelihood × impact, mitigation, owner
    documents    what is attached: title, name, type, size and fingerprint of a file kept beside the database

Every item but a line of homes has a stable `key`; a line of homes is known by its combination. A piece is the unit
that people edit and that conflicts are about: "about", "sites/north-quay", or "order/sections" for the order of a list.
"""

from __future__ import annotations

from partnerships.plans.content.homes import (
    Line,
    homes_count,
    homes_item,
    line_of,
    line_order,
    normalise_homes,
    total_homes,
)
from partnerships.plans.content.pieces import UnknownPiece, get_piece, set_piece, split_piece
from partnerships.plans.content.shape import (
    ABOUT,
    ABOUT_BY_CODE,
    COLLECTION_BY_CODE,
    COLLECTIONS,
    CONFIDENCE,
    DOCUMENTS,
    MILESTONE_STATUSES,
    MILESTONES,
    NEEDS,
    OUTCOMES,
    PLANNING_STATUSES,
    RISKS,
    SCALE,
    SECTIONS,
    SITES,
    TENURES,
    Choices,
    Collection,
    Content,
    Field,
    Item,
)
from partnerships.plans.content.values import InvalidContent, Problem, read_field
from partnerships.plans.content.whole import (
    KEY,
    MAX_ITEMS,
    empty,
    key_for,
    normalise,
    normalise_about,
    normalise_item,
    outside,
    period_fault,
    settle_milestones,
)

__all__ = [
    "ABOUT",
    "ABOUT_BY_CODE",
    "COLLECTIONS",
    "COLLECTION_BY_CODE",
    "CONFIDENCE",
    "DOCUMENTS",
    "KEY",
    "MAX_ITEMS",
    "MILESTONES",
    "MILESTONE_STATUSES",
    "NEEDS",
    "OUTCOMES",
    "PLANNING_STATUSES",
    "RISKS",
    "SCALE",
    "SECTIONS",
    "SITES",
    "TENURES",
    "Choices",
    "Collection",
    "Content",
    "Field",
    "InvalidContent",
    "Item",
    "Line",
    "Problem",
    "UnknownPiece",
    "empty",
    "get_piece",
    "homes_count",
    "homes_item",
    "key_for",
    "line_of",
    "line_order",
    "normalise",
    "normalise_about",
    "normalise_homes",
    "normalise_item",
    "outside",
    "period_fault",
    "read_field",
    "set_piece",
    "settle_milestones",
    "split_piece",
    "total_homes",
]
