"""Decide on a version, and answer the questions that come with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from partnerships.documents.models import Decision
from partnerships.documents.services import MAX_ANSWER, InvalidAnswers, read_answers, read_questions
from partnerships.kit.forms import Form, Helper, VerdictForm
from partnerships.organisations.models import Organisation

NO_QUESTIONS: Mapping[int, Sequence[str]] = MappingProxyType({})


class QuestionsField(forms.CharField):
    """Questions to a signatory, one on each line; cleans to a list."""

    def __init__(self, **kwargs: Any) -> None:
        hint = "One on each line. They answer with their decision, and the answers are kept with it."
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), max_length=4_000, **{"help_text": hint, **kwargs})

    def clean(self, value: Any) -> list[str]:
        """The questions."""
        try:
            return read_questions(super().clean(value).splitlines())
        except InvalidAnswers as error:
            raise ValidationError(str(error), code="invalid") from error


class AnswersForm(Form):
    """A form that asks the questions put to an organisation.

    A form adds its fields with `add_answers` and checks them in `clean` with `check_answers`.
    """

    questions: Mapping[int, Sequence[str]] = NO_QUESTIONS
    answer_names: Mapping[str, str] = MappingProxyType({})

    def add_answers(self, organisations: Sequence[Organisation], questions: Mapping[int, Sequence[str]]) -> None:
        """Add a field for each question to these organisations."""
        self.questions = questions
        every = dict.fromkeys(question for body in organisations for question in questions.get(body.pk, ()))
        self.answer_names = {f"answer_{place}": question for place, question in enumerate(every)}
        for name, question in self.answer_names.items():
            self.fields[name] = forms.CharField(
                label=question,
                widget=forms.Textarea(attrs={"rows": 2}),
                required=False,
                max_length=MAX_ANSWER,
                help_text=self._asked_of(question, organisations),
            )

    def _asked_of(self, question: str, organisations: Sequence[Organisation]) -> str:
        """Names the organisations that are asked, if the person speaks for several."""
        asked = [body.name for body in organisations if question in self.questions.get(body.pk, ())]
        return f"For {' and '.join(asked)}" if len(asked) < len(organisations) else ""

    def check_answers(self, data: Mapping[str, Any], decision: str) -> None:
        """The questions to the chosen organisation need answers, unless it rejects."""
        organisation = data.get("organisation")
        asked = self.questions.get(organisation.pk, ()) if organisation is not None and decision else ()
        for name, question in self.answer_names.items():
            if question in asked and name not in self.errors:
                try:
                    read_answers([question], {question: data.get(name, "")}, decision)
                except InvalidAnswers as error:
                    self.add_error(name, str(error))

    def answers(self) -> dict[str, str]:
        """The answers by question, once valid."""
        return {question: self.cleaned_data.get(name, "") for name, question in self.answer_names.items()}


class SignForm(AnswersForm, VerdictForm):
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

    def __init__(
        self,
        data: Any = None,
        *,
        organisations: Sequence[Organisation],
        number: int,
        questions: Mapping[int, Sequence[str]] = NO_QUESTIONS,
    ) -> None:
        super().__init__(data, initial={"number": number})
        pks = [organisation.pk for organisation in organisations]
        field = self.fields["organisation"]
        field.queryset = Organisation.objects.filter(pk__in=pks).order_by("name", "pk")  # type: ignore[attr-defined]  # a ModelChoiceField
        field.initial = organisations[0] if organisations else None
        if len(pks) == 1:
            field.widget = forms.HiddenInput()
        self.add_answers(organisations, questions)
        names = ("organisation", *self.answer_names, "decision", "reason", "number")
        self.helper = Helper(self, *names, submit=f"Sign version {number}")
        self.helper.mark_optional = not self.answer_names  # an answer may be left out only with a rejection

    def clean(self) -> dict[str, Any]:
        """The words and answers that the decision needs."""
        data = super().clean()
        self.check_answers(data, data.get("decision", ""))
        return data

    def sent_answers(self) -> list[tuple[str, str]]:
        """The answers by the name of their field, to send them once more."""
        return [(name, self.cleaned_data.get(name, "")) for name in self.answer_names]
