"""Forms to propose a commitment, edit its terms, confirm it, change its due date and end it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.forms.fields import PersonField, owner_field, with_memberships
from partnerships.commitments.models import Commitment, Unit
from partnerships.commitments.queries import partners_of
from partnerships.commitments.rights import Rights
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import AmountField, DayField, FindSelect, Form, Helper, Section
from partnerships.organisations.choices import OrganisationField
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, OrganisationQuerySet, Role
from partnerships.organisations.naming import with_former_names
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class TermsForm(Form):
    """The fields of a commitment's terms, which the forms to propose and to edit share."""

    text = forms.CharField(
        label="What is promised",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        help_text="Use words that both organisations understand.",
    )
    quantity = AmountField(
        label="Quantity",
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        help_text="If you can count it, enter a number, for example 60 or £1.8m. You can then report part deliveries.",
    )
    unit = forms.ChoiceField(label="Unit", required=False, choices=lambda: [("", "No quantity"), *Unit.choices()])
    owner = PersonField(
        label="Owner",
        queryset=User.objects.none(),
        required=False,
        widget=FindSelect,
        help_text="A person at the organisation that makes the promise. That organisation can also name the owner when "
        "it confirms.",
    )
    due_on = DayField(label="Due date")

    def clean(self) -> dict[str, Any]:
        """Require a unit if there is a quantity."""
        cleaned = super().clean() or {}
        if cleaned.get("quantity") is not None and not cleaned.get("unit"):
            self.add_error("unit", "Choose a unit for the quantity.")
        return cleaned


class ProposeForm(TermsForm):
    """The form to propose a commitment between two organisations.

    The author must be able to edit for one of the two.
    """

    giver = OrganisationField(
        label="Organisation that gives",
        queryset=Organisation.objects.none(),
        widget=FindSelect(find_by=("name", "former_names")),
    )
    receiver = OrganisationField(
        label="Organisation that receives",
        queryset=Organisation.objects.none(),
        widget=FindSelect(find_by=("name", "former_names")),
    )
    partnership = forms.ModelChoiceField(
        label="Partnership",
        queryset=Partnership.objects.none(),
        required=False,
        empty_label="None",
        help_text="Everyone in the partnership can see the commitment. With “None”, only the two organisations can.",
    )
    confirm = forms.BooleanField(
        label="Confirm for my organisation now",
        required=False,
        help_text="You can do this because you are a lead. Only the other organisation then needs to confirm.",
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        user: User,
        also_offered: tuple[Organisation, ...] = (),
        only_offered: tuple[Organisation, ...] = (),
        cancel: str = "",
        **kwargs: Any,
    ) -> None:
        """Build the form, and choose the organisations that it offers as giver and receiver.

        It offers the person's own organisations, their partners and `also_offered`. If `only_offered` is not empty, it
        offers only these.
        """
        super().__init__(*args, **kwargs)
        self._user = user
        organisations = _organisations_to_offer(user, also_offered=also_offered, only_offered=only_offered)
        for name in ("giver", "receiver"):
            model_choice_field(self, name).queryset = with_former_names(organisations)
        partnerships = Partnership.objects.with_party_of(user, *EDITING_ROLES).live()
        model_choice_field(self, "partnership").queryset = partnerships.order_by("title", "pk")

        # If the person cannot choose another giver, offer only people of this giver as the owner.
        giver = (kwargs.get("initial") or {}).get("giver")
        givers = organisations.filter(pk=giver.pk) if only_offered and giver else organisations
        model_choice_field(self, "owner").queryset = _possible_owners(givers)

        # If the form is sent twice, both have the same key, and the service creates only one commitment.
        self.fields["key"].initial = uuid.uuid4
        last_fields = ["owner", "due_on"]
        if Organisation.objects.of_person(user, Role.LEAD).exists():
            last_fields.append("confirm")
        else:
            del self.fields["confirm"]
        self.helper = Helper(
            self,
            Section("Organisations", "giver", "receiver", "partnership"),
            Section("What is promised", "text", "quantity", "unit"),
            Section("Owner and due date", *last_fields),
            submit="Propose commitment",
            cancel=cancel or reverse("commitments:list"),
        )

    def clean(self) -> dict[str, Any]:
        """Require two different organisations. The author must edit for one of them.

        Only a lead of that organisation may confirm at once.
        """
        cleaned = super().clean()
        giver, receiver = cleaned.get("giver"), cleaned.get("receiver")
        if giver is not None and giver == receiver:
            self.add_error("receiver", "Choose a different organisation from the one that gives.")
        elif giver is not None and receiver is not None:
            self._check_own_organisation(giver, receiver, confirms=bool(cleaned.get("confirm")))
        return cleaned

    def _check_own_organisation(self, giver: Organisation, receiver: Organisation, *, confirms: bool) -> None:
        """Require that the author edits for one of the two and, if they confirm at once, that they are its lead."""
        roles = roles_of(self._user, timezone.now())
        own_organisations = [organisation for organisation in (giver, receiver) if roles.may_edit_for(organisation.pk)]
        if not own_organisations:
            self.add_error("giver", "You cannot make changes for either organisation. Choose one that you can.")
            return
        # A person who edits for both proposes for the giver, as in the service.
        proposer = own_organisations[0]
        if confirms and not roles.leads(proposer.pk):
            self.add_error(
                "confirm",
                f"Only a lead of {proposer.display_name} can confirm this. Untick to let a lead confirm it later.",
            )


def _organisations_to_offer(
    user: User, *, also_offered: Sequence[Organisation], only_offered: Sequence[Organisation]
) -> OrganisationQuerySet:
    """Return the organisations that may give or receive, ordered by name."""
    if only_offered:
        only_ids = [organisation.pk for organisation in only_offered]
        return Organisation.objects.filter(pk__in=only_ids).order_by("name", "pk")
    partners = partners_of(user)
    if not also_offered:
        return partners
    other_ids = [organisation.pk for organisation in also_offered]
    return Organisation.objects.filter(Q(pk__in=partners.values("pk")) | Q(pk__in=other_ids)).order_by("name", "pk")


def _possible_owners(givers: OrganisationQuerySet) -> QuerySet[User]:
    """Return the people who act for one of these organisations, ordered by name."""
    memberships = Membership.objects.current().filter(organisation__in=givers.values("pk"))
    return with_memberships(User.objects.filter(pk__in=memberships.values("person")).order_by("name", "pk"))


class EditTermsForm(TermsForm):
    """The form to change the terms of a proposal."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unit = choice_field(self, "unit")
        unit.choices = [("", "No quantity"), *Unit.choices(keep=[commitment.unit])]
        if commitment.giver is not None:
            self.fields["owner"] = owner_field(commitment.giver, required=False)
        self.fields["revision"].initial = commitment.revision
        self.helper = Helper(
            self,
            Section("What is promised", "text", "quantity", "unit"),
            Section("Owner and due date", "owner", "due_on"),
            submit="Save terms",
            cancel=commitment.get_absolute_url(),
        )


class ConfirmForm(Form):
    """The form with which a lead confirms the terms."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, commitment: Commitment, organisation: Organisation, giving: bool, **kwargs: Any
    ) -> None:
        """Build the form to confirm for an organisation. `giving` says that it is the giver.

        The giver of a commitment also names the owner. The owner of an action is already known.
        """
        super().__init__(*args, **kwargs)
        # The revision that the lead has read. The service refuses if the terms have changed since.
        self.fields["revision"].initial = commitment.revision
        if giving and not commitment.is_action:
            self.fields["owner"] = owner_field(organisation, required=True)
            self.fields["owner"].initial = commitment.owner_id
        self.helper = Helper(
            self,
            submit=f"Confirm for {organisation.display_name}",
            cancel=commitment.get_absolute_url(),
        )


class DueDateForm(Form):
    """The form to change the due date, with a reason."""

    due_on = DayField(label="New due date")
    reason = forms.CharField(
        label="Reason for the change",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The other organisation can read this. Earlier due dates stay in the history.",
    )

    def __init__(self, *args: Any, cancel: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Change due date", cancel=cancel)


class EndForm(Form):
    """The form to end a commitment, with a reason."""

    reason = forms.CharField(
        label="Reason",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The other organisation can read this, and it stays in the history.",
    )

    def __init__(self, *args: Any, commitment: Commitment, rights: Rights, **kwargs: Any) -> None:
        """Build the form. The button says whether the person cancels, declines or withdraws."""
        super().__init__(*args, **kwargs)
        if not commitment.is_proposed:
            submit_label = "Cancel commitment"
        elif rights.may_withdraw:
            submit_label = "Withdraw proposal"
        else:
            submit_label = "Decline proposal"
        self.helper = Helper(
            self, submit=submit_label, cancel=commitment.get_absolute_url(), cancel_words="Keep commitment", danger=True
        )
