"""The lists of milestones and of sites in all plans that the reader may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.db.models import Case, F, Q, Value, When
from django.db.models.expressions import Combinable
from django.http import QueryDict
from django.utils import timezone

from partnerships.kit import lists
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.dates import PartialDate
from partnerships.kit.forms import Form
from partnerships.kit.lists import Column, ListDefinition
from partnerships.kit.record_fields import RecordsField
from partnerships.kit.templatetags.kit import when_due
from partnerships.people.models import User
from partnerships.plans.content import CONFIDENCE, MILESTONE_STATUSES, PLANNING_STATUSES, SETTLED
from partnerships.plans.models import Milestone, MilestoneQuerySet, Plan, Site, SiteQuerySet
from partnerships.plans.queries import my_plans
from partnerships.plans.queries.calendar import entries_of_milestones


class PieceFilterForm(Form):
    """Filters of a list by name, plan and owner."""

    q = forms.CharField(label="Name", required=False, max_length=200)
    plan = RecordsField(label="Plans", queryset=Plan.objects.none())
    mine = forms.BooleanField(label="Only plans of my organisations", required=False)

    def __init__(self, parameters: QueryDict, *, user: User) -> None:
        super().__init__(parameters)
        # Plans that the person's organisation left are not offered. The form would show their newest titles, and the
        # organisation may know only an older title.
        model_choice_field(self, "plan").queryset = Plan.objects.published_today_for(user).order_by("title", "pk")


class _MilestonesForm(PieceFilterForm):
    """Filters by name, plan and owner, and by whether a milestone is overdue or later than first planned."""

    overdue = forms.BooleanField(label="Only overdue milestones", required=False)
    slips = forms.BooleanField(label="Only milestones later than first planned", required=False)


def matches_filters(user: User, filters: Mapping[str, Any], *search_fields: str) -> Q:
    """Return the condition that a row matches the filters. The text in `q` is searched for in `search_fields`."""
    condition = Q()
    if filters.get("plan"):
        condition &= Q(plan__in=filters["plan"])
    if filters.get("mine"):
        condition &= Q(plan__in=my_plans(user).values("pk"))
    if filters.get("q"):
        contains_text = Q()
        for field in search_fields:
            contains_text |= Q((f"{field}__icontains", filters["q"]))
        condition &= contains_text
    return condition


#: The condition that the forecast of a milestone is later than its baseline. Both are ISO dates that may lack the day
#: or month. For example, "2027-04" is not later than "2027".
_IS_LATER_THAN_PLANNED = Q(forecast__gt=F("baseline")) & ~Q(baseline="") & ~Q(forecast__startswith=F("baseline"))


def _milestones(user: User, filters: Mapping[str, Any]) -> MilestoneQuerySet:
    """Return the milestones that match the filters."""
    rows = Milestone.objects.visible_to(user).filter(matches_filters(user, filters, "name")).select_related("plan")
    if filters.get("overdue"):
        rows = rows.overdue(timezone.localdate())
    return rows.filter(_IS_LATER_THAN_PLANNED) if filters.get("slips") else rows


def _sites(user: User, filters: Mapping[str, Any]) -> SiteQuerySet:
    """Return the sites that match the filters."""
    return Site.objects.visible_to(user).filter(matches_filters(user, filters, "name")).select_related("plan", "area")


def _later_than_planned(user: User) -> Combinable:
    """Return the SQL expression for whether a milestone is later than first planned."""
    return Case(When(_IS_LATER_THAN_PLANNED, then=Value(True)), default=Value(False))


def _is_later_than_planned(row: Milestone) -> bool:
    """Return whether a milestone meets `_IS_LATER_THAN_PLANNED`."""
    return bool(row.baseline) and row.forecast > row.baseline and not row.forecast.startswith(row.baseline)


def _due_words(row: Milestone) -> str:
    """Return the day by which a milestone is due and, unless it is settled, how far away this is."""
    return when_due(row.due_by, is_open=row.status not in SETTLED)


def _partial_date_words(field: str) -> Callable[[Milestone | Site], str]:
    """Return the function that writes the partial date in this field of a row in words.

    For example, it returns "April 2027" for a milestone with the forecast "2027-04".
    """

    def words_of_row(row: Milestone | Site) -> str:
        value: str = getattr(row, field)
        return PartialDate.parse(value).words if value else ""

    return words_of_row


def _choice_column(name: str, label: str, labels: Mapping[str, str], **more: Any) -> Column:
    """Return a column of codes, with the labels that pages show."""
    return Column(
        name=name,
        label=label,
        kind=lists.Kind.CHOICE,
        value=lambda row: labels.get(getattr(row, name)),
        choices=lambda: list(labels.items()),
        is_grouped=True,
        **more,
    )


def _date_column(name: str, label: str, **more: Any) -> Column:
    """Return a column of partial dates, in which "2027" comes before "2027-04"."""
    return Column(
        name=name,
        label=label,
        kind=lists.Kind.PARTIAL,
        value=lambda row: getattr(row, name),
        words=_partial_date_words(name),
        **more,
    )


PLAN = Column(
    name="plan",
    label="Plan",
    value=lambda row: row.plan.title,
    key="plan__title",
    href=lambda row: row.plan.get_absolute_url(),
    is_nullable=False,
    is_grouped=True,
)


def _name_column(label: str) -> Column:
    """Return the column with the name of a piece, which links to its place in the plan."""
    return Column(
        name="name",
        label=label,
        value=lambda row: row.name,
        href=lambda row: row.get_absolute_url(),
        covered="q",
        is_nullable=False,
    )


MILESTONES = ListDefinition(
    slug="milestones",
    title="Milestones",
    one="milestone",
    address="plans:milestones",
    is_in_order=True,
    columns=(
        _name_column("Milestone"),
        PLAN,
        Column(
            name="due",
            label="Due by",
            kind=lists.Kind.DAY,
            value=lambda row: row.due_by,
            key="due_by",
            words=_due_words,
        ),
        _choice_column("status", "Status", MILESTONE_STATUSES, tag=lambda row: row.status),
        Column(
            name="owner",
            label="Owner",
            value=lambda row: row.owner,
            is_grouped=True,
        ),
        _date_column("baseline", "First planned"),
        _date_column("forecast", "Forecast", is_shown=False),
        Column(
            name="slips",
            label="Later than first planned",
            kind=lists.Kind.FLAG,
            value=_is_later_than_planned,
            key=_later_than_planned,
            is_nullable=False,
            is_shown=False,
        ),
        _date_column("actual", "Achieved", is_shown=False),
    ),
    rows=_milestones,
    readable=lambda user: Milestone.objects.visible_to(user).select_related("plan"),
    form=lambda parameters, user: _MilestonesForm(parameters, user=user),
    sort=lambda _chosen: "due",
    template="plans/rows.html",
    followed=lambda row: row.plan,
    follow_words="Follow their plans",
    dates=entries_of_milestones,
    empty=("No milestones yet", "Milestones of published plans appear here."),
)

SITES = ListDefinition(
    slug="sites",
    title="Sites",
    one="site",
    address="plans:sites",
    is_in_order=True,
    columns=(
        _name_column("Site"),
        Column(name="reference", label="Reference", value=lambda row: row.reference),
        Column(name="address", label="Address", value=lambda row: row.address, is_shown=False),
        Column(name="postcode", label="Postcode", value=lambda row: row.postcode, is_shown=False),
        PLAN,
        Column(
            name="area",
            label="Area",
            value=lambda row: row.area.name if row.area else None,
            key="area__name",
            is_grouped=True,
        ),
        Column(
            name="homes",
            label="Homes",
            kind=lists.Kind.NUMBER,
            value=lambda row: row.homes,
            is_nullable=False,
            is_summed=True,
        ),
        _choice_column("planning_status", "Planning status", PLANNING_STATUSES),
        _date_column("forecast_completion", "Forecast completion"),
        _choice_column("confidence", "Confidence", CONFIDENCE, is_shown=False),
        _date_column("actual_completion", "Completed", is_shown=False),
        Column(
            name="planning_authority",
            label="Planning authority",
            value=lambda row: row.planning_authority,
            is_shown=False,
            is_grouped=True,
        ),
        Column(
            name="confidential",
            label="Confidential",
            kind=lists.Kind.FLAG,
            value=lambda row: row.confidential,
            is_nullable=False,
            is_shown=False,
        ),
    ),
    rows=_sites,
    readable=lambda user: Site.objects.visible_to(user).select_related("plan", "area"),
    form=lambda parameters, user: PieceFilterForm(parameters, user=user),
    sort=lambda _chosen: "name",
    template="plans/rows.html",
    followed=lambda row: row.plan,
    follow_words="Follow their plans",
    empty=("No sites yet", "Sites of published plans appear here."),
)
