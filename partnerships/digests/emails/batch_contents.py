"""Collects the contents of a batch of digests with a few queries for the whole batch."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from partnerships.digests.emails.blocks import Block
from partnerships.digests.emails.event_filter import ReportedEvents
from partnerships.digests.emails.reasons import DigestReasons, how_often, reasons
from partnerships.digests.emails.recipients import Candidate
from partnerships.digests.emails.replying import digests_open_to_reply
from partnerships.digests.emails.selecting import Selection
from partnerships.digests.emails.subjects import SubjectSelection
from partnerships.digests.emails.wording import privacy_notice
from partnerships.digests.models import Subscription
from partnerships.digests.planning.matches import MatchLine, matches_for_digests
from partnerships.digests.planning.notices import DigestNotices, notices_for_digests
from partnerships.digests.queries.readers import ReportedPlan
from partnerships.kit.waiting import WaitingTask
from partnerships.outbox import kinds
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_people


@dataclass(slots=True)
class Contents:
    """The contents of a batch of digests. The keys are ids of emails, or of people where noted."""

    #: News of plans and sections about other subjects.
    blocks: dict[int, list[Block]]
    matches: dict[int, tuple[MatchLine, ...]]
    summary: DigestNotices
    #: Open tasks of each person, by the id of the person.
    waiting: dict[int, list[WaitingTask]]
    #: Privacy notices, by person.
    notices: dict[int, str]
    #: Why people get each digest, in texts that follow the word "because".
    reasons: dict[int, list[str]]
    #: The sentence about how often digests are sent.
    frequencies: dict[int, str]
    #: How many digests have the same reasons and frequency.
    alike: Counter[tuple[str, ...]]
    #: Digests with a record that the reader no longer follows or may no longer read.
    lost: set[int]
    #: Digests that must not be sent again unchanged.
    altered: set[int]
    #: Digests whose reader can reply.
    open_to_reply: set[int]
    #: The matches and notices in each digest, for the journal.
    told: dict[int, list[list[int | str]]]


@dataclass(slots=True)
class ReportedContent:
    """The plans and events that one email reports. The reader's access to them is checked again before sending."""

    plans: list[ReportedPlan] = field(default_factory=list)
    events: list[ReportedEvents] = field(default_factory=list)


def record_content(
    selected: Selection, changed: SubjectSelection, candidates: Sequence[Candidate], batch: kinds.Batch
) -> None:
    """Record in the batch what each digest contains, for the checks before sending and for the journal."""
    content_by_email = {email.pk: ReportedContent() for email in candidates}
    facts_by_email: dict[int, list[list[int | str]]] = {email.pk: [] for email in candidates}
    for item in changed.included:
        events = ReportedEvents(item.delivery_id, item.person_id, item.subject_id, item.event_ids)
        content_by_email[item.delivery_id].events.append(events)
        subject = changed.subjects[item.subject_id]
        facts_by_email[item.delivery_id].append([subject.kind, subject.record_id, item.to_number])
    for plan_item in selected.included:
        plan = ReportedPlan(plan_item.delivery_id, plan_item.person_id, plan_item.plan_id, plan_item.reading_class)
        content_by_email[plan_item.delivery_id].plans.append(plan)
        facts_by_email[plan_item.delivery_id].append([plan_item.plan_id, plan_item.to_number])
    batch.checks |= content_by_email
    batch.told |= facts_by_email


def contents_of(
    candidates: Sequence[Candidate], selected: Selection, changed: SubjectSelection, *, now: dt.datetime
) -> Contents:
    """Collect the contents of each digest in a batch.

    Repeats get no new matches and notices, because they repeat an earlier email.
    """
    blocks = {email.pk: [*selected.blocks.get(email.pk, ()), *changed.blocks.get(email.pk, ())] for email in candidates}
    email_by_person = {
        email.person_id: email.pk for email in candidates if not email.is_stakeholder and not email.is_repeat
    }
    in_doubt_ids = {email.person_id for email in candidates if email.recipe is not None}

    matches = matches_for_digests(email_by_person, in_doubt_ids, now=now)
    # Notices about changes that the digest reports elsewhere are left out.
    acts_by_email = {pk: {act for block in email_blocks for act in block.acts} for pk, email_blocks in blocks.items()}
    summary = notices_for_digests(email_by_person, in_doubt_ids, acts_by_email, now=now)
    with_content = [
        email for email in candidates if email.pk in matches.lines or email.pk in summary.lines or blocks.get(email.pk)
    ]

    reasons_by_email = reasons(selected.included, changed, now=now)
    why_by_email = {email.pk: reasons_by_email.get(email.pk) or DigestReasons() for email in candidates}
    frequencies = {email.pk: _how_often(email, why_by_email[email.pk].frequencies) for email in candidates}
    altered = {item.delivery_id for item in (*selected.lost, *selected.silent, *selected.changed)} | changed.altered
    return Contents(
        blocks=blocks,
        matches=matches.lines,
        summary=summary,
        waiting=tasks_of_people(_accounts(with_content), now),
        notices=privacy_notices(candidates),
        reasons={pk: why.words for pk, why in why_by_email.items()},
        frequencies=frequencies,
        alike=Counter((*why_by_email[email.pk].words, frequencies[email.pk]) for email in candidates),
        lost={item.delivery_id for item in selected.lost} | {lost.item.delivery_id for lost in changed.lost},
        altered=altered | matches.withdrawn | summary.withdrawn,
        open_to_reply=digests_open_to_reply(with_content, blocks, summary.partnerships, now=now),
        told={pk: [*matches.told.get(pk, ()), *summary.told.get(pk, ())] for pk in blocks},
    )


def _how_often(email: Candidate, chosen_frequencies: Collection[str]) -> str:
    """Return a sentence about how often the recipient gets digests."""
    return how_often(
        frozenset(chosen_frequencies),
        frequency=email.to.frequency,
        hour=email.to.hour,
        weekday=email.to.weekday,
        working_days_of=email.to.working_days_of,
        zone=email.to.zone,
        minutes=settings.DIGEST_SETTLE_MINUTES,
    )


def _accounts(candidates: Iterable[Candidate]) -> list[User]:
    """Return the recipients who have an account; people without one have no tasks."""
    ids = [email.person_id for email in candidates if not email.is_stakeholder]
    return list(User.objects.filter(pk__in=ids)) if ids else []


def privacy_notices(candidates: Collection[Candidate]) -> dict[int, str]:
    """Return the privacy notice for each stakeholder whose first email this is, by the id of the person."""
    new_person_ids = [email.person_id for email in candidates if email.is_stakeholder and not email.is_introduced]
    if not new_person_ids:
        return {}
    subscriptions = Subscription.objects.filter(person__in=new_person_ids, added_for__isnull=False)
    # Newest first: later entries of the dictionary replace earlier ones, so the oldest subscription is used.
    # Its notice names the organisation that first gave us the address.
    newest_first = subscriptions.select_related("added_for", "added_by").order_by("-asked_at", "-pk")
    return {subscription.person_id: privacy_notice(subscription) for subscription in newest_first}
