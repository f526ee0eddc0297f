"""Search finds each kind of record, and only for people who may read it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from partnerships.people.models import User
from partnerships.plans.services import lift_embargoes
from partnerships.search.models import EVERYONE, SAMPLED, SearchEntry, Stale
from partnerships.search.queries import candidates, search, suggest
from partnerships.search.queries.candidates import SearchFilters
from partnerships.search.services import differences, index_stale
from partnerships.search.sources.every import KINDS
from tests.plans.drafts import CANARY, publish, published_plan, save
from tests.search.finding import all_entries_for, findable_paths, titles
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.prepared import media_root, world
from tests.support.signing_in import signed_in
from tests.world import World

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.django_db

#: The kinds of entry that a stranger finds, which are the directory, their own records, and public records.
PUBLIC_KINDS = {"organisation", "agreement", "plan", "site", "milestone", "person", "partnership", "recommended"}


def test_each_kind_of_record_is_indexed(world: World) -> None:
    assert set(SearchEntry.objects.values_list("kind", flat=True)) == set(KINDS)
    assert not Stale.objects.exists()


@pytest.mark.parametrize("name", ["amina", "ben", "chidi", "nadia", "lena", "dee"])
def test_everything_found_can_be_opened(world: World, name: str) -> None:
    person = getattr(world, name)
    client = signed_in(person)

    paths_without_page = {
        path for path in findable_paths(person) if client.get(path.partition("#")[0], follow=True).status_code != 200
    }

    assert paths_without_page == set()


def test_lead_of_a_party_finds_every_kind_of_record(world: World) -> None:
    kinds = {entry.kind for entry in all_entries_for(world.amina)}

    assert kinds == set(KINDS)


def test_strangers_find_only_kinds_of_records_that_may_be_public(world: World) -> None:
    kinds = {entry.kind for entry in all_entries_for(world.chidi)}

    assert kinds <= PUBLIC_KINDS


def test_strangers_find_no_hidden_entry(world: World) -> None:
    hidden_entries = [entry for entry in all_entries_for(world.chidi) if entry.hidden]

    assert hidden_entries == []


def test_stakeholder_without_account_finds_nothing(world: World) -> None:
    assert findable_paths(world.sol) == set()


def test_hidden_site_note_and_section_are_found_by_partners(world: World) -> None:
    assert len(titles(world.ben, CANARY)) >= 4


@pytest.mark.parametrize("name", ["chidi", "nadia", "dee"])
def test_strangers_find_nothing_by_words_of_hidden_parts_of_a_plan(world: World, name: str) -> None:
    stranger = getattr(world, name)

    results = search(user=stranger, text=CANARY)

    assert (results.hits, results.count, results.facets) == ((), 0, ())
    assert suggest(user=stranger, text=CANARY) == ()


def test_no_hidden_entry_is_for_everyone(world: World) -> None:
    assert SearchEntry.objects.filter(hidden=True).exists()
    assert not SearchEntry.objects.filter(hidden=True, for_everyone=True).exists()


def test_stranger_finds_the_sites_of_a_public_plan_except_its_confidential_site(world: World) -> None:
    assert "North Quay" in titles(world.chidi, "north quay")
    assert titles(world.chidi, "Mill Lane canary") == set()


def test_facets_count_only_what_the_reader_may_read(world: World) -> None:
    results = search(user=world.chidi, text="quay")

    count_by_facet = {facet.name: sum(choice.count for choice in facet.choices) for facet in results.facets}
    labels = {choice.label for facet in results.facets for choice in facet.choices}
    assert count_by_facet["kind"] == results.count
    assert "Estuary Partnership" not in labels


def test_choosing_a_facet_shows_as_many_results_as_it_counts(world: World) -> None:
    (kind_facet, *_) = search(user=world.chidi, text="quay").facets
    (site_count,) = (choice.count for choice in kind_facet.choices if choice.value == "site")

    results = search(user=world.chidi, text="quay", filters=SearchFilters(kind="site"))

    assert {hit.kind for hit in results.hits} == {"Site"}
    assert results.count == site_count


# A word is common if many entries that everybody may read have it. Search estimates this from a sample of the entries,
# and looks for a common word only among the newest. Entries that a person may not read must not be counted, because the
# results would then reveal that they exist.

#: The number of copies of an entry. One entry in SAMPLED is in the sample, so at least ten of the copies are.
COPIES = 10 * SAMPLED + 20
#: The ids of an organisation and of a record that do not exist.
NO_ORGANISATION, NO_RECORD = 99_999_999, 987_654
#: Copies an entry. The copies are newer, and the words of their text are as important as those of a title. A person who
#: may read them would find them first.
COPY_ENTRY = """
INSERT INTO search_searchentry (source, object_id, part, kind, day, title, text, path, number, hidden, readers,
    for_everyone, opens_at, codes, words)
SELECT %(source)s, %(no_record)s, %(reader)s::text || ' ' || n, kind, day + 1, title, text, '/elsewhere/' || n, 0,
       FALSE, ARRAY[%(reader)s::bigint], %(for_everyone)s, %(opens_at)s::timestamptz, codes,
       words || setweight(to_tsvector('english', text), 'A')
  FROM search_searchentry, generate_series(1, %(copies)s) n
 WHERE id = %(entry_id)s
"""


def copy_a_public_site(*, source: str, reader: int, opens_at: dt.datetime | None = None) -> None:
    """Copy the entry of a public site many times, as if the copies came from other records with another reader."""
    site = SearchEntry.objects.filter(kind="site", for_everyone=True, title="North Quay").earliest("pk")
    values: dict[str, Any] = {
        "source": source,
        "no_record": NO_RECORD,
        "reader": reader,
        "for_everyone": reader == EVERYONE,
        "opens_at": opens_at,
        "copies": COPIES,
        "entry_id": site.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(COPY_ENTRY, values)


def results_of_many_searches(person: User) -> list[object]:
    """Return what a person finds with words that are exact, quoted, excluded, begun and misspelt."""
    texts = ("quay", "north quay homes", '"north quay"', "homes -quay", "nor qua", "nroth quya", "quayy")
    return [
        *(search(user=person, text=text) for text in texts),
        search(user=person, text="quay", filters=SearchFilters(kind="site")),
        *(suggest(user=person, text=text) for text in ("nor", "north qu")),
    ]


@pytest.fixture
def low_limit_of_common_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the limit so that no word is common now, but a word is common if ten more entries of the sample have it."""
    public_ids = SearchEntry.objects.filter(for_everyone=True).values_list("pk", flat=True)
    sample_size = sum(entry_id % SAMPLED == 0 for entry_id in public_ids)
    monkeypatch.setattr(candidates, "COMMON_ABOVE", SAMPLED * sample_size)


@pytest.mark.usefixtures("low_limit_of_common_words")
@pytest.mark.parametrize("name", ["chidi", "dee"])
def test_entries_that_a_person_may_not_read_do_not_change_their_results(world: World, name: str) -> None:
    person = getattr(world, name)
    results_without_copies = results_of_many_searches(person)
    tomorrow = timezone.now() + dt.timedelta(days=1)

    copy_a_public_site(source="plan", reader=NO_ORGANISATION)
    copy_a_public_site(source="plan", reader=EVERYONE, opens_at=tomorrow)
    # The index still has Chidi's organisation as a reader, as if it had just left this conversation.
    copy_a_public_site(source="conversation", reader=world.tidewater.pk)

    assert results_of_many_searches(person) == results_without_copies


@pytest.mark.usefixtures("low_limit_of_common_words")
def test_entries_that_everybody_may_read_make_their_words_common(world: World) -> None:
    results_without_copies = search(user=world.chidi, text="quay")
    yesterday = timezone.now() - dt.timedelta(days=1)

    copy_a_public_site(source="plan", reader=EVERYONE, opens_at=yesterday)

    assert results_without_copies.count > 0
    assert not results_without_copies.has_more
    assert search(user=world.chidi, text="quay").has_more


@pytest.fixture
def every_word_is_common(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the limit so that words are common even if no entry has them."""
    monkeypatch.setattr(candidates, "COMMON_ABOVE", -1)


@pytest.mark.parametrize("name", ["amina", "chidi"])
def test_search_for_a_common_word_finds_the_newest_entries(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    person = getattr(world, name)
    all_paths = findable_paths(person)
    monkeypatch.setattr(candidates, "COMMON_ABOVE", -1)  # every word is common

    paths_of_newest = findable_paths(person)

    assert paths_of_newest == all_paths  # each kind has fewer entries than search reads


@pytest.mark.usefixtures("every_word_is_common")
def test_search_for_a_common_word_may_have_more_results(world: World) -> None:
    assert search(user=world.amina, text="quay").has_more


@pytest.mark.usefixtures("every_word_is_common")
def test_common_word_is_not_found_in_a_year_without_records(world: World) -> None:
    """PostgreSQL would refuse the year 13 if it were not written as 0013."""
    results = search(user=world.amina, text="quay", filters=SearchFilters(year=13))

    assert results.hits == ()


def test_leaving_a_partnership_hides_its_records_at_once(world: World) -> None:
    titles_as_a_partner = titles(world.ben, "NQ1")

    leave_partnership_as_westmarch(world)

    assert "North Quay" in titles_as_a_partner
    assert titles(world.ben, "NQ1") == set()
    assert titles(world.ben, CANARY) == set()


def test_leaving_a_partnership_does_not_hide_the_partnership_itself(world: World) -> None:
    leave_partnership_as_westmarch(world)

    assert "Estuary Partnership" in titles(world.ben, "estuary")


def publish_under_embargo(world: World) -> None:
    """Publish a version of a plan about an otter, and one about a kingfisher that is under embargo for a day."""
    plan = published_plan(world)
    save(plan, world, "about", summary="An otter was seen.")
    publish(plan, world, "More.")
    save(plan, world, "about", title="Kingfisher programme", summary="A kingfisher was seen.")
    publish(plan, world, "Not yet.", embargo_until=timezone.now() + dt.timedelta(hours=24))
    index_stale()


def test_under_embargo_owners_find_the_new_version_and_others_the_open_one(world: World) -> None:
    publish_under_embargo(world)

    owner, partner = world.amina, world.ben
    assert titles(owner, "kingfisher") == {"Kingfisher programme"}
    assert titles(owner, "otter") == set()
    assert titles(partner, "kingfisher") == set()
    assert titles(partner, "otter") == {"Estuary delivery programme"}


def test_new_version_is_found_once_its_embargo_ends_even_before_it_is_lifted(world: World) -> None:
    publish_under_embargo(world)

    with time_machine.travel(timezone.now() + dt.timedelta(hours=25)):
        assert titles(world.ben, "kingfisher") == {"Kingfisher programme"}
        assert titles(world.ben, "otter") == set()


def test_lifting_an_embargo_leaves_only_the_new_version_in_the_index(world: World) -> None:
    publish_under_embargo(world)

    with time_machine.travel(timezone.now() + dt.timedelta(hours=25)):
        lift_embargoes(now=timezone.now())
        index_stale()

        assert titles(world.ben, "kingfisher") == {"Kingfisher programme"}
        assert list(differences()) == []


def test_suggestions_are_titles_that_begin_like_the_words(world: World) -> None:
    assert "Estuary Partnership" in {entry.title for entry in suggest(user=world.amina, text="est par")}
    assert "Estuary Partnership" not in {entry.title for entry in suggest(user=world.chidi, text="est par")}


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["whole page", "part of a page"])
def test_page_of_suggestions_links_to_the_records(world: World, headers: dict[str, str]) -> None:
    response = signed_in(world.amina).get(reverse("search:suggestions"), {"q": "est par"}, headers=headers)

    assert f'href="{reverse("agreements:detail", args=[world.partnership.pk])}"' in response.content.decode()


def test_pages_follow_each_other_without_repeating_a_result(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.search.queries.results.PAGE", 3)

    pages = [search(user=world.amina, text="quay")]
    while pages[-1].next_after:
        pages.append(search(user=world.amina, text="quay", after=pages[-1].next_after))

    hrefs = [hit.href for page in pages for hit in page.hits]
    assert len(hrefs) == len(set(hrefs)) == pages[-1].count
    assert len(hrefs) > 3
