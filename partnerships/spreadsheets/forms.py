"""Forms to upload a spreadsheet and to match its headings with columns."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from partnerships.kit.forms import Form, Helper
from partnerships.transfer.reading.proposals import Proposals
from partnerships.transfer.reading.tables import MAX_BYTES

#: The extensions of the files that a person can choose.
_ACCEPT = ".csv,.tsv,.txt,.xlsx,.ods"
#: Pasted rows have at most this many characters.
MAX_PASTED = 1_000_000
#: The name of an upload of pasted rows, in place of a file name.
PASTED = "pasted rows"


class UploadForm(Form):
    """The form to upload a file, or to paste rows from a spreadsheet."""

    file = forms.FileField(
        label="Spreadsheet",
        required=False,
        help_text="Choose a CSV, TSV, XLSX or ODS file of up to 4 MB.",
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": _ACCEPT}),
    )
    rows = forms.CharField(
        label="Or paste rows",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="Copy the rows in your spreadsheet, including the headings, and paste them here.",
    )
    all_or_nothing = forms.BooleanField(
        label="Import all rows or nothing",
        required=False,
        help_text="If you do not tick this, we import the rows that we can use. You can then correct the other rows.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Check rows", cancel=cancel)

    def clean_file(self) -> UploadedFile[bytes] | None:
        """Refuse a file that is too large."""
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(
                f"This file has {file.size:,} bytes. Choose a file of at most {MAX_BYTES:,} bytes, or paste the rows."
            )
        return file

    def clean_rows(self) -> str:
        """Refuse too many pasted rows."""
        rows: str = self.cleaned_data["rows"]
        if len(rows) > MAX_PASTED:
            raise forms.ValidationError(
                f"You pasted {len(rows):,} characters. Paste at most {MAX_PASTED:,}, or upload the file."
            )
        return rows

    def clean(self) -> dict[str, Any]:
        """Require a file or pasted rows, and not both."""
        cleaned = super().clean() or {}
        if "file" in self.errors or "rows" in self.errors:
            return cleaned
        has_file = cleaned.get("file") is not None
        has_rows = bool(cleaned.get("rows", "").strip())
        if not has_file and not has_rows:
            self.add_error("file", "Choose a file or paste rows.")
        if has_file and has_rows:
            self.add_error("rows", "Choose a file or paste rows, but not both.")
        return cleaned

    def data_and_name(self) -> tuple[bytes, str]:
        """Return the content and the name of the file or, without a file, of the pasted rows."""
        file = self.cleaned_data["file"]
        if file is not None:
            return file.read(), str(file.name or "")
        return self.cleaned_data["rows"].strip("\n").encode(), PASTED


class HeadingsForm(Form):
    """The form to match the headings of a file with columns.

    It has a field for each column, in which a person chooses one of the headings.
    """

    def __init__(self, *args: Any, proposals: Proposals, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Not in this file"), *((heading.name, str(heading)) for heading in proposals.headings)]
        for proposal in proposals.proposals:
            hint = "We recognise this heading." if proposal.is_known else "We guessed this heading. Please check it."
            self.fields[f"column-{proposal.column.code}"] = forms.ChoiceField(
                label=proposal.column.shown,
                choices=choices,
                initial=proposal.heading,
                required=proposal.column.required,
                help_text=hint if proposal.heading else "",
            )
        self.helper = Helper(self, submit="Save headings and check rows", cancel=cancel)

    @property
    def headings(self) -> dict[str, str]:
        """Return the chosen headings by the codes of their columns."""
        return {
            name.removeprefix("column-"): str(value)
            for name, value in self.cleaned_data.items()
            if name.startswith("column-") and value
        }
