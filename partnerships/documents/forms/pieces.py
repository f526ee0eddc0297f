"""The form of one piece of a draft, made from the fields of its collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from types import MappingProxyType
from typing import Any, TypeAlias

from django import forms

from partnerships.documents.merging import merge_edits
from partnerships.documents.revisions import PieceConflict
from partnerships.documents.schema import Collection, Content, Field, Item, Schema
from partnerships.documents.values import Problem
from partnerships.kit.forms import CountField, Form, Helper, MoneyField, PartialDateField

NOTHING = ("", "Not given")
#: A function that returns the form field for a shape that only one kind of document has. The dictionary contains
#: `label`, `help_text` and `required` for the form field.
FieldMaker: TypeAlias = Callable[[Field, dict[str, Any]], forms.Field]
NO_MAKERS: Mapping[str, FieldMaker] = MappingProxyType({})


def form_field(
    schema: Schema, spec: Field, content: Content | None = None, makers: Mapping[str, FieldMaker] = NO_MAKERS
) -> forms.Field:
    """Return the form field for a field of a document.

    In a field of the shape "item", people choose from the items of `content`. `makers` are functions for shapes that
    only this kind of document has, by shape.
    """
    common: dict[str, Any] = {"label": spec.label, "required": spec.required, "help_text": spec.hint}
    if spec.shape in makers:
        return makers[spec.shape](spec, common)
    if spec.shape == "item":
        target = schema.collection_by_code[spec.collection]
        items = [(item["key"], item[target.title_field]) for item in (content or {}).get(target.code, ())]
        return forms.ChoiceField(choices=[("", f"The whole {schema.singular}"), *items], **common)
    return _MAKERS.get(spec.shape, _line_field)(spec, common)


def _choice_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    """Return a list of choices, which begins with "Not given" if the field has no default."""
    choices = list(spec.choices.items())
    if not spec.default:
        choices.insert(0, NOTHING)
    return forms.ChoiceField(choices=choices, **common)


def _scale_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    return forms.TypedChoiceField(choices=list(spec.choices.items()), coerce=int, **common)


def _flag_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    """Return a checkbox, with the hint as its label if there is one. It may always be left unticked."""
    return forms.BooleanField(label=spec.hint or spec.label, required=False)


def _date_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    return PartialDateField(**common)


def _number_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    return CountField(min_value=0, **common)


def _money_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    return MoneyField(**common)


def _degrees_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    """Return the field of a latitude, from -90 to 90, or of a longitude, from -180 to 180."""
    limit = 90 if spec.shape == "latitude" else 180
    widget = forms.TextInput(attrs={"class": "govuk-input--width-10", "inputmode": "decimal"})
    return forms.FloatField(min_value=-limit, max_value=limit, widget=widget, **common)


def _text_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    """Return the field of a text with several lines."""
    rows = 16 if spec.max_length > 10_000 else 5
    return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), max_length=spec.max_length, **common)


def _line_field(spec: Field, common: dict[str, Any]) -> forms.Field:
    return forms.CharField(max_length=spec.max_length, **common)


#: The functions for the shapes of all documents. Any other shape is one line of text.
_MAKERS: Mapping[str, FieldMaker] = MappingProxyType(
    {
        "choice": _choice_field,
        "scale": _scale_field,
        "flag": _flag_field,
        "date": _date_field,
        "number": _number_field,
        "money": _money_field,
        "latitude": _degrees_field,
        "longitude": _degrees_field,
        "text": _text_field,
    }
)


class PieceForm(Form):
    """The form of a piece. The template shows its buttons.

    `based_on` is the revision of the piece that the author saw, and `seen` are the fingerprints of its fields at
    that time.
    """

    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=0)
    seen = forms.JSONField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        schema: Schema,
        collection: Collection | None,
        content: Content | None = None,
        leave_out: frozenset[str] = frozenset(),
        makers: Mapping[str, FieldMaker] = NO_MAKERS,
        layout: tuple[object, ...] = (),
        cancel: str = "",
        **kwargs: Any,
    ) -> None:
        """Build the form for an item of the collection, or for the fields of "about" if the collection is None.

        `leave_out` are the codes of fields that the form does not show. `makers` return the fields of special shapes.
        `layout` replaces the order of the schema.
        """
        super().__init__(*args, **kwargs)
        self.schema, self.collection = schema, collection
        specs = collection.fields if collection else schema.about
        self.specs = [spec for spec in specs if spec.code not in leave_out]
        for spec in self.specs:
            self.fields[spec.code] = form_field(schema, spec, content, makers)
        codes = [spec.code for spec in self.specs]
        self.helper = Helper(self, *(layout or codes), submit="", cancel=cancel, tag=False)

    def value(self) -> Item:
        """Return the value of the piece for `save_piece`, without the fields that were left out."""
        return {spec.code: self.cleaned_data.get(spec.code) for spec in self.specs}

    def merge_with(self, conflict: PieceConflict) -> Item | None:
        """Return the edits of both people in one item.

        Returns None if both people changed the same field, or if the form was sent without the fingerprints.
        """
        fingerprints_seen = self.cleaned_data.get("seen")
        if not isinstance(fingerprints_seen, dict):
            return None
        if not conflict.mine or not conflict.theirs:
            # One of the two people removed the piece.
            return None
        codes = [spec.code for spec in self.specs]
        return merge_edits(conflict.mine, conflict.theirs, fingerprints_seen, codes)

    def explain(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        """Show each problem at its field or, if there are no problems, the message above the form."""
        for problem in problems:
            field = problem.path.rpartition("/")[2]
            self.add_error(field if field in self.fields else None, problem.message)
        if not problems:
            self.add_error(None, message)

    def rebase(self, revision: int) -> None:
        """Base the form on a later revision, so that sending it again replaces the other person's text.

        The form keeps the values that its author entered.
        """
        # A request's `QueryDict` is immutable; its copy is not.
        data: Any = copy(self.data)
        data[self.add_prefix("based_on")] = str(revision)
        self.data = data
