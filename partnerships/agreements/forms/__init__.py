"""Forms for partnerships: they validate shape; services validate the rest."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from partnerships.agreements.models import (
    CONTACT_DAYS,
    Audience,
    Partnership,
    PartnershipKind,
    Party,
    PartyRole,
    Status,
)
from partnerships.kit import forms as kit
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import FindSelectMultiple, Form, Helper
from partnerships.kit.uploads import ACCEPT, MAX_BYTES, MEGABYTE
from partnerships.organisations.choices import OrganisationField
from partnerships.organisations.models import Area, AreaKind, Organisation, OrganisationQuerySet
from partnerships.organisations.naming import with_former_names

#: Help text of each role (docs/rights.md).
ROLE_WORDS = {
    PartyRole.CHAIR: "Chair: speaks for the partnership, invites organisations, changes settings and status",
    PartyRole.LEAD: "Lead: can do the same as the chair",
    PartyRole.MEMBER: "Member: takes part, drafts and signs the terms, gets asks and offers",
    PartyRole.OBSERVER: "Observer: reads and comments, but gets no asks or offers and never signs",
}


class PartnershipFilter(Form):
    """Filters of the list of partnerships."""

    q = forms.CharField(label="Title or organisation", required=False, max_length=200)
    kind = forms.ChoiceField(
        label="Kind", required=False, choices=lambda: [("", "Any kind"), *PartnershipKind.all_choices()]
    )
    status = forms.ChoiceField(label="Status", required=False, choices=[("", "Any status"), *Status.choices])
    mine = forms.BooleanField(label="Only partnerships that we take part in", required=False)
    gaps = forms.BooleanField(label="Only partnerships with days without cover", required=False)


def _areas() -> forms.ModelMultipleChoiceField[Area]:
    return forms.ModelMultipleChoiceField(
        label="Areas",
        required=False,
        queryset=Area.objects.exclude(kind=AreaKind.NATION).order_by("name", "code"),
        widget=FindSelectMultiple,
    )


class StartForm(Form):
    """Open a partnership; the terms come later."""

    organisation = OrganisationField(
        label="For which organisation?", queryset=Organisation.objects.none(), empty_label=None
    )
    title = forms.CharField(label="Title", max_length=200)
    kind = forms.ChoiceField(label="Kind", choices=PartnershipKind.choices)
    purpose = forms.CharField(
        label="Purpose",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="What the partners want to achieve together.",
    )
    areas = _areas()
    audience = forms.ChoiceField(
        label="Who else can see it?", choices=Audience.choices, initial=Audience.PARTIES, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, organisations: QuerySet[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = model_choice_field(self, "organisation")
        field.queryset = organisations
        if organisations.count() == 1:
            field.initial = organisations.get()
            field.widget = forms.HiddenInput()
        self.helper = Helper(self, submit="Start partnership", cancel=reverse("agreements:list"))


class SettingsForm(Form):
    """What can be changed without signatures, with the reason."""

    title = forms.CharField(label="Title", max_length=200)
    kind = forms.ChoiceField(label="Kind")
    areas = _areas()
    audience = forms.ChoiceField(label="Who else can see it?", choices=Audience.choices, widget=forms.RadioSelect)
    contact_days = forms.IntegerField(
        label="How many days can pass without a conversation?",
        required=False,
        min_value=CONTACT_DAYS[0],
        max_value=CONTACT_DAYS[-1],
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
    )
    reason = forms.CharField(label="Why", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, partnership: Partnership, **kwargs: Any) -> None:
        now = {
            "title": partnership.title,
            "kind": partnership.kind_id,
            "areas": partnership.areas.all(),
            "audience": partnership.audience,
            "contact_days": partnership.contact_days,
        }
        kwargs.setdefault("initial", now)
        super().__init__(*args, **kwargs)
        kind = choice_field(self, "kind")
        kind.choices = PartnershipKind.choices(keep=[partnership.kind_id])
        if partnership.status not in (Status.EXPLORING, Status.DRAFTING):
            del self.fields["kind"]  # terms were sent for signature with it
        self.fields["contact_days"].help_text = (
            "After that, the partners see that it has gone quiet. "
            f"Leave this empty for the default: {settings.NO_CONTACT_DAYS} days."
        )
        self.helper = Helper(self, submit="Save settings", cancel=partnership.get_absolute_url())


class InviteForm(Form):
    """Choose an organisation from the search results, and its role."""

    organisation = OrganisationField(
        label="Which organisation?", queryset=Organisation.objects.none(), widget=forms.RadioSelect, empty_label=None
    )
    role = forms.ChoiceField(
        label="Which role?", choices=list(ROLE_WORDS.items()), widget=forms.RadioSelect, initial=PartyRole.MEMBER
    )
    reason = forms.CharField(
        label="Why",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The parties can read this in the history.",
    )

    def __init__(self, *args: Any, found: OrganisationQuerySet, partnership: Partnership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_choice_field(self, "organisation").queryset = with_former_names(found)
        self.helper = Helper(
            self,
            submit="Invite organisation",
            cancel=reverse("agreements:members", kwargs={"pk": partnership.pk}),
        )


class AnswerForm(Form):
    """Accept or decline an invitation."""

    answer = forms.ChoiceField(
        label="Does your organisation take part?",
        choices=[("accept", "Yes, we accept"), ("decline", "No, we decline")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The partners can read this. You must give a reason if you decline.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send answer")


class RoleForm(Form):
    """Role of an organisation in a partnership."""

    role = forms.ChoiceField(
        label="Which role does the organisation have in the partnership?",
        choices=list(ROLE_WORDS.items()),
        widget=forms.RadioSelect,
    )

    reason = forms.CharField(label="Why", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, party: Party, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"role": party.role})
        super().__init__(*args, **kwargs)
        back = reverse("agreements:members", kwargs={"pk": party.partnership_id})
        self.helper = Helper(self, submit="Save", cancel=back)


class ReasonForm(kit.ReasonForm):
    """A reason."""

    danger = True
    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class StatusForm(Form):
    """The next status and the reason."""

    status = forms.ChoiceField(label="What is the new status?", widget=forms.RadioSelect)
    reason = forms.CharField(label="Why", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, partnership: Partnership, is_renewed: bool, **kwargs: Any) -> None:
        """With `is_renewed`, a successor exists already."""
        super().__init__(*args, **kwargs)
        field = choice_field(self, "status")
        #: Statuses that people choose; it becomes agreed and renewed by itself.
        self.offered = [step for step in partnership.next_statuses if step not in (Status.AGREED, Status.RENEWED)]
        steps = [(step.value, step.label) for step in self.offered]
        if partnership.state in (Status.UNDER_REVIEW, Status.ENDED) and not is_renewed:
            steps.insert(0, ("renew", "Renew it: draft a successor with new terms"))
            self.fields["title"] = forms.CharField(
                label="Title of the successor",
                required=False,
                max_length=200,
                help_text=f"Only if you renew it. If you leave this empty, it is “{partnership.title}”.",
            )
        field.choices = steps
        self.helper = Helper(self, submit="Change status", cancel=partnership.get_absolute_url())


class DocumentForm(Form):
    """Upload a document."""

    title = forms.CharField(
        label="Title", required=False, max_length=200, help_text="If you leave this empty, we use the file name."
    )
    file = forms.FileField(
        label="File",
        help_text=(
            f"PDF, Word, Excel, PowerPoint, OpenDocument, PNG, JPEG, CSV or text, up to {MAX_BYTES // MEGABYTE} MB."
        ),
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
    )

    personal_data = forms.BooleanField(
        label="It holds personal data",
        required=False,
        help_text="It can then be opened only while a signed data-sharing agreement between the parties is in force.",
    )

    def __init__(self, *args: Any, partnership: Partnership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        back = reverse("agreements:documents", kwargs={"pk": partnership.pk})
        self.helper = Helper(self, submit="Add document", cancel=back)
