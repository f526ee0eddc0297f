"""Pages that show every component, for tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import include, path
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods

from partnerships.exchange.queries.board import Card
from partnerships.kit.active_filters import active_filters
from partnerships.kit.forms import (
    AutocompleteSelect,
    AutocompleteSelectMultiple,
    DayField,
    Helper,
    Section,
)
from partnerships.kit.text import word_differences

_NAMES = ["Westmarch", "Eastmere", "Quayside", "North Downs", "Vale of Larkhaven"]
PLACES = [(f"p{number}", name) for number, name in enumerate(_NAMES)]


class EverythingForm(forms.Form):
    """One field of each kind."""

    direction = forms.ChoiceField(
        label="Are you asking or offering?", choices=[("ask", "Ask"), ("offer", "Offer")], widget=forms.RadioSelect
    )
    title = forms.CharField(label="Title", max_length=120, help_text="Say what you need or can give in one line.")
    details = forms.CharField(label="Details", max_length=600, widget=forms.Textarea(attrs={"rows": 5}))
    theme = forms.ChoiceField(label="Theme", choices=[("", "Choose a theme"), ("land", "Land"), ("data", "Data")])
    organisation = forms.ChoiceField(label="Organisation", choices=[("", ""), *PLACES], widget=AutocompleteSelect)
    needed_by = DayField(label="Needed by", required=False, help_text="For example, 27 3 2027")
    email = forms.EmailField(label="Contact email", required=False)
    quantity = forms.IntegerField(label="How many", widget=forms.NumberInput(attrs={"class": "govuk-input--width-5"}))
    areas = forms.MultipleChoiceField(label="Where does it apply?", choices=PLACES, widget=forms.CheckboxSelectMultiple)
    partners = forms.MultipleChoiceField(
        label="Partners who may see it", choices=PLACES, required=False, widget=AutocompleteSelectMultiple
    )
    secret = forms.CharField(label="Password", widget=forms.PasswordInput, required=False)
    document = forms.FileField(label="Document", required=False)
    agreed = forms.BooleanField(label="My organisation knows of this", help_text="Your lead will be told.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(
            self,
            Section("What you need", "direction", "title", "details", "theme", "quantity"),
            Section("When and where", "organisation", "needed_by", "email", "areas", "partners", hint="As you know."),
            "secret",
            "document",
            "agreed",
            submit="Share this ask",
            secondary=("save", "Save as draft"),
            cancel="/",
        )


class FilterForm(forms.Form):
    """The filters of a list."""

    q = forms.CharField(label="Keyword", required=False)
    direction = forms.MultipleChoiceField(
        label="Type", choices=[("ask", "Ask"), ("offer", "Offer")], required=False, widget=forms.CheckboxSelectMultiple
    )
    theme = forms.ChoiceField(label="Theme", choices=[("", "Any"), ("land", "Land")], required=False)


@login_not_required
@require_http_methods(["GET", "POST"])
def form_page(request: HttpRequest) -> HttpResponse:
    """Show a form with a field of each kind. If it is sent empty, it shows every error."""
    form = EverythingForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST" and not form.is_valid():
        status = 422
    return render(request, "styleguide_form.html", {"form": form}, status=status)


def _card(direction: str) -> Card:
    """Return an ask or offer that is waiting for a response."""
    soon = timezone.localdate() + dt.timedelta(days=3)
    return Card(
        pk=1,
        direction=direction,
        theme="land",
        status="shared",
        is_open=True,
        title="Surplus ground-floor office in Westmarch town centre",
        statement="120 sq m, rent-free for 18 months for a community use.",
        standing=False,
        organisation="Westmarch Borough Council",
        closes_on=soon,
        shared_at=timezone.now() - dt.timedelta(days=23),
        answered_at=None,
        amount="2 places",
        areas=("North Downs",),
        matches=2,
    )


@login_not_required
@require_http_methods(["GET"])
def components(request: HttpRequest) -> HttpResponse:
    """Show every component that is not a form."""
    parameters = request.GET or QueryDict("q=homes&direction=ask&direction=offer")
    form = FilterForm(parameters)
    messages.success(request, "The ask was shared with Westmarch Borough Council.")
    messages.error(request, "The plan could not be published: two sites have no name.")
    now = timezone.now()
    return render(
        request,
        "styleguide_components.html",
        {
            "filter_form": form,
            "chips": active_filters(form, parameters),
            "now": now,
            "earlier": now - dt.timedelta(days=23),
            "cards": [_card("ask"), _card("offer")],
            "soon": timezone.localdate() + dt.timedelta(days=3),
            "fragments": word_differences("Survey 300 terraces", "Survey 340 terraces in Eastmere"),
            "statuses": ["draft", "shared", "active", "awaiting_sign_off", "at_risk", "blocked", "declined", "lapsed"],
            "chart": mark_safe(
                '<svg viewBox="0 0 760 90" role="img" aria-label="Homes by year">'
                '<rect class="cg-series-1" x="60" y="10" width="600" height="24"/><text x="0" y="28">2026</text>'
                '<rect class="cg-series-2" x="60" y="50" width="360" height="24"/><text x="0" y="68">2027</text></svg>'
            ),
            "rows": [["2026", 120], ["2027", 72]],
        },
    )


urlpatterns = [
    path("styleguide/", components, name="styleguide"),
    path("styleguide/form/", form_page, name="styleguide_form"),
    path("", include("housing.urls")),
]
