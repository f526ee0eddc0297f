"""Forms for nominations returns: start, upload lettings, fill in figures, send, decide, reopen."""

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
        """Return the answers to the disputed lines by the id of the line; "" for a line without an answer."""
        return {line.pk: self.cleaned_data[f"answer-{line.pk}"] for line in self._disputed}


class SupplementForm(Form):
    """A table for the figures that CORE does not contain: a row for each line, a column for each figure.

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
        """Add a field for each line and column, with the saved figure."""
        super().__init__(data, *args, **kwargs)
        self._saved = saved_supplements(lines)
        self.fields["read"].initial = {
            str(pk): [saved_line.offers, saved_line.not_supplied, dict(saved_line.refusals), saved_line.in_time]
            for pk, saved_line in self._saved.items()
        }
        self.grounds = grounds
        self.columns = ("Offers made", "No nominee in time", "Nominee in time", *grounds)
        #: Each line with its headings and fields.
        self.lines = [(line, self._add_row(line)) for line in lines]

    def _add_row(self, line: ReturnLine) -> list[tuple[str, BoundField]]:
        """Add a field for each figure of a line, and return each field with the heading of its column."""
        refusals = self._saved[line.pk].refusals
        initial = {"offers": line.offers, "not_supplied": line.not_supplied or None, "in_time": line.in_time}
        initial |= {f"ground_{index}": refusals.get(ground) for index, ground in enumerate(self.grounds)}

        row = []
        for (code, value), heading in zip(initial.items(), self.columns, strict=True):
            name = f"{code}-{line.pk}"
            self.fields[name] = CountField(
                label=f"{line.words}: {heading}",
                min_value=0,
                max_value=MAX_COUNT,
                required=False,
                initial=value,
                widget=forms.TextInput(attrs={"class": "govuk-input govuk-input--width-3", "inputmode": "numeric"}),
            )
            row.append((heading, self[name]))
        return row

    def clean_read(self) -> dict[int, Supplement]:
        """Return the figures that were saved when the page was opened, by the id of the line."""
        try:
            return {
                int(pk): Supplement(offers=offers, not_supplied=not_supplied, refusals=dict(refusals), in_time=in_time)
                for pk, (offers, not_supplied, refusals, in_time) in self.cleaned_data["read"].items()
            }
        except (AttributeError, TypeError, ValueError) as error:
            raise ValidationError(_TABLE_INCOMPLETE) from error

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
            saved = self._saved[line.pk]
            saved_refusals = (saved.refusals.get(ground) for ground in self.grounds)
            saved_values = [saved.offers, saved.not_supplied or None, saved.in_time, *saved_refusals]
            for (_heading, field), saved_value in zip(fields, saved_values, strict=True):
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
        form_data = data
        if data is not None and "all" in data:  # the button that confirms all lines
            form_data = data.copy()
            form_data.update({f"decision-{line.pk}": Decision.CONFIRMED.value for line in lines})
        super().__init__(form_data, **kwargs)
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
