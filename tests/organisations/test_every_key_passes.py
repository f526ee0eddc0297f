"""Every key to an organisation passes on with a merge and with a succession, and comes back when it is undone.

In the world of the access table each column names the body at least once: a later room that adds a key adds a row too.
"""

from __future__ import annotations

from typing import Any

import pgtrigger
import pytest
from django.db import Error, transaction
from django.db.models import Field, Model
from django.utils import timezone

from partnerships.agreements.models import Objective, ObjectiveProgress
from partnerships.answers.models import Trust
from partnerships.conversations.models import Conversation, JournalNote, PrivateNote
from partnerships.exchange.models import Audience, Dismissal, Introduction, Match
from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.models import Handover, Membership, Organisation
from partnerships.organisations.obligations import (
    Obligation,
    all_columns,
    following,
    held_by,
    obligations,
    registered_columns,
)
from partnerships.organisations.services import ties_between
from partnerships.organisations.services.moving import sort_rows
from partnerships.plans.models import Signatory
from partnerships.plans.services import create_plan
from partnerships.recommendations.models import Source
from partnerships.reports.models import FrozenReport, Schedule
from partnerships.spreadsheets.models import OwnHeading
from partnerships.transfer.models import Doubt, ImportRun
from tests.exchange.conftest import shared
from tests.organisations.test_duplicates import rows_by_table
from tests.organisations.test_handovers import propose_and_accept_everything, record_undoing, take_effect
from tests.organisations.test_obligations import naming_columns
from tests.support.moments import today
from tests.support.prepared import media_root, world
from tests.world import World

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.django_db

#: What is about merging itself.
ABOUT_MERGING = ("organisations.Merge.", "organisations.NotSame.")
#: Rows of a table that are tried until one can name the body.
TRIED = 60


def add_rows(world: World) -> None:
    """Rows of Larkhaven in the tables in which the world of the access table has none that could name it."""
    own, now, lead = world.larkhaven, timezone.now(), world.amina
    named = {"audience": Audience.NAMED, "addressees": [own], "closes_on": None}
    ask, offer = (
        shared(world.westmarch, world.ben, now, direction=direction, **named) for direction in ("ask", "offer")
    )
    match = Match.objects.create(ask=ask, offer=offer, score=50, found_at=now)
    mine = {"organisation": own}
    Dismissal.objects.create(match=match, reason="Too far away.", at=now, **mine)
    Introduction.objects.create(ask=ask, offer=offer, at=now, **mine)
    talk = Conversation.objects.exclude(private_notes__organisation=own).order_by("pk")[0]
    PrivateNote.objects.create(conversation=talk, text="A note.", written_at=now, **mine)
    JournalNote.objects.create(
        organisation=world.westmarch, about=own, text="A note.", written_at=now, dated_on=today(), created_at=now
    )
    Source.objects.order_by("pk")[0].recommendations.order_by("pk")[0].addressees.create(**mine)
    Trust.objects.create(person=world.sol, set_at=now, **mine)
    run = ImportRun.objects.create(register="providers", file_name="list.csv", sha256="0" * 64, started_at=now)
    doubt = Doubt.objects.create(
        register="providers", key="L1", name="Larkhaven", row={}, why="Two names.", run=run, answer="this", **mine
    )
    doubt.candidates.add(own)
    report = {"report": "contact", "name": "Contact", "question": "", **mine}
    FrozenReport.objects.create(reason="A record.", content={}, frozen_at=now, **report)
    Schedule.objects.create(every="month", next_on=today(), first_on=today(), created_at=now, **report)
    OwnHeading.objects.create(kind="sites", heading="ref", column="reference", confirmed_at=now, **mine)
    objective = Objective.objects.order_by("pk")[0]
    ObjectiveProgress.objects.create(objective=objective, on=today(), figure=1, at=now, **mine)
    plan = create_plan(
        owners=[own], partnership=None, title="Quay", kind="delivery", audience="owners", author=lead, now=now
    )
    Signatory.objects.create(plan=plan, role="Owner", asked_at=now, **mine)
    line = Handover.objects.order_by("pk")[0]
    line.others.add(own)
    line.accepted_parts.create(accepted_at=now, **mine)


def names(model: type[Model], field: str, body: Organisation, kind: Obligation | None = None) -> bool:
    """Whether a row names the body in this column, if need be one that is changed; of a kind, a row that counts."""

    def named() -> bool:
        if kind is not None:
            return kind.records(body, today()).exists()
        return model._base_manager.filter(**{field: body}).exists()

    if named():
        return True
    others = model._base_manager.exclude(pk=body.pk) if model is Organisation else model._base_manager.all()
    for pk in others.order_by("pk").values_list("pk", flat=True)[:TRIED]:
        try:
            with transaction.atomic(), pgtrigger.ignore():
                others.filter(pk=pk).update(**{field: body})
                if not named():
                    raise Error
        except Error:  # its place is taken, or it is over
            continue
        return True
    return False


def test_every_column_passes_with_a_merge_and_back(world: World) -> None:
    add_rows(world)
    kept, merged = world.riverside, world.larkhaven
    columns = [
        (model, field)
        for model, field in naming_columns()
        if not f"{model._meta.label}.{field.name}".startswith(ABOUT_MERGING)
    ]
    assert [label(*column) for column in columns if not names(column[0], column[1].name, merged)] == []
    before = rows_by_table()

    found = services.merge_organisations(
        kept=kept, merged=merged, reason="Recorded twice.", author=None, now=timezone.now()
    )

    changed = {(row.table, row.row) for row in found.rows.all()}
    for column in all_columns():
        left = {(column.model._meta.label, pk) for pk in sort_rows(column, merged.pk, kept.pk).free}
        assert left <= changed, column.label
    after = rows_by_table()
    for column in following():
        table = column.model._meta.label
        gone = [pk for pk, row in before[table].items() if row[f"{column.name}_id"] == merged.pk]
        assert all(pk not in after[table] or after[table][pk][f"{column.name}_id"] != merged.pk for pk in gone), table
    for one, fate in registered_columns().items():
        table, _, name = one.rpartition(".")
        if fate == "stays" and not one.startswith(ABOUT_MERGING):
            was = {pk: row[f"{name}_id"] for pk, row in before[table].items()}
            assert {pk: row[f"{name}_id"] for pk, row in after[table].items()} == was, one
    assert services.undo_merge(merge=found, reason="They are two.", author=None, now=timezone.now()) == 0
    again = rows_by_table()
    assert {table: rows for table, rows in again.items() if rows != before[table]} == {}


def label(model: type[Model], field: Field[Any, Any]) -> str:
    return f"{model._meta.label}.{field.name}"


def without_moments(rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Rows without the moments of what was done, which differ the second time."""
    return {pk: {name: value for name, value in row.items() if not name.endswith("_at")} for pk, row in rows.items()}


def test_every_kind_of_obligation_passes_on_and_back_when_two_providers_merge(world: World) -> None:
    add_rows(world)
    old, other = world.larkhaven, world.tidewater
    new = services.create_organisation(name="Skylark Homes", kind="registered_provider", author=None, now=world.now)
    empty = [
        kind.code
        for kind in obligations()
        if not any(names(column.model, column.name, old, kind) for column in kind.columns)
    ]
    assert empty == []
    tables = {column.model._meta.label for kind in obligations() for column in kind.columns}
    tables.discard(Membership._meta.label)  # they end and begin again
    before = rows_by_table()
    succession = services.record_succession(
        kind="amalgamation",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([old, other], [new]),
        author=None,
        now=timezone.now(),
    )
    for one in (old, other):
        propose_and_accept_everything(succession, one, new)

    take_effect(succession)

    passed = set(succession.handovers.filter(state="applied").values_list("kind", flat=True))
    assert passed == {kind.code for kind in obligations()}
    stayed = set(succession.handovers.filter(state="stayed").values_list("predecessor", "kind", "record"))
    left = {
        (one.pk, group.kind.code, held.pk)
        for one in (old, other)
        for group in held_by(one, today())
        for held in group.things
    }
    assert left == stayed
    after = rows_by_table()
    back = record_undoing(succession)
    take_effect(back)
    undone = rows_by_table()
    assert {table for table in tables if undone[table] != before[table]} == set()
    take_effect(record_undoing(back))
    again = rows_by_table()
    assert {table for table in tables if without_moments(again[table]) != without_moments(after[table])} == set()
