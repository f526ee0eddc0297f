"""Forms with which stakeholders answer, and with which owners ask questions and decide about answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from partnerships.kit.choice_fields import choice_field
from partnerships.kit.forms import DayField, Form, Helper, ReasonForm
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan


class _ByLinkForm(Form):
    """Base of the forms behind a link in an email.

    These forms work without cookies for people who are not signed in. The signed token in the hidden field `form`
    replaces the CSRF token.
    """

    form = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, submit: str, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit=submit, cancel=cancel)
        self.helper.disable_csrf = True


class CommentForm(_ByLinkForm):
    """Comment on a plan or on one piece of the plan."""

    anchor = forms.ChoiceField(label="What is your comment about?", required=False)
    text = forms.CharField(label="Your comment", max_length=5_000, widget=forms.Textarea(attrs={"rows": 6}))

    def __init__(self, *args: Any, anchors: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, submit="Send comment", **kwargs)
        choice_field(self, "anchor").choices = [("", "The whole plan"), *anchors]


class QuestionAnswerForm(_ByLinkForm):
    """Answer a question about a plan."""

    text = forms.CharField(label="Your answer", max_length=5_000, widget=forms.Textarea(attrs={"rows": 6}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, submit="Send answer", **kwargs)


class ColleagueForm(_ByLinkForm):
    """Name a colleague who should get a plan."""

    name = forms.CharField(label="Their name", max_length=150)
    email = forms.EmailField(
        label="Their email address",
        max_length=254,
        help_text="We do not email your colleague yet. If the plan’s owner agrees, we first ask your colleague whether "
        "they want to follow the plan.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, submit="Name colleague", **kwargs)


class OwnNameForm(_ByLinkForm):
    """Correct the stakeholder's own name and role."""

    name = forms.CharField(label="Your name", max_length=150)
    role = forms.CharField(
        label="Your role", max_length=150, required=False, help_text="For example, “Chair of the tenants’ panel”."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, submit="Save name and role", **kwargs)


class RefuseForm(ReasonForm):
    """Refuse an answer."""

    danger = True
    reason = forms.CharField(
        label="Why are you not showing this answer?",
        help_text="We email your reason to the person who answered.",
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class QuestionForm(Form):
    """Ask a question about a plan."""

    title = forms.CharField(label="Your question", max_length=200)
    body = forms.CharField(label="Details", required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 4}))
    closes_on = DayField(label="Last day for answers")

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Ask question", cancel=cancel)


class ReplyForm(Form):
    """Confirm a reply by email, for one plan."""

    plan = forms.ChoiceField(label="Which plan is your comment about?")
    text = forms.CharField(label="Your comment", max_length=5_000, widget=forms.Textarea(attrs={"rows": 8}))

    def __init__(self, *args: Any, plans: Sequence[Plan], by_link: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan_field = choice_field(self, "plan")
        plan_field.choices = [(str(plan.pk), plan.title) for plan in plans]
        if len(plans) == 1:
            plan_field.initial = str(plans[0].pk)
            plan_field.widget = forms.HiddenInput()
        self.helper = Helper(self, submit="Confirm comment", secondary=("drop", "Delete email"))
        self.helper.disable_csrf = by_link


class ForwardedForm(Form):
    """Turn a forwarded email into a draft conversation.

    `own_organisations` are the organisations to which the conversation may belong, and `other_choices` those that may
    have taken part.
    """

    organisation = forms.ChoiceField(label="Which of your organisations had this conversation?")
    subject = forms.CharField(label="Subject", max_length=200)
    held_on = DayField(label="Date of the email")
    others = forms.MultipleChoiceField(label="Other organisations that took part", widget=forms.CheckboxSelectMultiple)
    said = forms.CharField(label="What was said", max_length=50_000, widget=forms.Textarea(attrs={"rows": 12}))

    def __init__(
        self,
        *args: Any,
        own_organisations: Sequence[Organisation],
        other_choices: Sequence[Organisation],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        choice_field(self, "organisation").choices = _organisation_choices(own_organisations)
        choice_field(self, "others").choices = _organisation_choices(other_choices)
        if len(own_organisations) == 1:
            self.fields["organisation"].initial = str(own_organisations[0].pk)
            self.fields["organisation"].widget = forms.HiddenInput()
        self.helper = Helper(self, submit="Save draft conversation", secondary=("drop", "Delete email"))


def _organisation_choices(organisations: Sequence[Organisation]) -> list[tuple[str, str]]:
    """Return choices of organisations by name."""
    return [(str(organisation.pk), organisation.display_name) for organisation in organisations]
