"""The report on promises kept: how many commitments each organisation made, kept, missed and cancelled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate
from django.http import QueryDict

from partnerships.agreements.columns import offer_partnerships
from partnerships.agreements.models import Partnership
from partnerships.commitments.models import UNDER_WAY_STATUSES, Commitment, CommitmentQuerySet, Kind, Status, overdue_on
from partnerships.commitments.queries import name_as_at
from partnerships.kit.forms import DayField, Form
from partnerships.kit.record_fields import RecordSelect
from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.reports.kinds.counting import count_records
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import Cell, Chart, Column, Row, Snapshot, Source, Table
from partnerships.reports.snapshot import Kind as CellKind

#: The most overdue commitments that the table lists, the longest overdue first.
_MAX_OVERDUE = 100


class _Filters(Form):
    """The filters of the report on promises kept."""

    partnership = forms.ModelChoiceField(
        label="Partnership",
        required=False,
        queryset=Partnership.objects.none(),
        widget=RecordSelect(),
        empty_label="Any partnership",
    )
    due_from = DayField(label="First due from", required=False)
    due_to = DayField(label="First due up to", required=False)

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        offer_partnerships(self, reader)


@dataclass(frozen=True, slots=True)
class _GiverCounts:
    """The numbers of one giver's promises that were kept on time or late, are overdue, cancelled or under way."""

    giver: str
    pk: int | None
    on_time: int
    late: int
    overdue: int
    cancelled: int
    under_way: int

    @property
    def agreed(self) -> int:
        """Return the number of promises that the giver agreed."""
        return self.on_time + self.late + self.overdue + self.cancelled + self.under_way

    @property
    def share(self) -> Decimal | None:
        """The share of kept promises among those no longer under way, in per cent; None if all are under way."""
        kept, ended = self.on_time + self.late, self.agreed - self.under_way
        return (Decimal(100) * kept / ended).quantize(Decimal("0.1")) if ended else None

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Return the cells of the giver's row."""
        figures = (self.on_time, self.late, self.overdue, self.cancelled, self.under_way)
        return (self.giver, self.agreed, *figures, self.share)


def _compute(context: ReportContext) -> Snapshot:
    """Count by giver which agreed commitments were kept on time."""
    agreed_commitments = _agreed_commitments(context.reader, context.filters)
    lines = _by_giver(agreed_commitments, context.today)
    return Snapshot(
        report=PROMISES_KEPT.slug,
        title=PROMISES_KEPT.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=_answers(lines),
        tables=(_giver_table(lines), overdue_table(agreed_commitments, context.today)),
        charts=(Chart("Kept and overdue, by organisation that promised", "givers", (2, 4)),),
        sources=(Source("Commitments in Common Ground", context.today),),
        notes=(
            "This report counts commitments that both organisations agreed.",
            "It leaves out actions and commitments that were replaced.",
            "“Kept on time” means delivered by the due date that was first agreed, and “kept late” means after it.",
            "“Overdue” means that the due date now agreed has passed without delivery.",
            "“Share kept” is the share of kept commitments among all that were delivered, overdue or cancelled.",
        ),
    )


def _agreed_commitments(reader: Reader, filters: Any) -> CommitmentQuerySet:
    """Return the promises that count: commitments that both organisations agreed and did not replace."""
    rows = Commitment.objects.visible_to(reader).filter(
        kind=Kind.COMMITMENT, giver_confirmed_at__isnull=False, receiver_confirmed_at__isnull=False
    )
    rows = rows.exclude(status=Status.SUPERSEDED)
    if filters.get("partnership"):
        rows = rows.filter(partnership=filters["partnership"])
    if filters.get("due_from"):
        rows = rows.filter(original_due_on__gte=filters["due_from"])
    if filters.get("due_to"):
        rows = rows.filter(original_due_on__lte=filters["due_to"])
    return rows


def _by_giver(rows: CommitmentQuerySet, today: dt.date) -> list[_GiverCounts]:
    """Return the counts of each giver, by name.

    The first agreed due date decides whether a promise was kept on time, and the present due date whether it is
    overdue.
    """
    is_kept = Q(status__in=(Status.DONE, Status.VERIFIED))
    is_on_time = Q(done_on__lte=F("original_due_on"))
    is_overdue = overdue_on(today)
    rows_by_giver = (
        rows.order_by()
        .annotate(done_on=TruncDate("done_at"))
        .values("giver", "giver__name", "giver_name")
        .annotate(
            on_time=Count("pk", filter=is_kept & is_on_time),
            late=Count("pk", filter=is_kept & ~is_on_time),
            overdue=Count("pk", filter=is_overdue),
            cancelled=Count("pk", filter=Q(status=Status.CANCELLED)),
            under_way=Count("pk", filter=Q(status__in=UNDER_WAY_STATUSES) & ~is_overdue),
        )
    )
    counts = [
        _GiverCounts(
            row["giver__name"] or row["giver_name"],
            row["giver"],
            row["on_time"],
            row["late"],
            row["overdue"],
            row["cancelled"],
            row["under_way"],
        )
        for row in rows_by_giver
    ]
    return sorted(counts, key=lambda giver_counts: (giver_counts.giver.casefold(), giver_counts.pk or 0))


def _total(lines: Sequence[_GiverCounts]) -> _GiverCounts:
    """Return the counts of all givers together."""
    columns = zip(
        *((line.on_time, line.late, line.overdue, line.cancelled, line.under_way) for line in lines), strict=True
    )
    return _GiverCounts("All", None, *map(sum, columns))


def _giver_table(lines: Sequence[_GiverCounts]) -> Table:
    """Return a row for each giver, and a total if there are any rows."""
    columns = (
        Column("Who promised"),
        Column("Agreed", CellKind.NUMBER),
        Column("Kept on time", CellKind.NUMBER),
        Column("Kept late", CellKind.NUMBER),
        Column("Overdue", CellKind.NUMBER),
        Column("Cancelled", CellKind.NUMBER),
        Column("Under way", CellKind.NUMBER),
        Column("Share kept", CellKind.SHARE),
    )
    rows = []
    for line in lines:
        # A giver outside the directory has no page.
        href = f"/organisations/{line.pk}/" if line.pk else ""
        key = f"organisation-{line.pk}" if line.pk else ""
        rows.append(Row(line.cells, href, key))
    total = Row(_total(lines).cells) if lines else None
    return Table(
        code="givers",
        title="By organisation that promised",
        columns=columns,
        rows=tuple(rows),
        total=total,
        empty="No commitment matches these filters.",
    )


def overdue_table(commitments: CommitmentQuerySet, today: dt.date) -> Table:
    """Return the table of overdue commitments, the longest overdue first."""
    overdue_commitments = commitments.overdue(today)
    longest_overdue = list(overdue_commitments.for_listing().order_by("due_on", "pk")[:_MAX_OVERDUE])
    name_as_at(longest_overdue)

    rows = []
    for commitment in longest_overdue:
        assert commitment.due_on is not None  # an overdue commitment has a due date
        cells = (
            commitment.reference,
            str(commitment.giver or commitment.giver_name),
            str(commitment.receiver),
            commitment.original_due_on,
            commitment.due_on,
            (today - commitment.due_on).days,
            commitment.blocker,
        )
        rows.append(Row(cells, commitment.get_absolute_url(), record=f"commitment:{commitment.pk}"))

    columns = (
        Column("Commitment"),
        Column("Who promised"),
        Column("To"),
        Column("First due", CellKind.DAY),
        Column("Due", CellKind.DAY),
        Column("Days overdue", CellKind.NUMBER),
        Column("Blocked by"),
    )

    count = count_records(overdue_commitments, rows, limit=_MAX_OVERDUE)
    left_out = count - len(rows)
    note = f"These are the {_MAX_OVERDUE} commitments longest overdue, out of {count:,}." if left_out else ""
    title, empty = "Overdue commitments", "Nothing is overdue."
    return Table("overdue", title, columns, tuple(rows), note=note, empty=empty, left_out=left_out)


def _answers(lines: Sequence[_GiverCounts]) -> tuple[str, ...]:
    """Return the sentences above the tables."""
    if not lines:
        return ()
    total = _total(lines)
    if total.share is None:
        return (f"{counted(total.under_way, 'promise')} under way and not due yet.",)
    kept, share_in_words = total.on_time + total.late, f"{total.share}% of those that were due"
    return (
        f"{kept:,} of {total.agreed:,} promises are kept ({share_in_words}), {total.late:,} of them late.",
        f"Overdue: {total.overdue:,}. Cancelled: {total.cancelled:,}. Under way: {total.under_way:,}.",
    )


PROMISES_KEPT = Report(
    slug="promises-kept",
    title="Promises kept",
    about="See which promises each organisation kept on time or late, and which are overdue, cancelled or under way.",
    group="Asks and promises",
    form=_Filters,
    compute=_compute,
)
