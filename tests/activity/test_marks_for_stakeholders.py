"""Stakeholders are notified only about the commitments, asks, offers and meetings that leads chose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet
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
EACH_WITH_NOUN = pytest.mark.parametrize(
    ("make", "name", "noun"),
    [(make_commitment, "commitment", "commitment"), (make_ask, "entry", "ask"), (make_meeting, "meeting", "meeting")],
)


def is_marked(name: str, record: Any) -> bool:
    """Return whether stakeholders may be notified about the record."""
    kind = kind_named(name)
    assert kind is not None
    assert kind.marked_ids is not None
    return record.pk in set(kind.marked_ids().values_list("pk", flat=True))


def events_of_marks(name: str, record: Any) -> QuerySet[Event]:
    """Return the events about marks of the record."""
    return Event.objects.filter(target_kind=name, target_id=record.pk, kind__endswith="marked_for_stakeholders")


@EACH
def test_new_record_is_not_marked(world: World, make: Any, name: str) -> None:
    record, _, _ = make(world)

    assert not is_marked(name, record)


@EACH
def test_lead_marks_a_record(world: World, make: Any, name: str) -> None:
    record, _, mark = make(world)

    mark(True, world.ben)

    assert is_marked(name, record)


@EACH_WITH_NOUN
def test_mark_is_recorded_without_a_reason(world: World, make: Any, name: str, noun: str) -> None:
    record, _, mark = make(world)

    mark(True, world.amina)

    event = events_of_marks(name, record).get()
    assert event.label == f"Chose to tell stakeholders about the {noun}"
    assert "reason" not in event.data


@EACH
def test_second_mark_is_not_recorded(world: World, make: Any, name: str) -> None:
    record, _, mark = make(world)
    mark(True, world.amina)

    mark(True, world.amina)

    assert events_of_marks(name, record).count() == 1


@EACH_WITH_NOUN
def test_removal_of_a_mark_is_recorded_without_a_reason(world: World, make: Any, name: str, noun: str) -> None:
    record, _, mark = make(world)
    mark(True, world.amina)

    mark(False, world.amina)

    event = events_of_marks(name, record).latest("pk")
    assert event.label == f"Stopped telling stakeholders about the {noun}"
    assert "reason" not in event.data


@EACH
def test_row_history_names_the_field_of_a_mark(world: World, make: Any, name: str) -> None:
    record, _, mark = make(world)

    mark(True, world.amina)

    assert [field.name for field in row_history(record)[0].fields] == ["tell stakeholders"]


@EACH
def test_editor_cannot_mark(world: World, make: Any, name: str) -> None:
    record, _, mark = make(world)

    with pytest.raises(UnableToAct, match="Only leads"):
        mark(True, world.eddie)

    assert not is_marked(name, record)


@EACH
def test_lead_marks_on_the_page(world: World, make: Any, name: str) -> None:
    record, page_name, _ = make(world)
    mark_url = reverse(page_name, kwargs={"pk": record.pk})

    page = signed_in(world.amina).post(mark_url, {"tell": "yes"}, follow=True).content.decode()

    assert "We will tell stakeholders about this" in page
    assert "Stop telling stakeholders" in page
    assert is_marked(name, record)


@EACH
def test_page_of_a_record_offers_to_mark_it(world: World, make: Any, name: str) -> None:
    record, _, _ = make(world)

    page = signed_in(world.amina).get(record.get_absolute_url()).content.decode()

    assert "Tell stakeholders" in " ".join(page.split())
