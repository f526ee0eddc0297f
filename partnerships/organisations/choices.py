"""Fields that choose organisations, by present names with former ones beside them."""

from __future__ import annotations

from django import forms

from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import choice_words


class OrganisationField(forms.ModelChoiceField[Organisation]):
    """Choice of one organisation.

    Rows `with_former_names` are found by these too.
    """

    def label_from_instance(self, obj: Organisation) -> str:
        """The name, with former ones."""
        return choice_words(obj)


class OrganisationsField(forms.ModelMultipleChoiceField[Organisation]):
    """A field for several organisations."""

    def label_from_instance(self, obj: Organisation) -> str:
        """The name, with former ones."""
        return choice_words(obj)
