"""Dashboards: what a few reports say of a partnership, an organisation or the network, each leading to its report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Kind, Organisation
from partnerships.people.models import User
from partnerships.reports.presenting import caption_of, draw
from partnerships.reports.queries import snapshot_of
from partnerships.reports.registry import find_report
from partnerships.reports.snapshot import Snapshot

#: Sentences of a report that its tile has, and bars of its chart.
_SENTENCES, _BARS = 2, 6
#: Reports, by name, with the filters that narrow them.
Questions = Sequence[tuple[str, Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Tile:
    """What one report says: its first sentences and its first chart. `href` is the report with the same filters."""

    title: str
    href: str
    sentences: tuple[str, ...]
    chart: tuple[str, SafeString] | None


def of_partnership(partnership: Partnership) -> Questions:
    """What a partnership watches: homes, promises, asks and contact."""
    only = {"partnership": partnership.pk}
    return [(slug, only) for slug in ("homes-pipeline", "promises-kept", "unanswered-asks", "contact")]


def of_organisation(organisation: Organisation) -> Questions:
    """What an organisation watches: homes, what it and its partners gave each other, its evidence and its network."""
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


def tiles_of(questions: Questions, reader: User, now: dt.datetime) -> list[Tile]:
    """A tile for each report, from the snapshot that its page shows."""
    found = []
    for slug, filters in questions:
        report = find_report(slug)
        assert report is not None
        question = urlencode(filters)
        snapshot = snapshot_of(report, reader, QueryDict(question), now=now)
        page = reverse("reports:report", kwargs={"slug": slug})
        href = f"{page}?{question}" if question else page
        found.append(Tile(report.title, href, snapshot.answers[:_SENTENCES], _first_chart(snapshot)))
    return found


def _first_chart(snapshot: Snapshot) -> tuple[str, SafeString] | None:
    """The first chart with something to draw."""
    for chart in snapshot.charts:
        table = snapshot.table(chart.table)
        if table is not None and table.rows:
            return caption_of(chart, table, limit=_BARS), draw(
                chart, table, limit=_BARS, where="report", is_narrow=True
            )
    return None
