"""The form of a comment on a plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from partnerships.kit.choice_fields import choice_field
from partnerships.kit.forms import Form, Helper
from partnerships.plans.services.commenting import MAX_COMMENT


class CommentForm(Form):
    """A comment on a plan, or a reply in a thread."""

    text = forms.CharField(
        label="Your comment",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=MAX_COMMENT,
        help_text="To mention a colleague, enter @ and their name, for example @Ben West.",
    )
    anchor = forms.ChoiceField(label="About", required=False)

    def __init__(self, *args: Any, anchors: Iterable[tuple[str, str]] = (), reply: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if reply:
            del self.fields["anchor"]  # A reply is about the piece of its thread.
        else:
            choice_field(self, "anchor").choices = [("", "The whole plan"), *anchors]
        self.order_fields(["anchor", "text"])
        self.helper = Helper(self, submit="Send reply" if reply else "Add comment")
