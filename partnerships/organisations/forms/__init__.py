"""Forms of organisations and memberships. The forms check the format of the data; services check the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.forms.models import ModelChoiceIterator
from django.urls import reverse

from partnerships.kit import forms as kit
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.compiled import rows_composed_once
from partnerships.kit.forms import Form, Helper
from partnerships.kit.record_fields import RecordSelect
from partnerships.organisations.duplicates import organisations_with_similar_name
from partnerships.organisations.models import (
    Area,
    AreaKind,
    Kind,
    Membership,
    Organisation,
    Role,
)
from partnerships.organisations.owned import OwnedGroup
from partnerships.organisations.services import sign_in_refusal
from partnerships.people.identity_providers import provider_choices
from partnerships.people.models import User

#: The labels of the roles in forms that choose a role (docs/rights.md).
ROLE_LABELS = {
    Role.VIEWER: "Viewer: reads, comments and follows",
    Role.EDITOR: "Editor: also writes asks, offers, plans, conversations and reports of progress",
    Role.LEAD: "Lead: also acts on behalf of the organisation by publishing, signing off, answering invitations and "
    "inviting colleagues",
}


def _regions() -> QuerySet[Area, tuple[int, str]]:
    """Return the ids and names of the regions, by name."""
    return Area.objects.filter(kind=AreaKind.REGION).order_by("name").values_list("pk", "name")


class _RegionIterator(ModelChoiceIterator[Area]):
    """The choices of a region.

    Only ids and names are read, with SQL that is composed once. Django would read all fields of each region.
    """

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        yield "", self.field.empty_label
        yield from rows_composed_once("regions to choose", _regions, [])


class _RegionField(forms.ModelChoiceField[Area]):
    """A field to choose a region by its name."""

    iterator = _RegionIterator


def _areas() -> QuerySet[Area]:
    """Return the areas that are no regions, by name."""
    return Area.objects.exclude(kind=AreaKind.REGION).order_by("name", "code")


class _AreaSelect(RecordSelect):
    """A select of an area. Its SQL is composed once, because everybody chooses from the same areas."""

    def first_records(self, limit: int) -> list[tuple[int, str]]:
        """Return the ids and names of the first areas, at most `limit`."""
        return rows_composed_once(("areas to choose", limit), lambda: _areas().values_list("pk", "name")[:limit], [])


class DirectoryFilter(Form):
    """The form with the filters of the list of organisations."""

    q = forms.CharField(label="Name or number", required=False, max_length=200, strip=True)
    region = _RegionField(
        label="Region",
        required=False,
        queryset=Area.objects.filter(kind=AreaKind.REGION).order_by("name"),
        empty_label="Any region",
    )
    area = forms.ModelChoiceField(
        label="Area served",
        required=False,
        queryset=_areas(),
        empty_label="Any area",
        widget=_AreaSelect(named_by="name"),
    )
    mine = forms.BooleanField(label="Only organisations I act for", required=False)
    ended = forms.BooleanField(label="Include organisations that have ended", required=False)


class InviteForm(Form):
    """The form that invites a person to act for an organisation. Only administrators must give a reason."""

    email = forms.EmailField(label="Work email address", max_length=254)
    name = forms.CharField(label="Name", required=False, max_length=150)
    job_title = forms.CharField(label="Job title", required=False, max_length=150)
    role = forms.ChoiceField(
        label="What can this person do?",
        choices=list(ROLE_LABELS.items()),
        widget=forms.RadioSelect,
    )
    message = forms.CharField(
        label="Message to send with the invitation",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    reason = forms.CharField(
        label="Why are you, as an administrator, inviting this person?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="We email the reason to the organisation’s leads, or to the other administrators if the "
        "organisation has no lead.",
    )

    def __init__(
        self, *args: Any, organisation: Organisation, by_administrator: bool, role: str, **kwargs: Any
    ) -> None:
        reason = "The first lead of the organisation." if role == Role.LEAD else ""
        kwargs.setdefault("initial", {"role": role, "reason": reason})
        super().__init__(*args, **kwargs)
        if not by_administrator:
            del self.fields["reason"]
        people_url = reverse("organisations:people", kwargs={"pk": organisation.pk})
        self.helper = Helper(self, submit="Send invitation", cancel=people_url)


class MembershipForm(Form):
    """The form for the role and job title of a membership. Only administrators must give a reason."""

    role = forms.ChoiceField(
        label="What can this person do?", choices=list(ROLE_LABELS.items()), widget=forms.RadioSelect
    )
    job_title = forms.CharField(label="Job title", required=False, max_length=150)

    reason = forms.CharField(
        label="Why are you, as an administrator, changing the role?",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="We will email the reason to the person and to the organisation’s leads.",
    )

    def __init__(self, *args: Any, membership: Membership, by_administrator: bool, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"role": membership.role, "job_title": membership.job_title})
        super().__init__(*args, **kwargs)
        if not by_administrator:
            del self.fields["reason"]
        people_url = reverse("organisations:people", kwargs={"pk": membership.organisation_id})
        self.helper = Helper(self, submit="Save changes", cancel=people_url)


class ReasonForm(kit.ReasonForm):
    """The form that confirms an action with a reason."""

    danger = True
    reason = forms.CharField(label="Reason", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class EndForm(ReasonForm):
    """The form that ends a membership, with a reason and the colleague who takes over."""

    successor = forms.ModelChoiceField(
        label="Who takes over their work?",
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody yet",
    )

    def __init__(self, *args: Any, successors: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_choice_field(self, "successor").queryset = successors


class AcceptForm(Form):
    """The form in which a person accepts an invitation; people without an account enter a name and a password."""

    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label="Choose a password",
        max_length=200,
        strip=False,
        help_text=(
            "At least 12 characters. Three random words work well. You can paste the password from a password manager."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"name": membership.person.name})
        super().__init__(*args, **kwargs)
        if not membership.person.is_stakeholder:
            del self.fields["name"], self.fields["password"]
        self.helper = Helper(self, submit="Accept invitation")


class SettingsForm(Form):
    """The form for the settings that a lead may change. Names and identifiers come from registers."""

    short_name = forms.CharField(label="Short name", required=False, max_length=120)
    website = forms.URLField(label="Website", required=False, max_length=500, assume_scheme="https")
    second_factor_required = forms.BooleanField(
        label="Everyone who acts for us must use a second factor",
        required=False,
        help_text="People will need a passkey, a security key or an authenticator app, besides their password.",
    )
    own_sign_in_required = forms.BooleanField(
        label="Everyone who acts for us must sign in through our own sign-in page",
        required=False,
        help_text=(
            "A lead must have signed in through that page first. We will sign everyone else out, and their passwords "
            "will stop working. Leads can use their passwords for another 24 hours, so that you can undo this if the "
            "page fails."
        ),
    )

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {name: getattr(organisation, name) for name in self.base_fields})
        super().__init__(*args, **kwargs)
        if not organisation.sign_in_provider:
            del self.fields["own_sign_in_required"]
        self.helper = Helper(
            self,
            submit="Save organisation details",
            cancel=reverse("organisations:detail", kwargs={"pk": organisation.pk}),
        )


class AccessRequestForm(Form):
    """The form that asks for access to an organisation. A signed-in person's name and address are filled in.

    `organisation_name` is the name for which the person searched in the directory.
    """

    organisation_name = forms.CharField(label="Name of your organisation", max_length=300)
    kind = forms.ChoiceField(label="Kind", choices=[("", "Choose a kind"), *Kind.choices])
    number = forms.CharField(
        label="A number that identifies your organisation",
        required=False,
        max_length=80,
        help_text="For example, the registration number with the Regulator of Social Housing, or the company number.",
    )
    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="Your work email address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    job_title = forms.CharField(label="Job title", required=False, max_length=150)
    message = forms.CharField(
        label="Anything else that helps us answer",
        required=False,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, person: User | None, organisation_name: str, **kwargs: Any) -> None:
        initial = {"name": person.name, "email": person.email} if person else {}
        kwargs.setdefault("initial", {"organisation_name": organisation_name, **initial})
        super().__init__(*args, **kwargs)
        if person is not None:
            for field, value in initial.items():
                self.fields[field].disabled = bool(value)
        cancel_url = reverse("organisations:list") if person else "/"
        self.helper = Helper(self, submit="Ask an administrator", cancel=cancel_url)


def record_choices(group: OwnedGroup) -> list[tuple[str, str]]:
    """Return the records of a group as choices to tick, each with the record to which it belongs, if any."""
    choices = []
    for record in group.records:
        label = f"{record.title} ({record.within})" if record.within else record.title
        choices.append((str(record.pk), label))
    return choices


class HandOverForm(Form):
    """The form that hands over records of one kind to a person, with a reason."""

    #: The code of the kind. The page has several forms, and only the submitted form's data contain this field.
    kind = forms.CharField(widget=forms.HiddenInput)
    records = forms.MultipleChoiceField(
        label="What",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Tick what to hand over.",
            "invalid_choice": "Another person has already handed over some of the records you ticked. Reload the page "
            "to see what is left.",
        },
    )
    to = forms.ModelChoiceField(
        label="Who takes over?",
        queryset=User.objects.none(),
        empty_label="Choose a person",
        error_messages={"required": "Choose who takes over."},
    )
    reason = forms.CharField(label="Reason", max_length=300)

    def __init__(self, *args: Any, group: OwnedGroup, people: QuerySet[User], **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"kind": group.kind.code, "records": [str(record.pk) for record in group.records]})
        kwargs["prefix"] = group.kind.code
        super().__init__(*args, **kwargs)
        records = choice_field(self, "records")
        records.label = group.kind.label
        records.choices = record_choices(group)
        model_choice_field(self, "to").queryset = people
        self.helper = Helper(self, submit="Hand over records")


def _sign_in_pages() -> list[tuple[str, str]]:
    """Return the choices of an organisation's own sign-in page, read again for each form."""
    return [("", "None: people sign in with their email address and password"), *provider_choices()]


class CorrectionForm(forms.ModelForm[Any], Form):
    """Base class of admin forms that correct the directory, with a reason that the history shows."""

    reason = forms.CharField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The organisation’s history shows this reason. Name the email, register or order that supports your "
        "change.",
    )


class OrganisationAdminForm(CorrectionForm):
    """The admin form that corrects an organisation and the rules for how its people sign in.

    `OrganisationAdmin` adds the model's other fields. This form declares only the fields that the model lacks or that
    need choices.
    """

    sign_in_provider = forms.ChoiceField(
        label="Own sign-in page",
        required=False,
        choices=_sign_in_pages,
        help_text=(
            "People in this organisation can then sign in through the page you choose, and passwords keep working. Set "
            "up sign-in pages under “Social applications”."
        ),
    )
    is_another = forms.BooleanField(
        label="This is a different organisation",
        required=False,
        help_text="Tick this to add the organisation even though the directory has one with a similar name.",
    )
    own_sign_in_required = forms.BooleanField(
        label="People in this organisation must sign in through its own sign-in page",
        required=False,
        help_text="A lead must have signed in through that sign-in page first. Passwords then stop working, for leads "
        "after 24 hours.",
    )

    class Meta:
        model = Organisation
        fields = ("sign_in_provider",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = self.instance.pk is not None
        self.fields["own_sign_in_required"].initial = self.instance.own_sign_in_required

    def clean(self) -> dict[str, Any]:
        """Check the sign-in settings and, for a new organisation, that it is not a duplicate."""
        data = super().clean() or {}
        self._check_sign_in(data)
        self._check_duplicates(data)
        return data

    def _check_sign_in(self, data: dict[str, Any]) -> None:
        """Add an error if the organisation cannot have these sign-in settings."""
        # The stored settings, which are compared with the new settings; an empty organisation if a new one is added.
        saved_organisation = Organisation.objects.get(pk=self.instance.pk) if self.instance.pk else Organisation()
        refusal = sign_in_refusal(
            saved_organisation,
            provider=data.get("sign_in_provider", ""),
            required=data.get("own_sign_in_required", False),
        )
        if refusal:
            self.add_error("own_sign_in_required", refusal)

    def _check_duplicates(self, data: dict[str, Any]) -> None:
        """Add an error if the directory has a similar name, unless the box for a different body is ticked."""
        is_new = self.instance.pk is None
        if not is_new or data.get("is_another"):
            return
        similar_organisations = organisations_with_similar_name(data.get("name", ""))
        if similar_organisations:
            names = ", ".join(organisation.name for organisation in similar_organisations)
            self.add_error(
                "is_another",
                f"The directory has a similar name: {names}. If this is a different organisation, tick the box.",
            )
