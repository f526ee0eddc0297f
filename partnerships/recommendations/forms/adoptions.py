"""Forms to propose, adopt and drop recommendations, and to link their outcomes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.agreements.models import Partnership
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import AutocompleteSelect, Form, Helper


class ProposeForm(Form):
    """The form to propose that a partnership adopts a recommendation, and why."""

    partnership = forms.ModelChoiceField(
        label="Partnership", queryset=Partnership.objects.none(), empty_label="Choose one"
    )
    why = forms.CharField(
        label="Why should the partnership adopt this recommendation?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, partnerships: QuerySet[Partnership], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_choice_field(self, "partnership").queryset = partnerships
        self.helper = Helper(self, submit="Propose recommendation", cancel=cancel)


class AdoptForm(Form):
    """The form to choose the meeting that adopted a recommendation."""

    meeting = forms.ChoiceField(label="Which meeting adopted the recommendation?", widget=AutocompleteSelect)

    def __init__(self, *args: Any, choices: list[tuple[str, str]], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice_field(self, "meeting").choices = [("", "Choose one"), *choices]
        self.helper = Helper(self, submit="Record adoption", cancel=cancel)


class OutcomeForm(Form):
    """The form to link an objective or a commitment as an outcome of a recommendation."""

    record = forms.ChoiceField(label="Objective or commitment", widget=AutocompleteSelect)

    def __init__(
        self,
        *args: Any,
        objectives: list[tuple[str, str]],
        commitments: list[tuple[str, str]],
        cancel: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        record = choice_field(self, "record")
        groups = (("Objectives", objectives), ("Commitments", commitments))
        record.choices = [("", "Choose one"), *((label, choices) for label, choices in groups if choices)]
        self.helper = Helper(self, submit="Add link", cancel=cancel)
