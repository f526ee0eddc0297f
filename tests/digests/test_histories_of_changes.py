"""Random histories of changes: each comes in exactly one email or none.

Every change has a mark of its own. A small model says which marks each reader is owed: what they may hear, chose to
hear, and what happened while they followed. Two of the subscriptions tell the same changes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partnerships.activity import telling
from partnerships.activity.folding import Fold
from partnerships.activity.models import Event
from partnerships.activity.subjects import Audience
from partnerships.activity.telling import Group, Told
from partnerships.digests import services
from partnerships.digests.emails import rendering, selecting, subjects
from partnerships.digests.models import Delivery, DeliverySubject, SubjectWatermark, Subscription
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox import answers
from partnerships.outbox.claiming import claim
from partnerships.outbox.models import SendCount
from partnerships.people.models import User
from tests.digests.conftest import PostOffice, play, read, text_of
from tests.world import World

OPEN, MONEY, CLOSED = "partnership.party_left", "partnership.terms_in_force", "partnership.document_added"
NAMES = ("ben", "sol", "vera")
WHO = st.sampled_from(NAMES)
CHANGE = st.tuples(st.just("change"), st.sampled_from([OPEN, MONEY, CLOSED]), st.booleans())
STEPS = st.lists(
    st.one_of(
        CHANGE,
        CHANGE,
        CHANGE,
        st.tuples(st.just("tick")),
        st.tuples(st.just("pause"), WHO),
        st.tuples(st.just("stop"), WHO),
        st.tuples(st.just("choose"), WHO, st.sampled_from(["everything", "dates"])),
        st.tuples(st.just("pace"), WHO, st.sampled_from(["at_once", "daily", "weekly", "monthly"])),
        st.tuples(st.just("put_off"), WHO),
        st.tuples(st.just("crash"), st.booleans()),
    ),
    max_size=12,
)
_MARK = re.compile(r"Mark (\d+)\b")


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three kinds: for everybody, for everybody and about money, and for insiders."""
    for kind in (
        Told(OPEN, Group.PARTIES, "Left{names}", Fold.EACH, False, Audience.OUTSIDE, "", False),
        Told(MONEY, Group.TERMS, "Amended{names}", Fold.EACH, True, Audience.OUTSIDE, "", False),
        Told(CLOSED, Group.DOCUMENTS, "Added{names}", Fold.EACH, False, Audience.INSIDE, "", False),
    ):
        monkeypatch.setitem(telling._told, kind.kind, kind)
    yield
    subjects.clear_cache()


@dataclass
class Reader:
    """A follower, as the model knows them."""

    person: User
    subscription: Subscription
    is_outside: bool = False
    owed: set[int] = field(default_factory=set)
    perhaps: set[int] = field(default_factory=set)
    hears: str = "everything"
    paused: bool = False
    stopped: bool = False
    emails: dict[str, bytes] = field(default_factory=dict)

    @property
    def read(self) -> Counter[int]:
        """How many emails named each mark."""
        return Counter(mark for raw in self.emails.values() for mark in marks_in(raw))

    def may_hear(self, kind: str) -> bool:
        return not (self.is_outside and kind == CLOSED)

    def chose(self, kind: str) -> bool:
        return self.hears == "everything" or kind == MONEY

    def give_up(self) -> None:
        """Mark what has not been told yet as no longer owed."""
        untold = self.owed - set(self.read)
        self.owed -= untold
        self.perhaps |= untold


def marks_in(raw: bytes) -> set[int]:
    return {int(number) for number in _MARK.findall(" ".join(text_of(read(raw)).split()))}


class History:
    """One history on real services."""

    def __init__(self, world: World) -> None:
        self.world, self.office = world, PostOffice()
        self.count, self.in_doubt, self.now = 0, False, timezone.now()
        self.readers = {name: Reader(getattr(world, name), self.follow(name), name == "sol") for name in NAMES}
        # Vera hears of the same changes through Larkhaven too, at another pace.
        services.enrol(person=world.vera, target=world.larkhaven, author=None, frequency="weekly", now=self.now)

    def follow(self, name: str) -> Subscription:
        return services.enrol(
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
        subjects_ = [f"partnership:{self.world.partnership.pk}"]
        Event.objects.create(
            kind=kind,
            target_kind="partnership",
            target_id=self.world.partnership.pk,
            at=timezone.now(),
            audience=telling._told[kind].may_hear,
            subjects=[*subjects_, *([f"organisation:{self.world.larkhaven.pk}"] if of_larkhaven else [])],
            data={"after": {"organisation": f"Mark {self.count}"}},
        )
        for name, reader in self.readers.items():
            if not reader.may_hear(kind):
                continue
            if name == "vera":  # Larkhaven's subscription tells her everything, whatever becomes of the other
                reader.owed.add(self.count)
            elif not reader.stopped:
                (reader.owed if reader.chose(kind) else reader.perhaps).add(self.count)

    def tick(self) -> None:
        """Send everything that is due, at every frequency."""
        for _ in range(4):
            self.leap()
            Delivery.objects.filter(status="queued").update(available_at=timezone.now())
            SendCount.objects.all().delete()
            play(self.office, now=self.now)
        self.in_doubt = False
        sent, self.office.sent = self.office.sent, []
        for one in sent:
            self.take(one.recipient, one.data)
        for name, reader in self.readers.items():
            if not (reader.paused or reader.stopped):
                assert reader.owed <= set(reader.read), (name, reader.owed - set(reader.read))

    def take(self, address: str, raw: bytes) -> None:
        reader = next(one for one in self.readers.values() if one.person.email == address)
        assert reader.emails.setdefault(str(read(raw)["Message-ID"]), raw) == raw
        assert marks_in(raw), "An empty email was sent."

    def pause(self, name: str) -> None:
        reader = self.readers[name]
        if self.in_doubt or reader.stopped:
            return
        reader.subscription.refresh_from_db()
        change = services.resume if reader.paused else services.pause
        change(subscription=reader.subscription, author=reader.person, now=self.now)
        reader.paused = not reader.paused

    def stop(self, name: str) -> None:
        """Stop, or follow again; what happens in between is not owed."""
        reader = self.readers[name]
        if self.in_doubt or name == "vera":
            return
        if reader.stopped:
            reader.subscription = self.follow(name)
            reader.subscription.refresh_from_db()
        else:
            author = self.world.amina if name == "sol" else reader.person
            services.stop(subscriptions=[reader.subscription], author=author, reason="Enough.", now=self.now)
            reader.give_up()
        reader.stopped, reader.paused = not reader.stopped, False

    def choose(self, name: str, hears: str) -> None:
        """Choose what is heard; what waits may go either way."""
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
        """A worker claims and dies; `took`: the server had accepted its emails already."""
        self.leap()
        plan_round(now=self.now)
        people = [reader.person.pk for reader in self.readers.values()]
        claimed = claim(now=timezone.now(), limit=10, people=people).emails
        for one in claimed if took else ():
            self.take(one.address, one.data)
        Delivery.objects.filter(status="sending").update(available_at=timezone.now())
        self.in_doubt = self.in_doubt or bool(claimed)

    def end(self) -> None:
        """Resume every reader, and check what each was told."""
        self.tick()
        for name, reader in self.readers.items():
            if reader.paused and not reader.stopped:
                self.pause(name)
        self.tick()
        for name, reader in self.readers.items():
            found = reader.read
            assert all(found[mark] == 1 for mark in reader.owed), (name, reader.owed, found)
            assert all(count == 1 for count in found.values()), (name, found)
            assert set(found) <= reader.owed | reader.perhaps, (name, set(found) - reader.owed - reader.perhaps)
            if not reader.stopped:
                behind = SubjectWatermark.objects.filter(recipient=reader.person).select_related("subject")
                assert all(row.number == row.subject.last_number for row in behind)
                told_ = DeliverySubject.objects.filter(delivery__recipient=reader.person, delivery__status="sent")
                assert sum(len(set(row.told)) for row in told_) == sum(found.values())


@pytest.mark.django_db
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_every_change_of_a_subject_comes_once(world: World, steps: list[tuple[object, ...]]) -> None:
    for cache in (selecting.clear_cache, subjects.clear_cache, rendering.clear_caches):
        cache()  # ids repeat after a rollback
    with transaction.atomic():
        history = History(world)
        for verb, *given_ in steps:
            getattr(history, str(verb))(*given_)
        history.end()
        transaction.set_rollback(True)
