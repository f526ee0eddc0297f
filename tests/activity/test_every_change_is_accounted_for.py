"""Every change is recorded with its author, source and reason, and every export with the person who made it.

This includes changes by jobs and commands, and by SQL that somebody runs by hand.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from celery import shared_task
from django.apps import apps
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
from partnerships.agreements.services import edit_settings
from partnerships.kit.accounting import AccountedCommand, acting
from partnerships.kit.row_history import RowChange, row_history
from partnerships.organisations.models import Organisation
from partnerships.people.models import SecurityEvent, User
from partnerships.people.services import change_details, close_account
from partnerships.people.view_as import begin_view_as, end_view_as
from tests.exchange.conftest import shared_entry
from tests.support.signing_in import signed_in
from tests.world import World


def newest_change(record: Any) -> RowChange:
    """Return the newest change in the history of a record."""
    return row_history(record)[0]


def execute_as_owner(statement: str) -> None:
    """Run an SQL statement as the owner of the tables."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_form_is_recorded_with_its_author(world: World) -> None:
    signed_in(world.eddie).post(reverse("people:details"), {"name": "Eddie L.", "time_zone": "Europe/Paris"})

    change = newest_change(world.eddie)
    assert change.author == "Eddie L."
    assert change.source == "people:details"
    assert change.reason == "Changed their details"


def test_reason_of_an_administrator_is_shown(world: World) -> None:
    signed_in(world.dee).post(
        reverse("people:leaver", kwargs={"pk": world.eddie.pk}),
        {"reason": "He asked us to.", "successor": world.amina.pk},
    )

    change = newest_change(world.eddie)
    assert change.reason.endswith("He asked us to.")


def test_reason_of_a_lead_is_stored_but_not_shown(world: World) -> None:
    status_url = reverse("agreements:status", kwargs={"pk": world.partnership.pk})

    signed_in(world.amina).post(status_url, {"status": "drafting", "reason": "A candid word."})

    change = newest_change(world.partnership)
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


def test_command_is_recorded_without_the_address_of_a_person(world: World) -> None:
    call_command("erase_person", world.eddie.email, yes=True, reason="An email of 3 May.")

    change = newest_change(world.eddie)
    assert change.source == "erase_person"
    assert "An email of 3 May." in change.reason
    assert not [row for row in Context.objects.all() if "eddie@" in str(row.metadata)]


def test_every_command_of_ours_records_its_context() -> None:
    commands_without_context = [
        name
        for name, app in get_commands().items()
        if str(app).startswith("partnerships.")
        and name != "show_urls"  # it only reads addresses of pages
        and not isinstance(load_command_class(str(app), name), AccountedCommand)
    ]

    assert commands_without_context == []


def test_sql_by_hand_is_recorded_with_its_database_role(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pghistory.context_id', '', true), session_user")
        role = cursor.fetchone()[1]
        cursor.execute(
            "UPDATE organisations_organisation SET website = 'https://by.hand/' WHERE id = %s", [world.larkhaven.pk]
        )

    change = newest_change(world.larkhaven)
    assert change.author == f"the database role {role}"
    [website] = change.fields
    assert website.old == ""
    assert website.new == "https://by.hand/"


def test_every_row_of_history_has_a_context(world: World) -> None:
    # Rows that migrations created have no context. They are older than the first person.
    first_person_at = User.pgh_event_model.objects.aggregate(first=Min("pgh_created_at"))["first"]  # type: ignore[attr-defined]  # made by pghistory
    models_without_context = [
        model._meta.label
        for model in apps.get_models()
        if model._meta.db_table in history_tables()
        and hasattr(model, "pgh_tracked_model")
        and model._default_manager.filter(pgh_context=None, pgh_created_at__gte=first_person_at).exists()
    ]

    assert models_without_context == []
    assert not Event.objects.filter(context_id=None).exists()


def test_reason_applies_only_within_its_block(world: World) -> None:
    with acting(command="tidying"):
        with acting(reason="Two names for one body."):
            Organisation.objects.filter(pk=world.larkhaven.pk).update(website="https://one.example/")
        Organisation.objects.filter(pk=world.larkhaven.pk).update(website="https://two.example/")

    change_outside, change_in_block = row_history(world.larkhaven)[:2]
    assert change_in_block.source == "tidying"
    assert change_in_block.reason == "Two names for one body."
    assert change_outside.source == "tidying"
    assert change_outside.reason == ""


def test_form_that_signs_somebody_in_is_recorded_as_theirs(world: World) -> None:
    with acting(url="account_login", user=None):
        User.objects.filter(pk=world.eddie.pk).update(time_zone="Europe/Paris")
        with acting(user=world.eddie.pk):
            User.objects.filter(pk=world.eddie.pk).update(time_zone="Europe/Rome")

    newest_change_first = row_history(world.eddie)[:2]
    assert [change.author for change in newest_change_first] == ["Eddie Larch", "the system"]
    assert Context.objects.filter(metadata__url="account_login").count() == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pghistory_context SET metadata = '{}'",
        "DELETE FROM pghistory_context",
        "UPDATE people_userevent SET is_staff = true",
        "DELETE FROM people_userevent",
    ],
)
def test_history_cannot_be_changed_even_by_the_owner_of_its_tables(world: World, statement: str) -> None:
    change_details(person=world.eddie, author=world.eddie, name="", time_zone="Europe/Paris", now=timezone.now())

    with pytest.raises(InternalError, match="History stands"):
        execute_as_owner(statement)


def test_every_history_table_has_a_trigger_against_changes(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'history_stands'")
        tables_with_trigger = {row[0] for row in cursor.fetchall()}

    assert tables_with_trigger == set(history_tables())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE people_viewas SET reason = 'Other words.'",
        "UPDATE people_viewas SET expires_at = expires_at + interval '1 day'",
        "DELETE FROM people_viewas",
    ],
)
def test_record_of_a_view_as_another_person_cannot_be_changed(world: World, statement: str) -> None:
    begin_view_as(administrator=world.dee, person=world.vera, reason="She asked.", now=timezone.now())

    with pytest.raises(InternalError, match="Cannot"):
        execute_as_owner(statement)


def test_ended_view_as_another_person_cannot_be_continued(world: World) -> None:
    now = timezone.now()
    view = begin_view_as(administrator=world.dee, person=world.vera, reason="She asked.", now=now)
    end_view_as(view=view, now=now)

    with pytest.raises(InternalError, match="Cannot update rows"):
        execute_as_owner("UPDATE people_viewas SET ended_at = NULL")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE people_securityevent SET kind = 'signed_in'",
        "UPDATE people_securityevent SET ip = NULL, user_agent = ''",
    ],
)
@pytest.mark.parametrize("age", [dt.timedelta(0), dt.timedelta(days=365)], ids=["new", "a year old"])
def test_security_log_cannot_be_changed(world: World, age: dt.timedelta, statement: str) -> None:
    SecurityEvent.objects.create(person=world.eddie, kind="refused", at=timezone.now() - age)

    with pytest.raises(InternalError, match="The security log is never altered"):
        execute_as_owner(statement)


def test_entry_of_the_security_log_is_kept_for_a_year(world: World) -> None:
    SecurityEvent.objects.create(person=world.eddie, kind="refused", at=timezone.now() - dt.timedelta(days=364))
    # An older trigger took the time from this setting, which every connection can change.
    execute_as_owner("SELECT set_config('common_ground.now', '2100-01-01', true)")

    with pytest.raises(InternalError, match="The security log is kept for twelve months"):
        execute_as_owner("DELETE FROM people_securityevent WHERE kind = 'refused'")


def test_entry_of_the_security_log_can_be_removed_after_a_year(world: World) -> None:
    SecurityEvent.objects.create(person=world.eddie, kind="refused", at=timezone.now() - dt.timedelta(days=365))

    execute_as_owner("DELETE FROM people_securityevent WHERE kind = 'refused'")

    assert not SecurityEvent.objects.filter(kind="refused").exists()


def test_viewing_as_another_person_is_recorded_with_the_administrator(world: World) -> None:
    dee = signed_in(world.dee)
    dee.post(reverse("people:view-as", kwargs={"pk": world.amina.pk}), {"reason": "She asked."})

    dee.get(reverse("exchange:export"))

    export = Export.objects.get()
    assert export.actor_id == world.dee.pk
    assert export.seen_as_id == world.amina.pk
    assert export.what == "exchange:export"


def test_export_of_a_list_is_recorded_with_its_number_of_rows(world: World) -> None:
    shared_entry(world.larkhaven, world.amina, timezone.now())

    response = signed_in(world.amina).get(reverse("exchange:export"))

    _headings, _row = b"".join(response.streaming_content).decode().splitlines()
    export = Export.objects.get()
    assert export.what == "exchange:export"
    assert export.actor_id == world.amina.pk
    assert export.rows == 1


def test_export_of_own_data_is_recorded(world: World) -> None:
    signed_in(world.amina).get(reverse("people:own-data"))

    export = Export.objects.get()
    assert export.what == "people:own-data"
    assert export.actor_id == world.amina.pk
    assert export.rows


def test_export_of_a_brief_is_recorded_with_its_organisation(world: World) -> None:
    signed_in(world.amina).get(reverse("web:brief-pdf", kwargs={"pk": world.westmarch.pk}))

    export = Export.objects.get()
    assert export.what == "web:brief-pdf"
    assert export.record_id == world.westmarch.pk
    assert export.rows is None


@pytest.mark.parametrize("statement", ["UPDATE activity_export SET rows = 0", "DELETE FROM activity_export"])
def test_record_of_an_export_cannot_be_changed(world: World, statement: str) -> None:
    signed_in(world.amina).get(reverse("people:own-data"))

    with pytest.raises(InternalError, match="Cannot update or delete rows"):
        execute_as_owner(statement)


def test_export_by_a_command_is_recorded(world: World, tmp_path: Path) -> None:
    call_command("export_person", world.eddie.email, to=tmp_path / "eddie.json")

    export = Export.objects.get()
    assert export.what == "export_person"
    assert export.record_id == world.eddie.pk
    assert export.actor_id is None
    assert export.rows


def test_export_of_a_missing_record_is_not_recorded(world: World) -> None:
    signed_in(world.chidi).get(reverse("web:brief-pdf", kwargs={"pk": 10**9}))

    assert not Export.objects.exists()


def test_refused_export_is_not_recorded(world: World) -> None:
    stranger = Client()

    stranger.get(reverse("exchange:export"))

    assert not Export.objects.exists()


def test_closing_an_account_is_recorded_as_a_change_of_a_field(world: World) -> None:
    close_account(person=world.eddie, author=world.dee, reason="Left.", now=timezone.now())

    [active] = [field for field in newest_change(world.eddie).fields if field.name == "active"]
    assert active.old == "True"
    assert active.new == "False"


def test_bulk_update_is_recorded_row_by_row(world: World) -> None:
    Organisation.objects.filter(pk__in=[world.larkhaven.pk, world.westmarch.pk]).update(website="https://one.example/")

    [change_of_larkhaven] = newest_change(world.larkhaven).fields
    [change_of_westmarch] = newest_change(world.westmarch).fields
    assert change_of_larkhaven.new == "https://one.example/"
    assert change_of_westmarch.new == "https://one.example/"


def test_change_has_the_new_values_of_its_fields(world: World) -> None:
    edit_settings(
        partnership=world.partnership, author=world.amina, now=timezone.now(), contact_days=30, reason="Closer contact."
    )

    new_values = [field.new for field in newest_change(world.partnership).fields]
    assert "30" in new_values
