"""Forms to share a draft, to ask to see one, and to answer the request."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import validate_email
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import DayField, Form, Helper, Section
from partnerships.people.models import User


class ShareForm(Form):
    """Share the draft with one person."""

    email = forms.CharField(label="Their email address", max_length=254, validators=[validate_email])
    may_comment = forms.BooleanField(label="They can comment", required=False, initial=True)
    message = forms.CharField(
        label="Message", widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=1_000
    )
    ends_on = DayField(
        label="Last day", required=False, help_text="They can see the draft up to and including this day."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Share draft")


class AnswerForm(Form):
    """Answer a request to see the draft by sharing it, or decline."""

    answer = forms.ChoiceField(
        choices=[("grant", "Share the draft"), ("decline", "Decline")],
        widget=forms.RadioSelect,
        label="Your answer",
    )
    may_comment = forms.BooleanField(label="They can comment", required=False, initial=True)
    ends_on = DayField(
        label="Last day", required=False, help_text="They can see the draft up to and including this day."
    )
    message = forms.CharField(
        label="Message",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=1_000,
        help_text="We include your message in the email with your answer.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(
            self,
            "answer",
            Section("Only if you share the draft", "may_comment", "ends_on"),
            Section("Your message", "message"),
            submit="Send answer",
            cancel=cancel,
        )


class AskForm(Form):
    """Ask to see a draft."""

    partnership = forms.ModelChoiceField(queryset=Partnership.objects.none(), empty_label=None)
    about = forms.CharField(
        label="Which plan?", max_length=300, help_text="Enter the plan’s title, or its web address if you have it."
    )
    message = forms.CharField(
        label="Why would you like to see it?",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=1_000,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        partnerships = Partnership.objects.with_party_of(user)
        model_choice_field(self, "partnership").queryset = partnerships.order_by("title", "pk")
        self.helper = Helper(self, submit="Ask the owners", cancel=reverse("plans:list"))
