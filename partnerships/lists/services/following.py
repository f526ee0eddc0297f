"""Follow saved views, and record emails about the rows that entered or left them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q

from partnerships.digests.queries.stoppable import SingleStop
from partnerships.kit.rights import require
from partnerships.lists.models import Follow, SavedView
from partnerships.lists.queries import listing_by
from partnerships.lists.services.journal_lines import note_unfollowing
from partnerships.organisations.rights import has_open_account
from partnerships.outbox.restoring import unreported_facts
from partnerships.outbox.services import record_email
from partnerships.people.models import User

log = structlog.get_logger(__name__)

#: A view with more rows cannot be followed, because each reading compares all of them.
MAX_ROWS = 1_000
#: A person may follow this many views.
MAX_FOLLOWED = 20
#: One sweep reads at most this many views, first those that were read longest ago.
MAX_CHECKED = 200
#: The time between two readings of a followed view.
BETWEEN_READINGS = dt.timedelta(minutes=10)
#: The time between two emails about a followed view. The second has every change since the first.
BETWEEN_EMAILS = dt.timedelta(hours=1)


class UnableToFollow(Exception):
    """Raised if the view shows too many rows, its filters are invalid, or the person follows too many views."""


@transaction.atomic
def follow_view(*, view: SavedView, person: User, now: dt.datetime) -> Follow:
    """Notify the person from now on when a row enters or leaves the view. Raises `UnableToFollow`."""
    # Lock the person, so that two requests at once cannot exceed the limit.
    User.objects.select_for_update().get(pk=person.pk)
    require(has_open_account(person) and SavedView.objects.visible_to(person).filter(pk=view.pk).exists())
    if person.followed_views.exclude(view=view).count() >= MAX_FOLLOWED:
        raise UnableToFollow(f"You already follow {MAX_FOLLOWED} views. Stop following one of them first.")
    row_ids = _row_ids(view, person)
    if row_ids is None:
        raise UnableToFollow(
            f"The view shows more than {MAX_ROWS:,} rows, or its filters are not valid. Correct or narrow the filters "
            "first."
        )
    first_reading = {"since": now, "members": row_ids, "checked_at": now}
    follow, is_new = Follow.objects.get_or_create(person=person, view=view, defaults=first_reading)
    if is_new:
        note_unfollowing(follow, now=now, is_undone=True)
    return follow


@transaction.atomic
def unfollow_view(*, view: SavedView, person: User, now: dt.datetime) -> None:
    """Stop notifying the person about the view. Does nothing if the person does not follow it."""
    follow = Follow.objects.filter(view=view, person=person).first()
    if follow is not None:
        follow.delete()
        note_unfollowing(follow, now=now)


class FollowedViewStop(SingleStop):
    """The stop link of an email about a followed view."""

    def called(self, *, person: User, params: Mapping[str, Any]) -> str:
        """Return the name of the view in the email, or "" if the person no longer follows the view."""
        follow = _follow_in_email(person, params)
        if follow is None:
            return ""
        if not SavedView.objects.visible_to(person).filter(pk=follow.view_id).exists():
            return "a view that you can no longer read"
        return f"the view “{follow.view.name}”"

    def stop(self, *, person: User, params: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
        """Stop following the view, and return its id for `renew`."""
        follow = _follow_in_email(person, params)
        if follow is None:  # the person clicked the link twice
            return {}
        unfollow_view(view=follow.view, person=person, now=now)
        return {"view": follow.view_id}

    def renew(self, *, person: User, kept: Mapping[str, Any], now: dt.datetime) -> None:
        """Follow the view again from now on, if the person may still open it."""
        view = SavedView.objects.visible_to(person).filter(pk=kept.get("view", 0)).first()
        if view is not None and has_open_account(person):
            with suppress(UnableToFollow):
                follow_view(view=view, person=person, now=now)


def _follow_in_email(person: User, params: Mapping[str, Any]) -> Follow | None:
    """Return the person's follow of the view in an email, or None if the person no longer follows the view.

    The search is by view too, because a person who stops and follows the view again gets a new `Follow`.
    """
    same_follow_or_view = Q(pk=params["follow"]) | Q(view=params.get("view"))
    return Follow.objects.filter(same_follow_or_view, person=person).select_related("view").first()


def check_followed_views(*, now: dt.datetime, stop_on: tuple[type[Exception], ...] = ()) -> int:
    """Read the followed views that are due, with the rights of each follower, and return how many emails were recorded.

    May run twice, because each follow is locked while its view is read, and then stores the rows of this reading. A
    view that cannot be read is retried after the others, and the sweep continues. Errors of `stop_on` end the sweep.
    """
    due_follows = Follow.objects.filter(Q(checked_at=None) | Q(checked_at__lte=now - BETWEEN_READINGS))
    due_follows = due_follows.exclude(told_at__gt=now - BETWEEN_EMAILS)
    longest_ago_first = due_follows.order_by(F("checked_at").asc(nulls_first=True), "pk")
    follow_ids = longest_ago_first.values_list("pk", flat=True)[:MAX_CHECKED]
    return sum(_check_or_log(follow_id, now, stop_on) for follow_id in follow_ids)


def _check_or_log(follow_id: int, now: dt.datetime, stop_on: tuple[type[Exception], ...]) -> bool:
    """Read one followed view. An error is logged, so that one broken view does not stop the sweep."""
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
    """Read one followed view, record an email if rows entered or left, and return whether an email was recorded."""
    follows = Follow.objects.select_for_update(of=("self",), skip_locked=True).select_related("view", "person")
    # Filter again under the lock, because another worker may have recorded an email in the meantime.
    follow = follows.filter(pk=follow_id).exclude(told_at__gt=now - BETWEEN_EMAILS).first()
    if follow is None:
        return False
    person = follow.person
    if not (has_open_account(person) and SavedView.objects.visible_to(person).filter(pk=follow.view_id).exists()):
        follow.delete()
        return False

    previous_ids = follow.members
    current_ids = _row_ids(follow.view, person)
    follow.members = current_ids
    follow.checked_at = now
    changes = RowChanges()
    if current_ids is None:
        log.info("followed_view_not_read", follow=follow.pk)
    elif previous_ids is not None:  # without an earlier reading, there is nothing to compare
        changes = _without_reported(follow, RowChanges.between(previous_ids, current_ids))

    has_changes = bool(changes.entered or changes.left)
    if has_changes:
        follow.told_at = now
        params = {"follow": follow.pk, "view": follow.view_id, "entered": changes.entered, "left": changes.left}
        record_email(kind="lists.followed", person_id=person.pk, params=params, now=now)
    follow.save(update_fields=["checked_at", "members", "told_at"])
    return has_changes


@dataclass(frozen=True, slots=True)
class RowChanges:
    """The ids of the rows that entered a view, and of the rows that left it, sorted."""

    entered: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    @classmethod
    def between(cls, previous_ids: Collection[int], current_ids: Collection[int]) -> RowChanges:
        """Compare two readings of a view."""
        previous, current = set(previous_ids), set(current_ids)
        return cls(entered=sorted(current - previous), left=sorted(previous - current))


def reported_changes(params: Mapping[str, Any]) -> list[list[Any]]:
    """Return the changes in an email about a followed view.

    Each change is "entered" or "left", the id of the view, and the id of the row. By these, a restore recognises the
    changes that the follower has been sent, even if a later email groups the rows differently.
    """
    return [[change, params["view"], row_id] for change in ("entered", "left") for row_id in params[change]]


def _without_reported(follow: Follow, changes: RowChanges) -> RowChanges:
    """Leave out the changes about which the follower got an email before a restore."""
    params = {"view": follow.view_id, "entered": changes.entered, "left": changes.left}
    unreported = unreported_facts(kind="lists.followed", person_id=follow.person_id, facts=reported_changes(params))
    return RowChanges(
        entered=[row_id for change, _view_id, row_id in unreported if change == "entered"],
        left=[row_id for change, _view_id, row_id in unreported if change == "left"],
    )


def _row_ids(view: SavedView, person: User) -> list[int] | None:
    """Return the ids of the rows that the view shows the person, sorted.

    Returns None if the view has more than `MAX_ROWS` rows, or cannot be read.
    """
    listing = listing_by(view, person)
    if listing is None:
        return None
    row_ids = list(listing.matching_rows().order_by("pk").values_list("pk", flat=True)[: MAX_ROWS + 1])
    return None if len(row_ids) > MAX_ROWS else row_ids
