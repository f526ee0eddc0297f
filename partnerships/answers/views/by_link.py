"""Pages on which stakeholders answer without signing in, by the link in a digest.

GET and HEAD change nothing, because mail scanners follow links. Each form contains a signed token for its person,
plan and version. Sending the same form twice changes nothing the second time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.answers import services
from partnerships.answers.form_tokens import BadForm, FormSubject, make_form_token, read_form_token
from partnerships.answers.forms import ColleagueForm, CommentForm, OwnNameForm, QuestionAnswerForm
from partnerships.answers.models import PlanQuestion, WorkRole
from partnerships.answers.queries import last_concerns, own_answers
from partnerships.answers.rights import may_answer
from partnerships.digests.emails.links import Link, Purpose
from partnerships.digests.emails.pages import plan_by_link
from partnerships.digests.models import Delivery
from partnerships.digests.signed_links import for_bearer, token_in
from partnerships.kit.http import form_page, post_data
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.plans.content import COLLECTIONS, content_for_outside
from partnerships.plans.models import Plan
from partnerships.plans.queries import content_of

#: The message on the overview after each answer, by the code in its address.
_MESSAGES = {
    "acknowledged": "Thank you. The owners can now see that you have read this version.",
    "concerned": "You have said that this plan concerns you.",
    "unconcerned": "You have said that this plan does not concern you. You will keep getting digests about it until "
    "you stop them.",
    "comment": "Your comment has been sent.",
    "question": "Your answer has been sent.",
    "colleague": "Thank you. The plan’s owner decides whether to ask your colleague.",
    "named": "Your name and role have been saved.",
    "over": "The form had expired, so we did not save your answer. Fill it in again.",
}
_EXPIRED = "over"
#: The most of a person's own answers that the overview shows.
_MAX_ANSWERS = 50


@dataclass(frozen=True, slots=True)
class Visit:
    """A stakeholder's visit to a plan, by the link in a digest about this version."""

    person: User
    plan: Plan
    version_number: int
    token: str

    @property
    def form_subject(self) -> FormSubject:
        """Return the person, plan and version for which the forms of this visit are signed."""
        return FormSubject(self.person.pk, self.plan.pk, self.version_number)

    def url(self, name: str = "by-link", **kwargs: int) -> str:
        """Return the URL of a page of this visit; by default the overview."""
        return reverse(f"answers:{name}", kwargs={"token": self.token, "plan": self.plan.pk, **kwargs})

    def redirect_to_overview(self, message_code: str) -> HttpResponse:
        """Redirect to the overview, which shows one of `_MESSAGES`."""
        return redirect(f"{self.url()}?done={message_code}")


def _start_visit(request: HttpRequest, link: Link, plan_id: int) -> Visit:
    """Return the visit to a plan that the digest of this link is about; 404 if the person may no longer answer."""
    now = timezone.now()
    delivery = get_object_or_404(Delivery, pk=link.record_id, recipient=link.person)
    news = plan_by_link(delivery, plan_id, now=now)
    if news is None:
        raise Http404
    plan = Plan.objects.get(pk=plan_id)
    if not may_answer(link.person, plan, news.to_number, now):
        raise Http404
    return Visit(person=link.person, plan=plan, version_number=news.to_number, token=token_in(request))


@require_safe
@for_bearer(Purpose.READ)
def overview(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Show what the person can answer about a plan, and what the person has answered."""
    visit = _start_visit(request, link, plan)
    now, person_id = timezone.now(), visit.person.pk
    read_ahead(
        [
            lookup(own_answers, person_id, plan, limit=_MAX_ANSWERS),
            lookup(last_concerns, person_id, plan),
            lookup(_work_roles, person_id),
            lookup(_open_questions, plan, now),
        ]
    )
    answers = rows_for(own_answers, person_id, plan, limit=_MAX_ANSWERS)
    versions_read = {answer.version_number for answer in answers if answer.kind == "acknowledged"}
    context = {
        "visit": visit,
        "plan": visit.plan,
        "person": visit.person,
        "role": _work_role(visit.person),
        "message": _MESSAGES.get(request.GET.get("done", ""), ""),
        "form_token": make_form_token(visit.form_subject),
        "questions": rows_for(_open_questions, plan, now),
        "answers": [answer for answer in answers if answer.has_text or answer.names_a_colleague],
        "has_read": visit.version_number in versions_read,
        "concern": "".join(rows_for(last_concerns, person_id, plan)),
        "read_url": reverse("digests:read", kwargs={"token": visit.token, "plan": plan}),
        "comment_url": visit.url("comment-by-link"),
        "colleague_url": visit.url("colleague-by-link"),
        "name_url": visit.url("name-by-link"),
    }
    return render(request, "answers/by_link.html", context)


@csrf_exempt
@require_POST
@for_bearer(Purpose.READ)
def acknowledge_plan(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Record that the stakeholder has read this version."""
    visit = _start_visit(request, link, plan)
    try:
        services.acknowledge(
            person=visit.person,
            plan=visit.plan,
            version_number=visit.version_number,
            key=read_form_token(request.POST.get("form", ""), visit.form_subject),
            now=timezone.now(),
        )
    except (BadForm, services.UnableToAnswer):
        return visit.redirect_to_overview(_EXPIRED)
    return visit.redirect_to_overview("acknowledged")


@csrf_exempt
@require_POST
@for_bearer(Purpose.READ)
def raise_concern(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Record that a plan concerns the stakeholder, or no longer does."""
    visit = _start_visit(request, link, plan)
    is_concerned = request.POST.get("concerned") != "no"
    try:
        services.record_concern(
            person=visit.person,
            plan=visit.plan,
            version_number=visit.version_number,
            concerned=is_concerned,
            key=read_form_token(request.POST.get("form", ""), visit.form_subject),
            now=timezone.now(),
        )
    except (BadForm, services.UnableToAnswer):
        return visit.redirect_to_overview(_EXPIRED)
    return visit.redirect_to_overview("concerned" if is_concerned else "unconcerned")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def write_comment(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Comment on the plan or on one piece of the plan."""
    visit = _start_visit(request, link, plan)
    form = CommentForm(
        post_data(request), anchors=_anchor_choices(visit), cancel=visit.url(), initial=_form_token_value(visit)
    )

    if request.method == "POST" and form.is_valid():
        try:
            services.comment_by_link(
                person=visit.person,
                plan=visit.plan,
                version_number=visit.version_number,
                text=form.cleaned_data["text"],
                anchor=form.cleaned_data["anchor"],
                key=read_form_token(form.cleaned_data["form"], visit.form_subject),
                now=timezone.now(),
            )
        except BadForm:
            return visit.redirect_to_overview(_EXPIRED)
        except services.UnableToAnswer as error:
            form.add_error("text", str(error))
        else:
            return visit.redirect_to_overview("comment")

    return _form_page(request, visit, form, "answers/comment.html")


def _anchor_choices(visit: Visit) -> list[tuple[str, str]]:
    """Return the pieces of the plan on which a stakeholder can comment: sites, milestones and so on, but not files."""
    content = content_for_outside(content_of(visit.plan, visit.version_number))
    choices = []
    for collection in COLLECTIONS:
        if collection.code == "documents":
            continue
        for item in content[collection.code]:
            label = f"{collection.label}: {item[collection.title_field]}"
            choices.append((f"{collection.code}/{item['key']}", label[:120]))
    return choices


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def answer_question(request: HttpRequest, link: Link, plan: int, question: int) -> HttpResponse:
    """Answer one question about the plan."""
    visit = _start_visit(request, link, plan)
    plan_question = get_object_or_404(PlanQuestion, pk=question, plan=visit.plan)
    form = QuestionAnswerForm(post_data(request), cancel=visit.url(), initial=_form_token_value(visit))

    if request.method == "POST" and form.is_valid():
        try:
            services.answer_question(
                person=visit.person,
                question=plan_question,
                version_number=visit.version_number,
                text=form.cleaned_data["text"],
                key=read_form_token(form.cleaned_data["form"], visit.form_subject),
                now=timezone.now(),
            )
        except BadForm:
            return visit.redirect_to_overview(_EXPIRED)
        except services.UnableToAnswer as error:
            form.add_error("text", str(error))
        else:
            return visit.redirect_to_overview("question")

    return _form_page(request, visit, form, "answers/question.html", question=plan_question)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def suggest_colleague(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Name a colleague who should get the plan."""
    visit = _start_visit(request, link, plan)
    form = ColleagueForm(post_data(request), cancel=visit.url(), initial=_form_token_value(visit))

    if request.method == "POST" and form.is_valid():
        try:
            services.name_colleague(
                person=visit.person,
                plan=visit.plan,
                version_number=visit.version_number,
                name=form.cleaned_data["name"],
                email=form.cleaned_data["email"],
                key=read_form_token(form.cleaned_data["form"], visit.form_subject),
                now=timezone.now(),
            )
        except BadForm:
            return visit.redirect_to_overview(_EXPIRED)
        except services.UnableToAnswer as error:
            form.add_error("email", str(error))
        else:
            return visit.redirect_to_overview("colleague")

    return _form_page(request, visit, form, "answers/colleague.html")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def correct_own_name(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Correct the stakeholder's own name and role."""
    visit = _start_visit(request, link, plan)
    initial = {**_form_token_value(visit), "name": visit.person.name, "role": _work_role(visit.person)}
    form = OwnNameForm(post_data(request), cancel=visit.url(), initial=initial)

    if request.method == "POST" and form.is_valid():
        try:
            read_form_token(form.cleaned_data["form"], visit.form_subject)
            services.change_own_name(
                person=visit.person,
                name=form.cleaned_data["name"],
                role=form.cleaned_data["role"],
                author=visit.person,
                now=timezone.now(),
            )
        except BadForm:
            return visit.redirect_to_overview(_EXPIRED)
        except services.UnableToAnswer as error:
            form.add_error("name", str(error))
        else:
            return visit.redirect_to_overview("named")

    return _form_page(request, visit, form, "answers/named.html")


def _work_role(person: User) -> str:
    """Return the person's role at work, in the person's own words; "" if unknown."""
    return "".join(rows_for(_work_roles, person.pk))


def _work_roles(person_id: int) -> QuerySet[WorkRole, str]:
    """Return the person's role at work in a row; no row if unknown."""
    return WorkRole.objects.filter(person=person_id).order_by("pk").values_list("title", flat=True)[:1]


def _open_questions(plan_id: int, now: dt.datetime) -> QuerySet[PlanQuestion]:
    """Return the questions about a plan that can be answered now, those that close first at the top."""
    return PlanQuestion.objects.open_at(now).filter(plan=plan_id).order_by("closes_on", "pk")


def _form_token_value(visit: Visit) -> dict[str, str]:
    """Return the initial value of the hidden field that contains a form's token."""
    return {"form": make_form_token(visit.form_subject)}


def _form_page(request: HttpRequest, visit: Visit, form: BaseForm, template: str, **context: Any) -> HttpResponse:
    """Show a form with its errors; without its token, redirect to the overview, which explains what happened."""
    if "form" in form.errors:
        return visit.redirect_to_overview(_EXPIRED)
    return form_page(request, template, form, plan=visit.plan, visit=visit, back=visit.url(), **context)
