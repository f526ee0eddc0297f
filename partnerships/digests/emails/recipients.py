"""Reads the recipients of a batch of emails, with their preferences, in one query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from partnerships.digests.emails.headers import Addressee
from partnerships.digests.models import DeliveryKind, Preference
from partnerships.digests.schedule import Rhythm, due, is_paused, local_day
from partnerships.kit.bank_holidays import holidays
from partnerships.kit.database import rows_planned_once
from partnerships.outbox import kinds
from partnerships.outbox.parts import Recipe

#: Selects the columns of `Recipient`. People without saved preferences get the defaults of `models.Preference`.
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
    """A recipient and their preferences: one row of `_RECIPIENTS`, with the same column names."""

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
    #: The message that may have been sent before, for an email in doubt.
    recipe: Recipe | None = field(default=None, kw_only=True)

    @property
    def kind(self) -> str:
        """Return the kind of email."""
        return self.due.kind

    @property
    def person_id(self) -> int:
        """Return the id of the recipient."""
        return self.to.person_id

    @property
    def is_stakeholder(self) -> bool:
        """Return True if the recipient has no account."""
        return self.to.is_stakeholder

    @property
    def is_introduced(self) -> bool:
        """Return True if an earlier email explained who has the recipient's address and why.

        A stakeholder may have been introduced after this email was recorded: by this email itself, if it was composed
        before but not sent. It must then contain the privacy notice again.
        """
        introduced_at = self.to.introduced_at
        if introduced_at is None:
            return False
        return not self.is_stakeholder or introduced_at < self.due.created_at

    @property
    def is_repeat(self) -> bool:
        """Return True if this email repeats an earlier email, because a person asked to send that again."""
        return self.due.repeat_of_id is not None

    @property
    def addressee(self) -> Addressee:
        """Return the recipient in the form that emails need."""
        return Addressee(
            person_id=self.person_id,
            address=self.address,
            name=self.name,
            link_key=self.link_key,
            is_stakeholder=self.is_stakeholder,
        )


def candidates_for(due_emails: Sequence[kinds.DueEmail], *, now: dt.datetime) -> list[kinds.Candidate]:
    """Return the due emails with their recipients; digests of people who have paused are held until the pause ends."""
    ids = sorted({email.person_id for email in due_emails if email.person_id is not None})
    recipients = [Recipient(*row) for row in rows_planned_once(_RECIPIENTS, [ids], generic_plan=True)]
    recipient_by_id = {recipient.person_id: recipient for recipient in recipients}
    candidates: list[kinds.Candidate] = []
    for email in due_emails:
        to = recipient_by_id.get(email.person_id or 0)
        if to is None:
            candidates.append(kinds.Candidate(email, email.address, refusal="The recipient no longer exists here."))
            continue
        candidates.append(
            Candidate(
                email,
                to.address,
                to.name.strip() or to.address.partition("@")[0],
                refusal="" if to.is_active else "The recipient has left.",
                hold_until=_resumes_at(to, now) if _is_paused(email, to, now) else None,
                to=to,
                link_key=to.link_key or "",
                recipe=email.recipe,
            )
        )
    return candidates


def _is_paused(email: kinds.DueEmail, recipient: Recipient, now: dt.datetime) -> bool:
    """Return True if a pause, by the recipient's own calendar, holds this email.

    Confirmations and emails with new links are never held.
    """
    if email.kind not in (DeliveryKind.DIGEST, DeliveryKind.SUCCESSION):
        return False
    return is_paused(recipient.paused_from, recipient.paused_until, local_day(now, recipient.zone))


def _resumes_at(recipient: Recipient, now: dt.datetime) -> dt.datetime:
    """Return when a digest that is held by a pause may be sent."""
    rhythm = Rhythm(
        frequency=recipient.frequency,
        hour=recipient.hour,
        weekday=recipient.weekday,
        working_days_of=recipient.working_days_of,
        zone=recipient.zone,
        paused_until=recipient.paused_until,
        days=recipient.days,
        more_hours=0,
        paused_from=recipient.paused_from,
    )
    return due(rhythm, waiting_since=now, latest=now, settle=dt.timedelta(), holidays=holidays(rhythm.working_days_of))


def add_missing_keys(candidates: Iterable[Candidate]) -> None:
    """Give each candidate a link key, with which its links are signed.

    Saves default preferences for recipients who have none.
    """
    person_ids = {candidate.person_id for candidate in candidates if not candidate.link_key}
    if person_ids:
        keys = link_keys(person_ids)
        for candidate in candidates:
            candidate.link_key = candidate.link_key or keys[candidate.person_id]


def link_keys(person_ids: Collection[int]) -> dict[int, str]:
    """Return the link key of each person, by id; saves default preferences for people who have none."""
    key_by_person = dict(Preference.objects.filter(person__in=person_ids).values_list("person_id", "link_key"))
    missing_ids = sorted(set(person_ids) - key_by_person.keys())
    if missing_ids:
        Preference.objects.bulk_create([Preference(person_id=pk) for pk in missing_ids], ignore_conflicts=True)
        key_by_person |= dict(Preference.objects.filter(person__in=missing_ids).values_list("person_id", "link_key"))
    return key_by_person
