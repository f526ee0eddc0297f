"""The list of digests sent.

Recipients are named, sorted and found only as far as the reader may know them (see `queries/ledger.py`). Functions that
take the reader and return an expression provide the database value by which a column is sorted and filtered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Case, F, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf
from django.utils.html import format_html_join

from partnerships.digests.bulk import SEND_AGAIN
from partnerships.digests.models import Delivery, DeliveryItem, DeliveryKind
from partnerships.digests.queries.addresses import people_with_known_address
from partnerships.digests.queries.included import items_of, with_items, with_names
from partnerships.digests.queries.ledger import ledger_of, may_look, shown_to, tabs_for, with_words
from partnerships.digests.queries.queue import queue_figures
from partnerships.kit import lists
from partnerships.kit.exports import day_of
from partnerships.kit.forms import Form
from partnerships.kit.lists import Column, ListDefinition, joined
from partnerships.kit.templatetags.kit import long_time
from partnerships.outbox.models import EmailReason, EmailStatus
from partnerships.people.models import User
from partnerships.plans.models import Plan


class LedgerForm(Form):
    """The filters of this list, besides the filters that all lists have."""

    q = forms.CharField(label="Name or address", required=False, max_length=254)
    not_written = forms.BooleanField(label="Only emails that could not be prepared", required=False)


def _rows(user: User, chosen: Mapping[str, Any]) -> QuerySet[Delivery]:
    """Return the emails that match the filters of `LedgerForm`."""
    rows = ledger_of(user)
    if chosen.get("not_written"):
        rows = rows.filter(reason_code=EmailReason.NOT_COMPOSED)
    if chosen.get("q"):
        rows = with_words(user, rows, chosen["q"])
    return rows


def _set_recipients_and_contents(user: User, rows: Sequence[Any]) -> None:
    """Set `shown` (the recipient) and `contents` (lines about the email) on each row, for the columns.

    Administrators see all plans in an email, other people only the plans that they may publish.
    """
    deliveries = with_items(with_names(user, list(rows)))
    publishable_ids = None if user.is_staff else set(Plan.objects.publishable_by(user).values_list("pk", flat=True))
    for shown in shown_to(user, deliveries):
        row: Any = shown.delivery
        row.shown = shown
        row.contents = items_of(shown.delivery, publishable_ids)


def _recipient_value(user: User) -> Combinable:
    """Return the recipient as `shown_to` names them; empty for people without a name whose address is hidden."""
    address_known = Q(recipient__in=people_with_known_address(user).values("pk"))
    address = Coalesce(NullIf(F("address"), Value("")), F("recipient__email"), output_field=TextField())
    return Case(
        When(~Q(kind=DeliveryKind.CONFIRMATION) & ~Q(recipient__name=""), then=F("recipient__name")),
        When(address_known, then=address),
        output_field=TextField(),
    )


def _plan_titles_value(user: User) -> Combinable:
    """Return the titles of the plans in an email, as far as the reader may know them."""
    items = DeliveryItem.objects.filter(delivery=OuterRef("pk"))
    if not user.is_staff:
        items = items.filter(plan__in=Plan.objects.publishable_by(user).values("pk"))
    return joined(items.order_by("pk"), "plan__title")


def _reason_value(user: User) -> Combinable:
    """Return the reason if the reader may see the address, because the answer of a mail server may contain it."""
    address_known = Q(recipient__in=people_with_known_address(user).values("pk"))
    return Case(When(address_known, then=NullIf(F("reason"), Value(""))))


def _context(user: User) -> dict[str, Any]:
    """Return the context of the page besides the list: the tabs, and figures of the queue for administrators."""
    return {**tabs_for(user), "figures": queue_figures() if user.is_staff else None}


LEDGER = ListDefinition(
    slug="ledger",
    title="Digests sent",
    one="email",
    address="digests:ledger",
    columns=(
        Column(
            name="who",
            label="Recipient",
            value=lambda row: row.shown.who,
            key=_recipient_value,
            href=Delivery.get_absolute_url,
            covered="q",
        ),
        Column(
            name="when",
            label="Date",
            kind=lists.Kind.MOMENT,
            value=lambda row: day_of(row.created_at),
            words=lambda row: long_time(row.created_at),
            key="created_at",
            sorts_by="pk",  # numbers rise with time, and the table is partitioned by them
            is_nullable=False,
        ),
        Column(
            name="what",
            label="About",
            value=lambda row: "; ".join(row.contents) or row.get_kind_display(),
            words=lambda row: (
                format_html_join("; ", "{}", ((line,) for line in row.contents)) or row.get_kind_display()
            ),
            key=_plan_titles_value,
        ),
        Column(
            name="status",
            label="Status",
            kind=lists.Kind.CHOICE,
            value=lambda row: row.status_label,
            key="status",
            tag=lambda row: row.status,
            choices=lambda: EmailStatus.choices,
            is_nullable=False,
            is_grouped=True,
        ),
        Column(name="reason", label="Reason", value=lambda row: row.shown.reason or None, key=_reason_value),
        Column(
            name="kind",
            label="Kind",
            kind=lists.Kind.CHOICE,
            value=lambda row: row.get_kind_display(),
            choices=lambda: DeliveryKind.choices,
            is_nullable=False,
            is_shown=False,
            is_grouped=True,
        ),
        Column(
            name="settled",
            label="Finished",
            kind=lists.Kind.MOMENT,
            value=lambda row: day_of(row.settled_at),
            key="settled_at",
            is_shown=False,
        ),
        Column(
            name="attempts",
            label="Attempts",
            kind=lists.Kind.NUMBER,
            value=lambda row: row.attempts,
            is_nullable=False,
            is_shown=False,
        ),
    ),
    rows=_rows,
    readable=ledger_of,
    form=lambda parameters, _user: LedgerForm(parameters),
    sort=lambda _chosen: "-when",
    template="digests/ledger.html",
    empty=(
        "Nothing has been sent yet",
        "Emails about plans that you can publish appear here, with their status.",
    ),
    ready=_set_recipients_and_contents,
    context=_context,
    actions=(SEND_AGAIN,),
    may_open=may_look,
    max_sorted=10_000,
)
