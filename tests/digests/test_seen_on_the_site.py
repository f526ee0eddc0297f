"""Digests do not repeat changes that people have seen on the site."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.seen import note_events_seen
from partnerships.digests import services
from partnerships.digests.models import InboxItem, SubjectWatermark, Watermark
from partnerships.digests.services.sweep import plan_round
from partnerships.plans.models import Plan
from tests.commitments.promises import propose
from tests.digests.conftest import PostOffice, publish, text_of
from tests.exchange.conftest import shared_entry
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def plan_watermark(world: World, plan: Plan) -> Watermark:
    """Return Ben's watermark of the plan that he follows; versions 2 and 3 wait for his daily digest."""
    services.subscribe(person=world.ben, target=plan, frequency="daily", author=world.ben, now=timezone.now())
    publish(plan, 100, author=world.amina)
    publish(plan, 90, author=world.amina)
    plan_round(now=timezone.now())
    return Watermark.objects.get(recipient=world.ben, plan=plan, due_at__isnull=False)


def compare(person: Any, plan: Plan, first: int, last: int, method: str = "get") -> None:
    """Open the page on which a person compares two versions of a plan."""
    address = f"{reverse('plans:compare', args=[plan.pk])}?from={first}&to={last}"
    assert getattr(signed_in(person), method)(address).status_code == 200


def state(plan_watermark: Watermark) -> tuple[int, bool]:
    """Return the stored number of a watermark, and whether news of the plan is due."""
    plan_watermark.refresh_from_db()
    return plan_watermark.number, plan_watermark.due_at is not None


def test_comparing_the_last_told_version_with_the_newest_counts_as_told(
    world: World, plan: Plan, plan_watermark: Watermark
) -> None:
    compare(world.ben, plan, 1, 3)

    assert state(plan_watermark) == (3, False)


def test_comparing_part_of_what_is_new_leaves_the_rest_to_tell(
    world: World, plan: Plan, plan_watermark: Watermark, office: PostOffice
) -> None:
    compare(world.ben, plan, 1, 2)
    state_after_comparing = state(plan_watermark)

    plan_round(now=plan_watermark.due_at or timezone.now())
    office.drain()

    assert state_after_comparing == (2, True)
    [email] = office.to(world.ben)
    text = re.sub(r"https?://\S+", "", text_of(email))  # addresses may contain any number
    assert "100" in text
    assert "120" not in text


def test_a_comparison_that_leaves_a_gap_counts_for_nothing(world: World, plan: Plan, plan_watermark: Watermark) -> None:
    compare(world.ben, plan, 2, 3)

    assert state(plan_watermark) == (1, True)


def test_comparing_backwards_counts_for_nothing(world: World, plan: Plan, plan_watermark: Watermark) -> None:
    compare(world.ben, plan, 3, 1)

    assert state(plan_watermark) == (1, True)


def test_a_head_request_counts_for_nothing(world: World, plan: Plan, plan_watermark: Watermark) -> None:
    compare(world.ben, plan, 1, 3, method="head")

    assert state(plan_watermark) == (1, True)


def test_what_one_person_sees_moves_nobody_elses_watermark(world: World, plan: Plan, plan_watermark: Watermark) -> None:
    compare(world.amina, plan, 1, 3)

    assert state(plan_watermark) == (1, True)


@pytest.fixture
def partnership_watermark(world: World) -> SubjectWatermark:
    """Return Ben's watermark of the partnership that he follows; news of a commitment is due."""
    services.subscribe(
        person=world.ben, target=world.partnership, frequency="daily", author=world.ben, now=timezone.now()
    )
    propose(world)
    plan_round(now=timezone.now())
    return SubjectWatermark.objects.get(recipient=world.ben, subject__kind="partnership", due_at__isnull=False)


def test_the_history_of_a_partnership_counts_as_told(world: World, partnership_watermark: SubjectWatermark) -> None:
    signed_in(world.ben).get(reverse("agreements:history", args=[world.partnership.pk]))

    partnership_watermark.refresh_from_db()
    assert partnership_watermark.number == partnership_watermark.subject.last_number
    assert partnership_watermark.due_at is None


def test_an_older_page_of_the_history_counts_for_nothing(world: World, partnership_watermark: SubjectWatermark) -> None:
    number_before = partnership_watermark.number

    note_events_seen(
        person_id=world.ben.pk,
        kind="partnership",
        record_id=world.partnership.pk,
        event_ids=[],
        now=timezone.now(),
    )

    partnership_watermark.refresh_from_db()
    assert partnership_watermark.number == number_before
    assert partnership_watermark.due_at is not None


def create_change(subject: str, kind: str, record_id: int, event_kind: str) -> None:
    """Create an event that changes the status of a record."""
    Event.objects.create(
        kind=event_kind,
        target_kind=kind,
        target_id=record_id,
        at=timezone.now(),
        audience="inside",
        subjects=[f"{subject}:{record_id}"],
        data={"before": {"status": "active"}, "after": {"status": "under_review"}},
    )


def follow_daily(world: World, target: Any, subject: str, event_kind: str) -> SubjectWatermark:
    """Make Ben follow a record and change the record; the change waits for his daily digest."""
    services.subscribe(person=world.ben, target=target, frequency="daily", author=world.ben, now=timezone.now())
    create_change(subject, subject, target.pk, event_kind)
    plan_round(now=timezone.now())
    return SubjectWatermark.objects.get(recipient=world.ben, subject__kind=subject, due_at__isnull=False)


@pytest.mark.parametrize(
    ("subject", "event_kind", "page"),
    [
        ("commitment", "commitment.progress_reported", "commitments:detail"),
        ("entry", "ask.changed", "exchange:detail"),
        ("organisation", "organisation.changed", "organisations:detail"),
        ("partnership", "partnership.status_changed", "agreements:detail"),
        ("plan", "plan.status_changed", "plans:history"),
    ],
)
def test_the_newest_changes_on_a_records_page_count_as_told(
    subject: str, event_kind: str, page: str, world: World, plan: Plan
) -> None:
    targets = {
        "commitment": lambda: propose(world),
        "entry": lambda: shared_entry(world.westmarch, world.ben, timezone.now()),
        "organisation": lambda: world.larkhaven,
        "partnership": lambda: world.partnership,
        "plan": lambda: plan,
    }
    watermark = follow_daily(world, targets[subject](), subject, event_kind)
    address = reverse(page, args=[watermark.subject.record_id])

    assert signed_in(world.ben).head(address).status_code == 200
    assert signed_in(world.ben).get(address, headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 200
    watermark.refresh_from_db()
    assert watermark.due_at is not None

    assert signed_in(world.ben).get(address).status_code == 200
    watermark.refresh_from_db()
    assert watermark.number == watermark.subject.last_number
    assert watermark.due_at is None


def test_a_page_that_shows_only_the_newest_changes_leaves_the_others_to_tell(world: World) -> None:
    watermark = follow_daily(world, world.partnership, "partnership", "partnership.status_changed")
    for _ in range(8):
        create_change("partnership", "partnership", world.partnership.pk, "partnership.status_changed")

    signed_in(world.ben).get(reverse("agreements:detail", args=[world.partnership.pk]))

    number_before = watermark.number
    watermark.refresh_from_db()
    assert watermark.number == number_before
    assert watermark.due_at is not None


def test_what_an_administrator_sees_as_somebody_is_still_told_to_them(
    world: World, partnership_watermark: SubjectWatermark, plan: Plan, plan_watermark: Watermark
) -> None:
    item = InboxItem.objects.create(
        person=world.ben,
        kind="digests.digest",
        group="digests",
        record_kind="digest",
        record_id=1,
        created_at=timezone.now(),
    )
    administrator = signed_in(world.dee)
    administrator.post(reverse("people:view-as", args=[world.ben.pk]), {"reason": "He asked for help."})

    history = administrator.get(reverse("agreements:history", args=[world.partnership.pk]))
    comparison = administrator.get(f"{reverse('plans:compare', args=[plan.pk])}?from=1&to=3")
    inbox_answer = administrator.get(reverse("digests:inbox-open", args=[item.pk]))

    assert history.status_code == 200
    assert comparison.status_code == 200
    assert "Ben" in history.content.decode()
    for watermark in (partnership_watermark, plan_watermark):
        watermark.refresh_from_db()
        assert watermark.due_at is not None
    item.refresh_from_db()
    assert item.read_at is None
    assert inbox_answer["Location"] == reverse("digests:inbox")
