"""The list of plans.

People whose organisation left a plan see the plan as it was on that day. For them, the list must not sort or filter the
plan by later values, which would reveal these values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from partnerships.agreements.columns import offer_partnerships, partnership_column
from partnerships.agreements.models import Partnership
from partnerships.kit import lists
from partnerships.kit.exports import day_of
from partnerships.kit.forms import Form
from partnerships.kit.lists import Column, ListDefinition, hidden_at_first, joined
from partnerships.kit.record_fields import RecordField
from partnerships.organisations.columns import FOUND_WORDS
from partnerships.organisations.holdings import CheckedForEachRow, for_a_few_records, id_is_among
from partnerships.organisations.lineage import organisation_ids_by_name
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.organisations.naming import displayed_name_at, group_headings
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.models import (
    FINAL_STATUSES,
    Audience,
    Plan,
    PlanKind,
    PlanOwner,
    PlanQuerySet,
    Status,
    Version,
    VersionQuerySet,
)
from partnerships.plans.queries import listed_plans, my_plans, plans_as_read_by, title_condition_for
from partnerships.plans.queries.calendar import entries_of_plans


class PlanFilterForm(Form):
    """Filters that only the list of plans has."""

    q = forms.CharField(label="Title", required=False, max_length=200)
    mine = forms.BooleanField(label="Owned by my organisations", required=False)
    partnership = RecordField(label="Partnership", queryset=Partnership.objects.none(), empty_label="Any partnership")

    def __init__(self, parameters: QueryDict, *, user: User) -> None:
        super().__init__(parameters)
        offer_partnerships(self, user)


def _readable(user: User) -> PlanQuerySet:
    """Return every plan that the person may see, with what the columns need."""
    return Plan.objects.visible_to(user).for_listing()


def _rows(user: User, filters: Mapping[str, Any]) -> PlanQuerySet:
    """Return the plans that match the filters. Titles are searched as the person sees them."""
    plans = my_plans(user) if filters.get("mine") else Plan.objects.visible_to(user)
    if filters.get("q"):
        plans = plans.filter(title_condition_for(user, Q(title__icontains=filters["q"])))
    if filters.get("partnership"):
        plans = plans.filter(partnership=filters["partnership"])
    return Plan.objects.filter(pk__in=plans.values("pk")).for_listing()


def _prepare_rows(user: User, rows: Sequence[Any]) -> None:
    """Set the values of each plan that the reader may see, and add its owners and next steps as `listed`."""
    plans_as_read_by(user, rows)
    for listed in listed_plans(user, rows):
        row: Any = listed.plan
        row.listed = listed


def _add_since(user: User, rows: Sequence[Any]) -> None:
    """Set `since` on each row, which is when the version that the reader sees was published, or the draft started."""
    moment_by_plan = dict(rows_for(_since_by_plan, user, [row.pk for row in rows]))
    for row in rows:
        row.since = moment_by_plan.get(row.pk)


def _since_by_plan(user: User, plan_ids: list[int]) -> QuerySet[Plan, tuple[int, dt.datetime]]:
    """Return the id of each of these plans, and when the version that the reader sees was published.

    For a plan without a version, it is when the draft was started.
    """
    with for_a_few_records():
        is_known_today = Q(CheckedForEachRow(Plan.objects.visible_today_to(user).filter(pk=OuterRef("pk"))))
        plans = Plan.objects.filter(id_is_among("pk", plan_ids)).annotate(since=_since(user, is_known_today))
    return plans.values_list("pk", "since")


def _ids_known_today(user: User) -> QuerySet[Plan, Any]:
    """Return the ids of the plans that the person may see as they are today."""
    return Plan.objects.visible_today_to(user).values("pk")


def _key_today(path: str) -> Callable[[User], Combinable]:
    """Return the key of a column that shows a plan as it is today.

    For example, the key for "status" is the status of a plan. It is empty for people whose organisation left the plan.
    """
    return lambda user: Case(When(pk__in=_ids_known_today(user), then=F(path)))


def _value_today(name: str) -> Callable[[Any], Any]:
    """Return the function that provides the cells of a column that shows a plan as it is today.

    For example, the cells for "period_start" are the first years of plans. A cell is None if the reader's organisation
    left the plan. `name` is an attribute or a method of the plan.
    """

    def value_of_row(row: Any) -> Any:
        if row.owners_at_departure is not None:
            return None
        attribute = getattr(row, name)
        return attribute() if callable(attribute) else attribute

    return value_of_row


def _newest(user: User) -> VersionQuerySet:
    """Return the versions of a plan that the reader may see, newest first."""
    return Version.objects.visible_to(user).filter(plan=OuterRef("pk")).order_by("-number")


def _title(user: User) -> Combinable:
    """Return the title that the reader of the list sees."""
    newest_title = Subquery(_newest(user).values("title")[:1])
    return Case(When(pk__in=_ids_known_today(user), then=F("title")), default=newest_title, output_field=CharField())


def _since(user: User, is_known_today: Q | None = None) -> Combinable:
    """Return when the newest version that the reader sees was published, or when a draft was started.

    `is_known_today` is a condition that is faster for a few plans than the usual condition.
    """
    newest_date = Subquery(_newest(user).values("published_at")[:1])
    has_no_embargo = Q(embargoed_until=None) | Q(embargoed_until__lte=timezone.now())
    is_known = is_known_today or Q(pk__in=_ids_known_today(user))
    return Case(
        When(current_number=0, then=F("created_at")),
        When(has_no_embargo & is_known, then=F("last_published_at")),
        default=newest_date,
    )


def _version(user: User) -> Combinable:
    """Return the number of the version that lists show. During an embargo, it is that of the open version."""
    is_embargoed = Q(embargoed_until__gt=timezone.now())
    newest_number = Subquery(_newest(user).values("number")[:1])
    return Case(
        When(current_number=0, then=Value(None)),
        When(is_embargoed, pk__in=_ids_known_today(user), then=F("open_number")),
        When(pk__in=_ids_known_today(user), then=F("current_number")),
        default=newest_number,
    )


def _owners(user: User) -> Combinable:
    """Return the present names of the owners, by which rows are grouped; empty for people who left the plan."""
    owners = PlanOwner.objects.filter(plan=OuterRef("pk")).order_by("pk")
    return Case(When(pk__in=_ids_known_today(user), then=joined(owners, "organisation__name")))


def _owners_shown(user: User) -> Combinable:
    """Return the names of the owners as the cell shows them, for example "Fen Homes (now Marsh Homes)"."""
    shown = displayed_name_at("plan__last_published_at", is_over=Q(plan__status__in=FINAL_STATUSES))
    owners = PlanOwner.objects.filter(plan=OuterRef("pk")).annotate(shown=shown).order_by("pk")
    return Case(When(pk__in=_ids_known_today(user), then=joined(owners, "shown")))


def _owned_by(name: str) -> Q:
    """Return the condition that an owner has this name, for plans whose present owners the reader may see."""
    owners = PlanOwner.objects.filter(organisation__in=organisation_ids_by_name(name))
    return Q(list_owners__isnull=False) & Q(pk__in=owners.values("plan"))


def _waiting_words(row: Any) -> SafeString:
    """Return the next steps of a plan as HTML."""
    return SafeString(render_to_string("plans/_waiting_for.html", {"steps": row.listed.steps}).strip())


#: Columns shown by default. Present values are empty for people who see the plan as it was.
_SHOWN = (
    Column(
        name="title",
        label="Plan",
        value=lambda row: row.title,
        key=_title,
        href=Plan.get_absolute_url,
        covered="q",
    ),
    Column(
        name="kind",
        label="Kind",
        kind=lists.Kind.CHOICE,
        value=lambda row: PlanKind.label_of(row.kind),
        choices=PlanKind.all_choices,
        is_nullable=False,
        is_grouped=True,
    ),
    Column(
        name="status",
        label="Status",
        kind=lists.Kind.CHOICE,
        value=Plan.get_status_display,
        key=_key_today("status"),
        tag=lambda row: row.status,
        choices=lambda: Status.choices,
        is_grouped=True,
    ),
    Column(
        name="owners",
        label="Owners",
        value=lambda row: "; ".join(owner.organisation.name for owner in row.listed.owners),
        key=_owners,
        sorts_by=_owners_shown,
        found_by=_owned_by,
        found_words=FOUND_WORDS,
        group_words=group_headings,
        is_grouped=True,
    ),
    Column(
        name="version",
        label="Version",
        kind=lists.Kind.NUMBER,
        value=lambda row: row.announced_number or None,
        words=lambda row: f"version {row.announced_number}" if row.announced_number else "",
        key=_version,
    ),
    Column(
        name="waiting",
        label="Waiting for",
        value=lambda row: "; ".join(f"{step.organisations} {step.action}" for step in row.listed.steps) or None,
        words=_waiting_words,
        key=_key_today("status"),  # which decides what a plan is waiting for
        covered="status",
    ),
    Column(
        name="since",
        label="Published, or draft started",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.since),
        key=_since,
        ready=_add_since,
    ),
)
_READERS = hidden_at_first(
    Column(
        name="number",
        label="Number",
        kind=lists.Kind.NUMBER,
        value=lambda row: row.pk,
        words=lambda row: str(row.pk),
        key="pk",
        is_nullable=False,
    ),
    partnership_column(),
    Column(
        name="audience",
        label="Who can read it",
        kind=lists.Kind.CHOICE,
        value=_value_today("get_audience_display"),
        key=_key_today("audience"),
        choices=lambda: Audience.choices,
        is_grouped=True,
    ),
)
_PERIOD = hidden_at_first(
    Column(
        name="first_year",
        label="First year",
        kind=lists.Kind.NUMBER,
        value=_value_today("period_start"),
        words=lambda row: str(_value_today("period_start")(row) or ""),
        key=_key_today("period_start"),
    ),
    Column(
        name="last_year",
        label="Last year",
        kind=lists.Kind.NUMBER,
        value=_value_today("period_end"),
        words=lambda row: str(_value_today("period_end")(row) or ""),
        key=_key_today("period_end"),
    ),
)

PLANS = ListDefinition(
    slug="plans",
    title="Plans",
    one="plan",
    address="plans:list",
    columns=(*_SHOWN, *_READERS, *_PERIOD),
    rows=_rows,
    readable=_readable,
    form=lambda parameters, user: PlanFilterForm(parameters, user=user),
    sort=lambda _chosen: "-number",
    template="plans/list.html",
    empty=("No plans yet", "Nobody has shared a plan with you yet, and your organisations have not started one."),
    ready=_prepare_rows,
    followed=lambda row: row,
    dates=entries_of_plans,
    context=lambda user: {"may_begin": bool(Membership.objects.organisations_of(user, *EDITING_ROLES))},
)
