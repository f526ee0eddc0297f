"""Composes the claimed emails of this room, and records what each contains or why it is not sent.

This module reads and writes the database; `rendering` only turns values into messages.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Protocol

from partnerships.digests.emails import notices, rendering
from partnerships.digests.emails.batch_contents import (
    Contents,
    ReportedContent,
    contents_of,
    privacy_notices,
    record_content,
)
from partnerships.digests.emails.entries import waiting_in
from partnerships.digests.emails.event_filter import emails_with_closed_events
from partnerships.digests.emails.links import links_are_current
from partnerships.digests.emails.own_lists import MAX_WAITING
from partnerships.digests.emails.plan_items import items_of, write_items
from partnerships.digests.emails.recipients import Candidate, add_missing_keys, candidates_for
from partnerships.digests.emails.selecting import select
from partnerships.digests.emails.subject_items import subject_items_of, write_subjects
from partnerships.digests.emails.subjects import select_subjects
from partnerships.digests.emails.successions import write_successions
from partnerships.digests.emails.wording import SUMMARY_OFTEN
from partnerships.digests.models import (
    Delivery,
    DeliveryKind,
    Preference,
    Subscription,
    SubscriptionStatus,
)
from partnerships.digests.planning.matches import discard_matches
from partnerships.digests.planning.notices import add_digests
from partnerships.digests.queries.naming import may_still_be_asked
from partnerships.digests.queries.readers import lost_access
from partnerships.kit.database import rows_planned_once
from partnerships.kit.waiting import WaitingTask
from partnerships.outbox import kinds
from partnerships.outbox.content import ids_to_repeat
from partnerships.outbox.models import EmailReason, EmailStatus
from partnerships.outbox.parts import bodies_of_recipes
from partnerships.outbox.queries.suppressions import SUPPRESSED

#: Reasons that at least this many emails of a batch share are stored once, not in each email.
_COMMON = 5

#: Selects the emails that may no longer be sent: the reader left, stopped, paused or answered, or the address bounced.
_NO_LONGER_SENDABLE = f"""
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
    """The type of `services.give_up_asking`, which ends a question that may no longer be sent.

    The composer gets the service as an argument, because services import this module.
    """

    def __call__(self, *, subscription: Subscription, now: dt.datetime) -> None: ...


class DigestComposer(kinds.Composer):
    """Composes digests, confirmations, emails with new links, and emails about successions."""

    def __init__(self, give_up_asking: GiveUpAsking) -> None:
        self._give_up_asking = give_up_asking

    def candidates(self, due_emails: Sequence[kinds.DueEmail], *, now: dt.datetime) -> list[kinds.Candidate]:
        """Return the emails with their recipients; digests of people who have paused are held back."""
        return candidates_for(due_emails, now=now)

    def compose(self, candidates: Sequence[kinds.Candidate], batch: kinds.Batch, *, now: dt.datetime) -> None:
        """Compose each email, or set it aside with a reason."""
        digest_candidates = [email for email in candidates if isinstance(email, Candidate)]
        if digest_candidates:
            add_missing_keys(digest_candidates)
            for subscription in _compose(digest_candidates, batch, now=now):
                self._give_up_asking(subscription=subscription, now=now)

    def refused(self, candidates: Sequence[kinds.Candidate], *, now: dt.datetime) -> None:
        """Discard the matches that were to be sent to the recipients of refused emails."""
        discard_matches([email.due.person_id for email in candidates if email.due.person_id is not None], now=now)

    def no_longer_allowed(self, checks: dict[int, ReportedContent], *, now: dt.datetime) -> set[int]:
        """Return the emails whose reader paused, left, stopped, bounced or lost access after composing."""
        if not checks:
            return set()
        reported_plans = [plan for content in checks.values() for plan in content.plans]
        reported_events = [events for content in checks.values() for events in content.events]
        rows = rows_planned_once(_NO_LONGER_SENDABLE, {"ids": list(checks), "now": now}, generic_plan=True)
        unsendable_ids = {pk for (pk,) in rows}
        return (
            unsendable_ids | lost_access(reported_plans, now=now) | emails_with_closed_events(reported_events, now=now)
        )


@dataclass(slots=True)
class BatchComposition:
    """A batch while it is composed, with what must be recorded besides the messages."""

    batch: kinds.Batch
    #: The ids of people who get their first email, which contains the privacy notice.
    introduced: list[int] = field(default_factory=list)
    #: Questions to people with an account that may no longer be sent.
    unaskable: list[Subscription] = field(default_factory=list)

    def set_aside(self, email: Candidate, reason: str, status: str = EmailStatus.SUPPRESSED, code: str = "") -> None:
        """Settle an email without sending it."""
        self.batch.set_aside.append(kinds.SetAside(email.pk, status, reason, code))

    def cannot_compose(self, email: Candidate, error: Exception) -> None:
        """Settle an email as failed, because composing it raised an error."""
        code = EmailReason.NOT_COMPOSED
        self.set_aside(email, code.in_full(f"{type(error).__name__}: {error}"), EmailStatus.FAILED, code)


def _compose(candidates: Sequence[Candidate], batch: kinds.Batch, *, now: dt.datetime) -> list[Subscription]:
    """Compose all emails of a batch, and return the questions to give up because they may no longer be sent."""
    composition = BatchComposition(batch)
    date = format_datetime(now.astimezone(dt.UTC))

    # Digests and emails about successions are composed together, because their readers share most of the content.
    digests = [email for email in candidates if email.kind == DeliveryKind.DIGEST]
    _compose_digests(digests, composition, date=date, now=now)
    successions = [email for email in candidates if email.kind == DeliveryKind.SUCCESSION]
    succession_messages = write_successions(successions, privacy_notices(successions), date=date, now=now)
    batch.messages |= succession_messages

    for email in candidates:
        if email.kind == DeliveryKind.CONFIRMATION:
            _compose_confirmation(email, composition, date=date, now=now)
        elif email.kind == DeliveryKind.LINKS:
            _compose_links(email, composition, date=date, now=now)
        elif email.kind == DeliveryKind.SUCCESSION and email.pk not in succession_messages:
            composition.set_aside(email, "The recipient no longer follows these records, or can no longer read them.")
        batch.checks.setdefault(email.pk, ReportedContent())
    if composition.introduced:
        Preference.objects.filter(person__in=composition.introduced, introduced_at=None).update(introduced_at=now)
    return composition.unaskable


def _compose_digests(
    candidates: Sequence[Candidate], composition: BatchComposition, *, date: str, now: dt.datetime
) -> None:
    """Compose all digests of a batch together, so that content which they share is read once."""
    if not candidates:
        return
    _drop_incomplete(candidates)
    stakeholder_ids = {email.person_id for email in candidates if email.is_stakeholder}
    # A digest that is sent for the second time must not contain more than the first time.
    frozen_ids = {email.pk for email in candidates if email.recipe is not None or email.is_repeat}
    selected = select(items_of(candidates), stakeholder_ids=stakeholder_ids, frozen_ids=frozen_ids, now=now)
    changed = select_subjects(
        subject_items_of(candidates),
        stakeholder_ids=stakeholder_ids,
        frozen_ids=frozen_ids,
        repeat_ids={email.pk for email in candidates if email.is_repeat},
        now=now,
    )
    write_items(selected)
    write_subjects(changed)
    record_content(selected, changed, candidates, composition.batch)

    contents = contents_of(candidates, selected, changed, now=now)
    for email in candidates:
        _compose_digest(email, contents, composition, date=date, now=now)

    # A digest of notices alone gets no item in the inbox, because its notices are items there already.
    emails_with_news = [email for email in candidates if contents.blocks.get(email.pk) or email.pk in contents.matches]
    reader_by_email = {
        email.pk: email.person_id
        for email in emails_with_news
        if not email.is_stakeholder and email.pk in composition.batch.messages
    }
    add_digests(reader_by_email, now=now)


def _compose_digest(
    email: Candidate, contents: Contents, composition: BatchComposition, *, date: str, now: dt.datetime
) -> None:
    """Compose one digest into the batch, or set it aside with the reason."""
    batch, blocks = composition.batch, contents.blocks.get(email.pk, [])
    batch.told[email.pk] = [*batch.told[email.pk], *contents.told[email.pk]]
    batch.notices[email.pk] = contents.summary.hashes.get(email.pk, [])
    notice_lines = contents.summary.lines.get(email.pk, ())
    if not blocks and email.pk not in contents.matches and not notice_lines:
        _set_aside_empty(email, contents, composition)
        return

    open_tasks = contents.waiting.get(email.person_id, [])
    shown_tasks = waiting_in(notice_lines, open_tasks, limit=MAX_WAITING)
    batch.memos[email.pk] = [memo_of(task) for task in shown_tasks]
    if email.recipe is not None and email.pk not in contents.altered and _may_go_unchanged(email, open_tasks):
        batch.again.append(email)
        return

    try:
        batch.messages[email.pk] = rendering.digest(
            email.addressee,
            _content_of(email, contents),
            delivery_id=email.pk,
            message_id=email.due.message_id,
            zone=email.to.zone,
            date=date,
            now=now,
        )
    except (ValueError, UnicodeError, KeyError) as error:
        composition.cannot_compose(email, error)
        return
    if contents.notices.get(email.person_id):
        composition.introduced.append(email.person_id)


def _set_aside_empty(email: Candidate, contents: Contents, composition: BatchComposition) -> None:
    """Set a digest without content aside, with the reason why nothing is left in it."""
    if email.pk in contents.lost:
        composition.set_aside(email, "The recipient no longer follows these records, or can no longer read them.")
    elif email.due.in_doubt or email.is_repeat:
        composition.set_aside(
            email, "The recipient has already read everything in the email, or can no longer read it."
        )
    else:
        composition.set_aside(email, "There was nothing new.", EmailStatus.DROPPED)


def _content_of(email: Candidate, contents: Contents) -> rendering.DigestContent:
    """Return the content of one digest of the batch."""
    blocks, matches = contents.blocks.get(email.pk, []), contents.matches.get(email.pk, ())
    reasons, frequency = contents.reasons[email.pk], contents.frequencies[email.pk]
    if not blocks and not matches:  # a summary of notices alone
        frequency = SUMMARY_OFTEN
    return rendering.DigestContent(
        blocks=blocks,
        matches=matches,
        lines=contents.summary.lines.get(email.pk, ()),
        waiting=contents.waiting.get(email.person_id, []),
        because=reasons,
        how_often=frequency,
        notice=contents.notices.get(email.person_id, ""),
        is_common=contents.alike[(*reasons, frequency)] >= _COMMON,
        can_reply=email.pk in contents.open_to_reply,
    )


def _may_go_unchanged(email: Candidate, waiting: Sequence[WaitingTask]) -> bool:
    """Return True if the stored message of an email in doubt may be sent again as it is.

    Its address and links must be current, and every task in it must still be open and readable for the reader.
    """
    if email.recipe is None or email.due.address.lower() != email.address.lower():
        return False
    open_task_memos = {memo_of(task) for task in waiting}
    if not open_task_memos.issuperset(email.due.memo or ()):
        return False
    return links_are_current(email.recipe.tokens, email.link_key)


def memo_of(task: WaitingTask) -> str:
    """Return a hash that identifies an open task, so that its text need not be stored."""
    return hashlib.sha256(f"{task.action} {task.path}".encode()).hexdigest()[:20]


def _drop_incomplete(candidates: Iterable[Candidate]) -> None:
    """Drop stored messages with parts that are no longer stored, so that these emails are composed again."""
    emails_with_recipe = [(email, email.recipe) for email in candidates if email.recipe is not None]
    stored_part_ids = bodies_of_recipes(recipe for _, recipe in emails_with_recipe).keys()
    for email, recipe in emails_with_recipe:
        if not stored_part_ids >= set(recipe.part_ids):
            email.recipe = None


def _compose_confirmation(email: Candidate, composition: BatchComposition, *, date: str, now: dt.datetime) -> None:
    """Compose the question to one subscriber, or set it aside if it is answered or no longer allowed."""
    asked_subscriptions = Subscription.objects.for_listing().filter(status=SubscriptionStatus.ASKED)
    subscription = asked_subscriptions.filter(pk=email.due.params.get("subscription", 0)).first()
    if subscription is None:
        composition.set_aside(email, "The question was answered or withdrawn before the email was sent.")
    elif not may_still_be_asked(subscription, now):
        composition.set_aside(
            email, "The recipient, or the organisation that asked, can no longer read what the digests are about."
        )
        if not email.is_stakeholder:  # retention forgets people without an account who never answered
            composition.unaskable.append(subscription)
    elif email.pk in ids_to_repeat([email]):
        composition.batch.again.append(email)
    else:
        try:
            composition.batch.messages[email.pk] = notices.confirmation(
                email.addressee, subscription, message_id=email.due.message_id, date=date, now=now
            )
        except (ValueError, UnicodeError) as error:
            composition.cannot_compose(email, error)
            return
        if email.is_stakeholder and not email.is_introduced:
            composition.introduced.append(email.person_id)


def _compose_links(email: Candidate, composition: BatchComposition, *, date: str, now: dt.datetime) -> None:
    """Compose an email with new links, among them a link to the last digest that the person got."""
    if email.pk in ids_to_repeat([email]):
        composition.batch.again.append(email)
        return
    sent_digests = Delivery.objects.filter(recipient=email.person_id, kind=DeliveryKind.DIGEST, status=EmailStatus.SENT)
    try:
        composition.batch.messages[email.pk] = notices.links(
            email.addressee,
            delivery_id=email.pk,
            last_digest=sent_digests.order_by("-pk").values_list("pk", flat=True).first(),
            message_id=email.due.message_id,
            date=date,
            now=now,
        )
    except (ValueError, UnicodeError) as error:
        composition.cannot_compose(email, error)
