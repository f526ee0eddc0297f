"""The world of the tests of reports, and snapshots of reports for its people."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from django.utils import timezone

from partnerships.organisations.audience import Reader
from partnerships.reports.queries import snapshot_of
from partnerships.reports.registry import find_report
from partnerships.reports.snapshot import Cell, Snapshot
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def figures_for(reader: Reader, slug: str, query: str = "") -> Snapshot:
    """Return a report's snapshot for a reader, computed now."""
    report = find_report(slug)
    assert report is not None
    return snapshot_of(report, reader, QueryDict(query), now=timezone.now())


def cells(snapshot: Snapshot, code: str, label: str) -> dict[str, Cell]:
    """Return the cells of one column, by the name of their row."""
    table = snapshot.table(code)
    assert table is not None
    column_index = [column.label for column in table.columns].index(label)
    return {row.name: row.cells[column_index] for row in table.rows_with_total()}
