"""Forms of surveys: prepare, invite, answer, moderate, link an action."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils.html import format_html

from partnerships.agreements.models import Partnership
from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import AutocompleteSelect, DayField, Form, Helper, ScaleSelect, Section
from partnerships.surveys.bodies import Group
from partnerships.surveys.counting import Answer
from partnerships.surveys.models import Comment, QuestionSet, Way
from partnerships.surveys.questions import MAX_COMMENT, SCORES, Questions

_BETWEEN = re.compile(r"[\s,;]+")
_AGREE = {1: "1, disagree", 2: "2", 3: "3", 4: "4", 5: "5, agree"}
#: The language of everything but the questions.
PAGE_LANGUAGE = "en"
_MODERATOR = (
    "Somebody who has an account and does not belong to any of the members. They agree before the "
    "survey opens, and read comments after it, without scores or groups, to remove anything that "
    "would identify somebody."
)
#: Nothing chosen: the person has no view.
_NO_VIEW = ("", "No view")


class PrepareForm(Form):
    """A new round."""

    title = forms.CharField(label="Title", max_length=120, help_text="Such as “How are we doing? Spring 2027”.")
    question_set = forms.ModelChoiceField(label="Questions", queryset=QuestionSet.objects.none(), empty_label=None)
    way = forms.ChoiceField(
        label="How do people answer?",
        choices=[
            (Way.ANONYMOUS, "Anonymously: nobody can find out who answered what"),
            (Way.NAMED, "By name: the members can read each answer once the survey is over"),
        ],
        widget=forms.RadioSelect,
        initial=Way.ANONYMOUS,
    )
    closes_on = DayField(label="Last day to answer")
    moderator = forms.EmailField(
        label="Who reads comments before the members do?",
        help_text=_MODERATOR,
        required=False,
    )

    def __init__(self, *args: Any, sets: Sequence[QuestionSet], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = model_choice_field(self, "question_set")
        field.queryset = QuestionSet.objects.filter(pk__in=[question_set.pk for question_set in sets])
        field.initial = sets[0].pk if sets else None
        self.helper = Helper(self, submit="Prepare survey", cancel=cancel)

    def clean(self) -> dict[str, Any]:
        """An anonymous round needs a moderator."""
        data = super().clean() or {}
        if data.get("way") == Way.ANONYMOUS and not data.get("moderator") and "moderator" not in self.errors:
            self.add_error("moderator", "Enter somebody from outside the partnership to read comments first")
        return data


class NameForm(Form):
    """Somebody else to read comments."""

    address = forms.EmailField(label="Email address", help_text=_MODERATOR)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save name", cancel=cancel)


class JoinForm(Form):
    """Another partnership to run a survey with."""

    partnership = forms.ModelChoiceField(
        label="Partnership",
        queryset=Partnership.objects.none(),
        widget=AutocompleteSelect,
        help_text="Its leads get an email that names your partnership, and accept or decline. Ask before you add "
        "people.",
    )

    def __init__(self, *args: Any, partnerships: QuerySet[Partnership], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_choice_field(self, "partnership").queryset = partnerships
        self.helper = Helper(self, submit="Ask partnership", cancel=cancel)


class AgreeForm(Form):
    """The moderator agrees, to the list of people that was shown, or declines."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)
    answer = forms.ChoiceField(
        label="Will you read the comments?",
        choices=[("agree", "Yes, I agree to read them"), ("decline", "No, they should ask somebody else")],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Answer")


class InviteForm(Form):
    """People of one group of bodies."""

    group = forms.ChoiceField(label="Which group do they answer for?", choices=Group.choices)
    addresses = forms.CharField(
        label="Email addresses",
        help_text="One on each line, or separated by commas. They do not need an account.",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 8, "autocapitalize": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Add to survey", cancel=cancel)

    def clean_addresses(self) -> list[str]:
        """The addresses, each once."""
        addresses = list(
            dict.fromkeys(address.lower() for address in _BETWEEN.split(self.cleaned_data["addresses"]) if address)
        )
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"“{address}” is not an email address. Correct or remove it.") from None
        return addresses


def _in_language(language: str, text: str) -> str:
    """A text of a question, marked if its language is not that of the page."""
    return text if language == PAGE_LANGUAGE else format_html('<span lang="{}">{}</span>', language, text)


class AnswerForm(Form):
    """The questions of a round: scores, expectations, comments.

    Everything may be left out but the group.
    """

    group = forms.ChoiceField(label="Which group do you answer for?", widget=forms.RadioSelect)

    def __init__(self, *args: Any, questions: Questions, groups: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._questions = questions
        self._words = partial(_in_language, questions.language)
        self._offer_groups(groups)
        self._add_scores()
        self._add_expectations()
        self._add_comments()
        self.helper = Helper(self, "group", *self._sections(), submit="Send answers")

    def _offer_groups(self, groups: Sequence[str]) -> None:
        """Offer the groups that are asked; one alone is chosen already."""
        field = choice_field(self, "group")
        field.choices = [(group.value, group.label) for group in Group if group in groups]
        field.initial = groups[0] if len(groups) == 1 else None

    def _add_scores(self) -> None:
        for dimension in self._questions.dimensions:
            self.fields[f"score-{dimension.key}"] = forms.TypedChoiceField(
                label=self._words(dimension.name),
                help_text=self._words(dimension.statement),
                choices=[*((score, _AGREE[score]) for score in SCORES), _NO_VIEW],
                coerce=int,
                empty_value=None,
                required=False,
                initial="",
                widget=ScaleSelect,
            )

    def _add_expectations(self) -> None:
        """Tick boxes, grouped by the organisations that something can be expected of."""
        for group in Group:
            expectations = [expectation for expectation in self._questions.expectations if expectation.of == group]
            if not expectations:
                continue
            self.fields[f"expects-{group}"] = forms.MultipleChoiceField(
                label=f"What do you expect of {group.label if group == Group.LEP else group.label.lower()}?",
                choices=[(expectation.key, self._words(expectation.text)) for expectation in expectations],
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )

    def _add_comments(self) -> None:
        for comment in self._questions.comments:
            self.fields[f"comment-{comment.key}"] = forms.CharField(
                label=self._words(comment.question),
                help_text="Leave out names, and anything that only you could know.",
                max_length=MAX_COMMENT,
                required=False,
                widget=forms.Textarea(attrs={"rows": 4}),
            )

    def _sections(self) -> Iterator[Section]:
        """A section for each kind of question that the set has."""
        for heading, begins, hint in (
            ("How much do you agree?", "score-", "From 1 (disagree) to 5 (agree)."),
            ("What you expect", "expects-", ""),
            ("In your own words", "comment-", ""),
        ):
            names = [name for name in self.fields if name.startswith(begins)]
            if names:
                yield Section(heading, *names, hint=hint)

    def answer(self) -> Answer:
        """The answer of a valid form."""
        data, questions = self.cleaned_data, self._questions
        scores = {dimension.key: data.get(f"score-{dimension.key}") for dimension in questions.dimensions}
        comments = {comment.key: data.get(f"comment-{comment.key}", "") for comment in questions.comments}
        expects: list[str] = []
        for group in Group:
            expects += data.get(f"expects-{group}", [])
        return Answer(
            group=data["group"],
            scores={key: score for key, score in scores.items() if score is not None},
            expects=expects,
            comments={key: text for key, text in comments.items() if text.strip()},
        )


class ModerateForm(Form):
    """Each comment that waits: the words to show, or withheld."""

    def __init__(self, *args: Any, comments: Sequence[Comment], questions: Questions, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._comments = comments
        questions_asked = {comment.key: comment.question for comment in questions.comments}
        for place, survey_comment in enumerate(comments, 1):
            self.fields[f"words-{survey_comment.pk}"] = forms.CharField(
                label=f"Comment {place}: {questions_asked.get(survey_comment.question, '')}",
                help_text="Remove names and anything that would identify somebody. What you remove is deleted.",
                max_length=MAX_COMMENT,
                required=False,
                initial=survey_comment.text,
                widget=forms.Textarea(attrs={"rows": 3}),
            )
            self.fields[f"withhold-{survey_comment.pk}"] = forms.BooleanField(
                label=f"Withhold comment {place}", required=False
            )
        self.helper = Helper(self, submit="Save decisions", danger=True)

    def decisions(self) -> tuple[dict[Any, str], set[Any]]:
        """What is shown in which words, and what is withheld."""
        withheld = {comment.pk for comment in self._comments if self.cleaned_data[f"withhold-{comment.pk}"]}
        shown = {
            comment.pk: self.cleaned_data[f"words-{comment.pk}"]
            for comment in self._comments
            if comment.pk not in withheld
        }
        return shown, withheld


class ActionForm(Form):
    """Link something of the partnership to a theme."""

    theme = forms.ChoiceField(label="Result")
    thing = forms.ChoiceField(label="What was done", help_text="You can only choose something that already exists.")

    def __init__(
        self,
        *args: Any,
        themes: Sequence[tuple[str, str]],
        things: Sequence[tuple[str, Sequence[tuple[str, str]]]],
        cancel: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("theme", themes), ("thing", [thing for thing in things if thing[1]])):
            choice_field(self, name).choices = choices
        self.helper = Helper(self, submit="Add link", cancel=cancel)
