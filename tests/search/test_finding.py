"""Search finds each kind of record by its words, and only for people who may read it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import (
    edit_settings,
    leave_partnership,
    remove_document,
)
from partnerships.commitments.models import Commitment
from partnerships.organisations.models import Membership, NameKind
from partnerships.organisations.services import update_organisation
from partnerships.organisations.services.names import add_names
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import add_comment, lift_embargoes, share_draft
from partnerships.search.entries import EntryRow
from partnerships.search.models import EVERYONE, SAMPLED, SearchEntry, Stale, Word
from partnerships.search.queries import asking, search, suggest
from partnerships.search.queries.asking import TextQuery
from partnerships.search.queries.candidates import SearchFilters, readable_entries
from partnerships.search.queries.spelling import similar_words_query
from partnerships.search.services import (
    differences,
    index_stale,
    prune_words,
    queue_everything,
    queue_recent_role_changes,
)
from partnerships.search.sources.every import KINDS, SOURCES
from partnerships.search.triggers import trigger_name
from tests.exchange.conftest import shared_entry
from tests.plans.drafts import CANARY, CONTENT, publish, published_plan, save
from tests.support.prepared import media_root, world
from tests.support.signing_in import signed_in
from tests.world import World

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.django_db

#: Matches every entry of the index.
EVERYTHING = TextQuery(sql="'!zq'::tsquery")
#: The kinds of entry that a stranger finds, which are the directory, their own records, and public records.
PUBLIC_KINDS = {"organisation", "agreement", "plan", "site", "milestone", "person", "partnership", "recommended"}


def titles(person: User, text: str) -> set[str]:
    """Return the titles of the results that a person finds, without marks."""
    return {unescape(re.sub(r"</?mark>", "", hit.title)) for hit in search(user=person, text=text).hits}


def findable_paths(person: User) -> set[str]:
    """Return the paths of all entries that a person may find."""
    return {entry.path for entry in readable_entries(person, EVERYTHING, "", SearchFilters()).entries}


def publish_second_version(world: World, *, embargo_until: dt.datetime | None = None, **about: str) -> None:
    """Publish a plan of the Estuary Partnership, and a second version in which `about` is changed."""
    plan = published_plan(world)
    save(plan, world, "about", **about)
    publish(plan, world, "More.", embargo_until=embargo_until)


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


def test_partners_find_every_kind_and_strangers_only_what_is_public(world: World) -> None:
    entries_by_name = {
        name: readable_entries(getattr(world, name), EVERYTHING, "", SearchFilters()).entries
        for name in ("amina", "chidi")
    }

    assert {entry.kind for entry in entries_by_name["amina"]} == set(KINDS)
    assert {entry.kind for entry in entries_by_name["chidi"]} <= PUBLIC_KINDS
    assert not any(entry.hidden for entry in entries_by_name["chidi"])


def test_stakeholder_without_account_finds_nothing(world: World) -> None:
    assert findable_paths(world.sol) == set()


def test_hidden_site_note_and_section_are_found_by_partners(world: World) -> None:
    assert len(titles(world.ben, "heron-among-the-reeds")) >= 4


@pytest.mark.parametrize("name", ["chidi", "nadia", "dee"])
def test_strangers_find_nothing_by_words_of_hidden_parts_of_a_plan(world: World, name: str) -> None:
    stranger = getattr(world, name)
    text = "heron-among-the-reeds"

    results = search(user=stranger, text=text)

    assert (results.hits, results.count, results.facets) == ((), 0, ())
    assert suggest(user=stranger, text=text) == ()


def test_no_hidden_entry_is_for_everyone(world: World) -> None:
    assert SearchEntry.objects.filter(hidden=True).exists()
    assert not SearchEntry.objects.filter(hidden=True, for_everyone=True).exists()


def test_stranger_finds_the_sites_of_a_public_plan_except_its_confidential_site(world: World) -> None:
    assert "North Quay" in titles(world.chidi, "north quay")
    assert titles(world.chidi, "Mill Lane canary") == set()


def test_facets_count_only_what_the_reader_may_read(world: World) -> None:
    results = search(user=world.chidi, text="quay")

    count_by_facet = {facet.name: sum(choice.count for choice in facet.choices) for facet in results.facets}
    assert count_by_facet["kind"] == results.count
    assert "Estuary Partnership" not in {choice.label for facet in results.facets for choice in facet.choices}


def test_choosing_a_facet_shows_as_many_results_as_it_counts(world: World) -> None:
    (kind_facet, *_) = search(user=world.chidi, text="quay").facets
    (site_count,) = (choice.count for choice in kind_facet.choices if choice.value == "site")

    results = search(user=world.chidi, text="quay", filters=SearchFilters(kind="site"))

    assert {hit.kind for hit in results.hits} == {"Site"}
    assert results.count == site_count


def test_words_are_found_by_their_stem_their_beginning_and_with_a_typing_error(world: World) -> None:
    text = "Surface water drainage holds up 40 homes, says <b>the engineer</b>."
    publish_second_version(world, title="Culvert programme", summary=text)
    index_stale()

    for text in ("homes engineers", "drainage", "drainag", "drainge", "drainaeg"):
        assert "Culvert programme" in titles(world.amina, text), text
        assert titles(world.chidi, text).isdisjoint({"Culvert programme"}), text
    snippet = next(hit.snippet for hit in search(user=world.amina, text="drainage").hits)
    assert "<mark>drainage</mark>" in snippet
    assert "<b>" not in snippet
    assert search(user=world.amina, text="drainge").is_similar


def test_excerpt_ends_with_the_records_own_words(world: World) -> None:
    """All names of its organisations find a record, and no page shows them in a row."""
    entry = shared_entry(
        world.larkhaven, world.amina, timezone.now(), title="Fitter wanted", statement="For forty boilers."
    )
    add_names(world.larkhaven, [("Tern Housing", NameKind.FORMER)])
    index_stale()

    by_word, by_name = (search(user=world.amina, text=text).hits for text in ("boilers", "Tern Housing"))

    assert ["boilers</mark>" in hit.snippet for hit in by_word if hit.title == entry.title] == [True]
    assert ["Tern" in hit.snippet for hit in (*by_word, *by_name) if hit.title == entry.title] == [False, False]


def test_stop_words_count_as_typed_when_others_are_not_found(world: World) -> None:
    publish_second_version(world, title="Culvert programme", summary="Surface water drainage holds up the homes.")
    index_stale()

    frequent = asking.frequent_words_in("the homes of drainag", 1_000_000)
    query = asking.prefix_query("the homes drainag", frequent=frequent)
    assert (frequent.stop_words, frequent.common_words) == ({"the", "of"}, frozenset())
    assert query is not None
    assert query.values["typed"] == "'the' & 'homes':* & 'drainag':*"
    for text in ("the homes drainag", "homes up the drainge"):
        assert "Culvert programme" in titles(world.amina, text), text


def test_words_that_are_common_change_nothing_that_one_finds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_second_version(world, title="Culvert programme", summary="Surface water drainage holds up the homes.")
    index_stale()

    for common_words in ("", "homes", "homes draina hom", "draina"):
        frequent = asking.FrequentWords(stop_words=frozenset({"the"}), common_words=frozenset(common_words.split()))
        monkeypatch.setattr(
            "partnerships.search.queries.results.frequent_words", lambda _text, found_titles=frequent: found_titles
        )
        titles_by_text = {
            text: titles(world.amina, text) for text in ("the homes draina", "hom draina", "homes drainge")
        }
        assert all("Culvert programme" in found_titles for found_titles in titles_by_text.values()), (
            common_words,
            titles_by_text,
        )
        assert all("Culvert programme" not in titles(world.chidi, text) for text in titles_by_text), common_words


#: Entries with words of a public site, more than search checks at once, so that some of them are in its sample.
COPY = """
INSERT INTO search_searchentry (source, object_id, part, kind, day, title, text, path, number, hidden, readers,
    for_everyone, opens_at, codes, words)
SELECT %(source)s, 987654, %(part)s || n, kind, day + 1, title, text, '/elsewhere/' || n, 0, FALSE,
       %(readers)s::bigint[], %(opens_at)s::timestamptz IS NOT NULL, %(opens_at)s, codes,
       words || setweight(to_tsvector('english', text), 'A')
  FROM search_searchentry, generate_series(1, 1300) n
 WHERE id = (SELECT min(id) FROM search_searchentry WHERE kind = 'site' AND for_everyone AND title = 'North Quay')
"""
SAMPLED_NOW = "SELECT count(*) FROM search_searchentry WHERE for_everyone AND mod(id, %s) = 0"


def test_what_one_may_not_read_changes_nothing_that_one_finds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def results_for(person: User) -> list[object]:
        texts = ("quay", "north quay homes", '"north quay"', "homes -quay", "nor qua", "nroth quya", "quayy")
        pages = [search(user=person, text=text) for text in texts]
        filtered_results = search(user=person, text="quay", filters=SearchFilters(kind="site"))
        return [*pages, filtered_results, *(suggest(user=person, text=text) for text in ("nor", "north qu"))]

    with connection.cursor() as cursor:
        cursor.execute(SAMPLED_NOW, [SAMPLED])
        # Words are common as soon as the sample has more entries than now.
        monkeypatch.setattr("partnerships.search.queries.candidates._COMMON", SAMPLED * cursor.fetchone()[0])
        results_before = {name: results_for(getattr(world, name)) for name in ("chidi", "dee")}
        tomorrow = timezone.now() + dt.timedelta(days=1)
        for source, readers, opens_at in (
            ("plan", [99_999_999], None),  # a plan of another organisation
            ("plan", [EVERYONE], tomorrow),  # a plan under embargo
            ("conversation", [world.tidewater.pk], None),  # a conversation of Chidi's organisation, which has left
        ):
            values = {"source": source, "part": f"{opens_at}", "readers": readers, "opens_at": opens_at}
            cursor.execute(COPY, values)

    assert {name: results_for(getattr(world, name)) for name in results_before} == results_before
    assert search(user=world.chidi, text="quay").count > 0
    assert not search(user=world.chidi, text="quay").has_more
    SearchEntry.objects.filter(opens_at=tomorrow).update(opens_at=None)
    assert search(user=world.chidi, text="quay").has_more  # so the sample has them, and they count once they are open


def test_words_that_others_alone_may_read_are_similar_to_nothing(world: World) -> None:
    publish_second_version(world, summary="A kingfisher was seen.")
    index_stale()

    assert similar_words_query(world.amina, "kingfishr") is not None
    assert similar_words_query(world.chidi, "kingfishr") is None


def test_names_of_people_are_found_with_a_typing_error_by_their_readers(world: World) -> None:
    for text in ("Eddie Larsh", "Edie", "Larhc"):
        assert "Eddie Larch" in titles(world.amina, text), text
        assert titles(world.chidi, text).isdisjoint({"Eddie Larch"}), text


def test_record_that_cannot_be_indexed_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_id, source = world.things["talk"].pk, SOURCES["conversation"]

    def read(ids: Collection[int]) -> Iterable[EntryRow]:
        if broken_id in ids:
            raise ValueError
        return source.read(ids)

    monkeypatch.setitem(SOURCES, "conversation", replace(source, read=read))
    queue_everything()
    index_stale()

    indexed = SearchEntry.objects.filter(source="conversation")
    assert indexed.exists()
    assert not indexed.filter(object_id=broken_id).exists()
    assert not Stale.objects.exists()


def test_question_about_a_person_finds_people_first(world: World) -> None:
    now = timezone.now()
    update_organisation(
        organisation=world.tidewater, name="Eddie", named_from=timezone.localdate(), author=None, now=now
    )
    index_stale()

    kinds = [hit.kind for hit in search(user=world.amina, text="Who covers for Eddie?").hits]

    assert search(user=world.amina, text="Eddie").hits[0].kind == "Organisation"
    assert kinds[0] in {"Contact", "Person"}
    assert "Organisation" in kinds


def test_postcodes_are_found_in_full_by_district_and_by_area(world: World) -> None:
    publish_second_version(world, title="Depot", summary="The depot stands at PO16 7GZ, near the station.")
    index_stale()

    for text in ("PO16 7GZ", "po167gz", "PO16", "PO", "depot PO16"):
        assert titles(world.ben, text) == {"Depot"}, text
    assert titles(world.ben, "PO1") == set()
    assert titles(world.chidi, "PO16") == set()


def test_sites_are_found_by_their_own_postcode_and_address(world: World) -> None:
    plan = published_plan(world, content={**CONTENT, "about": {"title": "Harbours"}})
    save(plan, world, "sites/north-quay", address="Capstan Road", postcode="ze2 9aa")
    save(plan, world, "sites/secret", postcode="ZE3")
    publish(plan, world, "Addresses.")
    index_stale()

    for text in ("ZE2 9AA", "ZE2", "capstan"):
        assert titles(world.ben, text) == {"North Quay"}, text
        assert titles(world.chidi, text) == set(), text
    assert len(titles(world.ben, "ZE")) == 2
    assert titles(world.ben, "ZE3") == {f"Plot {CANARY}"}


@pytest.mark.parametrize(("text", "title"), [("NQ1", "North Quay"), ("L9901", "Saltmarsh Homes")])
def test_references_are_found_whole(world: World, text: str, title: str) -> None:
    assert title in titles(world.amina, text)


def test_references_of_commitments_are_found_whole(world: World) -> None:
    commitment = Commitment.objects.visible_to(world.amina).earliest("pk")

    assert commitment.text in titles(world.amina, commitment.reference.lower())


def test_places_of_the_register_find_what_lies_there(world: World) -> None:
    assert "North Quay" in titles(world.amina, "Fareham")


def test_renamed_records_are_found_by_their_new_words_and_removed_ones_not(world: World) -> None:
    now = timezone.now()
    document = world.partnership.documents.get()
    edit_settings(partnership=world.partnership, title="Wharf Compact", reason="New.", author=world.amina, now=now)
    update_organisation(
        organisation=world.tidewater, name="Ebb and Flow Housing", named_from=timezone.localdate(), author=None, now=now
    )
    remove_document(document=document, author=world.amina, now=now)
    index_stale()

    assert "Wharf Compact" in titles(world.ben, "wharf")
    assert "Estuary Partnership" not in titles(world.ben, "estuary partnership")
    assert titles(world.ben, "tidewater") >= {"Ebb and Flow Housing"}
    assert document.title not in titles(world.ben, document.title)
    assert list(differences()) == []


def test_leaving_a_partnership_hides_its_records_at_once(world: World) -> None:
    assert "North Quay" in titles(world.ben, "NQ1")

    leave_partnership(party=world.party(world.westmarch), reason="Over.", author=world.ben, now=timezone.now())

    assert titles(world.ben, "NQ1") == set()
    assert titles(world.ben, "heron-among-the-reeds") == set()


def test_leaving_a_partnership_does_not_hide_the_partnership_itself(world: World) -> None:
    leave_partnership(party=world.party(world.westmarch), reason="Over.", author=world.ben, now=timezone.now())

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


def plan_with_draft_about_ospreys(world: World) -> Plan:
    """Return a published plan with a draft that Amina has shared with Ben by name."""
    plan = published_plan(world, content={**CONTENT, "outcomes": ["A pochard dives"]})
    save(plan, world, "sections/vision", body="An osprey nests on the island.")
    save(plan, world, "about", summary="Mind the osprey.")
    share_draft(
        plan=plan,
        email=world.ben.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )
    return plan


def test_drafts_are_found_by_their_editors_and_leads_only(world: World) -> None:
    plan = plan_with_draft_about_ospreys(world)

    index_stale()

    lead, editor = world.amina, world.eddie
    draft_titles = {"Vision (draft)", f"{plan.title} (draft)"}
    assert titles(lead, "osprey") == titles(editor, "osprey") == draft_titles
    assert titles(world.ben, "osprey") == titles(world.chidi, "osprey") == set()


def test_unchanged_part_of_a_draft_is_found_once(world: World) -> None:
    plan_with_draft_about_ospreys(world)

    index_stale()

    assert titles(world.amina, "pochard") == {"A pochard dives"}


def test_published_draft_is_found_as_the_new_version(world: World) -> None:
    plan = plan_with_draft_about_ospreys(world)
    index_stale()

    publish(plan, world, "Birds.")
    index_stale()

    assert titles(world.ben, "osprey") == {"Vision", plan.title}
    assert titles(world.amina, "osprey") == {"Vision", plan.title}


def test_comments_are_found_by_whom_they_may_be_read(world: World) -> None:
    plan = published_plan(world)
    now = timezone.now()
    add_comment(plan=plan, version_number=1, anchor="sites/secret", text="A bittern boomed.", author=world.ben, now=now)
    comment_on_draft = add_comment(plan=plan, version_number=0, text="A bittern, again.", author=world.amina, now=now)
    add_comment(
        plan=plan, version_number=0, text="Bittern indeed.", parent=comment_on_draft, author=world.eddie, now=now
    )
    index_stale()

    assert titles(world.amina, "bittern") == {f"Comment on Plot {CANARY}", "Comment on the whole plan"}
    assert titles(world.ben, "bittern") == {f"Comment on Plot {CANARY}"}
    assert titles(world.chidi, "bittern") == titles(world.dee, "bittern") == set()
    assert search(user=world.amina, text="bittern").count == 2
    assert not Word.objects.filter(word="bittern").exists()


def test_comments_on_a_draft_are_not_found_by_whom_it_is_shared_with(world: World) -> None:
    plan = published_plan(world)
    now = timezone.now()
    share_draft(
        plan=plan, email=world.nadia.email, may_comment=True, message="", ends_on=None, author=world.amina, now=now
    )
    add_comment(plan=plan, version_number=0, text="A bittern boomed.", author=world.amina, now=now)
    comment_of_nadia = add_comment(plan=plan, version_number=0, text="An avocet, too.", author=world.nadia, now=now)
    add_comment(
        plan=plan,
        version_number=0,
        text="A bittern and an avocet.",
        parent=comment_of_nadia,
        author=world.eddie,
        now=now,
    )
    index_stale()

    assert search(user=world.eddie, text="bittern").count == 2
    assert search(user=world.nadia, text="bittern").count == 0
    assert search(user=world.nadia, text="avocet").count == 1


def test_words_that_no_entry_contains_any_longer_are_deleted(world: World) -> None:
    publish_second_version(world, summary="A kingfisher was seen.")
    index_stale()
    count_before = Word.objects.count()
    assert Word.objects.filter(word="kingfisher").exists()

    SearchEntry.objects.filter(text__contains="kingfisher").delete()
    prune_words()

    assert not Word.objects.filter(word="kingfisher").exists()
    assert Word.objects.filter(word="quay").exists()
    assert 0 < Word.objects.count() < count_before


def test_suggestions_are_titles_that_begin_like_the_words(world: World) -> None:
    suggested_titles = {entry.title for entry in suggest(user=world.amina, text="est par")}

    assert suggested_titles >= {"Estuary Partnership"}
    assert "Estuary Partnership" not in {entry.title for entry in suggest(user=world.chidi, text="est par")}
    for headers in ({}, {"HX-Request": "true"}):
        page = signed_in(world.amina).get(reverse("search:suggestions"), {"q": "est par"}, headers=headers)
        assert f'href="{reverse("agreements:detail", args=[world.partnership.pk])}"' in page.content.decode()


def test_pages_follow_each_other_without_repeating_a_result(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.search.queries.results.PAGE", 3)
    hrefs: list[str] = []
    after = ""
    while True:
        results = search(user=world.amina, text="quay", after=after)
        hrefs += [hit.href for hit in results.hits]
        after = results.next_after
        if not after:
            break

    assert len(hrefs) == len(set(hrefs)) == results.count
    assert len(hrefs) > 3


def test_common_words_are_looked_for_among_the_newest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paths_by_name = {name: findable_paths(getattr(world, name)) for name in ("amina", "chidi")}
    monkeypatch.setattr("partnerships.search.queries.candidates._COMMON", -1)

    assert {name: findable_paths(getattr(world, name)) for name in paths_by_name} == paths_by_name
    assert search(user=world.amina, text="quay").has_more
    assert search(user=world.amina, text="quay", filters=SearchFilters(year=13)).hits == ()


def test_index_is_checked_and_made_again(world: World) -> None:
    SearchEntry.objects.filter(kind="site").delete()
    SearchEntry.objects.filter(kind="plan").update(text="Something else.")
    entry = SearchEntry.objects.filter(kind="partnership").order_by("pk")[0]
    entry.pk = None
    entry.object_id = 987_654
    entry.save()

    assert {difference.problem for difference in differences()} == {"missing", "out of date", "left over"}
    queue_everything()
    queue_everything()
    index_stale()
    assert list(differences()) == []


def test_role_that_ended_by_the_clock_leaves_the_index(world: World) -> None:
    Membership.objects.filter(person=world.eddie).update(ends_on=timezone.localdate() + dt.timedelta(days=1))
    index_stale()
    assert "Eddie Larch" in titles(world.amina, "Eddie Larch")

    with time_machine.travel(timezone.now() + dt.timedelta(days=2)):
        assert titles(world.amina, "Eddie Larch") == set()
        assert {difference.problem for difference in differences()} == {"left over"}
        queue_recent_role_changes(timezone.localdate())
        index_stale()
        assert list(differences()) == []


def test_every_table_that_a_source_follows_has_its_trigger() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'search_%%' AND NOT tgisinternal")
        trigger_names = {name for (name,) in cursor.fetchall()}

    assert trigger_names == {trigger_name(column) for source in SOURCES.values() for column in source.follows}
