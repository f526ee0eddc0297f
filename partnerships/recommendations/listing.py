"""The list of recommendations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Case, CharField, Exists, F, Func, OuterRef, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat

from partnerships.kit import lists
from partnerships.kit.lists import Column, ListDefinition, hidden_at_first, joined
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.recommendations.bulk import ASSIGN
from partnerships.recommendations.forms.filters import FilterForm
from partnerships.recommendations.models import Addressee, Confidence, Recommendation, RecommendationQuerySet, Response
from partnerships.recommendations.models.sources import KINDS_OF_BODY
from partnerships.recommendations.queries.listings import only_with_work, with_work_counts, without_work


def _matching_recommendations(user: User, filters: Mapping[str, Any]) -> RecommendationQuerySet:
    """Return the recommendations that match these filters."""
    recommendations = with_work_counts(Recommendation.objects.visible_to(user), user)
    if filters.get("words"):
        recommendations = recommendations.filter(text__icontains=filters["words"])
    if filters.get("source"):
        recommendations = recommendations.filter(source=filters["source"])
    if filters.get("addressee"):
        addressees = Addressee.objects.filter(recommendation=OuterRef("pk"), kind=filters["addressee"])
        recommendations = recommendations.filter(Exists(addressees))
    if filters.get("theme"):
        recommendations = recommendations.filter(themes__overlap=list(filters["theme"]))
    if filters.get("confidence"):
        recommendations = recommendations.filter(confidence__in=filters["confidence"])
    match filters.get("work", ""):
        case "ours":
            own_organisations = Organisation.objects.of_person(user).values("pk")
            own_responses = Response.objects.filter(organisation__in=own_organisations)
            recommendations = recommendations.filter(Exists(own_responses.filter(recommendation=OuterRef("pk"))))
        case "nobody":
            recommendations = without_work(recommendations)
        case "somebody":
            recommendations = only_with_work(recommendations)
    return recommendations


def _addressees_sort_key(user: User) -> Combinable:
    """Return the SQL expression for all addressees in one text, such as “Councils; Homes England”."""
    labels_of_kinds = [When(kind=kind, then=Value(label)) for kind, label in KINDS_OF_BODY.items()]
    label = Case(*labels_of_kinds, default=F("organisation__name"), output_field=CharField())
    addressees = Addressee.objects.filter(recommendation=OuterRef("pk")).annotate(label=label).order_by("pk")
    return joined(addressees, "label")


def _themes(user: User) -> Combinable:
    """Return the SQL expression for the codes of the themes, in one text."""
    return Func(F("themes"), Value(", "), function="array_to_string", output_field=TextField())


def _count_column(name: str, label: str, *, is_shown: bool = True) -> Column:
    """Return a column with one of the counts that `with_work_counts` adds to the rows, such as `under_way`."""
    return Column(
        name=name,
        label=label,
        kind=lists.Kind.NUMBER,
        value=lambda row: getattr(row, name),
        is_nullable=False,
        is_shown=is_shown,
        is_summed=True,
    )


_SHOWN = (
    Column(
        name="text",
        label="Recommendation",
        value=lambda row: row.text,
        href=Recommendation.get_absolute_url,
        covered="words",
        is_nullable=False,
    ),
    Column(name="reference", label="Reference", value=lambda row: row.reference),
    Column(
        name="report",
        label="Report",
        value=lambda row: str(row.source),
        key=lambda _user: Concat("source__title", Value(" ("), "source__year", Value(")"), output_field=TextField()),
        covered="source",
        is_nullable=False,
        is_grouped=True,
    ),
    Column(
        name="addressees",
        label="Addressed to",
        value=lambda row: row.addressee_words,
        key=_addressees_sort_key,
        covered="addressee",
        is_nullable=False,
        is_grouped=True,
    ),
    Column(
        name="confidence",
        label="Confidence",
        kind=lists.Kind.CHOICE,
        value=lambda row: Confidence(row.confidence).label,
        tag=lambda row: row.confidence,
        choices=lambda: Confidence.choices,
        covered="confidence",
        is_nullable=False,
        is_grouped=True,
    ),
)
#: Columns with the numbers of organisations and partnerships that work on each recommendation.
_COUNTS = (
    _count_column("working", "Working on it"),
    _count_column("under_way", "Under way", is_shown=False),
    _count_column("done", "Done", is_shown=False),
    _count_column("over", "Declined or superseded", is_shown=False),
    _count_column("adopted", "Adopted by partnerships", is_shown=False),
)
_SOURCE = hidden_at_first(
    Column(
        name="themes",
        label="Themes",
        value=lambda row: row.theme_words,
        key=_themes,
        covered="theme",
    ),
    Column(
        name="year",
        label="Year",
        kind=lists.Kind.NUMBER,
        value=lambda row: row.source.year,
        words=lambda row: str(row.source.year),
        key="source__year",
        is_nullable=False,
    ),
    Column(
        name="publisher",
        label="Publisher",
        value=lambda row: row.source.publisher,
        key="source__publisher",
        is_nullable=False,
        is_grouped=True,
    ),
)

LIST = ListDefinition(
    slug="recommendations",
    title="Recommendations",
    one="recommendation",
    address="recommendations:list",
    columns=(*_SHOWN, *_COUNTS, *_SOURCE),
    rows=_matching_recommendations,
    readable=lambda user: with_work_counts(Recommendation.objects.visible_to(user), user),
    form=lambda parameters, _user: FilterForm(parameters),
    sort=lambda _chosen: "report",
    template="recommendations/list.html",
    empty=("No recommendations recorded", "Editors and leads can import recommendations from a spreadsheet."),
    actions=(ASSIGN,),
    followed=lambda row: row,
)
