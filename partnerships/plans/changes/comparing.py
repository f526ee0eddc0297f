"""Find, apply and count the changes between two contents of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from partnerships import documents
from partnerships.documents import Change, Names
from partnerships.plans.content import PLAN, SITES, Content

NO_AREAS: Mapping[str, str] = MappingProxyType({})


def changes_between(a: Content, b: Content, areas: Mapping[str, str] = NO_AREAS) -> tuple[Change, ...]:
    """Return the changes that turn content `a` into content `b`, in the order of reading.

    `areas` are the names of areas by GSS code, which the wording of the changes uses.
    """
    return documents.changes(PLAN, a, b, {"area": areas})


def apply_changes(plan_changes: Iterable[Change], a: Content) -> Content:
    """Return content `a` with the changes applied, which is `b` if they are the changes between `a` and `b`."""
    return documents.apply(PLAN, plan_changes, a)


def homes_difference(plan_changes: Iterable[Change]) -> int:
    """Return how many homes the changes add, less those that they remove.

    Homes of added and removed sites are included.
    """
    return documents.count_difference(plan_changes, SITES)


def names_of_contents(*contents: Content, areas: Mapping[str, str] = NO_AREAS) -> Names:
    """Return the names of the sites in these contents, and of areas by GSS code."""
    return Names(PLAN, *contents, registers={"area": areas})
