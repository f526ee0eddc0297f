"""Forms for the terms: propose, send for signature, sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.agreements.models import Partnership, Party, TermsProposal, TermsVersion
from partnerships.agreements.services.terms.sending import SignatureRequest
from partnerships.agreements.services.terms.signing import PaperSignature
from partnerships.documents import Content, Field, Schema
from partnerships.documents.forms import NO_QUESTIONS, AnswersForm, FieldMaker, QuestionsField
from partnerships.documents.models import Decision
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import DayField, Form, Helper
from partnerships.kit.uploads import ACCEPT, MAX_BYTES, MEGABYTE
from partnerships.organisations.choices import OrganisationField, OrganisationsField
from partnerships.organisations.models import Organisation


def _choose_party(form: Form, parties: QuerySet[Organisation]) -> None:
    """Offer the parties to choose from; a single one is chosen without asking."""
    field = form.fields["organisation"]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = parties
    if len(parties) == 1:
        field.initial = parties[0]
        field.widget = forms.HiddenInput()


def party_maker(partnership: Partnership, schema: Schema, content: Content) -> FieldMaker:
    """Makes each field for a party a list of the parties that sign.

    A name that the draft already has stays on the list, even if it is not, or no longer, that of a party.
    """
    parties = Party.objects.required().filter(partnership=partnership).order_by("organisation__name", "pk")
    signing = parties.values_list("organisation__name", flat=True)
    names = dict.fromkeys([*signing, *_named_parties(schema, content)])
    choices = [(name, name) for name in names]

    def make(spec: Field, common: dict[str, Any]) -> forms.Field:
        return forms.ChoiceField(choices=[("", "Choose a party"), *choices], **common)

    return make


def _named_parties(schema: Schema, content: Content) -> Iterator[str]:
    """The names that the draft has in fields for parties."""
    for field in schema.about:
        if field.shape == "party" and content["about"].get(field.code):
            yield content["about"][field.code]
    for collection in schema.collections:
        for field in collection.fields:
            if field.shape == "party":
                yield from (item[field.code] for item in content.get(collection.code, ()) if item[field.code])


class TermsOnForm(Form):
    """A day, to see the terms in force then; today unless another is given."""

    on = DayField(label="Show the terms in force on", required=False)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"on": today}, **kwargs})
        self.today = today
        self.helper = Helper(self, submit="Show terms", method="get")

    @property
    def day(self) -> dt.date:
        """The day given, if it can be used."""
        entered_day: dt.date | None = self.cleaned_data.get("on") if self.is_valid() else None
        return entered_day or self.today


class ProposeForm(Form):
    """Propose an amendment: why, and from when."""

    organisation = OrganisationField(
        label="For which organisation?", queryset=Organisation.objects.none(), empty_label=None
    )
    reason = forms.CharField(
        label="Why should the terms change?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The other parties get this in an email.",
    )
    from_day = DayField(
        label="From which day should the change apply?",
        required=False,
        help_text="Leave it empty to apply it on the day the last party signs.",
    )

    def __init__(self, *args: Any, parties: QuerySet[Organisation], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose_party(self, parties)
        self.helper = Helper(self, submit="Start amendment", cancel=cancel)


class SendForSignatureForm(Form):
    """Send terms for signature."""

    reason = forms.CharField(
        label="What is in these terms, and why?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="A sentence or two for the people who sign. It is kept with the version.",
    )
    from_day = DayField(
        label="From which day do they apply?",
        required=False,
        help_text="Leave it empty to apply them on the day the last party signs.",
    )
    sign_by = DayField(
        label="Sign by",
        required=False,
        help_text="We remind people a week before and on the day, unless they chose other days. 30 days after the "
        "deadline, the version can no longer be signed.",
    )

    questions = QuestionsField(
        label="Questions to the other parties",
        required=False,
        help_text="One on each line. They answer with their signature, and the answers are kept with it.",
    )
    asked = OrganisationsField(
        label="Which parties should answer them?",
        queryset=Organisation.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none to ask all of the others.",
    )

    def __init__(self, *args: Any, proposal: TermsProposal, parties: QuerySet[Organisation], **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                "reason": "" if proposal.is_first else proposal.reason,
                "from_day": proposal.from_day,
                "sign_by": proposal.sign_by,
            },
        )
        super().__init__(*args, **kwargs)
        model_choice_field(self, "asked").queryset = parties
        self.helper = Helper(self, submit="Send for signature", cancel=proposal.get_absolute_url())

    def request(self) -> SignatureRequest:
        """What the valid form asks the parties to sign."""
        chosen = self.cleaned_data
        return SignatureRequest(
            reason=chosen["reason"],
            from_day=chosen["from_day"],
            sign_by=chosen["sign_by"],
            questions=chosen["questions"],
            asked=[body.pk for body in chosen["asked"]],
        )


class SignTermsForm(AnswersForm):
    """Sign under a typed name and job title, or decline with a reason."""

    organisation = OrganisationField(
        label="For which organisation?", queryset=Organisation.objects.none(), empty_label=None
    )
    decision = forms.ChoiceField(
        label="What do you decide?",
        choices=[("sign", "Sign"), ("decline", "Decline to sign")],
        widget=forms.RadioSelect,
    )
    name = forms.CharField(
        label="Your full name", max_length=200, required=False, help_text="Typing it here is your signature."
    )
    title = forms.CharField(label="Your job title", max_length=150, required=False)
    reason = forms.CharField(
        label="Why you decline",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Only if you decline. The other parties can read it.",
    )

    def __init__(
        self,
        *args: Any,
        parties: QuerySet[Organisation],
        version: TermsVersion,
        questions: Mapping[int, Sequence[str]] = NO_QUESTIONS,
        cancel: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        _choose_party(self, parties)
        self.add_answers(list(parties), questions)
        self.order_fields(["organisation", *self.answer_names, "decision", "name", "title", "reason"])
        decision = choice_field(self, "decision")
        decision.choices = [
            ("sign", f"I have read version {version.number} and sign it"),
            ("decline", "I decline to sign it"),
        ]
        self.helper = Helper(self, submit="Confirm decision", cancel=cancel)
        self.helper.mark_optional = False  # which fields are needed depends on the decision

    def clean(self) -> dict[str, Any]:
        """The fields that the decision needs."""
        chosen: dict[str, Any] = super().clean() or {}
        if chosen.get("decision") == "sign":
            if not chosen.get("name", "").strip():
                self.add_error("name", "Enter your full name: it is your signature.")
            if not chosen.get("title", "").strip():
                self.add_error("title", "Enter your job title.")
        if chosen.get("decision") == "decline" and not chosen.get("reason", "").strip():
            self.add_error("reason", "Enter why you decline.")
        verdict = {"sign": Decision.APPROVED, "decline": Decision.REJECTED}
        self.check_answers(chosen, verdict.get(chosen.get("decision", ""), ""))
        return chosen

    @property
    def declines(self) -> bool:
        """Whether the valid form declines."""
        return bool(self.cleaned_data["decision"] == "decline")


class PaperForm(AnswersForm):
    """Record a signature on paper."""

    name = forms.CharField(label="Who signed", max_length=200)
    title = forms.CharField(label="Their job title", max_length=150)
    signed_on = DayField(label="When did they sign?")
    scan = forms.FileField(
        label="Scan of the signed page",
        help_text=f"PDF, PNG or JPEG, up to {MAX_BYTES // MEGABYTE} MB. It is kept with the partnership's documents.",
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
    )

    def __init__(
        self, *args: Any, organisation: Organisation, questions: Sequence[str], cancel: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.add_answers([organisation], {organisation.pk: questions})
        self.helper = Helper(self, submit="Record signature", cancel=cancel)

    def signature(self) -> PaperSignature:
        """What the valid form says of the paper."""
        chosen = self.cleaned_data
        return PaperSignature(
            name=chosen["name"],
            title=chosen["title"],
            signed_on=chosen["signed_on"],
            scan=chosen["scan"],
            answers=self.answers(),
        )
