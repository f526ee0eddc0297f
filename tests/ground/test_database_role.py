"""The application's database role can do what it needs and nothing else, tested as that role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pgtrigger
import pytest
from django.apps import apps
from django.core import mail
from django.db import InternalError, ProgrammingError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from housing.grants import UnableToGrant, append_only_tables, grant, owner_functions
from partnerships.digests.models import DeliveryItem
from partnerships.kit.owner_functions import remove_old_rows
from partnerships.outbox.content import Content
from partnerships.outbox.draining import drain
from partnerships.outbox.groups import NoticeGroup
from partnerships.outbox.kinds import DueEmail
from partnerships.outbox.models import Bounce, Email
from partnerships.outbox.retention import count_months_ready, drop_partitions, make_partitions
from partnerships.outbox.services import record_email
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.models import SecurityEvent, User
from partnerships.people.personal_data import erase_person
from partnerships.people.restoring import advance_sequences
from partnerships.people.retention import apply_retention
from partnerships.people.security import clear_security_log
from tests.support.roles import callable_by_everybody

ROLE = "test_application_role"
KIND = "tests.ledger"
pytestmark = pytest.mark.django_db


def write(due: DueEmail, person: User, now: dt.datetime) -> Content:
    """Write a short email with an existing template."""
    return Content("people/new_sign_in", {"person": person, "event": None, "link": "http://localhost/"})


register_emails(PersonEmail(KIND, "An email of the ledger's tests", write, group=NoticeGroup.PLANS))


@pytest.fixture
def as_application() -> Iterator[None]:
    """Act as a role with exactly the application's rights, within the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
        cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
        grant(role=ROLE)
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def refused(statement: str) -> bool:
    """Return whether PostgreSQL refuses the statement to the present role."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def triggers_of(model: type[Model]) -> str:
    """Return the names of a model's triggers, as a value of the variable that turns triggers off."""
    names = [
        trigger.get_pgid(model) for registered_model, trigger in pgtrigger.registered() if registered_model is model
    ]
    assert names
    return f"{{{','.join(names)}}}"


def test_an_owner_that_is_also_the_applications_role_keeps_its_rights() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
        cursor.execute(f"GRANT {ROLE} TO CURRENT_USER; GRANT CREATE, USAGE ON SCHEMA public TO {ROLE}")
        for table in append_only_tables():
            cursor.execute(f"ALTER TABLE {table} OWNER TO {ROLE}")
        cursor.execute(f"REVOKE UPDATE, DELETE ON activity_event FROM {ROLE}")  # as an earlier migrate did

    grant(role=ROLE)

    with connection.cursor() as cursor:
        for table in ("activity_event", "plans_version", "django_migrations"):
            for right in ("UPDATE", "DELETE", "REFERENCES"):
                cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [ROLE, table, right])
                assert cursor.fetchone() == (True,), (table, right)


def test_the_role_reads_and_adds_rows(as_application: None) -> None:
    person = apps.get_model("people", "User").objects.create_user(email="amina@larkhaven.example", name="Amina")

    assert apps.get_model("people", "User").objects.filter(pk=person.pk).exists()


def test_there_are_append_only_tables_for_history() -> None:
    tables = append_only_tables()

    assert "activity_event" in tables
    assert len(tables) > 10


def test_the_role_cannot_change_or_delete_history(as_application: None) -> None:
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
    """Return a security event of today."""
    person = User.objects.create_user(email="amina@larkhaven.example", name="Amina")
    now = timezone.now()
    return SecurityEvent.objects.create(person=person, kind="refused", at=now, ip="203.0.113.9", user_agent="Firefox")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("common_ground.now", "2100-01-01"), ("pgtrigger.ignore", triggers_of(SecurityEvent))],
    ids=["common_ground.now", "pgtrigger.ignore"],
)
def test_no_session_variable_allows_deleting_the_security_log(
    logged: SecurityEvent, as_application: None, variable: str, value: str
) -> None:
    assert refused(f"SELECT set_config('{variable}', '{value}', true); DELETE FROM people_securityevent")
    assert refused("TRUNCATE people_securityevent")
    assert refused("UPDATE people_securityevent SET kind = 'signed_in'")
    assert SecurityEvent.objects.filter(pk=logged.pk).exists()


def create_person_without_triggers() -> int:
    """Create a person after an attempt to turn off row history, and return the number of rows in their history."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [triggers_of(User)])
    person = User.objects.create_user(email="ben@beckford.example", name="Ben")
    return apps.get_model("people", "UserEvent").objects.filter(pgh_obj_id=person.pk).count()


def test_the_application_cannot_turn_off_the_triggers_of_row_history(as_application: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {ROLE}")

    history_count = create_person_without_triggers()

    assert history_count == 1


def test_the_owner_can_turn_off_the_triggers_of_row_history(as_application: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")

    history_count = create_person_without_triggers()

    assert history_count == 0


@pytest.mark.parametrize("table", ["people_viewas", "conversations_reportsubmission", "reports_frozenreport"])
def test_the_role_deletes_nothing_that_is_kept_for_ever(as_application: None, table: str) -> None:
    column = {"people_viewas": "reason", "reports_frozenreport": "content"}.get(table, "answers")

    assert refused(f"DELETE FROM {table}")
    assert refused(f"UPDATE {table} SET {column} = {column}")


def test_retention_deletes_old_security_events_as_the_application(logged: SecurityEvent, as_application: None) -> None:
    now = timezone.now()
    old = SecurityEvent.objects.create(person=logged.person, kind="signed_in", at=now - dt.timedelta(days=366))

    outcome = apply_retention(now=now)

    assert outcome.failed == {}
    assert outcome.removed["security log"] == 1
    assert not SecurityEvent.objects.filter(pk=old.pk).exists()
    assert SecurityEvent.objects.filter(pk=logged.pk).exists()


def test_the_owners_function_keeps_the_last_twelve_months(logged: SecurityEvent, as_application: None) -> None:
    young = SecurityEvent.objects.create(
        person=logged.person, kind="signed_in", at=timezone.now() - dt.timedelta(days=364)
    )

    removed = remove_old_rows("people_securityevent", before=timezone.now() + dt.timedelta(days=9_999), batch=1_000)

    assert removed == 0
    assert SecurityEvent.objects.filter(pk__in=[logged.pk, young.pk]).count() == 2


def test_erasing_a_person_keeps_security_events_without_ip_addresses(
    logged: SecurityEvent, as_application: None
) -> None:
    assert clear_security_log(logged.person) == 0, "Only for erased people."

    erase_person(person=logged.person, author=None, reason="They asked.", now=timezone.now())

    logged.refresh_from_db()
    assert logged.kind == "refused"
    assert logged.ip is None
    assert logged.user_agent == ""


def test_the_role_moves_numbers_on_after_a_restore_and_cannot_set_them_back(as_application: None) -> None:
    assert advance_sequences() > 0

    assert refused("SELECT setval('outbox_number_seq', 1)")


def test_no_other_role_may_call_the_owners_functions() -> None:
    assert "remove_old_people_securityevent(timestamp with time zone,integer)" in owner_functions()
    with connection.cursor() as cursor:
        assert callable_by_everybody(cursor, owner_functions()) == []


def test_a_grant_takes_the_owners_functions_from_every_other_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
        for function in owner_functions():  # as a restore leaves them
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC")
        assert callable_by_everybody(cursor, owner_functions()) == owner_functions()

    grant(role=ROLE)

    with connection.cursor() as cursor:
        assert callable_by_everybody(cursor, owner_functions()) == []


def test_a_role_that_owns_some_tables_of_history_gets_no_rights() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
        cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
        cursor.execute(f"GRANT CREATE ON SCHEMA public TO {ROLE}")
        cursor.execute(f"ALTER TABLE plans_shareopening OWNER TO {ROLE}")

    with pytest.raises(UnableToGrant, match="owns 1 of the tables"):
        grant(role=ROLE)

    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'people_securityevent', 'DELETE')", [ROLE])
        assert cursor.fetchone() == (False,)


def test_the_role_cannot_truncate_or_drop_tables(as_application: None) -> None:
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy:
            assert refused(f'TRUNCATE "{model._meta.db_table}" CASCADE'), model

    assert refused("DROP TABLE activity_event")
    assert refused("ALTER TABLE activity_event DISABLE TRIGGER ALL")


def test_the_role_cannot_change_the_table_of_migrations(as_application: None) -> None:
    assert refused("DELETE FROM django_migrations")


# ---- The ledger of emails


@pytest.fixture
def emails() -> dict[str, Email]:
    """Return an email that is queued, and one that was sent and bounced."""
    amina = User.objects.create_user(email="amina@larkhaven.example", name="Amina")
    now = timezone.now()
    email_by_name = {
        name: record_email(
            kind=KIND,
            person_id=amina.pk,
            address=amina.email,
            params={"event": 7},
            secrets={"token": "first"},
            now=now,
        )
        for name in ("queued", "sent")
    }
    Email.objects.filter(pk=email_by_name["sent"].pk).update(
        status="sent", settled_at=now, address=amina.email, recipe=["layout", []], reason="250 taken"
    )
    Bounce.objects.create(
        kind="soft", address=amina.email, email_id=email_by_name["sent"].pk, person_id=amina.pk, at=now
    )
    return email_by_name


def partition_of(table: str, moment: dt.datetime) -> str:
    """Return the name of a table's partition for the month of a moment."""
    return f"{table}_{moment:%Y_%m}"


@pytest.mark.parametrize("table", ["outbox_email", "outbox_bounce"])
def test_the_role_cannot_delete_or_truncate_the_ledger_of_emails(
    emails: dict[str, Email], as_application: None, table: str
) -> None:
    for name in (table, partition_of(table, timezone.now()), f"{table}_before"):
        assert refused(f"DELETE FROM {name}"), name
        assert refused(f"TRUNCATE {name}"), name
        assert refused(f"DROP TABLE {name}"), name
        assert refused(f"ALTER TABLE {name} DISABLE TRIGGER ALL"), name


@pytest.mark.parametrize("column", ["id", "lane", "kind", "person_id", "sender_id", "created_at", "repeat_of_id"])
def test_the_role_changes_only_the_state_of_an_email(
    emails: dict[str, Email], as_application: None, column: str
) -> None:
    assert refused(f"UPDATE outbox_email SET {column} = {column}")


@pytest.mark.parametrize("column", ["id", "kind", "email_id", "person_id", "at"])
def test_the_role_cannot_change_a_bounce(emails: dict[str, Email], as_application: None, column: str) -> None:
    assert refused(f"UPDATE outbox_bounce SET {column} = {column}")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE outbox_email SET status = 'failed' WHERE status = 'sent'",
        "UPDATE outbox_email SET address = 'ben@beckford.example' WHERE status = 'sent'",
        "UPDATE outbox_email SET reason = 'Never sent' WHERE status = 'sent'",
        "UPDATE outbox_email SET settled_at = NULL, status = 'queued' WHERE status = 'sent'",
        "UPDATE outbox_bounce SET address = 'ben@beckford.example'",
    ],
)
def test_a_settled_email_cannot_be_rewritten(emails: dict[str, Email], as_application: None, change: str) -> None:
    with pytest.raises(InternalError, match="The ledger stands"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE outbox_email SET params = '{"event": 8}' WHERE status = 'queued'""",
        """UPDATE outbox_email SET params = '{"event": 8}', secrets = NULL WHERE status = 'queued'""",
        """UPDATE outbox_email SET secrets = '{"token": "other"}' WHERE status = 'queued'""",
    ],
)
def test_the_content_of_an_open_email_cannot_be_replaced(
    emails: dict[str, Email], as_application: None, change: str
) -> None:
    with pytest.raises(InternalError, match="The ledger stands"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_the_content_of_an_open_email_can_be_cleared(emails: dict[str, Email], as_application: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outbox_email SET params = '{}', secrets = NULL WHERE status = 'queued'")

    queued = Email.objects.get(pk=emails["queued"].pk)
    assert queued.params == {}
    assert queued.secrets is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE digests_deliveryitem SET to_number = 9",
        "UPDATE digests_deliveryitem SET left_out = 'the recipient no longer followed it'",
        "UPDATE digests_deliveryitem SET delivery_id = delivery_id + 1",
        "DELETE FROM digests_deliveryitem",
    ],
)
def test_what_a_settled_digest_told_stands(emails: dict[str, Email], as_application: None, change: str) -> None:
    _add_item(emails["sent"])

    with pytest.raises(InternalError, match="The ledger stands"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


@pytest.mark.parametrize(
    "change", ["UPDATE digests_deliveryitem SET to_number = 9", "DELETE FROM digests_deliveryitem"]
)
def test_a_temporary_table_does_not_open_the_guard_of_items(
    emails: dict[str, Email], as_application: None, change: str
) -> None:
    _add_item(emails["sent"])
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE outbox_email (id bigint, settled_at timestamptz)")

    with pytest.raises(InternalError, match="The ledger stands"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_items_of_an_open_digest_keep_their_plan_and_start(emails: dict[str, Email], as_application: None) -> None:
    item = _add_item(emails["queued"])

    for column in ("delivery_id", "plan_id", "from_number"):
        with pytest.raises(InternalError, match="The ledger stands"), transaction.atomic():
            DeliveryItem.objects.filter(pk=item.pk).update(**{column: 7})
    DeliveryItem.objects.filter(pk=item.pk).update(to_number=9, reading_class="inside", left_out="they stopped")
    assert DeliveryItem.objects.filter(pk=item.pk).delete()[0] == 1


def _add_item(email: Email) -> DeliveryItem:
    """Add an item of a digest to the email."""
    return DeliveryItem.objects.create(
        delivery_id=email.pk, plan_id=1, from_number=0, to_number=1, reading_class="outside"
    )


def test_the_role_cannot_use_partitions_directly(emails: dict[str, Email], as_application: None) -> None:
    for table in ("outbox_email", "outbox_bounce"):
        partition = partition_of(table, timezone.now())
        assert refused(f"SELECT 1 FROM {partition}")
        assert refused(f"UPDATE {partition} SET address = ''")


def test_the_role_cannot_write_through_a_view(emails: dict[str, Email], as_application: None) -> None:
    assert refused("DELETE FROM digests_delivery")
    assert refused("UPDATE digests_delivery SET status = 'dropped'")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT viewname FROM pg_views WHERE schemaname = 'public' AND"
            " has_table_privilege(current_user, format('%I.%I', schemaname, viewname),"
            " 'INSERT, UPDATE, DELETE, TRUNCATE')"
        )
        assert cursor.fetchall() == []


def test_the_role_claims_and_settles_emails(emails: dict[str, Email], as_application: None) -> None:
    drain(seconds=120)

    queued = Email.objects.get(pk=emails["queued"].pk)
    assert queued.status == "sent"
    assert queued.address == "amina@larkhaven.example"
    assert mail.outbox[-1].to == ["Amina <amina@larkhaven.example>"]


def test_retention_clears_old_emails_as_the_application(emails: dict[str, Email], as_application: None) -> None:
    outcome = apply_retention(now=timezone.now() + dt.timedelta(days=366))

    assert outcome.failed == {}
    sent_email = Email.objects.get(pk=emails["sent"].pk)
    assert sent_email.recipe is None
    assert sent_email.address == ""
    assert sent_email.status == "sent"
    assert Bounce.objects.get().address == ""


def test_erasing_a_person_clears_their_emails_as_the_application(
    emails: dict[str, Email], as_application: None
) -> None:
    person = User.objects.get(email="amina@larkhaven.example")

    erase_person(person=person, author=None, reason="They asked.", now=timezone.now())

    sent_email = Email.objects.get(pk=emails["sent"].pk)
    assert sent_email.address == ""
    assert sent_email.reason == ""
    assert sent_email.recipe is None
    assert sent_email.person_id == person.pk
    assert Bounce.objects.get().address == ""


def test_the_role_creates_partitions_that_it_cannot_use(emails: dict[str, Email]) -> None:
    now = timezone.now()
    ahead = (now.replace(day=1) + dt.timedelta(days=31 * 11)).replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        make_partitions(now=now)  # the tables may have been made last month, just before midnight
        cursor.execute(f"DROP TABLE {partition_of('outbox_email', ahead)}")
        cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
        cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
        grant(role=ROLE)
        cursor.execute(f"SET LOCAL ROLE {ROLE}")

    assert make_partitions(now=now) == 1
    assert drop_partitions() == 0
    assert count_months_ready(now=now) == 12

    partition = partition_of("outbox_email", ahead)
    for statement in ("SELECT 1 FROM", "DELETE FROM", "TRUNCATE", "DROP TABLE"):
        assert refused(f"{statement} {partition}"), statement
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def test_the_role_cannot_create_tables_or_functions(as_application: None) -> None:
    assert refused("CREATE TABLE public.mine (id int)")
    assert refused("CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")
