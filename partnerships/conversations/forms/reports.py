"""Forms of progress reports."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from partnerships.agreements.models import Party, PartyRole
from partnerships.conversations.models import Period, Report, ReportingRound
from partnerships.conversations.reporting import MAX_DUE_DAYS, USUAL_QUESTIONS, Question
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import DayField, Form, Helper
from partnerships.kit.forms import ReasonForm as KitReasonForm

#: Limit of questions in a round of progress reports.
MAX_QUESTIONS = 20
#: Limit of characters in a question's heading.
MAX_HEADING = 120
#: Limit of characters in the text below a question's heading.
MAX_PROMPT = 300
#: Limit of characters in an answer.
MAX_ANSWER = 10_000


def questions_as_lines(questions: Sequence[Question]) -> str:
    """Return questions as lines of `Heading: prompt`, or `Heading` for a question without a prompt."""
    lines = []
    for question in questions:
        heading, prompt = question["heading"], question["prompt"]
        lines.append(f"{heading}: {prompt}" if prompt else heading)
    return "\n".join(lines)


def questions_from_lines(text: str, old_questions: Sequence[Question]) -> list[Question]:
    """Return the questions in lines of `Heading: prompt`.

    A question keeps its code as long as its heading stays, because answers are stored by code. Raises ValidationError
    if a line has no heading or is too long, if a heading occurs twice, or if there are too many questions.
    """
    code_by_heading = {question["heading"]: question["code"] for question in old_questions}
    questions = []
    for line in text.splitlines():
        if not line.strip():
            continue
        heading, prompt = _heading_and_prompt(line)
        if heading not in code_by_heading:
            code_by_heading[heading] = _new_code(code_by_heading.values())
        questions.append(Question(code=code_by_heading[heading], heading=heading, prompt=prompt))

    headings = {question["heading"] for question in questions}
    if len(headings) < len(questions):
        raise ValidationError("Use each heading once.")
    if len(questions) > MAX_QUESTIONS:
        raise ValidationError(f"Ask at most {MAX_QUESTIONS} questions.")
    return questions


def _heading_and_prompt(line: str) -> tuple[str, str]:
    """Return the two parts of a line. Raises ValidationError if there is no heading, or one part is too long."""
    heading, _colon, prompt = (part.strip() for part in line.partition(":"))
    if not heading:
        raise ValidationError("Begin each line with a heading.")
    if len(heading) > MAX_HEADING or len(prompt) > MAX_PROMPT:
        raise ValidationError(
            f"“{heading[:40]}” is too long. Use at most {MAX_HEADING} characters before the colon, and {MAX_PROMPT} "
            "after it."
        )
    return heading, prompt


def _new_code(used_codes: Collection[str]) -> str:
    """Return the first of the codes q1, q2 and so on that no question has."""
    return next(f"q{number}" for number in range(1, 1000) if f"q{number}" not in used_codes)


class PartyChoiceField(forms.ModelMultipleChoiceField[Party]):
    """A choice of partners of a partnership, by the names of their organisations."""

    def label_from_instance(self, obj: Party) -> str:
        """Return the organisation's name."""
        return obj.organisation.name


class ReportingForm(Form):
    """The form to set up a partnership's progress reports, or to change them."""

    period = forms.ChoiceField(label="How often?", choices=Period.choices, widget=forms.RadioSelect)
    starts_on = DayField(
        label="First day of the first period",
        help_text="For example 1 4 2026. The first period can be up to 12 periods ago.",
    )
    due_days = forms.IntegerField(
        label="Working days until a report is due",
        min_value=1,
        max_value=MAX_DUE_DAYS,
        initial=15,
        help_text="We count from the end of each period. Weekends and bank holidays do not count.",
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
    )
    parties = PartyChoiceField(
        label="Which organisations report?",
        queryset=Party.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="Observers do not report. Organisations that join later report too.",
    )
    questions = forms.CharField(
        label="Questions",
        max_length=8_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Put each question on its own line, with a heading, a colon, and what to write about.",
    )

    def __init__(
        self, *args: Any, parties: Sequence[Party], running_round: ReportingRound | None, cancel: str, **kwargs: Any
    ) -> None:
        """Build the form to change `running_round`, or to start a round if it is None.

        `parties` are all parties that can report.
        """
        self._parties = parties
        self._old_questions: Sequence[Question] = running_round.questions if running_round else USUAL_QUESTIONS
        kwargs["initial"] = self._initial(running_round)
        super().__init__(*args, **kwargs)
        rows = Party.objects.filter(pk__in=[party.pk for party in parties])
        model_choice_field(self, "parties").queryset = rows.select_related("organisation")
        self.helper = Helper(self, submit="Save reporting settings", cancel=cancel)

    def _initial(self, running_round: ReportingRound | None) -> dict[str, Any]:
        """Return the settings of the running round, or the usual settings for a new round."""
        initial: dict[str, Any] = {
            "period": Period.QUARTER,
            "questions": questions_as_lines(self._old_questions),
            "parties": [party.pk for party in self._parties],
        }
        if running_round is None:
            return initial
        exempt_party_ids = set(running_round.exemptions.values_list("party", flat=True))
        return initial | {
            "period": running_round.period,
            "starts_on": running_round.starts_on,
            "due_days": running_round.due_days,
            "parties": [party.pk for party in self._parties if party.pk not in exempt_party_ids],
        }

    def clean_questions(self) -> list[Question]:
        """Return the lines of the field as questions."""
        return questions_from_lines(self.cleaned_data["questions"], self._old_questions)

    def clean(self) -> dict[str, Any]:
        """Replace the chosen parties by the parties that were not chosen, which are exempt."""
        data = super().clean() or {}
        if "parties" in data:
            chosen_ids = {party.pk for party in data.pop("parties")}
            data["exempt"] = [party for party in self._parties if party.pk not in chosen_ids]
        return data


def reporting_parties(partnership_id: int) -> list[Party]:
    """Return the present parties that can report, ordered by name; observers do not report."""
    parties = Party.objects.accepted().filter(partnership=partnership_id).exclude(role=PartyRole.OBSERVER)
    return list(parties.select_related("organisation").order_by("organisation__name", "pk"))


def _fingerprint(text: str) -> str:
    """Return a short hash of a text, which shows whether the text was changed."""
    return hashlib.sha256(text.strip().replace("\r\n", "\n").encode()).hexdigest()[:16]


class ReportForm(Form):
    """The form to answer the questions of a report.

    A hidden hash of each answer, as the writer was shown it, shows which answers the writer changed.
    Only these are saved.
    """

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, report: Report, **kwargs: Any) -> None:
        initial: dict[str, Any] = {"revision": report.revision}
        for question in report.questions:
            code = question["code"]
            initial[code] = report.answers.get(code, "")
            initial[f"{code}-seen"] = _fingerprint(initial[code])
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        for question in report.questions:
            self.fields[question["code"]] = forms.CharField(
                label=question["heading"],
                required=False,
                max_length=MAX_ANSWER,
                help_text=question["prompt"],
                widget=forms.Textarea(attrs={"rows": 6}),
            )
            self.fields[f"{question['code']}-seen"] = forms.CharField(
                required=False, max_length=16, widget=forms.HiddenInput
            )
        self._codes = [question["code"] for question in report.questions]
        self.helper = Helper(
            self,
            submit="Save report",
            secondary=("submit", "Save and continue to submit"),
            cancel=report.get_absolute_url(),
        )

    @property
    def changed_answers(self) -> dict[str, str]:
        """Return the answers that the writer changed, by the code of the question."""
        data = self.cleaned_data
        changed_codes = [code for code in self._codes if _fingerprint(data[code]) != data[f"{code}-seen"]]
        return {code: data[code] for code in changed_codes}


class SubmitForm(Form):
    """The form to submit a report. The hidden `revision` is the revision that the person read."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Submit report", cancel=cancel)


class DecisionForm(Form):
    """The form to accept a report, or to return it with a reason.

    `number` is the number of the submission that the person has seen.
    """

    number = forms.IntegerField(widget=forms.HiddenInput)
    decision = forms.ChoiceField(
        label="Your decision",
        choices=[("accepted", "Accept the report"), ("returned", "Return the report")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="What is missing?",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="You must say why if you return the report. All partners can read your answer.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save decision", cancel=cancel)

    def clean(self) -> dict[str, Any]:
        """Require a reason for returning the report."""
        data = super().clean() or {}
        if data.get("decision") == "returned" and not data.get("reason", "").strip():
            self.add_error("reason", "Enter what is missing.")
        return data


class EndForm(KitReasonForm):
    """The form to end progress reports, with a reason."""

    danger = True
    reason = forms.CharField(
        label="Why are you ending the progress reports?", max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )
