"""Forms to name a facilitator, and to end a facilitator's role."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.kit.forms import Form, Helper
from partnerships.kit.forms import ReasonForm as KitReasonForm
from partnerships.organisations.queries import membership_by_address


class NameFacilitatorForm(Form):
    """The form to name a facilitator by email address."""

    email = forms.EmailField(
        label="Email address of the person",
        max_length=254,
        help_text="If the person’s organisation does not take part yet, we invite it as an observer.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Name facilitator", cancel=cancel)

    def clean(self) -> dict[str, Any]:
        """Replace the address by the person at this address and the organisation that the person acts for."""
        data = super().clean() or {}
        address = data.pop("email", "")
        if not address:
            return data
        membership = membership_by_address(address)
        if membership is None:
            self.add_error("email", "Enter the email address of a person who acts for an organisation here.")
        else:
            data["person"] = membership.person
            data["organisation"] = membership.organisation
        return data


class EndFacilitationForm(KitReasonForm):
    """The form to end the role of a facilitator, with a reason."""

    danger = True
    reason = forms.CharField(
        label="Why are you removing the facilitator?", max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
