"""Forms to upload a list and to answer a row to review."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.core.files.uploadedfile import UploadedFile

from partnerships.kit.forms import Form
from partnerships.organisations.models import Identifier, Organisation
from partnerships.transfer.models import ORGANISATION_REGISTERS, Answer, Doubt
from partnerships.transfer.reading.proposals import Proposals
from partnerships.transfer.reading.tables import MAX_BYTES


class UploadForm(Form):
    """A published list and the date on which it was correct."""

    register = forms.ChoiceField(
        label="Which list is it?", choices=[(register.value, register.label) for register in ORGANISATION_REGISTERS]
    )
    file = forms.FileField(
        label="The published file",
        help_text="CSV, TSV, XLSX, ODS, JSON, YAML or GeoJSON, up to 4 MB.",
        allow_empty_file=True,
    )
    as_of = forms.DateField(
        label="As of",
        required=False,
        widget=AdminDateWidget(),
        help_text=(
            "The date of the list. If you leave this blank, we use a date in the file's name, title or rows, or today."
        ),
    )

    publisher = forms.CharField(
        label="Publisher",
        required=False,
        max_length=120,
        help_text="Needed only if you have told us what the headings of several publishers of this list mean.",
    )
    is_part = forms.BooleanField(
        label="Only a part",
        required=False,
        help_text="The file is a part of its register: nothing is marked as missing because it is not in the file.",
    )
    all_or_nothing = forms.BooleanField(
        label="Refuse the file if one of its rows cannot be used",
        required=False,
        help_text="Otherwise such rows are set aside for you to correct, and the others go in.",
    )

    take_others = forms.BooleanField(
        label="Take bodies that are no councils",
        required=False,
        help_text=(
            "National parks, development corporations and other public bodies in a list of councils become "
            "organisations of their kind. Otherwise they are set aside."
        ),
    )

    def clean_file(self) -> UploadedFile[bytes]:
        """Refuse a file that is too large, before it is read."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(f"The file is {file.size:,} bytes long; the limit is {MAX_BYTES:,}.")
        return file


#: What stands below a heading that is known, or guessed.
_CERTAINTY = {True: "We know this heading.", False: "This is our guess: please check it."}


class HeadingsForm(Form):
    """Which heading of a file is which column of the list."""

    publisher = forms.CharField(
        label="Who publishes this list?",
        max_length=120,
        help_text="We remember these headings for the publisher's next list.",
    )

    def __init__(self, *args: Any, found: Proposals, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "not in this file"), *((heading.name, str(heading)) for heading in found.headings)]
        for one in found.proposals:
            self.fields[f"column-{one.column.code}"] = forms.ChoiceField(
                label=one.column.shown,
                choices=choices,
                initial=one.heading,
                required=one.column.required,
                help_text=_CERTAINTY[one.is_known] if one.heading else "",
            )

    @property
    def headings(self) -> dict[str, str]:
        """The chosen heading by the code of its column."""
        return {
            name.removeprefix("column-"): str(value)
            for name, value in self.cleaned_data.items()
            if name.startswith("column-") and value
        }


class AnswerForm(Form):
    """The answer to a row: a known organisation, a new one, or none."""

    answer = forms.ChoiceField(label="The row", widget=forms.RadioSelect)
    identifier = forms.CharField(
        label="Another organisation",
        required=False,
        help_text="Its registration number, GSS code or local authority key, if it is none of those above.",
    )
    reason = forms.CharField(
        label="Why", widget=forms.Textarea(attrs={"rows": 3}), help_text="The reason is kept for other administrators."
    )

    def __init__(self, *args: Any, doubt: Doubt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.candidates = list(doubt.candidates.order_by("name", "pk"))
        self.fields["answer"].choices = [  # type: ignore[attr-defined]  # a choice field, as declared above
            *((f"this-{one.pk}", f"is {one.name}") for one in self.candidates),
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
            organisation = next((one for one in self.candidates if f"this-{one.pk}" == choice), None)
        elif choice == "other":
            organisation = self._named(cleaned.get("identifier", ""))
        cleaned["organisation"] = organisation
        if choice not in (Answer.NEW, Answer.LEAVE_OUT):
            cleaned["answer"] = Answer.THIS
        return cleaned

    def _named(self, identifier: str) -> Organisation | None:
        held = Identifier.objects.filter(value__iexact=identifier.strip()).select_related("organisation")
        bodies = {row.organisation for row in held} if identifier.strip() else set()
        if len(bodies) != 1:
            self.add_error(
                "identifier",
                "Several organisations have this identifier." if bodies else "No organisation has this identifier.",
            )
            return None
        return bodies.pop()
