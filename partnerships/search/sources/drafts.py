"""Search finds what drafts of plans change, and comments on plans.

What a draft says, and what is said about it, is found by its editors and leads alone, and a comment by its author.
Somebody it is shared with by name reads it on its page, where each opening is logged; a snippet would not be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.holdings import among
from partnerships.people.models import User
from partnerships.plans.content import COLLECTIONS, Content
from partnerships.plans.models import Comment, Draft, Plan, Version
from partnerships.plans.models.routes import DRAFTERS, drafters_of, former_routes, inside_routes
from partnerships.plans.starters import starter
from partnerships.search.entries import Row, joined
from partnerships.search.sources.plans import areas_of, rows_of_item, text_of_item
from partnerships.search.sources.source import ONE_DAY, KindNames, Source, by_record, readers_by_routes
from partnerships.search.sources.texts import texts_of_files


def _drafts(ids: Collection[int]) -> Iterable[Row]:
    """Of each draft only what differs from the version or starter it is based on."""
    readers = readers_by_routes(Draft, (drafters_of("plan__"),), ids)
    found = list(
        Draft.objects.filter(pk__in=ids, content__isnull=False)
        .select_related("plan")
        .prefetch_related("plan__owners")
        .defer("prose")
    )
    plans = [draft.plan_id for draft in found]
    versions = Version.objects.filter(plan__in=plans, number=F("plan__draft__based_on")).defer("prose", "figures")
    based_on = {version.plan_id: version.content for version in versions}
    contents: list[Content] = [draft.content for draft in found]
    areas = areas_of(contents)
    files = texts_of_files(item["sha256"] for content in contents for item in content["documents"])
    for draft in found:
        before = based_on.get(draft.plan_id) or starter(draft.plan.kind, draft.plan.title)
        common: dict[str, Any] = {
            "object_id": draft.pk,
            "partnership_id": draft.plan.partnership_id,
            "organisation_id": min((owner.organisation_id for owner in draft.plan.owners.all()), default=None),
            "day": timezone.localdate(draft.updated_at),
            "readers": readers[draft.pk],
        }
        yield from _changed(draft, before, common, areas, files)


def _changed(
    draft: Draft, before: Content, common: dict[str, Any], areas: dict[str, str], files: dict[str, str]
) -> Iterator[Row]:
    """The pieces of a draft that its version, or the template of its kind, does not have like this."""
    content, page = draft.content, reverse("plans:draft", args=[draft.plan_id])
    about = content["about"]
    if about != before["about"]:
        yield Row(
            **common,
            kind="plan",
            title=f"{about['title'] or draft.plan.title} (draft)",
            text=joined(about["summary"], about["source"]),
            path=f"{page}#about",
        )
    sites = {site["key"]: site["name"] for site in content["sites"]}
    for collection in COLLECTIONS:
        known = {item["key"]: item for item in before[collection.code]}
        for item in content[collection.code]:
            if item != known.get(item["key"]):
                text = joined(text_of_item(collection, item, areas, sites, files), item.get("notes"))
                of_item = {
                    "title": f"{item[collection.title]} (draft)",
                    "path": f"{page}#{collection.code}-{item['key']}",
                }
                yield from rows_of_item(collection, item, text, common | of_item)


def _drafts_for(user: User, ids: list[int]) -> QuerySet[Draft, int]:
    editable = Plan.objects.editable_by(user).of_record()
    return Draft.objects.filter(Q(editable), among("pk", ids)).values_list("pk", flat=True)


def _comments(ids: Collection[int]) -> Iterable[Row]:
    """Comments for those who read the plan inside, and their authors; on drafts, for editors and their authors."""
    found = list(Comment.objects.filter(pk__in=ids).select_related("plan", "parent"))
    routes = (*inside_routes(ONE_DAY), *former_routes(ONE_DAY))
    inside = readers_by_routes(Plan, routes, {comment.plan_id for comment in found if not comment.is_on_draft})
    drafters = readers_by_routes(Plan, (DRAFTERS,), {comment.plan_id for comment in found if comment.is_on_draft})
    for comment in found:
        readers = drafters if comment.is_on_draft else inside
        authors = {-comment.author_id}
        if comment.parent and not comment.is_on_draft:
            authors.add(-comment.parent.author_id)
        page = "plans:draft-comments" if comment.is_on_draft else "plans:comments"
        yield Row(
            object_id=comment.pk,
            kind="comment",
            # Not the plan's title, which may be newer than what a former partner reads.
            title=f"Comment on {comment.anchor_label or 'the whole plan'}",
            text=comment.text,
            partnership_id=comment.plan.partnership_id,
            organisation_id=comment.organisation_id,
            day=timezone.localdate(comment.created_at),
            path=f"{reverse(page, args=[comment.plan_id])}#comment-{comment.parent_id or comment.pk}",
            readers=readers[comment.plan_id] | authors,
        )


def _comments_for(user: User, ids: list[int]) -> QuerySet[Comment, int]:
    editable = Q(Plan.objects.editable_by(user).of_record())
    found = Q(version_number__gt=0) | editable | Q(author=user.pk)
    return Comment.objects.visible_to(user).filter(found, among("pk", ids)).values_list("pk", flat=True)


_OWNERS = {"plans_plan.id": ("plan",), "plans_planowner.plan_id": ("plan",)}
DRAFTS = Source(
    code="draft",
    model=Draft,
    kinds={},
    read=_drafts,
    check=by_record(_drafts_for),
    follows={"plans_draft.id": ("pk",)} | _OWNERS,
)
COMMENTS = Source(
    code="comment",
    model=Comment,
    kinds={"comment": KindNames("Comment", "Comments")},
    read=_comments,
    check=by_record(_comments_for),
    follows={
        "plans_comment.id": ("pk",),
        "plans_share.plan_id": ("plan",),
        "plans_pastpartnership.plan_id": ("plan",),
        "agreements_party.partnership_id": ("plan__partnership", "plan__past_partnerships__partnership"),
    }
    | _OWNERS,
)
