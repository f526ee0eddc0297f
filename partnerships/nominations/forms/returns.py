"""Forms to start, fill in, send, decide and reopen nominations returns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.forms import BoundField
from django.http import QueryDict

from partnerships.kit.choice_fields import choice_field
from partnerships.kit.forms import CountField, Form, Helper
from partnerships.nominations.lettings.uploading import FilteredLettings
from partnerships.nominations.models import Decision, ReturnLine
from partnerships.nominations.presenting import line_in_words
from partnerships.nominations.services import Supplement, saved_supplements

#: The highest figure that a line of a return may have.
MAX_COUNT = 100_000
_TABLE_INCOMPLETE = "Part of the table is missing. Open the page again and fill in the whole table."


class StartForm(Form):
    """The form to choose the quarter of a new return."""

    quarter = forms.ChoiceField(label="Which quarter?", widget=forms.RadioSelect)

    def __init__(self, *args: Any, quarters: Sequence[tuple[str, str]], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice_field(self, "quarter").choices = quarters
        self.helper = Helper(self, submit="Start return", cancel=cancel)


class LettingsField(forms.FileField):
    """A field for an export that the upload handler has already filtered.

    Its error says why a file could not be read.
    """

    def to_python(self, data: Any) -> File[Any] | None:
        """Return the file, or raise `ValidationError` with the reason why it could not be read.

        The upload handler stores nothing of an unreadable file, so Django itself would report the file as empty.
        """
        if isinstance(data, FilteredLettings) and data.error:
            raise ValidationError(data.error)
        return super().to_python(data)


class UploadForm(Form):
    """The form to upload the CORE export of the quarter."""

    file = LettingsField(
        label="CORE lettings export",
        help_text=(
            "Choose a CSV file of up to 150 MB. We keep only the columns that a return needs, and only until we have "
            "counted them. We store nothing about households."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Upload lettings", cancel=cancel)


class SendForm(Form):
    """The form to send the return to the council, with an answer to each line that the council disputed."""

    def __init__(self, *args: Any, disputed: Sequence[ReturnLine], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._disputed = disputed
        for line in disputed:
            self.fields[f"answer-{line.pk}"] = forms.CharField(
                label=f"{line.words}: what is your answer to “{line.reason}”?",
                help_text="Optional. The council reads your answer beside the corrected figures.",
                max_length=1_000,
                required=False,
                widget=forms.Textarea(attrs={"rows": 3}),
            )
        self.helper = Helper(self, submit="Send return", cancel=cancel)

    def answers(self) -> dict[int, str]:
        """Return the answers to the disputed lines by the id of the line, or "" for a line without an answer."""
        return {line.pk: self.cleaned_data[f"answer-{line.pk}"] for line in self._disputed}


class SupplementForm(Form):
    """A table for the figures that CORE does not contain, with a row for each line.

    `read` contains the figures that were saved when the page was opened, so that two people do not overwrite each
    other's.
    """

    read = forms.JSONField(
        widget=forms.HiddenInput, error_messages={"invalid": _TABLE_INCOMPLETE, "required": _TABLE_INCOMPLETE}
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *args: Any,
        lines: Sequence[ReturnLine],
        grounds: Sequence[str],
        **kwargs: Any,
    ) -> None:
        """Add a field for each line and column, with the saved figure. `grounds` are the grounds of refusal."""
        super().__init__(data, *args, **kwargs)
        self._saved = saved_supplements(lines)
        self.fields["read"].initial = {
            str(line_id): [figures.offers, figures.not_supplied, dict(figures.refusals), figures.in_time]
            for line_id, figures in self._saved.items()
        }
        self.grounds = grounds
        self.columns = ("Offers made", "No nominee in time", "Nominee in time", *grounds)
        #: Each line with its headings and fields.
        self.lines = [(line, self._add_row(line)) for line in lines]

    def _add_row(self, line: ReturnLine) -> list[tuple[str, BoundField]]:
        """Add a field for each figure of a line, and return each field with the heading of its column."""
        codes = ["offers", "not_supplied", "in_time", *(f"ground_{index}" for index in range(len(self.grounds)))]
        saved_values = self._saved_values(line)
        row = []
        for code, heading, saved_value in zip(codes, self.columns, saved_values, strict=True):
            name = f"{code}-{line.pk}"
            self.fields[name] = CountField(
                label=f"{line.words}: {heading}",
                min_value=0,
                max_value=MAX_COUNT,
                required=False,
                initial=saved_value,
                widget=forms.TextInput(attrs={"class": "govuk-input govuk-input--width-3", "inputmode": "numeric"}),
            )
            row.append((heading, self[name]))
        return row

    def _saved_values(self, line: ReturnLine) -> list[int | None]:
        """Return the saved figures of a line in the order of the columns. An empty field shows None."""
        saved = self._saved[line.pk]
        refusals = [saved.refusals.get(ground) for ground in self.grounds]
        return [saved.offers, saved.not_supplied or None, saved.in_time, *refusals]

    def clean_read(self) -> dict[int, Supplement]:
        """Return the figures that were saved when the page was opened, by the id of the line."""
        figures_by_line: dict[int, Supplement] = {}
        try:
            for line_id, figures in self.cleaned_data["read"].items():
                offers, not_supplied, refusals, in_time = figures
                figures_by_line[int(line_id)] = Supplement(
                    offers=offers, not_supplied=not_supplied, refusals=dict(refusals), in_time=in_time
                )
        except (AttributeError, TypeError, ValueError) as error:  # somebody has edited the hidden field
            raise ValidationError(_TABLE_INCOMPLETE) from error
        return figures_by_line

    def figures(self) -> dict[int, Supplement]:
        """Return the entered figures by the id of the line. The form must be valid."""
        return {
            line.pk: Supplement(
                offers=self._count("offers", line),
                not_supplied=self._count("not_supplied", line) or 0,
                refusals=self._refusals(line),
                in_time=self._count("in_time", line),
            )
            for line, _fields in self.lines
        }

    def show_saved(self) -> None:
        """Show the saved figure below each field that differs from it.

        The author has then read the saved figures, so `read` is set to them and the next attempt to save may replace
        them.
        """
        data = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        data["read"] = json.dumps(self.fields["read"].initial)
        self.data = data
        for line, fields in self.lines:
            for (_heading, field), saved_value in zip(fields, self._saved_values(line), strict=True):
                if self.cleaned_data.get(field.name) != saved_value:
                    field.help_text = f"Saved: {'empty' if saved_value is None else saved_value}"

    def _count(self, code: str, line: ReturnLine) -> int | None:
        """Return a figure of a line, or None if its field is empty."""
        value: int | None = self.cleaned_data.get(f"{code}-{line.pk}")
        return value

    def _refusals(self, line: ReturnLine) -> dict[str, int]:
        """Return the number of refused nominees by ground, without the grounds on which none were refused."""
        counts = {ground: self._count(f"ground_{index}", line) or 0 for index, ground in enumerate(self.grounds)}
        return {ground: count for ground, count in counts.items() if count}


class ReopenForm(Form):
    """The form to reopen a confirmed return, so that the provider can correct it."""

    reason = forms.CharField(
        label="What needs to be corrected?", max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Reopen return", cancel=cancel)


class DecideForm(Form):
    """The form to confirm or dispute each line of a return. A second button confirms all lines."""

    sending = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict | None = None, *, lines: Sequence[ReturnLine], sending: int, **kwargs: Any
    ) -> None:
        """Add the fields of each line. `sending` is the number of times that the return has been sent.

        The button "all" sends the form as if every line had been confirmed.
        """
        if data is not None and "all" in data:
            data = data.copy()
            for line in lines:
                data[f"decision-{line.pk}"] = Decision.CONFIRMED.value
        super().__init__(data, **kwargs)
        self.fields["sending"].initial = sending
        #: Each line with its fields for the decision and for the reason.
        self.lines = [self._add_fields(line) for line in lines]

    def _add_fields(self, line: ReturnLine) -> tuple[ReturnLine, BoundField, BoundField]:
        """Add the fields for a line, and return the line with both."""
        decision_name, reason_name = f"decision-{line.pk}", f"reason-{line.pk}"
        self.fields[decision_name] = forms.ChoiceField(
            label=line.words,
            help_text=line_in_words(line),
            choices=[(Decision.CONFIRMED.value, "Confirm"), (Decision.DISPUTED.value, "Dispute")],
            initial=line.decision or None,
            widget=forms.RadioSelect,
        )
        self.fields[reason_name] = forms.CharField(
            label=f"If you dispute this line, say why: {line.words}",
            initial=line.reason if line.decision == Decision.DISPUTED else "",
            max_length=1_000,
            required=False,
            widget=forms.Textarea(attrs={"rows": 2}),
        )
        return line, self[decision_name], self[reason_name]

    def clean(self) -> dict[str, Any]:
        """Require a reason for each disputed line."""
        data: dict[str, Any] = super().clean() or {}
        for _line, decision, reason in self.lines:
            if data.get(decision.name) == Decision.DISPUTED and not data.get(reason.name, "").strip():
                self.add_error(reason.name, "Enter what is wrong with this line.")
        return data
