"""Decides which digests tell their reader that they can reply."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.conf import settings

from partnerships.digests.emails.blocks import Block
from partnerships.digests.emails.changes import Section
from partnerships.digests.emails.recipients import Candidate
from partnerships.outbox.hooks import ReplyTo, registered_hooks


def digests_open_to_reply(
    candidates: Iterable[Candidate],
    blocks_by_email: Mapping[int, Sequence[Block]],
    partnerships_by_email: Mapping[int, Collection[int]],
    *,
    now: dt.datetime,
) -> set[int]:
    """Return the ids of the digests whose reader can reply, to a person or to the site's own mailbox.

    `partnerships_by_email` has the ids of the partnerships of the notices in each digest.
    """
    if settings.DIGEST_REPLY_TO:
        return {candidate.pk for candidate in candidates}
    if not settings.EMAIL_REPLIES:
        return set()
    emails = [
        _reply_to(candidate, blocks_by_email.get(candidate.pk, ()), partnerships_by_email.get(candidate.pk, ()))
        for candidate in candidates
    ]
    return {pk for hooks in registered_hooks() for pk in hooks.emails_open_to_reply(emails=emails, now=now)}


def _reply_to(candidate: Candidate, blocks: Sequence[Block], partnership_ids: Collection[int]) -> ReplyTo:
    """Return the records that a reply to this digest may be about.

    The reader may read each plan that has its own block, because rights were checked before the blocks were made.
    Sections only name plans.
    """
    sections = [block.news for block in blocks if isinstance(block.news, Section)]
    section_partnership_ids = frozenset(
        section.partnership_id for section in sections if section.partnership_id is not None
    )
    return ReplyTo(
        email_id=candidate.pk,
        person_id=candidate.person_id,
        is_stakeholder=candidate.is_stakeholder,
        readable_plan_ids=frozenset(block.news.plan_id for block in blocks if not isinstance(block.news, Section)),
        plan_ids=frozenset(plan_id for section in sections for plan_id in section.plans),
        published_in_ids=section_partnership_ids,
        partnership_ids=section_partnership_ids.union(partnership_ids),
    )
