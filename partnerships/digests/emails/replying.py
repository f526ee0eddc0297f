"""Which digests say that their reader can reply."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.conf import settings

from partnerships.digests.emails.changes import Section
from partnerships.digests.emails.recipients import Candidate
from partnerships.digests.emails.rendering import Block
from partnerships.outbox.hooks import ReplyTo, registered_hooks


def digests_open_to_reply(
    candidates: Iterable[Candidate],
    blocks: Mapping[int, Sequence[Block]],
    partnerships: Mapping[int, Collection[int]],
    *,
    now: dt.datetime,
) -> set[int]:
    """The digests to which a reply of their reader goes to a person, or could be used.

    `blocks` and `partnerships` are by email: what it tells, and the partnerships of the notices in it.
    """
    if settings.DIGEST_REPLY_TO:
        return {candidate.pk for candidate in candidates}
    if not settings.EMAIL_REPLIES:
        return set()
    emails = [
        _reply_to(candidate, blocks.get(candidate.pk, ()), partnerships.get(candidate.pk, ()))
        for candidate in candidates
    ]
    return {pk for hooks in registered_hooks() for pk in hooks.emails_open_to_reply(emails=emails, now=now)}


def _reply_to(email: Candidate, blocks: Sequence[Block], partnerships: Collection[int]) -> ReplyTo:
    """What a reply to this digest may be about.

    Rights to plans in it were checked just before.
    """
    sections = [block.news for block in blocks if isinstance(block.news, Section)]
    plans_of = frozenset(section.partnership_id for section in sections if section.partnership_id is not None)
    return ReplyTo(
        email=email.pk,
        person_id=email.person_id,
        is_stakeholder=email.is_stakeholder,
        plans_read=frozenset(block.news.plan_id for block in blocks if not isinstance(block.news, Section)),
        plans=frozenset(plan for section in sections for plan in section.plans),
        plans_of=plans_of,
        partnerships=plans_of.union(partnerships),
    )
