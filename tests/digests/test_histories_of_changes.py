"""Random histories of changes, in which each change is in exactly one email, or in none if nobody should get it.

Every change has a unique mark. A small model predicts which marks each reader should get: changes that happened while
they followed, and that they may know, chose and have not seen on the site. Two of the subscriptions report the same
changes. A level that goes up and down shows that the reported changes add up.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.activity import follower_notices
from partnerships.activity.folding import FoldRule
from partnerships.activity.models import Event
from partnerships.activity.seen import note_events_seen
from partnerships.activity.subjects import Audience
from partnerships.agreements.models import PartyStatus
from partnerships.digests import services
from partnerships.digests.emails import rendering, selecting, subjects
from partnerships.digests.models import Delivery, DeliverySubject, SubjectWatermark, Subscription
from partnerships.digests.services.sweep import plan_round
from partnerships.organisations.models import Membership
from partnerships.outbox import answers
from partnerships.outbox.claiming import claim_emails
from partnerships.outbox.models import SendCount
from partnerships.people.models import User
from tests.digests.conftest import PostOffice, play, read, text_of
from tests.world import World

#: The kind whose values are compared from email to email; changes of the other kinds are reported one by one.
LEVEL = "partnership.status_changed"
KINDS = {
    notice.kind: notice
    for notice in follower_notices.notices_by_kind()
    if not notice.is_in_plan_digests and notice.kind != LEVEL
}
NAMES = ("ben", "sol", "vera")
WHO = st.sampled_from(NAMES)
CHANGE = st.tuples(st.just("change"), st.sampled_from(sorted(KINDS)), st.booleans())
STEPS = st.lists(
    st.one_of(
        CHANGE,
        CHANGE,
        CHANGE,
        st.tuples(st.just("level"), st.integers(1, 3)),
        st.tuples(st.just("level"), st.integers(1, 3)),
        st.tuples(st.just("tick")),
        st.tuples(st.just("tick")),
        st.tuples(st.just("lose"), st.sampled_from(["ben", "sol"])),
        st.tuples(st.just("see"), st.sampled_from(["ben", "vera"])),
        st.tuples(st.just("pause"), WHO),
        st.tuples(st.just("stop"), WHO),
        st.tuples(st.just("choose"), WHO, st.sampled_from(["everything", "dates"])),
        st.tuples(st.just("pace"), WHO, st.sampled_from(["at_once", "daily", "weekly", "monthly"])),
        st.tuples(st.just("put_off"), WHO),
        st.tuples(st.just("crash"), st.booleans()),
    ),
    max_size=14,
)
_MARK = re.compile(r"Mark (\d+)\b")
_LEVEL = re.compile(r"Changed the status: was Level (\d+), now Level (\d+)")


@pytest.fixture(autouse=True)
def registered_notices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every kind report its mark each time it happens."""
    for code, kind in KINDS.items():
        monkeypatch.setitem(
            follower_notices._notices_by_kind,
            code,
            replace(kind, sentence="Happened{names}", fold=FoldRule.EACH, subject_key=""),
        )
    yield
    subjects.clear_cache()


def notice_of(kind: str) -> follower_notices.FollowerNotice:
    """Return the way in which followers are notified of this kind of event."""
    notice = follower_notices.follower_notice_of(kind)
    assert notice is not None
    return notice


@dataclass
class Reader:
    """A follower in the model."""

    person: User
    subscription: Subscription
    is_outside: bool = False
    owed: set[int] = field(default_factory=set)
    perhaps: set[int] = field(default_factory=set)
    hears: str = "everything"
    paused: bool = False
    stopped: bool = False
    lost: bool = False
    #: The level that they were last told or last saw; None if they missed a change of it.
    level: int | None = 0
    emails: dict[str, bytes] = field(default_factory=dict)

    @property
    def read(self) -> Counter[int]:
        """Return how many emails reported each mark."""
        return Counter(mark for raw in self.emails.values() for mark in marks_in(raw))

    def may_hear(self, kind: str) -> bool:
        """Return whether the reader may be notified of this kind of event."""
        return not self.is_outside or notice_of(kind).audience == Audience.OUTSIDE

    def chose(self, kind: str) -> bool:
        """Return whether the reader wants to be notified of this kind of event."""
        return self.hears == "everything" or notice_of(kind).touches_dates_or_money

    @property
    def untold(self) -> set[int]:
        """Return the marks that the reader should get and has not read yet."""
        return self.owed - set(self.read)

    def give_up(self) -> None:
        """Count marks that are not read yet as optional from now on."""
        self.perhaps |= self.untold
        self.owed -= self.untold
        self.level = None


def marks_in(raw: bytes) -> set[int]:
    """Return the marks that an email reports."""
    return {int(number) for number in _MARK.findall(" ".join(text_of(read(raw)).split()))}


class History:
    """One history on real services."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.office = PostOffice()
        self.count = 0
        self.in_doubt = False
        self.now = timezone.now()
        self.level_now = 0
        self.marks = {}
        self.readers = {name: Reader(getattr(world, name), self.follow(name), name == "sol") for name in NAMES}
        # Vera also gets the same changes through Larkhaven, at another frequency.
        services.add_confirmed_subscription(
            person=world.vera, target=world.larkhaven, author=None, frequency="weekly", now=self.now
        )

    def follow(self, name: str) -> Subscription:
        return services.add_confirmed_subscription(
            person=getattr(self.world, name),
            target=self.world.partnership,
            author=self.world.amina if name == "sol" else None,
            organisation=self.world.larkhaven if name == "sol" else None,
            now=self.now,
        )

    def leap(self) -> None:
        self.now += dt.timedelta(days=40)

    def change(self, kind: str, of_larkhaven: bool) -> None:
        self.count += 1
        also = [f"organisation:{self.world.larkhaven.pk}"] if of_larkhaven else []
        event = self.happen(kind, also, {"after": {"organisation": f"Mark {self.count}"}})
        self.marks[event.pk] = self.count, of_larkhaven
        for name, reader in self.readers.items():
            if not reader.may_hear(kind) or (reader.stopped and name != "vera"):
                continue
            # Vera gets everything through Larkhaven, even if her other subscription ends.
            is_owed = not reader.lost and (name == "vera" or reader.chose(kind))
            (reader.owed if is_owed else reader.perhaps).add(self.count)

    def happen(self, kind: str, also: list[str], data: dict[str, Any]) -> Event:
        """Create an event of the partnership; the database numbers it at once."""
        return Event.objects.create(
            kind=kind,
            target_kind="partnership",
            target_id=self.world.partnership.pk,
            at=timezone.now(),
            audience=follower_notices._notices_by_kind[kind].audience,
            subjects=[f"partnership:{self.world.partnership.pk}", *also],
            data=data,
        )

    def level(self, to: int) -> None:
        """Move the level up or down, for everybody."""
        if to == self.level_now:
            to = 0
        self.happen(LEVEL, [], {"before": {"status": f"Level {self.level_now}"}, "after": {"status": f"Level {to}"}})
        self.level_now = to
        for name, reader in self.readers.items():
            if reader.lost or reader.stopped or not (name == "vera" or reader.chose(LEVEL)):
                reader.level = None

    def lose(self, name: str) -> None:
        """Lose the right to be told anything, or regain it.

        Ben leaves the council. Larkhaven, which added Sol, leaves the partnership; Vera is then told only of earlier
        changes.
        """
        if self.in_doubt:
            return
        lost = not self.readers[name].lost
        if name == "ben":
            ends_on = timezone.localdate() - dt.timedelta(days=1) if lost else None
            Membership.objects.filter(person=self.world.ben).update(ends_on=ends_on)
            self.readers["ben"].lost = lost
            return
        status, left_at = (PartyStatus.LEFT, timezone.now()) if lost else (PartyStatus.ACCEPTED, None)
        self.world.partnership.parties.filter(organisation=self.world.larkhaven).update(status=status, left_at=left_at)
        self.readers["sol"].lost = self.readers["vera"].lost = lost

    def see(self, name: str) -> None:
        """Read the history of the partnership on the site.

        Changes that are also Larkhaven's may still be in an email about Larkhaven.
        """
        reader = self.readers[name]
        if self.in_doubt or reader.lost or (reader.stopped and name != "vera"):
            return
        partnership = self.world.partnership.pk
        shown = Event.objects.filter(target_kind="partnership", target_id=partnership).values_list("pk", flat=True)
        note_events_seen(
            person_id=reader.person.pk, kind="partnership", record_id=partnership, event_ids=list(shown), now=self.now
        )
        both = {mark for mark, of_larkhaven in self.marks.values() if of_larkhaven and name == "vera"}
        reader.perhaps |= reader.untold & both
        reader.owed -= reader.untold
        reader.level = self.level_now

    def pass_by(self) -> None:
        """Give up the marks of readers without rights, as composing an email would."""
        for name in ("ben", "sol"):
            if self.readers[name].lost:
                self.readers[name].give_up()

    def tick(self) -> None:
        """Send everything that is due, at every frequency."""
        self.pass_by()
        for _ in range(4):
            self.leap()
            Delivery.objects.filter(status="queued").update(available_at=timezone.now())
            SendCount.objects.all().delete()
            play(self.office, now=self.now)
        self.in_doubt = False
        sent, self.office.sent = self.office.sent, []
        for outgoing in sent:
            self.take(outgoing.recipient, outgoing.data)
        for name, reader in self.readers.items():
            if not (reader.paused or reader.stopped):
                assert not reader.untold, (name, reader.untold)
                assert reader.level in (None, self.level_now), (name, reader.level, self.level_now)

    def take(self, address: str, raw: bytes) -> None:
        reader = next(reader for reader in self.readers.values() if reader.person.email == address)
        same_email = reader.emails.get(str(read(raw)["Message-ID"]))
        assert same_email in (None, raw)
        if same_email is not None:
            return
        reader.emails[str(read(raw)["Message-ID"])] = raw
        moves = _LEVEL.findall(" ".join(text_of(read(raw)).split()))
        assert marks_in(raw) or moves, "An empty email was sent."
        for before, after in moves:
            assert reader.level in (None, int(before)), (reader.level, before)
            reader.level = int(after)

    def pause(self, name: str) -> None:
        reader = self.readers[name]
        if self.in_doubt or reader.stopped:
            return
        reader.subscription.refresh_from_db()
        change = services.resume if reader.paused else services.pause
        change(subscription=reader.subscription, author=reader.person, now=self.now)
        reader.paused = not reader.paused

    def stop(self, name: str) -> None:
        """Stop the subscription, or follow again; changes in between are not expected."""
        reader = self.readers[name]
        if self.in_doubt or name == "vera":
            return
        if reader.stopped:
            if reader.lost:
                return
            reader.subscription = self.follow(name)
            reader.subscription.refresh_from_db()
            reader.level = self.level_now
        else:
            author = self.world.amina if name == "sol" else reader.person
            services.stop(subscriptions=[reader.subscription], author=author, reason="Enough.", now=self.now)
            reader.give_up()
        reader.stopped, reader.paused = not reader.stopped, False

    def choose(self, name: str, hears: str) -> None:
        """Choose which changes are reported; waiting changes may or may not be reported."""
        reader = self.readers[name]
        if self.in_doubt or name == "vera":
            return
        reader.subscription.refresh_from_db()
        services.set_hears(subscription=reader.subscription, hears=hears, author=reader.person, now=self.now)
        reader.give_up()
        reader.hears = hears

    def pace(self, name: str, frequency: str) -> None:
        reader = self.readers[name]
        reader.subscription.refresh_from_db()
        services.set_frequency(
            subscription=reader.subscription, frequency=frequency, author=reader.person, now=self.now
        )

    def put_off(self, name: str) -> None:
        """Let the reader's server defer the next delivery attempt."""
        later = answers.Answer(0, answers.Outcome.LATER, "451 4.3.0 Not now")
        self.office.answers[self.readers[name].person.email] = [later]

    def crash(self, took: bool) -> None:
        """Claim emails and let the worker die; with `took`, the server had accepted the emails already."""
        self.pass_by()
        self.leap()
        plan_round(now=self.now)
        people = [reader.person.pk for reader in self.readers.values()]
        claimed = claim_emails(now=timezone.now(), limit=10, people=people).emails
        for email in claimed if took else ():
            self.take(email.address, email.data)
        Delivery.objects.filter(status="sending").update(available_at=timezone.now())
        self.in_doubt = self.in_doubt or bool(claimed)

    def end(self) -> None:
        """Restore every right, resume every reader, and check what each was told."""
        self.tick()
        for name, reader in self.readers.items():
            if reader.lost and name != "vera":
                self.lose(name)
            if reader.paused and not reader.stopped:
                self.pause(name)
        self.tick()
        for name, reader in self.readers.items():
            read_counts = reader.read
            assert all(read_counts[mark] == 1 for mark in reader.owed), (name, reader.owed, read_counts)
            assert all(count == 1 for count in read_counts.values()), (name, read_counts)
            assert set(read_counts) <= reader.owed | reader.perhaps, (
                name,
                set(read_counts) - reader.owed - reader.perhaps,
            )
            if not reader.stopped:
                watermarks = SubjectWatermark.objects.filter(recipient=reader.person).select_related("subject")
                assert all(row.number == row.subject.last_number for row in watermarks)
                sent_sections = DeliverySubject.objects.filter(
                    delivery__recipient=reader.person, delivery__status="sent"
                )
                assert sum(len(self.marks.keys() & set(row.told)) for row in sent_sections) == sum(read_counts.values())


@pytest.mark.django_db
@settings(max_examples=15)
@given(steps=STEPS)
def test_every_change_of_a_subject_comes_once(world: World, steps: list[tuple[object, ...]]) -> None:
    for cache in (selecting.clear_cache, subjects.clear_cache, rendering.clear_caches):
        cache()  # ids repeat after a rollback
    with transaction.atomic():
        history = History(world)
        for verb, *arguments in steps:
            getattr(history, str(verb))(*arguments)
        history.end()
        transaction.set_rollback(True)
