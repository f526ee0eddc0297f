"""The network report, on who works together on a day and what depends on each organisation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Exists, OuterRef
from django.http import QueryDict
from django.urls import reverse

from partnerships.agreements.models import PartnershipKind, PartnershipQuerySet
from partnerships.agreements.queries.participations import partnerships_on, parts_on
from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry
from partnerships.kit.dates import long_date
from partnerships.kit.forms import DayField, Form
from partnerships.kit.late import late
from partnerships.kit.networks import MAX_NODES
from partnerships.kit.record_fields import RecordSelect
from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.lineage import followers_of_each
from partnerships.organisations.models import Kind as OrganisationKind
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import names_of
from partnerships.plans.models import FINAL_STATUSES as OVER_PLANS
from partnerships.plans.models import Plan, PlanOwner
from partnerships.reports.kinds.linked import EffectOfLeaving, Network, effect_of_leaving, parties_with
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import (
    Cell,
    Chart,
    Column,
    Kind,
    LazyRows,
    NetworkPicture,
    Row,
    Snapshot,
    Source,
    Table,
)

if TYPE_CHECKING:
    import numpy as np
else:
    np = late("numpy")

#: The table of what ends lists at most this many records of one kind.
_MAX_RECORDS = 100
#: A sentence names at most this many organisations.
_MAX_NAMED = 5


class _Filters(Form):
    """The filters of the network report, which are a day, the organisation in the middle and a kind of partnership."""

    day = DayField(label="As at", required=False, help_text="Leave this empty to use today’s date.")
    around = forms.ModelChoiceField(
        label="Around an organisation",
        required=False,
        queryset=Organisation.objects.none(),
        widget=RecordSelect(named_by="name"),
        empty_label="The whole network",
        help_text="The report then shows what ends if this organisation leaves.",
    )
    kind = forms.ChoiceField(label="Kind of partnership", required=False)

    def __init__(self, parameters: QueryDict) -> None:
        super().__init__(parameters)
        fields: Mapping[str, Any] = self.fields
        fields["around"].queryset = Organisation.objects.not_merged().order_by("name", "pk")
        fields["kind"].choices = [("", "Any kind"), *PartnershipKind.all_choices()]


def _compute(context: ReportContext) -> Snapshot:
    """Compute who works together on a day, and what depends on each organisation."""
    day, centre = context.filters.get("day") or context.today, context.filters.get("around")
    partnerships = partnerships_on(context.reader, day)
    if context.filters.get("kind"):
        partnerships = partnerships.filter(kind=context.filters["kind"])
    party_rows = parts_on(partnerships, context.reader, day, today=context.today)

    network = Network.of(party_rows)
    parts, pieces_by_body = network.cut_apart()
    shown_ids = network.near(centre.pk) if centre is not None and centre.pk in network.held else set(network.bodies)
    kinds = dict(Organisation.objects.filter(id_is_among("pk", network.bodies)).values_list("pk", "kind"))
    names = _names(network.bodies, context, day)

    tables = [_counts(network, pieces_by_body, parts), _failure_points(network, pieces_by_body, names)]
    if centre is not None:
        tables.append(_ends(context, centre, parties_with(centre.pk, party_rows), partnerships, names, day))
    tables += [_bodies(network, shown_ids, names, kinds), _links(network, shown_ids, names)]
    return Snapshot(
        report=NETWORK.slug,
        title=NETWORK.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=_answers(context, network, pieces_by_body, names, centre, day),
        tables=tuple(tables),
        charts=(Chart("Organisations cut off if each one left", "single", (1,)),),
        networks=_pictures(shown_ids, centre, network),
        sources=(Source("Partnerships and their parties in Common Ground", day),),
        notes=_NOTES,
    )


_NOTES = (
    "Two organisations are linked if they take part in the same partnership, in any role.",
    "An organisation is a single point of failure if, without it, other organisations would be cut off from the rest.",
    "This report counts partnerships that the reader can see today and that had not ended by the chosen day.",
    "If the reader can see only the outline of a partnership, we do not count organisations that have left since.",
    "If an organisation leaves, a partnership ends if it then has fewer than two parties, not counting observers.",
    "Organisations have the names that they had on that day, followed by their present names or successors.",
    f"The picture shows up to {MAX_NODES} organisations, with names where there is room. The tables list all of them.",
)


def _pictures(shown_ids: Collection[int], centre: Organisation | None, network: Network) -> tuple[NetworkPicture, ...]:
    """Return the picture of these organisations; no picture if they have no links or are too many to draw."""
    if not len(network.low) or len(shown_ids) > MAX_NODES:
        return ()
    title = f"Around {centre.name}" if centre is not None and centre.pk in shown_ids else "The whole network"
    return (NetworkPicture(title, "links", "organisations", str(centre.pk) if centre is not None else ""),)


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of organisations by id, and the address of this report with each of them in the middle.

    `page` is this address up to the id, such as `/reports/network/?around=`.
    """

    name_by_id: Mapping[int, str]
    page: str

    def __getitem__(self, pk: int) -> str:
        """Return the name on the day of the report, followed by the present name or the successors in brackets."""
        return self.name_by_id[pk]

    def around(self, pk: int) -> str:
        """Return the address of this report with the organisation in the middle."""
        return f"{self.page}{pk}"


def _names(organisation_ids: Collection[int], context: ReportContext, day: dt.date) -> _Names:
    """Return the names on the day of the report, followed by present names or successors."""
    names = names_of(list(organisation_ids))
    last_day = max(day, context.today)
    follower_ids_by_body = followers_of_each(list(organisation_ids), last_day)
    follower_names = names_of([pk for follower_ids in follower_ids_by_body.values() for pk in follower_ids])

    def name_with_later_names(pk: int) -> str:
        name, present_name = names[pk].on(day), names[pk].name
        later_names = [follower_names[follower_id].name for follower_id in follower_ids_by_body.get(pk, ())]
        if not later_names and present_name != name:
            later_names = [present_name]
        if not later_names:
            return name
        return f"{name} ({'now' if last_day == context.today else 'then'} {' and '.join(later_names)})"

    filters = [("day", day.isoformat())] if context.filters.get("day") else []
    filters += [("kind", context.filters["kind"])] if context.filters.get("kind") else []
    page = f"{reverse('reports:report', kwargs={'slug': NETWORK.slug})}?{urlencode([*filters, ('around', '')])}"
    return _Names({pk: name_with_later_names(pk) for pk in organisation_ids}, page)


def _counts(network: Network, pieces_by_body: Mapping[int, Sequence[int]], parts: Sequence[int]) -> Table:
    """Return the summary, with the numbers of organisations, partnerships, links, parts and points of failure."""
    unlinked_count = sum(1 for partner_count in network.partners.values() if not partner_count)
    rows = (
        Row(("Organisations", len(network.bodies)), key="organisations"),
        Row(("Partnerships", network.partnerships), key="partnerships"),
        Row(("Links between two organisations", len(network.low)), key="links"),
        Row(("Single points of failure", len(pieces_by_body)), key="single"),
        Row(("Separate parts of the network", len(parts) + unlinked_count), key="parts"),
        Row(("Organisations in the largest part", parts[0] if parts else min(unlinked_count, 1)), key="largest"),
    )
    return Table(
        code="counts",
        title="Summary",
        columns=(Column("What"), Column("Number", Kind.NUMBER)),
        rows=rows if network.bodies else (),
    )


def _cut_off(pieces: Sequence[int]) -> int:
    """Return the number of organisations that are no longer linked with the largest piece."""
    return sum(pieces[1:])


def _failure_points(network: Network, pieces_by_body: Mapping[int, Sequence[int]], names: _Names) -> Table:
    """Return the table of single points of failure, first those that cut off the most organisations."""
    ordered_ids = sorted(pieces_by_body, key=lambda pk: (-_cut_off(pieces_by_body[pk]), names[pk], pk))
    rows = tuple(
        Row(
            (names[pk], _cut_off(pieces_by_body[pk]), len(pieces_by_body[pk]), network.held[pk], network.ending[pk]),
            href=names.around(pk),
            key=str(pk),
        )
        for pk in ordered_ids
    )
    columns = (
        Column("Without this organisation"),
        Column("Organisations cut off", Kind.NUMBER),
        Column("Pieces", Kind.NUMBER),
        Column("Its partnerships", Kind.NUMBER),
        Column("Partnerships that would end", Kind.COUNT),
    )
    empty = "No organisation is a single point of failure."
    return Table(code="single", title="Single points of failure", columns=columns, rows=rows, empty=empty)


_FATES = MappingProxyType(
    {
        EffectOfLeaving.ENDS: "Ends",
        EffectOfLeaving.UNLED: "Loses its chair or lead",
        EffectOfLeaving.GOES_ON: "Continues",
    }
)


def _ends(
    context: ReportContext,
    leaving: Organisation,
    parties_by_partnership: Mapping[int, list[tuple[int, str]]],
    partnerships: PartnershipQuerySet,
    names: _Names,
    day: dt.date,
) -> Table:
    """Return the table of what happens to an organisation's partnerships if it leaves, the worst hit first.

    Unless the day is in the past, the table also has records for which only this organisation is responsible.
    """
    fates = {
        partnership: effect_of_leaving(leaving.pk, parties) for partnership, parties in parties_by_partnership.items()
    }
    rows_with_fate = []
    for partnership in partnerships.filter(pk__in=fates).order_by("title", "pk"):
        others = [names[pk] for pk, _ in parties_by_partnership[partnership.pk] if pk != leaving.pk]
        fate = fates[partnership.pk]
        row = _row_of(partnership, partnership.title, "Partnership", _FATES[fate], _who_is_left(others))
        rows_with_fate.append((fate, row))
    rows_with_fate.sort(key=lambda pair: pair[0])
    worst_first = [row for _, row in rows_with_fate]
    if day >= context.today:
        worst_first += _rows_of_own_records(context.reader, leaving)
    columns = (Column("What"), Column("Kind"), Column("What happens"), Column("Who is left"))
    note = "" if day >= context.today else "For a day in the past, this table has only partnerships."
    title = f"What ends if {leaving.name} leaves"
    empty = "You cannot see any partnership that this organisation takes part in on this day."
    return Table(code="ends", title=title, columns=columns, rows=tuple(worst_first), note=note, empty=empty)


def _who_is_left(names: Sequence[str]) -> str:
    """Return the remaining party by name, or the number of remaining parties."""
    if len(names) > 1:
        return f"{len(names)} others"
    return names[0] if names else "no other party"


def _row_of(record: Any, *cells: Cell) -> Row:
    """Return a row that links to a record."""
    return Row(cells, href=record.get_absolute_url(), key=f"{record._meta.model_name}-{record.pk}")


def _rows_of_own_records(reader: Reader, organisation: Organisation) -> list[Row]:
    """Return rows of an organisation's commitments, asks and offers, and of the plans that only it owns.

    Records that the reader may not read are left out.
    """
    open_commitments = Commitment.objects.followed_by(reader).under_way().select_related("giver", "receiver")
    all_given = open_commitments.filter(giver=organisation).order_by("due_on", "pk")[:_MAX_RECORDS]
    all_awaited = open_commitments.filter(receiver=organisation).order_by("due_on", "pk")[:_MAX_RECORDS]
    entries = Entry.objects.followed_by(reader).live().filter(organisation=organisation).order_by("-shared_at", "-pk")
    open_plans = Plan.objects.published_today_for(reader).exclude(status__in=OVER_PLANS).filter(current_number__gt=0)
    other_owners = PlanOwner.objects.filter(plan=OuterRef("pk")).exclude(organisation=organisation)
    owned_ids = PlanOwner.objects.filter(organisation=organisation).values("plan")
    plans = open_plans.filter(~Exists(other_owners), pk__in=owned_ids).order_by("title", "pk")
    rows = [_row_of(given, given.text, "Commitment", "Nobody delivers it", str(given.receiver)) for given in all_given]
    rows += [
        _row_of(awaited, awaited.text, "Commitment", "Nobody receives it", str(awaited.giver))
        for awaited in all_awaited
    ]
    for entry in entries[:_MAX_RECORDS]:
        rows.append(_row_of(entry, entry.title, str(entry.get_direction_display()), "Nobody is responsible", ""))
    rows += [_row_of(plan, plan.title, "Plan", "Loses its only owner", "") for plan in plans[:_MAX_RECORDS]]
    return rows


def _bodies(network: Network, shown_ids: Collection[int], names: _Names, kinds: Mapping[int, str]) -> Table:
    """Return the table of the organisations in the picture, first those with the most partners."""
    ordered_ids = sorted(shown_ids, key=lambda pk: (-network.partners[pk], names[pk], pk))

    def build_row(pk: int) -> Row:
        cells = (names[pk], str(OrganisationKind(kinds[pk]).label), network.partners[pk], network.held[pk])
        return Row(cells, href=names.around(pk), key=str(pk))

    columns = (
        Column("Organisation"),
        Column("Kind"),
        Column("Partners", Kind.COUNT),
        Column("Partnerships", Kind.NUMBER),
    )
    rows, empty = LazyRows(ordered_ids, build_row), "You cannot see any partnerships on this day."
    return Table(code="organisations", title="Organisations", columns=columns, rows=rows, empty=empty)


def _links(network: Network, shown_ids: Collection[int], names: _Names) -> Table:
    """Return the table of links between the organisations in the picture, the strongest first.

    There can be 200,000 links. Each is one integer until its row is shown, because integers are sorted fast. The
    integer combines three values, and the first decides the order. They are the number of partnerships that the
    link lacks to be the strongest, and the places of both organisations in the order of names.
    """
    bodies = sorted(shown_ids, key=lambda pk: (names[pk], pk))
    place_by_id, size = {pk: place for place, pk in enumerate(bodies)}, len(bodies)
    places = np.array([place_by_id.get(pk, -1) for pk in network.bodies], dtype=np.int64)
    places_of_low, places_of_high = places[network.low], places[network.high]
    is_shown = (places_of_low >= 0) & (places_of_high >= 0)
    most = int(network.together.max(initial=0))
    first, second = np.minimum(places_of_low, places_of_high), np.maximum(places_of_low, places_of_high)
    encoded_links = np.sort((((most - network.together) * size + first) * size + second)[is_shown])

    def build_row(encoded_link: int) -> Row:
        without_second, second = divmod(encoded_link, size)
        below_most, first = divmod(without_second, size)
        pk, partner = bodies[first], bodies[second]
        return Row((names[pk], names[partner], most - below_most), key=f"{min(pk, partner)}-{max(pk, partner)}")

    columns = (Column("Organisation"), Column("Works with"), Column("Partnerships together", Kind.NUMBER))
    rows = LazyRows(encoded_links.tolist(), build_row)
    return Table(
        code="links",
        title="Who works together",
        columns=columns,
        rows=rows,
        empty="No two organisations work together.",
    )


def _answers(
    context: ReportContext,
    network: Network,
    pieces_by_body: Mapping[int, Sequence[int]],
    names: _Names,
    centre: Organisation | None,
    day: dt.date,
) -> tuple[str, ...]:
    """Return the sentences above the tables, in the tense that fits the day."""
    if not network.bodies:
        return (f"You cannot see any partnership that existed on {long_date(day)}.",)
    tense = "were" if day < context.today else "will be" if day > context.today else "are"
    bodies, partnerships = counted(len(network.bodies), "organisation"), counted(network.partnerships, "partnership")
    links = counted(len(network.low), "link")
    sentences = [f"On {long_date(day)}, {bodies} {tense} in {partnerships}, with {links} between them."]
    worst_ids = sorted(pieces_by_body, key=lambda pk: (-_cut_off(pieces_by_body[pk]), names[pk]))[:_MAX_NAMED]
    if worst_ids:
        worst_in_words = ", ".join(f"{names[pk]} ({_cut_off(pieces_by_body[pk]):,} cut off)" for pk in worst_ids)
        sentences.append(f"{counted(len(pieces_by_body), 'single point')} of failure: {worst_in_words}.")
    if centre is not None and centre.pk in network.held:
        ending_count, cut_off_count = network.ending[centre.pk], _cut_off(pieces_by_body.get(centre.pk, ()))
        own_partnerships = counted(network.held[centre.pk], "partnership")
        sentences.append(
            f"If {names[centre.pk]} leaves, {ending_count} of its {own_partnerships} "
            f"{'ends' if ending_count == 1 else 'end'}, and {counted(cut_off_count, 'organisation')} "
            f"{'is' if cut_off_count == 1 else 'are'} cut off."
        )
    return tuple(sentences)


NETWORK = Report(
    slug="network",
    title="Network report",
    about="See who works together on any day, single points of failure, and what ends if an organisation leaves.",
    group="Partnerships",
    form=lambda parameters, _reader: _Filters(parameters),
    compute=_compute,
)
