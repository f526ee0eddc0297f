"""Pages of the answers about a plan, for its readers, and for the owners, who decide about the answers."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.answers import services
from partnerships.answers.forms import QuestionForm, RefuseForm
from partnerships.answers.models import Answer, AnswerStatus, PlanQuestion, Trust
from partnerships.answers.queries import answers_on, concern_counts, lookups_about, manageable_trust, questions_on
from partnerships.kit.http import form_page, keyset_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import read_ahead
from partnerships.outbox.content import WILL_BE_SENT
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in
from partnerships.plans.models import Plan
from partnerships.plans.rights import rights_over

#: The number of answers on a page.
_PAGE_SIZE = 50


def _plan_for_reader(request: HttpRequest, pk: int) -> Plan:
    """Return the plan if the person may read all of it today; else 404."""
    user = signed_in(request)
    readable_plans = Plan.objects.published_today_for(user).values("pk")
    plans = Plan.objects.fully_readable_by(user).filter(pk__in=readable_plans)
    return get_object_or_404(plans.select_related("partnership"), pk=pk)


def _answers_url(plan_id: int) -> str:
    """Return the address of the page with the answers about a plan."""
    return reverse("answers:plan", kwargs={"pk": plan_id})


def _led_owner(user: User, plan: Plan) -> Organisation | None:
    """Return the owner of the plan that the person leads; the first by name if there are several, else None."""
    rights = rights_over(plan, user, timezone.now())
    led_owner_ids = rights.roles.led_among(rights.owner_ids)
    return Organisation.objects.filter(pk__in=led_owner_ids).order_by("name", "pk").first()


@require_safe
def plan_answers(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the answers about a plan. Leads of an owner first see the answers on which they must decide."""
    plan, user = _plan_for_reader(request, pk), signed_in(request)
    read_ahead(lookups_about(user, plan, plan.announced_number))
    owner = _led_owner(user, plan)
    answers = answers_on(user, plan)
    decided_answers = answers.exclude(status=AnswerStatus.WAITING)
    waiting_answers = answers.filter(status=AnswerStatus.WAITING).order_by("made_at", "pk")
    context = {
        "plan": plan,
        "owner": owner,
        "waiting": list(waiting_answers) if owner else [],
        "page": keyset_page(request, decided_answers, order=("-made_at", "-pk"), size=_PAGE_SIZE),
        "questions": questions_on(plan),
        "concern": concern_counts(plan, plan.announced_number),
        "trusted": manageable_trust(user, plan),
        "today": timezone.localdate(),
    }
    return render(request, "answers/plan.html", context)


def _answer_to_decide(request: HttpRequest, pk: int) -> Answer:
    """Return an answer if the person leads an owner of its plan; 403 for other readers, and 404 for everybody else."""
    user = signed_in(request)
    answer = get_object_or_404(Answer.objects.visible_to(user).for_listing(), pk=pk)
    require(Plan.objects.publishable_by(user).filter(pk=answer.plan_id).exists())
    return answer


@require_POST
def approve_waiting_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a waiting answer, which everybody who can read the whole plan then sees."""
    answer = _answer_to_decide(request, pk)
    answers_url = _answers_url(answer.plan_id)

    try:
        services.approve_answer(answer=answer, author=signed_in(request), now=timezone.now())
    except services.UnableToDecide as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Everyone who can read the whole plan can now see the answer.")
    return redirect(answers_url)


@require_http_methods(["GET", "HEAD", "POST"])
def refuse_waiting_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse a waiting answer, with a reason."""
    answer = _answer_to_decide(request, pk)
    answers_url = _answers_url(answer.plan_id)
    form = RefuseForm(post_data(request), submit="Refuse answer", cancel=answers_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToDecide, field="reason"):
            with collect_recipients() as recipients:
                services.refuse_answer(
                    answer=answer, reason=form.cleaned_data["reason"], author=signed_in(request), now=timezone.now()
                )
            messages.success(request, f"The answer has been refused.{recipients.sentence()}")
            return redirect(answers_url)

    return form_page(request, "answers/refuse.html", form, answer=answer, back=answers_url)


@require_POST
def ask_colleague(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the colleague whom an answer names to confirm by email. They get nothing else until they do."""
    answer = _answer_to_decide(request, pk)
    answers_url = _answers_url(answer.plan_id)

    try:
        services.ask_named_colleague(answer=answer, author=signed_in(request), now=timezone.now())
    except services.UnableToDecide as error:
        messages.error(request, str(error))
    else:
        colleague = answer.colleague_name or answer.colleague_email
        message = f"{WILL_BE_SENT} {colleague}, to ask them to confirm. We will send nothing else until they do."
        messages.success(request, message)
    return redirect(answers_url)


@require_POST
def trust_colleague(request: HttpRequest, pk: int) -> HttpResponse:
    """Trust the person who gave this answer, whose answers are then shown without approval."""
    answer, user = _answer_to_decide(request, pk), signed_in(request)
    owner = _led_owner(user, answer.plan)
    if owner is None:
        raise PermissionDenied

    services.trust_person(person=answer.person, organisation=owner, author=user, now=timezone.now())
    subject = f"{answer.person.display_name} about plans of {owner.display_name}"
    messages.success(request, f"Answers from {subject} will now be shown without approval.")
    return redirect(_answers_url(answer.plan_id))


@require_POST
def stop_trusting(request: HttpRequest, pk: int, trust: int) -> HttpResponse:
    """End trust in a person, whose answers then need approval again."""
    plan = _plan_for_reader(request, pk)
    ended_trust = get_object_or_404(Trust, pk=trust, organisation__in=plan.owners.values("organisation"))

    try:
        services.end_trust(trust=ended_trust, author=signed_in(request), now=timezone.now())
    except services.UnableToDecide as error:
        messages.error(request, str(error))
    else:
        name = ended_trust.person.display_name
        messages.success(request, f"Answers from {name} will now need your approval.")
    return redirect(_answers_url(pk))


@require_http_methods(["GET", "HEAD", "POST"])
def ask_question(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask stakeholders a question about the plan, for one of its owners."""
    plan, user = _plan_for_reader(request, pk), signed_in(request)
    require(rights_over(plan, user, timezone.now()).leads_owner)
    answers_url = _answers_url(pk)
    form = QuestionForm(post_data(request), cancel=answers_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToAsk):
            services.ask_question(plan=plan, author=user, now=timezone.now(), **form.cleaned_data)
            messages.success(
                request, "You have asked the question. Stakeholders can answer it using the link in their digests."
            )
            return redirect(answers_url)

    return form_page(request, "answers/ask.html", form, plan=plan, back=answers_url)


@require_POST
def close_own_question(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a question before its last day."""
    user = signed_in(request)
    question = get_object_or_404(PlanQuestion.objects.visible_to(user).select_related("plan"), pk=pk)
    answers_url = _answers_url(question.plan_id)

    try:
        services.close_question(question=question, author=user, now=timezone.now())
    except services.UnableToAsk as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The question has been closed. Its answers stay on this page.")
    return redirect(answers_url)
