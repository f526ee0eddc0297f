"""Services behind the stop link in emails: they stop the contents of an email, or everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import (
    InboxItem,
    MatchNotice,
    NoticeDelivery,
    Preference,
    Stop,
    Subscription,
    SubscriptionStatus,
)
from partnerships.digests.models.targets import Target, fields_of
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import drop_unfollowed
from partnerships.digests.queries.stoppable import Stoppable, covering_subject, single_stop, stoppable_in
from partnerships.digests.queries.ways import groups_in_summary, ways_of
from partnerships.digests.services.inbox import choose_ways
from partnerships.digests.services.journal_lines import journal_matches, journal_subscription
from partnerships.digests.services.recording import record_event
from partnerships.digests.services.stopping import stop, stop_everything
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class StateBefore:
    """The state of a subscription before a stop; `status` is "" if the stop created the subscription."""

    subscription: int
    status: str
    refused_at: str = ""


@dataclass(frozen=True, slots=True)
class StopRecord:
    """Everything that one stop ended, with its state before, so that the stop can be undone.

    It is stored as JSON, so the names of fields must not change.
    """

    person: int
    at: str
    subscriptions: tuple[StateBefore, ...] = ()
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
def stop_email(*, person: User, delivery_id: int, reason: str, now: dt.datetime) -> StopRecord:
    """Stop all contents of an email or, if it had none that can be stopped, all digests.

    This is for unsubscribing with one click (RFC 8058), where we cannot ask what to stop.
    """
    stoppable = stoppable_in(person, delivery_id)
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
) -> StopRecord:
    """Stop what a person has chosen on the page of a stop link: parts of an email, or whole subscriptions.

    * Plans and subjects: if the person follows a record through a wider subscription, such as a subscription to its
      partnership, only this record is refused, and the subscription continues for all others.
    * Groups: their notices then go to the inbox only.
    """
    lock_planning()  # before locking any row, in the same order as `undo_stop`
    states_before = _stop_targets(person, (*chosen.plans, *chosen.subjects), reason=reason, now=now)
    live_subscriptions = Subscription.objects.live().filter(person=person)
    pieces = live_subscriptions.filter(~Q(key=""), plan__in=[plan.pk for plan in chosen.plans])
    states_before += _stop_subscriptions(person, pieces, reason=reason, now=now)
    chosen_subscriptions = live_subscriptions.filter(pk__in=[subscription.pk for subscription in subscriptions])
    states_before += _stop_subscriptions(person, chosen_subscriptions, reason=reason, now=now)
    drop_unfollowed([person.pk])

    ways, notices = _stop_notices(person, chosen.groups, now=now)
    waiting_matches = _waiting_matches(person) if chosen.matches else ()
    has_stopped_matches = chosen.matches and _stop_matches(person, now=now)
    stopped_single = None
    if chosen.single is not None:
        kind = chosen.single.kind
        stopped_single = (kind, single_stop(kind).stop(person=person, params=chosen.single.params, now=now))
    return _save(
        StopRecord(
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


def _stop_targets(person: User, targets: Iterable[Target], *, reason: str, now: dt.datetime) -> list[StateBefore]:
    """Refuse these plans and subjects, and return the state of their subscriptions before."""
    states_before: list[StateBefore] = []
    for target in targets:
        state_before = _stop_target(person, target, reason=reason, now=now)
        if state_before is not None:
            states_before.append(state_before)
    return states_before


def _stop_subscriptions(
    person: User, subscriptions: QuerySet[Subscription], *, reason: str, now: dt.datetime
) -> list[StateBefore]:
    """End whole subscriptions, and return the state of each before."""
    states_before = [_state_of(subscription) for subscription in subscriptions]
    stop(subscriptions=subscriptions, author=person, reason=reason, now=now)
    return states_before


@transaction.atomic
def stop_all(*, person: User, reason: str, now: dt.datetime) -> StopRecord:
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
        StopRecord(
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
    changed_ways = tuple(
        (group, ways_before[group].value) for group in groups if ways_before[group] != NoticeDelivery.INBOX
    )
    items = InboxItem.objects.for_summary().filter(person=person, group__in=[group for group, _ in changed_ways])
    waiting_ids = tuple(items.order_by("pk").values_list("pk", flat=True))
    choose_ways(person=person, ways=dict.fromkeys(dict(changed_ways), NoticeDelivery.INBOX), author=person, now=now)
    return changed_ways, waiting_ids


def _save(stopped: StopRecord) -> StopRecord:
    """Save a stop so that a later visit can undo it, unless it stopped nothing, and return it."""
    if not stopped.is_empty:
        Stop.objects.create(person_id=stopped.person, at=dt.datetime.fromisoformat(stopped.at), before=asdict(stopped))
    return stopped


def _waiting_matches(person: User) -> tuple[tuple[int, int, str], ...]:
    """Return the matches that wait to be sent: ask, offer, and when the match was found."""
    notices = MatchNotice.objects.filter(recipient=person, told_at=None).order_by("pk")
    return tuple(
        (ask_id, offer_id, noted_at.isoformat())
        for ask_id, offer_id, noted_at in notices.values_list("ask", "offer", "noted_at")
    )


def _state_of(subscription: Subscription) -> StateBefore:
    """Return the state of a subscription before a stop changes it."""
    refused_at = subscription.refused_at.isoformat() if subscription.refused_at else ""
    return StateBefore(subscription.pk, subscription.status, refused_at)


def _stop_target(person: User, target: Target, *, reason: str, now: dt.datetime) -> StateBefore | None:
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

    state_before, refusal = _store_refusal(person, target, own_subscription, covering_subscriptions[0], reason, now)
    journal_subscription(refusal, now=now)
    record_event(refusal, EventKind.ENDED, author=person, now=now, reason=reason)
    return state_before


def _store_refusal(
    person: User,
    target: Target,
    own_subscription: Subscription | None,
    wider_subscription: Subscription,
    reason: str,
    now: dt.datetime,
) -> tuple[StateBefore, Subscription]:
    """Store the refusal of a target that only a wider subscription covers, in an ended subscription to the target.

    Returns the state of the target's own subscription before, and the ended subscription.
    """
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
        return state_before, own_subscription

    refusal = Subscription.objects.create(
        person=person,
        **fields_of(target),
        how=wider_subscription.how,
        added_by=wider_subscription.added_by,
        added_for=wider_subscription.added_for,
        why=wider_subscription.why,
        asked_at=now,
        **refused_values,
    )
    return StateBefore(refusal.pk, status=""), refusal


def _stop_matches(person: User, *, now: dt.datetime) -> bool:
    """Stop emails about matches, and return whether the person got them before."""
    MatchNotice.objects.filter(recipient=person, told_at=None).delete()
    got_matches = Preference.objects.filter(person=person, tells_matches=True).update(tells_matches=False) > 0
    if got_matches:
        journal_matches(person, now=now)
    return got_matches
