"""Index rows of drafts of plans and of comments on plans.

Only the editors and leads of a plan find its draft and the comments on the draft; authors also find their own
comments. People with whom the draft is shared by name do not find it, as each opening of its page is logged, but a
snippet would not be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.holdings import id_is_among
from partnerships.people.models import User
from partnerships.plans.content import COLLECTIONS, Content
from partnerships.plans.models import Comment, Draft, Plan, Version
from partnerships.plans.models.routes import DRAFTERS, drafters_of, former_routes, inside_routes
from partnerships.plans.starters import starter_content
from partnerships.search.entries import EntryRow, joined_lines
from partnerships.search.sources.plans import Names, areas_of, rows_of_item, text_of_item
from partnerships.search.sources.source import (
    AFTER_EVERY_EMBARGO,
    KindNames,
    Source,
    check_by_record,
    readers_by_routes,
)
from partnerships.search.sources.texts import texts_of_files


def _draft_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield the rows of drafts.

    Only the pieces that differ from the version or template on which a draft is based get a row.
    """
    readers = readers_by_routes(Draft, (drafters_of("plan__"),), ids)
    drafts = list(
        Draft.objects.filter(pk__in=ids, content__isnull=False)
        .select_related("plan")
        .prefetch_related("plan__owners")
        .defer("prose")
    )
    plan_ids = [draft.plan_id for draft in drafts]
    base_versions = Version.objects.filter(plan__in=plan_ids, number=F("plan__draft__based_on"))
    base_by_plan = {version.plan_id: version.content for version in base_versions.defer("prose", "figures")}
    contents: list[Content] = [draft.content for draft in drafts]
    names = Names(
        area_by_code=areas_of(contents),
        text_by_sha256=texts_of_files(item["sha256"] for content in contents for item in content["documents"]),
    )
    for draft in drafts:
        base = base_by_plan.get(draft.plan_id) or starter_content(draft.plan.kind, draft.plan.title)
        common: dict[str, Any] = {
            "object_id": draft.pk,
            "partnership_id": draft.plan.partnership_id,
            "organisation_id": min((owner.organisation_id for owner in draft.plan.owners.all()), default=None),
            "day": timezone.localdate(draft.updated_at),
            "readers": readers[draft.pk],
        }
        yield from _changed_pieces(draft, base, common, names)


def _changed_pieces(draft: Draft, base: Content, common: dict[str, Any], names: Names) -> Iterator[EntryRow]:
    """Yield the rows of the pieces of a draft that are new or differ from the content on which it is based."""
    content, page = draft.content, reverse("plans:draft", args=[draft.plan_id])
    about = content["about"]
    if about != base["about"]:
        yield EntryRow(
            **common,
            kind="plan",
            title=f"{about['title'] or draft.plan.title} (draft)",
            text=joined_lines(about["summary"], about["source"]),
            path=f"{page}#about",
        )
    names = names.with_sites_of(content)
    for collection in COLLECTIONS:
        base_item_by_key = {item["key"]: item for item in base[collection.code]}
        for item in content[collection.code]:
            if item == base_item_by_key.get(item["key"]):
                continue
            text = joined_lines(text_of_item(collection, item, names), item.get("notes"))
            item_columns = common | {
                "title": f"{item[collection.title_field]} (draft)",
                "path": f"{page}#{collection.code}-{item['key']}",
            }
            yield from rows_of_item(collection, item, text, item_columns)


def _readable_drafts(user: User, ids: list[int]) -> QuerySet[Draft, int]:
    """Return the ids of the drafts whose plans the person may edit."""
    editable = Plan.objects.editable_by(user).contains_outer_plan()
    return Draft.objects.filter(Q(editable), id_is_among("pk", ids)).values_list("pk", flat=True)


def _comment_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield the rows of comments.

    People inside the plan read comments on versions, and editors and leads those on a draft. Authors read their own
    comments and, on versions, the replies to them.
    """
    comments = list(Comment.objects.filter(pk__in=ids).select_related("plan", "parent"))
    routes = (*inside_routes(AFTER_EVERY_EMBARGO), *former_routes(AFTER_EVERY_EMBARGO))
    plan_ids = {comment.plan_id for comment in comments if not comment.is_on_draft}
    inside_readers = readers_by_routes(Plan, routes, plan_ids)
    draft_plan_ids = {comment.plan_id for comment in comments if comment.is_on_draft}
    draft_readers = readers_by_routes(Plan, (DRAFTERS,), draft_plan_ids)
    for comment in comments:
        readers = draft_readers if comment.is_on_draft else inside_readers
        # In `readers`, ids of people are negative.
        author_readers = {-comment.author_id}
        if comment.parent and not comment.is_on_draft:
            author_readers.add(-comment.parent.author_id)
        page = "plans:draft-comments" if comment.is_on_draft else "plans:comments"
        yield EntryRow(
            object_id=comment.pk,
            kind="comment",
            # The title of the plan is left out, as it may be newer than the title that a former partner may read.
            title=f"Comment on {comment.anchor_label or 'the whole plan'}",
            text=comment.text,
            partnership_id=comment.plan.partnership_id,
            organisation_id=comment.organisation_id,
            day=timezone.localdate(comment.created_at),
            path=f"{reverse(page, args=[comment.plan_id])}#comment-{comment.parent_id or comment.pk}",
            readers=readers[comment.plan_id] | author_readers,
        )


def _findable_comments(user: User, ids: list[int]) -> QuerySet[Comment, int]:
    """Return the ids of the comments that the person may find.

    Of comments on drafts, the person may read more than they may find.
    """
    may_edit_plan = Q(Plan.objects.editable_by(user).contains_outer_plan())
    may_find = Q(version_number__gt=0) | may_edit_plan | Q(author=user.pk)
    return Comment.objects.visible_to(user).filter(may_find, id_is_among("pk", ids)).values_list("pk", flat=True)


_OWNERS = {"plans_plan.id": ("plan",), "plans_planowner.plan_id": ("plan",)}
DRAFTS = Source(
    code="draft",
    model=Draft,
    kinds={},
    read=_draft_rows,
    check=check_by_record(_readable_drafts),
    follows={"plans_draft.id": ("pk",)} | _OWNERS,
)
COMMENTS = Source(
    code="comment",
    model=Comment,
    kinds={"comment": KindNames("Comment", "Comments")},
    read=_comment_rows,
    check=check_by_record(_findable_comments),
    follows={
        "plans_comment.id": ("pk",),
        "plans_share.plan_id": ("plan",),
        "plans_pastpartnership.plan_id": ("plan",),
        "agreements_party.partnership_id": ("plan__partnership", "plan__past_partnerships__partnership"),
    }
    | _OWNERS,
)
