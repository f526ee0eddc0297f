"""The index of search follows the records, and can be compared with them and built again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import replace

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from partnerships.agreements.services import edit_settings, remove_document
from partnerships.organisations.models import Membership
from partnerships.organisations.services import update_organisation
from partnerships.search.entries import EntryRow
from partnerships.search.models import SearchEntry, Stale, Word
from partnerships.search.services import (
    differences,
    index_stale,
    prune_words,
    queue_everything,
    queue_recent_role_changes,
)
from partnerships.search.sources.every import SOURCES
from partnerships.search.triggers import trigger_name
from tests.search.finding import publish_second_version, titles
from tests.support.prepared import media_root, world
from tests.world import World

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.django_db


def test_record_that_cannot_be_indexed_does_not_delay_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    source = SOURCES["conversation"]
    broken_id = world.things["talk"].pk

    def read_unless_broken(ids: Collection[int]) -> Iterable[EntryRow]:
        if broken_id in ids:
            raise ValueError
        return source.read(ids)

    monkeypatch.setitem(SOURCES, "conversation", replace(source, read=read_unless_broken))
    queue_everything()

    index_stale()

    indexed_conversations = SearchEntry.objects.filter(source="conversation")
    assert indexed_conversations.exists()
    assert not indexed_conversations.filter(object_id=broken_id).exists()
    assert not Stale.objects.exists()


def test_renamed_partnership_is_found_by_its_new_title_only(world: World) -> None:
    edit_settings(
        partnership=world.partnership, title="Wharf Compact", reason="New.", author=world.amina, now=timezone.now()
    )
    index_stale()

    assert "Wharf Compact" in titles(world.ben, "wharf")
    assert "Estuary Partnership" not in titles(world.ben, "estuary partnership")
    assert list(differences()) == []


def test_renamed_organisation_is_still_found_by_its_former_name(world: World) -> None:
    update_organisation(
        organisation=world.tidewater,
        name="Ebb and Flow Housing",
        named_from=timezone.localdate(),
        author=None,
        now=timezone.now(),
    )
    index_stale()

    assert "Ebb and Flow Housing" in titles(world.ben, "tidewater")
    assert list(differences()) == []


def test_removed_document_is_not_found(world: World) -> None:
    document = world.partnership.documents.get()
    titles_with_document = titles(world.ben, document.title)

    remove_document(document=document, author=world.amina, now=timezone.now())
    index_stale()

    assert document.title in titles_with_document
    assert document.title not in titles(world.ben, document.title)
    assert list(differences()) == []


def test_words_that_no_entry_contains_any_longer_are_deleted(world: World) -> None:
    publish_second_version(world, summary="A kingfisher was seen.")
    index_stale()
    words_with_kingfisher = set(Word.objects.values_list("word", flat=True))

    SearchEntry.objects.filter(text__contains="kingfisher").delete()
    prune_words()

    remaining_words = set(Word.objects.values_list("word", flat=True))
    assert "kingfisher" in words_with_kingfisher
    assert "kingfisher" not in remaining_words
    assert "quay" in remaining_words
    assert remaining_words < words_with_kingfisher


def damage_index() -> None:
    """Delete the entries of sites, change those of plans, and add an entry for a partnership that does not exist."""
    SearchEntry.objects.filter(kind="site").delete()
    SearchEntry.objects.filter(kind="plan").update(text="Something else.")
    entry = SearchEntry.objects.filter(kind="partnership").earliest("pk")
    entry.pk = None  # saving the entry then inserts a copy
    entry.object_id = 987_654
    entry.save()


def test_differences_between_the_index_and_the_records_are_reported(world: World) -> None:
    damage_index()

    assert {difference.problem for difference in differences()} == {"missing", "out of date", "left over"}


def test_index_is_built_again_even_if_everything_is_queued_twice(world: World) -> None:
    damage_index()

    queue_everything()
    queue_everything()
    index_stale()

    assert list(differences()) == []


def let_eddies_role_end_tomorrow(world: World) -> None:
    """Set the last day of Eddie's membership to tomorrow. No row changes when that day is over."""
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    Membership.objects.filter(person=world.eddie).update(ends_on=tomorrow)
    index_stale()


def test_person_is_not_found_once_their_role_has_ended(world: World) -> None:
    let_eddies_role_end_tomorrow(world)
    titles_today = titles(world.amina, "Eddie Larch")

    with time_machine.travel(timezone.now() + dt.timedelta(days=2)):
        titles_in_two_days = titles(world.amina, "Eddie Larch")

    assert "Eddie Larch" in titles_today
    assert titles_in_two_days == set()


def test_entry_of_a_role_that_has_ended_is_left_over_until_it_is_queued(world: World) -> None:
    let_eddies_role_end_tomorrow(world)

    with time_machine.travel(timezone.now() + dt.timedelta(days=2)):
        problems_before_queueing = {difference.problem for difference in differences()}
        queue_recent_role_changes(timezone.localdate())
        index_stale()

        assert problems_before_queueing == {"left over"}
        assert list(differences()) == []


def test_trigger_is_named_after_the_column_that_it_follows() -> None:
    assert trigger_name("plans_plan.id") == "search_plans_plan_id"


def test_every_table_that_a_source_follows_has_its_trigger() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'search_%%' AND NOT tgisinternal")
        trigger_names = {name for (name,) in cursor.fetchall()}

    assert trigger_names == {trigger_name(column) for source in SOURCES.values() for column in source.follows}
