"""Index rows of posts and of their holders, so that search finds whom to ring about a topic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import Holder, Party, Post, PostRole
from partnerships.organisations.holdings import id_is_among
from partnerships.people.models import User
from partnerships.search.entries import EntryRow, joined_lines
from partnerships.search.sources.source import KindNames, Source, check_by_record

#: Other words that people type for the role of a post.
_ROLE_WORDS = {
    PostRole.LEAD: "leader",
    PostRole.DEPUTY: "deputies covers cover",
    PostRole.SIGNATORY: "signs signing signature",
    PostRole.FINANCE: "money budget invoices grant",
    PostRole.NOMINATIONS: "lettings allocations",
    PostRole.PLANNING: "planner sites section 106",
    PostRole.COMMUNICATIONS: "press media comms",
    PostRole.ESCALATION: "complaint complaints",
    PostRole.TEAM: "",
}
#: Columns ("table.column") whose changes change the rows of a holder, each with the paths from a holder to its value.
_FOLLOWS = {
    "agreements_party.partnership_id": ("post__partnership", "post__organisation__parties__partnership"),
    "organisations_organisation.id": ("post__organisation",),
    "organisations_areaserved.organisation_id": ("post__organisation",),
    "agreements_partnership.id": ("post__partnership",),
}


class _IndexedPost(NamedTuple):
    """A post with the words by which it and its holders are found, and the ids of its readers."""

    post: Post
    words: str
    readers: frozenset[int]


def _indexed_posts(posts: Iterable[Post]) -> Iterator[_IndexedPost]:
    """Yield each post with its words and readers.

    The readers are the organisation itself and its partners or, for a post in a partnership, the present parties.
    """
    posts = list(posts)
    partners_by_organisation = _partners_by_organisation(
        {post.organisation_id for post in posts if post.partnership_id is None}
    )
    partnership_ids = {post.partnership_id for post in posts if post.partnership_id is not None}
    present_parties = Party.objects.accepted().filter(partnership__in=partnership_ids)
    parties_by_partnership: defaultdict[int, set[int]] = defaultdict(set)
    for partnership, organisation in present_parties.values_list("partnership_id", "organisation_id"):
        parties_by_partnership[partnership].add(organisation)
    for post in posts:
        areas = sorted({served.area.name for served in post.organisation.areas_served.all() if served.ends_on is None})
        words = joined_lines(
            " · ".join(filter(None, [post.get_role_display(), post.title])),
            post.organisation.name,
            post.partnership.title if post.partnership else "",
            ", ".join(areas),
            _ROLE_WORDS[PostRole(post.role)],
        )
        if post.partnership_id is None:
            partner_ids = partners_by_organisation[post.organisation_id]
        else:
            partner_ids = parties_by_partnership[post.partnership_id]
        yield _IndexedPost(post=post, words=words, readers=frozenset({post.organisation_id, *partner_ids}))


def _partners_by_organisation(organisation_ids: Collection[int]) -> defaultdict[int, set[int]]:
    """Return the organisations with which each of these shares a partnership, by id."""
    partners_by_organisation: defaultdict[int, set[int]] = defaultdict(set)
    parties = Party.objects.accepted().filter(organisation__in=organisation_ids)
    pairs = parties.values_list("organisation_id", "partnership__parties__organisation_id").distinct()
    for organisation, partner in pairs:
        partners_by_organisation[organisation].add(partner)
    return partners_by_organisation


def _open_posts(posts: QuerySet[Post]) -> QuerySet[Post]:
    """Return the open posts, with the records that their rows need."""
    return (
        posts.filter(ended_on=None)
        .select_related("organisation", "partnership")
        .prefetch_related("organisation__areas_served__area")
    )


def _post_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each open post."""
    for post, words, readers in _indexed_posts(_open_posts(Post.objects.filter(pk__in=ids))):
        yield EntryRow(
            object_id=post.pk,
            kind="contact",
            title=f"{post.title or post.get_role_display()}, {post.organisation.name}",
            text=words,
            partnership_id=post.partnership_id,
            organisation_id=post.organisation_id,
            path=post.get_absolute_url(),
            readers=readers,
        )


def _readable_posts(user: User, ids: list[int]) -> QuerySet[Post, int]:
    """Return the ids of the open posts that the person may see."""
    return Post.objects.visible_to(user).not_ended().filter(id_is_among("pk", ids)).values_list("pk", flat=True)


def _holder_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each present or future holder of an open post, unless their contact details were removed."""
    holders = list(Holder.objects.current_or_future().filter(pk__in=ids, cleared_at=None).select_related("person"))
    posts = _open_posts(Post.objects.filter(pk__in={holder.post_id for holder in holders}))
    indexed_by_pk = {indexed.post.pk: indexed for indexed in _indexed_posts(posts)}
    for holder in holders:
        if holder.post_id not in indexed_by_pk:
            continue
        post, words, readers = indexed_by_pk[holder.post_id]
        yield EntryRow(
            object_id=holder.pk,
            kind="contact",
            title=holder.display_name,
            text=words,
            partnership_id=post.partnership_id,
            organisation_id=post.organisation_id,
            path=post.get_absolute_url(),
            readers=readers,
        )


def _readable_holders(user: User, ids: list[int]) -> QuerySet[Holder, int]:
    """Return the ids of the present holders whom the person may see.

    Future holders are never found, because only the organisation itself sees them, on the page of the post.
    """
    present_holders = Holder.objects.current(timezone.localdate()).visible_to(user)
    return present_holders.filter(id_is_among("pk", ids), post__ended_on=None).values_list("pk", flat=True)


POSTS = Source(
    code="post",
    model=Post,
    kinds={"contact": KindNames("Contact", "Contacts")},
    read=_post_rows,
    check=check_by_record(_readable_posts),
    follows={"agreements_post.id": ("pk",)}
    | {column: tuple(path.removeprefix("post__") for path in paths) for column, paths in _FOLLOWS.items()},
)
HOLDERS = Source(
    code="holder",
    model=Holder,
    kinds={"contact": KindNames("Contact", "Contacts")},
    read=_holder_rows,
    check=check_by_record(_readable_holders),
    follows={"agreements_holder.id": ("pk",), "agreements_post.id": ("post",), "people_user.id": ("person",)}
    | _FOLLOWS,
)
