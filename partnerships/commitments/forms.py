"""Forms for commitments: they validate shape; services validate the rest."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment, Kind, Status, Unit
from partnerships.commitments.quantities import delivered_words, plain_number
from partnerships.commitments.queries import partners_of, people_who_may_own
from partnerships.commitments.rights import Rights
from partnerships.commitments.services.delivery import exceeds
from partnerships.commitments.services.reminders import LONGEST_LEAD_TIME
from partnerships.kit.forms import AutocompleteSelect, DayField, Form, Helper, Section
from partnerships.kit.uploads import ACCEPT
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, Role
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User

_QUANTITY = forms.NumberInput(
    attrs={"class": "govuk-input--width-10", "inputmode": "decimal", "step": "any", "min": "0"}
)


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """Choice of a person, shown with the organisations they act for."""

    def label_from_instance(self, obj: Any) -> str:
        """`Ben West, Westmarch Borough Council`."""
        bodies = [membership.organisation.display_name for membership in obj.current_memberships]
        return ", ".join([obj.display_name, *bodies])


def with_bodies(people: QuerySet[User]) -> QuerySet[User]:
    """People with the memberships that `PersonField` shows."""
    current = Membership.objects.current().select_related("organisation").order_by("organisation__name", "pk")
    return people.prefetch_related(Prefetch("memberships", queryset=current, to_attr="current_memberships"))


class TermsForm(Form):
    """The terms: what is promised, how much, by whom and when."""

    text = forms.CharField(
        label="What is promised",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        help_text="In words both sides would use, so that nobody can doubt later what was meant.",
    )
    quantity = forms.DecimalField(
        label="Quantity",
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        widget=_QUANTITY,
        help_text="A number where something can be counted, such as 60. It can then be delivered in parts.",
    )
    unit = forms.ChoiceField(label="Of what", required=False, choices=[("", "Nothing counted"), *Unit.choices])
    owner = PersonField(
        label="Who sees it through",
        queryset=User.objects.none(),
        required=False,
        widget=AutocompleteSelect,
        help_text="Somebody of the organisation that gives. It can be named later, when that organisation confirms.",
    )
    due_on = DayField(label="Due date")

    def clean(self) -> dict[str, Any]:
        """Require a unit with a number."""
        cleaned = super().clean() or {}
        if cleaned.get("quantity") is not None and not cleaned.get("unit"):
            self.add_error("unit", "Choose what the number counts")
        return cleaned


class ProposeForm(TermsForm):
    """A new commitment between two organisations; the author edits for one."""

    giver = forms.ModelChoiceField(label="Who gives", queryset=Organisation.objects.none(), widget=AutocompleteSelect)
    receiver = forms.ModelChoiceField(
        label="Who receives", queryset=Organisation.objects.none(), widget=AutocompleteSelect
    )
    partnership = forms.ModelChoiceField(
        label="Partnership it belongs to",
        queryset=Partnership.objects.none(),
        required=False,
        empty_label="None",
        help_text="People of all its parties will see this commitment. Without one, only the two organisations do.",
    )
    confirm = forms.BooleanField(
        label="Confirm it for my organisation now",
        required=False,
        help_text="You can, as a lead. The other side is then the only one that has still to confirm.",
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        user: User,
        extra: tuple[Organisation, ...] = (),
        pair: tuple[Organisation, ...] = (),
        cancel: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        bodies = partners_of(user)
        if pair:
            bodies = Organisation.objects.filter(pk__in=[body.pk for body in pair]).order_by("name", "pk")
        elif extra:
            bodies = Organisation.objects.filter(
                Q(pk__in=bodies.values("pk")) | Q(pk__in=[body.pk for body in extra])
            ).order_by("name", "pk")
        giver = (kwargs.get("initial") or {}).get("giver")
        # If the origin fixes the giver, only the giver's people can be the owner.
        givers = bodies.filter(pk=giver.pk) if pair and giver else bodies
        current = Membership.objects.current().filter(organisation__in=givers.values("pk"))
        leads = Organisation.objects.of_person(user, Role.LEAD).exists()
        self.body("giver").queryset = bodies
        self.body("receiver").queryset = bodies
        self.body("partnership").queryset = (
            Partnership.objects.present_for(user, *EDITING_ROLES).live().order_by("title", "pk")
        )
        self.body("owner").queryset = with_bodies(
            User.objects.filter(pk__in=current.values("person")).order_by("name", "pk")
        )
        self.fields["key"].initial = uuid.uuid4
        if not leads:
            del self.fields["confirm"]
        self.helper = Helper(
            self,
            Section("Between whom", "giver", "receiver", "partnership"),
            Section("What is promised", "text", "quantity", "unit"),
            Section("By whom and when", "owner", "due_on", *(("confirm",) if leads else ())),
            submit="Propose this commitment",
            cancel=cancel or reverse("commitments:list"),
        )

    def body(self, name: str) -> forms.ModelChoiceField[Any]:
        """One of the fields that choose a record."""
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        return field

    def clean(self) -> dict[str, Any]:
        """Require two different organisations, and that the author edits for one.

        Only a lead may confirm at once.
        """
        cleaned = super().clean()
        giver, receiver = cleaned.get("giver"), cleaned.get("receiver")
        if giver is None or receiver is None:
            return cleaned
        if giver == receiver:
            self.add_error("receiver", "Choose another organisation than the one that gives")
            return cleaned
        roles = roles_of(self._user, timezone.now())
        own = next((one for one in (giver, receiver) if roles.edit_for(one.pk)), None)
        if own is None:
            self.add_error("giver", "Choose an organisation that you edit for as the one that gives or receives")
        elif cleaned.get("confirm") and not roles.lead(own.pk):
            self.add_error("confirm", f"Only a lead of {own.display_name} can confirm this")
        return cleaned


class EditTermsForm(TermsForm):
    """Change the terms of a proposed commitment."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if commitment.giver is not None:
            self.fields["owner"] = _owner_field(commitment.giver, required=False)
        self.fields["revision"].initial = commitment.revision
        self.helper = Helper(
            self,
            Section("What is promised", "text", "quantity", "unit"),
            Section("By whom and when", "owner", "due_on"),
            submit="Save the terms",
            cancel=commitment.get_absolute_url(),
        )


class ConfirmForm(Form):
    """A lead's confirmation of the terms."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, commitment: Commitment, organisation: Organisation, giving: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revision"].initial = commitment.revision
        if giving and not commitment.is_action:
            self.fields["owner"] = _owner_field(organisation, required=True)
            self.fields["owner"].initial = commitment.owner_id
        self.helper = Helper(
            self,
            submit=f"Confirm for {organisation.display_name}",
            cancel=commitment.get_absolute_url(),
        )


class ProgressForm(Form):
    """A progress report."""

    delivered = forms.DecimalField(
        label="Delivered so far, in all", required=False, min_value=0, max_digits=14, decimal_places=2, widget=_QUANTITY
    )
    more = forms.BooleanField(
        label="Yes, more was delivered than was promised",
        required=False,
        help_text="Say in the note why. Otherwise correct the figure.",
    )
    status = forms.ChoiceField(
        label="How it stands",
        widget=forms.RadioSelect,
        choices=[
            (Status.IN_PROGRESS.value, "In progress, going as agreed"),
            (Status.AT_RISK.value, "At risk: it may not be kept in time"),
            (Status.BLOCKED.value, "Blocked: it cannot go on"),
            (Status.DONE.value, "Done: all of it is delivered"),
        ],
    )
    blocker = forms.CharField(
        label="What stands in the way",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed when it is blocked. Name the cause, and who could remove it.",
    )
    note_text = forms.CharField(label="Note", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))
    evidence = forms.FileField(
        label="Evidence",
        required=False,
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        help_text="A document or picture that shows what was delivered, up to 10 MB.",
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, commitment: Commitment, seen: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = seen
        self.commitment = commitment
        if commitment.quantity is None:
            del self.fields["delivered"]
        else:
            field = self.fields["delivered"]
            field.required = True
            field.initial = plain_number(commitment.delivered_quantity)
            field.help_text = f"Of {commitment.quantity_words}. Give the total, not what was added."
        if commitment.status in (Status.AT_RISK, Status.BLOCKED):
            self.fields["status"].initial = commitment.status
            self.fields["blocker"].initial = commitment.blocker
        if not self._is_more():
            del self.fields["more"]
        self.helper = Helper(self, submit="Report this progress", cancel=commitment.get_absolute_url())

    def _is_more(self) -> bool:
        """Whether the reported amount is above the promised one.

        It may be a slip, so the form asks for a tick.
        """
        if "delivered" not in self.fields or not self.is_bound:
            return False
        try:
            return exceeds(self.commitment, self.fields["delivered"].clean(self.data.get("delivered", "")))
        except ValidationError:
            return False

    def clean(self) -> dict[str, Any]:
        """Require a blocker if blocked; above the promise, a tick and a reason."""
        cleaned = super().clean() or {}
        if "more" in self.fields:
            words = delivered_words(cleaned["delivered"], self.commitment.quantity, self.commitment.unit)
            if not cleaned.get("more"):
                self.add_error("more", f"{words} is more than was promised. Tick this if it is right")
            if not cleaned.get("note_text", "").strip():
                self.add_error("note_text", "Say why more was delivered than was promised")
        if cleaned.get("status") == Status.BLOCKED and not cleaned.get("blocker", "").strip():
            self.add_error("blocker", "Name what stands in the way")
        return cleaned


class DueDateForm(Form):
    """A new due date and the reason."""

    due_on = DayField(label="New due date")
    reason = forms.CharField(
        label="Why the date moves",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The other side sees it. The first date and every later one are kept.",
    )

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Move the due date", cancel=commitment.get_absolute_url())


class OwnerForm(Form):
    """Choose another owner."""

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"] = _owner_field(commitment.owner_organisation, required=True)
        self.fields["owner"].initial = commitment.owner_id
        self.helper = Helper(self, submit="Change the owner", cancel=commitment.get_absolute_url())


class EscalateForm(Form):
    """Choose who to escalate to."""

    reason = forms.CharField(label="What you need from them", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, commitment: Commitment, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = PersonField(
            label="Who should help",
            queryset=with_bodies(people.order_by("name", "pk")),
            widget=AutocompleteSelect,
            help_text="Anybody who may see this commitment. They get an email, and find it in their work.",
        )
        self.fields = {"person": person, **self.fields}
        self.helper = Helper(self, submit="Escalate", cancel=commitment.get_absolute_url())


class VerifyForm(Form):
    """The receiver's answer: delivered, or not yet."""

    verdict = forms.ChoiceField(
        label="Has it arrived?",
        widget=forms.RadioSelect,
        choices=[("verified", "Yes, all of it is delivered"), ("missing", "Not yet: something is missing")],
    )
    note_text = forms.CharField(
        label="Note",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed when something is missing: say what.",
    )

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Give this answer", cancel=commitment.get_absolute_url())

    def clean(self) -> dict[str, Any]:
        """Require a reason when something is missing."""
        cleaned = super().clean() or {}
        if cleaned.get("verdict") == "missing" and not cleaned.get("note_text", "").strip():
            self.add_error("note_text", "Say what is missing")
        return cleaned


class EndForm(Form):
    """The reason for ending a commitment."""

    reason = forms.CharField(
        label="Reason",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The other side sees it, and it stays in the record.",
    )

    def __init__(self, *args: Any, commitment: Commitment, rights: Rights, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = "Cancel this commitment"
        if commitment.is_proposed:
            words = "Decline this proposal" if rights.may_confirm else "Withdraw this proposal"
        self.helper = Helper(
            self, submit=words, cancel=commitment.get_absolute_url(), cancel_words="Keep it", danger=True
        )


class EvidenceForm(Form):
    """Upload a file of evidence."""

    title = forms.CharField(label="What it shows", max_length=200)
    file = forms.FileField(
        label="File",
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        help_text="A document or picture, up to 10 MB. Everybody who sees the commitment can download it.",
    )

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Attach the file", cancel=commitment.get_absolute_url())


class RemindersForm(Form):
    """How many days before the due date to send reminders."""

    CHOICES = (
        (60, "60 days before"),
        (30, "30 days before"),
        (14, "14 days before"),
        (7, "7 days before"),
        (3, "3 days before"),
        (1, "the day before"),
        (0, "on the day"),
    )
    days = forms.TypedMultipleChoiceField(
        label="Remind me of what I have to deliver",
        coerce=int,
        required=False,
        choices=CHOICES,
        widget=forms.CheckboxSelectMultiple,
        help_text="One email for each commitment and each choice. Choose none to get no reminders.",
    )
    other = forms.IntegerField(
        label="Another number of days before",
        required=False,
        min_value=0,
        max_value=LONGEST_LEAD_TIME,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save these reminders", cancel=reverse("commitments:list"))

    @property
    def chosen(self) -> list[int]:
        """The days chosen; needs a valid form."""
        other = self.cleaned_data["other"]
        return [*self.cleaned_data["days"], *([] if other is None else [other])]


class FilterForm(Form):
    """Filters of the list of commitments."""

    SIDES = (("", "Given or received"), ("given", "We give"), ("received", "We receive"), ("mine", "I see through"))
    STANDING = (
        ("", "Any standing"),
        ("proposed", "Proposed"),
        ("open", "To be kept"),
        ("overdue", "Overdue"),
        ("risk", "At risk or blocked"),
        ("done", "Done, to be verified"),
        ("verified", "Verified"),
        ("ended", "Cancelled or superseded"),
    )
    words = forms.CharField(label="Words or reference", required=False, max_length=80)
    side = forms.ChoiceField(label="Side", required=False, choices=SIDES)
    standing = forms.ChoiceField(label="How it stands", required=False, choices=STANDING)
    kind = forms.ChoiceField(label="Kind", required=False, choices=[("", "Commitments and actions"), *Kind.choices])
    partnership = forms.ModelChoiceField(
        label="Partnership", required=False, queryset=Partnership.objects.none(), empty_label="Any partnership"
    )
    register = forms.ChoiceField(
        label="Where from",
        required=False,
        choices=[("", "Anywhere"), ("made", "Made here"), ("read", "Read from a published register")],
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["partnership"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Partnership.objects.inside_for(user).order_by("title", "pk")
        self.helper = Helper(self, submit="Show these", method="get")


def _owner_field(organisation: Organisation, *, required: bool) -> PersonField:
    """Field for the owner: a person of the giver."""
    return PersonField(
        label="Who sees it through",
        queryset=with_bodies(people_who_may_own(organisation)),
        required=required,
        widget=AutocompleteSelect,
        help_text=f"When they leave, {organisation.display_name} answers for it until it names somebody else.",
    )
