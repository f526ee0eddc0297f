"""Forms to upload a spreadsheet and to say what its headings mean."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from partnerships.kit.forms import Form, Helper
from partnerships.transfer.reading.proposals import Proposals
from partnerships.transfer.reading.tables import MAX_BYTES

#: For the `accept` attribute of the file input.
_ACCEPT = ".csv,.tsv,.txt,.xlsx,.ods"
#: Characters of a paste, about as many as a file may have.
MAX_PASTED = 1_000_000
#: The file name of pasted rows.
PASTED = "pasted rows"


class UploadForm(Form):
    """A file, or rows pasted from a spreadsheet."""

    file = forms.FileField(
        label="Spreadsheet",
        required=False,
        help_text="CSV, TSV, XLSX or ODS, up to 4 MB.",
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": _ACCEPT}),
    )
    rows = forms.CharField(
        label="Or paste rows",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="Copy them in your spreadsheet, with the headings, and paste them here.",
    )
    all_or_nothing = forms.BooleanField(
        label="Import all rows or nothing",
        required=False,
        help_text="Otherwise rows that cannot be used are set aside for you to correct, and the others are imported.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Check rows", cancel=cancel)

    def clean_file(self) -> UploadedFile[bytes] | None:
        """Refuse a file that is too large, before it is read."""
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(f"The file is {file.size:,} bytes long; the limit is {MAX_BYTES:,}.")
        return file

    def clean_rows(self) -> str:
        """Refuse more text than a file may have."""
        rows: str = self.cleaned_data["rows"]
        if len(rows) > MAX_PASTED:
            raise forms.ValidationError(f"You pasted {len(rows):,} characters; the limit is {MAX_PASTED:,}.")
        return rows

    def clean(self) -> dict[str, Any]:
        """Require a file or pasted rows, and not both."""
        cleaned = super().clean() or {}
        if "file" in self.errors or "rows" in self.errors:
            return cleaned
        has_file, has_rows = cleaned.get("file") is not None, bool(cleaned.get("rows", "").strip())
        if not has_file and not has_rows:
            self.add_error("file", "Choose a file or paste rows")
        if has_file and has_rows:
            self.add_error("rows", "Choose a file or paste rows, not both")
        return cleaned

    def data_and_name(self) -> tuple[bytes, str]:
        """What was given, and its name."""
        file = self.cleaned_data["file"]
        if file is not None:
            return file.read(), str(file.name or "")
        return self.cleaned_data["rows"].strip("\n").encode(), PASTED


#: What stands below a heading that is known, or guessed.
_CERTAINTY = {True: "We know this heading.", False: "This is our guess. Please check it."}


class HeadingsForm(Form):
    """Which heading of a file is which column."""

    def __init__(self, *args: Any, found: Proposals, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Not in this file"), *((heading.name, str(heading)) for heading in found.headings)]
        for proposal in found.proposals:
            self.fields[f"column-{proposal.column.code}"] = forms.ChoiceField(
                label=proposal.column.shown,
                choices=choices,
                initial=proposal.heading,
                required=proposal.column.required,
                help_text=_CERTAINTY[proposal.is_known] if proposal.heading else "",
            )
        self.helper = Helper(self, submit="Save headings and check rows", cancel=cancel)

    @property
    def headings(self) -> dict[str, str]:
        """The chosen heading by the code of its column."""
        return {
            name.removeprefix("column-"): str(value)
            for name, value in self.cleaned_data.items()
            if name.startswith("column-") and value
        }
