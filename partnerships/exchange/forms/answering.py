"""Forms to answer an ask or offer, and to decide an answer."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.exchange.forms.fields import (
    LONG_TEXT,
    ONLY_YOUR_ORGANISATION,
    SHORT_TEXT,
    OrganisationForm,
    ReasonForm,
    clean_all_of_it,
    quantity_field,
    set_choices,
)
from partnerships.exchange.models import Direction, Entry
from partnerships.kit.choice_fields import choice_field
from partnerships.kit.forms import AutocompleteSelect, Form, Helper, VerdictForm
from partnerships.organisations.models import EDITING_ROLES, Membership, OrganisationQuerySet
from partnerships.people.models import User


class _EntryChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A choice of entries by their titles."""

    def label_from_instance(self, obj: Entry) -> str:
        """Return the title of the entry."""
        return obj.title


class RespondForm(OrganisationForm):
    """The form to answer an ask or offer, in full or in part."""

    text = forms.CharField(label="What can you offer?", widget=LONG_TEXT, max_length=5000)
    quantity = quantity_field("How much can you offer?")
    everything = forms.BooleanField(required=False)
    counterpart = _EntryChoiceField(
        required=False, queryset=Entry.objects.none(), empty_label="None", widget=AutocompleteSelect
    )

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        """Build the form for one of the person's `organisations` to answer the entry."""
        super().__init__(*args, **kwargs)
        self.set_organisations(organisations)
        if not entry.is_ask:
            self.fields["text"].label = "What do you need?"
            self.fields["quantity"].label = "How much do you need?"
        if entry.quantity is None:
            del self.fields["quantity"], self.fields["everything"]
        else:
            # A standing offer never runs out.
            amount_left = entry.amount if entry.standing else entry.amount_left
            self.fields["quantity"].help_text = f"Out of {amount_left}."
            self.fields["everything"].label = f"All of it: {amount_left}"
        self._offer_counterparts(entry, organisations)
        self.helper = Helper(self, submit="Send answer", cancel=entry.get_absolute_url())

    def _offer_counterparts(self, entry: Entry, organisations: OrganisationQuerySet) -> None:
        """Offer the open offers of these organisations for an ask, or their open asks for an offer."""
        other_direction = Direction.OFFER if entry.is_ask else Direction.ASK
        own_entries = Entry.objects.filter(organisation__in=organisations, direction=other_direction, is_open=True)
        if not own_entries.exists():
            del self.fields["counterpart"]
            return
        self.fields["counterpart"].label = f"Which of your {other_direction.label.lower()}s is your answer about?"
        set_choices(self, "counterpart", own_entries.order_by("title", "pk"))

    def clean(self) -> dict[str, Any]:
        """Require a quantity, or the tick for all of it."""
        return clean_all_of_it(self, super().clean() or {})


class DeclineForm(OrganisationForm, ReasonForm):
    """The form to decline an ask or offer for one organisation, with a reason."""

    field_order = ("organisation", "reason")

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        kind = entry.get_direction_display().lower()
        super().__init__(*args, entry=entry, submit=f"Decline {kind}", label="Why are you declining?", **kwargs)
        self.set_organisations(organisations)


class AskQuestionForm(OrganisationForm):
    """The form to ask a question before answering."""

    text = forms.CharField(label="Your question", widget=SHORT_TEXT, max_length=2000)

    def __init__(self, *args: Any, entry: Entry, organisations: OrganisationQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_organisations(organisations)
        self.helper = Helper(self, submit="Send question", cancel=entry.get_absolute_url())


class AnswerForm(Form):
    """The form to answer a question about an ask or offer."""

    text = forms.CharField(label="Your answer", widget=SHORT_TEXT, max_length=2000)

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send answer", cancel=entry.get_absolute_url())


class ReferForm(OrganisationForm):
    """The form to refer an ask or offer to a colleague, who then answers it."""

    person = forms.ModelChoiceField(label="Colleague", queryset=User.objects.none(), empty_label="Choose a colleague")
    note = forms.CharField(
        label="Add a message",
        required=False,
        widget=SHORT_TEXT,
        max_length=2000,
        help_text=ONLY_YOUR_ORGANISATION,
    )

    def __init__(
        self, *args: Any, entry: Entry, user: User, organisations: OrganisationQuerySet, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.set_organisations(organisations)
        editors = Membership.objects.current().filter(organisation__in=organisations, role__in=EDITING_ROLES)
        colleagues = User.objects.filter(pk__in=editors.values("person")).exclude(pk=user.pk)
        set_choices(self, "person", colleagues.order_by("name", "pk"))
        self.helper = Helper(self, submit="Refer to colleague", cancel=entry.get_absolute_url())


#: The decisions of `DecideForm`, with their labels.
_ACCEPT = ("accept", "Accept")
_ACCEPT_PART = ("part", "Accept, and keep asking for more")
_DECLINE = ("decline", "Decline")


class DecideForm(VerdictForm):
    """The form to accept or decline an answer. A decline needs a reason."""

    verdict_field = "decision"
    needs_words = {"decline": "Enter why you are declining."}

    decision = forms.ChoiceField(
        label="Do you accept this answer?",
        choices=[_ACCEPT, _ACCEPT_PART, _DECLINE],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="Add a message",
        required=False,
        widget=SHORT_TEXT,
        max_length=2000,
        help_text="If you decline, say why. The other organisation can read this.",
    )

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        decision = choice_field(self, "decision")
        if not entry.is_open:
            # The entry is closed, but the organisation that gave this answer still gets a reply.
            decision.label = "Nothing is left to accept"
            decision.choices = [_DECLINE]
            decision.initial = "decline"
        elif entry.quantity is not None or entry.standing:
            # Nobody needs to say whether more is wanted: it follows from the quantity that is left, and a standing
            # offer stays open anyway.
            decision.choices = [_ACCEPT, _DECLINE]
        self.helper = Helper(self, submit="Send decision", cancel=entry.get_absolute_url())
