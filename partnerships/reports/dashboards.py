"""Dashboards: what a few reports say of a partnership, an organisation or the network, each leading to its report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Kind, Organisation
from partnerships.people.models import User
from partnerships.reports.pictures import caption_of, draw
from partnerships.reports.queries import snapshot_of
from partnerships.reports.registry import find_report
from partnerships.reports.snapshot import Snapshot

#: Sentences of a report that its tile has, and bars of its chart.
_SENTENCES, _BARS = 2, 6
#: Reports, by name, with the filters that narrow them.
Questions = Sequence[tuple[str, Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Tile:
    """What one report says: its first sentences and its first chart.

    `href` is the report with the same filters.

    A tile that is `waiting` is fetched on its own: a page of all of them would take as long as five reports.
    """

    slug: str
    title: str
    href: str
    sentences: tuple[str, ...] = ()
    chart: tuple[str, SafeString] | None = None
    waiting: bool = False


def of_partnership(partnership: Partnership) -> Questions:
    """What a partnership watches: homes, promises, asks and contact."""
    only = {"partnership": partnership.pk}
    return [(slug, only) for slug in ("homes-pipeline", "promises-kept", "unanswered-asks", "contact")]


def of_organisation(organisation: Organisation) -> Questions:
    """What an organisation watches.

    Homes, what it and its partners gave each other, its evidence and its network.
    """
    where = "council" if organisation.kind == Kind.COUNCIL else "provider"
    place = organisation.pk if organisation.kind == Kind.COUNCIL else organisation.name
    only = {"organisation": organisation.pk}
    return [
        ("homes-pipeline", {where: place}),
        ("reciprocity", only),
        ("evidence-file", only),
        ("network", {"around": organisation.pk}),
    ]


#: What the whole network watches.
OF_NETWORK: Questions = [
    (slug, {}) for slug in ("homes-pipeline", "promises-kept", "unanswered-asks", "partnership-register", "network")
]


def waiting_tiles(questions: Questions) -> list[Tile]:
    """The tiles of a dashboard, not computed yet."""
    return [_empty_tile(slug, filters) for slug, filters in questions]


def tiles_of(questions: Questions, reader: User, now: dt.datetime) -> list[Tile]:
    """A tile for each report, from the snapshot that its page shows."""
    tiles = []
    for slug, filters in questions:
        report = find_report(slug)
        assert report is not None
        snapshot = snapshot_of(report, reader, QueryDict(urlencode(filters)), now=now)
        tile = _empty_tile(slug, filters)
        sentences, chart = snapshot.answers[:_SENTENCES], _first_chart(snapshot)
        tiles.append(replace(tile, sentences=sentences, chart=chart, waiting=False))
    return tiles


def _empty_tile(slug: str, filters: Mapping[str, object]) -> Tile:
    report, question = find_report(slug), urlencode(filters)
    assert report is not None
    page = reverse("reports:report", kwargs={"slug": slug})
    return Tile(slug, report.title, f"{page}?{question}" if question else page, waiting=True)


def _first_chart(snapshot: Snapshot) -> tuple[str, SafeString] | None:
    """The first chart with something to draw."""
    for chart in snapshot.charts:
        table = snapshot.table(chart.table)
        if table is not None and chart.has_bars(table):
            return caption_of(chart, table, limit=_BARS), draw(chart, table, limit=_BARS, is_narrow=True)
    return None
