"""Pages to ask for signatures, to see them, and to sign while signed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.documents.forms import SignForm
from partnerships.kit.dates import long_date
from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import official_name_at
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in
from partnerships.plans.comparisons import Comparison
from partnerships.plans.forms import ConditionForm, DueDayForm, SignatoriesForm
from partnerships.plans.models import Plan, Signatory, SignOff
from partnerships.plans.queries import (
    SigningState,
    content_for_reader,
    content_of,
    next_steps,
    organisations_led_by,
    signatories_to_ask_again,
    signing_states,
    version_number_to_sign,
)
from partnerships.plans.services import (
    UnableToRequestSignOff,
    UnableToSign,
    change_due_day,
    meet_condition,
    remove_signatory,
    request_sign_off,
    sign_off,
)
from partnerships.plans.views.fetching import PlanAccess, open_published, open_to_publish
from partnerships.plans.views.whole import compare_contents


@require_http_methods(["GET", "HEAD", "POST"])
def signing(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the state of every signature. Leads of signatories decide on this page."""
    access, version = open_published(request, pk)
    if not access.is_inside:
        raise PermissionDenied
    plan, user = access.plan, signed_in(request)
    led_organisations = organisations_led_by(user, plan)
    if request.method == "POST" and not led_organisations:
        raise PermissionDenied

    states = signing_states(plan)
    version_number = version_number_to_sign(plan)
    undecided_organisations: list[Organisation] = []
    may_read_version_to_sign = version.number >= version_number  # not during an embargo
    if plan.is_awaiting_sign_off and may_read_version_to_sign:
        undecided_organisations = _undecided(led_organisations, states, version_number)
    # A colleague has decided or the plan has changed since the form was shown. Say so instead of answering 403.
    if request.method == "POST" and not undecided_organisations:
        messages.error(request, _why_nothing_to_sign(states, led_organisations))
        return redirect("plans:signing", pk=pk)

    questions = {state.signatory.organisation_id: state.signatory.questions for state in states}
    form_kwargs: dict[str, Any] = {
        "organisations": undecided_organisations,
        "number": version_number,
        "questions": questions,
    }
    form = SignForm(post_data(request), **form_kwargs)
    if request.method == "POST" and form.is_valid():
        refusal = _decide(request, form, plan, version_number)
        if not refusal:
            return redirect("plans:signing", pk=pk)
        # The new form has the newest version number, so that the person can send it again.
        form = SignForm(with_number(request.POST, version_number), **form_kwargs)
        form.add_error(None, refusal)

    context = {
        "plan": plan,
        "access": access,
        "states": states,
        "version_number": version_number,
        "steps": next_steps(plan, states),
        "form": form if undecided_organisations else None,
        "led_organisation_ids": [organisation.pk for organisation in led_organisations],
        "earlier": _earlier_decisions(plan),
        **_changes_context(access, states, undecided_organisations, version_number),
    }
    return render(request, "plans/signing.html", context, status=422 if form.errors else 200)


def _changes_context(
    access: PlanAccess, states: list[SigningState], undecided_organisations: list[Organisation], version_number: int
) -> dict[str, Any]:
    """Return what changed since an organisation last decided; nothing if it has not decided before."""
    if not undecided_organisations:
        return {}
    # Most people lead one organisation. For others, the page compares with the last decision of the first.
    last_decided_number = _last_decided_number(states, undecided_organisations[0])
    if last_decided_number is None:
        return {}
    return {
        "last_decided_number": last_decided_number,
        "compared": _compare_versions(access, last_decided_number, version_number),
    }


def _decide(request: HttpRequest, form: SignForm, plan: Plan, number: int) -> str:
    """Record the decision in a valid form, and return "" or the reason why it was refused."""
    try:
        with collect_recipients() as recipients:
            record_decision(form, plan, form.cleaned_data["organisation"], signed_in(request))
    except UnableToSign as error:
        return str(error)
    message = f"Your decision on version {number} has been recorded."
    messages.success(request, f"{message}{recipients.sentence()}")
    return ""


def _undecided(organisations: Sequence[Organisation], states: list[SigningState], number: int) -> list[Organisation]:
    """Return those of the organisations that may still decide on the version with this number."""
    undecided_ids = {state.signatory.organisation_id for state in states if state.may_decide_on(number)}
    return [organisation for organisation in organisations if organisation.pk in undecided_ids]


def _why_nothing_to_sign(states: list[SigningState], organisations: Sequence[Organisation]) -> str:
    """Return the message for a lead who sends a decision when there is nothing to decide."""
    for state in states:
        organisation, sign_off = state.signatory.organisation, state.sign_off
        if organisation in organisations and sign_off is not None:
            return (
                f"{sign_off.person.display_name} has already decided for {organisation.name}: "
                f"{sign_off.get_decision_display().lower()}."
            )
    return "This plan is not waiting for your decision, so you do not need to sign it."


def _last_decided_number(states: list[SigningState], organisation: Organisation) -> int | None:
    """Return the number of the earlier version on which the organisation last decided; None if it has not."""
    for state in states:
        if state.signatory.organisation_id == organisation.pk and state.earlier is not None:
            return state.earlier.version.number
    return None


def _compare_versions(access: PlanAccess, earlier_number: int, number: int) -> Comparison:
    """Compare two versions of a plan as the reader may see them."""
    earlier_content = content_of(access.plan, earlier_number)
    content = content_of(access.plan, number)
    return compare_contents(
        content_for_reader(earlier_content, access.reader), content_for_reader(content, access.reader)
    )


def _earlier_decisions(plan: Plan) -> QuerySet[SignOff]:
    """Return the decisions on versions before the last one that was not minor, newest first.

    They are no longer valid.
    """
    return (
        plan.sign_offs.exclude(version__number__gte=plan.substantive_number)
        .annotate(organisation_then=official_name_at("signed_at"))
        .select_related("organisation", "person", "version")
        .defer("version__content", "version__prose")
        .order_by("-signed_at", "-pk")
    )


@require_http_methods(["GET", "HEAD", "POST"])
def request_signatures(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose who must sign, in which role and by when."""
    plan = open_to_publish(request, pk).plan
    form = SignatoriesForm(post_data(request), plan=plan)
    signing_url = reverse("plans:signing", args=[pk])

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToRequestSignOff):
            with collect_recipients() as recipients:
                request_sign_off(
                    plan=plan,
                    signatories=form.chosen(),
                    due_on=form.cleaned_data["due_on"],
                    questions=form.cleaned_data["questions"],
                    author=signed_in(request),
                    now=timezone.now(),
                )
            messages.success(request, f"You have asked for sign-off.{recipients.sentence()}")
            return redirect(signing_url)

    return form_page(
        request,
        "plans/signatories.html",
        form,
        plan=plan,
        version_number=version_number_to_sign(plan),
        asked_again=signatories_to_ask_again(plan),
        back=signing_url if plan.is_published else "",
    )


def _signatory_or_404(plan: Plan, pk: int) -> Signatory:
    """Return a signatory that is still asked to sign; else 404."""
    return get_object_or_404(plan.signatories.select_related("organisation", "plan"), pk=pk, removed_at=None)


@require_http_methods(["GET", "HEAD", "POST"])
def signatory_remove(request: HttpRequest, pk: int, signatory: int) -> HttpResponse:
    """Stop asking an organisation to sign."""
    access = open_to_publish(request, pk)
    signatory_row = _signatory_or_404(access.plan, signatory)
    signing_url = reverse("plans:signing", kwargs={"pk": pk})
    form = ReasonForm(post_data(request), submit="Remove signatory", cancel=signing_url, danger=True)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToRequestSignOff):
            remove_signatory(
                signatory=signatory_row,
                author=signed_in(request),
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
            messages.success(request, f"{signatory_row.organisation.name} is no longer asked to sign.")
            return redirect(signing_url)

    return form_page(
        request, "plans/remove_signatory.html", form, plan=access.plan, signatory=signatory_row, back=signing_url
    )


@require_http_methods(["GET", "HEAD", "POST"])
def signatory_due_day(request: HttpRequest, pk: int, signatory: int) -> HttpResponse:
    """Change the day by which a signatory must decide."""
    plan = open_to_publish(request, pk).plan
    signatory_row = _signatory_or_404(plan, signatory)
    back = reverse("plans:signing", kwargs={"pk": pk})
    form = DueDayForm(
        post_data(request), initial={"due_on": signatory_row.due_on}, submit="Change deadline", cancel=back
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToRequestSignOff, field="due_on"):
            changed_signatory = change_due_day(
                signatory=signatory_row,
                due_on=form.cleaned_data["due_on"],
                reason=form.cleaned_data["reason"],
                author=signed_in(request),
                now=timezone.now(),
            )
            name, due_on = changed_signatory.organisation.name, changed_signatory.due_on
            if due_on is None:
                messages.success(request, f"{name} now has no deadline to decide.")
            else:
                messages.success(request, f"{name} is asked to decide by {long_date(due_on)}.")
            return redirect(back)

    return form_page(request, "plans/due_day.html", form, plan=plan, signatory=signatory_row, back=back)


@require_http_methods(["GET", "HEAD", "POST"])
def condition_met(request: HttpRequest, pk: int, signed: int) -> HttpResponse:
    """Confirm that a condition is met, as a lead of the organisation that set it."""
    access, _version = open_published(request, pk)
    decision = get_object_or_404(SignOff.objects.select_related("organisation", "version", "plan"), plan=pk, pk=signed)
    if not access.is_inside:
        raise Http404
    require(access.rights is not None and access.rights.may_meet(decision))

    signing_url = reverse("plans:signing", kwargs={"pk": pk})
    form = ConditionForm(post_data(request), cancel=signing_url)
    if request.method == "POST" and form.is_valid():
        try:
            with collect_recipients() as recipients:
                meet_condition(
                    sign_off=decision,
                    person=signed_in(request),
                    note_text=form.cleaned_data["note"],
                    now=timezone.now(),
                )
        except UnableToSign as error:
            messages.error(request, str(error))
        else:
            message = f"You have confirmed that the condition of {decision.organisation.name} is met."
            messages.success(request, f"{message}{recipients.sentence()}")
        return redirect(signing_url)

    return form_page(request, "plans/condition.html", form, plan=access.plan, sign_off=decision, back=signing_url)


def with_number(data: QueryDict, number: int) -> QueryDict:
    """Return a copy of the form data with another version number."""
    new_data = data.copy()
    new_data["number"] = str(number)
    return new_data


def record_decision(form: SignForm, plan: Plan, organisation: Organisation, person: User) -> None:
    """Record the decision in a valid form. Raises `UnableToSign`."""
    sign_off(
        plan=plan,
        number=form.cleaned_data["number"],
        organisation=organisation,
        person=person,
        decision=form.cleaned_data["decision"],
        reason=form.cleaned_data["reason"],
        answers=form.answers(),
        now=timezone.now(),
    )
