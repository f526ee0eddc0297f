"""The list of plans.

Somebody whose organisation left a plan reads it as it was then, so what they sort and filter by is what it was then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Case, CharField, F, OuterRef, Q, Subquery, Value, When
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
from partnerships.kit.lists import Column, Key, ListDefinition, hidden_at_first, joined
from partnerships.kit.record_fields import RecordField
from partnerships.organisations.columns import FOUND_WORDS
from partnerships.organisations.holdings import OneByOne, among, one_by_one
from partnerships.organisations.lineage import found_by_name
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.organisations.naming import group_words, shown_then
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.models import OVER, Audience, Plan, PlanKind, PlanOwner, PlanQuerySet, Status, Version
from partnerships.plans.queries import as_listed, as_read_by, my_plans, titled_for
from partnerships.plans.queries.calendar import dates_of_plans


class PlansForm(Form):
    """The list's own filters of plans."""

    q = forms.CharField(label="Title", required=False, max_length=200)
    mine = forms.BooleanField(label="Owned by my organisations", required=False)
    partnership = RecordField(label="Partnership", queryset=Partnership.objects.none(), empty_label="Any partnership")

    def __init__(self, parameters: QueryDict, *, user: User) -> None:
        super().__init__(parameters)
        offer_partnerships(self, user)


def _readable(user: User) -> PlanQuerySet:
    return Plan.objects.visible_to(user).for_listing()


def _rows(user: User, chosen: Mapping[str, Any]) -> PlanQuerySet:
    plans = my_plans(user) if chosen.get("mine") else Plan.objects.visible_to(user)
    if chosen.get("q"):
        plans = plans.filter(titled_for(user, Q(title__icontains=chosen["q"])))
    if chosen.get("partnership"):
        plans = plans.filter(partnership=chosen["partnership"])
    return Plan.objects.filter(pk__in=plans.values("pk")).for_listing()


def _ready(user: User, rows: Sequence[Any]) -> None:
    """Show plans as their reader may know them, with what each waits for."""
    as_read_by(user, rows)
    for one in as_listed(user, rows):
        row: Any = one.plan
        row.listed = one


def _ready_since(user: User, rows: Sequence[Any]) -> None:
    moments = dict(rows_for(_moments, user, [row.pk for row in rows]))
    for row in rows:
        row.since = moments.get(row.pk)


def _moments(user: User, plans: list[int]) -> Any:
    with one_by_one():
        readable = Q(OneByOne(Plan.objects.known_today_to(user).filter(pk=OuterRef("pk"))))
        plans_found = Plan.objects.filter(among("pk", plans)).annotate(since=_since(user, readable))
    return plans_found.values_list("pk", "since")


def _known_today(user: User) -> Any:
    return Plan.objects.known_today_to(user).values("pk")


def _today(path: str) -> Key:
    """What a plan says today; empty for those who read it only as it was."""
    return lambda user: Case(When(pk__in=_known_today(user), then=F(path)))


def _if_today(name: str) -> Callable[[Any], Any]:
    """A function for the same as a cell: the value today, or empty."""

    def value(row: Any) -> Any:
        column_value = getattr(row, name) if row.owners_then is None else None
        return column_value() if callable(column_value) else column_value

    return value


def _newest(user: User) -> Any:
    """The newest version that the reader may see."""
    return Version.objects.visible_to(user).filter(plan=OuterRef("pk")).order_by("-number")


def _title(user: User) -> Combinable:
    """The title that its reader sees."""
    newest_title = Subquery(_newest(user).values("title")[:1])
    return Case(When(pk__in=_known_today(user), then=F("title")), default=newest_title, output_field=CharField())


def _since(user: User, readable: Q | None = None) -> Combinable:
    """When the newest version that its reader sees was published; of a draft, when it was begun.

    `readable` is the condition on plans that they know today, if it was composed for a few.
    """
    newest_date = Subquery(_newest(user).values("published_at")[:1])
    open_ones = Q(embargoed_until=None) | Q(embargoed_until__lte=timezone.now())
    return Case(
        When(current_number=0, then=F("created_at")),
        When(open_ones & (readable or Q(pk__in=_known_today(user))), then=F("last_published_at")),
        default=newest_date,
    )


def _version(user: User) -> Combinable:
    """The number that lists show: see `Plan.announced_number`."""
    embargoed = Q(embargoed_until__gt=timezone.now())
    newest_number = Subquery(_newest(user).values("number")[:1])
    return Case(
        When(current_number=0, then=Value(None)),
        When(embargoed, pk__in=_known_today(user), then=F("open_number")),
        When(pk__in=_known_today(user), then=F("current_number")),
        default=newest_number,
    )


def _owners(user: User) -> Combinable:
    """The present names of the owners, which groups say. Empty for those who read the plan only as it was."""
    owners = PlanOwner.objects.filter(plan=OuterRef("pk")).order_by("pk")
    return Case(When(pk__in=_known_today(user), then=joined(owners, "organisation__name")))


def _owners_shown(user: User) -> Combinable:
    """What the cell says: see `name_owners_as_at`."""
    shown = shown_then("plan__last_published_at", is_over=Q(plan__status__in=OVER))
    owners = PlanOwner.objects.filter(plan=OuterRef("pk")).annotate(shown=shown).order_by("pk")
    return Case(When(pk__in=_known_today(user), then=joined(owners, "shown")))


def _owned_by(words: str) -> Q:
    """Plans with an owner by one of its names.

    Plans whose owners of today the reader does not know are left out.
    """
    owners = PlanOwner.objects.filter(organisation__in=found_by_name(words))
    return Q(list_owners__isnull=False) & Q(pk__in=owners.values("plan"))


def _waiting_words(row: Any) -> SafeString:
    return SafeString(render_to_string("plans/_waiting_for.html", {"steps": row.listed.steps}).strip())


#: What holds only today is blank for former partners.
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
        key=_today("status"),
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
        group_words=group_words,
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
        value=lambda row: "; ".join(f"{step.who} {step.what}" for step in row.listed.steps) or None,
        words=_waiting_words,
        key=_today("status"),  # what a plan waits for follows from it
        covered="status",
    ),
    Column(
        name="since",
        label="Published, or draft started",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.since),
        key=_since,
        ready=_ready_since,
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
        value=_if_today("get_audience_display"),
        key=_today("audience"),
        choices=lambda: Audience.choices,
        is_grouped=True,
    ),
)
_PERIOD = hidden_at_first(
    Column(
        name="first_year",
        label="First year",
        kind=lists.Kind.NUMBER,
        value=_if_today("period_start"),
        words=lambda row: str(_if_today("period_start")(row) or ""),
        key=_today("period_start"),
    ),
    Column(
        name="last_year",
        label="Last year",
        kind=lists.Kind.NUMBER,
        value=_if_today("period_end"),
        words=lambda row: str(_if_today("period_end")(row) or ""),
        key=_today("period_end"),
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
    form=lambda parameters, user: PlansForm(parameters, user=user),
    sort=lambda _chosen: "-number",
    template="plans/list.html",
    empty=("No plans yet", "None has been shared with you yet, and your organisations have not started one."),
    ready=_ready,
    followed=lambda row: row,
    dates=dates_of_plans,
    context=lambda user: {"may_begin": bool(Membership.objects.organisations_of(user, *EDITING_ROLES))},
)
