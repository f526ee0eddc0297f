"""Contact: which organisations met which, how often, and when last."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from django import forms
from django.http import QueryDict

from partnerships.agreements.columns import offer_partnerships
from partnerships.agreements.models import Partnership
from partnerships.conversations.models import Conversation, Side, Status
from partnerships.kit.forms import DayField, Form
from partnerships.kit.record_fields import RecordSelect
from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Organisation
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import Chart, Column, Kind, Row, Snapshot, Source, Table

#: How many organisations the matrix has: those with most conversations.
MATRIX = 12
#: The table lists at most this many pairs, those that met most often.
_MAX_PAIRS = 300
#: Without dates, the report covers this many days up to today.
_DEFAULT_DAYS = 365
_HELD = (Status.CIRCULATED, Status.CORRECTED, Status.AGREED)
#: Two organisations, by id.
_Pair: TypeAlias = tuple[int, int]


class _Filters(Form):
    """Which conversations count."""

    partnership = forms.ModelChoiceField(
        label="Partnership",
        required=False,
        queryset=Partnership.objects.none(),
        widget=RecordSelect(),
        empty_label="Any partnership, or none",
    )
    first = DayField(label="From", required=False, help_text="Leave empty for the last year.")
    last = DayField(label="Up to", required=False)

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        offer_partnerships(self, reader)


def _compute(context: ReportContext) -> Snapshot:
    """Count how often each pair of organisations met between the two days."""
    last = context.filters.get("last") or context.today
    first = context.filters.get("first") or last - dt.timedelta(days=_DEFAULT_DAYS)
    held = Conversation.objects.visible_to(context.reader).filter(status__in=_HELD, held_on__range=(first, last))
    if context.filters.get("partnership"):
        held = held.filter(partnership=context.filters["partnership"])
    day_by_conversation = dict(held.values_list("pk", "held_on"))
    organisations_by_conversation: defaultdict[int, set[int]] = defaultdict(set)
    sides = Side.objects.filter(conversation__in=held.values("pk"))
    for conversation, organisation in sides.values_list("conversation", "organisation"):
        organisations_by_conversation[conversation].add(organisation)

    met: Counter[_Pair] = Counter()
    latest: dict[_Pair, dt.date] = {}
    for conversation, organisations in organisations_by_conversation.items():
        for pair in combinations(sorted(organisations), 2):
            met[pair] += 1
            latest[pair] = max(day_by_conversation[conversation], latest.get(pair, first))
    names = dict(Organisation.objects.filter(pk__in={pk for pair in met for pk in pair}).values_list("pk", "name"))
    answer = f"{counted(len(day_by_conversation), 'conversation')} between {counted(len(names), 'organisation')}."
    return Snapshot(
        report=CONTACT.slug,
        title=CONTACT.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=(answer,) if met else (),
        tables=(_pairs(met, latest, names), _matrix(met, names)),
        charts=(Chart("Conversations of the pairs that met most often", "pairs", (1,)),),
        sources=(Source("Records of conversations that were circulated or agreed", context.today),),
        notes=("A conversation of three organisations counts for each of the three pairs.",),
    )


def _pairs(met: Counter[_Pair], latest: Mapping[_Pair, dt.date], names: Mapping[int, str]) -> Table:
    def words(pair: _Pair) -> str:
        return " and ".join(sorted(names[pk] for pk in pair))

    ordered = sorted(met, key=lambda pair: (-met[pair], words(pair)))[:_MAX_PAIRS]
    rows = tuple(Row((words(pair), met[pair], latest[pair]), key=f"{pair[0]}-{pair[1]}") for pair in ordered)
    columns = (Column("Who met"), Column("Conversations", Kind.NUMBER), Column("Last met on", Kind.DAY))
    return Table("pairs", "Which organisations met", columns, rows, empty="No conversations in this period.")


def _matrix(met: Counter[_Pair], names: Mapping[int, str]) -> Table:
    """Return how often each two of the organisations with most conversations met; None if they never met."""
    totals: Counter[int] = Counter()
    for pair, count in met.items():
        totals.update(dict.fromkeys(pair, count))
    most = sorted(totals, key=lambda pk: (-totals[pk], names[pk]))[:MATRIX]
    shown: Sequence[int] = sorted(most, key=lambda pk: names[pk])
    columns = (Column("Organisation"), *(Column(names[pk], Kind.NUMBER) for pk in shown))
    rows = tuple(
        Row((names[pk], *(met.get((min(pk, other), max(pk, other))) for other in shown)), key=str(pk)) for pk in shown
    )
    note = f"These are the {MATRIX} organisations with the most conversations." if len(totals) > MATRIX else ""
    return Table("matrix", "As a matrix", columns, rows, note=note, empty="No conversations in this period.")


CONTACT = Report(
    slug="contact",
    title="Contact",
    about="Which organisations met, how often, and when they last met.",
    group="Partnerships",
    form=_Filters,
    compute=_compute,
)
