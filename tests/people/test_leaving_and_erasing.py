"""Closing an account ends its rights, exports contain the personal data, and erasing removes it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Organisation, Role
from partnerships.people import personal
from partnerships.people.models import Invitation, SecurityEvent, User
from partnerships.people.personal import ErasureAction, Rule, fields_without_rule, rules_without_field
from partnerships.people.personal_data import UnableToErase, erase_person, export_person
from partnerships.people.services import UnableToCloseAccount, close_account, create_invitation
from tests.agreements.test_objectives import add as add_objective
from tests.agreements.test_objectives import report as report_objective
from tests.plans.drafts import published_plan
from tests.plans.test_comments import comment_as
from tests.support.outbox import deliver, recorded
from tests.world import PASSWORD, World, join


def sign_in(person: User) -> Client:
    """Return a browser in which the person has signed in with a password."""
    client = Client()
    response = client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    assert response.status_code == 302, response.content.decode()[:2000]
    return client


def close_eddies_account(world: World) -> None:
    """Close Eddie's account, as Dee. Amina takes over what he looks after."""
    close_account(
        person=world.eddie, author=world.dee, successor=world.amina, reason="Another post.", now=timezone.now()
    )


def test_closing_an_account_ends_its_sessions(world: World) -> None:
    client = sign_in(world.eddie)
    close_eddies_account(world)

    response = client.get(reverse("people:account"))

    assert response.status_code == 302


def test_closing_an_account_ends_its_memberships(world: World) -> None:
    close_eddies_account(world)

    assert not Organisation.objects.of_person(world.eddie).exists()


def test_closing_an_account_ends_its_invitations(world: World) -> None:
    create_invitation(person=world.eddie, invited_by=world.amina, now=timezone.now())

    close_eddies_account(world)

    assert not Invitation.objects.open_at(timezone.now()).filter(person=world.eddie).exists()


def test_a_person_with_a_closed_account_cannot_sign_in(world: World) -> None:
    close_account(person=world.eddie, author=world.dee, reason="Another post.", now=timezone.now())
    client = Client()

    client.post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})

    assert "_auth_user_id" not in client.session


def test_the_account_of_a_last_lead_can_be_closed(world: World) -> None:
    close_account(person=world.ben, author=world.dee, reason="Retired.", now=timezone.now())

    assert not Organisation.objects.of_person(world.ben).exists()


def test_the_last_administrators_account_cannot_be_closed(world: World) -> None:
    with pytest.raises(UnableToCloseAccount, match="The network needs an administrator"):
        close_account(person=world.dee, author=world.dee, reason="Enough.", now=timezone.now())


def test_every_personal_field_has_a_rule() -> None:
    assert fields_without_rule() == []


def test_every_rule_is_about_an_existing_field() -> None:
    assert rules_without_field() == []


@pytest.mark.parametrize(
    ("model", "field"),
    [
        pytest.param("plans.Plan", "invented_by", id="a model without this field"),
        pytest.param("plans.Invention", "created_by", id="no such model"),
        pytest.param("inventions.Plan", "created_by", id="no such room"),
    ],
)
def test_a_rule_for_a_missing_field_is_found(monkeypatch: pytest.MonkeyPatch, model: str, field: str) -> None:
    rule = Rule(model, field, ErasureAction.KEEP, "who invented the plan")
    monkeypatch.setattr(personal, "_rules", {(model, field): rule})

    orphaned_rules = rules_without_field()

    assert orphaned_rules == [f"{model}.{field}"]


def test_an_export_contains_own_data(world: World) -> None:
    exported = json.dumps(export_person(person=world.eddie, author=world.dee, now=timezone.now()))

    assert "eddie@larkhaven.example" in exported
    assert "organisations.Membership as person" in exported


@pytest.mark.parametrize("name", ["amina", "ben", "vera"])
def test_an_export_contains_nothing_about_others(world: World, name: str) -> None:
    other = getattr(world, name)

    exported = json.dumps(export_person(person=world.eddie, author=world.dee, now=timezone.now()))

    assert other.email not in exported
    assert other.name not in exported


def queries_of_export(world: World) -> int:
    """Return the number of queries of an export of Eddie's data."""
    with CaptureQueriesContext(connection) as captured:
        export_person(person=world.eddie, author=world.dee, now=timezone.now())
    return len(captured)


def test_an_export_of_many_rows_takes_as_many_queries_as_of_few(world: World) -> None:
    queries_of_export(world)  # it adds an event to Eddie's security log, which the next export contains
    queries_of_few_rows = queries_of_export(world)
    join(world.eddie, world.westmarch, Role.VIEWER, world.now)
    join(world.eddie, world.harbour, Role.VIEWER, world.now)
    join(world.eddie, world.riverside, Role.VIEWER, world.now)

    queries_of_many_rows = queries_of_export(world)

    assert queries_of_many_rows == queries_of_few_rows


def test_an_export_contains_figures_with_all_their_decimal_places(world: World) -> None:
    report_objective(world, add_objective(world), figure=Decimal("2.50"))

    exported = export_person(person=world.ben, author=world.dee, now=timezone.now())

    [progress] = exported["held"]["agreements.ObjectiveProgress as by"]
    assert progress["figure"] == "2.50"


def test_an_export_contains_times_to_the_microsecond(world: World) -> None:
    invited_at = dt.datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=dt.UTC)
    create_invitation(person=world.eddie, invited_by=world.amina, now=invited_at)

    exported = export_person(person=world.eddie, author=world.dee, now=timezone.now())

    [invitation] = exported["held"]["people.Invitation as person"]
    assert invitation["created_at"] == "2026-03-02T09:30:15.123456+00:00"


def read_all_rows() -> str:
    """Return every row of every table as text, as in a database dump."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        rows = []
        for table in tables:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM \"{table}\" t")
            rows.append(cursor.fetchone()[0])
    return "\n".join(rows)


def test_no_row_names_an_erased_person(world: World) -> None:
    sign_in(world.eddie)
    rows_before = read_all_rows()

    erase_person(person=world.eddie, author=world.dee, reason="Asked.", now=timezone.now())

    kept_rows = read_all_rows()
    assert "eddie@larkhaven" in rows_before
    assert "eddie@larkhaven" not in kept_rows
    assert "Eddie Larch" not in kept_rows
    world.eddie.refresh_from_db()
    assert str(world.eddie) == "a former member"
    assert world.eddie.memberships.exists()


def test_subjects_of_emails_to_others_do_not_contain_an_erased_persons_name(world: World) -> None:
    User.objects.filter(pk=world.eddie.pk).update(name="Eddie Larch (Homes)")
    world.eddie.refresh_from_db()
    plan = published_plan(world)
    comment_as(plan, world.eddie, "@Ben West: the figure?")
    comment_as(plan, world.amina, "@Ben West: which road?")
    deliver()
    subjects_before = " ".join(email.subject for email in recorded("plans.mention"))

    erase_person(person=world.eddie, author=world.dee, reason="Asked.", now=timezone.now())

    subjects_after = " ".join(email.subject for email in recorded("plans.mention"))
    assert "Eddie Larch" in subjects_before
    assert "Eddie Larch" not in subjects_after
    assert "Amina Larch" in subjects_after


def test_erasing_a_person_changes_nothing_about_others(world: World) -> None:
    world.vera.memberships.update(created_by=world.amina, job_title="Clerk")

    erase_person(person=world.amina, author=world.dee, reason="Asked.", now=timezone.now())

    assert world.vera.memberships.get().job_title == "Clerk"
    assert User.objects.filter(email="vera@larkhaven.example", is_active=True).exists()


def test_a_person_cannot_be_erased_twice(world: World) -> None:
    erase_person(person=world.eddie, author=None, reason="Asked.", now=timezone.now())

    with pytest.raises(UnableToErase, match="has already been erased"):
        erase_person(person=world.eddie, author=None, reason="Asked.", now=timezone.now())


def test_the_export_command_finds_a_person_by_address_in_any_case(world: World, tmp_path: Path) -> None:
    target = tmp_path / "eddie.json"

    call_command("export_person", "EDDIE@larkhaven.example", to=target)

    assert json.loads(target.read_text())["person"]["name"] == "Eddie Larch"


def test_the_export_command_refuses_an_unknown_address(world: World) -> None:
    with pytest.raises(CommandError, match="Nobody"):
        call_command("export_person", "nobody@larkhaven.example")


def test_the_erase_command_prints_whom_it_erased(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("erase_person", world.eddie.email, yes=True)

    assert capsys.readouterr().out.splitlines()[-1].startswith("Erased eddie@larkhaven.example")
    world.eddie.refresh_from_db()
    assert world.eddie.erased_at is not None


def test_an_export_is_noted_in_the_persons_security_log(world: World) -> None:
    export_person(person=world.eddie, author=world.dee, now=timezone.now())

    assert SecurityEvent.objects.get(person=world.eddie).kind == "data_exported"
