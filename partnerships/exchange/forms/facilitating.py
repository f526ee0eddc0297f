"""Forms to name a facilitator of one ask or offer, and to remove a facilitator."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.kit.forms import Form, Helper, ReasonForm
from partnerships.organisations.queries import membership_by_address


class NameFacilitatorForm(Form):
    """The form to name a person by their email address."""

    email = forms.EmailField(
        label="Email address of the person",
        max_length=254,
        help_text="The person must already be able to read this ask or offer.",
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
            self.add_error(
                "email",
                "Nobody with this address acts for an organisation. Check the address, or choose another person.",
            )
        else:
            data["person"] = membership.person
            data["organisation"] = membership.organisation
        return data


class EndFacilitatorForm(ReasonForm):
    """The form to remove a facilitator, with a reason."""

    danger = True
    reason = forms.CharField(
        label="Why are you removing this facilitator?", max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
