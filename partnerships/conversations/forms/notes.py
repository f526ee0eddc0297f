"""The form of a private note."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.conversations.models import Conversation
from partnerships.kit.forms import Form, Helper

PRIVATE = "Only your own organisation can read this note, and only on this page. We never email, search or export it."


class NoteForm(Form):
    """The form to write a private note. The hidden `revision` is the revision that the person edits."""

    text = forms.CharField(
        label="Private note",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=PRIVATE,
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save note", cancel=conversation.get_absolute_url())
