"""The report on how many asks are unanswered, how long they have waited and who made them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django import forms
from django.db.models import Case, Count, Q, Value, When
from django.http import QueryDict
from django.utils import timezone

from partnerships.agreements.columns import offer_partnerships
from partnerships.agreements.models import Partnership
from partnerships.exchange.models import Direction, Entry, EntryQuerySet, Theme
from partnerships.exchange.queries.listings import name_as_at
from partnerships.kit.choice_fields import choice_field
from partnerships.kit.forms import Form
from partnerships.kit.moments import beginning_of
from partnerships.kit.record_fields import RecordSelect
from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.reports.kinds.counting import count_records
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import Chart, Column, Kind, Row, Snapshot, Source, Table

#: The table lists at most this many asks, those that have waited longest.
_MAX_LISTED = 200
#: The lowest age of each group in days, and the label of the group, the youngest first.
_AGES = ((0, "Up to 2 weeks"), (15, "Up to 4 weeks"), (29, "Up to 8 weeks"), (57, "Up to half a year"), (183, "Longer"))


class _Filters(Form):
    """The filters of the report, which are a theme and a partnership."""

    theme = forms.ChoiceField(label="Theme", required=False)
    partnership = forms.ModelChoiceField(
        label="Shared with the partnership",
        required=False,
        queryset=Partnership.objects.none(),
        widget=RecordSelect(),
        empty_label="Any partnership",
    )

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        theme = choice_field(self, "theme")
        theme.choices = [("", "Any theme"), *Theme.all_choices()]
        offer_partnerships(self, reader)


def _compute(context: ReportContext) -> Snapshot:
    """Count the unanswered asks by age and theme, and list the oldest asks."""
    asks = Entry.objects.visible_to(context.reader).filter(direction=Direction.ASK).unanswered()
    if context.filters.get("theme"):
        asks = asks.filter(theme=context.filters["theme"])
    if context.filters.get("partnership"):
        asks = asks.filter(partnership=context.filters["partnership"])
    counts = _counts(asks, context.today)
    ages, themes = _by_age(counts), _by_theme(counts)
    oldest = oldest_table(asks, longest_waiting(asks), context.today, ask_count=sum(map(sum, counts.values())))
    return Snapshot(
        report=UNANSWERED_ASKS.slug,
        title=UNANSWERED_ASKS.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=_answers(ages, oldest),
        tables=(ages, themes, oldest),
        charts=(Chart("Unanswered asks by age", "ages", (1,)),),
        sources=(Source("Asks that were shared in Common Ground", context.today),),
        notes=("An ask waits from the day it was shared until it gets any answer.",),
    )


def _shared_before(today: dt.date, days: int) -> Q:
    """Return the condition that an ask is at least this many days old."""
    first_day = today - dt.timedelta(days=days - 1)
    return Q(shared_at__lt=beginning_of(first_day))


def _counts(asks: EntryQuerySet, today: dt.date) -> dict[str, list[int]]:
    """Return the number of asks in each of the `_AGES`, by the code of their theme. One query counts them all."""
    least_days = [(index, days) for index, (days, _label) in enumerate(_AGES) if days]
    # The oldest group comes first, because the first condition that is true decides.
    age = Case(
        *(When(_shared_before(today, days), then=Value(index)) for index, days in reversed(least_days)),
        default=Value(0),
    )
    rows = asks.order_by().annotate(age=age).values("theme", "age").annotate(number=Count("pk")).order_by("theme")
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(_AGES))
    for row in rows:
        counts[row["theme"]][row["age"]] = row["number"]
    return counts


def _by_age(counts: Mapping[str, Sequence[int]]) -> Table:
    """Return the table of asks by age."""
    rows = tuple(
        Row((label, sum(counts_of_theme[index] for counts_of_theme in counts.values())))
        for index, (_days, label) in enumerate(_AGES)
    )
    columns = (Column("Waiting for"), Column("Asks", Kind.NUMBER))
    return Table(
        code="ages", title="By age", columns=columns, rows=rows, total=Row(("All", sum(map(sum, counts.values()))))
    )


def _by_theme(counts: Mapping[str, Sequence[int]]) -> Table:
    """Return the table of asks by theme, the most asks first."""
    labels = dict(Theme.all_choices())
    # Themes with the same number of asks remain in order of their codes, because sorting is stable.
    largest_first = sorted(counts.items(), key=lambda theme_and_counts: -sum(theme_and_counts[1]))
    # The first two ages are up to 4 weeks.
    rows = tuple(
        Row((labels.get(theme, theme), sum(counts_by_age), sum(counts_by_age[2:])))
        for theme, counts_by_age in largest_first
    )
    columns = (Column("Theme"), Column("Asks", Kind.NUMBER), Column("Older than 4 weeks", Kind.NUMBER))
    return Table(
        code="themes", title="By theme", columns=columns, rows=rows, empty="No asks are waiting for an answer."
    )


def longest_waiting(asks: EntryQuerySet) -> EntryQuerySet:
    """Return those of these asks that a table lists, the longest waiting first."""
    return asks.for_listing().order_by("shared_at", "pk")[:_MAX_LISTED]


def oldest_table(
    asks: EntryQuerySet, listed: Iterable[Entry], today: dt.date, *, ask_count: int | None = None
) -> Table:
    """Return the table of the asks that have waited longest. `listed` are the rows of `longest_waiting`.

    A caller that has counted all asks gives `ask_count`, so that they are not counted again.
    """
    rows = []
    oldest_asks = list(listed)
    name_as_at(oldest_asks)
    for ask in oldest_asks:
        assert ask.shared_at is not None  # drafts are not unanswered
        shared_on = timezone.localdate(ask.shared_at)
        cells = (ask.title, str(ask.organisation), shared_on, (today - shared_on).days, ask.closes_on)
        rows.append(Row(cells, href=ask.get_absolute_url(), key=f"entry-{ask.pk}", record=f"entry:{ask.pk}"))
    columns = (
        Column("Ask"),
        Column("Who asks"),
        Column("Shared on", Kind.DAY),
        Column("Days without an answer", Kind.NUMBER),
        Column("Closes on", Kind.DAY),
    )
    if ask_count is None:
        ask_count = count_records(asks, rows, limit=_MAX_LISTED)
    left_out = ask_count - len(rows)
    note = f"These are the {_MAX_LISTED} asks that have waited longest, out of {ask_count:,}." if left_out else ""
    title, empty = "Unanswered asks, longest waiting first", "No asks are waiting for an answer."
    return Table(code="asks", title=title, columns=columns, rows=tuple(rows), note=note, empty=empty, left_out=left_out)


def _answers(ages: Table, oldest: Table) -> tuple[str, ...]:
    """Return the sentence on the number of unanswered asks, and the age of the oldest ask."""
    count = int(str(ages.total.cells[1])) if ages.total else 0
    if not oldest.rows:
        return ("No asks are waiting for an answer.",)
    days_waited = counted(int(str(oldest.rows[0].cells[3])), "day")
    if count == 1:
        return (f"1 ask has no answer yet. It has waited {days_waited}.",)
    return (f"{count:,} asks have no answer yet. The oldest has waited {days_waited}.",)


UNANSWERED_ASKS = Report(
    slug="unanswered-asks",
    title="Unanswered asks by age",
    about="See how many asks nobody has answered yet, how long they have waited and what they are about.",
    group="Asks and promises",
    form=_Filters,
    compute=_compute,
)
