"""Form fields that choose organisations, with former names beside the present ones."""

from __future__ import annotations

from django import forms

from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import choice_words


class OrganisationField(forms.ModelChoiceField[Organisation]):
    """A field for one organisation; with a queryset from `with_former_names`, a search finds former names too."""

    def label_from_instance(self, obj: Organisation) -> str:
        """Return the name, with the former names in brackets."""
        return choice_words(obj)


class OrganisationsField(forms.ModelMultipleChoiceField[Organisation]):
    """A field for several organisations."""

    def label_from_instance(self, obj: Organisation) -> str:
        """Return the name, with the former names in brackets."""
        return choice_words(obj)
