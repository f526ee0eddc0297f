"""Forms to offer a plan to another organisation, and to answer the offer."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import Form, Helper
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan, PlanOwner
from partnerships.plans.queries import possible_new_owners


class OfferForm(Form):
    """Offer a plan to another organisation, on behalf of one owner."""

    organisation = forms.ModelChoiceField(queryset=Organisation.objects.none(), empty_label=None, label="Organisation")
    hands_over = forms.TypedChoiceField(
        label="What happens when they accept?",
        choices=[
            ("no", "They own the plan together with the current owners"),
            ("yes", "They own the plan instead of us"),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    message = forms.CharField(
        label="Message to their leads", widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=1_000
    )

    def __init__(self, *args: Any, plan: Plan, owner: PlanOwner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        new_owners = possible_new_owners(plan, owner.organisation).order_by("name", "pk")
        model_choice_field(self, "organisation").queryset = new_owners
        self.has_choices = new_owners.exists()
        self.helper = Helper(self, submit="Offer plan")


class OfferAnswerForm(Form):
    """Accept a plan, or decline with a reason."""

    answer = forms.ChoiceField(
        choices=[("accept", "Accept the plan"), ("decline", "Decline")], widget=forms.RadioSelect, label="Your answer"
    )
    reason = forms.CharField(
        label="Why are you declining?", widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=1_000
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send answer", cancel=cancel)
