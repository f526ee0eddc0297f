"""Forms to suggest a correction of a record, to answer a correction, and to agree to the record."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.conversations.models import Conversation
from partnerships.kit.forms import Form, Helper, VerdictForm
from partnerships.organisations.models import Organisation


class CorrectionForm(Form):
    """The form to suggest a correction."""

    text = forms.CharField(
        label="What needs correcting",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=(
            "Quote the words you mean and write what they should say. All organisations that took part can see this."
        ),
    )

    def __init__(self, *args: Any, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Suggest correction", cancel=conversation.get_absolute_url())


class AnswerCorrectionForm(VerdictForm):
    """The form to accept or refuse a correction."""

    words_field = "answer"
    needs_words = {"no": "Enter why you do not accept the correction."}

    verdict = forms.ChoiceField(
        label="Do you accept this correction?",
        widget=forms.RadioSelect,
        choices=[("yes", "Yes, I have changed the record"), ("no", "No")],
    )
    answer = forms.CharField(
        label="Answer",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="If you do not accept the correction, say why.",
    )

    def __init__(self, *args: Any, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send answer", cancel=conversation.get_absolute_url())


class AgreeForm(Form):
    """The form to agree to the record for one organisation.

    The hidden `revision` is the revision of the record that the person read.
    """

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, conversation: Conversation, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revision"].initial = conversation.revision
        self.helper = Helper(
            self, submit=f"Agree to the record for {organisation.display_name}", cancel=conversation.get_absolute_url()
        )
