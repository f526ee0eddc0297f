"""Search finds records by their words, names, references and places, also if they are misspelt."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.organisations.models import NameKind
from partnerships.organisations.services import update_organisation
from partnerships.organisations.services.names import add_names
from partnerships.people.models import User
from partnerships.search.queries import asking, search
from partnerships.search.queries.asking import FrequentWords
from partnerships.search.queries.spelling import similar_words_query
from partnerships.search.services import index_stale
from tests.exchange.conftest import shared_entry
from tests.plans.drafts import CANARY, CONTENT, publish, published_plan, save
from tests.search.finding import publish_second_version, titles
from tests.support.prepared import media_root, world
from tests.support.signing_in import signed_in
from tests.world import World

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.django_db


def publish_culvert_programme(
    world: World, summary: str = "Surface water drainage holds up 40 homes, says <b>the engineer</b>."
) -> None:
    """Publish and index a plan of the Estuary Partnership with the title "Culvert programme"."""
    publish_second_version(world, title="Culvert programme", summary=summary)
    index_stale()


@pytest.mark.parametrize(
    "text",
    ["homes engineers", "drainage", "drainag", "drainge", "drainaeg"],
    ids=["other form of a word", "word", "beginning of a word", "missing character", "swapped characters"],
)
def test_words_are_found_in_other_forms_and_spellings(world: World, text: str) -> None:
    publish_culvert_programme(world)

    partner, stranger = world.amina, world.chidi
    assert "Culvert programme" in titles(partner, text)
    assert "Culvert programme" not in titles(stranger, text)


def test_snippet_marks_the_words_and_has_no_html_of_the_record(world: World) -> None:
    publish_culvert_programme(world)

    first_result = search(user=world.amina, text="drainage").hits[0]

    assert "<mark>drainage</mark>" in first_result.snippet
    assert "<b>" not in first_result.snippet


def test_results_for_a_misspelt_word_are_called_similar(world: World) -> None:
    publish_culvert_programme(world)

    assert search(user=world.amina, text="drainge").is_similar


def snippet_of(title: str, *, person: User, text: str) -> str:
    """Return the snippet of the one result with this title."""
    (snippet,) = [hit.snippet for hit in search(user=person, text=text).hits if hit.title == title]
    return snippet


def test_snippet_has_no_names_of_the_records_organisations(world: World) -> None:
    """All names of its organisations find a record, but a snippet would show them in a row."""
    shared_entry(world.larkhaven, world.amina, timezone.now(), title="Fitter wanted", statement="For forty boilers.")
    add_names(world.larkhaven, [("Tern Housing", NameKind.FORMER)])
    index_stale()

    snippet_by_word = snippet_of("Fitter wanted", person=world.amina, text="boilers")
    snippet_by_name = snippet_of("Fitter wanted", person=world.amina, text="Tern Housing")

    assert "boilers</mark>" in snippet_by_word
    assert "Tern" not in snippet_by_word
    assert "Tern" not in snippet_by_name


def test_stop_words_of_a_search_are_recognised(world: World) -> None:
    frequent = asking.frequent_words_in("the homes of drainag", 1_000_000)  # no word is in a million entries

    assert frequent == FrequentWords(stop_words=frozenset({"the", "of"}), common_words=frozenset())


def test_stop_words_match_only_as_they_were_typed() -> None:
    frequent = FrequentWords(stop_words=frozenset({"the", "of"}))

    query = asking.prefix_query("the homes drainag", frequent=frequent)

    assert query is not None
    assert query.values["typed"] == "'the' & 'homes':* & 'drainag':*"


@pytest.mark.parametrize("text", ["the homes drainag", "homes up the drainge"])
def test_incomplete_and_misspelt_words_are_found_beside_stop_words(world: World, text: str) -> None:
    publish_culvert_programme(world, "Surface water drainage holds up the homes.")

    assert "Culvert programme" in titles(world.amina, text)


@pytest.mark.parametrize("common_words", [[], ["homes"], ["homes", "draina", "hom"], ["draina"]])
def test_plan_is_found_whichever_words_of_a_search_are_common(
    world: World, monkeypatch: pytest.MonkeyPatch, common_words: list[str]
) -> None:
    publish_culvert_programme(world, "Surface water drainage holds up the homes.")
    frequent = FrequentWords(stop_words=frozenset({"the"}), common_words=frozenset(common_words))
    monkeypatch.setattr("partnerships.search.queries.results.frequent_words", lambda _text: frequent)

    partner, stranger = world.amina, world.chidi
    for text in ("the homes draina", "hom draina", "homes drainge"):
        assert "Culvert programme" in titles(partner, text), text
        assert "Culvert programme" not in titles(stranger, text), text


def test_words_that_a_person_may_not_read_are_not_tried_as_similar_words(world: World) -> None:
    publish_second_version(world, summary="A kingfisher was seen.")
    index_stale()

    partner, stranger = world.amina, world.chidi
    assert similar_words_query(partner, "kingfishr") is not None
    assert similar_words_query(stranger, "kingfishr") is None


@pytest.mark.parametrize("text", ["Eddie Larsh", "Edie", "Larhc"])
def test_misspelt_names_of_people_are_found_by_people_who_may_know_them(world: World, text: str) -> None:
    colleague, stranger = world.amina, world.chidi
    assert "Eddie Larch" in titles(colleague, text)
    assert "Eddie Larch" not in titles(stranger, text)


def test_question_about_a_person_finds_people_first(world: World) -> None:
    update_organisation(
        organisation=world.tidewater, name="Eddie", named_from=timezone.localdate(), author=None, now=timezone.now()
    )
    index_stale()

    kinds_by_name = [hit.kind for hit in search(user=world.amina, text="Eddie").hits]
    kinds_by_question = [hit.kind for hit in search(user=world.amina, text="Who covers for Eddie?").hits]

    assert kinds_by_name[0] == "Organisation"
    assert kinds_by_question[0] in {"Contact", "Person"}
    assert "Organisation" in kinds_by_question


def publish_plan_with_postcode(world: World) -> None:
    """Publish and index a plan of the Estuary Partnership with the title "Depot" and a postcode in its summary."""
    publish_second_version(world, title="Depot", summary="The depot stands at PO16 7GZ, near the station.")
    index_stale()


@pytest.mark.parametrize("text", ["PO16 7GZ", "po167gz", "PO16", "PO", "depot PO16"])
def test_postcode_is_found_in_full_or_by_its_district_or_area(world: World, text: str) -> None:
    publish_plan_with_postcode(world)

    assert titles(world.ben, text) == {"Depot"}


def test_postcode_is_not_found_by_a_part_of_its_district(world: World) -> None:
    publish_plan_with_postcode(world)

    assert titles(world.ben, "PO1") == set()


def test_strangers_find_no_plan_by_its_postcode(world: World) -> None:
    publish_plan_with_postcode(world)

    assert titles(world.chidi, "PO16") == set()


def publish_sites_with_postcodes(world: World) -> None:
    """Publish and index a plan with North Quay at ZE2 9AA, and a confidential site in the district ZE3."""
    plan = published_plan(world, content={**CONTENT, "about": {"title": "Harbours"}})
    save(plan, world, "sites/north-quay", address="Capstan Road", postcode="ze2 9aa")
    save(plan, world, "sites/secret", postcode="ZE3")
    publish(plan, world, "Addresses.")
    index_stale()


@pytest.mark.parametrize("text", ["ZE2 9AA", "ZE2", "capstan"])
def test_site_is_found_by_its_postcode_and_address(world: World, text: str) -> None:
    publish_sites_with_postcodes(world)

    partner, stranger = world.ben, world.chidi
    assert titles(partner, text) == {"North Quay"}
    assert titles(stranger, text) == set()


@pytest.mark.parametrize(
    ("text", "site_names"), [("ZE", {"North Quay", f"Plot {CANARY}"}), ("ZE3", {f"Plot {CANARY}"})]
)
def test_sites_are_found_by_the_area_and_district_of_their_postcodes(
    world: World, text: str, site_names: set[str]
) -> None:
    publish_sites_with_postcodes(world)

    assert titles(world.ben, text) == site_names


@pytest.mark.parametrize(("text", "title"), [("NQ1", "North Quay"), ("L9901", "Saltmarsh Homes")])
def test_records_are_found_by_their_whole_reference(world: World, text: str, title: str) -> None:
    assert title in titles(world.amina, text)


def test_commitments_are_found_by_their_reference_in_lower_case(world: World) -> None:
    commitment = Commitment.objects.visible_to(world.amina).earliest("pk")

    assert commitment.text in titles(world.amina, commitment.reference.lower())


def test_site_is_found_by_the_name_of_its_district(world: World) -> None:
    assert "North Quay" in titles(world.amina, "Fareham")


@pytest.mark.parametrize("text", ["estuary partnrship", "homess", "estuary flurble wobblex", "who is edie larhc"])
def test_search_for_misspelt_words_makes_at_most_15_queries(
    world: World, text: str, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(world.ben)
    client.get(reverse("search:search"), {"q": text})  # Some statements are composed and prepared only once.

    with django_assert_max_num_queries(15):
        client.get(reverse("search:search"), {"q": text})
