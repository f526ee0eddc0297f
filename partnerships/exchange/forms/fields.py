"""Fields and a base form that several forms of the exchange share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.exchange.models import Entry
from partnerships.kit import forms as kit
from partnerships.kit.forms import AmountField, Form
from partnerships.organisations.models import Organisation, OrganisationQuerySet

LONG_TEXT = forms.Textarea(attrs={"rows": 5})
SHORT_TEXT = forms.Textarea(attrs={"rows": 3})
ONLY_YOUR_ORGANISATION = "Only your organisation can read this."


def quantity_field(label: str) -> AmountField:
    """Return an optional amount with at most two decimal places."""
    return AmountField(label=label, required=False, max_digits=14, decimal_places=2, min_value=Decimal("0.01"))


def clean_all_of_it(form: forms.Form, data: dict[str, Any]) -> dict[str, Any]:
    """Require a quantity or a tick at `everything`, if the form has these fields, and return the form's data.

    An empty quantity must not mean “all of it” by accident, so “all of it” needs the tick. In the returned data,
    no quantity means all of it.
    """
    is_everything = data.pop("everything", False)
    if "everything" not in form.fields or "quantity" in form.errors:
        return data
    label = form.fields["everything"].label
    has_quantity = data.get("quantity") is not None
    if is_everything and has_quantity:
        form.add_error("everything", f"Enter how much or tick “{label}”, but not both.")
    elif not is_everything and not has_quantity:
        form.add_error("quantity", f"Enter how much, or tick “{label}”.")
    return data


def set_choices(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    """Offer these rows in a field, if the form has the field."""
    field = form.fields.get(name)
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = rows


class OrganisationForm(Form):
    """A form in which a person acts for one of their organisations.

    The form asks for the organisation if the person acts for several.
    """

    organisation = forms.ModelChoiceField(
        label="Which organisation is this for?", queryset=Organisation.objects.none(), empty_label="Choose one"
    )

    def set_organisations(self, organisations: OrganisationQuerySet) -> None:
        """Offer these organisations. If there is only one, it is chosen and the field is hidden."""
        set_choices(self, "organisation", organisations)
        # Two are enough to know that the person must choose.
        first_organisations = list(organisations[:2])
        if len(first_organisations) == 1:
            self.fields["organisation"].initial = first_organisations[0]
            self.fields["organisation"].widget = forms.HiddenInput()


class ReasonForm(kit.ReasonForm):
    """A form that asks for a reason; `label` is the question."""

    reason = forms.CharField(label="Reason", widget=SHORT_TEXT, max_length=2000)

    def __init__(self, *args: Any, entry: Entry, label: str = "Reason", **kwargs: Any) -> None:
        super().__init__(*args, cancel=entry.get_absolute_url(), **kwargs)
        self.fields["reason"].label = label
