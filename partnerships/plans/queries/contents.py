"""Versions and drafts, and their contents as a person may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from partnerships.organisations.models import Area
from partnerships.organisations.statements import rows_for
from partnerships.organisations.stored_statements import planned_for_each_reader
from partnerships.people.models import User
from partnerships.plans.content import Content, content_for_outside, empty_content
from partnerships.plans.models import Draft, Plan, ReadingClass, Version, VersionQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def content_for_reader(content: Content, reader: ReadingClass | str) -> Content:
    """Return the content as readers of this class see it."""
    return content if reader == ReadingClass.INSIDE else content_for_outside(content)


def versions_for(user: User | AnonymousUser, plan: Plan | int) -> VersionQuerySet:
    """Return the versions of a plan that the person may read, newest first."""
    return Version.objects.visible_to(user).filter(plan=plan).order_by("-number")


def newest_version_for(user: User | AnonymousUser, plan: Plan) -> Version | None:
    """Return the newest version that the person may read; None if there is no such version."""
    return next(iter(rows_for(_newest_versions, user, plan.pk)), None)


@planned_for_each_reader
def _newest_versions(user: User | AnonymousUser, plan: int) -> QuerySet[Version]:
    return versions_for(user, plan).select_related("author")[:1]


def version_of(plan: Plan, number: int | None) -> Version | None:
    """Return the version with this number, or None. Callers have already checked the rights."""
    return plan.versions.filter(number=number).first() if number else None


def content_of(plan: Plan, number: int) -> Content:
    """Return the content of one version; empty for number 0."""
    version = version_of(plan, number)
    return version.content if version is not None else empty_content()


def draft_content(plan: Plan) -> Content:
    """Return the content of the draft, which is that of the newest version until the draft is changed."""
    draft = Draft.objects.filter(plan=plan).first()
    if draft is not None and draft.content is not None:
        content: Content = draft.content
        return content
    # Use the number in the draft: `plan` may have been read before the last publication, so its number may be old.
    return content_of(plan, draft.based_on if draft is not None else plan.current_number)


def area_names(*contents: Content) -> dict[str, str]:
    """Return the names of the areas in which the sites of these contents are, by GSS code."""
    codes = {site["area"] for content in contents for site in content["sites"]} - {""}
    return dict(Area.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
