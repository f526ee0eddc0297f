"""Freezes emails, so that the row of each email stores exactly the message that is sent.

If the reply of a server is lost, the email is in doubt. It is then sent again without changes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from partnerships.kit.database import rows_of, rows_planned_once
from partnerships.outbox.kinds import Batch, Candidate, SetAside
from partnerships.outbox.leases import ClaimedEmail, lease_length
from partnerships.outbox.months import rows_by_month
from partnerships.outbox.parts import bodies_of_recipes, patterns_for
from partnerships.outbox.restoring import journal_facts

_CLAIM = """
UPDATE outbox_email e
   SET status = 'sending', available_at = clock_timestamp() + %(lease)s::interval, claimed_at = clock_timestamp(),
       attempts = e.attempts + 1, unanswered = e.unanswered + 1, in_doubt = c.in_doubt, message_id = c.message_id,
       address = c.address, subject = c.subject, recipe = c.recipe,
       tokens = c.tokens, memo = c.memo
  FROM unnest(%(ids)s::bigint[], %(doubts)s::bool[], %(message_ids)s::text[], %(addresses)s::text[],
              %(subjects)s::text[], %(recipes)s::jsonb[], %(tokens)s::jsonb[], %(memos)s::jsonb[])
       AS c(id, in_doubt, message_id, address, subject, recipe, tokens, memo)
 WHERE e.id = c.id AND {month}
"""

_SET_ASIDE = """
UPDATE outbox_email e
   SET status = c.status, reason = c.reason, reason_code = c.code, settled_at = clock_timestamp(),
       attempts = e.attempts + 1, secrets = NULL, tokens = NULL
  FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(reasons)s::text[], %(codes)s::text[])
       AS c(id, status, reason, code)
 WHERE e.id = c.id AND {month}
"""


class _FrozenEmail(NamedTuple):
    """The message of an email that is about to be sent, and the values that its row stores.

    `recipe`, `tokens` and `memo` are JSON. The message is the template with `words` in its gaps.
    """

    candidate: Candidate
    subject: str
    recipe: str
    tokens: str
    memo: str | None
    template: bytes
    words: tuple[bytes, ...]

    @property
    def pk(self) -> int:
        """Return the id of the email."""
        return self.candidate.pk


def freeze_emails(
    batch: Batch, candidate_by_id: Mapping[int, Candidate], attempts_by_email: Mapping[int, int], now: dt.datetime
) -> list[ClaimedEmail]:
    """Store the emails that are sent, settle the others, and return the claimed emails.

    `attempts_by_email` has the number of earlier attempts of each email.
    """
    _settle_set_aside(batch.set_aside)
    frozen_emails = [*_newly_composed(batch, candidate_by_id, now), *_previously_composed(batch.again)]
    _mark_as_sending(frozen_emails)
    return [
        ClaimedEmail(
            pk=email.pk,
            attempt=attempts_by_email[email.pk] + 1,
            address=email.candidate.address,
            template=email.template,
            words=email.words,
            facts=journal_facts(email.candidate, batch),
            in_doubt=email.candidate.due.in_doubt,
        )
        for email in frozen_emails
    ]


def _settle_set_aside(set_aside: Sequence[SetAside]) -> None:
    """Settle emails that are not sent, each with its reason."""
    for month, emails in rows_by_month(set_aside, key=attrgetter("pk")).items():
        values = {
            "ids": [email.pk for email in emails],
            "statuses": [email.status for email in emails],
            "reasons": [email.reason for email in emails],
            "codes": [email.code for email in emails],
        }
        rows_of(_SET_ASIDE.format(month=month), values)


def _newly_composed(batch: Batch, candidates: Mapping[int, Candidate], now: dt.datetime) -> Iterator[_FrozenEmail]:
    """Yield the emails composed in this claim, after storing the parts that they share."""
    patterns = patterns_for(batch.messages.values(), now)
    for pk, message in batch.messages.items():
        pattern = patterns[id(message.parts)]
        recipe, tokens, words = pattern.fill(message.values)
        yield _FrozenEmail(
            candidate=candidates[pk],
            subject=message.subject,
            recipe=recipe,
            tokens=tokens,
            memo=json.dumps(batch.memos[pk]) if batch.memos.get(pk) is not None else None,
            template=pattern.template,
            words=words,
        )


def _previously_composed(candidates: Iterable[Candidate]) -> Iterator[_FrozenEmail]:
    """Yield the emails in doubt, each with the message that was composed before."""
    frozen_emails = [(candidate, candidate.due.recipe) for candidate in candidates if candidate.due.recipe is not None]
    stored_bodies = bodies_of_recipes(recipe for _, recipe in frozen_emails)
    for candidate, recipe in frozen_emails:
        yield _FrozenEmail(
            candidate=candidate,
            subject=candidate.due.subject,
            recipe=json.dumps([recipe.layout, recipe.words]),
            tokens=json.dumps(recipe.tokens),
            memo=json.dumps(candidate.due.memo) if candidate.due.memo is not None else None,
            template=b"%b",  # one gap for the whole message, because it shares no pattern with others
            words=(recipe.join(stored_bodies).encode("ascii"),),
        )


def _mark_as_sending(frozen_emails: Sequence[_FrozenEmail]) -> None:
    """Mark emails as being sent until their lease ends, and store the message of each."""
    for month, emails in rows_by_month(frozen_emails, key=attrgetter("pk")).items():
        values = {
            "lease": lease_length(),
            "ids": [email.pk for email in emails],
            "doubts": [email.candidate.due.in_doubt for email in emails],
            "message_ids": [email.candidate.due.message_id for email in emails],
            "addresses": [email.candidate.address for email in emails],
            "subjects": [email.subject for email in emails],
            "recipes": [email.recipe for email in emails],
            "tokens": [email.tokens for email in emails],
            "memos": [email.memo for email in emails],
        }
        rows_planned_once(_CLAIM.format(month=month), values, generic_plan=True)
