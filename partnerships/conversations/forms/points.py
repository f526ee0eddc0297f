"""The form to turn a point into an ask or offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from partnerships.conversations.models import Point
from partnerships.exchange.models import Theme
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import Form, Helper
from partnerships.organisations.models import Organisation


class TurnIntoEntryForm(Form):
    """The form to draft an ask from an obstacle, or an offer from an opportunity.

    `possible_addressees` are the organisations that can receive the draft. The form asks the person
    to choose among them if there are two or more.
    """

    title = forms.CharField(label="Title", max_length=200)
    theme = forms.ChoiceField(label="Theme", choices=lambda: [("", "Choose a theme"), *Theme.choices()])
    addressees = forms.ModelMultipleChoiceField(
        label="Who to send it to",
        queryset=Organisation.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="Nobody else can see the draft until you share it.",
    )

    def __init__(
        self, *args: Any, point: Point, possible_addressees: Sequence[Organisation], cancel: str = "", **kwargs: Any
    ) -> None:
        """Build the form for a point. `point.direction` says whether it becomes an ask or an offer."""
        super().__init__(*args, **kwargs)
        if point.direction == "ask":
            self.fields["title"].help_text = "Enter what would remove the obstacle. People see the title first."
        else:
            self.fields["title"].help_text = "Enter what you can offer. People see the title first."
        self.fields["theme"].initial = point.conversation.theme or None
        if len(possible_addressees) > 1:
            addressees = model_choice_field(self, "addressees")
            addressee_ids = [organisation.pk for organisation in possible_addressees]
            addressees.queryset = Organisation.objects.filter(pk__in=addressee_ids).order_by("name", "pk")
            addressees.initial = addressee_ids
        else:
            del self.fields["addressees"]
        self.helper = Helper(
            self,
            submit=f"Draft {point.direction}",
            cancel=cancel or point.conversation.get_absolute_url(),
        )
