"""The stop link in emails: stop what one was about, and undo it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Q

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import (
    InboxItem,
    MatchNotice,
    Preference,
    Stop,
    Subscription,
    SubscriptionStatus,
    Way,
)
from partnerships.digests.models.stops import UNDO_WITHIN
from partnerships.digests.models.targets import Target, fields_of
from partnerships.digests.planning.notices import reschedule_notices
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import catch_up, drop_unfollowed
from partnerships.digests.queries.stoppable import Single, covering_subject, single_stop, stoppable_in
from partnerships.digests.queries.ways import groups_in_summary, ways_of
from partnerships.digests.services.inbox import choose_ways
from partnerships.digests.services.noting import journal_matches, journal_refusal, journal_subscription
from partnerships.digests.services.recording import record_event
from partnerships.digests.services.stopping import stop, stop_everything
from partnerships.exchange.models import Entry
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.people.models import User
from partnerships.plans.models import Plan


class UnableToUndo(Exception):
    """The undo token is too old, invalid or another person's."""


@dataclass(frozen=True, slots=True)
class Before:
    """A subscription before the stop; no `status` if the stop made it."""

    subscription: int
    status: str
    refused_at: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What one stop ended, and its state before."""

    person: int
    at: str
    subscriptions: tuple[Before, ...] = ()
    tells_matches: bool = False
    refused_at: str = ""
    #: Matches that waited to be told: ask, offer, and when each was noted.
    matches: tuple[tuple[int, int, str], ...] = ()
    #: Groups of notices that now come in the inbox only, and how they came before.
    ways: tuple[tuple[str, str], ...] = ()
    #: Items of the inbox that waited for the next summary.
    notices: tuple[int, ...] = ()
    #: The kind of email of one thing that was stopped, and what renews it.
    single: tuple[str, dict[str, Any]] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to stop."""
        return not self.subscriptions and not self.tells_matches and not self.ways and self.single is None


@transaction.atomic
def stop_email(*, person: User, delivery: int, reason: str, now: dt.datetime) -> Stopped:
    """Stop what an email was about; everything, if it was about nothing.

    For one-click unsubscribe (RFC 8058): we cannot ask. Only an old notice can have nothing left to stop (`stoppable`).
    """
    stoppable = stoppable_in(person, delivery)
    if not stoppable.had_any:
        return stop_all(person=person, reason=reason, now=now)
    return stop_chosen(
        person=person,
        plans=stoppable.plans,
        subjects=stoppable.subjects,
        matches=stoppable.matches,
        groups=stoppable.groups,
        single=stoppable.single,
        reason=reason,
        now=now,
    )


@transaction.atomic
def stop_chosen(
    *,
    person: User,
    plans: Iterable[Plan] = (),
    subjects: Iterable[Target] = (),
    subscriptions: Iterable[Subscription] = (),
    matches: bool = False,
    groups: Iterable[str] = (),
    single: Single | None = None,
    reason: str,
    now: dt.datetime,
) -> Stopped:
    """Stop emails about these plans, subscriptions, matches and notices, or the one thing of an email.

    Notices of these groups then come in the inbox only.
    If a plan is followed through its partnership or an owner, only this plan is refused; the other plans continue.
    """
    lock_planning()  # as undoing does, before any row
    before = [
        stopped for target in (*plans, *subjects) if (stopped := _stop_target(person, target, reason=reason, now=now))
    ]
    pieces = Subscription.objects.live().filter(~Q(key=""), person=person, plan__in=[plan.pk for plan in plans])
    before += _state_before(pieces)
    stop(subscriptions=pieces, author=person, reason=reason, now=now)
    chosen = Subscription.objects.live().filter(
        person=person, pk__in=[subscription.pk for subscription in subscriptions]
    )
    before += _state_before(chosen)
    stop(subscriptions=chosen, author=person, reason=reason, now=now)
    drop_unfollowed([person.pk])
    ways, notices = _stop_notices(person, groups, now=now)
    waiting = _matches_waiting(person) if matches else ()
    told_of_matches = matches and _stop_matches(person, now=now)
    renewed_by = single_stop(single.kind).stop(person=person, params=single.params, now=now) if single else {}
    return _keep(
        Stopped(
            person.pk,
            now.isoformat(),
            tuple(before),
            told_of_matches,
            matches=waiting,
            ways=ways,
            notices=notices,
            single=(single.kind, renewed_by) if single else None,
        )
    )


@transaction.atomic
def stop_all(*, person: User, reason: str, now: dt.datetime) -> Stopped:
    """Stop all of a person's digests at their own request.

    A summary is a digest: notices that came in it stay in the inbox.
    """
    lock_planning()  # as undoing does, before any row
    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    before = _state_before(Subscription.objects.live().filter(person=person))
    refused_at = preference.refused_at.isoformat() if preference.refused_at else ""
    waiting = _matches_waiting(person)
    ways, notices = _stop_notices(person, groups_in_summary(person), now=now)
    stop_everything(person=person, author=person, reason=reason, now=now)
    tells = preference.tells_matches and not person.is_stakeholder
    return _keep(
        Stopped(
            person=person.pk,
            at=now.isoformat(),
            subscriptions=tuple(before),
            tells_matches=tells,
            refused_at=refused_at,
            matches=waiting,
            ways=ways,
            notices=notices,
        )
    )


def _stop_notices(
    person: User, groups: Iterable[str], *, now: dt.datetime
) -> tuple[tuple[tuple[str, str], ...], tuple[int, ...]]:
    """Keep notices of these groups in the inbox. Returns how they came before, and which waited for a summary."""
    before = ways_of(person)
    ways = tuple((group, before[group].value) for group in groups if before[group] != Way.INBOX)
    items = InboxItem.objects.for_summary().filter(person=person, group__in=[group for group, _ in ways])
    waiting = tuple(items.order_by("pk").values_list("pk", flat=True))
    choose_ways(person=person, ways=dict.fromkeys(dict(ways), Way.INBOX), author=person, now=now)
    return ways, waiting


def _restore_notices(person: User, preference: Preference, stopped: Stopped, *, now: dt.datetime) -> None:
    """Let notices come as before the stop, in groups that nobody changed since."""
    today = ways_of(person)
    ways = {group: way for group, way in stopped.ways if today[group] == Way.INBOX}
    choose_ways(person=person, ways=ways, author=person, now=now)
    items = InboxItem.objects.unread().filter(person=person, pk__in=stopped.notices, group__in=ways, told_at=None)
    items.update(due_at=now)
    reschedule_notices(person, preference, now=now)


def _keep(stopped: Stopped) -> Stopped:
    """Store a stop, so that a later visit can undo it."""
    if not stopped.is_empty:
        Stop.objects.create(person_id=stopped.person, at=dt.datetime.fromisoformat(stopped.at), before=asdict(stopped))
    return stopped


def last_stop(person: User, *, now: dt.datetime) -> Stopped | None:
    """The person's last stop that can still be undone, or None."""
    stops = Stop.objects.filter(person=person, undone_at=None, at__gt=now - UNDO_WITHIN)
    newest_stop = stops.order_by("-at", "-pk").first()
    return _stopped(newest_stop.before) if newest_stop else None


@transaction.atomic
def undo_stop(*, person: User, stopped: Stopped, now: dt.datetime) -> None:
    """Restore what a stop ended, unless it changed since.

    Once: the form of a page that was kept open changes nothing later.
    """
    lock_planning()
    stops = Stop.objects.filter(person=person, at=dt.datetime.fromisoformat(stopped.at))
    if stops.filter(undone_at__isnull=False).exists():
        return
    stops.update(undone_at=now)
    before = {then.subscription: then for then in stopped.subscriptions}
    at = dt.datetime.fromisoformat(stopped.at)
    suppressed = is_suppressed(person.email)
    ended = Subscription.objects.select_for_update().filter(pk__in=before, person=person, ended_at=at)
    for subscription in ended.filter(status=SubscriptionStatus.ENDED).order_by("pk"):
        was = before[subscription.pk]
        record_event(subscription, EventKind.STOP_UNDONE, author=person, now=now)
        if not was.status:
            journal_subscription(subscription, now=now, undone=True)
            subscription.delete()
            continue
        subscription.status, subscription.ended_at, subscription.reason = was.status, None, ""
        subscription.refused_at = _moment(was.refused_at)
        if was.status != SubscriptionStatus.ENDED:
            _follow_address(subscription, suppressed=suppressed)
        subscription.save(update_fields=["status", "stopped_from", "ended_at", "reason", "refused_at"])
        journal_subscription(subscription, now=now, undone=not subscription.is_ended)
    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    if stopped.tells_matches:
        preference.tells_matches = True
        _wait_again(person, stopped.matches)
        journal_matches(person, now=now, undone=True)
    if preference.refused_at == at:
        preference.refused_at = _moment(stopped.refused_at)
        if preference.refused_at is None:
            journal_refusal(person, now=now, undone=True)
    preference.save(update_fields=["tells_matches", "refused_at"])
    _restore_notices(person, preference, stopped, now=now)
    if stopped.single is not None:
        kind, kept_of_it = stopped.single
        single_stop(kind).renew(person=person, kept=kept_of_it, now=now)
    catch_up(people=[person.pk], now=now)


def _follow_address(subscription: Subscription, *, suppressed: bool) -> None:
    """Give a restored subscription the status that its address allows today."""
    was_suppressed = subscription.status == SubscriptionStatus.SUPPRESSED
    if suppressed and not was_suppressed:
        subscription.stopped_from, subscription.status = subscription.status, SubscriptionStatus.SUPPRESSED
    elif was_suppressed and not suppressed:
        subscription.status, subscription.stopped_from = subscription.stopped_from or SubscriptionStatus.ASKED, ""


def _matches_waiting(person: User) -> tuple[tuple[int, int, str], ...]:
    rows = MatchNotice.objects.filter(recipient=person, told_at=None).order_by("pk")
    return tuple((ask, offer, at.isoformat()) for ask, offer, at in rows.values_list("ask", "offer", "noted_at"))


def _wait_again(person: User, matches: Iterable[tuple[int, int, str]]) -> None:
    """Let matches wait again, as far as both sides still exist."""
    numbers = {number for ask, offer, _ in matches for number in (ask, offer)}
    known_entries = set(Entry.objects.filter(pk__in=numbers).values_list("pk", flat=True))
    MatchNotice.objects.bulk_create(
        [
            MatchNotice(recipient=person, ask_id=ask, offer_id=offer, noted_at=dt.datetime.fromisoformat(at))
            for ask, offer, at in matches
            if {ask, offer} <= known_entries
        ],
        ignore_conflicts=True,
    )


def _moment(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _state_before(subscriptions: Iterable[Subscription]) -> list[Before]:
    return [
        Before(
            subscription.pk, subscription.status, subscription.refused_at.isoformat() if subscription.refused_at else ""
        )
        for subscription in subscriptions
    ]


def _stop_target(person: User, target: Target, *, reason: str, now: dt.datetime) -> Before | None:
    """Refuse one plan or subject, also where a wider subscription covers it."""
    through = covering_subject(person, target)
    if not through:
        return None
    own = Subscription.objects.select_for_update().filter(person=person, **fields_of(target)).first()
    if own is not None and not own.is_ended:
        [before] = _state_before([own])
        stop(subscriptions=[own], author=person, reason=reason, now=now)
        return before
    refused: dict[str, Any] = {
        "status": SubscriptionStatus.ENDED,
        "ended_at": now,
        "refused_at": now,
        "reason": reason[:300],
    }
    if own is not None:
        was = Before(own.pk, own.status, own.refused_at.isoformat() if own.refused_at else "")
        for name, value in refused.items():
            setattr(own, name, value)
        own.save(update_fields=list(refused))
    else:
        closest = through[0]
        own = Subscription.objects.create(
            person=person,
            **fields_of(target),
            how=closest.how,
            added_by=closest.added_by,
            added_for=closest.added_for,
            why=closest.why,
            asked_at=now,
            **refused,
        )
        was = Before(own.pk, "")
    journal_subscription(own, now=now)
    record_event(own, EventKind.ENDED, author=person, now=now, reason=reason)
    return was


def _stop_matches(person: User, *, now: dt.datetime) -> bool:
    """Stop new matches; return whether they were on."""
    MatchNotice.objects.filter(recipient=person, told_at=None).delete()
    were_on = bool(Preference.objects.filter(person=person, tells_matches=True).update(tells_matches=False))
    if were_on:
        journal_matches(person, now=now)
    return were_on


# ---- The undo token: signed, in a form, so that only the page of a stop can undo it


def undo_token(stopped: Stopped) -> str:
    """A stop as a signed token for a form."""
    return Signer(salt="digests.undo").sign_object(asdict(stopped), compress=True)


def read_undo(token: str, *, person: User, now: dt.datetime) -> Stopped:
    """The stop in a form's token; raises `UnableToUndo`."""
    try:
        stopped = _stopped(Signer(salt="digests.undo").unsign_object(token))
    except (BadSignature, TypeError, ValueError) as error:  # also a token of an earlier release
        raise UnableToUndo("That can no longer be undone.") from error
    if stopped.person != person.pk or now - dt.datetime.fromisoformat(stopped.at) > UNDO_WITHIN:
        raise UnableToUndo("That can no longer be undone.")
    return stopped


def _stopped(stop_data: dict[str, Any]) -> Stopped:
    before = tuple(Before(**before) for before in stop_data["subscriptions"])
    matches = tuple((ask, offer, at) for ask, offer, at in stop_data["matches"])
    ways = tuple((group, way) for group, way in stop_data.get("ways", ()))
    notices = tuple(stop_data.get("notices", ()))
    single = tuple(stop_data["single"]) if stop_data.get("single") else None
    read = {"subscriptions": before, "matches": matches, "ways": ways, "notices": notices, "single": single}
    return Stopped(**stop_data | read)
