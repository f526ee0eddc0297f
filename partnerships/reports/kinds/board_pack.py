"""The board pack: what a board needs to know and decide about its partnerships since its last meeting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import resolve
from django.utils import timezone

from partnerships.agreements.agenda import LookBack, Purpose, ids_of, suggestions_by_source
from partnerships.agreements.models import Partnership
from partnerships.agreements.queries.sharing import is_data_sharing_open
from partnerships.kit.addresses import page_address
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.dates import long_date
from partnerships.kit.forms import DayField, Form
from partnerships.kit.moments import beginning_of, end_of
from partnerships.kit.record_fields import RecordsField
from partnerships.kit.text import counted
from partnerships.nominations.queries import newest_masked_totals, newest_records
from partnerships.nominations.rights import read_by, read_by_lookups
from partnerships.organisations.audience import Reader
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.plans.queries.pipeline import PipelineFilters, homes_pipeline
from partnerships.recommendations.queries.adoptions import adoptions_of_partnerships
from partnerships.reports.kinds.board_pack_rows import (
    commitments,
    last_meeting_rows,
    nominations_rows,
    overdue_rows,
    read_parts_ahead,
    risk_rows,
    unanswered_asks,
    unanswered_rows,
)
from partnerships.reports.kinds.homes_tables import EarlierFigures, RowNames, division_table, slip_table
from partnerships.reports.kinds.promises_kept import overdue_table
from partnerships.reports.kinds.unanswered_asks import oldest_table
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import Cell, Chart, Column, Kind, Row, Snapshot, Source, Table

#: A pack covers at most this many partnerships.
MAX_PARTNERSHIPS = 20
#: The time that a pack covers for a partnership that has never met.
_FIRST_LOOK_BACK = dt.timedelta(days=90)
#: A pack lists at most this many risks, those with the highest score first.
_MAX_RISKS = 30
_NO_PARTNERSHIP = (
    "None of your partnerships is under way. You can make a board pack once your organisation takes part in one."
)
#: The heading of the column with each row's partnership.
_WITHIN = "Partnership"
_PARTS = {
    "decisions": "Decisions needed",
    "discussion": "What needs discussion",
    "changes": "What has changed",
    "overdue": "Overdue commitments",
    "unanswered": "Unanswered asks",
    "pipeline": "Homes pipeline",
    "nominations": "Nominations",
    "recommendations": "Recommendations",
    "risks": "Risks",
}


class _Filters(Form):
    """The filters of the board pack: partnerships, parts, and the day on which it starts."""

    partnership = RecordsField(label="Partnerships", queryset=Partnership.objects.none())
    since = DayField(
        label="Since", required=False, help_text="Leave this empty to start at each partnership’s last meeting."
    )
    part = forms.MultipleChoiceField(
        label="Parts",
        required=False,
        choices=list(_PARTS.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text="Leave all parts unticked to include every part.",
    )

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        model_choice_field(self, "partnership").queryset = (
            Partnership.objects.readable_today_by(reader).live().order_by("title", "pk")
        )


@dataclass(frozen=True, slots=True)
class _Pack:
    """The partnerships of a pack. By the id of each, `since` is the moment at which the pack starts for it."""

    reader: Reader
    partnerships: Sequence[Partnership]
    since: Mapping[int, dt.datetime]
    now: dt.datetime
    today: dt.date

    @property
    def ids(self) -> list[int]:
        """Return the ids of the partnerships, in the order of the pack."""
        return [partnership.pk for partnership in self.partnerships]

    @property
    def has_partnership_column(self) -> bool:
        """Whether each row names its partnership. A pack of one partnership does not need this: its title names it."""
        return len(self.partnerships) != 1

    def index_of(self, partnership_id: int) -> int:
        """Return the index of a partnership in the pack."""
        return self.ids.index(partnership_id)

    def partnership_cell(self, partnership_id: int) -> tuple[str, ...]:
        """Return the cell with a row's partnership; no cell if rows do not name it."""
        return (self.partnerships[self.index_of(partnership_id)].title,) if self.has_partnership_column else ()

    def columns(self, *labels: str) -> tuple[Column, ...]:
        """Return columns with these labels, but without "Partnership" if rows do not name it."""
        return tuple(Column(label) for label in labels if label != _WITHIN or self.has_partnership_column)

    @property
    def first_day(self) -> dt.date:
        """Return the earliest day that the pack covers for any partnership."""
        return timezone.localdate(min(self.since.values(), default=self.now))


def _compute(context: ReportContext) -> Snapshot:
    """Build the chosen parts of the pack one after the other, and report the progress after each."""
    pack = _read_pack(context)
    suggested_rows = _read_suggested(pack)
    chosen_parts = context.filters.get("part") or list(_PARTS)
    parts_in_order = [part for part in _PARTS if part in chosen_parts]
    tables: list[Table] = []
    for step, part in enumerate(parts_in_order, 1):
        tables += _BUILDERS[part](pack, suggested_rows)
        context.progress(step, len(parts_in_order) + 1)  # the last step is to write the file

    names = ", ".join(partnership.title for partnership in pack.partnerships)
    charts = (Chart("Homes by year of completion", "year", (1, 2)),) if "pipeline" in chosen_parts else ()
    return Snapshot(
        report=BOARD_PACK.slug,
        title="Board pack",
        made_at=context.now,
        made_for=context.made_for,
        filters=(names or "No partnership", f"Since {long_date(pack.first_day)}"),
        answers=_answers(tables) if pack.partnerships else (_NO_PARTNERSHIP,),
        tables=tuple(tables) if pack.partnerships else (),
        charts=charts if pack.partnerships else (),
        sources=(
            Source("Partnerships, plans, commitments, asks, meetings, nominations and recommendations", context.today),
        ),
        notes=tuple(_notes(pack, context)),
    )


def _notes(pack: _Pack, context: ReportContext) -> Iterator[str]:
    """Yield the notes that apply to this pack."""
    if len(pack.partnerships) == MAX_PARTNERSHIPS:
        yield f"A board pack covers at most {MAX_PARTNERSHIPS} partnerships."
    if pack.partnerships and not context.filters.get("since"):
        yield "This pack starts at the last meeting of each partnership, or 90 days ago if there was no meeting."
    yield "We hide small numbers of nominations, so that nobody can be recognised."


def _read_pack(context: ReportContext) -> _Pack:
    """Return the pack of the chosen partnerships, or of all the reader's partnerships if none is chosen."""
    readable = Partnership.objects.readable_today_by(context.reader).live().select_related("kind")
    if chosen := context.filters.get("partnership"):
        # In place of a partnership that the reader may not choose, the filter has `UNREADABLE`.
        chosen_ids = [record.pk for record in chosen if isinstance(record, Partnership)]
        readable = readable.filter(pk__in=chosen_ids)
    partnerships = list(readable.order_by("title", "pk")[:MAX_PARTNERSHIPS])

    partnership_ids = ids_of(partnerships)
    if partnerships:
        read_parts_ahead(context.reader, partnership_ids, context.filters.get("part") or list(_PARTS), context.now)
    last_meeting = dict(rows_for(last_meeting_rows, context.reader, partnership_ids, context.now))
    if chosen_day := context.filters.get("since"):
        since = dict.fromkeys((partnership.pk for partnership in partnerships), beginning_of(chosen_day))
    else:
        first_look = context.now - _FIRST_LOOK_BACK
        since = {partnership.pk: last_meeting.get(partnership.pk, first_look) for partnership in partnerships}
    return _Pack(reader=context.reader, partnerships=partnerships, since=since, now=context.now, today=context.today)


#: Rows of suggested agenda items, by what the meeting should do with them.
_Suggested = Mapping[Purpose, Sequence[Row]]


def _read_suggested(pack: _Pack) -> _Suggested:
    """Return rows of the items that other rooms suggest for the next meetings, in the order of the partnerships."""
    since = LookBack(pack.since, pack.now)
    suggestions = [
        (source, item)
        for source, items in suggestions_by_source(pack.reader, pack.partnerships, since)
        for item in items
    ]
    rows: dict[Purpose, list[Row]] = {purpose: [] for purpose in Purpose}
    for source, item in sorted(suggestions, key=lambda pair: pack.index_of(pair[1].partnership_id)):
        cells = (item.title, source.heading, *pack.partnership_cell(item.partnership_id), item.detail)
        key = f"{item.subject_kind}-{item.subject_id}-{source.name}"
        rows[item.purpose].append(Row(cells, href=item.path, key=key, record=f"{item.subject_kind}:{item.subject_id}"))
    return rows


def _suggested_part(part: str, purpose: Purpose, empty: str) -> Callable[[_Pack, _Suggested], list[Table]]:
    """Return a function that builds the part with the suggested items of one purpose."""

    def build_tables(pack: _Pack, suggested: _Suggested) -> list[Table]:
        columns = pack.columns("What", "Why", _WITHIN, "Details")
        return [Table(part, _PARTS[part], columns, tuple(suggested[purpose]), empty=empty)]

    return build_tables


def _overdue(pack: _Pack, _suggested: _Suggested) -> list[Table]:
    """Return the table of overdue commitments."""
    listed = rows_for(overdue_rows, pack.reader, pack.ids, pack.now)
    return [overdue_table(commitments(pack.reader, pack.ids), listed, pack.today)]


def _unanswered(pack: _Pack, _suggested: _Suggested) -> list[Table]:
    """Return the table of asks that have been unanswered for longest."""
    listed = rows_for(unanswered_rows, pack.reader, pack.ids, pack.now)
    return [oldest_table(unanswered_asks(pack.reader, pack.ids), listed, pack.today)]


def _pipeline(pack: _Pack, _suggested: _Suggested) -> list[Table]:
    """Return the tables of homes to come, by year and by tenure, and of the sites with a forecast that has moved."""
    # An empty list would mean all plans. No partnership has the id 0, so that the pipeline then reads no plan.
    filters = PipelineFilters(partnerships=pack.ids or [0])
    pipeline = homes_pipeline(
        pack.reader, filters, earlier=end_of(pack.first_day), now=pack.now, divisions=("year", "tenure")
    )
    earlier = EarlierFigures(pack.first_day)
    names = RowNames(pipeline)
    return [
        division_table("year", "Homes by year of completion", pipeline, earlier, names),
        division_table("tenure", "Homes by tenure", pipeline, earlier, names),
        slip_table(pipeline.slips, earlier),
    ]


def _nominations(pack: _Pack, _suggested: _Suggested) -> list[Table]:
    """Return the table with the newest quarter of each nominations agreement.

    Agreements whose figures the reader may not read are left out.
    """
    agreements = rows_for(nominations_rows, pack.reader, pack.ids, pack.now)
    partnership_ids = [agreement.partnership_id for agreement in agreements]
    read_ahead([*read_by_lookups(partnership_ids, pack.now), lookup(newest_records, partnership_ids)])
    readable_agreements = read_by(agreements, pack.reader, pack.now)
    total_by_agreement = newest_masked_totals(partnership_ids)
    rows = []
    for agreement in readable_agreements:
        if agreement.pk in total_by_agreement:
            quarter, line = total_by_agreement[agreement.pk]
            cells = (
                agreement.partnership.title,
                str(quarter),
                line.lettings,
                line.nominated,
                line.achieved,
                line.share,
            )
            rows.append(Row(cells, href=agreement.get_absolute_url(), record=f"nominations_agreement:{agreement.pk}"))
    columns = (
        Column("Partnership"),
        Column("Quarter"),
        Column("Let", Kind.NUMBER),
        Column("To nominees", Kind.NUMBER),
        Column("Achieved", Kind.SHARE),
        Column("Agreed", Kind.SHARE),
    )
    return [Table("nominations", _PARTS["nominations"], columns, tuple(rows), empty="No nominations figures.")]


def _withhold(snapshot: Snapshot, reader: Reader, now: dt.datetime) -> Snapshot:
    """Remove the nominations figures for which no data-sharing agreement binds the reader now."""
    table = snapshot.table("nominations")
    if table is None or not table.rows:
        return snapshot
    partnership_ids = {row.href: resolve(row.href).kwargs["pk"] for row in table.rows}
    partnerships = Partnership.objects.select_related("kind").in_bulk(partnership_ids.values())
    day = timezone.localdate(now)
    open_ids = {pk for pk, partnership in partnerships.items() if is_data_sharing_open(partnership, day, reader)}
    rows = tuple(row for row in table.rows if partnership_ids[row.href] in open_ids)
    if len(rows) == len(table.rows):
        return snapshot
    note = "Some figures cannot be shown, because no data-sharing agreement is in force for them now."
    reduced_table = replace(table, rows=rows, note=note, empty=note)
    return replace(snapshot, tables=tuple(reduced_table if other is table else other for other in snapshot.tables))


def _recommendations(pack: _Pack, _suggested: _Suggested) -> list[Table]:
    """Return the table of recommendations, except those dropped before the pack starts for their partnership."""
    rows = []
    adopted = adoptions_of_partnerships(pack.reader, pack.partnerships)
    for overview in sorted(adopted, key=lambda overview: pack.index_of(overview.adoption.partnership_id)):
        adoption = overview.adoption
        if adoption.is_dropped and adoption.changed_at < pack.since[adoption.partnership_id]:
            continue
        outcomes = "; ".join(f"{record.title} ({record.status.lower()})" for record in overview.outcomes)
        responses = "; ".join(
            f"{response.organisation.display_name}: {response.get_status_display().lower()}"
            for response in overview.responses
        )
        cells: tuple[Cell, ...] = (
            overview.recommendation.title,
            *pack.partnership_cell(adoption.partnership_id),
            adoption.get_status_display(),
            timezone.localdate(adoption.changed_at),
            outcomes,
            responses,
        )
        key, record = f"adoption-{adoption.pk}", f"recommendation_adoption:{adoption.pk}"
        rows.append(Row(cells, href=adoption.get_absolute_url(), key=key, record=record))
    columns = (
        *pack.columns("Recommendation", _WITHIN, "Status"),
        Column("Since", Kind.DAY),
        *pack.columns("Outcomes", "What the parties are doing"),
    )
    title, empty = _PARTS["recommendations"], "These partnerships have not taken up any recommendations."
    return [Table("recommendations", title, columns, tuple(rows), empty=empty)]


def _risks(pack: _Pack, _suggested: _Suggested) -> list[Table]:
    """Return the table of risks in the open versions of plans, with the highest score first."""
    rows = []
    for plan_id, title, risks in rows_for(risk_rows, pack.reader, pack.ids, pack.now):
        for risk in risks or ():
            likelihood, impact = int(risk["likelihood"]), int(risk["impact"])
            cells = (risk["title"], title, likelihood, impact, likelihood * impact, risk["owner"])
            page, key = page_address("plans:detail", plan_id), f"{plan_id}/{risk['key']}"
            rows.append(Row(cells, href=page, key=key, record=f"plan:{plan_id}"))
    rows.sort(key=_by_score)
    columns = (
        Column("Risk"),
        Column("Plan"),
        Column("Likelihood", Kind.NUMBER),
        Column("Impact", Kind.NUMBER),
        Column("Score", Kind.NUMBER),
        Column("Owner"),
    )
    left_out = max(len(rows) - _MAX_RISKS, 0)
    note = f"These are the {_MAX_RISKS} risks with the highest scores, out of {len(rows):,}." if left_out else ""
    shown_rows, empty = tuple(rows[:_MAX_RISKS]), "The plans of these partnerships list no risks."
    return [Table("risks", _PARTS["risks"], columns, shown_rows, note=note, empty=empty, left_out=left_out)]


def _by_score(row: Row) -> tuple[int, str]:
    """Return a sort key for a row of risks: the highest score first, then by identity."""
    return -int(str(row.cells[4])), row.identity


_BUILDERS: Mapping[str, Callable[[_Pack, Any], list[Table]]] = {
    "decisions": _suggested_part("decisions", Purpose.DECISION, "Nothing is waiting for a decision."),
    "discussion": _suggested_part("discussion", Purpose.DISCUSSION, "Nothing needs discussion."),
    "changes": _suggested_part("changes", Purpose.INFORMATION, "Nothing has changed."),
    "overdue": _overdue,
    "unanswered": _unanswered,
    "pipeline": _pipeline,
    "nominations": _nominations,
    "recommendations": _recommendations,
    "risks": _risks,
}


#: The tables whose rows the answer counts, with the verb or noun that follows each number.
_AGENDA = {"decisions": "decide", "discussion": "discuss"}
_LISTED = {"overdue": "overdue commitment", "asks": "unanswered ask", "risks": "risk"}


def _answers(tables: Sequence[Table]) -> tuple[str, ...]:
    """Return one sentence with the number of rows of the most important tables; no sentence without such tables."""
    counts = {table.code: table.row_count for table in tables}
    sentences = [f"{counts[code]:,} to {verb}" for code, verb in _AGENDA.items() if code in counts]
    sentences += [counted(counts[code], noun) for code, noun in _LISTED.items() if code in counts]
    return (f"{', '.join(sentences).capitalize()}.",) if sentences else ()


BOARD_PACK = Report(
    slug="board-pack",
    title="Board pack",
    about="Print or send what a board needs to know and decide about its partnerships since its last meeting.",
    group="Partnerships",
    form=_Filters,
    compute=_compute,
    takes_long=True,
    withhold=_withhold,
)
