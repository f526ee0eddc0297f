"""Services that undo a stop of emails, and the token by which a page can undo it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import transaction

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
from partnerships.digests.models.stops import UNDO_PERIOD
from partnerships.digests.planning.notices import reschedule_notices
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import catch_up
from partnerships.digests.queries.stoppable import single_stop
from partnerships.digests.queries.ways import ways_of
from partnerships.digests.services.inbox import choose_ways
from partnerships.digests.services.journal_lines import journal_matches, journal_refusal, journal_subscription
from partnerships.digests.services.recording import record_event
from partnerships.digests.services.stopping_from_email import StateBefore, StopRecord
from partnerships.exchange.models import Entry
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.people.models import User

_TOO_LATE_TO_UNDO = "You can no longer undo this. Choose again what you want digests about."


class UnableToUndo(Exception):
    """The undo token is too old, is invalid or belongs to another person."""


def last_stop(person: User, *, now: dt.datetime) -> StopRecord | None:
    """Return the person's last stop that can still be undone; None if there is none."""
    stops = Stop.objects.filter(person=person, undone_at=None, at__gt=now - UNDO_PERIOD)
    newest_stop = stops.order_by("-at", "-pk").first()
    return _parse_stopped(newest_stop.before) if newest_stop else None


@transaction.atomic
def undo_stop(*, person: User, stopped: StopRecord, now: dt.datetime) -> None:
    """Restore what a stop ended, unless it has changed since. Does nothing if the stop was undone before.

    The form of a page that was left open therefore changes nothing later.
    """
    lock_planning()
    stopped_at = dt.datetime.fromisoformat(stopped.at)
    stops = Stop.objects.filter(person=person, at=stopped_at)
    if stops.filter(undone_at__isnull=False).exists():
        return
    stops.update(undone_at=now)

    _restore_subscriptions(person, stopped, now=now)
    preference = _restore_preference(person, stopped, now=now)
    _restore_notices(person, preference, stopped, now=now)
    if stopped.single is not None:
        kind, values = stopped.single
        single_stop(kind).renew(person=person, kept=values, now=now)
    catch_up(people=[person.pk], now=now)


def _restore_subscriptions(person: User, stopped: StopRecord, *, now: dt.datetime) -> None:
    """Restore the subscriptions that the stop ended and that have not changed since."""
    before_by_id = {before.subscription: before for before in stopped.subscriptions}
    is_address_suppressed = is_suppressed(person.email)
    ended_subscriptions = Subscription.objects.select_for_update().filter(
        pk__in=before_by_id,
        person=person,
        status=SubscriptionStatus.ENDED,
        ended_at=dt.datetime.fromisoformat(stopped.at),
    )
    for subscription in ended_subscriptions.order_by("pk"):
        _restore_subscription(
            subscription, before_by_id[subscription.pk], is_address_suppressed=is_address_suppressed, now=now
        )


def _restore_preference(person: User, stopped: StopRecord, *, now: dt.datetime) -> Preference:
    """Restore matches, and withdraw the refusal of emails if it was made by the stop. Return the preference."""
    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    if stopped.tells_matches:
        preference.tells_matches = True
        _restore_matches(person, stopped.matches)
        journal_matches(person, now=now, undone=True)
    if preference.refused_at == dt.datetime.fromisoformat(stopped.at):
        preference.refused_at = _parse_moment(stopped.refused_at)
        if preference.refused_at is None:
            journal_refusal(person, now=now, undone=True)
    preference.save(update_fields=["tells_matches", "refused_at"])
    return preference


def _restore_subscription(
    subscription: Subscription, before: StateBefore, *, is_address_suppressed: bool, now: dt.datetime
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


def _restore_notices(person: User, preference: Preference, stopped: StopRecord, *, now: dt.datetime) -> None:
    """Send notices as before the stop, unless the person has changed the way of their group since."""
    ways_now = ways_of(person)
    ways = {group: way for group, way in stopped.ways if ways_now[group] == NoticeDelivery.INBOX}
    choose_ways(person=person, ways=ways, author=person, now=now)
    items = InboxItem.objects.unread().filter(person=person, pk__in=stopped.notices, group__in=ways, told_at=None)
    items.update(due_at=now)
    reschedule_notices(person, preference, now=now)


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


# ---- The undo token, which is in a form on the page of a stop, so that only this page can undo the stop


def undo_token(stopped: StopRecord) -> str:
    """Return the stop as a signed token for the form that undoes it."""
    return Signer(salt="digests.undo").sign_object(asdict(stopped), compress=True)


def read_undo(token: str, *, person: User, now: dt.datetime) -> StopRecord:
    """Return the stop from the token of a form. Raises `UnableToUndo`."""
    try:
        stopped = _parse_stopped(Signer(salt="digests.undo").unsign_object(token))
    except (BadSignature, TypeError, ValueError) as error:  # the last two come from tokens made by earlier releases
        raise UnableToUndo(_TOO_LATE_TO_UNDO) from error
    if stopped.person != person.pk or now - dt.datetime.fromisoformat(stopped.at) > UNDO_PERIOD:
        raise UnableToUndo(_TOO_LATE_TO_UNDO)
    return stopped


def _parse_stopped(stop_data: dict[str, Any]) -> StopRecord:
    """Return a stop from its JSON, in which tuples are lists; earlier releases wrote no ways, notices and single."""
    parsed_values = {
        "subscriptions": tuple(StateBefore(**before) for before in stop_data["subscriptions"]),
        "matches": tuple((ask_id, offer_id, noted_at) for ask_id, offer_id, noted_at in stop_data["matches"]),
        "ways": tuple((group, way) for group, way in stop_data.get("ways", ())),
        "notices": tuple(stop_data.get("notices", ())),
        "single": tuple(stop_data["single"]) if stop_data.get("single") else None,
    }
    return StopRecord(**stop_data | parsed_values)
