"""Drafts and versions are saved, merged and published in the same way for any kind of document.

The drafts here have the schema of a charter, but are stored in the tables of plans.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from partnerships.documents import PieceConflict, get_piece, normalise
from partnerships.documents import services as documents
from partnerships.documents.queries import last_saves
from partnerships.documents.services import rendering
from partnerships.plans.models import Draft, Version
from tests.documents.charters import CHARTER, a_charter
from tests.plans.drafts import begin
from tests.world import World

FEES = {"title": "Fees", "body": "Everybody pays."}


@pytest.fixture
def draft(world: World) -> Draft:
    """Return a draft of a charter, in the table of drafts of plans."""
    row: Draft = begin(world).draft
    documents.write_content(CHARTER, row, a_charter())
    row.save()
    return row


def save(draft: Draft, world: World, piece: str, value: Any, based_on: int | None = None) -> bool:
    open_draft = documents.OpenDraft(CHARTER, draft, draft.content or a_charter())
    return documents.save_piece(open_draft, piece, value, based_on=based_on, author=world.amina, now=timezone.now())


def publish(draft: Draft, world: World, previous: Any, replacement: Any = None) -> tuple[documents.Prepared, Version]:
    prepared = documents.prepare(CHARTER, draft, previous, replacement=replacement)
    version = documents.create_version(
        Version,
        prepared,
        number=documents.next_number(draft.plan.versions.all()),
        note="Because.",
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
        rendered=(draft,),
        plan=draft.plan,
        title="Charter",
    )
    return prepared, version


def test_piece_is_saved_with_its_html_and_who_saved_it(world: World, draft: Draft) -> None:
    has_changed = save(draft, world, "clauses/fees", FEES)

    assert has_changed
    draft.refresh_from_db()
    assert get_piece(CHARTER, draft.content or {}, "clauses/fees")["body"] == "Everybody pays."
    assert draft.prose["clauses/fees/body"] == "<p>Everybody pays.</p>\n"
    assert last_saves(draft)["clauses/fees"].by == world.amina.display_name


def test_saving_the_same_piece_again_changes_nothing(world: World, draft: Draft) -> None:
    save(draft, world, "clauses/fees", FEES)
    revision = draft.revision

    has_changed = save(draft, world, "clauses/fees", FEES)

    assert not has_changed
    assert draft.revision == revision


def test_save_on_an_older_revision_is_a_conflict(world: World, draft: Draft) -> None:
    save(draft, world, "clauses/fees", FEES, based_on=0)

    with pytest.raises(PieceConflict) as conflict:
        save(draft, world, "clauses/fees", {"title": "Fees", "body": "Half of us pay."}, based_on=0)

    assert conflict.value.theirs["body"] == "Everybody pays."
    assert conflict.value.mine["body"] == "Half of us pay."


@pytest.mark.parametrize(("piece", "value"), [("clauses/fees", {"title": ""}), ("sites/quay", {}), ("boards/x", "")])
def test_unknown_piece_or_invalid_value_is_refused(world: World, draft: Draft, piece: str, value: Any) -> None:
    with pytest.raises(documents.UnableToSavePiece):
        save(draft, world, piece, value)


def test_item_moves_down_by_saving_the_new_order() -> None:
    move = documents.order_after_move(CHARTER, a_charter(), "clauses/governance", up=False)

    assert move == ("order/clauses", ["fees", "governance"])


def test_first_item_cannot_move_up() -> None:
    assert documents.order_after_move(CHARTER, a_charter(), "clauses/governance", up=True) is None


def test_removed_item_cannot_move() -> None:
    with pytest.raises(documents.UnableToSavePiece, match="A colleague has removed this"):
        documents.order_after_move(CHARTER, a_charter(), "clauses/gone", up=True)


def test_discarded_changes_conflict_with_forms_that_are_open(world: World, draft: Draft) -> None:
    save(draft, world, "clauses/fees", FEES)
    revision_in_form = draft.revision_of("clauses/fees")
    documents.discard_changes(draft, author=world.amina, now=timezone.now())

    with pytest.raises(PieceConflict):
        save(draft, world, "clauses/fees", {"title": "Fees", "body": "Half of us pay."}, based_on=revision_in_form)

    assert not draft.has_changes


def test_versions_are_numbered_and_have_the_html_of_their_draft(world: World, draft: Draft) -> None:
    empty = normalise(CHARTER, {"about": {"title": "Charter"}})
    _prepared, first_version = publish(draft, world, empty)
    save(draft, world, "clauses/fees", FEES)

    _prepared, second_version = publish(draft, world, first_version.content)

    assert first_version.number == 1
    assert second_version.number == 2
    assert second_version.html.get("clauses/fees/body") == "<p>Everybody pays.</p>\n"


def test_draft_that_equals_the_last_version_cannot_be_published(world: World, draft: Draft) -> None:
    empty = normalise(CHARTER, {"about": {"title": "Charter"}})
    _prepared, version = publish(draft, world, empty)

    with pytest.raises(documents.UnableToPublish, match="Nothing has changed"):
        documents.prepare(CHARTER, draft, version.content)


def test_draft_keeps_its_other_changes_when_a_content_is_published(world: World, draft: Draft) -> None:
    previous = a_charter()
    save(draft, world, "clauses/fees", FEES)
    replacement = a_charter(about={"title": "Charter of both valleys"})
    prepared, version = publish(draft, world, previous, replacement)

    documents.rebase_draft(draft, prepared, version, author=world.amina, now=timezone.now(), keep=True)

    assert draft.content is not None
    assert draft.content["about"]["title"] == "Charter of both valleys"
    assert get_piece(CHARTER, draft.content, "clauses/fees")["body"] == "Everybody pays."
    assert draft.revision_of("about") == draft.revision


@pytest.mark.parametrize(
    ("piece", "value", "named"),
    [
        ("boards/board", {"name": "Board", "seats": [{"body": "Council", "count": 4}]}, "Seats, Council at Board"),
        ("boards/board", {"name": "Board", "meets_from": "2027"}, "meets from"),
        ("boards/board", None, "Board removed: Board"),
        ("boards/new", {"name": "New board", "chair": "Homes"}, "Board added: New board"),
    ],
)
def test_minor_version_with_a_substantive_change_is_refused(
    world: World, draft: Draft, piece: str, value: Any, named: str
) -> None:
    save(draft, world, piece, value)

    with pytest.raises(documents.UnableToPublish, match=named):
        documents.refuse_minor(documents.prepare(CHARTER, draft, a_charter()))


def test_minor_version_may_change_other_words(world: World, draft: Draft) -> None:
    save(draft, world, "clauses/fees", FEES)
    save(draft, world, "boards/empty", {"name": "A board without seats"})

    documents.refuse_minor(documents.prepare(CHARTER, draft, a_charter()))


def test_questions_are_trimmed_and_asked_once() -> None:
    questions = documents.read_questions(["  Is it   funded? ", "", "Who leads?", "Who leads?"])

    assert questions == ["Is it funded?", "Who leads?"]


def test_rejection_may_leave_questions_unanswered() -> None:
    questions = ["Is it funded?", "Who leads?"]

    answers = documents.read_answers(questions, {"Who leads?": "Eddie."}, "rejected")

    assert answers == [{"question": "Who leads?", "answer": "Eddie."}]


def test_approval_must_answer_every_question() -> None:
    questions = ["Is it funded?", "Who leads?"]

    with pytest.raises(documents.InvalidAnswers, match="funded"):
        documents.read_answers(questions, {"Who leads?": "Eddie."}, "approved")


def test_the_same_text_in_two_clauses_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered_texts: list[str] = []

    def render(text: str) -> str:
        rendered_texts.append(text)
        return f"<p>{text}</p>"

    monkeypatch.setattr(rendering, "to_html", render)
    clauses = [{"key": key, "title": key, "body": "Nobody pays."} for key in ("fees", "fines")]

    html_by_path = documents.prose_of(CHARTER, a_charter(clauses=clauses, boards=[]))

    assert html_by_path == {"clauses/fees/body": "<p>Nobody pays.</p>", "clauses/fines/body": "<p>Nobody pays.</p>"}
    assert rendered_texts == ["Nobody pays."]
