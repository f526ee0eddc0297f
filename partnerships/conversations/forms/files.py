"""Forms to attach a file, and to add a paper to a meeting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.agreements.models import Document
from partnerships.conversations.models import AgendaItem
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import Form, Helper, Section
from partnerships.kit.uploads import ACCEPT, MAX_BYTES, MEGABYTE
from partnerships.plans.models import Version

_KINDS = (
    "Choose a PDF, Word, Excel, PowerPoint, OpenDocument, PNG, JPEG, CSV or text file of up to "
    f"{MAX_BYTES // MEGABYTE} MB."
)


class FileForm(Form):
    """The form to attach a file."""

    title = forms.CharField(
        label="Title", required=False, max_length=200, help_text="If you leave this empty, we use the file name."
    )
    file = forms.FileField(label="File", help_text=_KINDS, widget=forms.FileInput(attrs={"accept": ACCEPT}))

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Attach file", cancel=cancel)


class _VersionField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic when it runs
    """A choice of versions of plans."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the title of the plan and the number of the version."""
        return str(obj)


class PaperForm(Form):
    """The form to add a paper: a file, a document of the partnership, or a version of a plan."""

    item = forms.ModelChoiceField(
        label="Which item is it for?",
        queryset=AgendaItem.objects.none(),
        required=False,
        empty_label="The whole meeting",
    )
    title = forms.CharField(
        label="Title",
        required=False,
        max_length=200,
        help_text="If you leave this empty, we use the name of the file, document or plan.",
    )
    file = forms.FileField(
        label="File", required=False, help_text=_KINDS, widget=forms.FileInput(attrs={"accept": ACCEPT})
    )
    document = forms.ModelChoiceField(
        label="Document of the partnership", queryset=Document.objects.none(), required=False, empty_label="None"
    )
    version = _VersionField(
        label="Version of a plan", queryset=Version.objects.none(), required=False, empty_label="None"
    )

    def __init__(
        self,
        *args: Any,
        items: Sequence[AgendaItem],
        documents: QuerySet[Document],
        versions: QuerySet[Version],
        cancel: str,
        **kwargs: Any,
    ) -> None:
        """Build the form. The person chooses among these `items`, in this order, `documents` and `versions`."""
        super().__init__(*args, **kwargs)
        item_field = model_choice_field(self, "item")
        # The queryset validates the choice. The choices keep the order of the agenda.
        item_field.queryset = AgendaItem.objects.filter(pk__in=[item.pk for item in items])
        item_field.choices = [("", "The whole meeting"), *((item.pk, item.title) for item in items)]
        model_choice_field(self, "document").queryset = documents
        model_choice_field(self, "version").queryset = versions
        self.helper = Helper(
            self,
            Section("Paper", "title", "item"),
            Section("Choose one", "file", "document", "version"),
            submit="Add paper",
            cancel=cancel,
        )

    def clean(self) -> dict[str, Any]:
        """Require exactly one of file, document and version."""
        data = super().clean() or {}
        chosen_names = [name for name in ("file", "document", "version") if data.get(name)]
        # A field with an error of its own has no value here, so the count would mislead.
        if not self.errors and len(chosen_names) != 1:
            self.add_error("file", "Choose one of a file, a document or a version of a plan.")
        return data
