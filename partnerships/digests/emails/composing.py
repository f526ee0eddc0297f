"""Composing claimed emails: what to send, if anything.

This module decides and writes; rendering takes values and returns messages.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any, Protocol

from django.conf import settings

from partnerships.digests.emails import notices, rendering
from partnerships.digests.emails.entries import waiting_in
from partnerships.digests.emails.plan_items import items_of, write_items
from partnerships.digests.emails.reasons import Why, how_often, reasons
from partnerships.digests.emails.recipients import Candidate, add_missing_keys, candidates_for
from partnerships.digests.emails.rendering import Block
from partnerships.digests.emails.replying import digests_open_to_reply
from partnerships.digests.emails.selecting import Selection, select
from partnerships.digests.emails.subject_items import subject_items_of, write_subjects
from partnerships.digests.emails.subjects import SubjectSelection, heard_no_longer, select_subjects
from partnerships.digests.emails.successions import write_successions
from partnerships.digests.emails.wording import SUMMARY_OFTEN, privacy_notice
from partnerships.digests.models import (
    Delivery,
    DeliveryKind,
    Preference,
    Subscription,
    SubscriptionStatus,
)
from partnerships.digests.planning.matches import MatchLine, discard_matches, matches_for_digests
from partnerships.digests.planning.notices import TakenNotices, add_digests, notices_for_digests
from partnerships.digests.queries.naming import may_still_be_asked
from partnerships.digests.queries.readers import lost_access
from partnerships.kit.database import rows_planned_once
from partnerships.kit.waiting import Waiting
from partnerships.outbox import kinds
from partnerships.outbox.content import repeatable
from partnerships.outbox.models import EmailReason, EmailStatus
from partnerships.outbox.parts import bodies
from partnerships.outbox.queries.suppressions import SUPPRESSED
from partnerships.people.models import User
from partnerships.work.queries import waiting_for_all

#: Reasons shared by this many emails of a batch are stored once, not in each email.
_COMMON = 5

# Of the emails asked about, those that may no longer leave.
_NOT_TO_LEAVE = f"""
SELECT c.id FROM unnest(%(ids)s::bigint[]) AS c(id) WHERE c.id NOT IN (
    SELECT d.id
      FROM outbox_email d
      JOIN people_user u ON u.id = d.person_id
      LEFT JOIN digests_preference p ON p.person_id = u.id
     WHERE d.id = ANY(%(ids)s)
       AND u.is_active
       AND NOT {SUPPRESSED}
       AND (d.kind NOT IN ('digests.digest', 'digests.succession') OR p.paused_until IS NULL
            OR p.paused_until <= (%(now)s::timestamptz AT TIME ZONE u.time_zone)::date
            OR p.paused_from > (%(now)s::timestamptz AT TIME ZONE u.time_zone)::date)
       AND (d.kind <> 'digests.confirmation'
            OR EXISTS (SELECT 1 FROM digests_subscription s
                        WHERE s.id = (d.params ->> 'subscription')::bigint AND s.status = 'asked' OFFSET 0)))
"""  # noqa: S608 - our own constants


class GiveUpAsking(Protocol):
    """The service that ends a question which may no longer be sent."""

    def __call__(self, *, subscription: Subscription, now: dt.datetime) -> None: ...


class DigestComposer(kinds.Composer):
    """Composes digests, confirmations, new links, and what successions changed."""

    def __init__(self, give_up_asking: GiveUpAsking) -> None:
        self._give_up_asking = give_up_asking

    def candidates(self, due_emails: Sequence[kinds.Due], *, now: dt.datetime) -> list[kinds.Candidate]:
        """Find the recipients; hold digests of people who have paused."""
        return candidates_for(due_emails, now=now)

    def compose(self, candidates: Sequence[kinds.Candidate], batch: kinds.Batch, *, now: dt.datetime) -> None:
        """Compose each email, or set it aside with a reason."""
        digest_candidates = [email for email in candidates if isinstance(email, Candidate)]
        if digest_candidates:
            add_missing_keys(digest_candidates)
            for subscription in _compose(digest_candidates, batch, now=now):
                self._give_up_asking(subscription=subscription, now=now)

    def refused(self, candidates: Sequence[kinds.Candidate], *, now: dt.datetime) -> None:
        """Discard the matches that wait for these people."""
        discard_matches([email.due.person_id for email in candidates if email.due.person_id is not None], now=now)

    def no_longer_allowed(self, checks: dict[int, Any], *, now: dt.datetime) -> set[int]:
        """The emails whose reader paused, left, stopped, bounced or lost access."""
        if not checks:
            return set()
        contents = [(pk, person, plan, news) for pk, (person, plans, _) in checks.items() for plan, news in plans]
        heard = [
            (pk, person, subject, told) for pk, (person, _, subjects) in checks.items() for subject, told in subjects
        ]
        rows = rows_planned_once(_NOT_TO_LEAVE, {"ids": list(checks), "now": now}, generic_plan=True)
        return {pk for (pk,) in rows} | lost_access(contents, now=now) | heard_no_longer(heard, now=now)


@dataclass(slots=True)
class Decided:
    """What composing decided, beside what the batch holds."""

    batch: kinds.Batch
    introduced: list[int] = field(default_factory=list)
    #: Questions to people with an account that may no longer be sent.
    unaskable: list[Subscription] = field(default_factory=list)

    def set_aside(self, email: Candidate, reason: str, status: str = EmailStatus.SUPPRESSED, code: str = "") -> None:
        """Settle one without sending it."""
        self.batch.set_aside.append(kinds.SetAside(email.pk, status, reason, code))

    def cannot_compose(self, email: Candidate, error: Exception) -> None:
        """Set one aside because composing it failed."""
        code = EmailReason.NOT_COMPOSED
        self.set_aside(email, code.in_full(f"{type(error).__name__}: {error}"), EmailStatus.FAILED, code)


def _compose(candidates: Sequence[Candidate], batch: kinds.Batch, *, now: dt.datetime) -> list[Subscription]:
    """Compose all and return the questions to give up."""
    decided = Decided(batch)
    date = format_datetime(now.astimezone(dt.UTC))
    digests = [email for email in candidates if email.kind == DeliveryKind.DIGEST]
    _compose_digests(digests, decided, date=date, now=now)
    successions = [email for email in candidates if email.kind == DeliveryKind.SUCCESSION]
    written = write_successions(successions, _notices(successions), date=date, now=now)
    batch.messages |= written
    for email in candidates:
        if email.kind == DeliveryKind.CONFIRMATION:
            _compose_confirmation(email, decided, date=date, now=now)
        elif email.kind == DeliveryKind.LINKS:
            _compose_links(email, decided, date=date, now=now)
        elif email.kind == DeliveryKind.SUCCESSION and email.pk not in written:
            decided.set_aside(email, "The person no longer follows these records, or can no longer read them.")
        batch.checks.setdefault(email.pk, (email.person_id, (), ()))
    if decided.introduced:
        Preference.objects.filter(person__in=decided.introduced, introduced_at=None).update(introduced_at=now)
    return decided.unaskable


@dataclass(slots=True)
class Contents:
    """What the digests of a batch contain; keys are emails, or people where noted."""

    blocks: dict[int, list[Block]]
    matches: dict[int, tuple[MatchLine, ...]]
    taken: TakenNotices
    waiting: dict[int, list[Waiting]]  # by person
    notices: dict[int, str]  # by person
    reasons: dict[int, list[str]]
    frequencies: dict[int, str]
    #: How many digests have the same reasons and frequency.
    alike: Counter[tuple[str, ...]]
    lost: set[int]
    #: Digests that must not be sent again unchanged.
    altered: set[int]
    #: Digests to which a reply could be used.
    open_to_reply: set[int]
    told: dict[int, list[list[int | str]]]  # matches and notices, for the journal


def _compose_digests(candidates: Sequence[Candidate], decided: Decided, *, date: str, now: dt.datetime) -> None:
    """Compose the digests of a batch together: items are selected and read once for all."""
    if not candidates:
        return
    _drop_incomplete(candidates)
    stakeholders = {email.person_id for email in candidates if email.is_stakeholder}
    frozen = {email.pk for email in candidates if email.recipe is not None or email.is_repeat}
    selected = select(items_of(candidates), stakeholders=stakeholders, frozen=frozen, now=now)
    changed = select_subjects(
        subject_items_of(candidates),
        stakeholders=stakeholders,
        frozen=frozen,
        repeats={email.pk for email in candidates if email.is_repeat},
        now=now,
    )
    write_items(selected)
    write_subjects(changed)
    _record_content(selected, changed, candidates, decided.batch)
    contents = _contents_of(candidates, selected, changed, now=now)
    for email in candidates:
        _compose_digest(email, contents, decided, date=date, now=now)
    with_news = [email for email in candidates if contents.blocks.get(email.pk) or email.pk in contents.matches]
    with_accounts = {email.pk: email.person_id for email in with_news if not email.is_stakeholder}
    add_digests({pk: person for pk, person in with_accounts.items() if pk in decided.batch.messages}, now=now)


def _record_content(
    selected: Selection, changed: SubjectSelection, candidates: Sequence[Candidate], batch: kinds.Batch
) -> None:
    """Note what each digest contains, for the checks before sending and for the journal."""
    checks: dict[int, list[tuple[int, str]]] = {}
    numbers: dict[int, list[list[int | str]]] = {}
    heard: dict[int, list[tuple[int, list[int]]]] = {}
    for record in changed.included:
        heard.setdefault(record.delivery_id, []).append((record.subject_id, record.told))
        subject = changed.subjects[record.subject_id]
        numbers.setdefault(record.delivery_id, []).append([subject.kind, subject.record_id, record.to_number])
    for item in selected.included:
        checks.setdefault(item.delivery_id, []).append((item.plan_id, item.reading_class))
        numbers.setdefault(item.delivery_id, []).append([item.plan_id, item.to_number])
    for email in candidates:
        pk = email.pk
        batch.checks[pk] = email.person_id, checks.get(pk, ()), heard.get(pk, ())
        batch.told[pk] = numbers.get(pk, [])


def _contents_of(
    candidates: Sequence[Candidate], selected: Selection, changed: SubjectSelection, *, now: dt.datetime
) -> Contents:
    """Everything the digests of a batch will say, by email; repeats keep what they said before."""
    because = reasons(selected.included, changed, now=now)
    blocks = {
        pk: [*selected.blocks.get(pk, ()), *changed.blocks.get(pk, ())] for pk in (email.pk for email in candidates)
    }
    recipients = {email.person_id: email.pk for email in candidates if not email.is_stakeholder and not email.is_repeat}
    in_doubt = {email.person_id for email in candidates if email.recipe is not None}
    matches, withdrawn, told = matches_for_digests(recipients, in_doubt, now=now)
    acts = {pk: {act for block in told_events for act in block.acts} for pk, told_events in blocks.items()}
    taken = notices_for_digests(recipients, in_doubt, acts, now=now)
    with_content = [
        email for email in candidates if email.pk in matches or email.pk in taken.lines or blocks.get(email.pk)
    ]
    whys = {email.pk: because.get(email.pk) or Why() for email in candidates}
    minutes = settings.DIGEST_SETTLE_MINUTES
    frequencies = {email.pk: _how_often(email, frozenset(whys[email.pk].frequencies), minutes) for email in candidates}
    altered = {item.delivery_id for item in (*selected.lost, *selected.silent, *selected.changed)} | changed.altered
    return Contents(
        blocks=blocks,
        matches=matches,
        taken=taken,
        waiting=waiting_for_all(_accounts(with_content), now),
        notices=_notices(candidates),
        reasons={pk: why.words for pk, why in whys.items()},
        frequencies=frequencies,
        alike=Counter((*whys[email.pk].words, frequencies[email.pk]) for email in candidates),
        lost={item.delivery_id for item in selected.lost} | {item.delivery_id for item, _ in changed.lost},
        altered=altered | withdrawn | taken.withdrawn,
        open_to_reply=digests_open_to_reply(with_content, blocks, taken.partnerships, now=now),
        told={pk: [*told.get(pk, ()), *taken.told.get(pk, ())] for pk in blocks},
    )


def _compose_digest(email: Candidate, contents: Contents, decided: Decided, *, date: str, now: dt.datetime) -> None:
    """Compose one digest into the batch, or set it aside with the reason."""
    batch, blocks = decided.batch, contents.blocks.get(email.pk, [])
    batch.told[email.pk] = [*batch.told[email.pk], *contents.told[email.pk]]
    batch.notices[email.pk] = contents.taken.hashes.get(email.pk, [])
    lines = contents.taken.lines.get(email.pk, ())
    if not blocks and email.pk not in contents.matches and not lines:
        if email.pk in contents.lost:
            decided.set_aside(email, "The person can no longer read what the email says, or stopped following it.")
        elif email.due.in_doubt or email.is_repeat:
            decided.set_aside(email, "Nothing in the email is new to the person, or they can no longer read it.")
        else:
            decided.set_aside(email, "There was nothing new.", EmailStatus.DROPPED)
        return
    waiting = contents.waiting.get(email.person_id, [])
    batch.memos[email.pk] = [memo_of(thing) for thing in waiting_in(lines, waiting, limit=rendering.MAX_WAITING)]
    if email.recipe is not None and email.pk not in contents.altered and _may_go_unchanged(email, waiting):
        batch.again.append(email)
        return
    notice = contents.notices.get(email.person_id, "")
    why, often = contents.reasons[email.pk], contents.frequencies[email.pk]
    if not blocks and email.pk not in contents.matches:
        often = SUMMARY_OFTEN
    digest_content = rendering.DigestContent(
        blocks=blocks,
        matches=contents.matches.get(email.pk, ()),
        lines=lines,
        waiting=waiting,
        because=why,
        how_often=often,
        notice=notice,
        is_common=contents.alike[(*why, often)] >= _COMMON,
        can_reply=email.pk in contents.open_to_reply,
    )
    try:
        batch.messages[email.pk] = rendering.digest(
            email.addressee,
            digest_content,
            delivery_id=email.pk,
            message_id=email.due.message_id,
            zone=email.to.zone,
            date=date,
            now=now,
        )
    except (ValueError, UnicodeError, KeyError) as error:
        decided.cannot_compose(email, error)
        return
    if notice:
        decided.introduced.append(email.person_id)


def _how_often(email: Candidate, chosen: frozenset[str], minutes: float) -> str:
    to = email.to
    return how_often(chosen, to.frequency, to.hour, to.weekday, to.working_days_of, to.zone, minutes)


def _may_go_unchanged(email: Candidate, waiting: Sequence[Waiting]) -> bool:
    """Whether an email in doubt may be sent again as it is.

    Its address and links must still be right, and everything it says is waiting must still wait and be readable.
    """
    waiting_memos = {memo_of(thing) for thing in waiting}
    return (
        email.due.address.lower() == email.address.lower()
        and waiting_memos.issuperset(email.due.memo or ())
        and email.recipe is not None
        and rendering.links_are_current(email.recipe.tokens, email.link_key)
    )


def memo_of(thing: Waiting) -> str:
    """A hash that stands for a waiting item, so that its text is not stored."""
    return hashlib.sha256(f"{thing.what} {thing.path}".encode()).hexdigest()[:20]


def _drop_incomplete(candidates: Iterable[Candidate]) -> None:
    """Compose emails in doubt again where a part is no longer stored."""
    frozen = [(email, email.recipe) for email in candidates if email.recipe is not None]
    stored_bodies = bodies(recipe for _, recipe in frozen)
    for candidate, recipe in frozen:
        if not stored_bodies.keys() >= set(recipe.part_ids):
            candidate.recipe = None


def _compose_confirmation(email: Candidate, decided: Decided, *, date: str, now: dt.datetime) -> None:
    """Compose the question to one subscriber, unless it was answered or may no longer be asked."""
    asked_subscriptions = Subscription.objects.for_listing().filter(status=SubscriptionStatus.ASKED)
    subscription = asked_subscriptions.filter(pk=email.due.params.get("subscription", 0)).first()
    if subscription is None:
        decided.set_aside(email, "The question was answered or withdrawn before the email was sent.")
    elif not may_still_be_asked(subscription, now):
        decided.set_aside(email, "The person, or the organisation that asked, can no longer read what the digests say.")
        if not email.is_stakeholder:  # retention forgets people without an account who never answered
            decided.unaskable.append(subscription)
    elif email.pk in repeatable([email]):
        decided.batch.again.append(email)
    else:
        try:
            decided.batch.messages[email.pk] = notices.confirmation(
                email.addressee, subscription, message_id=email.due.message_id, date=date, now=now
            )
        except (ValueError, UnicodeError) as error:
            decided.cannot_compose(email, error)
            return
        if email.is_stakeholder and not email.is_introduced:
            decided.introduced.append(email.person_id)


def _compose_links(email: Candidate, decided: Decided, *, date: str, now: dt.datetime) -> None:
    if email.pk in repeatable([email]):
        decided.batch.again.append(email)
        return
    last = Delivery.objects.filter(recipient=email.person_id, kind=DeliveryKind.DIGEST, status=EmailStatus.SENT)
    try:
        decided.batch.messages[email.pk] = notices.links(
            email.addressee,
            delivery_id=email.pk,
            last_digest=last.order_by("-pk").values_list("pk", flat=True).first(),
            message_id=email.due.message_id,
            date=date,
            now=now,
        )
    except (ValueError, UnicodeError) as error:
        decided.cannot_compose(email, error)


def _accounts(candidates: Iterable[Candidate]) -> list[User]:
    """The recipients with an account: only they have items waiting."""
    ids = [email.person_id for email in candidates if not email.is_stakeholder]
    return list(User.objects.filter(pk__in=ids)) if ids else []


def _notices(candidates: Collection[Candidate]) -> dict[int, str]:
    """Each stakeholder's privacy notice, by person, for their first email."""
    candidates = [email for email in candidates if email.is_stakeholder and not email.is_introduced]
    if not candidates:
        return {}
    subscriptions = (
        Subscription.objects.filter(person__in=[email.person_id for email in candidates], added_for__isnull=False)
        .select_related("added_for", "added_by")
        .order_by("-asked_at", "-pk")
    )
    return {subscription.person_id: privacy_notice(subscription) for subscription in subscriptions}
