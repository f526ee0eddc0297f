"""Versions and drafts, and their contents as a person may read them."""

from __future__ import annotations

from collections.abc import Iterable
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


def visible_versions(user: User, plans: Iterable[Plan]) -> VersionQuerySet:
    """Return the numbers and dates of the versions of these plans that the person may read, newest first."""
    versions = Version.objects.visible_to(user).filter(plan__in=[plan.pk for plan in plans])
    return versions.only("plan", "number", "published_at").order_by("plan", "-number")


def newest_version_for(user: User | AnonymousUser, plan: Plan) -> Version | None:
    """Return the newest version that the person may read, or None if there is no such version."""
    newest_versions = rows_for(_newest_version, user, plan.pk)
    return newest_versions[0] if newest_versions else None


@planned_for_each_reader
def _newest_version(user: User | AnonymousUser, plan_id: int) -> QuerySet[Version]:
    """Return the newest version that the person may read, as a query with one row or none."""
    return versions_for(user, plan_id).select_related("author")[:1]


def version_of(plan: Plan, number: int | None) -> Version | None:
    """Return the version with this number, or None. Check the reader's rights before."""
    return plan.versions.filter(number=number).first() if number else None


def content_of(plan: Plan, number: int) -> Content:
    """Return the content of one version, which is empty for number 0. Check the reader's rights before."""
    version = version_of(plan, number)
    return version.content if version is not None else empty_content()


def draft_content(plan: Plan) -> Content:
    """Return the content of the plan's draft. Until the draft is changed, it is the content of the newest version."""
    draft = Draft.objects.filter(plan=plan).first()
    return content_of(plan, plan.current_number) if draft is None else content_of_draft(draft)


def content_of_draft(draft: Draft) -> Content:
    """Return the content of a draft. Until the draft is changed, it is the content of the version it is based on.

    The number of that version is not read from the plan, which may have been fetched before the last publication.
    """
    if draft.content is not None:
        content: Content = draft.content
        return content
    return content_of(draft.plan, draft.based_on)


def area_names(*contents: Content) -> dict[str, str]:
    """Return the names of the areas of all sites in these contents, by GSS code."""
    codes = {site["area"] for content in contents for site in content["sites"]} - {""}
    return dict(Area.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
