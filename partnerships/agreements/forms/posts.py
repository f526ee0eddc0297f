"""Forms about posts: who holds them and how to reach them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.agreements.models import Holder, PostRole
from partnerships.agreements.services import ContactDetails
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import DayField, Form, Helper
from partnerships.people.models import User


class PostHolderForm(Form):
    """Choose the holder of a post, the first day, and how to reach the holder."""

    person = forms.ModelChoiceField(
        label="Who holds the post?",
        queryset=User.objects.none(),
        required=False,
        empty_label="A person without an account",
    )
    name = forms.CharField(
        label="Name, if they have no account",
        required=False,
        max_length=150,
        help_text="A signatory without an account can only sign on paper. One of your leads can sign here instead.",
    )
    email = forms.EmailField(
        label="Email address",
        required=False,
        max_length=254,
        help_text="If they have an account, fill this in only if partners should use a different address.",
    )
    phone = forms.CharField(
        label="Phone", required=False, max_length=40, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    working_days = forms.CharField(
        label="Working days", required=False, max_length=100, help_text="For example, Monday to Wednesday."
    )
    note = forms.CharField(label="Note", required=False, max_length=300, help_text="For example, call before noon.")
    starts_on = DayField(label="From", required=False, help_text="Leave this empty to start today.")
    reason = forms.CharField(label="Reason", max_length=300, help_text="Your partners can read this.")

    #: Fields that say how to reach the holder.
    CONTACT = ("name", "email", "phone", "working_days", "note")

    def __init__(
        self, *args: Any, people: QuerySet[User], cancel: str, submit: str = "Save holder", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        model_choice_field(self, "person").queryset = people
        self.helper = Helper(self, submit=submit, cancel=cancel)

    def fill_post_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments for the service `fill_post`. The form must be valid."""
        data = self.cleaned_data
        contact = ContactDetails(**{name: data[name] for name in self.CONTACT})
        return {"person": data["person"], "contact": contact, "starts_on": data["starts_on"], "reason": data["reason"]}


class PostForm(PostHolderForm):
    """Add a post with its first holder, or a vacant post."""

    role = forms.ChoiceField(label="What is the post for?")
    title = forms.CharField(
        label="Title of the post", required=False, max_length=150, help_text="For example, Head of housing strategy."
    )
    field_order = ("role", "title")

    def __init__(self, *args: Any, post_roles: Sequence[PostRole], **kwargs: Any) -> None:
        super().__init__(*args, submit="Add post", **kwargs)
        choice_field(self, "role").choices = [("", "Choose a role"), *((role.value, role.label) for role in post_roles)]
        model_choice_field(self, "person").empty_label = "Nobody yet, or a person without an account"
        # A vacant post needs no reason. If a holder is chosen, the service `fill_post` checks that there is a reason.
        self.fields["reason"].required = False
        self.fields["reason"].help_text = "You must enter a reason if you name a person. Your partners can read this."

    @property
    def is_vacant(self) -> bool:
        """Return whether the form names no holder. The form must be valid."""
        return self.cleaned_data["person"] is None and not self.cleaned_data["name"]


class ContactForm(Form):
    """Change the contact details of the holder of a post."""

    name = forms.CharField(label="Name", max_length=150)
    email = forms.EmailField(label="Email address", required=False, max_length=254)
    phone = forms.CharField(
        label="Phone", required=False, max_length=40, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    working_days = forms.CharField(label="Working days", required=False, max_length=100)
    note = forms.CharField(label="Note", required=False, max_length=300)

    def __init__(self, *args: Any, holder: Holder, cancel: str, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {name: getattr(holder, name) for name in PostHolderForm.CONTACT})
        super().__init__(*args, **kwargs)
        # A person with an account changes their name on their own page.
        if holder.person_id is not None:
            del self.fields["name"]
            email = self.fields["email"]
            email.help_text = "Fill this in only if partners should use a different address from your account’s."
        self.helper = Helper(self, submit="Save contact details", cancel=cancel)

    def contact(self) -> ContactDetails:
        """Return the contact details for the service `change_contact`. The form must be valid."""
        return ContactDetails(**self.cleaned_data)
