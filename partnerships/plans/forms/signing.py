"""Forms to choose signatories, to change their deadline, and to confirm conditions."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.documents.forms import QuestionsField
from partnerships.kit.forms import DayField, Form, Helper, ReasonForm
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan
from partnerships.plans.queries import organisations_to_ask


class SignatoriesForm(Form):
    """Choose who must sign, in which role and by when.

    The form has a field for the role at each organisation that may sign.
    """

    due_on = DayField(
        label="Decide by",
        required=False,
        help_text="We remind the leads of each organisation a week before the deadline and on the day, unless they "
        "chose other days. After the deadline, we remind them every week.",
    )
    questions = QuestionsField(label="Questions for them to answer", required=False)

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organisations = list(organisations_to_ask(plan))
        role_fields = []
        for organisation in self.organisations:
            name = f"role_{organisation.pk}"
            role_fields.append(name)
            self.fields[name] = forms.CharField(
                label=organisation.name,
                required=False,
                max_length=150,
                help_text="Enter the role that signs, for example chief executive. Leave this empty if the "
                "organisation does not need to sign.",
            )
        self.helper = Helper(self, *role_fields, "due_on", "questions", submit="Ask for sign-off")

    def chosen(self) -> list[tuple[Organisation, str]]:
        """Return the organisations for which a role was entered, each with its role."""
        signatories = []
        for organisation in self.organisations:
            role = self.cleaned_data.get(f"role_{organisation.pk}", "").strip()
            if role:
                signatories.append((organisation, role))
        return signatories


class DueDayForm(ReasonForm):
    """Change the day by which a signatory must decide."""

    due_on = DayField(label="Decide by", required=False, help_text="Leave this empty if there is no deadline.")

    field_order = ("due_on", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout.fields = list(self.fields)


class ConditionForm(Form):
    """Confirm that a condition is met."""

    note = forms.CharField(
        label="How was the condition met?", widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=1_000
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Confirm condition is met", cancel=cancel)
