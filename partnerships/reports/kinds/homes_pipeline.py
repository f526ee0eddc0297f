"""The report on homes across plans: forecasts against baselines and completions, slippage, confidence and funding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from partnerships.agreements.columns import offer_partnerships
from partnerships.agreements.models import Partnership
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.documents.slippage import slippage
from partnerships.kit.dates import PartialDate, long_date
from partnerships.kit.forms import AutocompleteSelectMultiple, DayField, Form
from partnerships.kit.moments import end_of
from partnerships.kit.record_fields import RecordSelect, RecordsField
from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Area, AreaKind, AreaServed, Organisation
from partnerships.organisations.models import Kind as OrganisationKind
from partnerships.plans.content import CONFIDENCE, FINANCIAL, NEEDS, TENURES, bedrooms_in_words, year_of_kind
from partnerships.plans.models import PlanKind, PlannedHomes
from partnerships.plans.queries.pipeline import MAX_SLIPS, HomesCount, Pipeline, PipelineFilters, Slip, homes_pipeline
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import AreaMap, Cell, Chart, Column, Kind, LazyRows, Row, Snapshot, Source, Table

#: The filter offers this many years from the present one, and the previous year.
_YEARS_AHEAD = 15
_APRIL = 4
#: The numbers of bedrooms that the filter offers.
_BEDROOMS = range(7)


def financial_year(day: dt.date, ahead: int = 0) -> str:
    """Return the financial year of a day, such as `2027-28`, or the financial year `ahead` years later."""
    return year_of_kind(FINANCIAL, (day.year if day.month >= _APRIL else day.year - 1) + ahead)


class _Filters(Form):
    """The filters of the report: which homes are counted, and the day with which they are compared."""

    council = RecordsField(
        label="Councils",
        queryset=Organisation.objects.none(),
        named_by="name",
        help_text="We count homes in the areas that these councils serve today.",
    )
    area = RecordsField(label="Areas", queryset=Area.objects.none(), named_by="name")
    tenure = forms.MultipleChoiceField(
        label="Tenures", required=False, choices=list(TENURES.items()), widget=AutocompleteSelectMultiple
    )
    year = forms.ChoiceField(label="Year of completion", required=False)
    since = DayField(
        label="Compare with the figures on",
        required=False,
        help_text="For example, 1 March 2026. Leave this empty to compare with the baselines.",
    )
    bedrooms = forms.ChoiceField(
        label="Bedrooms",
        required=False,
        choices=[("", "Any number"), *((str(count), bedrooms_in_words(count).capitalize()) for count in _BEDROOMS)],
    )
    needs = forms.MultipleChoiceField(
        label="Needs type",
        required=False,
        choices=[(code, label.capitalize()) for code, label in NEEDS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    confidence = forms.ChoiceField(
        label="Confidence", required=False, choices=[("", "Any confidence"), *CONFIDENCE.items()]
    )
    provider = forms.CharField(label="Lead of the site", required=False, max_length=300)
    partnership = forms.ModelChoiceField(
        label="Partnership",
        required=False,
        queryset=Partnership.objects.none(),
        widget=RecordSelect(),
        empty_label="Any partnership",
    )
    kind = forms.ChoiceField(label="Kind of plan", required=False)

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        fields: Mapping[str, Any] = self.fields
        fields["council"].queryset = Organisation.objects.filter(kind=OrganisationKind.COUNCIL).order_by("name", "pk")
        # All districts, because everybody may read the directory. A query for those of readable sites would be slower.
        fields["area"].queryset = Area.objects.filter(kind=AreaKind.DISTRICT).order_by("name", "pk")
        offer_partnerships(self, reader)
        fields["kind"].choices = [("", "Any kind"), *PlanKind.all_choices()]
        today = timezone.localdate()
        financial_years = [financial_year(today, ahead) for ahead in range(-1, _YEARS_AHEAD)]
        calendar_years = [str(today.year + ahead) for ahead in range(-1, _YEARS_AHEAD)]
        fields["year"].choices = [
            ("", "Any year"),
            ("Financial years", [(year, year) for year in financial_years]),
            ("Calendar years", [(year, year) for year in calendar_years]),
        ]


@dataclass(frozen=True, slots=True)
class EarlierFigures:
    """The figures with which today's figures are compared, from an earlier day or, without a day, the baselines."""

    day: dt.date | None

    @property
    def label(self) -> str:
        """Return the heading of the column with the earlier figures."""
        return f"As at {long_date(self.day)}" if self.day else "Baseline"

    @property
    def words(self) -> str:
        """Return the earlier time in a sentence: `on 1 March 2026` or `in the baselines`."""
        return f"on {long_date(self.day)}" if self.day else "in the baselines"

    def of(self, count: HomesCount) -> int:
        """Return the earlier number of homes."""
        return count.earlier if self.day else count.baseline


def _compute(context: ReportContext) -> Snapshot:
    """Compute the homes in readable plans today and at an earlier time, by year, tenure and other divisions."""
    day = context.filters.get("since")
    earlier = end_of(day) if day else None
    pipeline = homes_pipeline(context.reader, _pipeline_filters(context), earlier=earlier, now=context.now)
    compared = EarlierFigures(day)
    names = RowNames(pipeline)
    tables = [division_table(name, title, pipeline, compared, names) for name, title in TITLES.items()]
    tables.insert(1, slip_table(pipeline.slips, compared))
    return Snapshot(
        report=HOMES_PIPELINE.slug,
        title=HOMES_PIPELINE.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=_answers(context, pipeline, compared, context.filters.get("year") or ""),
        tables=tuple(tables),
        charts=(
            Chart("Homes by year of completion", "year", (1, 2)),
            Chart("Homes by tenure today", "tenure", (2,)),
            Chart("Homes by area today", "area", (2,)),
        ),
        maps=(AreaMap("Homes in each council area", "area", 2),),
        sources=(
            Source("Published versions of plans in Common Ground", context.today),
            Source("Section 106 agreements that councils have published, by planning reference", context.today),
        ),
        notes=_NOTES,
    )


_NOTES = (
    "This report counts published versions of plans that are not superseded or closed. It never counts drafts.",
    "For each day, it counts the version of each plan that the reader could read on that day.",
    "Only people in the organisations that own the plan and in its partnership see homes at confidential sites.",
    "For everyone else, we leave these homes out of every figure, including totals and comparisons.",
    "The baseline is the version that a plan’s owners chose as its baseline, or its first version.",
    "We count homes in the year that the plan gives for them, or in the year of their site’s forecast completion.",
    "We count all homes at a complete site as completed.",
    "A site that is in two plans is counted twice. Choose a partnership or a kind of plan to avoid that.",
    "“Grant” means that the plan names a grant programme for the site.",
    "“Section 106” means that the council has published a section 106 agreement with the site’s planning reference.",
)


def _pipeline_filters(context: ReportContext) -> PipelineFilters:
    """Return the filters of the report as filters of the pipeline."""
    chosen = context.filters
    areas, authorities = _places(chosen, context.today)
    return PipelineFilters(
        areas=areas,
        authorities=authorities,
        tenures=chosen.get("tenure") or (),
        needs=chosen.get("needs") or (),
        bedrooms=int(chosen["bedrooms"]) if chosen.get("bedrooms") else None,
        provider=chosen.get("provider") or "",
        confidence=chosen.get("confidence") or "",
        partnerships=[chosen["partnership"].pk] if chosen.get("partnership") else [],
        kind=chosen.get("kind") or "",
        year=chosen.get("year") or "",
        agreement_references=_agreement_references(context.today),
    )


def _places(chosen: Mapping[str, Any], today: dt.date) -> tuple[list[str], list[str]]:
    """Return the codes of the chosen areas and of all areas of the chosen councils, and the councils' names.

    An empty list of codes would mean all areas. So areas that the reader cannot choose become "-", the code of no area.
    """
    areas, councils = chosen.get("area") or (), chosen.get("council") or ()
    codes = [area.code if isinstance(area, Area) else "-" for area in areas]
    readable_councils = [council for council in councils if isinstance(council, Organisation)]
    if councils:
        areas_served = AreaServed.objects.filter(organisation__in=readable_councils).exclude(ends_on__lte=today)
        codes += [*areas_served.values_list("area__code", flat=True), "-"]
    return codes, [council.name for council in readable_councils]


def _agreement_references(today: dt.date) -> list[tuple[str, str]]:
    """Return the planning references of section 106 agreements, each with the council's name or with an area.

    Several councils use the same reference, so a site has an agreement only if its place matches too.
    """
    references = PlannedHomes.objects.exclude(planning_reference="").values("planning_reference")
    agreements = list(
        DeveloperAgreement.objects.filter(planning_application__in=references).values_list(
            "planning_application", "organisation", "organisation__name"
        )
    )
    council_ids = {council_id for _reference, council_id, _name in agreements}
    codes_by_council: dict[int, list[str]] = {}
    areas_served = AreaServed.objects.filter(organisation__in=council_ids).exclude(ends_on__lte=today)
    for council_id, code in areas_served.values_list("organisation", "area__code"):
        codes_by_council.setdefault(council_id, []).append(code)
    return [
        (reference, place)
        for reference, council_id, name in agreements
        for place in (name, *codes_by_council.get(council_id, ()))
    ]


class RowNames:
    """The names of the rows of each table. Areas are named by the directory, and other rows by their labels."""

    def __init__(self, pipeline: Pipeline) -> None:
        codes = {code for code, _ in pipeline.by["area"]}
        self._areas = dict(Area.objects.filter(code__in=codes).values_list("code", "name"))

    def of(self, division: str, values: tuple[Any, ...]) -> str:
        """Return the name of a row of a division, from the values that define the row."""
        return _NAMES[division](self, *values)

    def area(self, code: str, authority: str) -> str:
        """Return the area's name or, if the plan has no known code, the planning authority named in the plan."""
        return self._areas.get(code) or authority or code or "Area not given"


_FUNDING: Mapping[tuple[bool, bool], str] = {
    (True, False): "Grant",
    (False, True): "Section 106",
    (True, True): "Grant and section 106",
    (False, False): "Neither",
}
_NAMES: Mapping[str, Callable[..., str]] = {
    "year": lambda _names, year: year or "Year not given",
    "tenure": lambda _names, tenure: _capital(TENURES[tenure]),
    "area": RowNames.area,
    "bedrooms": lambda _names, count: _capital(bedrooms_in_words(count)),
    "needs": lambda _names, needs: _capital(NEEDS[needs]),
    "provider": lambda _names, lead: lead or "Lead not given",
    "confidence": lambda _names, code: CONFIDENCE.get(code, "Confidence not given"),
    "funding": lambda _names, grant, agreement: _FUNDING[bool(grant), bool(agreement)],
}
#: The titles of the tables, by division.
TITLES = {
    "year": "By year of completion",
    "tenure": "By tenure",
    "area": "By area",
    "bedrooms": "By bedrooms",
    "needs": "By needs type",
    "provider": "By provider",
    "confidence": "By confidence",
    "funding": "By funding",
}
#: The order of rows, as in plans. Divisions that are not here are ordered by name.
_ORDERS: Mapping[str, tuple[str, ...]] = {
    "tenure": tuple(_label[0].upper() + _label[1:] for _label in TENURES.values()),
    "needs": tuple(_label[0].upper() + _label[1:] for _label in NEEDS.values()),
    "confidence": tuple(CONFIDENCE.values()),
    "funding": tuple(_FUNDING.values()),
}


def _capital(label: str) -> str:
    """Return the label with a capital first character. The others are unchanged."""
    return label[0].upper() + label[1:]


def division_table(division: str, title: str, pipeline: Pipeline, compared: EarlierFigures, names: RowNames) -> Table:
    """Return the table of one division, such as by tenure, with the homes in each row earlier and today."""
    counts_by_name: dict[str, list[HomesCount]] = {}
    code_by_name: dict[str, str] = {}  # the codes of areas, by which the map finds its figures
    for values, count in pipeline.by[division].items():
        if compared.of(count) or count.now or count.baseline:
            name = names.of(division, values)
            counts_by_name.setdefault(name, []).append(count)
            code_by_name[name] = values[0] if division == "area" else ""

    order = _ORDERS.get(division, ())
    ordered_names = sorted(counts_by_name, key=lambda name: (order.index(name) if name in order else len(order), name))

    columns = [Column(_FIRST_HEADINGS.get(division, division.capitalize())), Column(compared.label, Kind.NUMBER)]
    columns += [Column("Today", Kind.NUMBER), Column("Change", Kind.CHANGE), Column("Share of today", Kind.PART)]
    columns += [Column("Completed", Kind.NUMBER)]
    columns += [Column("Baseline", Kind.NUMBER)] if compared.day else []
    total = pipeline.total

    def build_row(index: int) -> Row:
        name = ordered_names[index]
        return replace(_row(name, _sum(counts_by_name[name]), total, compared), key=code_by_name[name])

    return Table(
        code=division,
        title=title,
        columns=tuple(columns),
        rows=LazyRows(range(len(ordered_names)), build_row),  # a page shows 25 of up to 20,000 providers
        total=_row("All homes", total, total, compared) if ordered_names else None,
        empty="No homes match these filters.",
    )


_FIRST_HEADINGS = {"needs": "Needs type"}


def _sum(counts: list[HomesCount]) -> HomesCount:
    return HomesCount(
        sum(count.baseline for count in counts),
        sum(count.earlier for count in counts),
        sum(count.now for count in counts),
        sum(count.done for count in counts),
    )


def _row(name: str, count: HomesCount, total: HomesCount, compared: EarlierFigures) -> Row:
    share = (Decimal(100) * count.now / total.now).quantize(Decimal("0.1")) if total.now else None
    cells: tuple[Cell, ...] = (name, compared.of(count), count.now, count.now - compared.of(count), share, count.done)
    return Row((*cells, count.baseline) if compared.day else cells)


def slip_table(slips: Sequence[Slip], compared: EarlierFigures) -> Table:
    """Return the table of sites whose forecast completion was different at the earlier time."""
    rows = []
    for slip in slips:
        moved = slippage(slip.old, slip.new)
        cells = (slip.site, slip.plan, _date(slip.old), _date(slip.new), moved.words() if moved else "", slip.homes)
        key, record = f"{slip.plan_id}/{slip.site_key}", f"plan:{slip.plan_id}"
        rows.append(Row(cells, f"/plans/{slip.plan_id}/", key, record))
    columns = (
        Column("Site"),
        Column("Plan"),
        Column(f"Forecast {compared.words}"),
        Column("Forecast today"),
        Column("Moved by"),
        Column("Homes", Kind.NUMBER),
    )
    return Table(
        "slippage",
        "Sites whose forecast completion date has moved",
        columns,
        tuple(rows),
        note=f"These are the {MAX_SLIPS} changes that affect the most homes." if len(rows) == MAX_SLIPS else "",
        empty="No forecast completion date has moved.",
    )


def _date(text: str) -> str:
    return PartialDate.parse(text).words if text else "not given"


def _answers(context: ReportContext, pipeline: Pipeline, compared: EarlierFigures, year: str) -> tuple[str, ...]:
    """Return sentences with the number of homes, and of homes that complete next year, each with its change."""
    total = pipeline.total
    if not total.now and not compared.of(total):
        return (
            "No homes in published plans match these filters."
            if context.filter_labels
            else "Published plans have no homes yet.",
        )
    sites_and_plans = f"{counted(pipeline.sites, 'site')} in {counted(pipeline.plans, 'plan')}"
    change = _change_in_words(total.now, compared.of(total), compared)
    sentences = [f"{counted(total.now, 'home')} at {sites_and_plans}, {total.done:,} of them completed: {change}."]
    next_year = financial_year(context.today, 1)
    if not year:
        count = pipeline.by["year"].get((next_year,), HomesCount())
        change = _change_in_words(count.now, compared.of(count), compared)
        sentences.append(f"Next year, {next_year}, {counted(count.now, 'home')} complete: {change}.")
    return tuple(sentences)


def _change_in_words(now: int, was: int, compared: EarlierFigures) -> str:
    """Return the change in words, such as `12 fewer than the 60 on 1 March 2026`."""
    if now == was:
        return f"as many as {compared.words}"
    return f"{abs(now - was):,} {'more' if now > was else 'fewer'} than the {was:,} {compared.words}"


HOMES_PIPELINE = Report(
    slug="homes-pipeline",
    title="Homes pipeline",
    about="See homes across plans by year, tenure, area, size, needs, provider and funding, and what has changed.",
    group="Homes",
    form=_Filters,
    compute=_compute,
)
