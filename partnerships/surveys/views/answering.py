"""Answer a survey by the link in an email.

Nobody is signed in here (`AnonymousSurveyMiddleware`).
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language_info
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.http import form_page, posted
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
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Answer an anonymous round once. The link works until an answer was sent."""
    tokens = Token.objects.filter(hash=token_hash(token)).select_related("round__question_set", "round__partnership")
    survey_round = tokens.first()
    if survey_round is None or not survey_round.round.takes_answers(timezone.now()):
        return _over(request)
    return _page(
        request, survey_round.round, lambda said: services.answer_by_token(token=token, answer=said, now=timezone.now())
    )


@login_not_required
@_FORM
def answer_by_name(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a round by name.

    The answer can be changed until the round is over.
    """
    invitation = read_link(token)
    if invitation is None or not invitation.round.takes_answers(timezone.now()):
        return _over(request)
    return _page(
        request,
        invitation.round,
        lambda said: services.answer_by_name(invitation=invitation, answer=said, now=timezone.now()),
    )


def _page(request: HttpRequest, survey_round: Round, send: Callable[[Answer], None]) -> HttpResponse:
    """The page of questions; a valid answer goes to `send`."""
    questions = survey_round.questions(request.GET.get("language", ""))
    form = AnswerForm(posted(request), questions=questions, groups=sorted(survey_round.asked))
    if form.is_valid():
        try:
            send(form.answer())
        except services.UnableToAnswer as error:
            form.add_error(None, str(error))
        else:
            return redirect("surveys:thanks")
    context = {
        "found": survey_round,
        "partnership": survey_round.partnership,
        "languages": _others(survey_round, questions),
    }
    response = form_page(request, "surveys/answer.html", form, **context)
    add_never_cache_headers(response)
    return response


def _others(survey_round: Round, questions: Questions) -> list[tuple[str, str]]:
    """The other languages of the questions, each by its own name."""
    languages = [
        get_language_info(code) for code in survey_round.question_set.content["languages"] if code != questions.language
    ]
    return [(language["code"], language["name_local"]) for language in languages]


def _over(request: HttpRequest) -> HttpResponse:
    return render(request, "surveys/over.html", status=410)


@login_not_required
@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """After an answer; the same page for everybody."""
    return render(request, "surveys/thanks.html")
