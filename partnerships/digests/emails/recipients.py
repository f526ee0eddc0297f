"""Reads the recipients of a batch of emails, with their preferences, in one query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from partnerships.digests.emails import rendering
from partnerships.digests.models import DeliveryKind, Preference
from partnerships.digests.schedule import Rhythm, due, is_paused, local_day
from partnerships.kit.bank_holidays import holidays
from partnerships.kit.database import rows_planned_once
from partnerships.outbox import kinds
from partnerships.outbox.parts import Recipe

#: The columns of `Recipient`. People who chose nothing have the defaults of `models.Preference`.
_RECIPIENTS = """
SELECT u.id, u.email, u.name, u.is_active, u.account_since IS NULL AS is_stakeholder, p.link_key,
       p.introduced_at,
       COALESCE(p.frequency, 'at_once') AS frequency, COALESCE(p.hour, 8) AS hour, COALESCE(p.weekday, 0) AS weekday,
       COALESCE(p.working_days_of, '') AS working_days_of, u.time_zone, p.paused_until,
       COALESCE(p.days, 127) AS days, p.paused_from
  FROM people_user u
  LEFT JOIN digests_preference p ON p.person_id = u.id
 WHERE u.id = ANY(%s)
"""


class Recipient(NamedTuple):
    """A recipient and their preferences: one row of `_RECIPIENTS`, by column name."""

    person_id: int
    address: str
    name: str
    is_active: bool
    is_stakeholder: bool
    link_key: str | None
    introduced_at: dt.datetime | None
    frequency: str
    hour: int
    weekday: int
    working_days_of: str
    zone: str
    paused_until: dt.date | None
    days: int
    paused_from: dt.date | None


@dataclass(slots=True)
class Candidate(kinds.Candidate):
    """A claimed email of this room, with its recipient."""

    to: Recipient = field(kw_only=True)
    link_key: str = field(default="", kw_only=True)
    #: The message as sent before, for an email in doubt.
    recipe: Recipe | None = field(default=None, kw_only=True)

    @property
    def kind(self) -> str:
        """The kind of email."""
        return self.due.kind

    @property
    def person_id(self) -> int:
        """The id of the recipient."""
        return self.to.person_id

    @property
    def is_stakeholder(self) -> bool:
        """Whether the recipient has no account."""
        return self.to.is_stakeholder

    @property
    def is_introduced(self) -> bool:
        """Whether an earlier email told the recipient who has their address and why.

        For a stakeholder, an introduction after this email was recorded may be that of this email itself, composed
        before and not sent. Then it must have the privacy notice again.
        """
        introduced_at = self.to.introduced_at
        if introduced_at is None:
            return False
        return not self.is_stakeholder or introduced_at < self.due.created_at

    @property
    def is_repeat(self) -> bool:
        """Whether this email repeats an earlier one, because a person had it sent again."""
        return self.due.repeat_of_id is not None

    @property
    def addressee(self) -> rendering.Addressee:
        """The recipient as emails name them."""
        return rendering.Addressee(
            person_id=self.person_id,
            address=self.address,
            name=self.name,
            link_key=self.link_key,
            is_stakeholder=self.is_stakeholder,
        )


def candidates_for(due_emails: Sequence[kinds.Due], *, now: dt.datetime) -> list[kinds.Candidate]:
    """Return the due emails with their recipients; digests of people who have paused are held until the pause ends."""
    ids = sorted({email.person_id for email in due_emails if email.person_id is not None})
    recipients = [Recipient(*row) for row in rows_planned_once(_RECIPIENTS, [ids], generic_plan=True)]
    recipient_by_id = {recipient.person_id: recipient for recipient in recipients}
    candidates: list[kinds.Candidate] = []
    for email in due_emails:
        to = recipient_by_id.get(email.person_id or 0)
        if to is None:
            candidates.append(kinds.Candidate(email, email.address, refusal="The person no longer exists here."))
            continue
        candidates.append(
            Candidate(
                email,
                to.address,
                to.name or to.address.partition("@")[0],
                refusal="" if to.is_active else "The person has left.",
                hold_until=_resumes_at(to, now) if _is_paused(email, to, now) else None,
                to=to,
                link_key=to.link_key or "",
                recipe=email.recipe,
            )
        )
    return candidates


def _is_paused(email: kinds.Due, to: Recipient, now: dt.datetime) -> bool:
    """Whether a pause holds this email, by the recipient's own calendar; confirmations and links are never held."""
    if email.kind not in (DeliveryKind.DIGEST, DeliveryKind.SUCCESSION):
        return False
    return is_paused(to.paused_from, to.paused_until, local_day(now, to.zone))


def _resumes_at(to: Recipient, now: dt.datetime) -> dt.datetime:
    """Return when a digest that a pause holds may be sent."""
    rhythm = Rhythm(
        frequency=to.frequency,
        hour=to.hour,
        weekday=to.weekday,
        working_days_of=to.working_days_of,
        zone=to.zone,
        paused_until=to.paused_until,
        days=to.days,
        more_hours=0,
        paused_from=to.paused_from,
    )
    return due(rhythm, waiting_since=now, latest=now, settle=dt.timedelta(), holidays=holidays(rhythm.working_days_of))


def add_missing_keys(candidates: Iterable[Candidate]) -> None:
    """Save default preferences for recipients who have none, because links are signed with the key in them."""
    missing = {candidate.person_id for candidate in candidates if not candidate.link_key}
    if missing:
        keys = link_keys(missing)
        for candidate in candidates:
            candidate.link_key = candidate.link_key or keys[candidate.person_id]


def link_keys(people: Collection[int]) -> dict[int, str]:
    """Return the link key of each of these people; saves default preferences for people who have none."""
    keys = dict(Preference.objects.filter(person__in=people).values_list("person_id", "link_key"))
    missing = sorted(set(people) - keys.keys())
    if missing:
        Preference.objects.bulk_create([Preference(person_id=pk) for pk in missing], ignore_conflicts=True)
        keys |= dict(Preference.objects.filter(person__in=missing).values_list("person_id", "link_key"))
    return keys
