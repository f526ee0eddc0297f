"""Stakeholders are notified only about the commitments, asks, offers and meetings that leads chose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.registry import kind_named
from partnerships.commitments.services import mark_for_stakeholders as tell_of_commitment
from partnerships.conversations.services import mark_meeting_for_stakeholders
from partnerships.exchange.services import mark_for_stakeholders as tell_of_entry
from partnerships.kit.rights import UnableToAct
from partnerships.kit.row_history import row_history
from tests.commitments.promises import agree
from tests.conversations.gatherings import planned_meeting
from tests.exchange.conftest import shared_entry
from tests.support.signing_in import signed_in
from tests.world import World

pytestmark = pytest.mark.django_db


def make_commitment(world: World) -> tuple[Any, str, Callable[[bool, Any], Any]]:
    """Return a commitment, the name of its page, and a function that marks it."""
    commitment = agree(world)
    return (
        commitment,
        "commitments:stakeholders",
        lambda tell, author: tell_of_commitment(commitment=commitment, tell=tell, author=author, now=timezone.now()),
    )


def make_ask(world: World) -> tuple[Any, str, Callable[[bool, Any], Any]]:
    """Return an ask, the name of its page, and a function that marks it."""
    entry = shared_entry(
        world.larkhaven, world.amina, timezone.now(), audience="partnership", partnership=world.partnership
    )
    return (
        entry,
        "exchange:stakeholders",
        lambda tell, author: tell_of_entry(entry=entry, tell=tell, author=author, now=timezone.now()),
    )


def make_meeting(world: World) -> tuple[Any, str, Callable[[bool, Any], Any]]:
    """Return a meeting, the name of its page, and a function that marks it."""
    meeting = planned_meeting(world)
    return (
        meeting,
        "conversations:meeting-stakeholders",
        lambda tell, author: mark_meeting_for_stakeholders(
            meeting=meeting, tell=tell, author=author, now=timezone.now()
        ),
    )


EACH = pytest.mark.parametrize(
    ("make", "name"), [(make_commitment, "commitment"), (make_ask, "entry"), (make_meeting, "meeting")]
)


def is_marked(name: str, record: Any) -> bool:
    """Return whether stakeholders may be notified about the record."""
    kind = kind_named(name)
    assert kind is not None
    assert kind.marked_ids is not None
    return record.pk in set(kind.marked_ids().values_list("pk", flat=True))


@EACH
def test_stakeholders_hear_nothing_until_a_lead_says_so(world: World, make: Any, name: str) -> None:
    record, _, mark = make(world)
    before = is_marked(name, record)

    mark(True, world.ben)

    assert not before
    assert is_marked(name, record)


@EACH
def test_mark_and_its_removal_are_recorded_without_a_reason(world: World, make: Any, name: str) -> None:
    record, _, mark = make(world)
    for tell in (True, True, False):
        mark(tell, world.amina)

    events = Event.objects.filter(target_kind=name, target_id=record.pk, kind__endswith="marked_for_stakeholders")
    noun = {"entry": "ask"}.get(name, name)
    assert [event.label for event in events.order_by("pk")] == [
        f"Chose to tell stakeholders about the {noun}",
        f"Stopped telling stakeholders about the {noun}",
    ]
    assert [event.data.get("reason") for event in events] == [None, None]
    assert [field.name for field in row_history(record)[0].fields] == ["tell stakeholders"]


@EACH
def test_editor_cannot_mark(world: World, make: Any, name: str) -> None:
    record, _, mark = make(world)

    with pytest.raises(UnableToAct, match="Only leads"):
        mark(True, world.eddie)

    assert not is_marked(name, record)


@EACH
def test_lead_marks_on_the_page(world: World, make: Any, name: str) -> None:
    record, page, _ = make(world)
    client = signed_in(world.amina)
    page_before = client.get(record.get_absolute_url()).content.decode()

    page_after = client.post(reverse(page, kwargs={"pk": record.pk}), {"tell": "yes"}, follow=True).content.decode()

    assert "Tell stakeholders" in " ".join(page_before.split())
    assert "We will tell stakeholders about this" in page_after
    assert "Stop telling stakeholders" in page_after
    assert is_marked(name, record)
