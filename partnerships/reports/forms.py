"""Forms to freeze a report, and to schedule its emails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from partnerships.agreements.models import Partnership
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import AutocompleteSelectMultiple, DayField, Form, Helper
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.reports.frequencies import Frequency
from partnerships.reports.queries import people_of_audience


class _AudienceForm(Form):
    """A form with a field for the audience of a report: an organisation or a partnership."""

    body = forms.ChoiceField(
        label="Who can read it?",
        help_text="The report counts only what all these people can read today, even if you can read more.",
    )

    def __init__(self, *args: Any, audiences: Sequence[Organisation | Partnership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._audiences = {f"{audience._meta.model_name}-{audience.pk}": audience for audience in audiences}
        choice_field(self, "body").choices = [
            ("", "Choose"),
            *((code, _audience_label(audience)) for code, audience in self._audiences.items()),
        ]

    @property
    def chosen_audience(self) -> Organisation | Partnership:
        """The organisation or partnership that the person chose."""
        return self._audiences[self.cleaned_data["body"]]


def _audience_label(audience: Organisation | Partnership) -> str:
    """Return the label of an audience, such as "Everyone at Fareham Borough Council"."""
    return f"Everyone at {audience}" if isinstance(audience, Organisation) else f"Every organisation in {audience}"


class FreezeForm(_AudienceForm):
    """The name, reason and audience of a report to freeze."""

    name = forms.CharField(
        label="Name", max_length=200, help_text="For example, “As reported to the board on 3 March”."
    )
    reason = forms.CharField(
        label="Why are you freezing this report?", max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, "name", "reason", "body", submit="Freeze report", cancel=cancel)


class ScheduleForm(_AudienceForm):
    """The name, frequency, first day, audience and recipients of a report to schedule."""

    name = forms.CharField(label="Name", max_length=150)
    every = forms.ChoiceField(
        label="How often should we send the report?", choices=Frequency.choices, widget=forms.RadioSelect
    )
    first_on = DayField(
        label="First day", help_text="We send the report for the first time on this day. For example, 1 April 2027."
    )
    people = forms.ModelMultipleChoiceField(
        label="Who gets the report by email?",
        queryset=User.objects.none(),
        widget=AutocompleteSelectMultiple,
        help_text="Each person can stop getting the report.",
    )

    def __init__(self, *args: Any, cancel: str, audiences: Sequence[Organisation | Partnership], **kwargs: Any) -> None:
        super().__init__(*args, audiences=audiences, **kwargs)
        model_choice_field(self, "people").queryset = people_of_audience(*audiences)
        self.helper = Helper(
            self, "name", "every", "first_on", "body", "people", submit="Schedule report", cancel=cancel
        )
