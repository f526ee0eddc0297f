"""The partnership register for an audit: terms, reviews, budgets, liabilities, data sharing and risks."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django import forms
from django.db.models import F, QuerySet
from django.http import QueryDict

from partnerships.agreements.models import (
    FINAL_STATUSES,
    Document,
    Partnership,
    PartnershipKind,
    Party,
    PartyRole,
    Status,
    TermsInForce,
)
from partnerships.agreements.queries.sharing import ids_with_open_data
from partnerships.kit.choice_fields import choice_field
from partnerships.kit.dates import overdue_in_words
from partnerships.kit.forms import Form
from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.plans.models import Plan, Version
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import Chart, Column, Kind, Row, Snapshot, Source, Table

#: In these statuses a partnership must have terms, a review date, a budget and liabilities.
_IN_FORCE = (Status.AGREED, Status.ACTIVE, Status.UNDER_REVIEW, Status.SUSPENDED)
#: The gaps that the register looks for, in the order of its first table.
_GAPS = ("terms in force", "review date", "review on time", "budget", "liabilities", "data-sharing agreement")
#: The words for each missing fact, as they follow "without".
_WITHOUT = MappingProxyType(
    {
        "terms in force": "terms in force",
        "review date": "a review date",
        "budget": "a budget",
        "liabilities": "liabilities recorded",
        "data-sharing agreement": "a data-sharing agreement that they need",
    }
)
#: A risk is high if its likelihood × impact is at least this number.
HIGH_RISK = 15


class _Filters(Form):
    """The filters of the partnership register."""

    kind = forms.ChoiceField(label="Kind", required=False)
    status = forms.ChoiceField(label="Status", required=False, choices=[("", "Any status"), *Status.choices])
    ended = forms.BooleanField(label="Show ended and renewed partnerships too", required=False)
    gaps = forms.BooleanField(label="Only where something is missing or overdue", required=False)

    def __init__(self, parameters: QueryDict) -> None:
        super().__init__(parameters)
        choice_field(self, "kind").choices = [("", "Any kind"), *PartnershipKind.all_choices()]


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the register: a partnership, with its state today."""

    partnership: Partnership
    state: Status
    chair: str
    terms_since: dt.date | None
    shares_data: bool | None
    risk_count: int
    high_risk_count: int
    today: dt.date

    @property
    def is_in_force(self) -> bool:
        """Return whether the parties work under the partnership's terms now."""
        return self.state in _IN_FORCE

    @property
    def overdue(self) -> str:
        """How overdue the review is, such as "overdue by 12 days"; "" if it is not overdue."""
        review = self.partnership.review_on
        return overdue_in_words(review, self.today) if review is not None and self.is_in_force else ""

    @property
    def missing(self) -> list[str]:
        """Return the facts that the partnership must have but does not have."""
        partnership, missing_facts = self.partnership, []
        if self.is_in_force:
            missing_facts += [] if self.terms_since else ["terms in force"]
            missing_facts += [] if partnership.review_on else ["review date"]
            missing_facts += [] if partnership.annual_budget is not None else ["budget"]
            missing_facts += [] if partnership.liabilities.strip() else ["liabilities"]
        if self.shares_data is False:
            missing_facts.append("data-sharing agreement")
        return missing_facts

    @property
    def has_gap(self) -> bool:
        """Return whether something is missing or overdue."""
        return bool(self.missing or self.overdue)


def _compute(context: ReportContext) -> Snapshot:
    """List each partnership that the reader may read in full."""
    lines = [line for line in _lines(context) if line.has_gap or not context.filters.get("gaps")]
    budget = sum((line.partnership.annual_budget or Decimal(0) for line in lines), Decimal(0))
    columns = (
        Column("Partnership"),
        Column("Status"),
        Column("Chair"),
        Column("Terms in force since", Kind.DAY),
        Column("Review due", Kind.DAY),
        Column("Review"),
        Column("Ends", Kind.DAY),
        Column("Annual budget (£)", Kind.MONEY),
        Column("Liabilities"),
        Column("Data sharing"),
        Column("Open risks", Kind.NUMBER),
        Column("High risks", Kind.NUMBER),
        Column("Missing"),
    )
    risk_counts = sum(line.risk_count for line in lines), sum(line.high_risk_count for line in lines)
    total = Row(("Total", "", "", None, None, "", None, budget, "", "", *risk_counts, ""))
    return Snapshot(
        report=PARTNERSHIP_REGISTER.slug,
        title=PARTNERSHIP_REGISTER.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=_answers(lines),
        charts=(Chart("Partnerships by what is missing or overdue", "gaps", (1,)),),
        tables=(
            _gaps(lines),
            Table(
                code="register",
                title="Partnerships",
                columns=columns,
                rows=tuple(map(_row, lines)),
                total=total if lines else None,
                empty="No partnership matches these filters.",
            ),
        ),
        sources=(
            Source("Partnerships, their signed terms and their settings in Common Ground", context.today),
            Source("Risks in the newest published versions of their plans", context.today),
        ),
        notes=(
            "This report lists partnerships that the reader can read in full, as a party or an invited organisation.",
            f"A risk is high if likelihood × impact is {HIGH_RISK} or more.",
            "Data sharing is “not needed” if this kind of partnership shares no personal data.",
        ),
    )


def _row(line: _Line) -> Row:
    """Return the row of a partnership, with cells in the order of the columns above."""
    partnership = line.partnership
    sharing = {None: "not needed", True: "agreement in force", False: "no agreement in force"}
    cells = (
        partnership.title,
        line.state.label,
        line.chair,
        line.terms_since,
        partnership.review_on,
        line.overdue,
        partnership.ends_on,
        partnership.annual_budget,
        " ".join(partnership.liabilities.split()),
        sharing[line.shares_data],
        line.risk_count,
        line.high_risk_count,
        ", ".join(line.missing),
    )
    return Row(cells, href=partnership.get_absolute_url(), key=f"partnership-{partnership.pk}")


def _gaps(lines: Sequence[_Line]) -> Table:
    """Return the number of partnerships with each gap: something missing, or an overdue review."""
    missing = Counter(fact for line in lines for fact in line.missing)
    missing["review on time"] = sum(bool(line.overdue) for line in lines)
    rows = tuple(Row((fact.capitalize(), missing[fact]), key=fact) for fact in _GAPS)
    columns = (Column("What"), Column("Partnerships without it", Kind.NUMBER))
    return Table(code="gaps", title="What is missing or overdue", columns=columns, rows=rows if lines else ())


def _answers(lines: Sequence[_Line]) -> tuple[str, ...]:
    """Return the sentence above the tables, with the number of partnerships with each gap and with high risks."""
    if not lines:
        return ()
    missing = Counter(fact for line in lines for fact in line.missing)
    numbers_and_words = (
        *((missing[fact], f"without {words}") for fact, words in _WITHOUT.items()),
        (sum(bool(line.overdue) for line in lines), "with an overdue review"),
        (sum(bool(line.high_risk_count) for line in lines), "with high risks"),
    )
    counts = ", ".join(f"{number} {words}" for number, words in numbers_and_words if number)
    return (f"{counted(len(lines), 'partnership')}: {counts or 'nothing is missing or overdue'}.",)


def _lines(context: ReportContext) -> list[_Line]:
    """Return the lines of the register, by title of the partnership."""
    rows = Partnership.objects.readable_today_by(context.reader).select_related("kind").order_by("title", "pk")
    if context.filters.get("kind"):
        rows = rows.filter(kind=context.filters["kind"])
    states = {partnership: partnership.state_on(context.today) for partnership in rows}
    chosen_status, includes_ended = context.filters.get("status"), context.filters.get("ended")
    partnerships = [
        partnership
        for partnership, state in states.items()
        if (state == chosen_status if chosen_status else (includes_ended or state not in FINAL_STATUSES))
    ]

    ids = [partnership.pk for partnership in partnerships]
    read_ahead(
        [
            lookup(_chairs_and_leads, ids),
            lookup(_terms_since, ids, day=context.today),
            lookup(_ids_with_personal_data, ids),
        ]
    )
    chairs = _chairs(ids)
    terms_since = dict(rows_for(_terms_since, ids, day=context.today))
    ids_with_personal_data = set(rows_for(_ids_with_personal_data, ids))
    needing_agreement = [
        partnership
        for partnership in partnerships
        if partnership.kind.needs_data_sharing or partnership.pk in ids_with_personal_data
    ]
    open_ids = ids_with_open_data(needing_agreement, context.today)
    shares_data = {partnership.pk: partnership.pk in open_ids for partnership in needing_agreement}

    risk_counts = _risk_counts(context.reader, ids)
    lines = []
    for partnership in partnerships:
        risk_count, high_risk_count = risk_counts.get(partnership.pk, (0, 0))
        lines.append(
            _Line(
                partnership,
                states[partnership],
                chairs.get(partnership.pk, ""),
                terms_since.get(partnership.pk),
                shares_data.get(partnership.pk),
                risk_count,
                high_risk_count,
                context.today,
            )
        )
    return lines


def _terms_since(ids: list[int], *, day: dt.date) -> QuerySet[TermsInForce, tuple[int, dt.date]]:
    """Return each partnership (id) with the day from which its terms of this day have been in force."""
    return TermsInForce.objects.filter(partnership__in=ids).in_force_on(day).values_list("partnership", "from_day")


def _ids_with_personal_data(ids: list[int]) -> QuerySet[Document, int]:
    """Return the partnership (id) of each document that is marked as personal data."""
    documents = Document.objects.filter(partnership__in=ids, personal_data=True, removed_at=None)
    return documents.values_list("partnership", flat=True)


def _chairs(ids: list[int]) -> dict[int, str]:
    """Return the name of each partnership's chair, or of its lead organisation if it has no chair."""
    chairs: dict[int, str] = {}
    for pk, role, name in rows_for(_chairs_and_leads, ids):
        if role == PartyRole.CHAIR or pk not in chairs:
            chairs[pk] = name
    return chairs


def _chairs_and_leads(ids: list[int]) -> QuerySet[Party, tuple[int, str, str]]:
    """Return the partnership (id), role and name of each party that is a chair or a lead organisation."""
    parties = Party.objects.accepted().filter(partnership__in=ids, role__in=(PartyRole.CHAIR, PartyRole.LEAD))
    return parties.order_by("pk").values_list("partnership", "role", "organisation__name")


def _risk_counts(reader: Reader, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return the number of risks, and of high risks, in the open plans of each partnership."""
    plans = Plan.objects.fully_readable_by(reader).filter(partnership__in=ids)
    versions = Version.objects.filter(plan__in=plans, number=F("plan__open_number"))
    scores_by_id: defaultdict[int, list[int]] = defaultdict(list)
    for pk, risks in versions.values_list("plan__partnership", "content__risks"):
        scores_by_id[pk] += [_score(risk) for risk in risks or ()]
    return {pk: (len(scores), sum(score >= HIGH_RISK for score in scores)) for pk, scores in scores_by_id.items()}


def _score(risk: dict[str, Any]) -> int:
    """Return the score of a risk: likelihood × impact."""
    return int(risk["likelihood"]) * int(risk["impact"])


PARTNERSHIP_REGISTER = Report(
    slug="partnership-register",
    title="Partnership register",
    about="Audit the terms, reviews, budget, liabilities, data sharing and risks of each partnership.",
    group="Partnerships",
    form=lambda parameters, _reader: _Filters(parameters),
    compute=_compute,
)
