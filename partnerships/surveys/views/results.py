"""The page of a round with its results, its PDF, and links from results to work."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.models import Partnership
from partnerships.documents.downloads import pdf_response
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.surveys import services
from partnerships.surveys.forms import ActionForm
from partnerships.surveys.models import NamedAnswer, Round
from partnerships.surveys.presenting import (
    answer_count_in_words,
    expectation_shares,
    floor_in_words,
    means_chart,
    means_lines,
)
from partnerships.surveys.queries.results import (
    actions_of,
    actions_to_choose,
    benchmark_by_dimension,
    comparable_rounds,
    named_answers,
    shown_comments,
)
from partnerships.surveys.questions import Questions
from partnerships.surveys.views.rounds import draft_context, open_round

#: The table of means has at most this many earlier rounds.
MAX_EARLIER_ROUNDS = 3


@require_safe
def detail(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show a draft with its list of people, an open round without figures, or a closed round with its results."""
    user, survey_round, rights = open_round(request, pk, number)
    context: dict[str, Any] = {
        "round": survey_round,
        "partnership": rights.own_partnership,
        "partnerships": rights.partnerships,
        "rights": rights,
    }
    if survey_round.is_draft:
        context |= draft_context(survey_round, user)
    elif survey_round.is_closed:
        context |= results_context(survey_round, user)
    return render(request, "surveys/detail.html", context)


def results_context(survey_round: Round, user: User) -> dict[str, Any]:
    """Return the context of the results of a closed round, for its page and its PDF."""
    # The last of these rounds is the closed round itself, with its figures.
    *earlier_rounds, closed_round = comparable_rounds(survey_round)
    previous_round = earlier_rounds[-1] if earlier_rounds else None
    if survey_round.is_anonymous:
        results = _anonymous_results(survey_round, closed_round, earlier_rounds)
    else:
        questions = survey_round.questions()
        results = {"answers": [_answer_context(answer, questions) for answer in named_answers(survey_round)]}
    return {**results, "done": _work_by_theme(survey_round, previous_round, user)}


def _anonymous_results(survey_round: Round, closed_round: Round, earlier_rounds: list[Round]) -> dict[str, Any]:
    """Return the figures of an anonymous round, with those of the rounds before, and the comments to show."""
    questions = survey_round.questions()
    trend = [earlier_round for earlier_round in earlier_rounds if earlier_round.is_anonymous][-MAX_EARLIER_ROUNDS:]
    headings, lines = means_lines(closed_round, questions, trend, benchmark_by_dimension(survey_round))
    chart = ""
    if closed_round.figures.all():
        chart = means_chart(closed_round, questions, trend[-1] if trend else None)
    text_by_key = shown_comments(survey_round)
    return {
        "answered": answer_count_in_words(survey_round),
        "floor": floor_in_words(survey_round),
        "headings": headings,
        "lines": lines,
        "gaps": [(line.name, line.gap) for line in lines if line.gap],
        "shares": expectation_shares(closed_round, questions),
        "chart": chart,
        "comments": [
            (comment.question, text_by_key[comment.key]) for comment in questions.comments if comment.key in text_by_key
        ],
    }


def _answer_context(answer: NamedAnswer, questions: Questions) -> dict[str, Any]:
    """Return an answer by name for the page."""
    return {
        "person": answer.person,
        "group": answer.get_group_display(),
        "scores": [(dimension.name, answer.scores.get(dimension.key, "no view")) for dimension in questions.dimensions],
        "expects": [expectation.text for expectation in questions.expectations if expectation.key in answer.expects],
        "comments": [
            (comment.question, answer.comments[comment.key])
            for comment in questions.comments
            if answer.comments.get(comment.key)
        ],
    }


def _work_by_theme(
    survey_round: Round, previous_round: Round | None, user: User
) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Return the work that followed this round and the previous one, by the name of its theme."""
    rounds = [previous_round, survey_round] if previous_round is not None else [survey_round]
    name_by_theme: dict[str, str] = {}
    for followed_round in rounds:
        name_by_theme.update(followed_round.questions().themes())

    actions_by_result = actions_of(rounds, user)
    work_by_theme = []
    for theme, name in name_by_theme.items():
        work: list[tuple[str, Any]] = []
        for followed_round in rounds:
            actions = actions_by_result.get((followed_round.pk, theme), [])
            work += [(f"after round {followed_round.number}", action) for action in actions]
        if work:
            work_by_theme.append((name, work))
    return work_by_theme


@require_http_methods(["GET", "HEAD", "POST"])
def link_action(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Link existing work to a result, or start a new objective, ask, conversation or commitment from it."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_act)
    if not survey_round.is_closed:
        raise Http404
    theme = request.GET.get("theme", "")
    form = ActionForm(
        post_data(request),
        themes=list(survey_round.questions().themes().items()),
        things=actions_to_choose(survey_round, user),
        cancel=survey_round.get_absolute_url(),
        initial={"theme": theme},
    )

    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with show_refusal(form, services.UnableToLink, field="thing"):
            services.link_action(
                survey_round=survey_round, theme=data["theme"], choice=data["thing"], author=user, now=timezone.now()
            )
            messages.success(request, "The link has been added. The next survey will show what has changed.")
            return redirect(survey_round)

    return form_page(
        request,
        "surveys/act.html",
        form,
        heading="Act on a result",
        partnership=survey_round.partnership,
        round=survey_round,
        back=survey_round.get_absolute_url(),
        theme=survey_round.questions().themes().get(theme, ""),
        beginnings=_links_to_new_work(survey_round, theme, rights.may_act_in),
    )


def _links_to_new_work(survey_round: Round, theme: str, partnership: Partnership | None) -> list[tuple[str, str]]:
    """Return links to the forms that start new work from a published result, each as label and URL."""
    figure = survey_round.figures.filter(theme=theme).order_by("group", "pk").first()
    if figure is None or partnership is None:
        return []
    came_from = f"from=result-{figure.pk}"
    query = f"partnership={partnership.pk}&{came_from}"
    return [
        ("Add an objective", f"{reverse('agreements:objective-add', args=[partnership.pk])}?{came_from}"),
        ("Make an ask", f"{reverse('exchange:new')}?direction=ask&{query}"),
        ("Plan a conversation", f"{reverse('conversations:new')}?state=planned&{query}"),
        ("Make a commitment", f"{reverse('commitments:new')}?{came_from}"),
    ]


@require_POST
def unlink_action(request: HttpRequest, pk: int, number: int, action: int) -> HttpResponse:
    """Remove a wrong link between a record and a result."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_act)
    services.unlink_action(survey_round=survey_round, action_pk=action, author=user, now=timezone.now())
    messages.success(request, "The link has been removed.")
    return redirect(survey_round)


@require_safe
def pdf(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Return the results as a PDF for the board, with the same figures as the page."""
    user, survey_round, rights = open_round(request, pk, number)
    if not survey_round.is_closed:
        raise Http404
    context = {
        "round": survey_round,
        "partnership": survey_round.partnership,
        "partnerships": rights.partnerships,
        **results_context(survey_round, user),
    }
    return pdf_response(request, "surveys/pdf.html", context, f"survey-{survey_round.number}")
