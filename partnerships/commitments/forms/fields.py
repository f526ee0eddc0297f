"""The form fields for a person and for the owner, which several forms use."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Prefetch, QuerySet

from partnerships.commitments.queries import possible_owners
from partnerships.kit.forms import AutocompleteSelect
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A field to choose a person, with the organisations that the person acts for in the label."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the person with their organisations, such as `Ben West, Westmarch Borough Council`."""
        names = [membership.organisation.display_name for membership in obj.current_memberships]
        return ", ".join([obj.display_name, *names])


def with_memberships(people: QuerySet[User]) -> QuerySet[User]:
    """Fetch the memberships that the labels of `PersonField` need."""
    memberships = Membership.objects.current().select_related("organisation").order_by("organisation__name", "pk")
    return people.prefetch_related(Prefetch("memberships", queryset=memberships, to_attr="current_memberships"))


def owner_field(organisation: Organisation, *, required: bool) -> PersonField:
    """Return the field to choose an owner from the people of the organisation."""
    return PersonField(
        label="Owner",
        queryset=with_memberships(possible_owners(organisation)),
        required=required,
        widget=AutocompleteSelect,
        help_text=f"If the owner leaves, {organisation.display_name} is responsible until it chooses another person.",
    )
