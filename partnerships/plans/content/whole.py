"""Whole plans and their pieces.

Each function is that of `documents` with the schema of a plan.
"""

from __future__ import annotations

from typing import Any

from partnerships import documents
from partnerships.documents import Content, Item, Problem
from partnerships.kit.dates import PartialDate
from partnerships.plans.content.shape import PLAN


def empty() -> Content:
    """A plan in which nothing is written yet."""
    return normalise({})


def normalise(raw: Any, known: Content | None = None) -> Content:
    """A whole plan, checked and normalised; see `documents.normalise`. Raises `InvalidContent`."""
    return documents.normalise(PLAN, raw, known)


def split_piece(piece: str) -> tuple[str, str]:
    """Split "sites/north-quay" into ("sites", "north-quay"). Raises `UnknownPiece`."""
    return documents.split_piece(PLAN, piece)


def get_piece(content: Content, piece: str) -> Any:
    """One piece of a plan, or None; see `documents.get_piece`."""
    return documents.get_piece(PLAN, content, piece)


def set_piece(content: Content, piece: str, value: Any) -> Content:
    """The plan with one piece replaced; see `documents.set_piece`. Raises `InvalidContent` and `UnknownPiece`."""
    return documents.set_piece(PLAN, content, piece, value)


def rebase(draft: Content, was: Content, now: Content) -> Content:
    """The draft, which was begun from version `was`, with the changes that version `now` made since.

    See `documents.rebase`.
    """
    return documents.rebase(PLAN, draft, was, now)


def outside(content: Content) -> Content:
    """What readers of class outside see.

    No confidential site, nothing about one, and no restricted text. A milestone whose site is missing is hidden too:
    the site may have been confidential.
    """
    visible = documents.without_hidden(PLAN, content)
    visible_site_keys = {"", *(site["key"] for site in visible["sites"])}
    visible["milestones"] = [milestone for milestone in visible["milestones"] if milestone["site"] in visible_site_keys]
    return visible


def period_problems(about: Item) -> list[Problem]:
    """The problem with a plan's period, if any.

    It must not end before it begins. Not part of `normalise`: published plans and files hold such periods, and must
    stay readable.
    """
    start, end = about["period_start"], about["period_end"]
    if start and end and PartialDate.parse(end).latest < PartialDate.parse(start).earliest:
        first = PartialDate.parse(start).words
        return [Problem("about/period_end", f"“Period to” must not be before {first}, when the period begins.")]
    return []
