"""When disks are full or clocks change, records and files agree, and nothing happens twice."""

from __future__ import annotations

import datetime as dt
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import IntegrityError
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import Document
from partnerships.agreements.services import (
    UnableToAddDocument,
    add_document,
    record_due_steps,
)
from partnerships.commitments.models import Evidence
from partnerships.commitments.services import UnableToAttach as UnableToAttachEvidence
from partnerships.commitments.services import attach_evidence
from partnerships.people.retention import apply_retention
from partnerships.plans.models import Document as PlanDocument
from partnerships.plans.services import UnableToAttach, attach_document
from tests.commitments.promises import agree
from tests.plans.drafts import begin
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms
from tests.world import World, make_world


def memorandum() -> ContentFile[bytes]:
    return ContentFile(b"What we agreed.\n", name="memorandum.txt")


def files_in(folder: Any) -> list[Path]:
    return [path for path in Path(folder).rglob("*") if path.is_file()]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Once called, saving a file fails because the disk is full."""

    def save(*args: object, **kwargs: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    return lambda: monkeypatch.setattr(FileSystemStorage, "_save", save)


def test_a_full_disk_leaves_no_record_and_no_file(world: World, full_disk: Callable[[], None], settings: Any) -> None:
    now = timezone.now()
    commitment = agree(world)
    plan = begin(world)
    noted = Event.objects.count()
    full_disk()

    with pytest.raises(UnableToAddDocument):
        add_document(
            partnership=world.partnership,
            title="Memorandum",
            file=memorandum(),
            organisation=world.larkhaven,
            author=world.amina,
            now=now,
        )
    with pytest.raises(UnableToAttachEvidence):
        attach_evidence(commitment=commitment, file=memorandum(), author=world.eddie, now=now)
    with pytest.raises(UnableToAttach):
        attach_document(plan=plan, title="Layout", file=memorandum(), restricted=False, author=world.amina, now=now)

    assert not Document.objects.exists()
    assert not Evidence.objects.exists()
    assert not PlanDocument.objects.exists()
    assert Event.objects.count() == noted
    assert files_in(settings.MEDIA_ROOT) == []


def test_the_form_says_that_a_file_could_not_be_stored(world: World, full_disk: Callable[[], None]) -> None:
    client = signed_in(world.amina)
    full_disk()

    response = client.post(
        reverse("agreements:document-add", kwargs={"pk": world.partnership.pk}),
        {"title": "Memorandum", "file": memorandum()},
    )

    assert response.status_code == 422
    assert "could not store the file" in response.content.decode()


def test_a_record_that_cannot_be_saved_leaves_no_file(
    world: World, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise IntegrityError("no")

    monkeypatch.setattr(Document, "save", refuse)

    with pytest.raises(IntegrityError):
        add_document(
            partnership=world.partnership,
            title="Memorandum",
            file=memorandum(),
            organisation=world.larkhaven,
            author=world.amina,
            now=timezone.now(),
        )

    assert files_in(settings.MEDIA_ROOT) == []


#: The night when Britain's clocks go back; the hours go forwards and backwards.
NIGHT = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
HOURS = (0, 1, 0.5, 2, -3, 1.5, 24, 0, 25)


@pytest.mark.django_db
def test_clock_changes_start_a_review_once_and_delete_nothing_early() -> None:
    world = make_world(now=NIGHT - dt.timedelta(days=30))
    agree_terms(world.partnership, world.amina, now=world.now, review_on=NIGHT.date().isoformat())

    for hours in HOURS:
        now = NIGHT + dt.timedelta(hours=hours)
        record_due_steps(now=now)
        apply_retention(now=now)

    world.partnership.refresh_from_db()
    assert world.partnership.status == "under_review"
    reviews_begun = Event.objects.filter(target_kind="partnership", data__after__status="under_review")
    assert reviews_begun.count() == 1
    assert world.eddie.memberships.exists()
