"""Services refuse everybody whom docs/rights.md does not permit.

A refused call changes nothing. One after which somebody may read or do less is in the journal. One that tells people
tells each of them once, and nobody else: those in `tests/told.json`. After adding a service, or changing whom one
tells, record them again, read the difference, and commit it with the change:

    RECORD_TOLD=1 make test ARGS=tests/safety/test_services_check_rights.py
"""

from __future__ import annotations

import copy
import fcntl
import importlib
import inspect
import json
import os
import pkgutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db import connection, transaction

import partnerships
import tests
from partnerships.kit.rights import UnableToAct
from partnerships.outbox.models import Email
from partnerships.outbox.services import collecting_emails
from partnerships.people.models import User
from tests.support.losses import lost_without_a_line
from tests.support.prepared import media_root
from tests.support.rights import DONE, NO_WRITES, PERSONAS, Row, who
from tests.support.situations import Situation, in_situations, situation, world
from tests.world import World

__all__ = ["media_root", "situation", "world"]

pytestmark = pytest.mark.django_db

#: Rooms with a table; a room with services must have one (below).
ROOMS = sorted(
    found.parent.name for found in Path(tests.__path__[0]).glob("*/rights.py") if found.parent.name != "support"
)
#: Rooms whose services have no author: they write what other rooms, or the clock, ask for.
WITHOUT_A_TABLE = {"activity", "documents", "outbox", "search"}
TABLES = {room: importlib.import_module(f"tests.{room}.rights") for room in ROOMS}
#: Tables of steps that the state of a record rules out, in rooms with many.
STATES = [
    importlib.import_module(f"tests.{found.parent.name}.states")
    for found in sorted(Path(tests.__path__[0]).glob("*/states.py"))
]
ROWS: list[Row] = [row for table in (*TABLES.values(), *STATES) for row in table.ROWS]
WITHOUT_A_PERSON: dict[str, str] = {
    name: reason for table in TABLES.values() for name, reason in table.WITHOUT_A_PERSON.items()
}
RECORDED = Path(tests.__path__[0]) / "told.json"
RECORD = bool(os.environ.get("RECORD_TOLD"))


def modules_of(room: str) -> Iterator[ModuleType]:
    """Yield the modules with the services of a room.

    Those in its package of services, or those that its table names.
    """
    named = getattr(TABLES[room], "MODULES", ())
    for name in named or ("services",):
        found = importlib.import_module(f"partnerships.{room}.{name}")
        yield found
        for module in pkgutil.walk_packages(getattr(found, "__path__", ()), f"{found.__name__}."):
            yield importlib.import_module(module.name)


def services_of(room: str) -> Iterator[str]:
    """Services of a room that others may call or that have an author."""
    modules = list(modules_of(room))
    offered = {name for module in modules for name in getattr(module, "__all__", ())}
    for module in modules:
        for name, found in inspect.getmembers(module, inspect.isfunction):
            function = inspect.unwrap(found)
            if function.__module__ != module.__name__ or name.startswith("_"):
                continue
            if name in offered or {"author", "person"} & inspect.signature(function).parameters.keys():
                yield f"{room}.{name}"


def test_every_room_with_services_has_a_table() -> None:
    with_services = {found.name for found in pkgutil.iter_modules(partnerships.__path__)} & {
        found.parent.name for found in Path(partnerships.__path__[0]).glob("*/services*")
    }

    assert with_services - set(ROOMS) == WITHOUT_A_TABLE


def test_every_service_has_a_row_or_a_reason_for_none() -> None:
    services = {name for room in ROOMS for name in services_of(room)}
    rows = {row.service for row in ROWS}

    assert services - rows - WITHOUT_A_PERSON.keys() == set(), "Add rows to tests/<room>/rights.py."
    assert (rows | WITHOUT_A_PERSON.keys()) - services == set(), "These services are gone."
    assert rows & WITHOUT_A_PERSON.keys() == set()


#: What the view `pg_stat_xact_user_tables` adds up, without its joins to indexes: it is asked thousands of times.
ROWS_WRITTEN = """
    SELECT sum(
        pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
        + pg_stat_get_xact_tuples_deleted(oid)
    )
    FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def rows_written() -> int:
    """Return rows that this transaction inserted, updated or deleted in any table.

    Changes rolled back to a savepoint count too.
    """
    with connection.cursor() as cursor:
        cursor.execute(ROWS_WRITTEN)
        return int(cursor.fetchone()[0])


def told_twice(emails: Iterable[Email]) -> list[str]:
    """Return the kinds of emails that somebody got twice about the same thing; their links may differ."""
    told: Counter[tuple[Any, ...]] = Counter()
    for email in emails:
        if email.person_id is not None:
            subject = {name: value for name, value in email.params.items() if name != "key"}
            told[email.person_id, email.kind, json.dumps(subject, sort_keys=True, default=str)] += 1
    return [kind for (_, kind, _), number in told.items() if number > 1]


def who_is_told(emails: Iterable[Email]) -> list[str]:
    """Return each email by its kind, and its person by the part of the address before the @."""
    people = User.objects.in_bulk([email.person_id for email in emails if email.person_id])
    names = {pk: person.email.partition("@")[0] for pk, person in people.items()}
    return sorted(f"{email.kind} to {names.get(email.person_id or 0, 'an address')}" for email in emails)


def outcome(row: Row, world: World, persona: str, prepared: Any) -> tuple[str, list[str]]:
    """Return the result of the call, "done", "refused" or the error, and who was told; rolled back."""
    person = who(world, persona)
    told_people: list[str] = []
    with transaction.atomic():
        made = copy.deepcopy(prepared)  # a call may change a record in memory
        before = rows_written()
        try:
            with collecting_emails() as told:
                row.call(world, person, made)
            found = DONE if rows_written() > before else NO_WRITES
            if twice := told_twice(told):
                found = f"told somebody twice: {twice}"
            told_people = who_is_told(told) if told else []
        except UnableToAct:
            written = rows_written() - before
            found = f"refused after writing {written} rows" if written else "refused"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is neither done nor refused
            found = f"{type(error).__name__}: {error}"
        transaction.set_rollback(True)
    return found, told_people


def check_told(row: Row, told: dict[str, list[str]]) -> None:
    """Check that each caller of the service notifies the people who are recorded."""
    recorded = json.loads(RECORDED.read_text())

    assert told == recorded.get(str(row), {}), "If this is intended, record it: see the top of this module."


def record(row: Row, told: dict[str, list[str]]) -> None:
    """Write whom each call emails; several processes run the tests."""
    with RECORDED.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        recorded = json.load(file) | {str(row): {persona: emails for persona, emails in told.items() if emails}}
        kept = {name: one for name, one in recorded.items() if one and name in {str(known) for known in ROWS}}
        file.seek(0)
        file.truncate()
        file.write(json.dumps(kept, indent=1, sort_keys=True) + "\n")


@pytest.mark.parametrize(("situation", "row"), in_situations(ROWS), indirect=["situation"])
def test_service_permits_its_personas_alone_and_notes_what_somebody_loses(situation: Situation, row: Row) -> None:
    expected = {persona: row.result if persona in row.permitted else "refused" for persona in PERSONAS}

    own, prepared = situation.again()
    if RECORD:
        called = [persona for persona in PERSONAS if persona in row.permitted]
        record(row, {persona: outcome(row, own, persona, prepared)[1] for persona in called})
        return
    found = {persona: outcome(row, own, persona, prepared) for persona in PERSONAS}

    assert {persona: result for persona, (result, _) in found.items()} == expected
    check_told(row, {persona: told for persona, (_, told) in found.items() if told})
    assert lost_without_a_line(row, situation) == []
