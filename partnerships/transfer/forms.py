"""Forms to upload a list, to match its headings with columns, and to decide rows that match no organisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from partnerships.kit.choice_fields import choice_field
from partnerships.kit.forms import DayField, Form, Helper
from partnerships.organisations.models import Identifier, Organisation, Scheme
from partnerships.transfer.models import UPLOADED, Answer, Doubt
from partnerships.transfer.reading.tables import MAX_BYTES
from partnerships.transfer.services.files import File
from partnerships.transfer.services.registers import FileProposals, column_key
from partnerships.transfer.services.registers.published_lists import parts_of

#: The fields for files, in the order of the list's files.
_FILE_FIELDS = ("file", "second", "third")


class UploadForm(Form):
    """Upload a published list of one or more files."""

    register = forms.ChoiceField(
        label="Which list is it?", choices=[(register.value, register.label) for register in UPLOADED]
    )
    file = forms.FileField(
        label="The published file",
        required=False,
        help_text=(
            "Choose a CSV, TSV, XLSX, ODS, JSON, YAML or GeoJSON file of up to 4 MB. For local plans, choose the file "
            "of plans. For developer agreements, choose the file of agreements. You can upload corrected rows that "
            "were set aside without the list’s other files."
        ),
        allow_empty_file=True,
    )
    second = forms.FileField(
        label="Second file",
        required=False,
        allow_empty_file=True,
        help_text="Choose the timetable of local plans or the contributions of developer agreements. Leave this empty "
        "for any other list.",
    )
    third = forms.FileField(
        label="Third file",
        required=False,
        allow_empty_file=True,
        help_text="Choose the transactions of developer agreements. Leave this empty for any other list.",
    )
    council = forms.CharField(
        label="Council",
        required=False,
        max_length=20,
        help_text="If the rows of brownfield land do not name the council, enter its key, for example ADU.",
    )
    as_of = DayField(
        label="As of",
        required=False,
        help_text=(
            "The date of the list. If you leave this blank, we use a date in the file’s name, title or rows, or today."
        ),
    )
    publisher = forms.CharField(
        label="Publisher",
        required=False,
        max_length=120,
        help_text="Enter it only if you have matched headings for more than one publisher of this list.",
    )
    is_part = forms.BooleanField(
        label="Only a part",
        required=False,
        help_text="Organisations that are not in the file will not be marked as missing.",
    )
    all_or_nothing = forms.BooleanField(
        label="Refuse the file if one of its rows cannot be used",
        required=False,
        help_text="Otherwise such rows are set aside for you to correct, and the others are imported.",
    )
    take_others = forms.BooleanField(
        label="Also import bodies that are not councils",
        required=False,
        help_text=(
            "National parks, development corporations and other public bodies in a list of councils become "
            "organisations of their kind. Otherwise they are set aside."
        ),
    )

    def clean_council(self) -> int | None:
        """Return the id of the council with this key, or None if the field is blank."""
        key = self.cleaned_data["council"].strip()
        if not key:
            return None
        identifier = Identifier.objects.filter(scheme=Scheme.LOCAL_AUTHORITY, value__iexact=key).first()
        if identifier is None:
            raise forms.ValidationError(
                "No council has this key. Enter its code in the list of councils, for example ADU."
            )
        return identifier.organisation_id

    def clean(self) -> dict[str, Any]:
        """Refuse files that are too large, files that this list does not have, and a form without any file."""
        cleaned = super().clean() or {}
        for field in _FILE_FIELDS:
            _refuse_large_file(self, field)
        for field in _FILE_FIELDS[self._file_count :]:
            if cleaned.get(field):
                self.add_error(field, "This list does not need this file. Leave this field empty.")
        _require_a_file(self, _FILE_FIELDS[: self._file_count])
        return cleaned

    @property
    def _file_count(self) -> int:
        """Return the number of files that the chosen list consists of. While no list is chosen, return the maximum."""
        if "register" not in self.cleaned_data:
            return len(_FILE_FIELDS)
        return max(len(parts_of(self.cleaned_data["register"])), 1)

    @property
    def chosen_files(self) -> list[File]:
        """Return the uploaded files of the list, in the list's order of files."""
        return _files_in(self, _FILE_FIELDS[: self._file_count])


def _refuse_large_file(form: forms.Form, field: str) -> None:
    """Add an error to the field if its file is larger than `MAX_BYTES`."""
    file: UploadedFile[bytes] | None = form.cleaned_data.get(field)
    if file and (file.size or 0) > MAX_BYTES:
        form.add_error(
            field, f"The file is {file.size:,} bytes long, and the limit is {MAX_BYTES:,}. Choose a smaller file."
        )


def _require_a_file(form: forms.Form, fields: Sequence[str]) -> None:
    """Refuse a form without any file. Whether one of several may be missing is checked later, by reading."""
    if not any(form.cleaned_data.get(field) or form.has_error(field) for field in fields):
        form.add_error(fields[0], "Choose the file.")


def _files_in(form: forms.Form, fields: Sequence[str]) -> list[File]:
    """Return the files uploaded in these fields; for a field without a file, a file without a name or bytes."""
    uploaded_files: list[UploadedFile[bytes] | None] = [form.cleaned_data.get(field) for field in fields]
    return [File(str(file.name or ""), file.read()) if file else File("", b"") for file in uploaded_files]


class HeadingsForm(Form):
    """Match headings of files with columns of the list. Each column is a field with the headings as choices."""

    publisher = forms.CharField(
        label="Who publishes this list?",
        max_length=120,
        help_text="We will remember these headings for the publisher’s next list.",
    )

    def __init__(self, *args: Any, files: Sequence[FileProposals], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for index, file in enumerate(files):
            self._add_columns(index, file)

    def _add_columns(self, index: int, file: FileProposals) -> None:
        """Add a field for each column of a file, with our proposal for its heading."""
        headings = file.proposals.headings
        choices = [("", "Not in this file"), *((heading.name, str(heading)) for heading in headings)]
        for proposal in file.proposals.proposals:
            column = proposal.column
            hint = "We recognise this heading." if proposal.is_known else "This is our guess. Please check it."
            self.fields[f"column-{column_key(index, column.code)}"] = forms.ChoiceField(
                label=f"File of the {file.label}: {column.shown}" if file.label else column.shown,
                choices=choices,
                initial=proposal.heading,
                required=column.required,
                help_text=hint if proposal.heading else "",
            )

    @property
    def headings(self) -> dict[str, str]:
        """Return the chosen headings by the keys that `column_key` gives their columns."""
        return {
            name.removeprefix("column-"): str(value)
            for name, value in self.cleaned_data.items()
            if name.startswith("column-") and value
        }


class OwnFilesForm(Form):
    """Upload an authority's own files in the format of a planning data standard."""

    as_of = DayField(
        label="As of",
        required=False,
        help_text="The date of the files. If you leave this blank, we use a date in their names or rows, or today.",
    )
    all_or_nothing = forms.BooleanField(
        label="Import all rows or nothing",
        required=False,
        help_text="Otherwise rows that cannot be used are set aside for you to correct, and the others are imported.",
    )

    def __init__(self, *args: Any, register: str, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parts = parts_of(register)
        self._file_fields = [f"file-{index}" for index in range(len(parts))]
        for field, part in zip(self._file_fields, parts, strict=True):
            self.fields[field] = forms.FileField(
                label=f"File of the {part.label}",
                help_text="Choose a CSV, TSV, XLSX, ODS, JSON, YAML or GeoJSON file of up to 4 MB.",
                required=False,
                allow_empty_file=True,
            )
        self.order_fields([*self._file_fields, "as_of", "all_or_nothing"])
        self.helper = Helper(self, submit="Check files", cancel=cancel)

    def clean(self) -> dict[str, Any]:
        """Refuse files that are too large, and a form without files."""
        cleaned = super().clean() or {}
        for field in self._file_fields:
            _refuse_large_file(self, field)
        _require_a_file(self, self._file_fields)
        return cleaned

    @property
    def chosen_files(self) -> list[File]:
        """Return the uploaded files, in the standard's order of files."""
        return _files_in(self, self._file_fields)


class OwnHeadingsForm(HeadingsForm):
    """Match the headings of an authority's own files, whose publisher is the authority."""

    publisher = None  # type: ignore[assignment]  # removes the field

    def __init__(self, *args: Any, files: Sequence[FileProposals], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, files=files, **kwargs)
        self.helper = Helper(self, submit="Save headings and check files", cancel=cancel)


class AnswerForm(Form):
    """Decide whether a row means an existing organisation or a new one, or is left out.

    The candidates of the doubt are organisations that the row may mean. Each of them is a choice.
    """

    answer = forms.ChoiceField(label="The row", widget=forms.RadioSelect)
    identifier = forms.CharField(
        label="Another organisation",
        required=False,
        help_text=(
            "The organisation’s registration number, GSS code or local authority key, if it is not one of those above."
        ),
    )
    reason = forms.CharField(
        label="Reason", widget=forms.Textarea(attrs={"rows": 3}), help_text="Other administrators can read the reason."
    )

    def __init__(self, *args: Any, doubt: Doubt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.candidates = list(doubt.candidates.order_by("name", "pk"))
        choice_field(self, "answer").choices = [
            *((f"this-{candidate.pk}", f"is {candidate.name}") for candidate in self.candidates),
            ("other", "is another organisation in the directory, with the identifier below"),
            (Answer.NEW.value, "is a new organisation"),
            (Answer.LEAVE_OUT.value, "should be left out"),
        ]

    def clean(self) -> dict[str, Any]:
        """Turn the choice into `answer`, a code of `Answer`, and `organisation`.

        `organisation` is None if the organisation is new or the row is left out.
        """
        cleaned = super().clean() or {}
        choice = cleaned.get("answer", "")
        if choice in (Answer.NEW, Answer.LEAVE_OUT):
            cleaned["organisation"] = None
            return cleaned

        if choice == "other":
            organisation = self._organisation_with_identifier(cleaned.get("identifier", ""))
        else:
            candidate_by_choice = {f"this-{candidate.pk}": candidate for candidate in self.candidates}
            organisation = candidate_by_choice.get(choice)
        cleaned |= {"answer": Answer.THIS, "organisation": organisation}
        return cleaned

    def _organisation_with_identifier(self, value: str) -> Organisation | None:
        """Return the only organisation with this identifier. Otherwise, add an error and return None."""
        value = value.strip()
        identifiers = Identifier.objects.filter(value__iexact=value).select_related("organisation") if value else ()
        organisations = {identifier.organisation for identifier in identifiers}
        if len(organisations) == 1:
            return organisations.pop()
        problem = "Several organisations have" if organisations else "No organisation has"
        self.add_error("identifier", f"{problem} this identifier.")
        return None
