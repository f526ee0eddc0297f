"""Forms of the journal."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.kit.forms import DayField, Form, Helper
from partnerships.kit.forms import ReasonForm as KitReasonForm

_PRIVATE = (
    "Only your own organisation can read this note. We never email it, and it appears only in the export of your own "
    "data."
)


class JournalFilter(Form):
    """The form to search the journal for words, or for notes about a partnership or organisation."""

    q = forms.CharField(label="Words in the note", required=False, max_length=200)
    partnership = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    about = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)


class JournalForm(Form):
    """The form to write or change a note, which has a date."""

    dated_on = DayField(label="Date")
    text = forms.CharField(
        label="Note", max_length=10_000, widget=forms.Textarea(attrs={"rows": 8}), help_text=_PRIVATE
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save note", cancel=cancel)


class DeleteNoteForm(KitReasonForm):
    """The form to delete a note, with a reason."""

    danger = True
    reason = forms.CharField(
        label="Why are you deleting this note?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Your organisation will still see that there was a note, and your reason.",
    )
