"""What the application's database role may not do, tried as that role on the tables of this suite's database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from housing.grants import append_only_tables, grant

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
