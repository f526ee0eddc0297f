"""The base of simulated weeks: a clock, people, and a collector of emails."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import cast
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from partnerships.digests.models import Delivery, NoticeDelivery
from partnerships.digests.services import choose_ways
from partnerships.digests.services.sweep import plan_round
from partnerships.kit.bank_holidays import holidays
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Organisation
from partnerships.outbox.answers import Answer, Outcome, Outgoing
from partnerships.outbox.draining import drain
from partnerships.outbox.groups import CHOOSABLE
from partnerships.outbox.models import EmailReason
from partnerships.outbox.smtp import WhileWaiting, do_nothing_while_waiting
from partnerships.people.models import User

LONDON = ZoneInfo("Europe/London")


class WeekWentWrong(Exception):
    """A person received other emails than expected."""


@dataclass
class Collector:
    """Collects emails instead of sending them."""

    emails: list[Outgoing] = field(default_factory=list)

    def send(
        self, messages: Iterable[Outgoing], while_waiting: WhileWaiting = do_nothing_while_waiting
    ) -> Iterator[Answer]:
        """Accept every email."""
        for message in messages:
            self.emails.append(message)
            yield Answer(message.key, Outcome.ACCEPTED)

    def close(self) -> None:
        """Do nothing, because there is no connection to close."""


class Stage:
    """Seven simulated days from a Monday; subclasses write what happens at each hour.

    Only emails to `people` are sent; subclasses add the ids of people to it.
    """

    def __init__(self) -> None:
        today = timezone.localdate()
        # The week is in the past, because access is checked as of today, and it has no bank holidays.
        self.monday = today - dt.timedelta(days=14 + today.weekday())
        while any(self.monday + dt.timedelta(days=day) in holidays() for day in range(-3, 8)):
            self.monday -= dt.timedelta(days=7)
        self.collector = Collector()
        self.lines: list[str] = []
        self.people: set[int] = set()
        self._seen = 0

    def play(self) -> list[str]:
        """Simulate the whole week, and return lines about it. Raises `WeekWentWrong`."""
        raise NotImplementedError

    def at(self, day: int, hour: int) -> dt.datetime:
        """Return the time of an hour in London, on a day counted from Monday (0)."""
        date = self.monday + dt.timedelta(days=day)
        return dt.datetime.combine(date, dt.time(hour), LONDON).astimezone(dt.UTC)

    def say(self, day: int, hour: int, text: str) -> None:
        """Add a line, after the day and hour that it is about."""
        self.lines.append(f"{self.at(day, hour).astimezone(LONDON):%a %-d %b %H:%M}  {text}")

    def quote(self, line: str) -> None:
        """Add a line quoted from an email."""
        self.lines.append(f"                  {line}")

    def person(self, name: str, organisation: Organisation, role: str) -> User:
        """Create a person who has had an account and a role since before the week.

        The person gets notices in the inbox only, unless a subclass chooses otherwise.
        """
        now = self.at(-3, 9)
        user = User.objects.create_user(f"{name.split()[0].lower()}@week.example", name=name, account_since=now)
        organisations.add_membership(organisation=organisation, person=user, role=role, author=None, now=now)
        choose_ways(person=user, ways=dict.fromkeys(CHOOSABLE, NoticeDelivery.INBOX), author=user, now=now)
        self.people.add(user.pk)
        return user

    def sweep(self, now: dt.datetime) -> None:
        """Choose whose digests are due, as the sweep does every ten seconds."""
        connection.check_constraints()  # numbers the changes, which otherwise happens at the commit
        plan_round(now=now)

    def send(self) -> list[Outgoing]:
        """Send the emails that are due to `people`, and return the digests and confirmations among them."""
        drain(seconds=30, connect=lambda: self.collector, person_ids=self.people)
        new_emails, self._seen = self.collector.emails[self._seen :], len(self.collector.emails)
        return self.digests(new_emails)

    def digests(self, sent: list[Outgoing]) -> list[Outgoing]:
        """Return the digests and confirmations among these emails, which also contain notices."""
        delivery_ids = set(
            Delivery.objects.filter(pk__in=[message.key for message in sent]).values_list("pk", flat=True)
        )
        return [message for message in sent if message.key in delivery_ids]

    def morning(self, day: int, hour: int = 8) -> list[Outgoing]:
        """Send the emails that are due in a morning; add a line for each that failed, or if there is none."""
        self.sweep(self.at(day, hour) + dt.timedelta(seconds=10))
        sent = self.send()
        unwritten = Delivery.objects.filter(recipient__in=self.people, reason_code=EmailReason.NOT_COMPOSED)
        for delivery in unwritten:
            self.say(day, hour, f"NO EMAIL  {delivery.reason}")
        if not sent and not unwritten:
            self.say(day, hour, "no email.")
        return sent


def parsed(outgoing: Outgoing) -> EmailMessage:
    """Return an email as a mail program reads it."""
    return email.message_from_bytes(outgoing.data, policy=email.policy.default)


def text_of(outgoing: Outgoing) -> str:
    """Return the text part of an email."""
    part = parsed(outgoing).get_body(("plain",))
    return str(cast(EmailMessage, part).get_content()) if part is not None else ""


_weeks: dict[str, Callable[[], Stage]] = {}


def register_week(title: str, stage: Callable[[], Stage]) -> None:
    """Add a week for `digests week` to simulate, after the weeks of rooms below."""
    _weeks[title] = stage


def play_weeks(*, keep: bool = False) -> Iterator[str]:
    """Simulate every week, and yield lines about what happened and which emails were received.

    The data of each week is rolled back, unless `keep` is set. Raises `WeekWentWrong`.
    """
    for title, stage in _weeks.items():
        with transaction.atomic():
            lines = stage().play()
            if not keep:
                transaction.set_rollback(True)
        yield from (title, *lines, "")
