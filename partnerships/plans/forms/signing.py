"""Choose signatories, sign, and confirm conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q

from partnerships.agreements.models import Party, PartyRole, PartyStatus
from partnerships.kit.forms import DayField, Form, Helper, ReasonForm, VerdictForm
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Audience, Decision, Plan


class SignForm(VerdictForm):
    """Decide on a version."""

    verdict_field = "decision"
    needs_words = {
        Decision.CONDITIONAL.value: "Enter the condition",
        Decision.REJECTED.value: "Enter the reason for rejecting it",
    }

    decision = forms.ChoiceField(choices=Decision.choices, widget=forms.RadioSelect, label="Your decision")
    reason = forms.CharField(
        label="Your condition, or your reason for rejecting it",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=2_000,
        help_text="Leave empty if you approve.",
    )
    organisation = forms.ModelChoiceField(queryset=Organisation.objects.none(), empty_label=None, label="Organisation")
    number = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, organisations: Sequence[Organisation], number: int) -> None:
        super().__init__(data, initial={"number": number})
        pks = [organisation.pk for organisation in organisations]
        field = self.fields["organisation"]
        field.queryset = Organisation.objects.filter(pk__in=pks).order_by("name", "pk")  # type: ignore[attr-defined]  # a ModelChoiceField
        field.initial = organisations[0] if organisations else None
        if len(pks) == 1:
            field.widget = forms.HiddenInput()
        self.helper = Helper(self, "organisation", "decision", "reason", "number", submit=f"Sign version {number}")


class SignatoriesForm(Form):
    """Choose who must sign, in which role and by when.

    One box for each organisation that may sign.
    """

    due_on = DayField(label="Decide by", required=False, help_text="We remind them from a week before.")

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = plan.signatories.filter(removed_at=None).values("organisation")
        parties = Party.objects.filter(
            partnership=plan.partnership_id, status=PartyStatus.ACCEPTED, partnership__isnull=False
        ).exclude(role=PartyRole.OBSERVER)
        owners = Q(pk__in=plan.owners.values("organisation"))
        partners = Q(pk__in=parties.values("organisation")) if plan.audience != Audience.OWNERS else Q(pk__in=[])
        self.organisations = list(
            Organisation.objects.filter(owners | partners).exclude(pk__in=asked).order_by("name", "pk")
        )
        names = []
        for organisation in self.organisations:
            name = f"role_{organisation.pk}"
            names.append(name)
            self.fields[name] = forms.CharField(
                label=organisation.name,
                required=False,
                max_length=150,
                help_text="The role that signs, such as chief executive. Leave empty if it does not need to sign.",
            )
        self.helper = Helper(self, *names, "due_on", submit="Ask for sign-off")

    def chosen(self) -> list[tuple[Organisation, str]]:
        """The organisations with a role."""
        return [
            (organisation, role)
            for organisation in self.organisations
            if (role := self.cleaned_data.get(f"role_{organisation.pk}", "").strip())
        ]


class DueDayForm(ReasonForm):
    """Change the day by which a signatory must decide."""

    due_on = DayField(label="Decide by", required=False, help_text="Leave empty for no deadline.")

    field_order = ("due_on", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout.fields = list(self.fields)


class ConditionForm(Form):
    """Confirm that a condition is met."""

    note = forms.CharField(
        label="How was it met?", widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=1_000
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Confirm condition is met", cancel=cancel)
