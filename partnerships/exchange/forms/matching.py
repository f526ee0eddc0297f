"""Forms to dismiss a match and to suggest an introduction."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse

from partnerships.exchange.forms.fields import ONLY_YOUR_ORGANISATION, SHORT_TEXT, OrganisationForm, ReasonForm
from partnerships.exchange.models import Entry
from partnerships.kit.forms import Helper
from partnerships.organisations.models import OrganisationQuerySet


class DismissForm(OrganisationForm, ReasonForm):
    """The form to dismiss a match for an organisation, with a reason."""

    field_order = ("organisation", "reason")

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, entry=entry, submit="Dismiss match", label="Why do these two not match?", **kwargs)
        self.set_organisations(organisations)
        self.fields["reason"].help_text = ONLY_YOUR_ORGANISATION


class IntroduceForm(OrganisationForm):
    """The form to introduce two organisations to each other, with a message."""

    text = forms.CharField(
        label="Add a message",
        required=False,
        widget=SHORT_TEXT,
        max_length=2000,
        help_text="Enter why the two organisations should talk. Both organisations and your own can read your message.",
    )

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_organisations(organisations)
        self.helper = Helper(
            self, submit="Suggest introduction", cancel=reverse("exchange:entry-matches", args=[entry.pk])
        )
