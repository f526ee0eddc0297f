"""Every column that refers to an organisation passes on with a merge and with a succession, and is restored by undoing.

The tests need at least one row of Larkhaven in each of these columns. A room that adds a column must add such a row to
the world of the access table, or here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

import pgtrigger
import pytest
from django.db import Error, transaction
from django.db.models import Model
from django.utils import timezone

from partnerships.agreements.models import Objective, ObjectiveProgress
from partnerships.answers.models import Trust
from partnerships.conversations.models import Conversation, JournalNote, PrivateNote
from partnerships.exchange.models import Audience, Dismissal, Introduction, Match
from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.models import Handover, Membership, Merge, Organisation, Succession
from partnerships.organisations.obligations import (
    Obligation,
    all_columns,
    following_columns,
    held_records_by_kind,
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
from tests.exchange.conftest import shared_entry
from tests.organisations.handing_over import propose_and_accept_everything, record_undoing, take_effect
from tests.organisations.test_duplicates import rows_by_table
from tests.organisations.test_obligations import naming_columns
from tests.support.moments import today
from tests.support.prepared import media_root, world
from tests.world import World

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.django_db

#: The beginnings of the columns of merging itself, which never move.
ABOUT_MERGING = ("organisations.Merge.", "organisations.NotSame.")
#: The largest number of rows of a table that are tried until one can refer to the organisation.
MAX_TRIED_ROWS = 60


@pytest.fixture
def larkhaven(world: World) -> Organisation:
    """Return Larkhaven, with rows in every table that has no row of Larkhaven in the world of the access table."""
    now = timezone.now()
    add_asks_and_offers(world, now)
    add_notes(world, now)
    add_agreements_and_plans(world, now)
    add_imports(world.larkhaven, now)
    add_reports(world.larkhaven, now)
    return world.larkhaven


def add_asks_and_offers(world: World, now: dt.datetime) -> None:
    """Add an ask and an offer to Larkhaven, which match."""
    audience = {"audience": Audience.NAMED, "addressees": [world.larkhaven], "closes_on": None}
    ask = shared_entry(world.westmarch, world.ben, now, direction="ask", **audience)
    offer = shared_entry(world.westmarch, world.ben, now, direction="offer", **audience)
    match = Match.objects.create(ask=ask, offer=offer, score=50, found_at=now)
    Dismissal.objects.create(match=match, reason="Too far away.", organisation=world.larkhaven, at=now)
    Introduction.objects.create(ask=ask, offer=offer, organisation=world.larkhaven, at=now)


def add_notes(world: World, now: dt.datetime) -> None:
    """Add a note that Larkhaven wrote, and a note about Larkhaven."""
    conversation = Conversation.objects.exclude(private_notes__organisation=world.larkhaven).order_by("pk")[0]
    PrivateNote.objects.create(conversation=conversation, organisation=world.larkhaven, text="A note.", written_at=now)
    JournalNote.objects.create(
        organisation=world.westmarch,
        about=world.larkhaven,
        text="A note.",
        written_at=now,
        dated_on=today(),
        created_at=now,
    )


def add_agreements_and_plans(world: World, now: dt.datetime) -> None:
    """Add what Larkhaven does in partnerships, recommendations, plans, answers and successions."""
    larkhaven = world.larkhaven
    recommendation = Source.objects.order_by("pk")[0].recommendations.order_by("pk")[0]
    recommendation.addressees.create(organisation=larkhaven)
    objective = Objective.objects.order_by("pk")[0]
    ObjectiveProgress.objects.create(objective=objective, organisation=larkhaven, on=today(), figure=1, at=now)

    plan = create_plan(
        owners=[larkhaven],
        partnership=None,
        title="Quay",
        kind="delivery",
        audience="owners",
        author=world.amina,
        now=now,
    )
    Signatory.objects.create(plan=plan, organisation=larkhaven, role="Owner", asked_at=now)
    Trust.objects.create(person=world.sol, organisation=larkhaven, set_at=now)

    line = Handover.objects.order_by("pk")[0]
    line.others.add(larkhaven)
    line.accepted_parts.create(organisation=larkhaven, accepted_at=now)


def add_imports(larkhaven: Organisation, now: dt.datetime) -> None:
    """Add a doubt of an import that was answered with Larkhaven, and a heading of Larkhaven's own files."""
    run = ImportRun.objects.create(register="providers", file_name="list.csv", sha256="0" * 64, started_at=now)
    doubt = Doubt.objects.create(
        register="providers",
        key="L1",
        name="Larkhaven",
        row={},
        why="Two names.",
        run=run,
        answer="this",
        organisation=larkhaven,
    )
    doubt.candidates.add(larkhaven)
    OwnHeading.objects.create(kind="sites", heading="ref", column="reference", organisation=larkhaven, confirmed_at=now)


def add_reports(larkhaven: Organisation, now: dt.datetime) -> None:
    """Add a frozen report and a scheduled report of Larkhaven."""
    report = {"report": "contact", "name": "Contact", "question": "", "organisation": larkhaven}
    FrozenReport.objects.create(reason="A record.", content={}, frozen_at=now, **report)
    Schedule.objects.create(every="month", next_on=today(), first_on=today(), created_at=now, **report)


def ensure_row(
    model: type[Model], field: str, organisation: Organisation, has_row: Callable[[], bool] | None = None
) -> bool:
    """Make a row refer to the organisation in this column, unless one does; return True if one does now.

    `has_row` can set another condition that the changed row must meet.
    """
    has_row = has_row or model._base_manager.filter(**{field: organisation}).exists
    if has_row():
        return True

    rows = model._base_manager.all()
    if model is Organisation:
        rows = rows.exclude(pk=organisation.pk)
    for pk in rows.order_by("pk").values_list("pk", flat=True)[:MAX_TRIED_ROWS]:
        try:
            with transaction.atomic(), pgtrigger.ignore():
                rows.filter(pk=pk).update(**{field: organisation})
                if not has_row():
                    raise Error
        except Error:  # the row would break a constraint, or its record is over
            continue
        return True
    return False


def has_record(kind: Obligation, organisation: Organisation) -> bool:
    """Return True if the organisation has a record of this kind, if necessary after a row was changed to be one."""
    return any(
        ensure_row(column.model, column.name, organisation, kind.records(organisation, today()).exists)
        for column in kind.columns
    )


def values_by_id(rows: dict[int, dict[str, Any]], field: str) -> dict[int, int | None]:
    """Return the id of the organisation in a column, by the id of the row."""
    return {pk: row[f"{field}_id"] for pk, row in rows.items()}


class Merger(NamedTuple):
    """Larkhaven merged into Riverside, with every row before and after."""

    record: Merge
    kept: Organisation
    merged: Organisation
    rows_before: dict[str, dict[int, dict[str, Any]]]
    rows_after: dict[str, dict[int, dict[str, Any]]]


@pytest.fixture
def merger(world: World, larkhaven: Organisation) -> Merger:
    """Merge Larkhaven into Riverside, with at least one row in every column."""
    for model, field in naming_columns():
        label = f"{model._meta.label}.{field.name}"
        assert label.startswith(ABOUT_MERGING) or ensure_row(model, field.name, larkhaven), label
    rows_before = rows_by_table()
    record = services.merge_organisations(
        kept=world.riverside, merged=larkhaven, reason="Recorded twice.", author=None, now=timezone.now()
    )
    return Merger(record, world.riverside, larkhaven, rows_before, rows_by_table())


def test_a_merge_changes_every_row_that_can_move(merger: Merger) -> None:
    changed_rows = {(row.table, row.row) for row in merger.record.rows.all()}

    for column in all_columns():
        movable_ids = sort_rows(column, merger.merged.pk, merger.kept.pk).movable_ids
        assert {(column.model._meta.label, pk) for pk in movable_ids} <= changed_rows, column.label


def test_after_a_merge_no_following_column_refers_to_the_merged_record(merger: Merger) -> None:
    for column in following_columns():
        table = column.model._meta.label
        values_before = values_by_id(merger.rows_before[table], column.name)
        values_after = values_by_id(merger.rows_after[table], column.name)
        for pk, value in values_before.items():
            if value == merger.merged.pk:
                assert values_after.get(pk) != merger.merged.pk, table


def test_a_merge_changes_no_column_that_stays(merger: Merger) -> None:
    for label, fate in registered_columns().items():
        if fate == "stays" and not label.startswith(ABOUT_MERGING):
            table, _, field = label.rpartition(".")
            values_before = values_by_id(merger.rows_before[table], field)
            assert values_by_id(merger.rows_after[table], field) == values_before, label


def test_undoing_a_merge_restores_every_row(merger: Merger) -> None:
    unrestored_count = services.undo_merge(merge=merger.record, reason="They are two.", author=None, now=timezone.now())

    changed_tables = [table for table, rows in rows_by_table().items() if rows != merger.rows_before[table]]
    assert unrestored_count == 0
    assert changed_tables == []


class Amalgamation(NamedTuple):
    """The succession that makes Skylark of Larkhaven and Tidewater, with every row before and after."""

    succession: Succession
    predecessors: tuple[Organisation, Organisation]
    rows_before: dict[str, dict[int, dict[str, Any]]]
    rows_after: dict[str, dict[int, dict[str, Any]]]


@pytest.fixture
def amalgamation(world: World, larkhaven: Organisation) -> Amalgamation:
    """Pass all records of Larkhaven and Tidewater to a new provider, with at least one record of every kind."""
    predecessors = (larkhaven, world.tidewater)
    successor = services.create_organisation(
        name="Skylark Homes", kind="registered_provider", author=None, now=world.now
    )
    assert [kind.code for kind in obligations() if not has_record(kind, larkhaven)] == []

    rows_before = rows_by_table()
    succession = services.record_succession(
        kind="amalgamation",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between(predecessors, [successor]),
        author=None,
        now=timezone.now(),
    )
    for predecessor in predecessors:
        propose_and_accept_everything(succession, predecessor, successor)
    take_effect(succession)
    return Amalgamation(succession, predecessors, rows_before, rows_by_table())


def passing_tables() -> set[str]:
    """Return the tables whose rows pass on, except memberships, which end and begin again."""
    tables = {column.model._meta.label for kind in obligations() for column in kind.columns}
    return tables - {Membership._meta.label}


def without_moments(rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return the rows without the moments of actions, which differ the second time."""
    return {pk: {name: value for name, value in row.items() if not name.endswith("_at")} for pk, row in rows.items()}


def test_every_kind_of_obligation_passes_on_when_two_providers_merge(amalgamation: Amalgamation) -> None:
    applied_lines = amalgamation.succession.handovers.filter(state="applied")

    applied_kinds = set(applied_lines.values_list("kind", flat=True))

    assert applied_kinds == {kind.code for kind in obligations()}


def test_predecessors_have_only_the_records_whose_lines_stayed(amalgamation: Amalgamation) -> None:
    stayed_lines = amalgamation.succession.handovers.filter(state="stayed")

    remaining_records = {
        (predecessor.pk, group.kind.code, record.pk)
        for predecessor in amalgamation.predecessors
        for group in held_records_by_kind(predecessor, today())
        for record in group.records
    }

    assert remaining_records == set(stayed_lines.values_list("predecessor", "kind", "record"))


def test_undoing_an_amalgamation_restores_every_row(amalgamation: Amalgamation) -> None:
    undoing_succession = record_undoing(amalgamation.succession)

    take_effect(undoing_succession)

    rows = rows_by_table()
    changed_tables = [table for table in passing_tables() if rows[table] != amalgamation.rows_before[table]]
    assert changed_tables == []


def test_an_undone_amalgamation_can_be_repeated_for_every_row(amalgamation: Amalgamation) -> None:
    undoing_succession = record_undoing(amalgamation.succession)
    take_effect(undoing_succession)
    repeated_succession = record_undoing(undoing_succession)

    take_effect(repeated_succession)

    rows = rows_by_table()
    changed_tables = [
        table
        for table in passing_tables()
        if without_moments(rows[table]) != without_moments(amalgamation.rows_after[table])
    ]
    assert changed_tables == []
