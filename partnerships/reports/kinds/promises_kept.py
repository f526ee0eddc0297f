"""The report on how many of its promises each organisation kept, missed and cancelled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
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
from partnerships.kit.addresses import page_address
from partnerships.kit.forms import DayField, Form
from partnerships.kit.record_fields import RecordSelect
from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.reports.kinds.counting import count_records
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import Cell, Chart, Column, Row, Snapshot, Source, Table
from partnerships.reports.snapshot import Kind as CellKind

#: The table lists at most this many overdue commitments, the longest overdue first.
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
    """The numbers of promises that one organisation kept on time, kept late or cancelled, and so on.

    Each promise is in exactly one of these numbers. `giver_id` is None if the organisation is not in the directory.
    """

    giver: str
    giver_id: int | None
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
        """The share of kept promises among those no longer under way, in per cent. None if all are under way."""
        kept, ended = self.on_time + self.late, self.agreed - self.under_way
        return (Decimal(100) * kept / ended).quantize(Decimal("0.1")) if ended else None

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Return the cells of the giver's row."""
        figures = (self.on_time, self.late, self.overdue, self.cancelled, self.under_way)
        return (self.giver, self.agreed, *figures, self.share)


def _compute(context: ReportContext) -> Snapshot:
    """Count the agreed commitments of each organisation by their outcome, and list those that are overdue."""
    agreed_commitments = _agreed_commitments(context.reader, context.filters)
    counts = _counts_by_giver(agreed_commitments, context.today)
    return Snapshot(
        report=PROMISES_KEPT.slug,
        title=PROMISES_KEPT.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=_answers(counts),
        tables=(
            _giver_table(counts),
            overdue_table(agreed_commitments, longest_overdue(agreed_commitments, context.today), context.today),
        ),
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
    """Return the commitments that match the filters, that both organisations agreed and that were not replaced."""
    commitments = Commitment.objects.visible_to(reader).filter(
        kind=Kind.COMMITMENT, giver_confirmed_at__isnull=False, receiver_confirmed_at__isnull=False
    )
    commitments = commitments.exclude(status=Status.SUPERSEDED)
    if filters.get("partnership"):
        commitments = commitments.filter(partnership=filters["partnership"])
    if filters.get("due_from"):
        commitments = commitments.filter(original_due_on__gte=filters["due_from"])
    if filters.get("due_to"):
        commitments = commitments.filter(original_due_on__lte=filters["due_to"])
    return commitments


def _counts_by_giver(commitments: CommitmentQuerySet, today: dt.date) -> list[_GiverCounts]:
    """Return the counts of each giver, in the order of their names.

    A promise is kept on time if it was delivered by the due date that was first agreed. It is overdue once the due date
    now agreed has passed. For example, a promise that was postponed from May to July is kept late in June.
    """
    is_kept = Q(status__in=(Status.DONE, Status.VERIFIED))
    is_on_time = Q(done_on__lte=F("original_due_on"))
    is_overdue = overdue_on(today)
    rows_by_giver = (
        commitments.order_by()
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
            giver=row["giver__name"] or row["giver_name"],
            giver_id=row["giver"],
            on_time=row["on_time"],
            late=row["late"],
            overdue=row["overdue"],
            cancelled=row["cancelled"],
            under_way=row["under_way"],
        )
        for row in rows_by_giver
    ]
    return sorted(counts, key=lambda giver_counts: (giver_counts.giver.casefold(), giver_counts.giver_id or 0))


def _total(counts: Sequence[_GiverCounts]) -> _GiverCounts:
    """Return the counts of all givers together."""
    return _GiverCounts(
        giver="All",
        giver_id=None,
        on_time=sum(giver_counts.on_time for giver_counts in counts),
        late=sum(giver_counts.late for giver_counts in counts),
        overdue=sum(giver_counts.overdue for giver_counts in counts),
        cancelled=sum(giver_counts.cancelled for giver_counts in counts),
        under_way=sum(giver_counts.under_way for giver_counts in counts),
    )


def _giver_table(counts: Sequence[_GiverCounts]) -> Table:
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
    for giver_counts in counts:
        # A giver outside the directory has no page.
        href = page_address("organisations:detail", giver_counts.giver_id) if giver_counts.giver_id else ""
        key = f"organisation-{giver_counts.giver_id}" if giver_counts.giver_id else ""
        rows.append(Row(giver_counts.cells, href=href, key=key))
    total = Row(_total(counts).cells) if counts else None
    return Table(
        code="givers",
        title="By organisation that promised",
        columns=columns,
        rows=tuple(rows),
        total=total,
        empty="No commitment matches these filters.",
    )


def longest_overdue(commitments: CommitmentQuerySet, today: dt.date) -> CommitmentQuerySet:
    """Return the overdue commitments among these that a table lists, the longest overdue first."""
    return commitments.overdue(today).for_listing().order_by("due_on", "pk")[:_MAX_OVERDUE]


def overdue_table(commitments: CommitmentQuerySet, listed: Iterable[Commitment], today: dt.date) -> Table:
    """Return the table of overdue commitments. `listed` are the rows of `longest_overdue`."""
    listed_commitments = list(listed)
    name_as_at(listed_commitments)

    rows = []
    for commitment in listed_commitments:
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
        rows.append(Row(cells, href=commitment.get_absolute_url(), record=f"commitment:{commitment.pk}"))

    columns = (
        Column("Commitment"),
        Column("Who promised"),
        Column("To"),
        Column("First due", CellKind.DAY),
        Column("Due", CellKind.DAY),
        Column("Days overdue", CellKind.NUMBER),
        Column("Blocked by"),
    )

    count = count_records(commitments.overdue(today), rows, limit=_MAX_OVERDUE)
    left_out = count - len(rows)
    note = f"These are the {_MAX_OVERDUE} commitments longest overdue, out of {count:,}." if left_out else ""
    title, empty = "Overdue commitments", "Nothing is overdue."
    return Table(
        code="overdue", title=title, columns=columns, rows=tuple(rows), note=note, empty=empty, left_out=left_out
    )


def _answers(counts: Sequence[_GiverCounts]) -> tuple[str, ...]:
    """Return the sentences above the tables."""
    if not counts:
        return ()
    total = _total(counts)
    if total.share is None:
        return (f"{counted(total.under_way, 'promise')} under way and not due yet.",)
    kept = total.on_time + total.late
    have = "has" if kept == 1 else "have"
    return (
        (
            f"{kept:,} of {counted(total.agreed, 'promise')} {have} been kept, {total.late:,} of them late. "
            f"That is {total.share}% of those that were delivered, overdue or cancelled."
        ),
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
