"""Forms of handover lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.kit import forms as kit
from partnerships.kit.forms import Form, Helper
from partnerships.organisations.models import Handover, Organisation, Sharing
from partnerships.organisations.obligations import Held


class ProposeHandoversForm(Form):
    """Who takes over the ticked things, on what basis, and by when the successor answers."""

    records = forms.MultipleChoiceField(
        label="What",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        error_messages={"invalid_choice": "Some of these have a line already. Look at the list again."},
    )
    everything = forms.BooleanField(required=False)
    successor = forms.ModelChoiceField(
        label="Who takes over?", queryset=Organisation.objects.none(), empty_label="Choose an organisation"
    )
    sharing = forms.ChoiceField(label="How?", choices=Sharing.choices, initial=Sharing.ALONE)
    others = forms.ModelMultipleChoiceField(
        label="Who shares it?",
        queryset=Organisation.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Only if several take it over. The organisation chosen above keeps the record.",
    )
    basis = forms.CharField(
        label="Basis", required=False, max_length=300, help_text="Such as an article of the order, or an agreement."
    )
    consent = forms.CharField(
        label="Consent needed", required=False, max_length=300, help_text="Whose consent is needed, such as a lender’s."
    )
    evidence = forms.CharField(
        label="Evidence", required=False, max_length=300, help_text="Where the consent or agreement can be read."
    )
    due_on = kit.DayField(label="Answer by", required=False)

    def __init__(
        self, *args: Any, things: Sequence[Held], successors: QuerySet[Organisation], count: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        records, everything = self.fields["records"], self.fields["everything"]
        assert isinstance(records, forms.MultipleChoiceField)
        records.choices = [(str(one.pk), f"{one.title} ({one.what})" if one.what else one.title) for one in things]
        everything.label = f"All {count} that the filter found"
        for name in ("successor", "others"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = successors
        self.helper = Helper(self, submit="Propose to successor")

    def clean(self) -> dict[str, Any]:
        """Something must be ticked, and nobody shares with themselves."""
        given = super().clean() or {}
        if not given.get("everything") and not given.get("records") and "records" not in self.errors:
            self.add_error("records", "Tick what passes on, or all that the filter found.")
        if given.get("successor") in (given.get("others") or ()):
            self.add_error("others", "It takes over already. Choose the other organisations.")
        return given


class AnswerHandoversForm(Form):
    """A successor's answer to handover lines."""

    lines = forms.MultipleChoiceField(
        label="What",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        error_messages={
            "invalid_choice": "Some of these were answered already. Look at the list again.",
        },
    )
    everything = forms.BooleanField(required=False)
    answer = forms.ChoiceField(
        label="Does your organisation take over?",
        choices=[("accept", "Yes, we take it over"), ("dispute", "No, we dispute it")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="Why not?", required=False, max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, lines: Sequence[Handover], count: int, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"lines": [str(line.pk) for line in lines]})
        super().__init__(*args, **kwargs)
        if count > len(lines):
            self.fields["everything"].label = f"All {count}, also those that are not shown"
        else:
            del self.fields["everything"]
        field = self.fields["lines"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(line.pk), _in_words(line)) for line in lines]
        self.helper = Helper(self, submit="Send answer")

    def clean(self) -> dict[str, Any]:
        """Something must be ticked."""
        given = super().clean() or {}
        if not given.get("everything") and not given.get("lines") and "lines" not in self.errors:
            self.add_error("lines", "Tick what you answer.")
        return given


def _in_words(line: Handover) -> str:
    """The line with its predecessor and, if several take over, with all of them and how."""
    words = f"{line.title} of {line.predecessor.display_name}"
    if line.sharing == Sharing.ALONE:
        return words
    sharing = ", ".join(one.display_name for one in (line.successor, *line.others.all()))
    return f"{words} ({line.get_sharing_display().lower()}: {sharing})"
