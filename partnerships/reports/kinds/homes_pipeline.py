"""The report on homes across plans: forecasts against baselines and completions, slippage, confidence and funding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from partnerships.agreements.columns import offer_partnerships
from partnerships.agreements.models import Partnership
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.forms import AutocompleteSelectMultiple, DayField, Form
from partnerships.kit.moments import end_of
from partnerships.kit.record_fields import RecordSelect, RecordsField
from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Area, AreaKind, AreaServed, Organisation
from partnerships.organisations.models import Kind as OrganisationKind
from partnerships.plans.content import CONFIDENCE, FINANCIAL, NEEDS, TENURES, bedrooms_in_words, year_of_kind
from partnerships.plans.models import PlanKind, PlannedHomes
from partnerships.plans.queries.pipeline import HomesCount, Pipeline, PipelineFilters, homes_pipeline
from partnerships.reports.kinds.homes_tables import EarlierFigures, RowNames, division_table, slip_table
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import AreaMap, Chart, Snapshot, Source

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


def _compute(context: ReportContext) -> Snapshot:
    """Compute the homes in readable plans today and at an earlier time, by year, tenure and other divisions."""
    day = context.filters.get("since")
    pipeline = homes_pipeline(
        context.reader, _pipeline_filters(context), earlier=end_of(day) if day else None, now=context.now
    )
    earlier = EarlierFigures(day)
    names = RowNames(pipeline)
    tables = [division_table(division, title, pipeline, earlier, names) for division, title in _TITLES.items()]
    tables.insert(1, slip_table(pipeline.slips, earlier))  # after the table by year of completion
    return Snapshot(
        report=HOMES_PIPELINE.slug,
        title=HOMES_PIPELINE.title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        answers=_answers(context, pipeline, earlier),
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


#: The titles of the tables, by division.
_TITLES = {
    "year": "By year of completion",
    "tenure": "By tenure",
    "area": "By area",
    "bedrooms": "By bedrooms",
    "needs": "By needs type",
    "provider": "By provider",
    "confidence": "By confidence",
    "funding": "By funding",
}
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


def _answers(context: ReportContext, pipeline: Pipeline, earlier: EarlierFigures) -> tuple[str, ...]:
    """Return sentences with the number of homes, and of homes that complete next year, each with its change."""
    total = pipeline.total
    if not total.now and not earlier.count_of(total):
        return (_no_homes_sentence(context),)
    homes = counted(total.now, "home")
    sites_and_plans = f"{counted(pipeline.sites, 'site')} in {counted(pipeline.plans, 'plan')}"
    change = _change_in_words(total, earlier)
    sentences = [f"{homes} at {sites_and_plans}, {total.done:,} of them completed. That is {change}."]
    if not context.filters.get("year"):
        next_year = financial_year(context.today, 1)
        homes_next_year = pipeline.homes_in(next_year)
        change = _change_in_words(homes_next_year, earlier)
        homes = counted(homes_next_year.now, "home")
        sentences.append(f"Next year, {next_year}, {homes} will be completed. That is {change}.")
    return tuple(sentences)


def _no_homes_sentence(context: ReportContext) -> str:
    """Return the answer of a report without homes."""
    if context.filter_labels:
        return "No homes in published plans match these filters."
    return "Published plans have no homes yet."


def _change_in_words(homes: HomesCount, earlier: EarlierFigures) -> str:
    """Return the change in words, such as "12 fewer than the 60 on 1 March 2026"."""
    earlier_count = earlier.count_of(homes)
    if homes.now == earlier_count:
        return f"as many as {earlier.in_words}"
    more_or_fewer = "more" if homes.now > earlier_count else "fewer"
    return f"{abs(homes.now - earlier_count):,} {more_or_fewer} than the {earlier_count:,} {earlier.in_words}"


HOMES_PIPELINE = Report(
    slug="homes-pipeline",
    title="Homes pipeline",
    about="See homes across plans by year, tenure, area, size, needs, provider and funding, and what has changed.",
    group="Homes",
    form=_Filters,
    compute=_compute,
)
