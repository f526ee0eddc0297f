"""Files of lists and rows set aside are deleted when their time is over."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.people.retention import apply_retention
from partnerships.transfer.models import ImportRun, RunStatus
from partnerships.transfer.services.files import File
from partnerships.transfer.services.registers import discard_preview, preview_register, queue_import
from partnerships.transfer.services.retention import DISCARDED_AFTER, ROWS_KEPT
from tests.world import World, make_world

from .lists import COUNCILS, PROVIDERS, import_list

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
#: A list with a bad row, and a person to ask about it.
WITH_CONTACT = PROVIDERS.replace("Corporate form", "Corporate form,Contact").replace(
    "01/04/2019,Non-profit,Company", "soon,Non-profit,Company,Ask Kay Canary"
)


def preview(world: World) -> ImportRun:
    """Upload a list with a bad row as Dee, and return its preview."""
    import_list("councils", COUNCILS)
    return preview_register(
        register="providers", file=File("list.csv", WITH_CONTACT.encode()), author=world.dee, now=timezone.now()
    )


def test_preview_is_not_discarded_before_its_time() -> None:
    run = preview(make_world())

    apply_retention(now=timezone.now() + DISCARDED_AFTER - DAY)

    run.refresh_from_db()
    assert run.status == RunStatus.PREVIEWED
    assert run.content
    assert "Kay Canary" in str(run.report)


def test_preview_that_nobody_imports_is_discarded_with_its_file_and_rows() -> None:
    run = preview(make_world())

    apply_retention(now=timezone.now() + DISCARDED_AFTER + DAY)

    run.refresh_from_db()
    assert run.status == RunStatus.DISCARDED
    assert run.content is None
    assert "Kay Canary" not in str(run.report)
    assert Event.objects.filter(kind="import.discarded", target_id=run.pk, actor_id=None).exists()


def test_preview_that_a_worker_imports_is_not_discarded() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())

    apply_retention(now=timezone.now() + DISCARDED_AFTER + DAY)

    run.refresh_from_db()
    assert run.status == RunStatus.PREVIEWED


def test_rows_set_aside_can_be_downloaded_for_half_a_year() -> None:
    import_list("councils", COUNCILS)
    run = import_list("providers", WITH_CONTACT)

    apply_retention(now=timezone.now() + ROWS_KEPT - DAY)

    run.refresh_from_db()
    assert "Kay Canary" in str(run.report)


def test_rows_set_aside_are_deleted_after_half_a_year() -> None:
    import_list("councils", COUNCILS)
    run = import_list("providers", WITH_CONTACT)

    apply_retention(now=timezone.now() + ROWS_KEPT + DAY)

    run.refresh_from_db()
    assert "Kay Canary" not in str(run.report)
    assert run.report["rows"]["set_aside"] == run.set_aside == 1


def test_discarded_preview_keeps_no_row() -> None:
    world = make_world()
    run = preview(world)

    discard_preview(run=run, author=world.dee, now=timezone.now())

    run.refresh_from_db()
    assert "Kay Canary" not in str(run.report)
