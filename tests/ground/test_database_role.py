"""What the application's database role may not do, tried as that role on the tables of this suite's database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from housing.grants import append_only_tables, grant, owner_functions
from partnerships.kit.owner_functions import remove_old_rows
from partnerships.people.models import SecurityEvent, User
from partnerships.people.personal_data import erase_person
from partnerships.people.retention import apply_retention
from partnerships.people.security import blank_security_log

ROLE = "test_application_role"
pytestmark = pytest.mark.django_db


@pytest.fixture
def as_application() -> Iterator[None]:
    """Within this test's transaction, act as a role that has just the application's rights."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
        cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
        grant(role=ROLE)
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def test_it_reads_and_adds_rows(as_application: None) -> None:
    person = apps.get_model("people", "User").objects.create_user(email="amina@larkhaven.example", name="Amina")

    assert apps.get_model("people", "User").objects.filter(pk=person.pk).exists()


def test_history_has_tables_and_they_are_all_append_only() -> None:
    tables = append_only_tables()

    assert "activity_event" in tables
    assert len(tables) > 10


def test_it_can_neither_change_nor_delete_history(as_application: None) -> None:
    for table in append_only_tables():
        column = next(
            field.column
            for model in apps.get_models()
            if model._meta.db_table == table
            for field in model._meta.concrete_fields
        )
        assert refused(f'UPDATE "{table}" SET "{column}" = "{column}"'), table
        assert refused(f'DELETE FROM "{table}"'), table


@pytest.fixture
def logged() -> SecurityEvent:
    """A line of the security log, written today."""
    person = User.objects.create_user(email="amina@larkhaven.example", name="Amina")
    now = timezone.now()
    return SecurityEvent.objects.create(person=person, kind="refused", at=now, ip="203.0.113.9", user_agent="Firefox")


@pytest.mark.parametrize("variable", ["common_ground.now", "pgtrigger.ignore"])
def test_no_session_variable_lets_it_empty_the_security_log(
    logged: SecurityEvent, as_application: None, variable: str
) -> None:
    value = "2100-01-01" if variable == "common_ground.now" else "{people_securityevent:kept_its_time}"

    assert refused(f"SELECT set_config('{variable}', '{value}', true); DELETE FROM people_securityevent")
    assert refused("TRUNCATE people_securityevent")
    assert refused("UPDATE people_securityevent SET kind = 'signed_in'")
    assert SecurityEvent.objects.filter(pk=logged.pk).exists()


def test_retention_removes_old_lines_of_the_security_log_as_the_application(
    logged: SecurityEvent, as_application: None
) -> None:
    now = timezone.now()
    old = SecurityEvent.objects.create(person=logged.person, kind="signed_in", at=now - dt.timedelta(days=366))

    outcome = apply_retention(now=now)

    assert outcome.failed == {}
    assert outcome.removed["security log"] == 1
    assert not SecurityEvent.objects.filter(pk=old.pk).exists()
    assert SecurityEvent.objects.filter(pk=logged.pk).exists()


def test_the_owners_function_removes_nothing_younger_than_twelve_months(
    logged: SecurityEvent, as_application: None
) -> None:
    young = SecurityEvent.objects.create(
        person=logged.person, kind="signed_in", at=timezone.now() - dt.timedelta(days=364)
    )

    removed = remove_old_rows("people_securityevent", before=timezone.now() + dt.timedelta(days=9_999), batch=1_000)

    assert removed == 0
    assert SecurityEvent.objects.filter(pk__in=[logged.pk, young.pk]).count() == 2


def test_erasing_a_person_as_the_application_keeps_what_happened_and_no_network_address(
    logged: SecurityEvent, as_application: None
) -> None:
    assert blank_security_log(logged.person) == 0, "Only of people who are erased."

    erase_person(person=logged.person, author=None, reason="They asked.", now=timezone.now())

    logged.refresh_from_db()
    assert (logged.kind, logged.ip, logged.user_agent) == ("refused", None, "")


def test_nobody_else_may_call_the_owners_functions() -> None:
    functions = owner_functions()

    assert "remove_old_people_securityevent(timestamp with time zone,integer)" in functions
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p CROSS JOIN aclexplode(p.proacl) a"
            " WHERE p.oid = ANY(%s::regprocedure[]) AND a.grantee = 0",
            [functions],
        )
        assert cursor.fetchall() == []


def test_it_can_truncate_and_drop_nothing(as_application: None) -> None:
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy:
            assert refused(f'TRUNCATE "{model._meta.db_table}" CASCADE'), model
    assert refused("DROP TABLE activity_event")
    assert refused("ALTER TABLE activity_event DISABLE TRIGGER ALL")


def test_it_cannot_change_what_has_been_migrated(as_application: None) -> None:
    assert refused("DELETE FROM django_migrations")


def test_it_makes_no_tables_and_no_functions(as_application: None) -> None:
    assert refused("CREATE TABLE public.mine (id int)")
    assert refused("CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")
