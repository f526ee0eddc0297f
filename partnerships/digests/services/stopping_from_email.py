"""The stop link in emails: stop what one was about, and undo it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction

from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import MatchNotice, Preference, Subscription, SubscriptionStatus, Way
from partnerships.digests.models.targets import Target, fields_of
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import catch_up, drop_unfollowed
from partnerships.digests.queries.stoppable import covering_subject, stoppable_in
from partnerships.digests.services.inbox import choose_ways
from partnerships.digests.services.noting import journal_matches, journal_refusal, journal_subscription
from partnerships.digests.services.recording import record_event
from partnerships.digests.services.stopping import stop, stop_everything
from partnerships.people.models import User
from partnerships.plans.models import Plan

#: How long the page after a stop can undo it.
UNDO_WITHIN = dt.timedelta(days=1)


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

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to stop."""
        return not self.subscriptions and not self.tells_matches


@transaction.atomic
def stop_email(*, person: User, delivery: int, reason: str, now: dt.datetime) -> Stopped:
    """Stop what an email was about; everything, if that is already over.

    For one-click unsubscribe (RFC 8058): we cannot ask, and a stop must always stop something.
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
    reason: str,
    now: dt.datetime,
) -> Stopped:
    """Stop emails about these plans, subscriptions, matches and notices.

    Notices of these groups then come in the inbox alone.
    If a plan is followed through its partnership or an owner, only this plan is refused; the other plans continue.
    """
    before = [one for target in (*plans, *subjects) if (one := _stop_target(person, target, reason=reason, now=now))]
    chosen = Subscription.objects.live().filter(person=person, pk__in=[one.pk for one in subscriptions])
    before += _state_before(chosen)
    stop(subscriptions=chosen, author=person, reason=reason, now=now)
    drop_unfollowed([person.pk])
    choose_ways(person=person, ways=dict.fromkeys(groups, Way.INBOX), author=person, now=now)
    told_of_matches = matches and _stop_matches(person, now=now)
    return Stopped(person.pk, now.isoformat(), tuple(before), told_of_matches)


@transaction.atomic
def stop_all(*, person: User, reason: str, now: dt.datetime) -> Stopped:
    """Stop all of a person's emails at their own request."""
    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    before = _state_before(Subscription.objects.live().filter(person=person))
    refused_at = preference.refused_at.isoformat() if preference.refused_at else ""
    stop_everything(person=person, author=person, reason=reason, now=now)
    tells = preference.tells_matches and not person.is_stakeholder
    return Stopped(person.pk, now.isoformat(), tuple(before), tells, refused_at)


@transaction.atomic
def undo_stop(*, person: User, stopped: Stopped, now: dt.datetime) -> None:
    """Restore what a stop ended, unless it changed since."""
    lock_planning()
    before = {one.subscription: one for one in stopped.subscriptions}
    at = dt.datetime.fromisoformat(stopped.at)
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
        subscription.save(update_fields=["status", "ended_at", "reason", "refused_at"])
        journal_subscription(subscription, now=now, undone=not subscription.is_ended)
    preference = Preference.objects.select_for_update().get(person=person)
    if stopped.tells_matches:
        preference.tells_matches = True
        journal_matches(person, now=now, undone=True)
    if preference.refused_at == at:
        preference.refused_at = _moment(stopped.refused_at)
        if preference.refused_at is None:
            journal_refusal(person, now=now, undone=True)
    preference.save(update_fields=["tells_matches", "refused_at"])
    catch_up(people=[person.pk], now=now)


def _moment(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _state_before(subscriptions: Iterable[Subscription]) -> list[Before]:
    return [Before(one.pk, one.status, one.refused_at.isoformat() if one.refused_at else "") for one in subscriptions]


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


# ---- The undo as a signed token in a form, so that only the page after a stop can undo it


def undo_token(stopped: Stopped) -> str:
    """A stop as a signed token for a form."""
    return TimestampSigner(salt="digests.undo").sign_object(asdict(stopped), compress=True)


def read_undo(token: str, *, person: User) -> Stopped:
    """The stop in a form's token; raises `UnableToUndo`."""
    try:
        said = TimestampSigner(salt="digests.undo").unsign_object(token, max_age=UNDO_WITHIN)
    except BadSignature as error:
        raise UnableToUndo("That can no longer be undone.") from error
    stopped = Stopped(**said | {"subscriptions": tuple(Before(**one) for one in said["subscriptions"])})
    if stopped.person != person.pk:
        raise UnableToUndo("That can no longer be undone.")
    return stopped
