"""The page of a round: who is asked while it is prepared, nothing while it is open, results once it is closed."""

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
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.surveys import services
from partnerships.surveys.forms import ActionForm
from partnerships.surveys.models import Round
from partnerships.surveys.presenting import answered_words, chart_of, floor_words, lines_of, shares_of
from partnerships.surveys.queries.results import (
    actions_of,
    actions_to_choose,
    benchmark_of,
    named_answers,
    rounds_before,
    shown_comments,
)
from partnerships.surveys.views.rounds import draft_context, open_round

#: Earlier rounds that the table of means shows beside a round.
TREND = 3


@require_safe
def detail(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A round, as far as anybody may know of it now."""
    user, found, rights = open_round(request, pk, number)
    context: dict[str, Any] = {
        "found": found,
        "partnership": rights.own,
        "partnerships": rights.partnerships,
        "rights": rights,
    }
    if found.is_draft:
        context |= draft_context(found, user)
    elif found.is_closed:
        context |= results_context(found, user)
    return render(request, "surveys/detail.html", context)


def results_context(found: Round, user: User) -> dict[str, Any]:
    """Everything that a closed round shows; the same on the page and in its PDF."""
    questions = found.questions()
    *earlier, closed = rounds_before(found)
    done = _done(found, earlier[-1] if earlier else None, user)
    if not found.is_anonymous:
        return {"answers": [_named(one, questions) for one in named_answers(found)], "done": done}
    trend = [one for one in earlier if one.is_anonymous][-TREND:]
    headings, lines = lines_of(closed, questions, trend, benchmark_of(found))
    comments = shown_comments(found)
    return {
        "answered": answered_words(found),
        "floor": floor_words(found),
        "headings": headings,
        "lines": lines,
        "gaps": [(line.name, line.gap) for line in lines if line.gap],
        "shares": shares_of(closed, questions),
        "chart": chart_of(closed, questions, trend[-1] if trend else None) if closed.figures.all() else "",
        "comments": [(one.question, comments[one.key]) for one in questions.comments if one.key in comments],
        "done": done,
    }


def _named(answer: Any, questions: Any) -> dict[str, Any]:
    return {
        "person": answer.person,
        "group": answer.get_group_display(),
        "scores": [(one.name, answer.scores.get(one.key, "no view")) for one in questions.dimensions],
        "expects": [one.text for one in questions.expectations if one.key in answer.expects],
        "comments": [
            (one.question, answer.comments[one.key]) for one in questions.comments if answer.comments.get(one.key)
        ],
    }


def _done(found: Round, before: Round | None, user: User) -> list[tuple[str, list[tuple[str, Any]]]]:
    """What was done about each theme since this round, and since the one before."""
    rounds = [before, found] if before is not None else [found]
    themes = {theme: name for one in rounds for theme, name in one.questions().themes().items()}
    actions = actions_of(rounds, user)
    rows = []
    for theme, name in themes.items():
        done = [(f"after round {one.number}", action) for one in rounds for action in actions.get((one.pk, theme), [])]
        if done:
            rows.append((name, done))
    return rows


@require_http_methods(["GET", "HEAD", "POST"])
def link_action(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Say what was done about a result, or begin with it: an objective, ask, conversation or commitment."""
    user, found, rights = open_round(request, pk, number)
    require(rights.may_act)
    if not found.is_closed:
        raise Http404
    theme = request.GET.get("theme", "")
    form = ActionForm(
        posted(request),
        themes=list(found.questions().themes().items()),
        things=actions_to_choose(found, user),
        cancel=found.get_absolute_url(),
        initial={"theme": theme},
    )

    def step() -> tuple[str, str]:
        data = form.cleaned_data
        services.link_action(found=found, theme=data["theme"], thing=data["thing"], author=user, now=timezone.now())
        return "It is linked. The next survey shows what has changed.", found.get_absolute_url()

    context: dict[str, Any] = {
        "heading": "Act on a result",
        "partnership": found.partnership,
        "found": found,
        "back": found.get_absolute_url(),
        "theme": found.questions().themes().get(theme, ""),
        "beginnings": _beginnings(found, theme, rights.may_act_in),
    }
    return take_step(request, "surveys/act.html", form, step, {services.UnableToLink: "thing"}, **context)


def _beginnings(found: Round, theme: str, partnership: Partnership | None) -> list[tuple[str, str]]:
    """What can be made from a published result in a partnership: words, and the page where it begins."""
    figure = found.figures.filter(theme=theme).order_by("group", "pk").first()
    if figure is None or partnership is None:
        return []
    came_from = f"from=result-{figure.pk}"
    here = f"partnership={partnership.pk}&{came_from}"
    return [
        ("Add an objective", f"{reverse('agreements:objective-add', args=[partnership.pk])}?{came_from}"),
        ("Make an ask", f"{reverse('exchange:new')}?direction=ask&{here}"),
        ("Plan a conversation", f"{reverse('conversations:new')}?state=planned&{here}"),
        ("Make a commitment", f"{reverse('commitments:new')}?{came_from}"),
    ]


@require_POST
def unlink_action(request: HttpRequest, pk: int, number: int, action: int) -> HttpResponse:
    """Take back a wrong link."""
    user, found, rights = open_round(request, pk, number)
    require(rights.may_act)
    services.unlink_action(found=found, action=action, author=user, now=timezone.now())
    messages.success(request, "The link is removed.")
    return redirect(found)


@require_safe
def pdf(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The results for the board, as a PDF with the same figures as the page."""
    user, found, rights = open_round(request, pk, number)
    if not found.is_closed:
        raise Http404
    context = {
        "found": found,
        "partnership": found.partnership,
        "partnerships": rights.partnerships,
        **results_context(found, user),
    }
    return pdf_response(request, "surveys/pdf.html", context, f"survey-{found.number}")
