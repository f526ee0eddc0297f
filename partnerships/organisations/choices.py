"""Form fields that offer organisations by their present and former names."""

from __future__ import annotations

from django import forms

from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import choice_label


class OrganisationField(forms.ModelChoiceField[Organisation]):
    """A field for one organisation. People can search for its former names, too.

    The queryset must come from `with_former_names`.
    """

    def label_from_instance(self, obj: Organisation) -> str:
        """Return the names, for example “Marsh Homes (formerly Fen Homes)”."""
        return choice_label(obj)


class OrganisationsField(forms.ModelMultipleChoiceField[Organisation]):
    """A field for several organisations, which people can find by their former names, too."""

    def label_from_instance(self, obj: Organisation) -> str:
        """Return the names, for example “Marsh Homes (formerly Fen Homes)”."""
        return choice_label(obj)
