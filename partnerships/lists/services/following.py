"""Following views: who is told what entered or left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q

from partnerships.digests.queries.stoppable import SingleStop
from partnerships.kit.rights import require
from partnerships.lists.models import Follow, SavedView
from partnerships.lists.queries import listing_by
from partnerships.lists.services.noting import journal_follow
from partnerships.organisations.rights import has_open_account
from partnerships.outbox.restoring import untold
from partnerships.outbox.services import record_email
from partnerships.people.models import User

log = structlog.get_logger(__name__)

#: Views that find more rows cannot be followed: each reading compares all of them.
MAX_ROWS = 1_000
#: A person may follow this many views.
MAX_FOLLOWED = 20
#: Views that one sweep reads, the one that waits longest first.
MAX_CHECKED = 200
#: The time between two readings of a followed view.
BETWEEN_READINGS = dt.timedelta(minutes=10)
#: The time between two emails about a followed view; the second has everything since the first.
BETWEEN_EMAILS = dt.timedelta(hours=1)


class UnableToFollow(Exception):
    """The view finds too many rows, or the person follows too many views."""


@transaction.atomic
def follow_view(*, view: SavedView, person: User, now: dt.datetime) -> Follow:
    """Tell the person from now on when a row enters or leaves the view. Raises `UnableToFollow`."""
    User.objects.select_for_update().get(pk=person.pk)
    require(has_open_account(person) and SavedView.objects.visible_to(person).filter(pk=view.pk).exists())
    if person.followed_views.exclude(view=view).count() >= MAX_FOLLOWED:
        raise UnableToFollow(f"You already follow {MAX_FOLLOWED} views. Stop following one of them first.")
    members = _members(view, person)
    if members is None:
        raise UnableToFollow(
            f"The view shows more than {MAX_ROWS:,} rows, or its filters are not valid. Correct or narrow the filters "
            "first."
        )
    first_reading = {"since": now, "members": members, "checked_at": now}
    follow, is_new = Follow.objects.get_or_create(person=person, view=view, defaults=first_reading)
    if is_new:
        journal_follow(follow, now=now, undone=True)
    return follow


@transaction.atomic
def unfollow_view(*, view: SavedView, person: User, now: dt.datetime) -> None:
    """Stop telling the person."""
    follow = Follow.objects.filter(view=view, person=person).first()
    if follow is not None:
        follow.delete()
        journal_follow(follow, now=now)


class FollowedViewStop(SingleStop):
    """The stop link of an email about a followed view."""

    def called(self, *, person: User, params: Mapping[str, Any]) -> str:
        """The view."""
        follow = _follow_of(person, params)
        if follow is None:
            return ""
        if not SavedView.objects.visible_to(person).filter(pk=follow.view_id).exists():
            return "a view that you can no longer read"
        return f"the view “{follow.view.name}”"

    def stop(self, *, person: User, params: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
        """Follow it no more."""
        follow = _follow_of(person, params)
        if follow is None:  # two clicks at once
            return {}
        unfollow_view(view=follow.view, person=person, now=now)
        return {"view": follow.view_id}

    def renew(self, *, person: User, kept: Mapping[str, Any], now: dt.datetime) -> None:
        """Follow it again, from now on."""
        view = SavedView.objects.visible_to(person).filter(pk=kept.get("view", 0)).first()
        if view is not None and has_open_account(person):
            with suppress(UnableToFollow):
                follow_view(view=view, person=person, now=now)


def _follow_of(person: User, params: Mapping[str, Any]) -> Follow | None:
    """The person's follow of the view that an email is about, also if they stopped and followed it again since."""
    of_email = Q(pk=params["follow"]) | Q(view=params.get("view"))
    return Follow.objects.filter(of_email, person=person).select_related("view").first()


def check_followed_views(*, now: dt.datetime, stop_on: tuple[type[Exception], ...] = ()) -> int:
    """Read the followed views that are due, with the rights of each follower. Returns how many emails were recorded.

    May run twice: each follow is locked while it is read, and its row remembers what was told. If one cannot be read,
    it goes to the end of the queue, and the others are read; errors of `stop_on` end the sweep.
    """
    due = Follow.objects.filter(Q(checked_at=None) | Q(checked_at__lte=now - BETWEEN_READINGS))
    due = due.exclude(told_at__gt=now - BETWEEN_EMAILS).order_by(F("checked_at").asc(nulls_first=True), "pk")
    return sum(_check_apart(pk, now, stop_on) for pk in due.values_list("pk", flat=True)[:MAX_CHECKED])


def _check_apart(follow_id: int, now: dt.datetime, stop_on: tuple[type[Exception], ...]) -> bool:
    try:
        return _check(follow_id, now)
    except stop_on:
        raise
    except Exception:
        log.exception("followed_view_failed", follow=follow_id)
        Follow.objects.filter(pk=follow_id).update(checked_at=now)
        return False


@transaction.atomic
def _check(follow_id: int, now: dt.datetime) -> bool:
    """Read one followed view, and record an email if something entered or left."""
    follows = Follow.objects.select_for_update(of=("self",), skip_locked=True).select_related("view", "person")
    follow = follows.filter(pk=follow_id).exclude(told_at__gt=now - BETWEEN_EMAILS).first()
    if follow is None:
        return False
    person = follow.person
    if not (has_open_account(person) and SavedView.objects.visible_to(person).filter(pk=follow.view_id).exists()):
        follow.delete()
        return False
    members = _members(follow.view, person)
    before, follow.members, follow.checked_at = follow.members, members, now
    entered, left = sorted(set(members or ()) - set(before or ())), sorted(set(before or ()) - set(members or ()))
    if members is None:
        log.info("followed_view_not_read", follow=follow.pk)
    is_told = before is not None and members is not None and bool(entered or left)
    if is_told:
        entered, left = _untold(follow, entered, left)
        is_told = bool(entered or left)
    if is_told:
        follow.told_at = now
        params = {"follow": follow.pk, "view": follow.view_id, "entered": entered, "left": left}
        record_email(kind="lists.followed", person_id=person.pk, params=params, now=now)
    follow.save(update_fields=["checked_at", "members", "told_at"])
    return is_told


def things_told(params: Mapping[str, Any]) -> list[list[Any]]:
    """What an email about a followed view tells: each row that entered or left."""
    return [[what, params["view"], row] for what in ("entered", "left") for row in params[what]]


def _untold(follow: Follow, entered: list[int], left: list[int]) -> tuple[list[int], list[int]]:
    """The rows that entered and left, without those that the follower was told of before a restore."""
    changes = things_told({"view": follow.view_id, "entered": entered, "left": left})
    news = untold(kind="lists.followed", person_id=follow.person_id, things=changes)
    return [row for what, _, row in news if what == "entered"], [row for what, _, row in news if what == "left"]


def _members(view: SavedView, person: User) -> list[int] | None:
    """The ids of the rows that the person sees in the view, in order.

    None if there are more than `MAX_ROWS`, or the view cannot be read.
    """
    listing = listing_by(view, person)
    if listing is None:
        return None
    ids = list(listing.found().order_by("pk").values_list("pk", flat=True)[: MAX_ROWS + 1])
    return None if len(ids) > MAX_ROWS else ids
