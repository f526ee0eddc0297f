"""The pages to edit, add and remove pieces work for any document."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from partnerships.documents import get_piece
from partnerships.documents import services as documents
from partnerships.documents.comparisons import compare
from partnerships.documents.forms import PieceForm
from partnerships.documents.views import Save, edit_piece, find_piece, piece_lists, remove_piece
from partnerships.people.models import User
from partnerships.plans.models import Draft
from tests.documents.charters import CHARTER, a_charter
from tests.plans.drafts import begin
from tests.support.pages import collapse
from tests.world import World


@pytest.fixture
def draft(world: World) -> Draft:
    """Return a draft of a charter, in the table of drafts of plans."""
    row: Draft = begin(world).draft
    documents.write_content(CHARTER, row, a_charter())
    row.save()
    return row


def request_by(person: User, data: dict[str, Any] | None) -> HttpRequest:
    """Return a GET request by the person or, with data, a POST request."""
    request = RequestFactory().get("/") if data is None else RequestFactory().post("/", data)
    request.user = person
    request.session = {}  # type: ignore[assignment]
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    return request


def edit(draft: Draft, person: User, code: str, key: str = "", data: Any = None, *, new: bool = False) -> HttpResponse:
    """Return the response of the page to edit a piece, as a view of a room would give it."""
    request = request_by(person, data)
    content = draft.content or {}
    open_draft = documents.OpenDraft(CHARTER, draft, content)
    piece = find_piece(request, open_draft, code, key, back="/draft/", new=new)
    form = PieceForm(
        data, schema=CHARTER, collection=piece.collection, content=content, initial=piece.initial, cancel="/draft/"
    )

    def save(value: Any, based_on: int) -> None:
        documents.save_piece(open_draft, piece.name, value, based_on=based_on, author=person, now=timezone.now())

    return edit_piece(request, piece, form, save=save, template="documents/piece.html")


def test_form_has_the_fields_of_the_schema(world: World, draft: Draft) -> None:
    html = collapse(edit(draft, world.amina, "boards", "board").content.decode())

    assert "Edit board" in html
    assert "The organisation that chairs it." in html
    assert "The whole charter" in html
    assert '<option value="governance" selected>Governance</option>' in html
    assert 'name="meets_from"' in html


def test_new_item_is_saved_and_leads_back_to_it(world: World, draft: Draft) -> None:
    response = edit(draft, world.amina, "clauses", data={"key": "ab12", "title": "Notice", "based_on": "0"}, new=True)

    assert response.status_code == 302
    assert response["Location"] == "/draft/#clauses-ab12"
    assert get_piece(CHARTER, draft.content or {}, "clauses/ab12")["title"] == "Notice"


def test_invalid_value_is_explained_beside_its_field(world: World, draft: Draft) -> None:
    response = edit(draft, world.amina, "about", data={"title": "", "based_on": "0"})

    assert response.status_code == 422
    assert "Enter" in response.content.decode()


def test_conflict_shows_both_texts_word_by_word(world: World, draft: Draft) -> None:
    edit(draft, world.eddie, "clauses", "fees", {"title": "Fees", "body": "Everybody pays.", "based_on": "0"})

    response = edit(
        draft, world.amina, "clauses", "fees", {"title": "Fees", "body": "Half of us pay.", "based_on": "0"}
    )

    html = collapse(response.content.decode())
    assert response.status_code == 409
    assert f"{world.eddie.display_name} saved this while you were editing it" in html
    assert "Everybody pays." in html
    assert "Half of us pay." in html
    assert f'name="based_on" value="{draft.revision}"' in html
    assert "Keep my version" in html


def about_from(draft: Draft, person: User, **fields: Any) -> dict[str, Any]:
    """Return the form data about the whole charter as the person opens it now, with some fields changed."""
    open_draft = documents.OpenDraft(CHARTER, draft, draft.content or {})
    initial = find_piece(request_by(person, None), open_draft, "about", back="/draft/").initial
    unchanged = {name: value for name, value in initial.items() if value is not None}
    return {**unchanged, "seen": json.dumps(initial["seen"]), **fields}


def test_two_people_change_different_fields_about_the_whole(world: World, draft: Draft) -> None:
    eddies_form = about_from(draft, world.eddie, title="Charter of the estuary")
    aminas_form = about_from(draft, world.amina, purpose="To build together.")

    edit(draft, world.eddie, "about", data=eddies_form)
    response = edit(draft, world.amina, "about", data=aminas_form)

    about = get_piece(CHARTER, draft.content or {}, "about")
    assert response.status_code == 302
    assert about["title"] == "Charter of the estuary"
    assert about["purpose"] == "To build together."


def test_two_people_who_change_the_same_field_about_the_whole_see_both_texts(world: World, draft: Draft) -> None:
    eddies_form = about_from(draft, world.eddie, title="Charter of the estuary")
    aminas_form = about_from(draft, world.amina, title="Quay charter")

    edit(draft, world.eddie, "about", data=eddies_form)
    response = edit(draft, world.amina, "about", data=aminas_form)

    assert response.status_code == 409
    assert get_piece(CHARTER, draft.content or {}, "about")["title"] == "Charter of the estuary"


@pytest.mark.parametrize(
    ("code", "key", "new"),
    [("sites", "quay", False), ("clauses", "gone", False), ("about", "x", False), ("about", "", True)],
)
def test_unknown_piece_is_not_found(world: World, draft: Draft, code: str, key: str, new: bool) -> None:
    with pytest.raises(Http404):
        edit(draft, world.amina, code, key, new=new)


def remove_fees(draft: Draft, person: User, data: dict[str, Any] | None, save: Save) -> HttpResponse:
    """Return the response of the page to remove the clause "Fees"."""
    request = request_by(person, data)
    open_draft = documents.OpenDraft(CHARTER, draft, draft.content or {})
    return remove_piece(
        request,
        find_piece(request, open_draft, "clauses", "fees", back="/draft/"),
        save=save,
        edit_url="/edit/",
        template="documents/remove.html",
        context={},
    )


def test_page_asks_before_an_item_is_removed(world: World, draft: Draft) -> None:
    save = Mock()

    response = remove_fees(draft, world.amina, None, save)

    assert response.status_code == 200
    save.assert_not_called()


def test_item_is_removed_once_its_removal_is_confirmed(world: World, draft: Draft) -> None:
    save = Mock()

    response = remove_fees(draft, world.amina, {"based_on": "0"}, save)

    assert response.status_code == 302
    save.assert_called_once_with(None, 0)


def test_lists_of_a_draft_name_each_item_with_its_addresses() -> None:
    lists = piece_lists(CHARTER, a_charter(), lambda action, code, key: f"/{action}/{code}/{key}")

    clauses, boards = lists
    assert clauses.plural_label == "Clauses"
    assert clauses.add_words == "Add a clause"
    assert clauses.add_url == "/add/clauses/"
    assert [item.title for item in clauses.items] == ["Governance", "Fees"]
    assert boards.items[0].urls["edit"] == "/edit/boards/board"


def test_comparison_is_grouped_by_the_lists_of_the_schema() -> None:
    before = a_charter()
    after = a_charter(clauses=before["clauses"][:1])

    comparison = compare(CHARTER, before, after)

    [(heading, [removed_clause])] = comparison.parts
    assert heading == "Clauses"
    assert removed_clause.rows[0].was.endswith("Nobody pays.")
