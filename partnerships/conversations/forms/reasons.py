"""Forms with only a reason, or only a button."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.kit import forms as kit
from partnerships.kit.forms import Form, Helper


class ConfirmForm(Form):
    """A form with only a button."""

    def __init__(self, *args: Any, submit: str, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit=submit, cancel=cancel)


class ReasonForm(kit.ReasonForm):
    """A form with only a reason."""

    danger = True
    reason = forms.CharField(label="Reason", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
