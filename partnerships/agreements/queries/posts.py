"""Read posts and their holders, the teams of a partnership, and vacant posts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from partnerships.agreements.models import Holder, HolderQuerySet, Partnership, Party, Post, PostRole
from partnerships.kit.moments import beginning_of
from partnerships.kit.sections import Section
from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import Organisations, Reach
from partnerships.organisations.models import (
    EDITING_ROLES,
    Membership,
    Organisation,
    Role,
)
from partnerships.organisations.statements import lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User


def people_in_post(
    organisation_id: int, role: str, *, day: dt.date, partnership: Partnership | int | None = None
) -> list[User]:
    """Return the people with an account who hold a post of an organisation on a day, by name.

    For example, with the role "finance" they are the holders of its finance post. If a partnership is given, its own
    finance post comes first. The post of the whole organisation is used only if nobody holds the partnership's post.
    People who do not act for the organisation on that day are left out.
    """
    return people_in_posts([organisation_id], role, day=day, partnership=partnership)[organisation_id]


def people_in_posts(
    organisation_ids: Collection[int], role: str, *, day: dt.date, partnership: Partnership | int | None = None
) -> dict[int, list[User]]:
    """Return the people who hold a post of each of these organisations on a day. Makes one query.

    `people_in_post` says which posts are used.
    """
    is_for_post = Q(post__partnership=None)
    if partnership is not None:
        is_for_post |= Q(post__partnership=partnership)
    holders_by_organisation: dict[int, list[Holder]] = {pk: [] for pk in organisation_ids}
    for holder in _acting_holders(organisation_ids, day).filter(is_for_post, post__role=role):
        holders_by_organisation[holder.post.organisation_id].append(holder)

    people_by_organisation: dict[int, list[User]] = {}
    for pk, holders in holders_by_organisation.items():
        partnership_holders = [holder for holder in holders if holder.post.partnership_id is not None]
        chosen_holders = partnership_holders or holders
        people = [holder.person for holder in chosen_holders if holder.person is not None]
        # A person who holds several such posts is returned once, in the order of names.
        people_by_organisation[pk] = list(dict.fromkeys(people))
    return people_by_organisation


def _acting_holders(organisation_ids: Collection[int], day: dt.date) -> HolderQuerySet:
    """Return the holders of these organisations' posts on a day, by name.

    Holders without an account, or who do not act for the organisation, are left out.
    """
    acting = Membership.objects.current(day).filter(
        organisation=OuterRef("post__organisation"), person=OuterRef("person")
    )
    current_holders = Holder.objects.current(day).filter(
        Exists(acting),
        post__organisation__in=organisation_ids,
        post__in=Post.objects.not_ended(),
        person__account_since__isnull=False,
    )
    return current_holders.select_related("person", "post").order_by("person__name", "person")


@dataclass(frozen=True, slots=True)
class Team:
    """The people of a party, as far as the reader may see them."""

    party: Party
    leads: list[Holder]
    #: The posts of the organisation in this partnership.
    posts: list[Post]
    #: The posts of the whole organisation.
    general: list[Post]


def teams_of(user: User, partnership: Partnership, parties: Iterable[Party]) -> list[Team]:
    """Return the leads and the posts of each of these parties of a partnership. Makes two queries."""
    all_parties = list(parties)
    organisation_ids = [party.organisation_id for party in all_parties]
    visible_posts = Post.objects.visible_to(user).not_ended().filter(organisation__in=organisation_ids)
    posts = list(visible_posts.filter(Q(partnership=partnership) | Q(partnership=None)).for_listing())
    teams = []
    for party in all_parties:
        party_posts = [post for post in posts if post.organisation_id == party.organisation_id]
        partnership_posts = [post for post in party_posts if post.partnership_id is not None]
        general_posts = [post for post in party_posts if post.partnership_id is None]
        leads: list[Holder] = []
        for post in partnership_posts:
            if post.role == PostRole.LEAD:
                leads += post.current_holders
        teams.append(Team(party=party, leads=leads, posts=partnership_posts, general=general_posts))
    return teams


def open_posts_of(organisation_id: int) -> QuerySet[Post]:
    """Return the open posts of a whole organisation, without its posts in partnerships."""
    return Post.objects.not_ended().filter(organisation=organisation_id, partnership=None)


def contacts_section(user: User, organisation: Organisation, *, has_rows: bool) -> Section | None:
    """Return the section with the posts of a whole organisation, for its page.

    Returns None if the person can neither see a post nor add one. `has_rows` is true if `open_posts_of` returns any
    post of the organisation.
    """
    posts = rows_for(_organisation_posts, user, organisation.pk) if has_rows else []
    may_add = Membership.objects.roles_of(user).get(organisation.pk) in EDITING_ROLES
    if not posts and not may_add:
        return None
    context = {"posts": posts, "organisation": organisation, "may_add": may_add}
    return Section("agreements/posts/_organisation_section.html", context)


def _organisation_posts(user: User, organisation_id: int) -> QuerySet[Post]:
    """Return the open posts of the whole organisation that the person may see."""
    return (
        Post.objects.visible_to(user).not_ended().filter(organisation=organisation_id, partnership=None).for_listing()
    )


def _vacant_post_reach(now: dt.datetime) -> Reach:
    """Return the vacant posts, and the routes to the leads who must fill them."""
    leads = Organisations("organisation", roles=(Role.LEAD,))
    return Reach(Post.objects.vacant_on(timezone.localdate(now)), (leads,))


def _vacant_posts_of(user: User, now: dt.datetime) -> QuerySet[Any]:
    """Return the vacant posts that the person must fill, each with the day on which it became vacant."""
    last_day_held = Holder.objects.filter(post=OuterRef("pk")).order_by("-ends_on", "-pk").values("ends_on")[:1]
    posts: QuerySet[Any] = _vacant_post_reach(now).of(user).annotate(vacant_on=Subquery(last_day_held))
    return posts.select_related("organisation", "partnership").order_by("pk")


def _posts_to_fill(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks of filling vacant posts."""
    return [
        WaitingTask(
            action="Fill the vacant post",
            title=f"{post.title or post.get_role_display()} of {post.organisation.display_name}",
            path=post.get_absolute_url(),
            since=beginning_of(post.vacant_on) if post.vacant_on else None,
            partnership_title=post.partnership.title if post.partnership else "",
        )
        for post in rows_for(_vacant_posts_of, user, now)
    ]


#: The tasks in My work that ask leads to fill the vacant posts of their organisations.
POSTS_TO_FILL = TaskSource(
    _posts_to_fill,
    lambda now: (_vacant_post_reach(now),),
    lookups=lambda user, now: (lookup(_vacant_posts_of, user, now),),
)
