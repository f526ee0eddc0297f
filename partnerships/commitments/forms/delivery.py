"""Forms to report progress, escalate a commitment and verify a delivery."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from partnerships.commitments.forms.fields import PersonField, with_memberships
from partnerships.commitments.models import Commitment, Status
from partnerships.commitments.quantities import delivered_words
from partnerships.commitments.services.delivery import exceeds_promise
from partnerships.kit.choice_fields import choice_field
from partnerships.kit.forms import AmountField, AutocompleteSelect, Form, Helper, VerdictForm
from partnerships.kit.uploads import ACCEPT
from partnerships.people.models import User


class ProgressForm(Form):
    """The form for a progress report.

    `seen` is the id of the newest report when the person opened the form, or 0 if there was none.
    """

    delivered = AmountField(
        label="Total delivered so far", required=False, min_value=0, max_digits=14, decimal_places=2
    )
    more = forms.BooleanField(
        label="Yes, we delivered more than we promised",
        required=False,
        help_text="Explain why in the note, or correct the total.",
    )
    status = forms.ChoiceField(
        label="Status",
        widget=forms.RadioSelect,
        choices=[
            (Status.IN_PROGRESS.value, "In progress: on track"),
            (Status.AT_RISK.value, "At risk: it may not be delivered on time"),
            (Status.BLOCKED.value, "Blocked: work cannot continue"),
            (Status.DONE.value, "Done: everything is delivered"),
        ],
    )
    blocker = forms.CharField(
        label="What is blocking the work?",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="You must answer if work is blocked. Say who could help.",
    )
    note_text = forms.CharField(label="Note", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))
    evidence = forms.FileField(
        label="Evidence",
        required=False,
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        help_text="Choose a document or image of up to 10 MB that shows what was delivered.",
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, commitment: Commitment, seen: int, **kwargs: Any) -> None:
        """Build the form. It asks for the total delivered only if a quantity was promised."""
        super().__init__(*args, **kwargs)
        self.commitment = commitment
        self.fields["seen"].initial = seen
        if commitment.quantity is None:
            del self.fields["delivered"]
        else:
            delivered = self.fields["delivered"]
            delivered.required = True
            delivered.initial = commitment.delivered_quantity
            delivered.help_text = f"Out of {commitment.quantity_words}. Enter the total, not the latest amount."
        if commitment.status in (Status.AT_RISK, Status.BLOCKED):
            self.fields["status"].initial = commitment.status
            self.fields["blocker"].initial = commitment.blocker
        if not self._exceeds_promise():
            del self.fields["more"]
        self.helper = Helper(self, submit="Report progress", cancel=commitment.get_absolute_url())

    def _exceeds_promise(self) -> bool:
        """Return whether the total is more than was promised.

        It may be a typing error, so the form then asks the person to tick a box.
        """
        if "delivered" not in self.fields or not self.is_bound:
            return False
        try:
            total = self.fields["delivered"].clean(self.data.get("delivered", ""))
        except ValidationError:
            return False
        return exceeds_promise(self.commitment, total)

    def clean(self) -> dict[str, Any]:
        """Require a blocker if work is blocked, and a tick and a note if the total exceeds the promise."""
        cleaned = super().clean() or {}
        if "more" in self.fields:
            self._check_larger_total(cleaned)
        if cleaned.get("status") == Status.BLOCKED and not cleaned.get("blocker", "").strip():
            self.add_error("blocker", "Enter what is blocking the work.")
        return cleaned

    def _check_larger_total(self, cleaned: dict[str, Any]) -> None:
        """Require a tick and a note for a total that is more than was promised."""
        delivered_text = delivered_words(cleaned["delivered"], self.commitment.quantity, self.commitment.unit)
        if not cleaned.get("more"):
            self.add_error(
                "more", f"{delivered_text} is more than was promised. Tick this box if the total is correct."
            )
        if not cleaned.get("note_text", "").strip():
            self.add_error("note_text", "Enter why you delivered more than you promised.")


class EscalateForm(Form):
    """The form to escalate to a person."""

    reason = forms.CharField(
        label="What do you need from this person?", max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, commitment: Commitment, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = PersonField(
            label="Who do you want to escalate to?",
            queryset=with_memberships(people.order_by("name", "pk")),
            widget=AutocompleteSelect,
            help_text="Choose anyone who can see this commitment. We email them and add it to their My work page.",
        )
        # The person comes before the reason on the page.
        self.fields = {"person": person, **self.fields}
        self.helper = Helper(self, submit="Escalate commitment", cancel=commitment.get_absolute_url())


class VerifyForm(VerdictForm):
    """The form to verify a delivery or an action, or to send it back."""

    words_field = "note_text"
    needs_words = {"missing": "Enter what is missing."}

    verdict = forms.ChoiceField(
        label="Has everything been delivered?",
        widget=forms.RadioSelect,
        choices=[("verified", "Yes, everything is delivered"), ("missing", "No, something is missing")],
    )
    note_text = forms.CharField(
        label="Note",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="If something is missing, say what it is.",
    )

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if commitment.is_action:
            verdict = choice_field(self, "verdict")
            verdict.label = "Is the action done?"
            verdict.choices = [("verified", "Yes, it is done"), ("missing", "No, something is missing")]
        self.helper = Helper(self, submit="Send answer", cancel=commitment.get_absolute_url())
