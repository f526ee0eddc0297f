"""Read and change the content of a plan, whole or piece by piece."""

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
    """Return the content of a plan, checked and normalised. Raises `InvalidContent` with every problem found.

    Items that are equal to items of `valid`, a content that has been normalised before, are not checked again.
    """
    return documents.normalise(PLAN, raw, valid)


def split_piece(piece: str) -> tuple[str, str]:
    """Return the two parts of a piece's name, such as "sites" and "north-quay". Raises `UnknownPiece`."""
    return documents.split_piece(PLAN, piece)


def get_piece(content: Content, piece: str) -> Any:
    """Return the value of a piece, such as the item "sites/north-quay"; None if there is no such item.

    Raises `UnknownPiece`.
    """
    return documents.get_piece(PLAN, content, piece)


def set_piece(content: Content, piece: str, value: Any) -> Content:
    """Return a copy of the content with one piece added, replaced or, if the value is None, removed.

    Raises `InvalidContent` and `UnknownPiece`.
    """
    return documents.set_piece(PLAN, content, piece, value)


def rebase(draft: Content, old_base: Content, new_base: Content) -> Content:
    """Return the content of a newer version with the changes that the draft made to its old version."""
    return documents.rebase(PLAN, draft, old_base, new_base)


def content_for_outside(content: Content) -> Content:
    """Return the content that readers outside may see, without confidential sites and restricted text.

    Milestones of confidential sites are left out too. So are milestones of a site that is no longer in the plan,
    because it may have been confidential.
    """
    visible = documents.without_hidden(PLAN, content)
    visible_site_keys = {"", *(site["key"] for site in visible["sites"])}
    visible["milestones"] = [milestone for milestone in visible["milestones"] if milestone["site"] in visible_site_keys]
    return visible


def period_problems(about: Item) -> list[Problem]:
    """Return a problem if the period ends before it begins, else an empty list.

    `normalise` does not check the period, because some older plans and files that it reads have such periods.
    """
    start, end = about["period_start"], about["period_end"]
    if start and end and PartialDate.parse(end).latest < PartialDate.parse(start).earliest:
        first_day = PartialDate.parse(start).words
        return [Problem("about/period_end", f"“Period to” must not be before {first_day}, when the period begins.")]
    return []
