"""The filters of the list of recommendations."""

from __future__ import annotations

from django import forms
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from partnerships.exchange.models import Theme
from partnerships.kit.forms import Form
from partnerships.kit.record_fields import RecordField
from partnerships.recommendations.models import Confidence, Source
from partnerships.recommendations.models.sources import KINDS_OF_BODY

#: Choices of the filter by the organisations that work on a recommendation.
WORK = (
    ("nobody", "Nobody is working on it"),
    ("somebody", "Someone is working on it"),
    ("ours", "My organisation responded"),
)


#: Reports by title and year, such as “Estate review (2015)”, because several reports may have the same title.
_REPORTS = Source.objects.annotate(
    title_and_year=Concat("title", Value(" ("), Cast("year", CharField()), Value(")"), output_field=CharField())
).order_by("-year", "title", "pk")


class FilterForm(Form):
    """The form to filter the list of recommendations."""

    words = forms.CharField(label="Keywords", required=False, max_length=200)
    source = RecordField(label="Report", queryset=_REPORTS, named_by="title_and_year", empty_label="Any")
    addressee = forms.ChoiceField(
        label="Addressed to", required=False, choices=[("", "Anyone"), *KINDS_OF_BODY.items()]
    )
    work = forms.ChoiceField(label="Work", required=False, choices=[("", "Any"), *WORK])
    theme = forms.MultipleChoiceField(
        label="Theme", required=False, choices=Theme.all_choices, widget=forms.CheckboxSelectMultiple
    )
    confidence = forms.MultipleChoiceField(
        label="Confidence", required=False, choices=Confidence.choices, widget=forms.CheckboxSelectMultiple
    )
