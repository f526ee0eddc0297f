"""Dashboards of a partnership, an organisation or the network, with a tile for each of a few reports."""

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
from partnerships.reports.pictures import chart_caption, draw_chart
from partnerships.reports.queries import snapshot_of
from partnerships.reports.registry import find_report
from partnerships.reports.snapshot import Snapshot

#: A tile shows at most this many of a report's sentences.
_MAX_SENTENCES = 2
#: The slug and the filters of each report on a dashboard, such as `("contact", {"partnership": 7})`.
TileFilters = Sequence[tuple[str, Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Tile:
    """The first sentences and the first chart of a report, with a link to the report with the same filters.

    A tile that is `waiting` has not been computed yet. The page fetches each tile in a separate request, because
    computing all of them would take as long as five reports.
    """

    slug: str
    title: str
    href: str
    sentences: tuple[str, ...] = ()
    chart: tuple[str, SafeString] | None = None
    waiting: bool = False


def partnership_tile_filters(partnership: Partnership) -> TileFilters:
    """Return the reports of a partnership's dashboard, on homes, promises, asks and contact."""
    filters = {"partnership": partnership.pk}
    return [(slug, filters) for slug in ("homes-pipeline", "promises-kept", "unanswered-asks", "contact")]


def organisation_tile_filters(organisation: Organisation) -> TileFilters:
    """Return the reports of an organisation's dashboard, on homes, reciprocity, evidence and its network."""
    homes_filters: dict[str, object]
    if organisation.kind == Kind.COUNCIL:
        homes_filters = {"council": organisation.pk}
    else:
        homes_filters = {"provider": organisation.name}
    own_filters = {"organisation": organisation.pk}
    return [
        ("homes-pipeline", homes_filters),
        ("reciprocity", own_filters),
        ("evidence-file", own_filters),
        ("network", {"around": organisation.pk}),
    ]


#: The reports of the network's dashboard.
NETWORK_TILE_FILTERS: TileFilters = [
    (slug, {}) for slug in ("homes-pipeline", "promises-kept", "unanswered-asks", "partnership-register", "network")
]


def waiting_tiles(tile_filters: TileFilters) -> list[Tile]:
    """Return the tiles of a dashboard that have not been computed yet."""
    return [_empty_tile(slug, filters) for slug, filters in tile_filters]


def computed_tiles(tile_filters: TileFilters, reader: User, now: dt.datetime) -> list[Tile]:
    """Return the computed tiles of a dashboard, each from the same snapshot as the report's page."""
    tiles = []
    for slug, filters in tile_filters:
        report = find_report(slug)
        assert report is not None
        snapshot = snapshot_of(report, reader, QueryDict(urlencode(filters)), now=now)
        tile = _empty_tile(slug, filters)
        sentences = snapshot.answers[:_MAX_SENTENCES]
        tiles.append(replace(tile, sentences=sentences, chart=_first_chart(snapshot), waiting=False))
    return tiles


def _empty_tile(slug: str, filters: Mapping[str, object]) -> Tile:
    """Return the tile of a report before it is computed."""
    report = find_report(slug)
    assert report is not None
    query_string = urlencode(filters)
    page = reverse("reports:report", kwargs={"slug": slug})
    return Tile(slug=slug, title=report.title, href=f"{page}?{query_string}" if query_string else page, waiting=True)


def _first_chart(snapshot: Snapshot) -> tuple[str, SafeString] | None:
    """Return the caption and SVG of the first chart with something to draw, or None if there is no such chart."""
    for chart in snapshot.charts:
        table = snapshot.table(chart.table)
        if table is not None and chart.has_bars(table):
            return chart_caption(chart, table, "card"), draw_chart(chart, table, "card")
    return None
