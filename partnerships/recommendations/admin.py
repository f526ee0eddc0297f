"""Admin pages to correct reports and recommendations, with a reason.

docs/rights.md says who may use these pages.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.http import HttpRequest
from django.utils import timezone

from partnerships.exchange.models import Theme
from partnerships.kit.administration import NothingAdded, NothingDeleted, RowHistory, ShowsRefusals
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.recommendations.models import Addressee, Recommendation, Source
from partnerships.recommendations.models.sources import KINDS_OF_BODY
from partnerships.recommendations.services import (
    RecommendationDetails,
    SourceDetails,
    UnableToRecord,
    correct_recommendation,
    correct_source,
)


def _reason_field() -> forms.CharField:
    return forms.CharField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Enter what you are correcting, and why. Everyone signed in can read your reason in the history.",
    )


class SourceForm(forms.ModelForm[Source]):
    """The form to correct a report."""

    reason = _reason_field()

    class Meta:
        model = Source
        fields = ("title", "year", "publisher", "total", "note")


class _CorrectionAdmin(ShowsRefusals, RowHistory, NothingAdded, NothingDeleted, admin.ModelAdmin[Any]):
    """Base of admin pages on which rows are corrected through a service. Nobody can add or delete rows here."""

    refusals = (UnableToRecord,)
    show_full_result_count = False


@admin.register(Source)
class SourceAdmin(_CorrectionAdmin):
    """Corrects reports that make recommendations."""

    form = SourceForm
    fields = (*SourceForm.Meta.fields, "recorded_for", "recorded_by", "recorded_at", "reason")
    readonly_fields = ("recorded_for", "recorded_by", "recorded_at")
    list_display = ("title", "year", "publisher", "total", "recorded_for")
    list_select_related = ("recorded_for",)
    search_fields = ("title", "publisher")
    ordering = ("-year", "title", "pk")

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        """Correct the report through the service."""
        assert isinstance(request.user, User)
        values = {name: form.cleaned_data[name] for name in SourceForm.Meta.fields}
        correct_source(
            source=obj,
            details=SourceDetails(**values),
            reason=form.cleaned_data["reason"],
            author=request.user,
            now=timezone.now(),
        )


class RecommendationForm(forms.ModelForm[Recommendation]):
    """The form to correct the text, the themes and the addressees of a recommendation."""

    themes = forms.MultipleChoiceField(required=False, choices=Theme.all_choices, widget=forms.CheckboxSelectMultiple)
    kinds = forms.MultipleChoiceField(
        label="Addressed to",
        required=False,
        choices=list(KINDS_OF_BODY.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose the kinds of organisation that should act on this recommendation.",
    )
    organisations = forms.ModelMultipleChoiceField(
        label="Organisations that the recommendation names",
        required=False,
        queryset=Organisation.objects.all(),
        widget=AutocompleteSelectMultiple(Addressee._meta.get_field("organisation"), admin.site),
    )
    reason = _reason_field()

    class Meta:
        model = Recommendation
        fields = ("reference", "text", "confidence", "themes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kinds" in self.fields and self.instance.pk:
            addressees = list(self.instance.addressees.values_list("kind", "organisation"))
            self.fields["kinds"].initial = [kind for kind, _ in addressees if kind]
            self.fields["organisations"].initial = [pk for _, pk in addressees if pk is not None]


@admin.register(Recommendation)
class RecommendationAdmin(_CorrectionAdmin):
    """Corrects recommendations, which are paraphrased in our own words."""

    form = RecommendationForm
    fields = ("source", *RecommendationForm.Meta.fields, "kinds", "organisations", "reason")
    readonly_fields = ("source",)
    list_display = ("text", "source", "reference", "confidence")
    list_filter = ("confidence", "source")
    list_select_related = ("source",)
    search_fields = ("text", "reference", "source__title")
    ordering = ("-source__year", "source__title", "position", "pk")

    def save_model(self, request: HttpRequest, obj: Recommendation, form: Any, change: bool) -> None:
        """Correct the recommendation through the service."""
        assert isinstance(request.user, User)
        data = form.cleaned_data
        details = RecommendationDetails(
            text=data["text"],
            confidence=data["confidence"],
            reference=data["reference"],
            themes=data["themes"],
            kinds=data["kinds"],
            organisations=[organisation.pk for organisation in data["organisations"]],
        )
        correct_recommendation(
            recommendation=obj,
            details=details,
            reason=data["reason"],
            author=request.user,
            now=timezone.now(),
        )
