"""Events have codes that rooms register, and labels for people."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from django.db.models import TextChoices
from django.utils import timezone

import partnerships
from partnerships.activity.event_kinds import UnknownEventKind, event_labels, register_events
from partnerships.activity.models import Event
from partnerships.activity.queries import event_labels_in
from partnerships.activity.services import record
from partnerships.organisations.timeline import timeline_lines
from tests.world import World

pytestmark = pytest.mark.django_db

ROOMS = sorted(path.parent.name for path in Path(partnerships.__path__[0]).glob("*/event_kinds.py"))


class Unknown(TextChoices):
    """A kind that no room registers."""

    GONE = "room.gone", "Went away"


class Taken(TextChoices):
    """A code that another room has."""

    AGREED = "plan.agreed", "Agreed"


def declared_kinds() -> list[TextChoices]:
    """Return every kind of event that the rooms declare."""
    modules = (import_module(f"partnerships.{room}.event_kinds") for room in ROOMS if room != "activity")
    return [kind for module in modules for kind in module.EventKind]


def test_every_kind_of_event_is_registered_once_with_a_label() -> None:
    kinds = declared_kinds()

    codes = [kind.value for kind in kinds]
    assert len(codes) == len(set(codes))
    assert {kind.value: str(kind.label) for kind in kinds} == dict(event_labels())
    assert all(len(code) <= 60 for code in codes)


@pytest.mark.parametrize("label", event_labels().values())
def test_every_label_reads_as_the_beginning_of_a_sentence(label: str) -> None:
    assert label[0].isupper()
    assert "_" not in label
    assert not label.endswith((".", " of", " about", " to", " for"))


def test_unregistered_kind_is_not_recorded(world: World) -> None:
    with pytest.raises(UnknownEventKind, match=r"room\.gone"):
        record(actor_id=None, kind=Unknown.GONE, target_kind="plan", target_id=1, now=timezone.now())

    assert not Event.objects.filter(kind="room.gone").exists()


def test_code_stands_for_one_kind() -> None:
    with pytest.raises(ValueError, match=r"plan\.agreed"):
        register_events(Taken)


def event_of_partnership(world: World, kind: str, wording: str = "") -> Event:
    """Return an event of this kind about the Estuary Partnership. Events without a code have a wording."""
    event = Event.objects.create(
        kind=kind,
        target_kind="partnership",
        target_id=world.partnership.pk,
        at=timezone.now(),
        data={"wording": wording} if wording else {},
    )
    event.refresh_from_db()
    return event


@pytest.mark.parametrize(
    ("kind", "wording", "title"),
    [
        pytest.param("partnership.terms_changed", "", "Changed the terms", id="with a label"),
        pytest.param("other", "planted a tree", "Planted a tree", id="from before codes"),
        pytest.param("partnership.retired", "", "partnership.retired", id="no longer registered"),
    ],
)
def test_timeline_has_a_title_for_every_event(world: World, kind: str, wording: str, title: str) -> None:
    event = event_of_partnership(world, kind, wording)

    [line] = timeline_lines([event])

    assert line.title == title


def test_row_history_names_a_repeated_event_once(world: World) -> None:
    event_of_partnership(world, "partnership.terms_changed")
    event_of_partnership(world, "partnership.terms_changed")
    context_id = event_of_partnership(world, "other", "planted a tree").context_id

    labels_by_context = event_labels_in([context_id])

    labels = labels_by_context[context_id]
    assert labels[-2:] == ["Changed the terms", "Planted a tree"]
    assert labels.count("Changed the terms") == 1


#: Sentences that code must compare: PostgreSQL's messages, a received email, and groups of a published list.
_READ = {
    "partnerships/transfer/reading/housing_figures/delivery_test.py": {"joint plan"},
    "partnerships/kit/masking.py": {"invalid input"},
    "partnerships/digests/management/weeks/plans.py": {"You are receiving this email because"},
}
_FILTERS = ("filter", "exclude", "get", "Q")
_BEGINNINGS = ("startswith", "endswith")
_SENTENCE = re.compile(r"[A-Za-z]\S* \S")


def sentences_compared(module: ast.Module) -> set[str]:
    """Return the English sentences that code compares, searches for or filters by."""
    found: set[str] = set()
    for node in ast.walk(module):
        asked: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            asked = list(node.args) if called in _BEGINNINGS else []
            asked += [keyword.value for keyword in node.keywords] if called in _FILTERS else []
        values = (part for one in asked for part in (one.elts if isinstance(one, ast.Tuple | ast.List) else [one]))
        found |= {
            value.value
            for value in values
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and _SENTENCE.match(value.value)
        }
    return found


def test_no_code_compares_a_sentence() -> None:
    root = Path(partnerships.__path__[0])
    compared = {
        str(path.relative_to(root.parent)): sentences_compared(ast.parse(path.read_text()))
        for path in root.rglob("*.py")
        if "migrations" not in path.parts
    }

    assert {name: sentences for name, sentences in compared.items() if sentences} == _READ
