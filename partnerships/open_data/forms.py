"""The form that begins or ends publishing."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.kit.forms import Form, Helper


class PublishingForm(Form):
    """Why the files are published, or no longer."""

    reason = forms.CharField(
        label="Why",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The reason is kept in the history of the organisation.",
    )

    def __init__(self, *args: Any, submit: str, danger: bool, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, "reason", submit=submit, danger=danger, cancel=cancel)
