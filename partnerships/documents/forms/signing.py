"""Forms to decide on a version, and to answer the questions asked with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from partnerships.documents.models import Decision
from partnerships.documents.services import MAX_ANSWER, InvalidAnswers, read_answers, read_questions
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import Form, Helper, VerdictForm
from partnerships.organisations.models import Organisation

NO_QUESTIONS: Mapping[int, Sequence[str]] = MappingProxyType({})


class QuestionsField(forms.CharField):
    """A field for questions to signatories, one on each line. Its value is a list."""

    def __init__(self, **kwargs: Any) -> None:
        hint = (
            "Enter one question on each line. Each organisation answers the questions when it decides, and we keep the "
            "answers with its decision."
        )
        kwargs.setdefault("help_text", hint)
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), max_length=4_000, **kwargs)

    def clean(self, value: Any) -> list[str]:
        """Return the questions, trimmed and checked."""
        try:
            return read_questions(super().clean(value).splitlines())
        except InvalidAnswers as error:
            raise ValidationError(str(error), code="invalid") from error


class AnswersForm(Form):
    """The base of forms in which an organisation answers questions.

    Call `add_answers` in `__init__` to add the fields, and `check_answers` in `clean`.
    """

    questions: Mapping[int, Sequence[str]] = NO_QUESTIONS
    answer_names: Mapping[str, str] = MappingProxyType({})

    def add_answers(self, organisations: Sequence[Organisation], questions: Mapping[int, Sequence[str]]) -> None:
        """Add a field for each question to these organisations."""
        self.questions = questions
        # A question that several organisations are asked has only one field.
        different_questions: list[str] = []
        for organisation in organisations:
            for question in questions.get(organisation.pk, ()):
                if question not in different_questions:
                    different_questions.append(question)
        self.answer_names = {f"answer_{index}": question for index, question in enumerate(different_questions)}
        for name, question in self.answer_names.items():
            self.fields[name] = forms.CharField(
                label=question,
                widget=forms.Textarea(attrs={"rows": 2}),
                required=False,
                max_length=MAX_ANSWER,
                help_text=self._addressees(question, organisations),
            )

    def _addressees(self, question: str, organisations: Sequence[Organisation]) -> str:
        """Return “For A and B”, the organisations that are asked the question; "" if all of them are asked."""
        names = [
            organisation.name for organisation in organisations if question in self.questions.get(organisation.pk, ())
        ]
        return f"For {' and '.join(names)}" if len(names) < len(organisations) else ""

    def check_answers(self, data: Mapping[str, Any], decision: str) -> None:
        """Require answers to the questions of the chosen organisation, unless it rejects the version."""
        organisation = data.get("organisation")
        if organisation is None or not decision:
            return
        own_questions = self.questions.get(organisation.pk, ())
        for name, question in self.answer_names.items():
            has_error = name in self.errors
            if question not in own_questions or has_error:
                continue
            try:
                read_answers([question], {question: data.get(name, "")}, decision)
            except InvalidAnswers as error:
                self.add_error(name, str(error))

    def answers(self) -> dict[str, str]:
        """Return the answers by question. The form must be valid."""
        return {question: self.cleaned_data.get(name, "") for name, question in self.answer_names.items()}


class SignForm(AnswersForm, VerdictForm):
    """Approve a version, approve it with a condition, or reject it."""

    verdict_field = "decision"
    needs_words = {
        Decision.CONDITIONAL.value: "Enter your condition.",
        Decision.REJECTED.value: "Enter your reason for rejecting the version.",
    }

    decision = forms.ChoiceField(choices=Decision.choices, widget=forms.RadioSelect, label="Your decision")
    reason = forms.CharField(
        label="Your condition, or your reason for rejecting the version",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=2_000,
        help_text="Leave this empty if you approve.",
    )
    organisation = forms.ModelChoiceField(queryset=Organisation.objects.none(), empty_label=None, label="Organisation")
    number = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        organisations: Sequence[Organisation],
        number: int,
        questions: Mapping[int, Sequence[str]] = NO_QUESTIONS,
    ) -> None:
        """Build the form to decide on the version with this number, for one of the organisations."""
        super().__init__(data, initial={"number": number})
        organisation_ids = [organisation.pk for organisation in organisations]
        field = model_choice_field(self, "organisation")
        field.queryset = Organisation.objects.filter(pk__in=organisation_ids).order_by("name", "pk")
        field.initial = organisations[0] if organisations else None
        if len(organisations) == 1:
            field.widget = forms.HiddenInput()
        self.add_answers(organisations, questions)
        field_names = ("organisation", *self.answer_names, "decision", "reason", "number")
        self.helper = Helper(self, *field_names, submit=f"Sign version {number}")
        # Answers are optional only with a rejection, so the form does not mark them as optional.
        self.helper.mark_optional = not self.answer_names

    def clean(self) -> dict[str, Any]:
        """Require the reason and the answers that the decision needs."""
        data = super().clean()
        self.check_answers(data, data.get("decision", ""))
        return data

    def sent_answers(self) -> list[tuple[str, str]]:
        """Return the answers by the names of their fields, so that the next page can send the answers again."""
        return [(name, self.cleaned_data.get(name, "")) for name in self.answer_names]
