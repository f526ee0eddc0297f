"""Share a draft, ask to see one, and answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import validate_email
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.kit.forms import DayField, Form, Helper, Section
from partnerships.people.models import User


class ShareForm(Form):
    """Show the draft to somebody by name."""

    email = forms.CharField(label="Their email address", max_length=254, validators=[validate_email])
    may_comment = forms.BooleanField(label="They may comment", required=False, initial=True)
    message = forms.CharField(
        label="Message", widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=1_000
    )
    ends_on = DayField(label="Last day", required=False, help_text="After it their link finds nothing.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Show them the draft")


class AnswerForm(Form):
    """Answer somebody who asks to see the draft: show it, on what terms, or not now."""

    answer = forms.ChoiceField(
        choices=[("grant", "Show them the draft"), ("decline", "Not now")],
        widget=forms.RadioSelect,
        label="Your answer",
    )
    may_comment = forms.BooleanField(label="They may comment", required=False, initial=True)
    ends_on = DayField(label="Last day", required=False, help_text="After it their link finds nothing.")
    message = forms.CharField(
        label="Message",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=1_000,
        help_text="They read it in the email that tells them your answer.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(
            self,
            "answer",
            Section("If you show it", "may_comment", "ends_on"),
            Section("What you tell them", "message"),
            submit="Send the answer",
            cancel=cancel,
        )


class AskForm(Form):
    """Ask to see what is being prepared."""

    partnership = forms.ModelChoiceField(queryset=Partnership.objects.none(), empty_label=None)
    about = forms.CharField(
        label="Which plan?", max_length=300, help_text="Its title as you know it, or the address somebody gave you."
    )
    message = forms.CharField(
        label="Why would you like to see it?",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=1_000,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["partnership"].queryset = (  # type: ignore[attr-defined]  # a ModelChoiceField
            Partnership.objects.present_for(user).order_by("title", "pk")
        )
        self.helper = Helper(self, submit="Ask its owners", cancel=reverse("plans:list"))
