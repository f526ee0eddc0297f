"""Forms for one piece of a draft, and for attaching a file to it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from crispy_forms.layout import HTML
from django import forms

from partnerships.documents import forms as documents
from partnerships.kit.forms import FindSelect, Fold, Form, Helper, Section
from partnerships.kit.uploads import ACCEPT
from partnerships.organisations.models import Area, AreaKind
from partnerships.plans.content import DOCUMENTS, PLAN, SITES, Collection, Content, Field
from partnerships.plans.starters import section_hint

#: The form of a site. The fields that everybody fills in come first, then the homes. The other fields are folded away.
SITE_LAYOUT = (
    Section("The site", "name", "reference", "address", "postcode", "area", "planning_status"),
    HTML('{% include "plans/_homes_grid.html" %}'),
    Fold(
        "Dates",
        "forecast_start",
        "forecast_completion",
        "actual_start",
        "actual_completion",
        "confidence",
        hint="start, completion and confidence",
    ),
    Fold("Who is involved", "lead", "landowner", "grant_programme", hint="lead, landowner and grant programme"),
    Fold(
        "Planning and place",
        "planning_authority",
        "planning_reference",
        "lat",
        "lng",
        hint="planning authority and reference, and place on the map",
    ),
    Fold("For the partners only", "confidential", "notes", hint="confidential site and notes"),
)

#: The fields of a document that its file fills in.
OF_THE_FILE = frozenset({"file_name", "content_type", "size", "sha256"})


def _area_field(_spec: Field, common: dict[str, Any]) -> forms.Field:
    """Return the field for the district or county of a site."""
    areas = Area.objects.filter(kind__in=[AreaKind.DISTRICT, AreaKind.COUNTY]).order_by("name", "code")
    choices = [(code, f"{name} ({code})") for code, name in areas.values_list("code", "name")]
    return forms.ChoiceField(choices=[("", "Not given"), *choices], widget=FindSelect, **common)


def _postcode_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    """Return the field for a postcode. Phones then type it in capitals."""
    widget = forms.TextInput(attrs={"class": "govuk-input--width-10", "autocapitalize": "characters"})
    return forms.CharField(max_length=spec.max_length, widget=widget, **common)


class PieceForm(documents.PieceForm):
    """The form of one piece of a plan. Without a collection, it has the fields of “About the plan”."""

    def __init__(
        self, *args: Any, collection: Collection | None, content: Content | None = None, cancel: str = "", **kwargs: Any
    ) -> None:
        super().__init__(
            *args,
            schema=PLAN,
            collection=collection,
            content=content,
            leave_out=OF_THE_FILE if collection is DOCUMENTS else frozenset(),
            makers={"area": _area_field, "postcode": _postcode_field},
            layout=deepcopy(SITE_LAYOUT) if collection is SITES else (),
            cancel=cancel,
            **kwargs,
        )
        if collection is None:
            self.fields["title"].required = True
        # If the section has the title of a section in a starter, show the hint of the starter.
        hint = section_hint(str(self.initial.get("title", ""))) if "body" in self.fields else ""
        if hint:
            self.fields["body"].help_text = f"{hint} {self.fields['body'].help_text}"


class DocumentForm(Form):
    """Attach a file to the draft."""

    title = forms.CharField(max_length=200, required=False, help_text="Leave this empty to use the file’s name.")
    file = forms.FileField(widget=forms.FileInput(attrs={"accept": ACCEPT}))
    restricted = forms.BooleanField(label=DOCUMENTS.field_by_code["restricted"].hint, required=False)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Attach to the draft", cancel=cancel)
