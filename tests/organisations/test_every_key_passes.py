"""Every reference to an organisation passes on with a merge and with a succession, and is returned afterwards.

In the world of the access table, each column refers to the body at least once: a room that adds a column must add a
row, too.
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

#: The beginnings of the columns of merging itself, which never move.
ABOUT_MERGING = ("organisations.Merge.", "organisations.NotSame.")
#: The largest number of rows of a table that are tried until one can refer to the body.
TRIED = 60


def add_rows(world: World) -> None:
    """Add rows of Larkhaven to the tables in which the world of the access table has no row that could refer to it."""
    larkhaven, now, lead = world.larkhaven, timezone.now(), world.amina
    audience_of_larkhaven = {"audience": Audience.NAMED, "addressees": [larkhaven], "closes_on": None}
    ask, offer = (
        shared(world.westmarch, world.ben, now, direction=direction, **audience_of_larkhaven)
        for direction in ("ask", "offer")
    )
    match = Match.objects.create(ask=ask, offer=offer, score=50, found_at=now)
    of_larkhaven = {"organisation": larkhaven}
    Dismissal.objects.create(match=match, reason="Too far away.", at=now, **of_larkhaven)
    Introduction.objects.create(ask=ask, offer=offer, at=now, **of_larkhaven)
    conversation = Conversation.objects.exclude(private_notes__organisation=larkhaven).order_by("pk")[0]
    PrivateNote.objects.create(conversation=conversation, text="A note.", written_at=now, **of_larkhaven)
    JournalNote.objects.create(
        organisation=world.westmarch, about=larkhaven, text="A note.", written_at=now, dated_on=today(), created_at=now
    )
    Source.objects.order_by("pk")[0].recommendations.order_by("pk")[0].addressees.create(**of_larkhaven)
    Trust.objects.create(person=world.sol, set_at=now, **of_larkhaven)
    run = ImportRun.objects.create(register="providers", file_name="list.csv", sha256="0" * 64, started_at=now)
    doubt = Doubt.objects.create(
        register="providers",
        key="L1",
        name="Larkhaven",
        row={},
        why="Two names.",
        run=run,
        answer="this",
        **of_larkhaven,
    )
    doubt.candidates.add(larkhaven)
    report = {"report": "contact", "name": "Contact", "question": "", **of_larkhaven}
    FrozenReport.objects.create(reason="A record.", content={}, frozen_at=now, **report)
    Schedule.objects.create(every="month", next_on=today(), first_on=today(), created_at=now, **report)
    OwnHeading.objects.create(kind="sites", heading="ref", column="reference", confirmed_at=now, **of_larkhaven)
    objective = Objective.objects.order_by("pk")[0]
    ObjectiveProgress.objects.create(objective=objective, on=today(), figure=1, at=now, **of_larkhaven)
    plan = create_plan(
        owners=[larkhaven], partnership=None, title="Quay", kind="delivery", audience="owners", author=lead, now=now
    )
    Signatory.objects.create(plan=plan, role="Owner", asked_at=now, **of_larkhaven)
    line = Handover.objects.order_by("pk")[0]
    line.others.add(larkhaven)
    line.accepted_parts.create(accepted_at=now, **of_larkhaven)


def names(model: type[Model], field: str, body: Organisation, kind: Obligation | None = None) -> bool:
    """Return True if a row refers to the body in this column, if necessary after a row was changed to do so.

    With a kind, the row must also be a record of this kind that the body has.
    """

    def has_row() -> bool:
        if kind is not None:
            return kind.records(body, today()).exists()
        return model._base_manager.filter(**{field: body}).exists()

    if has_row():
        return True
    other_rows = model._base_manager.exclude(pk=body.pk) if model is Organisation else model._base_manager.all()
    for pk in other_rows.order_by("pk").values_list("pk", flat=True)[:TRIED]:
        try:
            with transaction.atomic(), pgtrigger.ignore():
                other_rows.filter(pk=pk).update(**{field: body})
                if not has_row():
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
    rows_before = rows_by_table()

    merge_record = services.merge_organisations(
        kept=kept, merged=merged, reason="Recorded twice.", author=None, now=timezone.now()
    )

    changed_rows = {(row.table, row.row) for row in merge_record.rows.all()}
    for column in all_columns():
        movable_rows = {(column.model._meta.label, pk) for pk in sort_rows(column, merged.pk, kept.pk).movable_ids}
        assert movable_rows <= changed_rows, column.label
    rows_after = rows_by_table()
    for column in following():
        table = column.model._meta.label
        moved_ids = [pk for pk, row in rows_before[table].items() if row[f"{column.name}_id"] == merged.pk]
        assert all(
            pk not in rows_after[table] or rows_after[table][pk][f"{column.name}_id"] != merged.pk for pk in moved_ids
        ), table
    for column_label, fate in registered_columns().items():
        table, _, name = column_label.rpartition(".")
        if fate == "stays" and not column_label.startswith(ABOUT_MERGING):
            old_values = {pk: row[f"{name}_id"] for pk, row in rows_before[table].items()}
            assert {pk: row[f"{name}_id"] for pk, row in rows_after[table].items()} == old_values, column_label
    assert services.undo_merge(merge=merge_record, reason="They are two.", author=None, now=timezone.now()) == 0
    rows_after_undoing = rows_by_table()
    assert {table: rows for table, rows in rows_after_undoing.items() if rows != rows_before[table]} == {}


def label(model: type[Model], field: Field[Any, Any]) -> str:
    return f"{model._meta.label}.{field.name}"


def without_moments(rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return the rows without the moments of actions, which differ the second time."""
    return {pk: {name: value for name, value in row.items() if not name.endswith("_at")} for pk, row in rows.items()}


def test_every_kind_of_obligation_passes_on_and_back_when_two_providers_merge(world: World) -> None:
    add_rows(world)
    old, other = world.larkhaven, world.tidewater
    new = services.create_organisation(name="Skylark Homes", kind="registered_provider", author=None, now=world.now)
    kinds_without_row = [
        kind.code
        for kind in obligations()
        if not any(names(column.model, column.name, old, kind) for column in kind.columns)
    ]
    assert kinds_without_row == []
    tables = {column.model._meta.label for kind in obligations() for column in kind.columns}
    tables.discard(Membership._meta.label)  # they end and begin again
    rows_before = rows_by_table()
    succession = services.record_succession(
        kind="amalgamation",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([old, other], [new]),
        author=None,
        now=timezone.now(),
    )
    for predecessor in (old, other):
        propose_and_accept_everything(succession, predecessor, new)

    take_effect(succession)

    applied_kinds = set(succession.handovers.filter(state="applied").values_list("kind", flat=True))
    assert applied_kinds == {kind.code for kind in obligations()}
    stayed_lines = set(succession.handovers.filter(state="stayed").values_list("predecessor", "kind", "record"))
    remaining_records = {
        (predecessor.pk, group.kind.code, held.pk)
        for predecessor in (old, other)
        for group in held_by(predecessor, today())
        for held in group.things
    }
    assert remaining_records == stayed_lines
    rows_after = rows_by_table()
    undoing_succession = record_undoing(succession)
    take_effect(undoing_succession)
    rows_after_undoing = rows_by_table()
    assert {table for table in tables if rows_after_undoing[table] != rows_before[table]} == set()
    take_effect(record_undoing(undoing_succession))
    rows_after_repeating = rows_by_table()
    assert {
        table for table in tables if without_moments(rows_after_repeating[table]) != without_moments(rows_after[table])
    } == set()
