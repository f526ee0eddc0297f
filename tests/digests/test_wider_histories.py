"""No random history of several plans and readers loses a change or reports it twice.

Every change that concerns a reader comes in exactly one digest, whatever is paused, stopped, slowed down, lost,
crashed or deferred in between.

Every version adds a milestone of its own, which digests always name. A reader who is owed the version must read it
once.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.digests import services
from partnerships.digests.emails import rendering, selecting
from partnerships.digests.models import Delivery, Frequency, Subscription
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox import answers, bounces
from partnerships.outbox.claiming import claim_emails
from partnerships.outbox.models import SendCount
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import create_plan, publish_version
from tests.digests.conftest import PostOffice, play, quay, read, text_of
from tests.support.parties import leave_partnership_as_westmarch
from tests.world import World

NAMES = ("ben", "sol", "vera")
WHO = st.sampled_from(NAMES)
PUBLISH = st.tuples(st.just("publish"), st.sampled_from([0, 1]))
STEPS = st.lists(
    st.one_of(
        PUBLISH,
        PUBLISH,
        PUBLISH,
        st.tuples(st.just("tick")),
        st.tuples(st.just("pause"), WHO),
        st.tuples(st.just("stop"), WHO),
        st.tuples(st.just("pace"), WHO, st.sampled_from(Frequency.values)),
        st.tuples(st.just("bounce"), WHO),
        st.tuples(st.just("put_off"), WHO),
        st.tuples(st.just("crash"), st.booleans()),
        st.tuples(st.just("leave")),
    ),
    max_size=14,
)
_MARK = re.compile(r"Mark (\d+)\b")


@dataclass
class Reader:
    """A follower of a partnership's plans in the model, with the marks that they must and may be told."""

    person: User
    subscription: Subscription
    #: The marks that the reader must be told.
    must_report: set[int] = field(default_factory=set)
    #: The marks that the reader was not told before they stopped or left: each may be reported, at most once.
    may_report: set[int] = field(default_factory=set)
    paused: bool = False
    stopped: bool = False
    silenced: bool = False
    gone: bool = False
    emails: dict[str, bytes] = field(default_factory=dict)

    @property
    def read(self) -> Counter[int]:
        """Return how many emails reported each mark."""
        return Counter(mark for raw in self.emails.values() for mark in marks_in(raw))

    def give_up(self) -> None:
        """Count marks that are not reported yet as optional from now on."""
        marks_not_read = self.must_report - set(self.read)
        self.must_report -= marks_not_read
        self.may_report |= marks_not_read


def author_for(world: World, name: str) -> User:
    """Return the person who acts for a reader: Amina of Larkhaven for a stakeholder, the others for themselves."""
    return world.amina if name == "sol" else getattr(world, name)


def marks_in(raw: bytes) -> set[int]:
    """Return the marks that an email reports: each version has one, a milestone named "Mark 7" for example."""
    return {int(number) for number in _MARK.findall(" ".join(text_of(read(raw)).split()))}


class History:
    """One random history on real services; its clock jumps so far that every frequency is due."""

    def __init__(self, world: World, first: Plan) -> None:
        self.world = world
        self.office = PostOffice()
        second = create_plan(
            owners=[world.larkhaven],
            partnership=world.partnership,
            title="Mill Pond",
            kind="delivery",
            audience="partnership",
            author=world.amina,
            now=world.now,
        )
        self.plans = [first, second]
        self.marks = ([], [])
        self.count = 0
        self.in_doubt = False
        self.now = timezone.now()
        self.release(0)
        self.release(1)
        self.leap()
        self.readers = {
            name: Reader(
                getattr(world, name),
                services.add_confirmed_subscription(
                    person=getattr(world, name),
                    target=world.partnership,
                    author=author_for(world, name),
                    organisation=world.larkhaven if name == "sol" else None,
                    now=self.now,
                ),
            )
            for name in NAMES
        }

    def leap(self) -> None:
        """Move the clock forward by more than a month."""
        self.now += dt.timedelta(days=40)

    def release(self, plan_index: int) -> int:
        """Publish a version of a plan with a new mark, and return the number of the mark."""
        self.count += 1
        mark = {"key": f"mark-{self.count}", "name": f"Mark {self.count}", "forecast": "2028-01"}
        self.marks[plan_index].append(mark)
        content: dict[str, Any] = quay(120)
        content["milestones"] = list(self.marks[plan_index])
        publish_version(
            plan=self.plans[plan_index], author=self.world.amina, note="Next.", content=content, now=timezone.now()
        )
        return self.count

    # ---- Steps

    def publish(self, plan_index: int) -> None:
        """Publish a version, which every reader who follows must be told."""
        mark = self.release(plan_index)
        for reader in self.readers.values():
            if not (reader.stopped or reader.gone):
                reader.must_report.add(mark)

    def tick(self) -> None:
        """Send everything that is due, at every frequency."""
        for _ in range(4):
            self.leap()
            Delivery.objects.filter(status="queued").update(available_at=timezone.now())
            SendCount.objects.all().delete()
            play(self.office, now=self.now)
        self.in_doubt = False
        self.collect()
        for name, reader in self.readers.items():
            if not (reader.paused or reader.stopped or reader.silenced or reader.gone):
                assert reader.must_report <= set(reader.read), (name, reader.must_report - set(reader.read))

    def collect(self) -> None:
        """Give the sent emails to their readers."""
        sent, self.office.sent = self.office.sent, []
        for outgoing in sent:
            self.take(outgoing.recipient, outgoing.data)

    def take(self, address: str, raw: bytes) -> None:
        """Give an email to its reader, and check it."""
        reader = next(reader for reader in self.readers.values() if reader.person.email == address)
        identifier = str(read(raw)["Message-ID"])
        assert reader.emails.setdefault(identifier, raw) == raw  # a repeated email is identical, byte for byte
        # The council's leaving the partnership is reported as a change without a mark.
        assert marks_in(raw) or "Left this partnership" in text_of(read(raw)), "An empty email was sent."

    def pause(self, name: str) -> None:
        """Pause the reader, or resume a paused one."""
        reader = self.readers[name]
        if self.in_doubt or reader.stopped or reader.silenced:
            return
        reader.subscription.refresh_from_db()
        change = services.resume if reader.paused else services.pause
        change(subscription=reader.subscription, author=reader.person, now=self.now)
        reader.paused = not reader.paused

    def stop(self, name: str) -> None:
        """Stop the subscription, or follow again; changes in between are not expected."""
        reader = self.readers[name]
        if self.in_doubt or reader.silenced:
            return
        if reader.stopped:
            reader.subscription = services.add_confirmed_subscription(
                person=reader.person,
                target=self.world.partnership,
                author=author_for(self.world, name),
                organisation=self.world.larkhaven if name == "sol" else None,
                now=self.now,
            )
        else:
            services.stop(
                subscriptions=[reader.subscription],
                author=author_for(self.world, name),
                reason="Enough.",
                now=self.now,
            )
            reader.give_up()
        reader.stopped, reader.paused = not reader.stopped, False

    def pace(self, name: str, frequency: str) -> None:
        reader = self.readers[name]
        reader.subscription.refresh_from_db()
        services.set_frequency(
            subscription=reader.subscription, frequency=frequency, author=reader.person, now=self.now
        )

    def bounce(self, name: str) -> None:
        """Suppress the reader's address, or release it."""
        reader = self.readers[name]
        if self.in_doubt:
            return
        if reader.silenced:
            bounces.release_address(address=reader.person.email, author_id=self.world.dee.pk, now=self.now)
        else:
            bounces.suppress_address(
                address=reader.person.email, reason="It came back.", email_id=None, author_id=None, now=self.now
            )
        reader.silenced = not reader.silenced

    def put_off(self, name: str) -> None:
        """Let the reader's server defer the next delivery attempt."""
        later = answers.Answer(0, answers.Outcome.LATER, "451 4.3.0 Not now")
        self.office.answers[self.readers[name].person.email] = [later]

    def crash(self, took: bool) -> None:
        """Claim emails, let the worker die, and end the lease.

        With `took`, the server had accepted the emails already.
        """
        self.leap()
        plan_round(now=self.now)
        readers = [reader.person.pk for reader in self.readers.values()]
        claimed = claim_emails(now=timezone.now(), limit=10, people=readers).emails
        for email in claimed if took else ():
            self.take(email.address, email.data)
        Delivery.objects.filter(status="sending").update(available_at=timezone.now())
        self.in_doubt = self.in_doubt or bool(claimed)

    def leave(self) -> None:
        """Let the council leave the partnership, so that Ben loses access."""
        reader = self.readers["ben"]
        if self.in_doubt or reader.gone:
            return
        leave_partnership_as_westmarch(self.world)
        reader.gone = True
        reader.give_up()

    def end(self) -> None:
        """Resume and release every reader, and check what each was told."""
        self.tick()
        for name, reader in self.readers.items():
            if reader.silenced:
                self.bounce(name)
            if reader.paused and not reader.stopped:
                self.pause(name)
        self.tick()
        for name, reader in self.readers.items():
            read_counts = reader.read
            assert all(read_counts[mark] == 1 for mark in reader.must_report), (name, reader.must_report, read_counts)
            assert all(count == 1 for count in read_counts.values()), (name, read_counts)
            assert set(read_counts) <= reader.must_report | reader.may_report, (
                name,
                set(read_counts) - reader.must_report - reader.may_report,
            )


@pytest.mark.django_db
@settings(max_examples=10)
@given(steps=STEPS)
def test_every_change_comes_once_in_exactly_one_digest(
    world: World, plan: Plan, steps: list[tuple[object, ...]]
) -> None:
    selecting.clear_cache()  # version numbers repeat after a rollback
    rendering.clear_caches()
    with transaction.atomic():
        history = History(world, plan)
        for verb, *arguments in steps:
            getattr(history, str(verb))(*arguments)
        history.end()
        transaction.set_rollback(True)
