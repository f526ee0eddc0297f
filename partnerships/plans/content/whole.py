"""Whole plans and their pieces.

Each function calls the function of the same purpose in `documents`, with the schema of a plan.
"""

from __future__ import annotations

from typing import Any

from partnerships import documents
from partnerships.documents import Content, Item, Problem
from partnerships.kit.dates import PartialDate
from partnerships.plans.content.shape import PLAN


def empty_content() -> Content:
    """Return the content of a new plan, with every field empty."""
    return normalise({})


def normalise(raw: Any, valid: Content | None = None) -> Content:
    """Return a whole plan, checked and normalised; see `documents.normalise`. Raises `InvalidContent`."""
    return documents.normalise(PLAN, raw, valid)


def split_piece(piece: str) -> tuple[str, str]:
    """Split "sites/north-quay" into ("sites", "north-quay"). Raises `UnknownPiece`."""
    return documents.split_piece(PLAN, piece)


def get_piece(content: Content, piece: str) -> Any:
    """Return one piece of a plan, or None; see `documents.get_piece`."""
    return documents.get_piece(PLAN, content, piece)


def set_piece(content: Content, piece: str, value: Any) -> Content:
    """Return the plan with one piece replaced; see `documents.set_piece`.

    Raises `InvalidContent` and `UnknownPiece`.
    """
    return documents.set_piece(PLAN, content, piece, value)


def rebase(draft: Content, old_base: Content, new_base: Content) -> Content:
    """Return the draft on a newer version, with what changed since its old version; see `documents.rebase`."""
    return documents.rebase(PLAN, draft, old_base, new_base)


def content_for_outside(content: Content) -> Content:
    """Return the content that readers outside may see: without confidential sites and restricted text.

    Milestones of confidential sites are left out too, and milestones whose site is missing, because the missing site
    may have been confidential.
    """
    visible = documents.without_hidden(PLAN, content)
    visible_site_keys = {"", *(site["key"] for site in visible["sites"])}
    visible["milestones"] = [milestone for milestone in visible["milestones"] if milestone["site"] in visible_site_keys]
    return visible


def period_problems(about: Item) -> list[Problem]:
    """Return a problem if the period ends before it begins, else an empty list.

    `normalise` does not check the period, because some published plans and files have such periods and must stay
    readable.
    """
    start, end = about["period_start"], about["period_end"]
    if start and end and PartialDate.parse(end).latest < PartialDate.parse(start).earliest:
        first_day = PartialDate.parse(start).words
        return [Problem("about/period_end", f"“Period to” must not be before {first_day}, when the period begins.")]
    return []
