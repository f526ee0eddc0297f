"""The report on what organisations do about recommendations, and on what has changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from partnerships.agreements.columns import offer_partnerships
from partnerships.agreements.models import Partnership
from partnerships.kit.forms import AutocompleteSelect, DayField, Form
from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.recommendations.queries.listings import sources_with_counts
from partnerships.recommendations.queries.reporting import MAX_MOVES, changes_between
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import Chart, Column, Kind, Row, Snapshot, Source, Table

#: Without a chosen day, the report covers the changes of this time up to today.
_LOOK_BACK = dt.timedelta(days=91)


class _Filters(Form):
    """The filters of the report, which are the first day of the changes and a partnership."""

    since = DayField(label="Since", required=False, help_text="Leave this empty to see the last three months.")
    partnership = forms.ModelChoiceField(
        label="Partnership",
        required=False,
        queryset=Partnership.objects.none(),
        widget=AutocompleteSelect,
        empty_label="All partnerships that you can read",
    )

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        offer_partnerships(self, reader)


def _compute(context: ReportContext) -> Snapshot:
    """Count the recommendations that are being worked on, and list what has changed since a day."""
    since = context.filters.get("since") or context.today - _LOOK_BACK
    changes_table = _changes_table(context, since)
    sources = _sources(context.reader)
    changes_in_words = counted(len(changes_table.rows), "change")
    return Snapshot(
        report=RECOMMENDATIONS.slug,
        title=RECOMMENDATIONS.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=(f"{changes_in_words} since {since:%-d %B %Y}.",),
        tables=(sources, changes_table),
        charts=(Chart("Recommendations recorded and being worked on, by report", "sources", (1, 3)),),
        sources=(Source("What organisations say, and what partnerships adopted", context.today),),
        notes=(
            (
                "A recommendation is being worked on if an organisation says that the work is under way or done. It is "
                "also being worked on if a partnership that you can read has adopted it."
            ),
            "This report includes evidence if you can read the record that it links to.",
        ),
    )


def _sources(reader: Reader) -> Table:
    """Return the published reports, with the numbers of recommendations recorded and worked on."""
    sources: list[Any] = sources_with_counts(reader)  # annotated with `recorded` and `worked_on`
    rows = tuple(
        Row(
            (str(source), source.recorded, source.total, source.worked_on),
            href=source.get_absolute_url(),
            key=f"source-{source.pk}",
        )
        for source in sources
    )
    columns = (
        Column("Report"),
        Column("Recorded here", Kind.NUMBER),
        Column("In the report", Kind.NUMBER),
        Column("Being worked on", Kind.COUNT),
    )
    return Table(code="sources", title="By report", columns=columns, rows=rows, empty="No reports are recorded.")


def _changes_table(context: ReportContext, since: dt.date) -> Table:
    """Return the table of changes since the day, the newest first."""
    partnership = context.filters.get("partnership") or None
    moves = changes_between(context.reader, since, context.today + dt.timedelta(days=1), partnership)
    rows = tuple(
        Row(
            (move.line.subject, move.line.title, move.changes, move.organisation, timezone.localdate(move.line.at)),
            href=move.line.href,
            key=f"event-{move.pk}",
        )
        for move in moves
    )
    columns = (
        Column("Recommendation"),
        Column("What happened"),
        Column("Change"),
        Column("Organisation"),
        Column("Day", Kind.DAY),
    )
    note = f"These are the newest {MAX_MOVES} changes." if len(rows) == MAX_MOVES else ""
    return Table(
        code="moved", title="What changed", columns=columns, rows=rows, note=note, empty="Nothing has changed."
    )


RECOMMENDATIONS = Report(
    slug="recommendations",
    title="Recommendations and what changed",
    about="See what organisations are doing about each report’s recommendations, and what has changed since a day that "
    "you choose.",
    group="Asks and promises",
    form=_Filters,
    compute=_compute,
)
