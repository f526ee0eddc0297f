"""Forms for one piece of a draft, made from the fields of its collection."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.kit.forms import AutocompleteSelect, Form, Helper, Section
from partnerships.kit.uploads import ACCEPT
from partnerships.organisations.models import Area, AreaKind
from partnerships.plans.content import ABOUT, SITES, Collection, Content, Field, Item
from partnerships.plans.forms.dates import PartialDateField
from partnerships.plans.starters import hint_for

_NOTHING = ("", "Not given")


HINTS = {
    "body": "Headings with ##, lists with - and links work.",
    "summary": "What this plan is for, in a paragraph.",
    "notes": "Only the owners and partners can see these notes.",
    "confidential": "Confidential: only the owners and partners can see that this site exists",
    "restricted": "Only the owners and partners can see this",
    "planning_reference": "The planning authority's reference, such as 26/01234/FUL.",
    "measure": "A figure or fact that shows it has been achieved.",
    "source": "A document or a web address.",
    "period_start": "You can give just the year.",
    "baseline": "The date first agreed. You can give just the month or the year.",
    "forecast_start": "You can give just the month or the year.",
    "area": "Start typing a district's name.",
}


def _form_field(spec: Field, content: Content | None) -> forms.Field:
    """The form field for one field of a collection."""
    hint = HINTS.get(spec.code, "")
    common: dict[str, Any] = {"label": spec.label, "required": spec.required}
    if spec.shape == "item":
        sites = [(site["key"], site["name"]) for site in (content or {"sites": []})["sites"]]
        return forms.ChoiceField(choices=[("", "The whole plan"), *sites], help_text=hint, **common)
    if spec.shape == "text":
        rows = 16 if spec.code == "body" else 5
        return forms.CharField(
            widget=forms.Textarea(attrs={"rows": rows}), max_length=spec.max_length, help_text=hint, **common
        )
    if spec.shape == "date":
        return PartialDateField(help_text=hint, **common)
    if spec.shape == "choice":
        blank = [] if spec.default else [_NOTHING]
        return forms.ChoiceField(choices=[*blank, *spec.choices.items()], help_text=hint, **common)
    if spec.shape == "scale":
        return forms.TypedChoiceField(choices=list(spec.choices.items()), coerce=int, **common)
    if spec.shape == "flag":
        return forms.BooleanField(label=HINTS.get(spec.code, spec.label), required=False)
    if spec.shape == "area":
        areas = Area.objects.filter(kind__in=[AreaKind.DISTRICT, AreaKind.COUNTY]).order_by("name", "code")
        choices = [(code, f"{name} ({code})") for code, name in areas.values_list("code", "name")]
        return forms.ChoiceField(choices=[_NOTHING, *choices], widget=AutocompleteSelect, help_text=hint, **common)
    if spec.shape in ("latitude", "longitude"):
        limit = 90 if spec.shape == "latitude" else 180
        widget = forms.TextInput(attrs={"class": "govuk-input--width-10", "inputmode": "decimal"})
        return forms.FloatField(min_value=-limit, max_value=limit, widget=widget, **common)
    return forms.CharField(max_length=spec.max_length, help_text=hint, **common)


SITE_LAYOUT = (
    ("The site", ("name", "reference", "area", "planning_authority", "lat", "lng", "confidential")),
    ("Who and how", ("landowner", "lead", "planning_status", "planning_reference", "grant_programme")),
    (
        "When",
        ("forecast_start", "actual_start", "forecast_completion", "actual_completion", "confidence"),
    ),
    ("For the partners", ("notes",)),
)


class PieceForm(Form):
    """The form for one piece; `based_on` is the revision that its author saw."""

    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)

    def __init__(
        self, *args: Any, collection: Collection | None, content: Content | None = None, cancel: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.collection = collection
        self.specs = [spec for spec in (collection.fields if collection else ABOUT) if spec.shape != "number"]
        if collection is not None and collection.code == "documents":
            self.specs = [spec for spec in self.specs if spec.code in ("title", "restricted")]
        for spec in self.specs:
            self.fields[spec.code] = _form_field(spec, content)
        if collection is None:
            self.fields["title"].required = True
        hint = hint_for(str(self.initial.get("title", ""))) if "body" in self.fields else ""
        if hint:
            self.fields["body"].help_text = f"{hint} {HINTS['body']}"
        if collection is SITES:
            layout: list[object] = [Section(heading, *names) for heading, names in SITE_LAYOUT]
        else:
            layout = [spec.code for spec in self.specs]
        # The template shows the buttons, below the homes of a site.
        self.helper = Helper(self, *layout, submit="", cancel=cancel, tag=False)

    def value(self) -> Item:
        """The value for `save_piece`."""
        return {spec.code: self.cleaned_data.get(spec.code) for spec in self.specs}


class DocumentForm(Form):
    """Attach a file to the draft."""

    title = forms.CharField(max_length=200, required=False, help_text="Leave empty to use the file's name.")
    file = forms.FileField(widget=forms.FileInput(attrs={"accept": ACCEPT}))
    restricted = forms.BooleanField(label=HINTS["restricted"], required=False)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Attach to the draft", cancel=cancel)
