"""Form fields that choose organisations and show former names beside the present name."""

from __future__ import annotations

from django import forms

from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import choice_label


class OrganisationField(forms.ModelChoiceField[Organisation]):
    """A field for one organisation. With a queryset from `with_former_names`, a search also finds former names."""

    def label_from_instance(self, obj: Organisation) -> str:
        """Return the present name, with the former names in brackets."""
        return choice_label(obj)


class OrganisationsField(forms.ModelMultipleChoiceField[Organisation]):
    """A field for several organisations, with the same labels as `OrganisationField`."""

    def label_from_instance(self, obj: Organisation) -> str:
        """Return the present name, with the former names in brackets."""
        return choice_label(obj)
