"""The contact report: which organisations met, how often, and when they last met."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from django import forms
from django.db.models import QuerySet
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

#: The matrix has at most this many organisations, those with the most conversations.
MATRIX = 12
#: The table of pairs lists at most this many, those that met most often.
_MAX_PAIRS = 300
#: Without dates, the report covers this many days up to today.
_DEFAULT_DAYS = 365
_HELD = (Status.CIRCULATED, Status.CORRECTED, Status.AGREED)
#: Two organisations, by id.
_Pair: TypeAlias = tuple[int, int]


class _Filters(Form):
    """The filters of the report: a partnership and a period."""

    partnership = forms.ModelChoiceField(
        label="Partnership",
        required=False,
        queryset=Partnership.objects.none(),
        widget=RecordSelect(),
        empty_label="Any partnership, or no partnership",
    )
    first = DayField(label="From", required=False, help_text="Leave this empty to see the last year.")
    last = DayField(label="Up to", required=False)

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        offer_partnerships(self, reader)


def _compute(context: ReportContext) -> Snapshot:
    """Count how often each pair of organisations met in the period."""
    last_day = context.filters.get("last") or context.today
    first_day = context.filters.get("first") or last_day - dt.timedelta(days=_DEFAULT_DAYS)
    held_conversations = Conversation.objects.visible_to(context.reader).filter(
        status__in=_HELD, held_on__range=(first_day, last_day)
    )
    if context.filters.get("partnership"):
        held_conversations = held_conversations.filter(partnership=context.filters["partnership"])
    day_by_conversation = dict(held_conversations.values_list("pk", "held_on"))

    meeting_counts: Counter[_Pair] = Counter()
    last_days: dict[_Pair, dt.date] = {}
    for conversation, organisations in _organisations_by_conversation(held_conversations).items():
        for pair in combinations(sorted(organisations), 2):
            meeting_counts[pair] += 1
            last_days[pair] = max(day_by_conversation[conversation], last_days.get(pair, first_day))

    organisation_ids = {pk for pair in meeting_counts for pk in pair}
    names = dict(Organisation.objects.filter(pk__in=organisation_ids).values_list("pk", "name"))
    answer = f"{counted(len(day_by_conversation), 'conversation')} between {counted(len(names), 'organisation')}."
    return Snapshot(
        report=CONTACT.slug,
        title=CONTACT.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=(answer,) if meeting_counts else (),
        tables=(_pairs_table(meeting_counts, last_days, names), _matrix_table(meeting_counts, names)),
        charts=(Chart("Conversations between the pairs that met most often", "pairs", (1,)),),
        sources=(Source("Records of conversations that were circulated or agreed", context.today),),
        notes=("A conversation between three organisations is counted for each of the three pairs.",),
    )


def _organisations_by_conversation(conversations: QuerySet[Conversation]) -> Mapping[int, set[int]]:
    """Return the ids of the organisations that took part in each conversation, by the conversation's id."""
    organisations_by_conversation: defaultdict[int, set[int]] = defaultdict(set)
    sides = Side.objects.filter(conversation__in=conversations.values("pk"))
    for conversation, organisation in sides.values_list("conversation", "organisation"):
        organisations_by_conversation[conversation].add(organisation)
    return organisations_by_conversation


def _pairs_table(meeting_counts: Counter[_Pair], last_days: Mapping[_Pair, dt.date], names: Mapping[int, str]) -> Table:
    """Return the table of the pairs of organisations that met most often."""

    def names_of_pair(pair: _Pair) -> str:
        return " and ".join(sorted(names[pk] for pk in pair))

    pairs_in_order = sorted(meeting_counts, key=lambda pair: (-meeting_counts[pair], names_of_pair(pair)))[:_MAX_PAIRS]
    rows = tuple(
        Row((names_of_pair(pair), meeting_counts[pair], last_days[pair]), key=f"{pair[0]}-{pair[1]}")
        for pair in pairs_in_order
    )
    columns = (Column("Who met"), Column("Conversations", Kind.NUMBER), Column("Last met on", Kind.DAY))
    return Table(
        code="pairs",
        title="Which organisations met",
        columns=columns,
        rows=rows,
        empty="No conversations in this period.",
    )


def _matrix_table(meeting_counts: Counter[_Pair], names: Mapping[int, str]) -> Table:
    """Return a table of how often the organisations with the most conversations met each other.

    The cell of two organisations that never met is empty.
    """
    totals: Counter[int] = Counter()
    for pair, count in meeting_counts.items():
        totals.update(dict.fromkeys(pair, count))
    organisation_ids = sorted(totals, key=lambda pk: (-totals[pk], names[pk]))[:MATRIX]
    ids_by_name: Sequence[int] = sorted(organisation_ids, key=lambda pk: names[pk])
    columns = (Column("Organisation"), *(Column(names[pk], Kind.NUMBER) for pk in ids_by_name))
    rows = tuple(
        Row((names[pk], *(meeting_counts.get((min(pk, other), max(pk, other))) for other in ids_by_name)), key=str(pk))
        for pk in ids_by_name
    )
    note = f"These are the {MATRIX} organisations with the most conversations." if len(totals) > MATRIX else ""
    return Table(
        code="matrix",
        title="Meetings between each pair of organisations",
        columns=columns,
        rows=rows,
        note=note,
        empty="No conversations in this period.",
    )


CONTACT = Report(
    slug="contact",
    title="Contact",
    about="See which organisations met, how often, and when they last met.",
    group="Partnerships",
    form=_Filters,
    compute=_compute,
)
