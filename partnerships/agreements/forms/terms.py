"""Forms to propose terms, send them for signature and sign them."""

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


def _offer_parties(form: Form, parties: QuerySet[Organisation]) -> None:
    """Offer the parties in the field `organisation`. A single party is preset, and the field hidden."""
    field = model_choice_field(form, "organisation")
    field.queryset = parties
    if len(parties) == 1:
        field.initial = parties[0]
        field.widget = forms.HiddenInput()


def party_field_maker(partnership: Partnership, schema: Schema, content: Content) -> FieldMaker:
    """Return a function that makes a form field in which one of the signing parties is chosen.

    Names that the draft already contains stay on the list, even if no party has such a name today.
    """
    parties = Party.objects.required_to_sign().filter(partnership=partnership).order_by("organisation__name", "pk")
    party_names = parties.values_list("organisation__name", flat=True)
    unique_names = dict.fromkeys([*party_names, *_party_names_in_draft(schema, content)])
    choices = [("", "Choose a party"), *((name, name) for name in unique_names)]

    def make_field(spec: Field, field_arguments: dict[str, Any]) -> forms.Field:
        return forms.ChoiceField(choices=choices, **field_arguments)

    return make_field


def _party_names_in_draft(schema: Schema, content: Content) -> Iterator[str]:
    """Yield the names that the draft contains in its fields for parties."""
    for field in schema.about:
        name = content["about"].get(field.code)
        if field.shape == "party" and name:
            yield name
    for collection in schema.collections:
        items = content.get(collection.code, ())
        for field in collection.fields:
            if field.shape == "party":
                yield from (item[field.code] for item in items if item[field.code])


class TermsDayForm(Form):
    """Choose a day, to see the terms that were in force on that day."""

    on = DayField(label="Which day’s terms do you want to see?", required=False)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"on": today})
        super().__init__(*args, **kwargs)
        self.today = today
        self.helper = Helper(self, submit="Show terms", method="get")

    @property
    def day(self) -> dt.date:
        """Return the day that the reader entered, or today if the field is empty or invalid."""
        entered_day: dt.date | None = self.cleaned_data.get("on") if self.is_valid() else None
        return entered_day or self.today


class ProposeAmendmentForm(Form):
    """Propose an amendment: why, and from which day."""

    organisation = OrganisationField(
        label="Which organisation proposes the change?", queryset=Organisation.objects.none(), empty_label=None
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
        help_text="Leave this empty to apply the change on the day the last party signs.",
    )

    def __init__(self, *args: Any, parties: QuerySet[Organisation], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_parties(self, parties)
        self.helper = Helper(self, submit="Start amendment", cancel=cancel)


class SendForSignatureForm(Form):
    """Send terms for signature, with a deadline and questions to the parties."""

    reason = forms.CharField(
        label="What is in these terms, and why?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="A sentence or two for the people who sign. We keep this with the version.",
    )
    from_day = DayField(
        label="From which day do the terms apply?",
        required=False,
        help_text="Leave this empty to apply the terms on the day the last party signs.",
    )
    sign_by = DayField(
        label="Sign by",
        required=False,
        help_text="We remind people a week before and on the day, unless they chose other days. They can sign until 30 "
        "days after the deadline.",
    )

    questions = QuestionsField(
        label="Questions for the other parties",
        required=False,
        help_text="Enter one question on each line. The parties answer when they sign, and we keep their answers.",
    )
    asked = OrganisationsField(
        label="Which parties should answer the questions?",
        queryset=Organisation.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="If you choose none, you ask all the other parties.",
    )

    def __init__(self, *args: Any, proposal: TermsProposal, parties: QuerySet[Organisation], **kwargs: Any) -> None:
        """Build the form. `parties` are the organisations that can be asked the questions."""
        initial = {
            # The reason for an amendment is a good start. The first terms have no such reason.
            "reason": "" if proposal.is_first else proposal.reason,
            "from_day": proposal.from_day,
            "sign_by": proposal.sign_by,
        }
        kwargs.setdefault("initial", initial)
        super().__init__(*args, **kwargs)
        model_choice_field(self, "asked").queryset = parties
        self.helper = Helper(self, submit="Send for signature", cancel=proposal.get_absolute_url())

    def request(self) -> SignatureRequest:
        """Return the request to sign for the service `send_for_signature`. The form must be valid."""
        data = self.cleaned_data
        return SignatureRequest(
            reason=data["reason"],
            from_day=data["from_day"],
            sign_by=data["sign_by"],
            questions=data["questions"],
            asked=[organisation.pk for organisation in data["asked"]],
        )


class SignTermsForm(AnswersForm):
    """Sign by typing a name and a job title, or decline with a reason."""

    organisation = OrganisationField(
        label="Which organisation are you signing for?", queryset=Organisation.objects.none(), empty_label=None
    )
    decision = forms.ChoiceField(
        label="Do you sign these terms?",
        choices=[("sign", "Sign"), ("decline", "Decline to sign")],
        widget=forms.RadioSelect,
    )
    name = forms.CharField(
        label="Your full name", max_length=200, required=False, help_text="Typing it here is your signature."
    )
    title = forms.CharField(label="Your job title", max_length=150, required=False)
    reason = forms.CharField(
        label="Why are you declining?",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Fill this in only if you decline. The other parties can read your reason.",
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
        """Build the form for the reader's parties that can sign. `questions` has the questions by organisation id."""
        super().__init__(*args, **kwargs)
        _offer_parties(self, parties)
        self.add_answers(list(parties), questions)
        self.order_fields(["organisation", *self.answer_names, "decision", "name", "title", "reason"])
        choice_field(self, "decision").choices = [
            ("sign", f"I have read version {version.number} and sign it"),
            ("decline", "I decline to sign it"),
        ]
        self.helper = Helper(self, submit="Confirm decision", cancel=cancel)
        # The decision determines which fields are needed, so none is marked as optional.
        self.helper.mark_optional = False

    def clean(self) -> dict[str, Any]:
        """Require a name and a job title to sign, or a reason to decline. Check the answers for that decision."""
        data: dict[str, Any] = super().clean() or {}
        decision = data.get("decision", "")
        if decision == "sign":
            self._require(data, "name", "Enter your full name as your signature.")
            self._require(data, "title", "Enter your job title.")
            self.check_answers(data, Decision.APPROVED)
        elif decision == "decline":
            self._require(data, "reason", "Enter why you decline to sign.")
            self.check_answers(data, Decision.REJECTED)
        return data

    def _require(self, data: dict[str, Any], name: str, message: str) -> None:
        """Add the message to the field if nothing was entered in the field."""
        if not data.get(name, "").strip():
            self.add_error(name, message)

    @property
    def declines(self) -> bool:
        """Return whether the reader declines to sign. The form must be valid."""
        return bool(self.cleaned_data["decision"] == "decline")


class PaperSignatureForm(AnswersForm):
    """Record a signature that a party gave on paper."""

    name = forms.CharField(label="Who signed", max_length=200)
    title = forms.CharField(label="Their job title", max_length=150)
    signed_on = DayField(label="When did they sign?")
    scan = forms.FileField(
        label="Scan of the signed page",
        help_text=f"Choose a PDF, PNG or JPEG of up to {MAX_BYTES // MEGABYTE} MB. "
        "We keep the scan with the documents of the partnership.",
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
    )

    def __init__(
        self, *args: Any, organisation: Organisation, questions: Sequence[str], cancel: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.add_answers([organisation], {organisation.pk: questions})
        self.helper = Helper(self, submit="Record signature", cancel=cancel)

    def signature(self) -> PaperSignature:
        """Return the signature on paper for the service `record_paper_signature`. The form must be valid."""
        data = self.cleaned_data
        return PaperSignature(
            name=data["name"],
            title=data["title"],
            signed_on=data["signed_on"],
            scan=data["scan"],
            answers=self.answers(),
        )
