"""Forms to create a plan, and to change its status or audience."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import Form, Helper, ReasonForm, Section
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.content import FINANCIAL, YEAR_KINDS
from partnerships.plans.models import Audience, Plan, PlanKind, Status
from partnerships.plans.queries import parties_allowed_to_own


class PlanForm(Form):
    """Create a plan."""

    title = forms.CharField(max_length=200)
    kind = forms.ChoiceField(
        choices=PlanKind.choices,
        widget=forms.RadioSelect,
        help_text="The draft starts with the sections and milestones that this kind of plan usually has.",
    )
    owners = forms.ModelMultipleChoiceField(
        queryset=Organisation.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label="Which of your organisations owns the plan?",
    )
    partnership = forms.ModelChoiceField(
        queryset=Partnership.objects.none(), required=False, empty_label="No partnership (only we own the plan)"
    )
    partners = forms.BooleanField(
        label=(
            "The partnership’s other members own the plan too. Their editors can edit the draft, and "
            "their leads can publish it."
        ),
        required=False,
    )
    audience = forms.ChoiceField(
        choices=Audience.choices,
        widget=forms.RadioSelect,
        label="Who can read the plan once it is published?",
        required=False,
        help_text=(
            "If you choose nothing, the plan’s partnership can read it. If there is no partnership, "
            "only the owners can."
        ),
    )
    years = forms.ChoiceField(
        choices=list(YEAR_KINDS.items()),
        widget=forms.RadioSelect,
        label="Which kind of year are the plan’s homes counted in?",
        initial=FINANCIAL,
        help_text="All homes in a plan use the same kind of year, so that they can be added up.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own_organisations = Organisation.objects.of_person(user, "editor", "lead").order_by("name", "pk")
        owners = model_choice_field(self, "owners")
        owners.queryset = own_organisations
        first_organisations = list(own_organisations[:2])  # two, to find out whether there is only one
        if len(first_organisations) == 1:
            owners.initial = first_organisations

        partnerships = Partnership.objects.with_party_of(user, "editor", "lead").live()
        partnerships_to_own_with = partnerships.filter(
            pk__in=parties_allowed_to_own(own_organisations).values("partnership")
        )
        model_choice_field(self, "partnership").queryset = partnerships_to_own_with.order_by("title", "pk")
        if self.initial.get("partnership"):
            # A person who starts a plan on the page of a partnership probably wants its members to read the plan.
            self.fields["audience"].initial = Audience.PARTNERSHIP

        self.helper = Helper(
            self,
            Section("The plan", "title", "kind", "years"),
            Section("Owners", "owners", "partnership", "partners"),
            Section("Audience", "audience"),
            submit="Create draft",
            cancel=reverse("plans:list"),
        )

    def clean(self) -> dict[str, Any]:
        """Choose an audience if none was chosen, and require a partnership for the audience “partnership”."""
        data = super().clean() or {}
        if not data.get("audience") and "audience" not in self.errors:
            data["audience"] = Audience.PARTNERSHIP if data.get("partnership") else Audience.OWNERS
        if data.get("audience") == Audience.PARTNERSHIP and not data.get("partnership"):
            self.add_error("partnership", "Choose the partnership that the plan belongs to, or another audience.")
        return data

    def all_owners(self) -> list[Organisation]:
        """Return the chosen owners, and also the partnership's other members if “partners” was ticked."""
        owners = list(self.cleaned_data["owners"])
        partnership = self.cleaned_data["partnership"]
        if partnership is not None and self.cleaned_data["partners"]:
            parties = parties_allowed_to_own().filter(partnership=partnership)
            members = [party.organisation for party in parties.select_related("organisation").order_by("pk")]
            owners += [member for member in members if member not in owners]
        return owners


class StatusForm(ReasonForm):
    """Change a plan's status. `choices` are the possible statuses, and `successors` the plans that may supersede it."""

    status = forms.ChoiceField(widget=forms.RadioSelect, label="New status")
    successor = forms.ModelChoiceField(
        queryset=Plan.objects.none(), required=False, label="Superseded by", empty_label="No plan"
    )

    field_order = ("status", "successor", "reason")

    def __init__(self, *args: Any, choices: Sequence[Status], successors: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice_field(self, "status").choices = [(status.value, status.label) for status in choices]
        if Status.SUPERSEDED in choices:
            model_choice_field(self, "successor").queryset = successors
        else:
            del self.fields["successor"]
        self.helper.layout.fields = list(self.fields)


class AudienceForm(ReasonForm):
    """Choose who can read the published versions."""

    audience = forms.ChoiceField(choices=Audience.choices, widget=forms.RadioSelect, label="Who can read the plan?")

    field_order = ("audience", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout.fields = list(self.fields)
