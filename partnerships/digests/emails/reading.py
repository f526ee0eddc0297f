"""Reads the news between two versions of a plan, as one class of readers may see it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from partnerships.agreements.models import Audience as PartnershipAudience
from partnerships.digests.emails.news import Edition, News, news_of, shorten_note
from partnerships.digests.models import Watermark
from partnerships.organisations.naming import official_name_at
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.plans.content import Content, content_for_outside, empty_content, normalise
from partnerships.plans.models import Plan, ReadingClass, Version
from partnerships.plans.queries import area_names


def content_as(content: Content, reading_class: str) -> Content:
    """Return a plan's normalised content, without the parts that this class of readers may not read."""
    normalised = normalise(content)
    return normalised if reading_class == Watermark.Reading.INSIDE else content_for_outside(normalised)


def only_pieces(content: Content, pieces: Sequence[str]) -> Content:
    """Return a plan's content reduced to these sites and milestones, for example "sites/north-quay"."""
    filtered_content = empty_content()
    for collection in ("sites", "milestones"):
        filtered_content[collection] = [item for item in content[collection] if f"{collection}/{item['key']}" in pieces]
    return filtered_content


def read_news(
    *, plan_id: int, from_number: int, to_number: int, reading_class: str, pieces: Sequence[str] = ()
) -> tuple[News, int | None, frozenset[int | None]]:
    """Return the news between two versions, the id of the partnership, and the ids of the authors.

    With `pieces`, the news is only about these sites and milestones. Versions that changed nothing for this class of
    readers are left out with their notes, because a note might mention what these readers may not know.
    """
    versions = rows_for(_versions_without_content, plan_id, [*range(from_number + 1, to_number + 1)])
    compared_versions = rows_for(_versions_with_content, plan_id, [from_number, to_number])
    plan = compared_versions[0].plan
    content_by_number = {version.number: content_as(version.content, reading_class) for version in compared_versions}
    if pieces:
        content_by_number = {number: only_pieces(content, pieces) for number, content in content_by_number.items()}

    shown_versions = [version for version in versions if _changed_for(version, reading_class)]
    # Of a plan that is new to the reader, only the newest version is mentioned.
    mentioned_versions = shown_versions if from_number else shown_versions[-1:]
    news = news_of(
        plan_id=plan_id,
        title=versions[-1].title if versions else plan.title,
        partnership=_partnership_title(plan, reading_class),
        old_content=content_by_number.get(from_number),
        new_content=content_by_number[to_number],
        from_number=from_number,
        to_number=to_number,
        editions=[_edition_of(version) for version in reversed(mentioned_versions)],
        areas=area_names(*content_by_number.values()),
    )
    return news, plan.partnership_id, frozenset(version.author_id for version in shown_versions)


def news_lookups(plan_id: int, from_number: int, to_number: int) -> list[Lookup]:
    """Return the lookups of a later `read_news` with the same arguments, for `read_ahead`."""
    return [
        lookup(_versions_without_content, plan_id, [*range(from_number + 1, to_number + 1)]),
        lookup(_versions_with_content, plan_id, [from_number, to_number]),
    ]


def _versions_without_content(plan_id: int, numbers: list[int]) -> QuerySet[Version]:
    """Return these versions of a plan without their content, the oldest first."""
    return (
        Version.objects.filter(plan=plan_id, number__in=numbers)
        .select_related("author")
        .annotate(organisation_then=official_name_at("published_at"))
        .defer("content", "prose")
        .order_by("number")
    )


def _versions_with_content(plan_id: int, numbers: list[int]) -> QuerySet[Version]:
    """Return these versions of a plan with their content."""
    versions = Version.objects.filter(plan=plan_id, number__in=numbers)
    return versions.select_related("plan__partnership").defer("prose")


def _edition_of(version: Version) -> Edition:
    """Return a version as digests mention it. It needs the annotation `organisation_then`."""
    return Edition(
        number=version.number,
        published_on=version.published_at.date(),
        author=version.author.display_name if version.author else "",
        organisation=version.organisation_then or version.source,  # type: ignore[attr-defined]  # annotated
        note=shorten_note(version.note),
    )


def _partnership_title(plan: Plan, reading_class: str) -> str:
    """Return the title of the plan's partnership; "" if this class of readers may not know it."""
    if plan.partnership is None:
        return ""
    may_know = reading_class == ReadingClass.INSIDE or plan.partnership.audience == PartnershipAudience.NETWORK
    return plan.partnership.title if may_know else ""


def _changed_for(version: Version, reading_class: str) -> bool:
    """Return True if a version changed anything for this class of readers, or is too old to have figures."""
    figures = version.figures.get(reading_class)
    return figures is None or figures.get("changes") != 0
