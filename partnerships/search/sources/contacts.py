"""Search finds posts, and the people who hold them: who to ring about what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import Holder, Party, Post, PostRole
from partnerships.organisations.holdings import among
from partnerships.people.models import User
from partnerships.search.entries import Row, joined
from partnerships.search.sources.source import KindNames, Source, by_record

#: Other words for what the holder of a post is there for.
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
_FOLLOWS = {
    "agreements_party.partnership_id": ("post__partnership", "post__organisation__parties__partnership"),
    "organisations_organisation.id": ("post__organisation",),
    "organisations_areaserved.organisation_id": ("post__organisation",),
    "agreements_partnership.id": ("post__partnership",),
}


def _rows(posts: Iterable[Post]) -> Iterable[tuple[Post, str, frozenset[int]]]:
    """Each post with the words that find it, and its readers."""
    posts = list(posts)
    partners = _partners({post.organisation_id for post in posts if post.partnership_id is None})
    parties: defaultdict[int, set[int]] = defaultdict(set)
    within = {post.partnership_id for post in posts if post.partnership_id is not None}
    for partnership, organisation in (
        Party.objects.present().filter(partnership__in=within).values_list("partnership_id", "organisation_id")
    ):
        parties[partnership].add(organisation)
    for post in posts:
        areas = sorted({served.area.name for served in post.organisation.areas_served.all() if served.ends_on is None})
        words = joined(
            " · ".join(filter(None, [post.get_role_display(), post.title])),
            post.organisation.name,
            post.partnership.title if post.partnership else "",
            ", ".join(areas),
            _ROLE_WORDS[PostRole(post.role)],
        )
        near = partners[post.organisation_id] if post.partnership_id is None else parties[post.partnership_id]
        yield post, words, frozenset({post.organisation_id, *near})


def _partners(organisations: Collection[int]) -> defaultdict[int, set[int]]:
    """The organisations with which each shares a partnership."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    pairs = Party.objects.present().filter(organisation__in=organisations)
    for one, other in pairs.values_list("organisation_id", "partnership__parties__organisation_id").distinct():
        found[one].add(other)
    return found


def _open(posts: QuerySet[Post]) -> QuerySet[Post]:
    return (
        posts.filter(ended_on=None)
        .select_related("organisation", "partnership")
        .prefetch_related("organisation__areas_served__area")
    )


def _posts(ids: Collection[int]) -> Iterable[Row]:
    for post, words, readers in _rows(_open(Post.objects.filter(pk__in=ids))):
        yield Row(
            object_id=post.pk,
            kind="contact",
            title=f"{post.title or post.get_role_display()}, {post.organisation.name}",
            text=words,
            partnership_id=post.partnership_id,
            organisation_id=post.organisation_id,
            path=post.get_absolute_url(),
            readers=readers,
        )


def _posts_for(user: User, ids: list[int]) -> QuerySet[Post, int]:
    return Post.objects.visible_to(user).open().filter(among("pk", ids)).values_list("pk", flat=True)


def _holders(ids: Collection[int]) -> Iterable[Row]:
    """Open posts by their holder.

    A holder whose data were cleared is not found.
    """
    found = list(Holder.objects.open().filter(pk__in=ids, cleared_at=None).select_related("person"))
    posts = {row[0].pk: row for row in _rows(_open(Post.objects.filter(pk__in={holder.post_id for holder in found})))}
    for holder in found:
        if holder.post_id not in posts:
            continue
        post, words, readers = posts[holder.post_id]
        yield Row(
            object_id=holder.pk,
            kind="contact",
            title=holder.display_name,
            text=words,
            partnership_id=post.partnership_id,
            organisation_id=post.organisation_id,
            path=post.get_absolute_url(),
            readers=readers,
        )


def _holders_for(user: User, ids: list[int]) -> QuerySet[Holder, int]:
    """Present holders.

    Future ones are shown to the post's own organisation only, on its page.
    """
    today = Holder.objects.on(timezone.localdate()).visible_to(user)
    return today.filter(among("pk", ids), post__ended_on=None).values_list("pk", flat=True)


POSTS = Source(
    code="post",
    model=Post,
    kinds={"contact": KindNames("Contact", "Contacts")},
    read=_posts,
    check=by_record(_posts_for),
    follows={"agreements_post.id": ("pk",)}
    | {column: tuple(path.removeprefix("post__") for path in paths) for column, paths in _FOLLOWS.items()},
)
HOLDERS = Source(
    code="holder",
    model=Holder,
    kinds={"contact": KindNames("Contact", "Contacts")},
    read=_holders,
    check=by_record(_holders_for),
    follows={"agreements_holder.id": ("pk",), "agreements_post.id": ("post",), "people_user.id": ("person",)}
    | _FOLLOWS,
)
