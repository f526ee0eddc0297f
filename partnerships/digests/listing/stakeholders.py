"""The list of stakeholders whom the reader's organisations asked to follow a record.

The list does not reveal what the reader's organisations may not know. For example, the name of a plan that the reader
may not see is empty, and the list cannot be sorted or searched by it. So the database values of such columns depend on
the reader (see `Key`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Case, F, OuterRef, Q, Subquery, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import NullIf
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import capfirst

from partnerships.digests.bulk import ASK_AGAIN
from partnerships.digests.forms import StakeholderFilter
from partnerships.digests.models import (
    Delivery,
    DeliveryKind,
    Subscription,
    SubscriptionQuerySet,
    SubscriptionStatus,
)
from partnerships.digests.queries.ledger import tabs_for
from partnerships.digests.queries.naming import records_known_to, set_names_for
from partnerships.digests.queries.subscriptions import (
    confirmation_emails,
    find_stakeholders,
    followed_by_stakeholders,
    may_ask_stakeholders,
)
from partnerships.kit import lists
from partnerships.kit.exports import day_of
from partnerships.kit.lists import Column, ListDefinition, hidden_at_first
from partnerships.organisations.columns import present_organisation_column
from partnerships.outbox.models import EmailStatus
from partnerships.people.models import User

#: The field with the title of each kind of target.
_TITLES = {
    "plan": "plan__title",
    "partnership": "partnership__title",
    "organisation": "organisation__name",
    "request": "request__title",
    "commitment": "commitment__text",
}


def _rows(user: User, filters: Mapping[str, Any]) -> SubscriptionQuerySet:
    """Return the subscriptions that match the filters.

    For example, `{"q": "alex@", "about": "plan-12"}` finds stakeholders of plan 12 with "alex@" in their address.
    """
    return find_stakeholders(user, words=filters.get("q", ""), about=filters.get("about", ""), now=timezone.now())


def _set_target_names(user: User, rows: Sequence[Subscription]) -> None:
    """Set on each row of a page the name of the followed record, if the reader may know the name."""
    set_names_for(user, rows, timezone.now())


def _set_confirmation_emails(_user: User, rows: Sequence[Any]) -> None:
    """Set `email` on each row of a page to the latest email that asked the person to confirm.

    `email` is None once the person has answered.
    """
    email_by_subscription = confirmation_emails([row for row in rows if row.is_waiting])
    for row in rows:
        row.email = email_by_subscription.get(row.pk)


def _key_if_known(paths: Mapping[str, str]) -> Callable[[User], Combinable]:
    """Return the key of a column with a field of the followed record, which is empty if the reader may not know it.

    `paths` are the fields by kind of record. For example, the key for `{"plan": "plan__title"}` is the title of the
    plan for readers who may see the plan. It is empty for other readers, and for people who follow a partnership.
    """

    def expression_for(user: User) -> Combinable:
        records_by_kind = records_known_to(user)
        cases = []
        for kind, path in paths.items():
            known_ids = records_by_kind[kind].values("pk")
            is_known = Q((f"{kind}__in", known_ids))
            cases.append(When(is_known, then=F(path)))
        return Case(*cases, output_field=TextField())

    return expression_for


def _address_key(_user: User) -> Combinable:
    """Return the email address that the stakeholder was asked at.

    It is empty once a confirmed subscription has ended, and if the stakeholder gave another address themselves. The
    column shows no address then either (`Subscription.address_for_askers`).
    """
    has_ended = Q(confirmed_at__isnull=False, status=SubscriptionStatus.ENDED)
    return Case(
        When(has_ended | Q(has_own_address=True), then=Value(None)),
        default=F("person__email"),
        output_field=TextField(),
    )


def _email_key(field: str) -> Callable[[User], Combinable]:
    """Return the key of a column with a field of the latest email that asked the person to confirm.

    For example, the key for "status" is "sent" once that email was sent. It is empty once the person has answered.
    """
    confirmations = Delivery.objects.filter(
        kind=DeliveryKind.CONFIRMATION, subscription=OuterRef("pk"), recipient=OuterRef("person")
    )
    latest_value = Subquery(confirmations.order_by("-pk").values(field)[:1])
    return lambda _user: Case(When(status=SubscriptionStatus.ASKED, then=latest_value))


def _email_status_in_words(row: Any) -> str:
    """Return the status of the email that asked the person to confirm, with the reason for that status."""
    if row.email is None:
        return ""
    if row.email.reason:
        return f"{row.email.status_label}, {row.email.reason}"
    return str(row.email.status_label)


def _form(parameters: QueryDict, user: User) -> StakeholderFilter:
    """Return the form of the filters; its choices are the records that this reader's stakeholders follow."""
    return StakeholderFilter(parameters, things=lambda: followed_by_stakeholders(user, timezone.now()))


#: The columns "Person" and "About" leave out names that the reader may not know.
_PERSON_AND_RECORD = (
    Column(
        name="person",
        label="Person",
        value=lambda row: row.person_for_askers,
        key="shown_as",
        href=Subscription.get_absolute_url,
        covered="q",
        is_nullable=False,
    ),
    Column(
        name="address",
        label="Email address",
        value=lambda row: row.address_for_askers or None,
        key=_address_key,
        covered="q",
        is_shown=False,
    ),
    Column(
        name="about",
        label="About",
        value=lambda row: row.shown_name if row.named else capfirst(row.shown_name),
        key=_key_if_known(_TITLES),
        href=lambda row: row.target.get_absolute_url() if row.named else "",
        is_grouped=True,
    ),
)
_STATUS = (
    Column(
        name="asked",
        label="Asked",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.asked_at),
        key="asked_at",
        is_nullable=False,
    ),
    Column(
        name="status",
        label="Status",
        kind=lists.Kind.CHOICE,
        value=Subscription.get_status_display,
        tag=lambda row: row.status,
        choices=lambda: SubscriptionStatus.choices,
        is_nullable=False,
        is_grouped=True,
    ),
    Column(
        name="email",
        label="Confirmation email",
        kind=lists.Kind.CHOICE,
        value=lambda row: _email_status_in_words(row) or None,
        key=_email_key("status"),
        choices=lambda: EmailStatus.choices,
        ready=_set_confirmation_emails,
    ),
)
_REQUEST = hidden_at_first(
    Column(
        name="sent",
        label="Email sent",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.email.created_at) if row.email else None,
        key=_email_key("created_at"),
        ready=_set_confirmation_emails,
    ),
    Column(
        name="why",
        label="Why they get digests",
        value=lambda row: row.why if row.named else None,
        key=_key_if_known(dict.fromkeys(_TITLES, "why")),
    ),
    Column(
        name="asked_by",
        label="Asked by",
        value=lambda row: row.added_by.display_name if row.added_by else None,
        key=lambda _user: NullIf(F("added_by__name"), Value("")),
        is_grouped=True,
    ),
    present_organisation_column(
        name="organisation",
        label="Asked for",
        value=lambda row: row.added_for.name if row.added_for else None,
        organisation_path="added_for",
    ),
)
_OUTCOME = hidden_at_first(
    Column(
        name="confirmed",
        label="Confirmed",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.confirmed_at),
        key="confirmed_at",
    ),
    Column(
        name="ended",
        label="Ended",
        kind=lists.Kind.MOMENT,
        value=lambda row: day_of(row.ended_at),
        key="ended_at",
    ),
    Column(
        name="reason",
        label="Reason",
        value=lambda row: row.reason_for_askers or None,
    ),
)

STAKEHOLDERS = ListDefinition(
    slug="stakeholders",
    title="Stakeholders",
    one="stakeholder",
    address="digests:stakeholders",
    columns=(*_PERSON_AND_RECORD, *_STATUS, *_REQUEST, *_OUTCOME),
    rows=_rows,
    readable=lambda user: find_stakeholders(user, now=timezone.now()),
    form=_form,
    sort=lambda _chosen: "person",
    template="digests/stakeholders.html",
    empty=(
        "No stakeholders yet",
        "Open a plan or a partnership and add a stakeholder. They get digests once they confirm.",
    ),
    unmatched="Try a shorter search, or remove a filter. People who have not confirmed are found by address only.",
    ready=_set_target_names,
    context=tabs_for,
    actions=(ASK_AGAIN,),
    may_open=may_ask_stakeholders,
)
