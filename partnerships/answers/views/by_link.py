"""Answering signed out, by the link in a digest.

Nothing changes on GET and HEAD, because mail scanners follow links. Each form has a signed token for its person, plan
and version; a form sent twice changes nothing the second time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.answers import services
from partnerships.answers.form_tokens import About, BadForm, make_form_token, read_form_token
from partnerships.answers.forms import ColleagueForm, CommentForm, NameForm, QuestionAnswerForm
from partnerships.answers.models import PlanQuestion, WorkRole
from partnerships.answers.queries import concern_of, own_answers
from partnerships.answers.rights import may_answer
from partnerships.digests.bearers import for_bearer, token_in
from partnerships.digests.emails.links import Link, Purpose
from partnerships.digests.emails.pages import plan_by_link
from partnerships.digests.models import Delivery
from partnerships.kit.http import posted
from partnerships.people.models import User
from partnerships.plans.content import COLLECTIONS, outside
from partnerships.plans.models import Plan
from partnerships.plans.queries import content_of

#: The message on the page after each answer.
_SAID = {
    "acknowledged": "Thank you. The owners see that you have read this version.",
    "concerned": "You have said that this plan concerns you.",
    "unconcerned": "You have said that this plan does not concern you. You will keep getting digests about it until "
    "you stop them.",
    "comment": "Your comment has been sent.",
    "question": "Your answer has been sent.",
    "colleague": "Thank you. The plan's owner decides whether to ask your colleague.",
    "named": "Your name and role have been saved.",
    "over": "That form had expired, so nothing was changed. Fill it in again.",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A plan that a stakeholder may answer to, in the version of their digest."""

    person: User
    plan: Plan
    version_number: int
    token: str

    @property
    def about(self) -> About:
        """What the tokens in its forms are for."""
        return About(self.person.pk, self.plan.pk, self.version_number)

    def address(self, name: str = "by-link", **more: int) -> str:
        """The address of one of its pages."""
        return reverse(f"answers:{name}", kwargs={"token": self.token, "plan": self.plan.pk, **more})


def _open(request: HttpRequest, link: Link, plan: int) -> Opened:
    """A plan that the digest of this link is about. 404 if it may no longer be answered."""
    now = timezone.now()
    delivery = get_object_or_404(Delivery, pk=link.number, recipient=link.person)
    news = plan_by_link(delivery, plan, now=now)
    if news is None:
        raise Http404
    opened_plan = Plan.objects.get(pk=plan)
    if not may_answer(link.person, opened_plan, news.to_number, now):
        raise Http404
    return Opened(link.person, opened_plan, news.to_number, token_in(request))


@require_safe
@for_bearer(Purpose.READ)
def overview(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """What can be answered about a plan, and what the person has answered."""
    opened = _open(request, link, plan)
    answers = list(own_answers(opened.person, opened.plan)[:50])
    context = {
        "opened": opened,
        "plan": opened.plan,
        "person": opened.person,
        "role": WorkRole.objects.filter(person=opened.person).values_list("title", flat=True).first() or "",
        "said": _SAID.get(request.GET.get("done", ""), ""),
        "form_token": make_form_token(opened.about),
        "questions": PlanQuestion.objects.open(timezone.now()).filter(plan=opened.plan).order_by("closes_on", "pk"),
        "answers": [answer for answer in answers if answer.has_text or answer.names_a_colleague],
        "has_read": any(
            answer.kind == "acknowledged" and answer.version_number == opened.version_number for answer in answers
        ),
        "concern": concern_of(opened.person, opened.plan),
        "read_url": reverse("digests:read", kwargs={"token": opened.token, "plan": plan}),
        "comment_url": opened.address("comment-by-link"),
        "colleague_url": opened.address("colleague-by-link"),
        "name_url": opened.address("name-by-link"),
    }
    return render(request, "answers/by_link.html", context)


@csrf_exempt
@require_POST
@for_bearer(Purpose.READ)
def acknowledge(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Record that the stakeholder has read this version."""
    return _at_once(request, _open(request, link, plan), "acknowledged", services.acknowledge)


@csrf_exempt
@require_POST
@for_bearer(Purpose.READ)
def concern(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Record that a plan concerns the stakeholder, or no longer does."""
    concerned = request.POST.get("concerned") != "no"
    done = "concerned" if concerned else "unconcerned"
    return _at_once(request, _open(request, link, plan), done, services.say_whether_concerned, concerned=concerned)


def _at_once(
    request: HttpRequest, opened: Opened, done: str, service: Callable[..., object], **more: Any
) -> HttpResponse:
    """Give an answer that needs no words, and go back to the page."""
    try:
        key = read_form_token(request.POST.get("form", ""), opened.about)
        service(
            person=opened.person,
            plan=opened.plan,
            version_number=opened.version_number,
            key=key,
            now=timezone.now(),
            **more,
        )
    except (BadForm, services.UnableToAnswer):
        done = "over"
    return redirect(f"{opened.address()}?done={done}")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def comment(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Comment on the plan or a piece of it."""
    opened = _open(request, link, plan)
    content = outside(content_of(opened.plan, opened.version_number))
    anchors = [
        (f"{collection.code}/{item['key']}", f"{collection.label}: {item[collection.title]}"[:120])
        for collection in COLLECTIONS
        if collection.code != "documents"
        for item in content[collection.code]
    ]
    form = CommentForm(posted(request), anchors=anchors, cancel=opened.address(), initial=_fresh(opened))

    def send(key: uuid.UUID) -> None:
        services.comment_by_link(
            person=opened.person,
            plan=opened.plan,
            version_number=opened.version_number,
            text=form.cleaned_data["text"],
            anchor=form.cleaned_data["anchor"],
            key=key,
            now=timezone.now(),
        )

    return _page(request, opened, form, "comment", "text", send)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def question(request: HttpRequest, link: Link, plan: int, question: int) -> HttpResponse:
    """Answer one question about the plan."""
    opened = _open(request, link, plan)
    plan_question = get_object_or_404(PlanQuestion, pk=question, plan=opened.plan)
    form = QuestionAnswerForm(posted(request), cancel=opened.address(), initial=_fresh(opened))

    def send(key: uuid.UUID) -> None:
        services.answer_question(
            person=opened.person,
            question=plan_question,
            version_number=opened.version_number,
            text=form.cleaned_data["text"],
            key=key,
            now=timezone.now(),
        )

    return _page(request, opened, form, "question", "text", send, question=plan_question)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def colleague(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Name a colleague who should get the plan."""
    opened = _open(request, link, plan)
    form = ColleagueForm(posted(request), cancel=opened.address(), initial=_fresh(opened))

    def send(key: uuid.UUID) -> None:
        services.name_colleague(
            person=opened.person,
            plan=opened.plan,
            version_number=opened.version_number,
            name=form.cleaned_data["name"],
            email=form.cleaned_data["email"],
            key=key,
            now=timezone.now(),
        )

    return _page(request, opened, form, "colleague", "email", send)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def name(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Correct the stakeholder's own name and role."""
    opened = _open(request, link, plan)
    role = WorkRole.objects.filter(person=opened.person).values_list("title", flat=True).first() or ""
    known = {"name": opened.person.name, "role": role}
    form = NameForm(posted(request), cancel=opened.address(), initial=_fresh(opened) | known)

    def send(key: uuid.UUID) -> None:
        services.describe_oneself(
            person=opened.person,
            name=form.cleaned_data["name"],
            role=form.cleaned_data["role"],
            author=opened.person,
            now=timezone.now(),
        )

    return _page(request, opened, form, "named", "name", send)


def _fresh(opened: Opened) -> dict[str, str]:
    """The first values of a form: its token."""
    return {"form": make_form_token(opened.about)}


def _page(
    request: HttpRequest,
    opened: Opened,
    form: BaseForm,
    done: str,
    field: str,
    send: Callable[[uuid.UUID], None],
    **context: Any,
) -> HttpResponse:
    """The page of one form, or a redirect after it was sent."""
    if form.is_valid():
        try:
            send(read_form_token(form.cleaned_data["form"], opened.about))
        except BadForm:
            return redirect(f"{opened.address()}?done=over")
        except services.UnableToAnswer as error:
            form.add_error(field, str(error))
        else:
            return redirect(f"{opened.address()}?done={done}")
    elif form.is_bound and "form" in form.errors:
        return redirect(f"{opened.address()}?done=over")
    context |= {"form": form, "plan": opened.plan, "opened": opened, "back": opened.address()}
    return render(request, f"answers/{done}.html", context, status=422 if form.is_bound else 200)
