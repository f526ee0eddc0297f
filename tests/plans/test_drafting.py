"""Drafts are saved piece by piece without losing anybody's changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.documents.services import drafting as saving
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.content import NEEDS, TENURES, empty, get_piece, set_piece
from partnerships.plans.content.homes import normalise_homes
from partnerships.plans.forms import HomesFormSet
from partnerships.plans.forms.homes import MAX_ROWS
from partnerships.plans.models import Draft, Plan
from partnerships.plans.queries import draft_content
from partnerships.plans.services import drafting
from tests.plans.drafts import begin, publish, published, save
from tests.support.pages import collapse, tight
from tests.world import World, make_world


def save_body(plan: Plan, author: User, body: str, based_on: int | None, key: str = "vision") -> Draft:
    """Save the text of a section, based on a revision."""
    return services.save_piece(
        plan=plan,
        piece=f"sections/{key}",
        value={"title": "Vision", "body": body},
        based_on=based_on,
        author=author,
        now=timezone.now(),
    )


def body_of(plan: Plan, key: str = "vision") -> str:
    return str(get_piece(draft_content(plan), f"sections/{key}")["body"])


def test_new_plan_begins_with_the_starter_of_its_kind(world: World) -> None:
    plan = services.create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title="Homes first",
        kind="homelessness",
        audience="partnership",
        author=world.amina,
        now=timezone.now(),
    )

    content = draft_content(plan)

    assert content["about"]["title"] == "Homes first"
    assert "Prevention" in [section["title"] for section in content["sections"]]
    assert content["milestones"]


def test_second_person_to_save_a_piece_is_shown_the_first_change(world: World) -> None:
    plan = begin(world)

    save_body(plan, world.eddie, "Eddie's words.", based_on=0)
    with pytest.raises(services.PieceConflict) as conflict:
        save_body(plan, world.amina, "Amina's words.", based_on=0)

    assert body_of(plan) == "Eddie's words."
    assert conflict.value.theirs["body"] == "Eddie's words."
    assert conflict.value.mine["body"] == "Amina's words."
    assert conflict.value.by == world.eddie.pk
    save_body(plan, world.amina, "Both our words.", based_on=conflict.value.revision)
    assert body_of(plan) == "Both our words."


def test_changes_to_different_pieces_merge_without_a_conflict(world: World) -> None:
    plan = begin(world)

    save_body(plan, world.eddie, "Eddie's words.", based_on=0)
    save_body(plan, world.amina, "Amina's words.", based_on=0, key="inside")

    assert (body_of(plan), body_of(plan, "inside")) == ("Eddie's words.", "Amina's words.")


def test_change_published_since_the_page_was_opened_is_a_conflict(world: World) -> None:
    plan = published(world)
    save_body(plan, world.eddie, "Eddie's words.", based_on=0)
    publish(plan, world, "Eddie's words.")

    with pytest.raises(services.PieceConflict):
        save_body(plan, world.amina, "Amina's words.", based_on=0)


def test_removed_piece_does_not_come_back_unnoticed(world: World) -> None:
    plan = begin(world)
    services.save_piece(
        plan=plan, piece="sections/vision", value=None, based_on=0, author=world.eddie, now=timezone.now()
    )

    with pytest.raises(services.PieceConflict) as conflict:
        save_body(plan, world.amina, "Amina's words.", based_on=0)

    assert conflict.value.theirs is None


def test_saving_unchanged_content_changes_nothing(world: World) -> None:
    plan = begin(world)
    save_body(plan, world.eddie, "The same.", based_on=0)

    draft = save_body(plan, world.amina, "The same.", based_on=0)

    assert draft.revision == 1
    assert draft.updated_by == world.eddie


SMALL: dict[str, Any] = {
    "sections": [
        {"key": "vision", "title": "Part"},
        {"key": "inside", "title": "Part"},
        {"key": "last", "title": "Part"},
    ],
    "sites": [{"key": "quay", "name": "Quay"}],
}


def _value(piece: str, text: str) -> Any:
    """Return what a person saves for a piece; None removes the piece."""
    if not text:
        return None
    if piece.startswith("sites/"):
        return {"name": "Quay", "homes": [{"tenure": "social_rent", "count": len(text) * 10 + ord(text[-1])}]}
    return {"title": "Part", "body": text}


@pytest.mark.django_db
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(["sections/vision", "sections/inside", "sections/last", "sites/quay"]),
            st.sampled_from(["load", "save", "save", "remove", "up", "down"]),
            st.text(st.sampled_from("abc"), min_size=1, max_size=2),
        ),
        max_size=14,
    )
)
@settings(max_examples=25)
def test_no_order_of_loads_saves_removals_and_moves_loses_a_change(
    world: World, steps: list[tuple[int, str, str, str]]
) -> None:
    plan = begin(world, content=SMALL)
    people = [world.amina, world.eddie]
    revision_seen: dict[tuple[int, str], int] = {}
    content = draft_content(plan)
    accepted_values = {
        piece: get_piece(content, piece) for piece in ("sections/vision", "sections/inside", "sections/last")
    }
    accepted_values["sites/quay"] = get_piece(content, "sites/quay")
    order = ["vision", "inside", "last"]
    revision = dict.fromkeys(accepted_values, 0)

    for person_index, piece, action, text in steps:
        code, _slash, key = piece.partition("/")
        if action == "load":
            revision_seen[person_index, piece] = Draft.objects.get(plan=plan).revision_of(piece)
        elif action in ("up", "down"):
            if key in order:
                index = order.index(key)
                other = max(0, index - 1) if action == "up" else min(len(order) - 1, index + 1)
                services.move_piece(
                    plan=plan, piece=piece, up=action == "up", author=people[person_index], now=timezone.now()
                )
                order[index], order[other] = order[other], order[index]
        else:
            value = _value(piece, text if action == "save" else "")
            based_on = revision_seen.get((person_index, piece), 0)
            try:
                draft = services.save_piece(
                    plan=plan,
                    piece=piece,
                    value=value,
                    based_on=based_on,
                    author=people[person_index],
                    now=timezone.now(),
                )
            except services.PieceConflict:
                assert based_on < revision[piece]
            else:
                assert based_on >= revision[piece] or normalised(piece, value) == accepted_values[piece]
                accepted_values[piece], revision[piece] = normalised(piece, value), draft.revision_of(piece)
                if code == "sections":
                    order = [other for other in order if other != key or value] + [key] * (
                        bool(value) and key not in order
                    )
        content = draft_content(plan)
        assert {part: get_piece(content, part) for part in accepted_values} == accepted_values
        assert [section["key"] for section in content["sections"]] == order


def normalised(piece: str, value: Any) -> Any:
    """Return the saved value in its normalised form."""
    return get_piece(set_piece(empty(), piece, value), piece)


def _together(*acts: Callable[[], object]) -> None:
    """Run functions at the same moment, each on its own connection."""
    start = threading.Barrier(len(acts))

    def work(act: Callable[[], object]) -> None:
        try:
            start.wait()
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _save_sections_at_once(plan: Plan, world: World, count: int) -> list[str]:
    """Save sections at the same moment, and return their keys in the draft."""
    _together(*(partial(save_body, plan, world.amina, "Words.", 0, f"part-{number}") for number in range(count)))
    return [section["key"] for section in draft_content(plan)["sections"] if section["key"].startswith("part-")]


@pytest.mark.django_db(transaction=True)
def test_eight_people_saving_at_the_same_moment_lose_nothing() -> None:
    world = make_world()
    plan = begin(world)

    saved_keys = _save_sections_at_once(plan, world, 8)

    assert sorted(saved_keys) == [f"part-{number}" for number in range(8)]


@pytest.mark.django_db(transaction=True)
def test_saving_at_the_same_moment_without_the_lock_loses_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    plan = begin(world)
    barrier = threading.Barrier(4)
    original_set_piece: Callable[..., Any] = saving.set_piece

    def set_piece_together(*args: Any) -> Any:
        barrier.wait(timeout=60)
        return original_set_piece(*args)

    monkeypatch.setattr(drafting, "lock_plan", lambda plan: Plan.objects.get(pk=plan.pk))
    monkeypatch.setattr(saving, "set_piece", set_piece_together)
    saved_keys = _save_sections_at_once(plan, world, 4)

    assert len(saved_keys) < 4


@pytest.mark.django_db(transaction=True)
def test_saves_removals_and_moves_at_the_same_moment_all_count() -> None:
    world = make_world()
    plan = begin(world, content=SMALL)
    arguments: dict[str, Any] = {"plan": plan, "author": world.amina, "now": timezone.now()}

    _together(
        partial(services.move_piece, piece="sections/last", up=True, **arguments),
        partial(services.move_piece, piece="sections/last", up=True, **arguments),
        partial(save_body, plan, world.eddie, "Eddie's words.", 0),
        partial(services.save_piece, piece="sites/quay", value=_value("sites/quay", "a"), based_on=0, **arguments),
        partial(services.save_piece, piece="sections/inside", value=None, based_on=0, **arguments),
    )

    content = draft_content(plan)
    assert [section["key"] for section in content["sections"]] == ["last", "vision"]
    assert body_of(plan) == "Eddie's words."
    assert content["sites"][0]["homes"][0]["count"] == 107


def test_second_person_to_save_sees_both_texts_side_by_side(world: World, as_: Callable[[User], Client]) -> None:
    plan = begin(world)
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sections", "key": "vision"})
    save_body(plan, world.eddie, "Eddie's words.", based_on=0)

    response = as_(world.amina).post(address, {"title": "Vision", "body": "Amina's words.", "based_on": "0"})

    assert response.status_code == 409
    html = response.content.decode()
    assert "Eddie Larch saved this while you were editing it" in collapse(html)
    assert html.count("Eddie&#x27;s words.") >= 1
    assert "Amina&#x27;s words." in html
    assert 'name="based_on" value="1"' in html


def test_homes_are_totalled_by_each_breakdown_without_javascript(world: World, as_: Callable[[User], Client]) -> None:
    plan = begin(world)
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sites", "key": "north-quay"})
    amina = as_(world.amina)
    rows = [
        ("social_rent", "2", "general", "1,120", ""),
        ("first_homes", "", "older", "1x", ""),
        ("", "", "", "", "7"),
    ]
    data = {
        "name": "North Quay",
        "based_on": "0",
        "homes-TOTAL_FORMS": "3",
        "homes-INITIAL_FORMS": "0",
        "homes-YEARS": "2",
        "homes-year_0": "2027/28",
        "homes-year_1": "",
    }
    for index, row in enumerate(rows):
        names = ("tenure", "bedrooms", "needs", "count_0", "count_1")
        data |= {f"homes-{index}-{name}": value for name, value in zip(names, row, strict=True)}

    page = tight(amina.get(address).content.decode())
    page_with_totals, page_with_more_rows, page_with_more_years = (
        tight(amina.post(address, {**data, "more": more}).content.decode()) for more in ("totals", "rows", "years")
    )

    assert "<output data-homes-total>120</output>" in page
    assert "<output data-homes-total>1,127</output>" in page_with_totals
    assert "data-homes-row>1,120</td>" in page_with_totals
    assert 'name="homes-3-count_0"' not in page_with_totals
    assert 'name="homes-5-count_0"' in page_with_more_rows
    assert 'name="homes-year_2" value="2028-29"' in page_with_more_years
    assert homes_of(plan) == 120


def test_a_wrong_cell_is_named_and_nothing_is_saved(world: World, as_: Callable[[User], Client]) -> None:
    plan = begin(world)
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sites", "key": "north-quay"})
    data = {"name": "North Quay", "based_on": "0", "homes-TOTAL_FORMS": "1", "homes-INITIAL_FORMS": "0"}
    data |= {"homes-YEARS": "2", "homes-year_0": "soon", "homes-year_1": "2028-29"}
    data |= {"homes-0-tenure": "social_rent", "homes-0-count_0": "", "homes-0-count_1": "lots"}

    response = as_(world.amina).post(address, data)

    page = tight(response.content.decode())
    assert response.status_code == 422
    assert (
        "Year of column 1: “soon” is not a year. Enter a year, for example 2027, or 2027-28 for a financial year."
        in page
    )
    assert 'href="#id_homes-0-count_1">Homes, 2028-29, row 1 must be a number, like 1,150</a>' in page
    assert 'id="id_homes-0-count_1"' in page
    assert homes_of(plan) == 120


def sent(grid: Any) -> dict[str, Any]:
    """Return a grid as a browser sends it back."""
    fields = [*grid.headings, *(field for row in grid for field in row.visible_fields())]
    values = {field.html_name: "" if field.value() is None else str(field.value()) for field in fields}
    rows = str(len(grid.forms))
    return values | {"homes-YEARS": str(len(grid.headings)), "homes-TOTAL_FORMS": rows, "homes-INITIAL_FORMS": rows}


def test_a_grid_keeps_more_years_and_rows_than_its_buttons_add() -> None:
    years = normalise_homes([{"tenure": "social_rent", "year": str(year), "count": 1} for year in range(2020, 2050)])
    kinds = normalise_homes(
        [
            {"tenure": tenure, "bedrooms": bedrooms, "needs": needs, "count": 1_150}
            for tenure in TENURES
            for bedrooms in range(6)
            for needs in NEEDS
        ]
    )
    assert len(kinds) > MAX_ROWS

    for homes in (years, kinds):
        sent_grid = HomesFormSet(sent(HomesFormSet(homes=homes)))

        assert sent_grid.is_valid(), sent_grid.problems
        assert normalise_homes(sent_grid.value()["homes"]) == homes


def test_homes_that_no_page_can_send_stay_as_they_are_and_go_by_spreadsheet(
    world: World, as_: Callable[[User], Client]
) -> None:
    plan = begin(world)
    homes = [
        {"tenure": tenure, "bedrooms": bedrooms, "year": f"{year}-{year % 100 + 1}", "count": 1}
        for tenure in list(TENURES)[:6]
        for bedrooms in range(20)
        for year in range(2027, 2040)
    ]
    save(plan, world, "sites/north-quay", homes=homes)
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sites", "key": "north-quay"})
    client = as_(world.amina)

    page = tight(client.get(address).content.decode())
    based_on = Draft.objects.get(plan=plan).revision_of("sites/north-quay")
    response = client.post(address, {"name": "South Quay", "based_on": based_on}, follow=True)
    oversized_response = client.post(address, {f"homes-0-count_{place}": "1" for place in range(2_001)})

    assert "This site has 1,560 lines of homes, too many to change on this page." in page
    assert "homes-YEARS" not in page
    assert response.status_code == 200
    assert (get_piece(draft_content(plan), "sites/north-quay")["name"], homes_of(plan)) == ("South Quay", 1_560)
    assert oversized_response.status_code == 413
    assert "That form is too large" in oversized_response.content.decode()


def test_a_grid_without_its_years_does_not_lose_the_homes(world: World, as_: Callable[[User], Client]) -> None:
    plan = begin(world)
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sites", "key": "north-quay"})
    data = {"name": "North Quay", "based_on": "0", "homes-TOTAL_FORMS": "1", "homes-INITIAL_FORMS": "0"}
    data |= {"homes-0-tenure": "social_rent", "homes-0-year": "2027-28", "homes-0-count": "90"}

    response = as_(world.amina).post(address, data)

    page = response.content.decode()
    assert response.status_code == 422
    assert "Part of the table of homes is missing" in page
    assert 'name="homes-YEARS"' not in page
    assert homes_of(plan) == 120


def test_a_plan_has_years_of_one_kind(world: World) -> None:
    plan = begin(world)
    calendar_homes = [{"tenure": "social_rent", "year": "2028", "count": 5}]

    assert plan.years == "financial"
    with pytest.raises(services.UnableToSavePiece) as refusal:
        save(plan, world, "sites/secret", homes=calendar_homes)

    assert "2028 is a calendar year, and this plan has financial years. Enter 2027-28 or 2028-29." in str(refusal.value)


def test_the_first_year_of_homes_decides_the_kind_of_years(world: World) -> None:
    plan = begin(world, content={"about": {"title": "Two sites"}, "sites": [{"key": "one", "name": "One"}]})

    save(plan, world, "sites/one", homes=[{"tenure": "social_rent", "year": "2028", "count": 5}])

    plan.refresh_from_db()
    assert plan.years == "calendar"


def test_kind_of_years_chosen_in_error_can_change_while_no_home_has_a_year(
    world: World, as_: Callable[[User], Client]
) -> None:
    sites = [{"key": key, "name": key} for key in ("one", "two")]
    plan = begin(world, content={"about": {"title": "Two sites"}, "sites": sites})
    Plan.objects.filter(pk=plan.pk).update(years="financial")
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sites", "key": "one"})
    data = {"name": "One", "based_on": "0", "homes-TOTAL_FORMS": "1", "homes-INITIAL_FORMS": "0", "homes-YEARS": "1"}
    data |= {"homes-year_0": "2028", "homes-0-tenure": "social_rent", "homes-0-count_0": "5"}

    response = as_(world.amina).post(address, data, follow=True)

    plan.refresh_from_db()
    assert plan.years == "calendar"
    assert "The homes of this plan now have calendar years." in response.content.decode()
    with pytest.raises(services.UnableToSavePiece, match="this plan has calendar years"):
        save(plan, world, "sites/two", homes=[{"tenure": "social_rent", "year": "2028-29", "count": 5}])


def test_a_version_from_a_file_decides_the_kind_of_years(world: World) -> None:
    plan = begin(world, content={"about": {"title": "One site"}})
    site = {"key": "one", "name": "One", "homes": [{"tenure": "social_rent", "year": "2028", "count": 5}]}

    services.publish_version(
        plan=plan,
        author=world.amina,
        note="From a file.",
        content={"about": {"title": "One site"}, "sites": [site]},
        now=timezone.now(),
    )

    plan.refresh_from_db()
    assert plan.years == "calendar"


def test_sites_saved_together_have_years_of_one_kind(world: World) -> None:
    sites = [{"key": key, "name": key} for key in ("one", "two")]
    plan = begin(world, content={"about": {"title": "Two sites"}, "sites": sites})
    items = {
        key: {**get_piece(draft_content(plan), f"sites/{key}"), "homes": normalise_homes([line])}
        for key, line in (
            ("one", {"tenure": "social_rent", "year": "2028", "count": 5}),
            ("two", {"tenure": "social_rent", "year": "2028-29", "count": 5}),
        )
    }

    with pytest.raises(services.UnableToSavePiece, match="this plan has"):
        services.save_items(plan=plan, code="sites", items=items, author=world.amina, now=timezone.now())


def test_earlier_years_of_both_kinds_do_not_prevent_changes_of_other_fields(world: World) -> None:
    homes = [{"tenure": "social_rent", "year": year, "count": 5} for year in ("2028", "2028-29")]
    site = {"key": "one", "name": "One", "homes": homes}
    plan = begin(world, content={"about": {"title": "One site"}, "sites": [site]})

    save(plan, world, "sites/one", notes="The ground is wet.")

    assert get_piece(draft_content(plan), "sites/one")["notes"] == "The ground is wet."
    with pytest.raises(services.UnableToSavePiece, match="2028-29 is a financial year"):
        save(plan, world, "sites/one", homes=[*homes, {"tenure": "first_homes", "year": "2029", "count": 1}])


def homes_of(plan: Plan) -> int:
    return sum(line["count"] for line in get_piece(draft_content(plan), "sites/north-quay")["homes"])


def test_conflict_on_a_milestone_shows_sites_by_name(world: World, as_: Callable[[User], Client]) -> None:
    plan = begin(world)
    save(plan, world, "milestones/start", site="secret")
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "milestones", "key": "start"})

    response = as_(world.eddie).post(
        address, {"name": "Start on site", "site": "north-quay", "status": "planned", "based_on": "0"}
    )

    table = response.content.decode().partition("Both versions side by side")[2].partition("</table>")[0]
    assert response.status_code == 409
    assert "North Quay" in table
    assert "north-quay" not in table


def test_pieces_are_moved_up_and_down(world: World, as_: Callable[[User], Client]) -> None:
    plan = begin(world)

    as_(world.amina).post(
        reverse("plans:move-item", kwargs={"pk": plan.pk, "code": "sections", "key": "inside"}), {"way": "up"}
    )

    assert [section["key"] for section in draft_content(plan)["sections"]] == ["inside", "vision"]


def test_discarding_the_draft_restores_the_newest_version(world: World) -> None:
    plan = published(world)
    save(plan, world, "about", summary="Something else.")

    services.discard_draft(plan=plan, author=world.amina, reason="A dead end.", now=timezone.now())

    assert draft_content(plan)["about"]["summary"] == "Homes along the estuary."
