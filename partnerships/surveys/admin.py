"""Surveys in Django admin, where administrators read rounds without their answers and add question sets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from partnerships.kit.administration import NothingDeleted, ReadOnlyAdmin, ShowsRefusals
from partnerships.people.models import User
from partnerships.surveys.models import QuestionSet, Round
from partnerships.surveys.services import UnableToAddQuestions, add_question_set


@admin.register(Round)
class RoundAdmin(ReadOnlyAdmin):
    """Shows the partnership, dates and moderator of each round. Results are visible only to the parties."""

    fields = (
        "partnership",
        "number",
        "question_set",
        "way",
        "status",
        "closes_on",
        "moderator",
        "opened_at",
        "closed_at",
    )
    list_display = ("partnership", "number", "way", "status", "closes_on")
    list_filter = ("status",)
    list_select_related = ("partnership",)
    search_fields = ("partnership__title",)
    ordering = ("-closes_on", "-pk")


class QuestionSetForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """The form to add a version of a question set."""

    questions = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 30, "cols": 100, "spellcheck": "false"}),
        max_length=100_000,
        help_text="Enter the questions as TOML. See “Questions” in docs/surveys.md. You cannot change a saved version.",
    )

    class Meta:
        model = QuestionSet
        fields = ("code",)
        help_texts = {"code": "Enter an existing code to add its next version. New surveys will use that version."}


@admin.register(QuestionSet)
class QuestionSetAdmin(ShowsRefusals, NothingDeleted, admin.ModelAdmin[QuestionSet]):
    """Shows and adds versions of question sets. Saved versions cannot be changed."""

    form = QuestionSetForm
    refusals = (UnableToAddQuestions,)
    list_display = ("code", "version")
    search_fields = ("code",)
    ordering = ("code", "-version", "pk")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, because earlier rounds must keep the questions that people answered."""
        return False

    def get_fields(self, request: HttpRequest, obj: QuestionSet | None = None) -> tuple[str, ...]:
        """Return the fields to add a version, or those of a saved version."""
        return ("code", "version", "content") if obj else ("code", "questions")

    def save_model(self, request: HttpRequest, obj: QuestionSet, form: Any, change: bool) -> None:
        """Add the version through the service, and copy its values to `obj` for Django's message and log."""
        assert isinstance(request.user, User)
        data = form.cleaned_data
        question_set = add_question_set(code=data["code"], text=data["questions"], author=request.user)
        obj.pk, obj.version, obj.content = question_set.pk, question_set.version, question_set.content
        obj._state.adding = False
