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

    # Choices
    if spec.shape == "item":
        target = schema.collection_by_code[spec.collection]
        items = [(item["key"], item[target.title]) for item in (content or {}).get(target.code, ())]
        return forms.ChoiceField(choices=[("", f"The whole {schema.one}"), *items], **common)
    if spec.shape == "choice":
        choices = list(spec.choices.items())
        if not spec.default:
            choices.insert(0, NOTHING)
        return forms.ChoiceField(choices=choices, **common)
    if spec.shape == "scale":
        return forms.TypedChoiceField(choices=list(spec.choices.items()), coerce=int, **common)
    if spec.shape == "flag":
        return forms.BooleanField(label=spec.hint or spec.label, required=False)

    # Dates and numbers
    if spec.shape == "date":
        return PartialDateField(**common)
    if spec.shape == "number":
        return CountField(min_value=0, **common)
    if spec.shape == "money":
        return MoneyField(**common)
    if spec.shape in ("latitude", "longitude"):
        limit = 90 if spec.shape == "latitude" else 180
        widget = forms.TextInput(attrs={"class": "govuk-input--width-10", "inputmode": "decimal"})
        return forms.FloatField(min_value=-limit, max_value=limit, widget=widget, **common)

    # Texts, long and short
    if spec.shape == "text":
        rows = 16 if spec.max_length > 10_000 else 5
        return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), max_length=spec.max_length, **common)
    return forms.CharField(max_length=spec.max_length, **common)


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
