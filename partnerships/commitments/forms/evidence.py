"""The form to upload a file of evidence."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.commitments.models import Commitment
from partnerships.kit.forms import Form, Helper
from partnerships.kit.uploads import ACCEPT


class EvidenceForm(Form):
    """The form to attach a file of evidence."""

    title = forms.CharField(label="What it shows", max_length=200)
    file = forms.FileField(
        label="File",
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        help_text="Choose a document or image of up to 10 MB. Everyone who can see the commitment can download it.",
    )

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Attach file", cancel=commitment.get_absolute_url())
