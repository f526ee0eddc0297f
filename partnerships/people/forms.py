"""Forms about one's own account, and administrators' forms about other people's accounts."""

from __future__ import annotations

import zoneinfo
from typing import Any

from allauth.account.forms import ResetPasswordForm
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from partnerships.kit import forms as kit
from partnerships.kit.choice_fields import FixedChoices, model_choice_field
from partnerships.kit.forms import AutocompleteSelect, Form, Helper
from partnerships.people.models import User
from partnerships.people.password_reset import ask_for_password_reset


def _time_zones() -> list[tuple[str, str]]:
    """Return the names of the time zones as choices. Names without "/", such as "EST", are old abbreviations."""
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones()) if "/" in name]


class PasswordResetForm(ResetPasswordForm):  # type: ignore[misc]  # allauth carries no types
    """The form for a password reset. It takes the same time whether or not the address has an account."""

    def clean_email(self) -> str:
        """Return the address without allauth's look-up, which the composer of the email makes later."""
        return str(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Record the request for a password reset, and return the address."""
        address = str(self.cleaned_data["email"])
        ask_for_password_reset(address=address, now=timezone.now())
        return address


class FirstAdministratorForm(Form):
    """The form in which a new network's first administrator creates an account."""

    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="Email address for administration",
        max_length=254,
        help_text="Administrators cannot act for an organisation. If you will also work for an "
        "organisation, use another address here, for example a shared one.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label="Choose a password",
        max_length=200,
        strip=False,
        help_text="At least 12 characters. Three random words work well. You can paste the password from a password "
        "manager.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Create account")


class ViewAsForm(Form):
    """The form for the reason why an administrator views the site as another person."""

    reason = forms.CharField(
        label="Why do you need to view the site as this person?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="We keep the reason permanently. The person can see in their account that you viewed the site as "
        "them, and when.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="View as this person", danger=True)


class ReasonForm(kit.ReasonForm):
    """The form for the reason why an administrator changes a person's account."""

    danger = True
    reason = forms.CharField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="We keep the reason permanently and include it in the email.",
    )


class LeaverForm(Form):
    """The form to close an account, with a reason and the person who takes over the work."""

    reason = forms.CharField(
        label="Why are you closing the account?", max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    successor = forms.ModelChoiceField(
        label="Who takes over their work?",
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody yet (the organisation’s leads will decide)",
    )

    def __init__(self, *args: Any, successors: QuerySet[User], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_choice_field(self, "successor").queryset = successors
        self.helper = Helper(self, submit="Close account", cancel=cancel, danger=True)


class DetailsForm(Form):
    """The form for the signed-in person's name and time zone."""

    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=FixedChoices(_time_zones),
        widget=AutocompleteSelect,
        help_text="We send daily and weekly digests in the morning in this time zone.",
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"name": person.name, "time_zone": person.time_zone})
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save name and time zone", cancel=reverse("people:account"))
