"""Forms for objectives, for progress on objectives, and for links to the records that serve them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.agreements.models import Objective, ObjectiveStatus
from partnerships.agreements.serving import Provider
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import AmountField, DayField, Form, Helper, Section
from partnerships.organisations.choices import OrganisationField
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class PersonChoiceField(forms.ModelChoiceField[User]):
    """A choice of one person by name."""

    def label_from_instance(self, obj: User) -> str:
        """Return the person's name."""
        return obj.display_name


def _figure(label: str) -> AmountField:
    """Return a field for a figure of an objective, with as many digits as the column."""
    return AmountField(label=label, max_digits=14, decimal_places=2)


class ObjectiveForm(Form):
    """Add an objective, or change one and say why."""

    text = forms.CharField(label="Objective", max_length=300, help_text="For example, more homes for social rent.")
    measure = forms.CharField(label="What is measured?", max_length=200, help_text="For example, homes started.")
    unit = forms.CharField(
        label="Unit",
        required=False,
        max_length=40,
        help_text="For example, homes, days or %.",
        widget=forms.TextInput(attrs={"class": "govuk-input--width-10"}),
    )
    baseline = _figure("Starting figure")
    baseline_on = DayField(label="Date of the starting figure")
    target = _figure("Target")
    target_on = DayField(label="Target date")
    organisation = OrganisationField(
        label="Which organisation is responsible for the objective?",
        queryset=Organisation.objects.none(),
        empty_label=None,
    )
    owner = PersonChoiceField(
        label="Who is responsible at that organisation?",
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody yet",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Why are you changing the objective?", max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(
        self,
        *args: Any,
        organisations: QuerySet[Organisation],
        people: QuerySet[User],
        objective: Objective | None,
        today: dt.date,
        cancel: str,
        text: str = "",
        **kwargs: Any,
    ) -> None:
        """Build a form that changes the objective, or adds an objective if `objective` is None."""
        if objective is None:
            initial = {"text": text, "baseline": 0, "baseline_on": today}
        else:
            # The objective has no `reason`, so that field starts empty.
            initial = {name: getattr(objective, name, None) for name in self.base_fields}
        kwargs.setdefault("initial", initial)
        super().__init__(*args, **kwargs)

        model_choice_field(self, "organisation").queryset = organisations
        model_choice_field(self, "owner").queryset = people

        sections = [
            Section("What you want to achieve", "text", "measure", "unit"),
            Section("Figures", "baseline", "baseline_on", "target", "target_on"),
            Section("Who is responsible", "organisation", "owner"),
        ]
        if objective is None:
            del self.fields["revision"], self.fields["reason"]
            submit = "Add objective"
        else:
            sections.append(Section("Reason", "reason", "revision"))
            submit = "Save objective"
        self.helper = Helper(self, *sections, submit=submit, cancel=cancel)


class ProgressForm(Form):
    """Report a figure on a day, with a note and what is blocking the objective."""

    figure = _figure("Figure now")
    on = DayField(label="On which day?")
    note = forms.CharField(label="Note", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    blocked_by = forms.CharField(
        label="What is blocking it?", required=False, max_length=300, help_text="Leave blank if nothing is blocking it."
    )

    def __init__(self, *args: Any, objective: Objective, today: dt.date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"on": today})
        super().__init__(*args, **kwargs)
        if objective.unit:
            self.fields["figure"].label = f"Figure now, in {objective.unit}"
        self.helper = Helper(self, submit="Report progress", cancel=objective.get_absolute_url())


class ObjectiveStatusForm(Form):
    """Mark an objective as met, drop an objective, or open it again."""

    status = forms.ChoiceField(label="What is its status now?", widget=forms.RadioSelect)
    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, objective: Objective, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        other_statuses = [status for status in ObjectiveStatus if status != objective.status]
        choice_field(self, "status").choices = [(status.value, status.label) for status in other_statuses]
        self.helper = Helper(self, submit="Save status", cancel=objective.get_absolute_url())


class LinkRecordForm(Form):
    """Choose a record that serves the objective."""

    key = forms.ChoiceField(label="Which record?")

    def __init__(
        self, *args: Any, provider: Provider, choices: list[tuple[str, str]], cancel: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = choice_field(self, "key")
        field.label = f"Which {provider.label}?"
        field.choices = choices
        self.helper = Helper(self, submit=f"Link {provider.label}", cancel=cancel)
