"""Only the people of one organisation read its notes in the journal."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.conversations import services
from partnerships.conversations.models import JournalNote, JournalText
from partnerships.conversations.services.journal import drop_earlier_texts
from partnerships.kit.rights import UnableToAct
from partnerships.people.models import User
from partnerships.people.personal_data import export_person
from tests.conversations.talks import days_ago
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World


def journal_note(world: World, text: str = "They wait for the grant.", days: int = 3) -> JournalNote:
    """Return a note that Eddie has written about the Estuary Partnership."""
    return services.write_journal_note(
        organisation=world.larkhaven,
        partnership=world.partnership,
        dated_on=days_ago(days),
        text=text,
        author=world.eddie,
        now=timezone.now(),
    )


def changed_note(note: JournalNote, author: User, text: str, revision: int = 1) -> JournalNote:
    """Change the text of a note, and return the note."""
    return services.change_journal_note(
        note=note, dated_on=note.dated_on, text=text, revision=revision, author=author, now=timezone.now()
    )


def test_note_is_shown_on_the_page_of_its_partnership_to_its_own_organisation(world: World) -> None:
    journal_note(world)

    pages = {
        person: signed_in(person).get(world.partnership.get_absolute_url()).content.decode()
        for person in (world.vera, world.ben)
    }

    assert "They wait for the grant." in pages[world.vera]
    assert "They wait for the grant." not in pages[world.ben]


def test_form_writes_a_note_about_an_organisation(world: World) -> None:
    eddie = signed_in(world.eddie)
    day = days_ago(1)
    address = f"{reverse('conversations:journal-new')}?about={world.westmarch.pk}"
    form = {"dated_on": day.isoformat(), "text": "New leader."}

    response = eddie.post(address, form | {"revision": 0}, follow=True)

    assert "New leader." in response.content.decode()
    assert JournalNote.objects.get().about == world.westmarch


def test_changed_note_keeps_its_earlier_text(world: World) -> None:
    note = changed_note(journal_note(world), world.amina, "They have the grant.")

    html = signed_in(world.vera).get(note.get_absolute_url()).content.decode()

    assert "They have the grant." in html
    assert "They wait for the grant." in html


def test_stale_change_is_refused(world: World) -> None:
    note = journal_note(world)
    changed_note(note, world.amina, "They have the grant.")

    with pytest.raises(services.UnableToWriteNote, match="colleague"):
        changed_note(note, world.eddie, "No grant.")


def test_deleted_note_keeps_only_the_reason(world: World) -> None:
    note = changed_note(journal_note(world), world.amina, "They have the grant.")

    services.delete_journal_note(note=note, reason="About somebody else.", author=world.eddie, now=timezone.now())

    html = signed_in(world.vera).get(note.get_absolute_url()).content.decode()
    assert "About somebody else." in html
    assert "grant" not in html
    assert not JournalText.objects.exists()


def test_search_finds_only_notes_of_ones_own_organisation(world: World) -> None:
    journal_note(world)
    journal_note(world, "Nothing new.")
    services.write_journal_note(
        organisation=world.westmarch,
        partnership=world.partnership,
        dated_on=days_ago(1),
        text="Their grant is late.",
        author=world.ben,
        now=timezone.now(),
    )

    html = signed_in(world.vera).get(reverse("conversations:journal"), {"q": "grant"}).content.decode()

    assert "They wait for the grant." in html
    assert "Their grant is late." not in html
    assert "Nothing new." not in html


def test_note_about_a_partnership_of_others_is_refused(world: World) -> None:
    with pytest.raises(UnableToAct):
        services.write_journal_note(
            organisation=world.larkhaven,
            partnership=world.other_partnership,
            dated_on=days_ago(1),
            text="What are they doing?",
            author=world.eddie,
            now=timezone.now(),
        )


def test_notes_stay_with_an_organisation_that_left(world: World) -> None:
    services.write_journal_note(
        organisation=world.westmarch,
        partnership=world.partnership,
        dated_on=days_ago(1),
        text="Their grant is late.",
        author=world.ben,
        now=timezone.now(),
    )
    leave_partnership_as_westmarch(world)

    html = signed_in(world.ben).get(reverse("conversations:journal")).content.decode()

    assert "Their grant is late." in html


@pytest.mark.parametrize(("name", "has_note"), [("eddie", True), ("amina", False)])
def test_only_the_export_of_its_writer_has_a_note(world: World, name: str, has_note: bool) -> None:
    journal_note(world)
    person = getattr(world, name)

    export = export_person(person=person, author=person, now=timezone.now())

    assert ("They wait for the grant." in str(export)) == has_note


def test_earlier_texts_are_deleted_after_a_year(world: World) -> None:
    note = changed_note(journal_note(world), world.amina, "They have the grant.")

    removed_count = drop_earlier_texts(timezone.now() + dt.timedelta(days=366), False)

    assert removed_count == 1
    note.refresh_from_db()
    assert note.text == "They have the grant."
