"""Forms to upload a list and to answer a row to review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from partnerships.kit.forms import DayField, Form, Helper
from partnerships.organisations.models import Identifier, Organisation, Scheme
from partnerships.transfer.models import UPLOADED, Answer, Doubt
from partnerships.transfer.reading.proposals import Proposals
from partnerships.transfer.reading.tables import MAX_BYTES
from partnerships.transfer.services.files import File
from partnerships.transfer.services.registers import column_key
from partnerships.transfer.services.registers.published_lists import parts_of

#: The fields of files, in their order.
_FILES = ("file", "second", "third")


class UploadForm(Form):
    """A published list and the date on which it was correct."""

    register = forms.ChoiceField(
        label="Which list is it?", choices=[(register.value, register.label) for register in UPLOADED]
    )
    file = forms.FileField(
        label="The published file",
        required=False,
        help_text=(
            "CSV, TSV, XLSX, ODS, JSON, YAML or GeoJSON, up to 4 MB. Local plans: the plans. Developer agreements: the "
            "agreements. Rows that were set aside and corrected can be uploaded without the list's other files."
        ),
        allow_empty_file=True,
    )
    second = forms.FileField(
        label="Second file",
        required=False,
        allow_empty_file=True,
        help_text="Local plans: their timetable. Developer agreements: their contributions. Leave it out otherwise.",
    )
    third = forms.FileField(
        label="Third file",
        required=False,
        allow_empty_file=True,
        help_text="Developer agreements: the transactions. Leave it out otherwise.",
    )
    council = forms.CharField(
        label="Council",
        required=False,
        max_length=20,
        help_text="For brownfield land, if the rows do not name the council: the council's key, such as ADU.",
    )
    as_of = DayField(
        label="As of",
        required=False,
        help_text=(
            "The date of the list. If you leave this blank, we use a date in the file's name, title or rows, or today."
        ),
    )

    publisher = forms.CharField(
        label="Publisher",
        required=False,
        max_length=120,
        help_text="Needed only if you have matched headings for more than one publisher of this list.",
    )
    is_part = forms.BooleanField(
        label="Only a part",
        required=False,
        help_text="Nothing is marked as missing because it is not in the file.",
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
        """The id of the council with that key."""
        key = self.cleaned_data["council"].strip()
        if not key:
            return None
        identifier = Identifier.objects.filter(scheme=Scheme.LOCAL_AUTHORITY, value__iexact=key).first()
        if identifier is None:
            raise forms.ValidationError("No council has this key.")
        return identifier.organisation_id

    def clean(self) -> dict[str, Any]:
        """Refuse files that are too large, before they are read, and too few or too many of them."""
        cleaned = super().clean() or {}
        for name in _FILES:
            file = cleaned.get(name)
            if file and (file.size or 0) > MAX_BYTES:
                self.add_error(name, f"The file is {file.size:,} bytes long; the limit is {MAX_BYTES:,}.")
        self._count = max(len(parts_of(cleaned["register"])), 1) if "register" in cleaned else len(_FILES)
        for name in _FILES[self._count :]:
            if cleaned.get(name):
                self.add_error(name, "This list does not use this file.")
        _need_a_file(self, _FILES[: self._count])
        return cleaned

    @property
    def chosen_files(self) -> list[File]:
        """The files of the list, in their order."""
        return _chosen(self, _FILES[: self._count])


def _need_a_file(form: forms.Form, names: Sequence[str]) -> None:
    """Refuse a form without any of these files.

    Whether one can be missing, only reading the others tells.
    """
    if not any(form.cleaned_data.get(name) or form.has_error(name) for name in names):
        form.add_error(names[0], "Choose the file.")


def _chosen(form: forms.Form, names: Sequence[str]) -> list[File]:
    """The files in these fields; an empty one for each that was not chosen."""
    chosen: list[UploadedFile[bytes] | None] = [form.cleaned_data.get(name) for name in names]
    return [File(str(file.name or ""), file.read()) if file else File("", b"") for file in chosen]


#: What stands below a heading that is known, or guessed.
_CERTAINTY = {True: "We know this heading.", False: "This is our guess: please check it."}


class HeadingsForm(Form):
    """Which heading of a file is which column of the list."""

    publisher = forms.CharField(
        label="Who publishes this list?",
        max_length=120,
        help_text="We remember these headings for the publisher's next list.",
    )

    def __init__(self, *args: Any, found: Sequence[tuple[str, Proposals]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place, (what, proposals) in enumerate(found):
            choices = [("", "not in this file"), *((heading.name, str(heading)) for heading in proposals.headings)]
            for proposal in proposals.proposals:
                self.fields[f"column-{column_key(place, proposal.column.code)}"] = forms.ChoiceField(
                    label=f"File of the {what}: {proposal.column.shown}" if what else proposal.column.shown,
                    choices=choices,
                    initial=proposal.heading,
                    required=proposal.column.required,
                    help_text=_CERTAINTY[proposal.is_known] if proposal.heading else "",
                )

    @property
    def headings(self) -> dict[str, str]:
        """The chosen heading by the code of its column."""
        return {
            name.removeprefix("column-"): str(value)
            for name, value in self.cleaned_data.items()
            if name.startswith("column-") and value
        }


class OwnFilesForm(Form):
    """The files of a standard, uploaded by staff of the authority that they belong to."""

    as_of = DayField(
        label="As of",
        required=False,
        help_text="Leave it blank to use a date in the files' names or rows, or today.",
    )
    all_or_nothing = forms.BooleanField(
        label="Import all rows or nothing",
        required=False,
        help_text="Otherwise rows that cannot be used are set aside for you to correct, and the others are imported.",
    )

    def __init__(self, *args: Any, register: str, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parts = parts_of(register)
        self._names = [f"file-{place}" for place in range(len(parts))]
        for name, part in zip(self._names, parts, strict=True):
            self.fields[name] = forms.FileField(
                label=f"File of the {part.label}",
                help_text="CSV, TSV, XLSX, ODS, JSON, YAML or GeoJSON, up to 4 MB.",
                required=False,
                allow_empty_file=True,
            )
        self.order_fields([*self._names, "as_of", "all_or_nothing"])
        self.helper = Helper(self, submit="Check files", cancel=cancel)

    def clean(self) -> dict[str, Any]:
        """Refuse files that are too large, before they are read."""
        cleaned = super().clean() or {}
        for name in self._names:
            file = cleaned.get(name)
            if file and (file.size or 0) > MAX_BYTES:
                self.add_error(name, f"The file is {file.size:,} bytes long; the limit is {MAX_BYTES:,}.")
        _need_a_file(self, self._names)
        return cleaned

    @property
    def chosen_files(self) -> list[File]:
        """The files, in their order."""
        return _chosen(self, self._names)


class OwnHeadingsForm(HeadingsForm):
    """The same for the own files of an authority, which is their publisher."""

    publisher = None  # type: ignore[assignment]  # takes the field out

    def __init__(self, *args: Any, found: Sequence[tuple[str, Proposals]], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, found=found, **kwargs)
        self.helper = Helper(self, submit="Save headings and check files", cancel=cancel)


class AnswerForm(Form):
    """The answer to a row: a known organisation, a new one, or none."""

    answer = forms.ChoiceField(label="The row", widget=forms.RadioSelect)
    identifier = forms.CharField(
        label="Another organisation",
        required=False,
        help_text=(
            "The organisation’s registration number, GSS code or local authority key, if it is none of those above."
        ),
    )
    reason = forms.CharField(
        label="Why", widget=forms.Textarea(attrs={"rows": 3}), help_text="The reason is kept for other administrators."
    )

    def __init__(self, *args: Any, doubt: Doubt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.candidates = list(doubt.candidates.order_by("name", "pk"))
        self.fields["answer"].choices = [  # type: ignore[attr-defined]  # a choice field, as declared above
            *((f"this-{candidate.pk}", f"is {candidate.name}") for candidate in self.candidates),
            ("other", "is another organisation in the directory, named below"),
            (Answer.NEW.value, "is a new organisation"),
            (Answer.LEAVE_OUT.value, "is to be left out"),
        ]

    def clean(self) -> dict[str, Any]:
        """Turn the choice into an answer and an organisation."""
        cleaned = super().clean() or {}
        choice = cleaned.get("answer", "")
        organisation: Organisation | None = None
        if choice.startswith("this-"):
            organisation = next((candidate for candidate in self.candidates if f"this-{candidate.pk}" == choice), None)
        elif choice == "other":
            organisation = self._named(cleaned.get("identifier", ""))
        cleaned["organisation"] = organisation
        if choice not in (Answer.NEW, Answer.LEAVE_OUT):
            cleaned["answer"] = Answer.THIS
        return cleaned

    def _named(self, identifier: str) -> Organisation | None:
        identifiers = Identifier.objects.filter(value__iexact=identifier.strip()).select_related("organisation")
        bodies = {row.organisation for row in identifiers} if identifier.strip() else set()
        if len(bodies) != 1:
            self.add_error(
                "identifier",
                "Several organisations have this identifier." if bodies else "No organisation has this identifier.",
            )
            return None
        return bodies.pop()
