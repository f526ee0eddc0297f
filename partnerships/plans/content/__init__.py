"""The content of a plan, which is one dictionary.

A content has these entries:

    about        its title, summary, period and source
    outcomes     what the partners want to achieve
    sections     titled Markdown
    sites        places, each with its homes by tenure × bedrooms × needs type × year
    milestones   baseline, forecast, actual and status
    risks        likelihood × impact, mitigation, owner
    documents    attached files: title, name, type, size and fingerprint of a file kept beside the database

Every item has a stable `key`. A line of homes has none, because its combination identifies it. Code that does not
depend on plans is in the room `documents`.
"""

from __future__ import annotations

from partnerships.documents import Collection, Content, Field, InvalidContent, Item, Line, Problem, UnknownPiece
from partnerships.plans.content.homes import (
    bedrooms_in_words,
    homes_count,
    line_in_words,
    line_of,
    name_and_address,
    normalise_homes,
    total_homes,
)
from partnerships.plans.content.milestones import SETTLED, milestone_status
from partnerships.plans.content.pipeline import PipelineLine, pipeline_kind, pipeline_lines
from partnerships.plans.content.shape import (
    ABOUT,
    COLLECTION_BY_CODE,
    COLLECTIONS,
    DOCUMENTS,
    MILESTONES,
    OUTCOMES,
    PLAN,
    RISKS,
    SECTIONS,
    SITES,
)
from partnerships.plans.content.visibility import clean_up_milestones
from partnerships.plans.content.vocabulary import CONFIDENCE, MILESTONE_STATUSES, NEEDS, PLANNING_STATUSES, TENURES
from partnerships.plans.content.whole import (
    content_for_outside,
    empty_content,
    get_piece,
    normalise,
    period_problems,
    rebase,
    set_piece,
    split_piece,
)
from partnerships.plans.content.years import (
    FINANCIAL,
    YEAR_KINDS,
    kind_of_year,
    mixes_years,
    problem_with_year,
    year_kind,
    year_kinds,
    year_of_kind,
    year_problems,
)

__all__ = [
    "ABOUT",
    "COLLECTIONS",
    "COLLECTION_BY_CODE",
    "CONFIDENCE",
    "DOCUMENTS",
    "FINANCIAL",
    "MILESTONES",
    "MILESTONE_STATUSES",
    "NEEDS",
    "OUTCOMES",
    "PLAN",
    "PLANNING_STATUSES",
    "RISKS",
    "SECTIONS",
    "SETTLED",
    "SITES",
    "TENURES",
    "YEAR_KINDS",
    "Collection",
    "Content",
    "Field",
    "InvalidContent",
    "Item",
    "Line",
    "PipelineLine",
    "Problem",
    "UnknownPiece",
    "bedrooms_in_words",
    "clean_up_milestones",
    "content_for_outside",
    "empty_content",
    "get_piece",
    "homes_count",
    "kind_of_year",
    "line_in_words",
    "line_of",
    "milestone_status",
    "mixes_years",
    "name_and_address",
    "normalise",
    "normalise_homes",
    "period_problems",
    "pipeline_kind",
    "pipeline_lines",
    "problem_with_year",
    "rebase",
    "set_piece",
    "split_piece",
    "total_homes",
    "year_kind",
    "year_kinds",
    "year_of_kind",
    "year_problems",
]
