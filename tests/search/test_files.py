"""Search finds the text of PDF and Word files, and no broken file stops it."""

from __future__ import annotations

import datetime as dt
import io

import docx
import pytest
import time_machine
from django.core.files.base import ContentFile
from django.utils import timezone
from weasyprint import HTML

from partnerships.agreements.models import Document
from partnerships.agreements.services import add_document, remove_document
from partnerships.commitments.services import remove_evidence
from partnerships.search import extraction
from partnerships.search.extraction import UnreadableFile, extracted_text
from partnerships.search.files import read_files
from partnerships.search.models import FileText
from partnerships.search.services import index_stale
from tests.search.finding import titles
from tests.support.prepared import media_root, world
from tests.world import World

__all__ = ["media_root", "world"]

PDF = b"%PDF-1.7 no more than this"


def make_pdf(words: str) -> bytes:
    """Return a PDF with these words."""
    return HTML(string=f"<p>{words}</p>").write_pdf() or b""


def make_word_file(words: str) -> bytes:
    """Return a Word file with a table that has these words."""
    document = docx.Document()
    file = io.BytesIO()
    document.add_table(1, 1).cell(0, 0).text = words
    document.save(file)
    return file.getvalue()


def add_file(world: World, name: str, content: bytes, *, personal_data: bool = False) -> Document:
    """Add a document with this content to the Estuary Partnership."""
    return add_document(
        partnership=world.partnership,
        title=f"Paper {name}",
        file=ContentFile(content, name=name),
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now(),
        personal_data=personal_data,
    )


def read_and_index() -> None:
    """Read the text of all files, and index the changed records."""
    while read_files():
        pass
    index_stale()


@pytest.mark.django_db
def test_text_of_a_document_is_found_by_partners_only(world: World) -> None:
    add_file(world, "lagoon.pdf", make_pdf("The lagoon is drained in spring."))
    add_file(world, "lagoon.docx", make_word_file("A lagoon with reeds."))

    read_and_index()

    partner, stranger = world.ben, world.chidi
    assert titles(partner, "lagoon draining") == {"Paper lagoon.pdf"}
    assert titles(partner, "lagoon reeds") == {"Paper lagoon.docx"}
    assert titles(stranger, "lagoon") == set()


@pytest.mark.django_db
def test_text_of_a_document_with_personal_data_is_never_found(world: World) -> None:
    add_file(world, "register.pdf", make_pdf("Names of lagoon tenants."), personal_data=True)

    read_and_index()

    assert titles(world.ben, "lagoon tenants") == set()
    assert titles(world.chidi, "lagoon") == set()


@pytest.mark.django_db
def test_text_of_evidence_attachments_and_plans_is_found_by_partners_only(world: World) -> None:
    read_and_index()

    partner, stranger = world.ben, world.chidi
    for text, title in (
        ("block handed over", world.things["evidence"].title),
        ("north top", world.things["talk_file"].title),
        ("winter", "Winter plan"),
    ):
        assert title in titles(partner, text), text
        assert title not in titles(stranger, text), text


@pytest.mark.django_db
def test_text_of_removed_evidence_is_not_found(world: World) -> None:
    evidence = world.things["evidence"]
    read_and_index()

    remove_evidence(evidence=evidence, author=world.eddie, now=timezone.now())

    assert evidence.title not in titles(world.ben, "block handed over")


@pytest.mark.django_db
def test_text_of_a_removed_document_is_not_found_and_then_deleted(world: World) -> None:
    document = add_file(world, "lagoon.pdf", make_pdf("The lagoon is drained in spring."))
    read_and_index()

    remove_document(document=document, author=world.amina, now=timezone.now())
    titles_before_indexing = titles(world.ben, "lagoon draining")
    read_and_index()

    assert titles_before_indexing == set()
    assert not FileText.objects.filter(sha256=document.sha256).exists()


@pytest.mark.django_db
def test_broken_file_is_not_read_again_and_is_found_by_its_title(world: World) -> None:
    document = add_file(world, "broken.pdf", PDF)

    read_and_index()

    assert FileText.objects.get(sha256=document.sha256).problem == "broken or protected"
    assert read_files() == 0
    assert titles(world.ben, "broken.pdf") == {"Paper broken.pdf"}


@pytest.mark.django_db
def test_missing_file_is_read_again_after_a_day(world: World) -> None:
    document = add_file(world, "otters.txt", b"Otters swim.")
    storage, name = document.file.storage, str(document.file.name)
    storage.delete(name)
    read_and_index()
    storage.save(name, ContentFile(b"Otters swim."))

    count_read_at_once = read_files()
    with time_machine.travel(timezone.now() + dt.timedelta(hours=25)):
        read_and_index()

    assert count_read_at_once == 0
    assert titles(world.ben, "otters swim") == {"Paper otters.txt"}


def test_file_that_takes_too_long_to_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "TIMEOUT", 0.001)

    with pytest.raises(UnreadableFile, match="took too long"):
        extracted_text(PDF)


def test_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "MAX_BYTES", 10)

    with pytest.raises(UnreadableFile, match="too large"):
        extracted_text(PDF)
