"""Pages to answer a survey with the link in an email. Nobody is signed in here (`AnonymousSurveyMiddleware`)."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language_info
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.surveys import services
from partnerships.surveys.counting import Answer
from partnerships.surveys.forms import AnswerForm
from partnerships.surveys.links import read_link
from partnerships.surveys.models import Round, Token
from partnerships.surveys.questions import Questions
from partnerships.surveys.sealing import token_hash

_FORM = require_http_methods(["GET", "HEAD", "POST"])


@login_not_required
@_FORM
def answer_anonymously(request: HttpRequest, token: str) -> HttpResponse:
    """Answer an anonymous round. The link works until an answer has been sent."""
    tokens = Token.objects.filter(hash=token_hash(token)).select_related("round__question_set", "round__partnership")
    unused_token = tokens.first()
    if unused_token is None or not unused_token.round.takes_answers(timezone.now()):
        return _over_page(request)

    def save(submitted: Answer) -> None:
        services.answer_by_token(token=token, answer=submitted, now=timezone.now())

    return _question_page(request, unused_token.round, save)


@login_not_required
@_FORM
def answer_by_name(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a round by name, or change the answer, until the round is over."""
    invitation = read_link(token)
    if invitation is None or not invitation.round.takes_answers(timezone.now()):
        return _over_page(request)

    def save(submitted: Answer) -> None:
        services.answer_by_name(invitation=invitation, answer=submitted, now=timezone.now())

    return _question_page(request, invitation.round, save)


def _question_page(request: HttpRequest, survey_round: Round, save: Callable[[Answer], None]) -> HttpResponse:
    """Return the page of questions, or save a valid answer and redirect to the page of thanks."""
    questions = survey_round.questions(request.GET.get("language", ""))
    form = AnswerForm(post_data(request), questions=questions, groups=sorted(survey_round.asked))

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToAnswer):
            save(form.answer())
            return redirect("surveys:thanks")

    response = form_page(
        request,
        "surveys/answer.html",
        form,
        round=survey_round,
        partnership=survey_round.partnership,
        languages=_other_languages(survey_round, questions),
    )
    add_never_cache_headers(response)
    return response


def _other_languages(survey_round: Round, questions: Questions) -> list[tuple[str, str]]:
    """Return the code and the native name of each other language of the questions."""
    codes = [code for code in survey_round.question_set.content["languages"] if code != questions.language]
    return [(code, get_language_info(code)["name_local"]) for code in codes]


def _over_page(request: HttpRequest) -> HttpResponse:
    """Show the page for a link that no longer works, with status 410."""
    return render(request, "surveys/over.html", status=410)


@login_not_required
@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Show the page after an answer. It is the same for everyone."""
    return render(request, "surveys/thanks.html")
