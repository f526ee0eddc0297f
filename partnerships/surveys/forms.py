"""Forms to prepare a survey, invite people, answer, moderate comments, and link work to results."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

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
from partnerships.surveys.models import AnswerMode, Comment, QuestionSet
from partnerships.surveys.questions import MAX_COMMENT, SCORES, Questions

#: Whatever separates two addresses in a list.
_SEPARATORS = re.compile(r"[\s,;]+")
_AGREE = {1: "1, disagree", 2: "2", 3: "3", 4: "4", 5: "5, agree"}
#: The language of the pages. Questions may be in another language.
PAGE_LANGUAGE = "en"
_MODERATOR_HELP = (
    "Name a person who has an account and does not belong to any of the members. They agree before the survey opens. "
    "After it closes, they read the comments without scores or groups, and remove anything that identifies a person."
)
#: The choice of people who have no view on a statement. It is not counted as a score.
_NO_VIEW = ("", "No view")


class PrepareForm(Form):
    """The form to prepare a new round, with its title, questions and last day. An anonymous round needs a moderator."""

    title = forms.CharField(label="Title", max_length=120, help_text="For example, “How are we doing? Spring 2027”.")
    question_set = forms.ModelChoiceField(label="Questions", queryset=QuestionSet.objects.none(), empty_label=None)
    way = forms.ChoiceField(
        label="How do people answer?",
        choices=[
            (AnswerMode.ANONYMOUS, "Anonymously (nobody can find out who answered what)"),
            (AnswerMode.NAMED, "By name (the members can read each answer once the survey is over)"),
        ],
        widget=forms.RadioSelect,
        initial=AnswerMode.ANONYMOUS,
    )
    closes_on = DayField(label="Last day to answer")
    moderator = forms.EmailField(
        label="Who reads comments before the members do?",
        help_text=_MODERATOR_HELP,
        required=False,
    )

    def __init__(self, *args: Any, question_sets: Sequence[QuestionSet], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = model_choice_field(self, "question_set")
        field.queryset = QuestionSet.objects.filter(pk__in=[question_set.pk for question_set in question_sets])
        field.initial = question_sets[0].pk if question_sets else None
        self.helper = Helper(self, submit="Prepare survey", cancel=cancel)

    def clean(self) -> dict[str, Any]:
        """Require a moderator for an anonymous round."""
        data = super().clean() or {}
        if data.get("way") == AnswerMode.ANONYMOUS and not data.get("moderator") and "moderator" not in self.errors:
            error = "Enter the address of a person outside the partnership who will read the comments first."
            self.add_error("moderator", error)
        return data


class ModeratorForm(Form):
    """The form to choose another moderator, by email address."""

    address = forms.EmailField(label="Email address", help_text=_MODERATOR_HELP)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save moderator", cancel=cancel)


class JoinForm(Form):
    """The form to ask another partnership to run this survey too."""

    partnership = forms.ModelChoiceField(
        label="Partnership",
        queryset=Partnership.objects.none(),
        widget=AutocompleteSelect,
        help_text="We email its leads, and they accept or decline. Do this before you add people to the survey.",
    )

    def __init__(self, *args: Any, partnerships: QuerySet[Partnership], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_choice_field(self, "partnership").queryset = partnerships
        self.helper = Helper(self, submit="Ask partnership", cancel=cancel)


class AgreeForm(Form):
    """The form in which a moderator agrees to read comments, or declines.

    `list_hash` is the hash of the list that the page showed. If the list has changed since, the service refuses.
    """

    list_hash = forms.CharField(widget=forms.HiddenInput, max_length=64)
    answer = forms.ChoiceField(
        label="Will you read the comments?",
        choices=[("agree", "Yes, I agree to read them"), ("decline", "No, please ask another person")],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Answer")


class InviteForm(Form):
    """The form to invite people who answer for one group of organisations."""

    group = forms.ChoiceField(label="Which group do they answer for?", choices=Group.choices)
    addresses = forms.CharField(
        label="Email addresses",
        help_text="Put each address on its own line, or separate them with commas. People do not need an account.",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 8, "autocapitalize": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Add to survey", cancel=cancel)

    def clean_addresses(self) -> list[str]:
        """Return the addresses in lower case, each once, in the order in which they were entered."""
        addresses: list[str] = []
        for text in _SEPARATORS.split(self.cleaned_data["addresses"]):
            address = text.lower()
            if not address or address in addresses:
                continue
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"“{address}” is not an email address. Correct or remove it.") from None
            addresses.append(address)
        return addresses


def _in_language(language: str, text: str) -> str:
    """Wrap a text in a `span` with its language, unless that is the language of the page (WCAG 3.1.2)."""
    return text if language == PAGE_LANGUAGE else format_html('<span lang="{}">{}</span>', language, text)


class AnswerForm(Form):
    """The form to answer a round with scores, expectations and comments. Only the group is required."""

    group = forms.ChoiceField(label="Which group do you answer for?", widget=forms.RadioSelect)

    def __init__(self, *args: Any, questions: Questions, groups: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._questions = questions
        self._mark_language = partial(_in_language, questions.language)
        self._offer_groups(groups)
        self._add_scores()
        self._add_expectations()
        self._add_comments()
        self.helper = Helper(self, "group", *self._sections(), submit="Send answers")

    def _offer_groups(self, groups: Sequence[str]) -> None:
        """Offer the groups that are asked. If there is only one, choose it."""
        field = choice_field(self, "group")
        field.choices = [(group.value, group.label) for group in Group if group in groups]
        field.initial = groups[0] if len(groups) == 1 else None

    def _add_scores(self) -> None:
        """Add a scale for each statement, from 1 to 5, or “No view”."""
        for dimension in self._questions.dimensions:
            self.fields[f"score-{dimension.key}"] = forms.TypedChoiceField(
                label=self._mark_language(dimension.name),
                help_text=self._mark_language(dimension.statement),
                choices=[*((score, _AGREE[score]) for score in SCORES), _NO_VIEW],
                coerce=int,
                empty_value=None,
                required=False,
                initial="",
                widget=ScaleSelect,
            )

    def _add_expectations(self) -> None:
        """Add a field with checkboxes for each group of organisations that the questions have expectations of."""
        for group in Group:
            expectations = [expectation for expectation in self._questions.expectations if expectation.of == group]
            if not expectations:
                continue
            self.fields[f"expects-{group}"] = forms.MultipleChoiceField(
                label=f"What do you expect of {group.label if group == Group.LEP else group.label.lower()}?",
                choices=[(expectation.key, self._mark_language(expectation.text)) for expectation in expectations],
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )

    def _add_comments(self) -> None:
        """Add a text field for each open question."""
        for comment in self._questions.comments:
            self.fields[f"comment-{comment.key}"] = forms.CharField(
                label=self._mark_language(comment.question),
                help_text="Leave out names, and anything that only you could know.",
                max_length=MAX_COMMENT,
                required=False,
                widget=forms.Textarea(attrs={"rows": 4}),
            )

    def _sections(self) -> Iterator[Section]:
        """Yield a section for each kind of question in the question set."""
        for heading, prefix, hint in (
            ("How much do you agree?", "score-", "From 1 (disagree) to 5 (agree)."),
            ("What you expect", "expects-", ""),
            ("In your own words", "comment-", ""),
        ):
            names = [name for name in self.fields if name.startswith(prefix)]
            if names:
                yield Section(heading, *names, hint=hint)

    def answer(self) -> Answer:
        """Return the answer of a valid form, without the questions that the person did not answer."""
        data, questions = self.cleaned_data, self._questions
        scores = {dimension.key: data.get(f"score-{dimension.key}") for dimension in questions.dimensions}
        comments = {comment.key: data.get(f"comment-{comment.key}", "") for comment in questions.comments}
        expectation_keys: list[str] = []
        for group in Group:
            expectation_keys += data.get(f"expects-{group}", [])
        return Answer(
            group=data["group"],
            scores={key: score for key, score in scores.items() if score is not None},
            expects=expectation_keys,
            comments={key: text for key, text in comments.items() if text.strip()},
        )


class CommentDecisions(NamedTuple):
    """A moderator's decisions on comments, by the ids of the comments."""

    shown_text_by_id: dict[uuid.UUID, str]
    withheld_ids: set[uuid.UUID]


class ModerateForm(Form):
    """The form in which a moderator shows each waiting comment, perhaps in other words, or withholds it."""

    def __init__(self, *args: Any, comments: Sequence[Comment], questions: Questions, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._comments = comments
        prompt_by_key = {comment.key: comment.question for comment in questions.comments}
        for position, survey_comment in enumerate(comments, 1):
            self.fields[f"words-{survey_comment.pk}"] = forms.CharField(
                label=f"Comment {position}: {prompt_by_key.get(survey_comment.question, '')}",
                help_text="Remove names and anything that would identify a person. We delete what you remove.",
                max_length=MAX_COMMENT,
                required=False,
                initial=survey_comment.text,
                widget=forms.Textarea(attrs={"rows": 3}),
            )
            self.fields[f"withhold-{survey_comment.pk}"] = forms.BooleanField(
                label=f"Withhold comment {position}", required=False
            )
        self.helper = Helper(self, submit="Save decisions", danger=True)

    def clean(self) -> dict[str, Any]:
        """Refuse a comment that is neither withheld nor has words to show."""
        cleaned_data = super().clean() or self.cleaned_data
        for comment in self._comments:
            words_field = f"words-{comment.pk}"
            is_withheld = cleaned_data.get(f"withhold-{comment.pk}", False)
            # A field with another error, such as a text that is too long, has no cleaned value.
            is_blank = words_field in cleaned_data and not cleaned_data[words_field]
            if is_blank and not is_withheld:
                self.add_error(words_field, "Enter the words to show, or withhold the comment.")
        return cleaned_data

    def decisions(self) -> CommentDecisions:
        """Return the decisions in a valid form."""
        decisions = CommentDecisions(shown_text_by_id={}, withheld_ids=set())
        for comment in self._comments:
            if self.cleaned_data[f"withhold-{comment.pk}"]:
                decisions.withheld_ids.add(comment.pk)
            else:
                decisions.shown_text_by_id[comment.pk] = self.cleaned_data[f"words-{comment.pk}"]
        return decisions


class ActionForm(Form):
    """The form to link existing work to a result, for example a commitment or a meeting of the partnership."""

    theme = forms.ChoiceField(label="Result")
    thing = forms.ChoiceField(
        label="What was done", help_text="Choose something that is already recorded in this partnership."
    )

    def __init__(
        self,
        *args: Any,
        themes: Sequence[tuple[str, str]],
        things: Sequence[tuple[str, Sequence[tuple[str, str]]]],
        cancel: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        choice_field(self, "theme").choices = themes
        # Headings without a choice below them are left out.
        choice_field(self, "thing").choices = [(heading, choices) for heading, choices in things if choices]
        self.helper = Helper(self, submit="Add link", cancel=cancel)
