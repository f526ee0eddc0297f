"""The list of commitments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import NullIf
from django.utils import timezone

from partnerships.agreements.columns import partnership_column
from partnerships.commitments import queries
from partnerships.commitments.bulk import ACTIONS
from partnerships.commitments.forms.filters import FilterForm
from partnerships.commitments.models import Commitment, CommitmentQuerySet, Kind, Status, Unit
from partnerships.commitments.queries.calendar import due_dates_of
from partnerships.kit import lists
from partnerships.kit.exports import day_of
from partnerships.kit.lists import Column, ListDefinition, hidden_at_first
from partnerships.kit.templatetags.kit import when_due
from partnerships.organisations.columns import organisation_column
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User

#: Conditions by choice of the filter "Status" (parameter `standing`). `_rows` handles "open" and "overdue" itself.
_CONDITIONS_BY_STATUS: dict[str, dict[str, Any]] = {
    "proposed": {"status": Status.PROPOSED},
    "risk": {"status__in": [Status.AT_RISK, Status.BLOCKED]},
    "done": {"status": Status.DONE},
    "verified": {"status": Status.VERIFIED},
    "ended": {"status__in": [Status.CANCELLED, Status.SUPERSEDED]},
}


def _rows(user: User, chosen: Mapping[str, Any]) -> CommitmentQuerySet:
    """Return the commitments that the person may see and that match these filters."""
    own_organisations = Organisation.objects.of_person(user).values("pk")
    conditions_by_part: dict[str, dict[str, Any]] = {
        "given": {"giver__in": own_organisations},
        "received": {"receiver__in": own_organisations},
        "mine": {"owner": user},
    }
    rows = Commitment.objects.visible_to(user)
    # The parameter is named `side` because saved views contain this name.
    part = chosen.get("side", "")
    if part in conditions_by_part:
        rows = rows.filter(**conditions_by_part[part])
    status = chosen.get("standing", "")
    if status == "open":
        rows = rows.under_way()
    elif status == "overdue":
        rows = rows.overdue(timezone.localdate())
    elif status in _CONDITIONS_BY_STATUS:
        rows = rows.filter(**_CONDITIONS_BY_STATUS[status])
    if chosen.get("kind"):
        rows = rows.filter(kind=chosen["kind"])
    # Only commitments that were imported from a published register have a source.
    if chosen.get("register") == "read":
        rows = rows.exclude(source="")
    elif chosen.get("register"):
        rows = rows.filter(source="")
    if chosen.get("partnership"):
        rows = rows.filter(partnership=chosen["partnership"])
    if chosen.get("words"):
        rows = queries.matching_words(rows, chosen["words"])
    return rows.for_listing()


def _name_as_at(user: User, rows: Sequence[Commitment]) -> None:
    """Show the organisations of each row under their names of the day of the proposal."""
    queries.name_as_at(rows)


def _owner(user: User) -> Combinable:
    """Return the expression by which the list is sorted and grouped by owner.

    Its value is the owner's name, or NULL if the owner has entered no name.
    """
    return NullIf(F("owner__name"), Value(""))


def _due_words(row: Commitment) -> str:
    """Return the due date in words, such as "in 3 days"."""
    return when_due(row.due_on, is_open=row.is_under_way)


#: Columns that the list shows before the reader chooses others.
_MAIN_COLUMNS = (
    Column(
        name="text",
        label="Commitment",
        value=lambda row: row.text,
        words=lambda row: row.text if len(row.text) <= 160 else f"{row.text[:157]}…",
        href=Commitment.get_absolute_url,
        covered="words",
        is_nullable=False,
    ),
    Column(name="reference", label="Reference", value=lambda row: row.reference, covered="words", is_nullable=False),
    Column(
        name="status",
        label="Status",
        kind=lists.Kind.CHOICE,
        value=lambda row: Status(row.status).label,
        tag=lambda row: row.status,
        choices=lambda: Status.choices,
        is_nullable=False,
        is_grouped=True,
    ),
    Column(
        name="due", label="Due date", kind=lists.Kind.DAY, value=lambda row: row.due_on, key="due_on", words=_due_words
    ),
    Column(
        name="owner",
        label="Owner",
        value=lambda row: row.owner.display_name if row.owner else None,
        key=_owner,
        is_grouped=True,
    ),
    organisation_column(
        name="giver",
        label="Given by",
        value=lambda row: row.giver.name if row.giver else row.giver_name,
        organisation_path="giver",
        moment_path="proposed_at",
        fallback_name_path="giver_name",
        is_nullable=False,
    ),
    organisation_column(
        name="receiver",
        label="Received by",
        value=lambda row: row.receiver.name if row.receiver else None,
        organisation_path="receiver",
        moment_path="proposed_at",
    ),
)
#: Columns about delivery. Quantities are summed separately for each unit.
_DELIVERY_COLUMNS = hidden_at_first(
    Column(
        name="first_due",
        label="Original due date",
        kind=lists.Kind.DAY,
        value=lambda row: row.original_due_on,
        key="original_due_on",
    ),
    Column(
        name="quantity",
        label="Quantity",
        kind=lists.Kind.NUMBER,
        value=lambda row: row.quantity,
        is_summed=True,
        summed_by="unit",
    ),
    Column(
        name="delivered",
        label="Delivered",
        kind=lists.Kind.NUMBER,
        value=lambda row: row.delivered_quantity,
        key="delivered_quantity",
        is_nullable=False,
        is_summed=True,
        summed_by="unit",
    ),
    Column(
        name="unit",
        label="Unit",
        kind=lists.Kind.CHOICE,
        value=lambda row: Unit.label_of(row.unit) if row.unit else None,
        choices=Unit.all_choices,
        is_grouped=True,
    ),
)
#: Columns about the kind and the source of a commitment.
_ORIGIN_COLUMNS = hidden_at_first(
    Column(
        name="kind",
        label="Kind",
        kind=lists.Kind.CHOICE,
        value=lambda row: Kind(row.kind).label,
        choices=lambda: Kind.choices,
        is_nullable=False,
        is_grouped=True,
    ),
    partnership_column(href=None),
    Column(
        name="proposed",
        label="Proposed",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.proposed_at),
        key="proposed_at",
        is_nullable=False,
    ),
    Column(
        name="since",
        label="Status since",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.status_since),
        key="status_since",
        is_nullable=False,
    ),
    Column(
        name="source",
        label="Register",
        value=lambda row: row.source or None,
        covered="register",
    ),
)

LIST = ListDefinition(
    slug="commitments",
    title="Commitments",
    one="commitment",
    address="commitments:list",
    columns=(*_MAIN_COLUMNS, *_DELIVERY_COLUMNS, *_ORIGIN_COLUMNS),
    rows=_rows,
    readable=lambda user: Commitment.objects.visible_to(user).for_listing(),
    form=lambda parameters, user: FilterForm(parameters, user=user),
    sort=lambda _chosen: "due",
    numbers_first=True,
    template="commitments/list.html",
    dates=due_dates_of,
    empty=(
        "No commitments yet",
        "An accepted ask becomes a commitment that both organisations confirm. You can also propose one yourself.",
    ),
    ready=_name_as_at,
    actions=ACTIONS,
    followed=lambda row: row,
    context=lambda user: {"may_propose": bool(Membership.objects.organisations_of(user, *EDITING_ROLES))},
)
