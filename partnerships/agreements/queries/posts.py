"""Read posts: who holds a role of an organisation on a day."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.models import Holder, HolderQuerySet, Partnership, Post
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


def people_in_post(
    organisation: Organisation | int, role: str, *, day: dt.date, partnership: Partnership | int | None = None
) -> list[User]:
    """People with an account who hold a role of the organisation on a day.

    By name. With a partnership: holders of the organisation's post in it or, if nobody there has an account, of the
    same post of the whole organisation. Only people who act for the organisation on that day. Empty if the post is
    vacant: the caller decides who is asked instead.
    """
    if partnership is not None:
        found = _people(organisation, Holder.objects.filter(post__partnership=partnership, post__role=role), day)
        if found:
            return found
    return _people(organisation, Holder.objects.filter(post__partnership=None, post__role=role), day)


def _people(organisation: Organisation | int, holders: HolderQuerySet, day: dt.date) -> list[User]:
    holding = holders.on(day).filter(post__organisation=organisation, post__in=Post.objects.open())
    acting = Membership.objects.current(day).filter(organisation=organisation)
    people = User.objects.filter(pk__in=holding.values("person"), account_since__isnull=False)
    return list(people.filter(pk__in=acting.values("person")).order_by("name", "pk"))
