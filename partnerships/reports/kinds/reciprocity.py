"""The reciprocity report, on what an organisation and its partners asked, promised and delivered to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import AutocompleteSelect, Form
from partnerships.kit.text import counted
from partnerships.organisations.audience import Everybody, Reader
from partnerships.organisations.holdings import rows_once_a_page
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.reports.balances import balances, partners_of
from partnerships.reports.counts import Balance
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import Chart, Column, Kind, Row, Snapshot, Source, Table

#: The report compares at most this many partners, the first in the order of their names.
_MAX_PARTNERS = 300


class _Filters(Form):
    """The filter of the report, one of the reader's organisations."""

    organisation = forms.ModelChoiceField(
        label="Organisation",
        required=False,
        queryset=Organisation.objects.none(),
        widget=AutocompleteSelect,
        empty_label="Your first organisation",
    )

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        offer_own_organisations(model_choice_field(self, "organisation"), reader)


def offer_own_organisations(field: forms.ModelChoiceField[Any], reader: Reader) -> None:
    """Let the field offer the organisations that the reader acts for, by name."""

    def choices() -> list[tuple[object, str]]:
        organisations = _own_organisations_by_name(reader)
        options = [(organisation.pk, field.label_from_instance(organisation)) for organisation in organisations]
        return [("", str(field.empty_label)), *options]

    field.queryset = _own_organisations(reader)
    field.choices = choices


def first_own_organisation(reader: Reader) -> Organisation | None:
    """Return the first by name of the organisations that the reader acts for; None if there are none."""
    organisations = _own_organisations_by_name(reader)
    return organisations[0] if organisations else None


def _own_organisations_by_name(reader: Reader) -> list[Organisation]:
    """Return the organisations that the reader acts for, by name. They are read once a page."""
    key = _own_organisations_by_name, tuple(reader.organisations) if isinstance(reader, Everybody) else reader.pk
    return rows_once_a_page(key, lambda: _own_organisations(reader).order_by("name", "pk"))


def _own_organisations(reader: Reader) -> OrganisationQuerySet:
    """Return the organisations that the reader acts for."""
    if isinstance(reader, Everybody):
        return Organisation.objects.filter(pk__in=reader.organisations)
    return Organisation.objects.of_person(reader)


def _compute(context: ReportContext) -> Snapshot:
    """Count asks and commitments between one organisation and each of its partners."""
    organisation = context.filters.get("organisation")
    if not organisation:
        organisation = first_own_organisation(context.reader)

    name = "your organisation"
    balances_with_rows: list[Balance] = []
    if organisation is not None:
        name = organisation.display_name
        partners = list(partners_of(context.reader, organisation).order_by("name", "pk")[:_MAX_PARTNERS])
        all_balances = balances(user=context.reader, ours=organisation, partners=partners, today=context.today)
        balances_with_rows = [balance for balance in all_balances if not balance.is_empty]
    return Snapshot(
        report=RECIPROCITY.slug,
        title=RECIPROCITY.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=(name,) if organisation is not None else (),
        answers=_answers(name, balances_with_rows),
        tables=(_table(name, balances_with_rows),),
        charts=(Chart("Asks, by organisation that asked", "partners", (1, 4)),),
        sources=(Source("Asks and commitments in Common Ground", context.today),),
        notes=(
            "An ask to a partnership is counted for each party asked. Asks to the whole network are left out.",
            "An ask is met by a partner if that partner delivered part of it.",
            f"This report compares up to {_MAX_PARTNERS} partners, in the order of their names.",
        ),
    )


def _table(name: str, balances_with_rows: Sequence[Balance]) -> Table:
    """Return a row for each partner with its figures."""
    # The labels are in the order of `Balance.figures`.
    labels = []
    for verbs in (("asked", "had met", "still waits for"), ("promised", "kept")):
        for organisation in (name, "Partner"):
            labels += [f"{organisation} {verb}" for verb in verbs]
    columns = (Column("Partner"), *(Column(label, Kind.NUMBER) for label in labels))
    rows = tuple(map(_row, balances_with_rows))
    sums = [sum(column) for column in zip(*(balance.figures for balance in balances_with_rows), strict=True)]
    total = Row(("All partners", *sums)) if balances_with_rows else None
    empty = "Neither organisation has asked for or promised anything yet."
    return Table(
        code="partners", title=f"{name} and its partners", columns=columns, rows=rows, total=total, empty=empty
    )


def _row(balance: Balance) -> Row:
    """Return the row of a balance with one partner."""
    partner = balance.partner
    assert partner is not None  # `balances` sets it
    return Row((partner.name, *balance.figures), href=partner.get_absolute_url(), key=f"organisation-{partner.pk}")


def _answers(name: str, balances_with_rows: Sequence[Balance]) -> tuple[str, ...]:
    """Return a sentence for each direction, with the numbers of asks that were made and met."""
    if not balances_with_rows:
        return ()
    total = Balance()
    for balance in balances_with_rows:
        total.add(balance)
    ours, theirs = total.we_asked, total.they_asked
    return (
        f"{name} made {counted(ours.made, 'ask')}, and partners met {ours.met:,} of them.",
        f"Partners made {counted(theirs.made, 'ask')}, and {name} met {theirs.met:,} of them.",
    )


RECIPROCITY = Report(
    slug="reciprocity",
    title="Asks and promises by partner",
    about="See what your organisation and each partner asked of and promised each other, and what was delivered.",
    group="Asks and promises",
    form=_Filters,
    compute=_compute,
)
