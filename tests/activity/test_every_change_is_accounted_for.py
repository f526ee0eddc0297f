"""Each change has its author, place and reason, and exports are recorded.

Jobs, commands and SQL by hand too.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from celery import shared_task
from django.apps import apps
from django.conf import LazySettings
from django.core.management import call_command, get_commands, load_command_class
from django.db import InternalError, connection, transaction
from django.db.models import Min
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pghistory.models import Context

import housing.celery  # noqa: F401 - the application that jobs belong to
from housing.history import history_tables
from partnerships.activity.models import Event, Export
from partnerships.agreements.models import Partnership
from partnerships.agreements.services import edit_settings
from partnerships.kit.accounting import AccountedCommand, acting
from partnerships.kit.row_history import RowChange, row_history
from partnerships.organisations.models import Organisation
from partnerships.people.models import SecurityEvent, User
from partnerships.people.services import change_details, close_account
from partnerships.people.view_as import begin_view_as, end_view_as
from tests.support.signing_in import signed_in
from tests.world import World


def newest_change(record: Any) -> RowChange:
    return row_history(record)[0]


def is_refused(statement: str, *values: object) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except InternalError:
        return True
    return False


def test_form_records_author_page_and_action(world: World) -> None:
    signed_in(world.eddie).post(reverse("people:details"), {"name": "Eddie L.", "time_zone": "Europe/Paris"})

    change = newest_change(world.eddie)
    assert change.author == "Eddie L."
    assert change.source == "people:details"
    assert change.reason == "Changed their details"


def test_only_reasons_of_administrators_are_shown(world: World) -> None:
    signed_in(world.dee).post(
        reverse("people:leaver", kwargs={"pk": world.eddie.pk}),
        {"reason": "He asked us to.", "successor": world.amina.pk},
    )
    assert newest_change(world.eddie).reason.endswith("He asked us to.")
    address = reverse("agreements:status", kwargs={"pk": world.partnership.pk})

    signed_in(world.amina).post(address, {"status": "drafting", "reason": "A candid word."})

    world.partnership.refresh_from_db()
    change = newest_change(world.partnership)
    assert world.partnership.status == "drafting"
    assert change.author == "Amina Larch"
    assert "A candid word." not in change.reason
    assert Context.objects.filter(metadata__reason="A candid word.").exists()


def test_job_records_its_name(world: World) -> None:
    @shared_task(name="tests.rename")
    def rename() -> None:
        Organisation.objects.filter(pk=world.larkhaven.pk).update(website="https://larkhaven.example/")

    rename()

    change = newest_change(world.larkhaven)
    assert change.author == "the system"
    assert change.source == "tests.rename"


def test_command_records_its_name_and_reason_but_no_address(world: World) -> None:
    call_command("erase_person", world.eddie.email, yes=True, reason="An email of 3 May.")

    change = newest_change(world.eddie)
    assert change.source == "erase_person"
    assert "An email of 3 May." in change.reason
    assert not [row for row in Context.objects.all() if "eddie@" in str(row.metadata)]


def test_every_command_of_ours_records_its_context() -> None:
    careless = [
        name
        for name, app in get_commands().items()
        if str(app).startswith("partnerships.")
        and name != "show_urls"  # it only reads addresses of pages
        and not isinstance(load_command_class(str(app), name), AccountedCommand)
    ]

    assert careless == []


def test_sql_by_hand_is_recorded_with_its_database_role(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pghistory.context_id', '', true), session_user")
        role = cursor.fetchone()[1]
        cursor.execute(
            "UPDATE organisations_organisation SET website = 'https://by.hand/' WHERE id = %s", [world.larkhaven.pk]
        )

    change = newest_change(world.larkhaven)
    assert change.author == f"the database role {role}"
    assert [(field.old, field.new) for field in change.fields] == [("", "https://by.hand/")]


def test_every_row_of_history_has_a_context(world: World) -> None:
    # Lists of words that migrations make have no context: nobody had changed anything yet.
    begun = User.pgh_event_model.objects.aggregate(first=Min("pgh_created_at"))["first"]  # type: ignore[attr-defined]  # made by pghistory
    without = [
        model._meta.label
        for model in apps.get_models()
        if model._meta.db_table in history_tables()
        and hasattr(model, "pgh_tracked_model")
        and model._default_manager.filter(pgh_context=None, pgh_created_at__gte=begun).exists()
    ]

    assert without == []
    assert not Event.objects.filter(context_id=None).exists()


def test_reason_applies_only_within_its_block(world: World) -> None:
    with acting(command="tidying"):
        with acting(reason="Two names for one body."):
            Organisation.objects.filter(pk=world.larkhaven.pk).update(website="https://one.example/")
        Organisation.objects.filter(pk=world.larkhaven.pk).update(website="https://two.example/")

    second, first = row_history(world.larkhaven)[:2]
    assert first.source == "tidying"
    assert first.reason == "Two names for one body."
    assert second.source == "tidying"
    assert second.reason == ""


def test_form_that_signs_somebody_in_is_recorded_as_theirs(world: World) -> None:
    with acting(url="account_login", user=None):
        User.objects.filter(pk=world.eddie.pk).update(time_zone="Europe/Paris")
        with acting(user=world.eddie.pk):
            User.objects.filter(pk=world.eddie.pk).update(time_zone="Europe/Rome")

    assert [change.author for change in row_history(world.eddie)[:2]] == ["Eddie Larch", "the system"]
    assert Context.objects.filter(metadata__url="account_login").count() == 2


def test_contexts_and_history_cannot_be_changed_even_by_their_owner(world: World) -> None:
    change_details(person=world.eddie, author=world.eddie, name="", time_zone="Europe/Paris", now=timezone.now())

    assert is_refused("UPDATE pghistory_context SET metadata = '{}'")
    assert is_refused("DELETE FROM pghistory_context")
    assert is_refused("UPDATE people_userevent SET is_staff = true")
    assert is_refused("DELETE FROM people_userevent")
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'history_stands'")
        assert {row[0] for row in cursor.fetchall()} == set(history_tables())


def test_view_as_another_person_can_only_be_ended_and_once(world: World) -> None:
    now = timezone.now()
    view = begin_view_as(administrator=world.dee, person=world.vera, reason="She asked.", now=now)

    assert is_refused("UPDATE people_viewas SET reason = 'Other words.'")
    assert is_refused("UPDATE people_viewas SET expires_at = expires_at + interval '1 day'")
    assert is_refused("DELETE FROM people_viewas")
    end_view_as(view=view, now=now)
    assert is_refused("UPDATE people_viewas SET ended_at = NULL")


def test_security_log_cannot_be_changed_and_is_removed_only_when_old(world: World) -> None:
    now = timezone.now()
    SecurityEvent.objects.create(person=world.eddie, kind="signed_in", at=now)
    SecurityEvent.objects.create(person=world.eddie, kind="refused", at=now - dt.timedelta(days=365))

    assert is_refused("UPDATE people_securityevent SET kind = 'signed_in'")
    assert is_refused("UPDATE people_securityevent SET ip = NULL, user_agent = ''")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('common_ground.now', '2100-01-01', true)")
    assert is_refused("DELETE FROM people_securityevent WHERE kind = %s", "signed_in")
    assert not is_refused("DELETE FROM people_securityevent WHERE kind = %s", "refused")


def test_viewing_as_another_person_is_recorded_with_the_administrator(world: World) -> None:
    dee = signed_in(world.dee)
    dee.post(reverse("people:view-as", kwargs={"pk": world.amina.pk}), {"reason": "She asked."})

    assert dee.get(reverse("exchange:export")).status_code == 200

    export = Export.objects.get()
    assert export.actor_id == world.dee.pk
    assert export.seen_as_id == world.amina.pk
    assert export.what == "exchange:export"


def test_export_is_recorded_with_who_what_and_how_many(world: World, settings: LazySettings) -> None:
    amina = signed_in(world.amina)
    settings.EXPORTS_PER_MINUTE = 100

    lines = b"".join(amina.get(reverse("exchange:export")).streaming_content).decode().splitlines()
    amina.get(reverse("people:own-data"))
    amina.get(reverse("web:brief-pdf", kwargs={"pk": world.westmarch.pk}))

    listed, own, brief = Export.objects.order_by("pk")
    assert listed.what == "exchange:export"
    assert listed.rows == len(lines) - 1
    assert listed.actor_id == world.amina.pk
    assert own.what == "people:own-data"
    assert own.rows
    assert brief.what == "web:brief-pdf"
    assert brief.record_id == world.westmarch.pk
    assert brief.rows is None
    assert is_refused("UPDATE activity_export SET rows = 0")
    assert is_refused("DELETE FROM activity_export")


def test_export_by_a_command_is_recorded(world: World, tmp_path: Path) -> None:
    call_command("export_person", world.eddie.email, to=tmp_path / "eddie.json")

    export = Export.objects.get()
    assert export.what == "export_person"
    assert export.record_id == world.eddie.pk
    assert export.actor_id is None
    assert export.rows


def test_refused_export_is_not_recorded(world: World) -> None:
    signed_in(world.chidi).get(reverse("web:brief-pdf", kwargs={"pk": 10**9}))
    Client().get(reverse("exchange:export"))

    assert not Export.objects.exists()


def test_closing_an_account_records_the_state_before_and_after(world: World) -> None:
    close_account(person=world.eddie, author=world.dee, reason="Left.", now=timezone.now())

    fields = {field.name: (field.old, field.new) for field in newest_change(world.eddie).fields}
    assert fields["active"] == ("True", "False")


def test_bulk_update_is_recorded_row_by_row(world: World) -> None:
    before = {row.pk: len(row_history(row)) for row in Partnership.objects.all()}

    Partnership.objects.update(meeting_frequency="Monthly")

    assert {row.pk: len(row_history(row)) for row in Partnership.objects.all()} == {
        number: count + 1 for number, count in before.items()
    }
    edit_settings(
        partnership=world.partnership, author=world.amina, now=timezone.now(), contact_days=30, reason="Closer contact."
    )
    assert newest_change(world.partnership).fields[0].new
