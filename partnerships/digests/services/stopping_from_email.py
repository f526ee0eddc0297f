"""Services behind the stop link in emails: stop the contents of an email, and undo that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Q

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import InboxItem, MatchNotice, Preference, Stop, Subscription, SubscriptionStatus, Way
from partnerships.digests.models.stops import UNDO_WITHIN
from partnerships.digests.models.targets import Target, fields_of
from partnerships.digests.planning.notices import reschedule_notices
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import catch_up, drop_unfollowed
from partnerships.digests.queries.stoppable import Stoppable, covering_subject, single_stop, stoppable_in
from partnerships.digests.queries.ways import groups_in_summary, ways_of
from partnerships.digests.services.inbox import choose_ways
from partnerships.digests.services.noting import journal_matches, journal_refusal, journal_subscription
from partnerships.digests.services.recording import record_event
from partnerships.digests.services.stopping import stop, stop_everything
from partnerships.exchange.models import Entry
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.people.models import User

_TOO_LATE_TO_UNDO = "You can no longer undo this. Follow again what you want digests about."


class UnableToUndo(Exception):
    """The undo token is too old, is invalid or belongs to another person."""


@dataclass(frozen=True, slots=True)
class Before:
    """The state of a subscription before a stop; `status` is "" if the stop created the subscription."""

    subscription: int
    status: str
    refused_at: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Everything that one stop ended, with its state before, so that the stop can be undone.

    It is stored as JSON, so the names of fields must not change.
    """

    person: int
    at: str
    subscriptions: tuple[Before, ...] = ()
    tells_matches: bool = False
    refused_at: str = ""
    #: Matches that waited to be sent: ask, offer, and when the match was found.
    matches: tuple[tuple[int, int, str], ...] = ()
    #: Groups of notices that now go to the inbox only, with the way in which they were sent before.
    ways: tuple[tuple[str, str], ...] = ()
    #: Ids of items of the inbox that waited for the next summary.
    notices: tuple[int, ...] = ()
    #: The kind of email that was stopped for one record, and the values that are needed to undo that.
    single: tuple[str, dict[str, Any]] | None = None

    @property
    def is_empty(self) -> bool:
        """Return True if there was nothing to stop."""
        return not self.subscriptions and not self.tells_matches and not self.ways and self.single is None


@transaction.atomic
def stop_email(*, person: User, delivery: int, reason: str, now: dt.datetime) -> Stopped:
    """Stop all contents of an email or, if it had none that can be stopped, all digests.

    This is for unsubscribing with one click (RFC 8058), where we cannot ask what to stop.
    """
    stoppable = stoppable_in(person, delivery)
    if not stoppable.had_any:
        return stop_all(person=person, reason=reason, now=now)
    return stop_chosen(person=person, chosen=stoppable, reason=reason, now=now)


@transaction.atomic
def stop_chosen(
    *,
    person: User,
    chosen: Stoppable,
    subscriptions: Iterable[Subscription] = (),
    reason: str,
    now: dt.datetime,
) -> Stopped:
    """Stop what a person has chosen on the page of a stop link: parts of an email, or whole subscriptions.

    * Plans and subjects: if the person follows a record through a wider subscription, such as a subscription to its
      partnership, only this record is refused, and the subscription continues for all others.
    * Groups: their notices then go to the inbox only.
    """
    lock_planning()  # before locking any row, in the same order as `undo_stop`
    states_before: list[Before] = []
    for target in (*chosen.plans, *chosen.subjects):
        target_before = _stop_target(person, target, reason=reason, now=now)
        if target_before is not None:
            states_before.append(target_before)

    live_subscriptions = Subscription.objects.live().filter(person=person)
    piece_subscriptions = live_subscriptions.filter(~Q(key=""), plan__in=[plan.pk for plan in chosen.plans])
    states_before += [_state_of(subscription) for subscription in piece_subscriptions]
    stop(subscriptions=piece_subscriptions, author=person, reason=reason, now=now)
    chosen_subscriptions = live_subscriptions.filter(pk__in=[subscription.pk for subscription in subscriptions])
    states_before += [_state_of(subscription) for subscription in chosen_subscriptions]
    stop(subscriptions=chosen_subscriptions, author=person, reason=reason, now=now)
    drop_unfollowed([person.pk])

    ways, notices = _stop_notices(person, chosen.groups, now=now)
    waiting_matches = _waiting_matches(person) if chosen.matches else ()
    has_stopped_matches = chosen.matches and _stop_matches(person, now=now)
    stopped_single = None
    if chosen.single is not None:
        kind = chosen.single.kind
        stopped_single = (kind, single_stop(kind).stop(person=person, params=chosen.single.params, now=now))
    return _save(
        Stopped(
            person=person.pk,
            at=now.isoformat(),
            subscriptions=tuple(states_before),
            tells_matches=has_stopped_matches,
            matches=waiting_matches,
            ways=ways,
            notices=notices,
            single=stopped_single,
        )
    )


@transaction.atomic
def stop_all(*, person: User, reason: str, now: dt.datetime) -> Stopped:
    """Stop all digests of a person at their own request.

    Summaries are stopped too: their notices then go to the inbox only.
    """
    lock_planning()  # before locking any row, in the same order as `undo_stop`
    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    states_before = [_state_of(subscription) for subscription in Subscription.objects.live().filter(person=person)]
    refused_at = preference.refused_at.isoformat() if preference.refused_at else ""
    waiting_matches = _waiting_matches(person)
    ways, notices = _stop_notices(person, groups_in_summary(person), now=now)
    stop_everything(person=person, author=person, reason=reason, now=now)
    return _save(
        Stopped(
            person=person.pk,
            at=now.isoformat(),
            subscriptions=tuple(states_before),
            tells_matches=preference.tells_matches and not person.is_stakeholder,
            refused_at=refused_at,
            matches=waiting_matches,
            ways=ways,
            notices=notices,
        )
    )


def _stop_notices(
    person: User, groups: Iterable[str], *, now: dt.datetime
) -> tuple[tuple[tuple[str, str], ...], tuple[int, ...]]:
    """Send notices of these groups to the inbox only.

    Returns the way in which they were sent before, by group, and the ids of items that waited for a summary.
    """
    ways_before = ways_of(person)
    changed_ways = tuple((group, ways_before[group].value) for group in groups if ways_before[group] != Way.INBOX)
    items = InboxItem.objects.for_summary().filter(person=person, group__in=[group for group, _ in changed_ways])
    waiting_ids = tuple(items.order_by("pk").values_list("pk", flat=True))
    choose_ways(person=person, ways=dict.fromkeys(dict(changed_ways), Way.INBOX), author=person, now=now)
    return changed_ways, waiting_ids


def _restore_notices(person: User, preference: Preference, stopped: Stopped, *, now: dt.datetime) -> None:
    """Send notices as before the stop, unless the person has changed the way of their group since."""
    ways_now = ways_of(person)
    ways = {group: way for group, way in stopped.ways if ways_now[group] == Way.INBOX}
    choose_ways(person=person, ways=ways, author=person, now=now)
    items = InboxItem.objects.unread().filter(person=person, pk__in=stopped.notices, group__in=ways, told_at=None)
    items.update(due_at=now)
    reschedule_notices(person, preference, now=now)


def _save(stopped: Stopped) -> Stopped:
    """Save a stop so that a later visit can undo it, unless it stopped nothing, and return it."""
    if not stopped.is_empty:
        Stop.objects.create(person_id=stopped.person, at=dt.datetime.fromisoformat(stopped.at), before=asdict(stopped))
    return stopped


def last_stop(person: User, *, now: dt.datetime) -> Stopped | None:
    """Return the person's last stop that can still be undone; None if there is none."""
    stops = Stop.objects.filter(person=person, undone_at=None, at__gt=now - UNDO_WITHIN)
    newest_stop = stops.order_by("-at", "-pk").first()
    return _parse_stopped(newest_stop.before) if newest_stop else None


@transaction.atomic
def undo_stop(*, person: User, stopped: Stopped, now: dt.datetime) -> None:
    """Restore what a stop ended, unless it has changed since. Does nothing if the stop was undone before.

    The form of a page that was left open therefore changes nothing later.
    """
    lock_planning()
    stopped_at = dt.datetime.fromisoformat(stopped.at)
    stops = Stop.objects.filter(person=person, at=stopped_at)
    if stops.filter(undone_at__isnull=False).exists():
        return
    stops.update(undone_at=now)

    before_by_id = {before.subscription: before for before in stopped.subscriptions}
    is_address_suppressed = is_suppressed(person.email)
    ended_subscriptions = Subscription.objects.select_for_update().filter(
        pk__in=before_by_id, person=person, status=SubscriptionStatus.ENDED, ended_at=stopped_at
    )
    for subscription in ended_subscriptions.order_by("pk"):
        _restore_subscription(
            subscription, before_by_id[subscription.pk], is_address_suppressed=is_address_suppressed, now=now
        )

    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    if stopped.tells_matches:
        preference.tells_matches = True
        _restore_matches(person, stopped.matches)
        journal_matches(person, now=now, undone=True)
    if preference.refused_at == stopped_at:
        preference.refused_at = _parse_moment(stopped.refused_at)
        if preference.refused_at is None:
            journal_refusal(person, now=now, undone=True)
    preference.save(update_fields=["tells_matches", "refused_at"])
    _restore_notices(person, preference, stopped, now=now)
    if stopped.single is not None:
        kind, kept = stopped.single
        single_stop(kind).renew(person=person, kept=kept, now=now)
    catch_up(people=[person.pk], now=now)


def _restore_subscription(
    subscription: Subscription, before: Before, *, is_address_suppressed: bool, now: dt.datetime
) -> None:
    """Restore a subscription to its state before the stop, or delete it if the stop created it."""
    record_event(subscription, EventKind.STOP_UNDONE, author=subscription.person, now=now)
    if not before.status:
        journal_subscription(subscription, now=now, undone=True)
        subscription.delete()
        return
    subscription.status = before.status
    subscription.ended_at = None
    subscription.reason = ""
    subscription.refused_at = _parse_moment(before.refused_at)
    if not subscription.is_ended:
        _adapt_to_suppression(subscription, is_suppressed=is_address_suppressed)
    subscription.save(update_fields=["status", "stopped_from", "ended_at", "reason", "refused_at"])
    journal_subscription(subscription, now=now, undone=not subscription.is_ended)


def _adapt_to_suppression(subscription: Subscription, *, is_suppressed: bool) -> None:
    """Adapt the status of a restored subscription: its address may have been suppressed or released since the stop."""
    was_suppressed = subscription.status == SubscriptionStatus.SUPPRESSED
    if is_suppressed and not was_suppressed:
        subscription.stopped_from = subscription.status
        subscription.status = SubscriptionStatus.SUPPRESSED
    elif was_suppressed and not is_suppressed:
        subscription.status = subscription.stopped_from or SubscriptionStatus.ASKED
        subscription.stopped_from = ""


def _waiting_matches(person: User) -> tuple[tuple[int, int, str], ...]:
    """Return the matches that wait to be sent: ask, offer, and when the match was found."""
    notices = MatchNotice.objects.filter(recipient=person, told_at=None).order_by("pk")
    return tuple(
        (ask_id, offer_id, noted_at.isoformat())
        for ask_id, offer_id, noted_at in notices.values_list("ask", "offer", "noted_at")
    )


def _restore_matches(person: User, matches: Iterable[tuple[int, int, str]]) -> None:
    """Make matches wait to be sent again, if both sides still exist."""
    entry_ids = {entry_id for ask_id, offer_id, _ in matches for entry_id in (ask_id, offer_id)}
    existing_ids = set(Entry.objects.filter(pk__in=entry_ids).values_list("pk", flat=True))
    MatchNotice.objects.bulk_create(
        [
            MatchNotice(
                recipient=person, ask_id=ask_id, offer_id=offer_id, noted_at=dt.datetime.fromisoformat(noted_at)
            )
            for ask_id, offer_id, noted_at in matches
            if {ask_id, offer_id} <= existing_ids
        ],
        ignore_conflicts=True,
    )


def _parse_moment(text: str) -> dt.datetime | None:
    """Return the time in an ISO text; None for an empty text."""
    return dt.datetime.fromisoformat(text) if text else None


def _state_of(subscription: Subscription) -> Before:
    """Return the state of a subscription before a stop changes it."""
    refused_at = subscription.refused_at.isoformat() if subscription.refused_at else ""
    return Before(subscription.pk, subscription.status, refused_at)


def _stop_target(person: User, target: Target, *, reason: str, now: dt.datetime) -> Before | None:
    """Refuse one plan or subject, even if only a wider subscription covers it.

    Returns the state of the target's own subscription before; None if the person does not follow the target.
    """
    covering_subscriptions = covering_subject(person, target)
    if not covering_subscriptions:
        return None
    own_subscription = Subscription.objects.select_for_update().filter(person=person, **fields_of(target)).first()
    if own_subscription is not None and not own_subscription.is_ended:
        state_before = _state_of(own_subscription)
        stop(subscriptions=[own_subscription], author=person, reason=reason, now=now)
        return state_before

    # Only a wider subscription covers the target, so the refusal is stored in an ended subscription to the target
    # itself.
    refused_values: dict[str, Any] = {
        "status": SubscriptionStatus.ENDED,
        "ended_at": now,
        "refused_at": now,
        "reason": reason[:300],
    }
    if own_subscription is not None:
        state_before = _state_of(own_subscription)
        for field_name, value in refused_values.items():
            setattr(own_subscription, field_name, value)
        own_subscription.save(update_fields=list(refused_values))
    else:
        closest = covering_subscriptions[0]
        own_subscription = Subscription.objects.create(
            person=person,
            **fields_of(target),
            how=closest.how,
            added_by=closest.added_by,
            added_for=closest.added_for,
            why=closest.why,
            asked_at=now,
            **refused_values,
        )
        state_before = Before(own_subscription.pk, status="")
    journal_subscription(own_subscription, now=now)
    record_event(own_subscription, EventKind.ENDED, author=person, now=now, reason=reason)
    return state_before


def _stop_matches(person: User, *, now: dt.datetime) -> bool:
    """Stop emails about matches, and return whether the person got them before."""
    MatchNotice.objects.filter(recipient=person, told_at=None).delete()
    got_matches = Preference.objects.filter(person=person, tells_matches=True).update(tells_matches=False) > 0
    if got_matches:
        journal_matches(person, now=now)
    return got_matches


# ---- The undo token, which is in a form on the page of a stop, so that only this page can undo the stop


def undo_token(stopped: Stopped) -> str:
    """Return the stop as a signed token for the form that undoes it."""
    return Signer(salt="digests.undo").sign_object(asdict(stopped), compress=True)


def read_undo(token: str, *, person: User, now: dt.datetime) -> Stopped:
    """Return the stop from the token of a form. Raises `UnableToUndo`."""
    try:
        stopped = _parse_stopped(Signer(salt="digests.undo").unsign_object(token))
    except (BadSignature, TypeError, ValueError) as error:  # the last two come from tokens made by earlier releases
        raise UnableToUndo(_TOO_LATE_TO_UNDO) from error
    if stopped.person != person.pk or now - dt.datetime.fromisoformat(stopped.at) > UNDO_WITHIN:
        raise UnableToUndo(_TOO_LATE_TO_UNDO)
    return stopped


def _parse_stopped(stop_data: dict[str, Any]) -> Stopped:
    """Return a stop from its JSON, in which tuples are lists; earlier releases wrote no ways, notices and single."""
    parsed_values = {
        "subscriptions": tuple(Before(**before) for before in stop_data["subscriptions"]),
        "matches": tuple((ask_id, offer_id, noted_at) for ask_id, offer_id, noted_at in stop_data["matches"]),
        "ways": tuple((group, way) for group, way in stop_data.get("ways", ())),
        "notices": tuple(stop_data.get("notices", ())),
        "single": tuple(stop_data["single"]) if stop_data.get("single") else None,
    }
    return Stopped(**stop_data | parsed_values)
