"""Forms to begin or end publishing, and to add agreements and contributions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from partnerships.kit.forms import CountField, DayField, Form, Helper, MoneyField
from partnerships.open_data.standards import AGREEMENT_TYPES, PURPOSES


class PublishingForm(Form):
    """Begin or end publishing, with a reason."""

    reason = forms.CharField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="People who can see the organisation’s history can read the reason.",
    )

    def __init__(self, *args: Any, submit: str, danger: bool, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, "reason", submit=submit, danger=danger, cancel=cancel)


def _reference_field(record: str) -> forms.CharField:
    """Return the field for an authority's own reference of a record."""
    return forms.CharField(
        label="Reference",
        max_length=200,
        help_text=f"Your own reference for the {record}. You cannot change the reference later.",
    )


class AgreementForm(Form):
    """Add a developer agreement."""

    reference = _reference_field("agreement")
    kind = forms.ChoiceField(
        label="What kind of agreement?",
        choices=[(code, words[:1].upper() + words[1:]) for code, words in AGREEMENT_TYPES.items()],
        widget=forms.RadioSelect,
    )
    planning_application = forms.CharField(
        label="Reference of the planning application", max_length=300, required=False
    )
    document_url = forms.URLField(
        label="Web address of the document", max_length=1000, required=False, assume_scheme="https"
    )
    agreed_on = DayField(label="When was the agreement signed?", required=False)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Add agreement", cancel=cancel)


class ContributionForm(Form):
    """Add a contribution of a developer, in pounds, in homes or without a figure."""

    reference = _reference_field("contribution")
    purpose = forms.ChoiceField(label="What is the contribution for?", choices=[("", "Choose"), *PURPOSES.items()])
    amount = MoneyField(
        label="Amount in pounds", max_digits=14, decimal_places=2, min_value=Decimal("0.01"), required=False
    )
    homes = CountField(label="Or number of homes", min_value=1, max_value=100_000, required=False)
    agreed_on = DayField(
        label="When was this contribution agreed, if not on the date of the agreement?", required=False
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Add contribution", cancel=cancel)
