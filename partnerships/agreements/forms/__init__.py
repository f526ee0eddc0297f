"""Forms for partnerships. They check the shape of the input; services check the rules."""

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

#: What each role may do, in the words of docs/rights.md.
ROLE_DESCRIPTIONS = {
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


def _areas_field() -> forms.ModelMultipleChoiceField[Area]:
    """A field to choose areas, except the nations."""
    return forms.ModelMultipleChoiceField(
        label="Areas",
        required=False,
        queryset=Area.objects.exclude(kind=AreaKind.NATION).order_by("name", "code"),
        widget=FindSelectMultiple,
    )


class StartPartnershipForm(Form):
    """Start a partnership. Its terms are drafted later."""

    organisation = OrganisationField(
        label="Which organisation is this for?", queryset=Organisation.objects.none(), empty_label=None
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
    areas = _areas_field()
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


class PartnershipSettingsForm(Form):
    """Change the settings that need no signatures, and say why."""

    title = forms.CharField(label="Title", max_length=200)
    kind = forms.ChoiceField(label="Kind")
    areas = _areas_field()
    audience = forms.ChoiceField(label="Who else can see it?", choices=Audience.choices, widget=forms.RadioSelect)
    contact_days = forms.IntegerField(
        label="How many days can pass without a conversation?",
        required=False,
        min_value=CONTACT_DAYS[0],
        max_value=CONTACT_DAYS[-1],
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
    )
    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, partnership: Partnership, **kwargs: Any) -> None:
        current_values = {
            "title": partnership.title,
            "kind": partnership.kind_id,
            "areas": partnership.areas.all(),
            "audience": partnership.audience,
            "contact_days": partnership.contact_days,
        }
        kwargs.setdefault("initial", current_values)
        super().__init__(*args, **kwargs)
        if partnership.status in (Status.EXPLORING, Status.DRAFTING):
            choice_field(self, "kind").choices = PartnershipKind.choices(keep=[partnership.kind_id])
        else:
            # Terms of this kind have been sent for signature.
            del self.fields["kind"]
        self.fields["contact_days"].help_text = (
            "After that, we tell the partners that the partnership has gone quiet. Leave this empty to use the default "
            f"of {settings.NO_CONTACT_DAYS} days."
        )
        self.helper = Helper(self, submit="Save settings", cancel=partnership.get_absolute_url())


class InviteForm(Form):
    """Choose an organisation from the search results, and its role."""

    organisation = OrganisationField(
        label="Which organisation?", queryset=Organisation.objects.none(), widget=forms.RadioSelect, empty_label=None
    )
    role = forms.ChoiceField(
        label="Which role?", choices=list(ROLE_DESCRIPTIONS.items()), widget=forms.RadioSelect, initial=PartyRole.MEMBER
    )
    reason = forms.CharField(
        label="Reason",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The parties can read this in the history.",
    )

    def __init__(self, *args: Any, candidates: OrganisationQuerySet, partnership: Partnership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_choice_field(self, "organisation").queryset = with_former_names(candidates)
        self.helper = Helper(
            self,
            submit="Invite organisation",
            cancel=reverse("agreements:members", kwargs={"pk": partnership.pk}),
        )


class InvitationAnswerForm(Form):
    """Accept or decline an invitation."""

    answer = forms.ChoiceField(
        label="Will your organisation take part?",
        choices=[("accept", "Yes, we accept"), ("decline", "No, we decline")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The partners can read this. You must enter a reason if you decline.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send answer")


class RoleForm(Form):
    """Change the role of a party."""

    role = forms.ChoiceField(
        label="What role does the organisation have in the partnership?",
        choices=list(ROLE_DESCRIPTIONS.items()),
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, party: Party, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"role": party.role})
        super().__init__(*args, **kwargs)
        members_page = reverse("agreements:members", kwargs={"pk": party.partnership_id})
        self.helper = Helper(self, submit="Save role", cancel=members_page)


class ReasonForm(kit.ReasonForm):
    """Ask for a reason before a step that cannot easily be undone."""

    danger = True
    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class StatusForm(Form):
    """Choose the next status, or to renew, and say why."""

    status = forms.ChoiceField(label="What is the new status?", widget=forms.RadioSelect)
    reason = forms.CharField(label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, partnership: Partnership, is_renewed: bool, **kwargs: Any) -> None:
        """Build the choices. `is_renewed` says that a successor exists already, so renewing is not offered."""
        super().__init__(*args, **kwargs)
        # Nobody chooses agreed or renewed: they follow from signatures and from the successor.
        automatic = (Status.AGREED, Status.RENEWED)
        self.selectable_statuses = [status for status in partnership.next_statuses if status not in automatic]
        choices = [(status.value, status.label) for status in self.selectable_statuses]
        if partnership.state in (Status.UNDER_REVIEW, Status.ENDED) and not is_renewed:
            choices.insert(0, ("renew", "Renew it, by drafting a successor with new terms"))
            self.fields["title"] = forms.CharField(
                label="Title of the successor",
                required=False,
                max_length=200,
                help_text=(
                    "Fill this in only if you renew the partnership. "
                    f"If you leave this empty, the title stays “{partnership.title}”."
                ),
            )
        choice_field(self, "status").choices = choices
        self.helper = Helper(self, submit="Change status", cancel=partnership.get_absolute_url())


class DocumentForm(Form):
    """Upload a document."""

    title = forms.CharField(
        label="Title", required=False, max_length=200, help_text="If you leave this empty, we use the file name."
    )
    file = forms.FileField(
        label="File",
        help_text=(
            "Choose a PDF, Word, Excel, PowerPoint, OpenDocument, PNG, JPEG, CSV or text file of up to "
            f"{MAX_BYTES // MEGABYTE} MB."
        ),
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
    )
    personal_data = forms.BooleanField(
        label="The document contains personal data",
        required=False,
        help_text="People can then open it only while the parties have a signed data-sharing agreement in force.",
    )

    def __init__(self, *args: Any, partnership: Partnership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        documents_page = reverse("agreements:documents", kwargs={"pk": partnership.pk})
        self.helper = Helper(self, submit="Add document", cancel=documents_page)
