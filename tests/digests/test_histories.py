"""No random history of versions, authors, pauses and crashes loses a change or reports it twice.

A small model predicts what each reader should have been told. The emails are parsed and compared with the model: no
change is missing, and none is repeated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.digests import services
from partnerships.digests.emails import rendering, selecting
from partnerships.digests.models import Delivery, Subscription
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox.claiming import claim_emails
from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.digests.conftest import PostOffice, html_of, play, publish, read, text_of
from tests.world import World

#: The numbers of homes at the open site and at the confidential site.
State = tuple[int, int]
_LINE = re.compile(r"at (North Quay|Mill Lane canary): was (\d+)\b.*?, now (\d+)\b")

PUBLISH = st.tuples(st.just("publish"), st.sampled_from(["amina", "ben"]), st.integers(100, 103), st.integers(7, 8))
STEPS = st.lists(
    st.one_of(
        PUBLISH,
        PUBLISH,
        st.tuples(st.just("tick")),
        st.tuples(st.just("pause"), st.sampled_from(["ben", "sol"])),
        st.tuples(st.just("crash"), st.booleans()),
    ),
    max_size=14,
)


@dataclass
class Reader:
    """A follower of the plan in the model, with the state that they were last told."""

    person: User
    subscription: Subscription
    sees_hidden: bool
    told: State
    behind: list[tuple[str, State]] = field(default_factory=list)
    paused: bool = False
    seen: dict[str, bytes] = field(default_factory=dict)

    def sees(self, state: State) -> State:
        """Return the part of a state that this reader may know."""
        return state if self.sees_hidden else (state[0], 0)

    def knows_all_but_own(self, me: str) -> bool:
        """Return True if only the reader's own versions are newer than what they were told."""
        return any(
            state == self.told and {author for author, _ in self.behind[index + 1 :]} <= {me}
            for index, (_, state) in enumerate(self.behind)
        )

    def move_past_own(self, me: str) -> None:
        """Move past changes that are all the reader's own, without an email."""
        if self.behind and {author for author, _ in self.behind} == {me}:
            self.told = self.behind[-1][1]
            self.behind.clear()

    def read_emails(self, emails: list[bytes]) -> None:
        """Apply received emails; each must start where the last one ended."""
        for raw in emails:
            message = read(raw)
            identifier = str(message["Message-ID"])
            if identifier in self.seen:
                assert self.seen[identifier] == raw  # a repeated email is identical, byte for byte
                continue
            self.seen[identifier] = raw
            text = text_of(message)
            assert self.sees_hidden or ("canary" not in text and "canary" not in html_of(message))
            state_before = list(self.told)
            state_after = list(self.told)
            changes = _LINE.findall(" ".join(text.split()))
            assert changes, text  # a digest is never empty
            for site, was, now in changes:
                index = 0 if site == "North Quay" else 1
                assert int(was) == state_before[index], (site, was, state_before)
                assert was != now
                state_after[index] = int(now)
            self.told = (state_after[0], state_after[1])


class Play:
    """One history, played on the real services."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.plan = plan
        self.office = PostOffice()
        self.people = {"amina": world.amina, "ben": world.ben}
        self.state: State = (120, 7)
        now = timezone.now()
        plan.owners.create(organisation=world.westmarch, began_at=plan.created_at)  # so that Ben may publish too
        ben = services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=now)
        sol = services.add_confirmed_subscription(
            person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=now
        )
        self.readers = {
            "ben": Reader(world.ben, ben, True, self.state),
            "sol": Reader(world.sol, sol, False, (self.state[0], 0)),
        }
        self.pending = False

    def publish(self, author: str, homes: int, hidden: int) -> None:
        if (homes, hidden) == self.state:
            return
        self.state = (homes, hidden)
        publish(self.plan, homes, hidden=hidden, author=self.people[author])
        for reader in self.readers.values():
            reader.behind.append((author, reader.sees(self.state)))

    def pause(self, name: str) -> None:
        """Pause or resume a reader, unless an email of theirs is in doubt."""
        reader = self.readers[name]
        if self.pending:
            return
        reader.subscription.refresh_from_db()
        change = services.resume if reader.paused else services.pause
        change(subscription=reader.subscription, author=reader.person, now=timezone.now())
        reader.paused = not reader.paused
        if not reader.paused:  # resuming marks what the reader missed, except changes that are all their own
            self.move_authors()

    def crash(self, took: bool) -> None:
        """Claim emails, let the worker die, and end the lease.

        With `took`, the server had accepted the emails already.
        """
        plan_round(now=timezone.now())
        self.move_authors()
        claimed = claim_emails(now=timezone.now(), limit=10).emails
        if took:
            for email in claimed:
                self.received(email.address, email.data)
        Delivery.objects.filter(status="sending").update(available_at=timezone.now())
        self.pending = bool(claimed)

    def move_authors(self) -> None:
        for name, reader in self.readers.items():
            reader.move_past_own(name)

    def received(self, address: str, data: bytes) -> None:
        for reader in self.readers.values():
            if reader.person.email == address:
                reader.read_emails([data])

    def tick(self) -> None:
        """Sweep and send until nothing is left; afterwards everyone who has not paused must be up to date."""
        for _ in range(3):
            play(self.office)
        in_doubt, self.pending = self.pending, False
        sent, self.office.sent = self.office.sent, []
        for email in sent:
            self.received(email.recipient, email.data)
        self.move_authors()
        for name, reader in self.readers.items():
            if reader.paused or not reader.behind:
                continue
            now = reader.behind[-1][1]
            if in_doubt and reader.knows_all_but_own(name):
                reader.told = (
                    now  # the email from before the crash reported everything except the reader's own versions
                )
            assert reader.told == now, (name, reader.told, now)
            reader.behind.clear()


@pytest.mark.django_db
@settings(max_examples=20)
@given(steps=STEPS)
def test_every_reader_gets_every_change_once(world: World, plan: Plan, steps: list[tuple[object, ...]]) -> None:
    selecting.clear_cache()  # version numbers repeat after a rollback
    rendering.clear_caches()
    with transaction.atomic():
        history = Play(world, plan)
        for verb, *arguments in steps:
            getattr(history, str(verb))(*arguments)
        for name, reader in history.readers.items():
            if reader.paused:
                history.tick()
                history.pause(name)
        history.tick()
        sent_count = len(history.office.sent)
        play(history.office)

        assert len(history.office.sent) == sent_count  # nothing more is sent
        transaction.set_rollback(True)
