"""Sign-off: its state, and decisions on the site or through a link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from partnerships.documents.forms import SignForm
from partnerships.kit.dates import long_date
from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import named_then
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in
from partnerships.plans.comparisons import Comparison
from partnerships.plans.forms import ConditionForm, DueDayForm, SignatoriesForm
from partnerships.plans.links import SignOffLink, read_sign_off_token
from partnerships.plans.models import Decision, Plan, SignOff, Version
from partnerships.plans.queries import (
    SigningState,
    asked_again,
    content_for,
    content_of,
    next_steps,
    number_to_sign,
    organisations_led_by,
    reading_class,
    signing_states,
    versions_for,
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
from partnerships.plans.views.fetching import Opened, open_published, open_to_publish
from partnerships.plans.views.whole import compare_contents, reading_context


def _undecided(states: list[SigningState], number: int) -> set[int]:
    """The organisations that may decide on the newest version."""
    return {state.signatory.organisation_id for state in states if state.may_decide_on(number)}


@require_http_methods(["GET", "HEAD", "POST"])
def signing(request: HttpRequest, pk: int) -> HttpResponse:
    """The state of every signature; leads of signatories decide here."""
    opened, version = open_published(request, pk)
    if not opened.is_inside:
        raise PermissionDenied
    plan, user = opened.plan, signed_in(request)
    states = signing_states(plan)
    number = number_to_sign(plan)
    undecided = _undecided(states, number) if plan.is_awaiting_sign_off and version.number >= number else set()
    own_organisations = [
        organisation for organisation in organisations_led_by(user, plan) if organisation.pk in undecided
    ]
    if request.method == "POST" and not organisations_led_by(user, plan):
        raise PermissionDenied
    questions = {state.signatory.organisation_id: state.signatory.questions for state in states}
    form = SignForm(posted(request), organisations=own_organisations, number=number, questions=questions)
    if request.method == "POST" and not own_organisations:
        messages.error(request, _decided_words(states, user_organisations=organisations_led_by(user, plan)))
        return redirect("plans:signing", pk=pk)
    if request.method == "POST" and form.is_valid():
        with collect_recipients() as recipients:
            fault = _sign(form, plan, form.cleaned_data["organisation"], user)
        if not fault:
            recorded = f"Your decision on version {number} has been recorded."
            messages.success(request, f"{recorded}{recipients.sentence()}")
            return redirect("plans:signing", pk=pk)
        form = SignForm(
            on_newest(request.POST, number), organisations=own_organisations, number=number, questions=questions
        )
        form.add_error(None, fault)
    since = _last_signed(states, own_organisations[0].pk if own_organisations else None)
    return render(
        request,
        "plans/signing.html",
        {
            "plan": plan,
            "opened": opened,
            "states": states,
            "number": number,
            "steps": next_steps(plan, states),
            "form": form if own_organisations else None,
            "since": since,
            "compared": _since(plan, since, number, opened) if own_organisations and since else None,
            "mine": [organisation.pk for organisation in organisations_led_by(user, plan)],
            "earlier": plan.sign_offs.exclude(version__number__gte=plan.substantive_number)
            .annotate(organisation_then=named_then("signed_at"))
            .select_related("organisation", "person", "version")
            .defer("version__content", "version__prose")
            .order_by("-signed_at", "-pk"),
        },
        status=422 if form.errors and request.method == "POST" else 200,
    )


def _decided_words(states: list[SigningState], *, user_organisations: Sequence[Organisation]) -> str:
    """Why there is nothing to decide."""
    names = {
        state.signatory.organisation.name: state.sign_off
        for state in states
        if state.signatory.organisation in user_organisations and state.sign_off is not None
    }
    for name, decision in names.items():
        if decision is not None:
            return (
                f"{decision.person.display_name} has already decided for {name}: "
                f"{decision.get_decision_display().lower()}."
            )
    return "There is nothing for you to sign."


def _last_signed(states: list[SigningState], organisation_pk: int | None) -> int | None:
    """The version that the organisation last decided on."""
    for state in states:
        if state.signatory.organisation_id == organisation_pk and state.earlier is not None:
            return state.earlier.version.number
    return None


def _since(plan: Plan, since: int, number: int, opened: Opened) -> Comparison:
    """What changed between two versions, in the reader's class."""
    return compare_contents(
        content_for(content_of(plan, since), opened.reader), content_for(content_of(plan, number), opened.reader)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def request_signatures(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose who must sign, in which role and by when."""
    opened = open_to_publish(request, pk)
    plan = opened.plan
    form = SignatoriesForm(posted(request), plan=plan)
    signing_page = reverse("plans:signing", args=[pk])

    def step() -> tuple[str, str]:
        request_sign_off(
            plan=plan,
            signatories=form.chosen(),
            due_on=form.cleaned_data["due_on"],
            questions=form.cleaned_data["questions"],
            author=signed_in(request),
            now=timezone.now(),
        )
        return "You have asked for sign-off.", signing_page

    return take_step(
        request,
        "plans/signatories.html",
        form,
        step,
        {UnableToRequestSignOff: None},
        names_emailed=True,
        plan=plan,
        number=number_to_sign(plan),
        asked_again=asked_again(plan),
        back=signing_page if plan.is_published else "",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int, signatory: int) -> HttpResponse:
    """Stop asking an organisation to sign."""
    opened = open_to_publish(request, pk)
    signatory_row = get_object_or_404(
        opened.plan.signatories.select_related("organisation", "plan"), pk=signatory, removed_at=None
    )
    back = reverse("plans:signing", kwargs={"pk": pk})
    form = ReasonForm(posted(request), submit="Remove signatory", cancel=back, danger=True)

    def step() -> tuple[str, str]:
        remove_signatory(
            signatory=signatory_row, author=signed_in(request), reason=form.cleaned_data["reason"], now=timezone.now()
        )
        return f"{signatory_row.organisation.name} is no longer asked to sign.", back

    return take_step(
        request,
        "plans/remove_signatory.html",
        form,
        step,
        {UnableToRequestSignOff: None},
        plan=opened.plan,
        signatory=signatory_row,
        back=back,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def due_day(request: HttpRequest, pk: int, signatory: int) -> HttpResponse:
    """Change the day by which a signatory must decide."""
    opened = open_to_publish(request, pk)
    signatory_row = get_object_or_404(
        opened.plan.signatories.select_related("organisation", "plan"), pk=signatory, removed_at=None
    )
    back = reverse("plans:signing", kwargs={"pk": pk})
    form = DueDayForm(posted(request), initial={"due_on": signatory_row.due_on}, submit="Change deadline", cancel=back)

    def step() -> tuple[str, str]:
        changed = change_due_day(
            signatory=signatory_row,
            due_on=form.cleaned_data["due_on"],
            reason=form.cleaned_data["reason"],
            author=signed_in(request),
            now=timezone.now(),
        )
        by = f"is asked to decide by {long_date(changed.due_on)}" if changed.due_on else "has no deadline to decide"
        return f"{changed.organisation.name} {by}.", back

    return take_step(
        request,
        "plans/due_day.html",
        form,
        step,
        {UnableToRequestSignOff: "due_on"},
        plan=opened.plan,
        signatory=signatory_row,
        back=back,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def condition(request: HttpRequest, pk: int, signed: int) -> HttpResponse:
    """Confirm, for the organisation that set it, that its condition is met."""
    opened, _version = open_published(request, pk)
    sign_off = get_object_or_404(SignOff.objects.select_related("organisation", "version", "plan"), plan=pk, pk=signed)
    if not opened.is_inside:
        raise Http404
    require(opened.rights is not None and opened.rights.may_meet(sign_off))
    back = reverse("plans:signing", kwargs={"pk": pk})
    form = ConditionForm(posted(request), cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            with collect_recipients() as recipients:
                meet_condition(
                    sign_off=sign_off,
                    person=signed_in(request),
                    note_text=form.cleaned_data["note"],
                    now=timezone.now(),
                )
        except UnableToSign as error:
            messages.error(request, str(error))
        else:
            met = f"The condition of {sign_off.organisation.name} is met."
            messages.success(request, f"{met}{recipients.sentence()}")
        return redirect(back)
    return render(
        request,
        "plans/condition.html",
        {"plan": opened.plan, "sign_off": sign_off, "form": form, "back": back},
        status=422 if form.errors else 200,
    )


def on_newest(sent: QueryDict, number: int) -> QueryDict:
    """The sent data with the newest number, so that it can be sent again."""
    data = sent.copy()
    data["number"] = str(number)
    return data


def _ask_whether_sure(request: HttpRequest, link: SignOffLink, form: SignForm) -> HttpResponse:
    """Ask again before a rejection is recorded.

    It cannot be undone and stops the sign-off.
    """
    return render(
        request,
        "plans/reject_by_link.html",
        {
            "plan": link.signatory.plan,
            "organisation": link.signatory.organisation,
            "signatory": link.signatory,
            "person": link.person,
            "number": form.cleaned_data["number"],
            "reason": form.cleaned_data["reason"],
            "answers": form.sent_answers(),
        },
    )


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link in an email, with a form to decide.

    If the organisation asks for a second factor or its own sign-in, access to a mailbox is not enough: the link leads
    to the sign-in page (docs/decisions/0031).
    """
    link = read_sign_off_token(token)
    version_to_sign = _to_sign(link) if link is not None else None
    if link is None or version_to_sign is None:
        return render(request, "plans/link_over.html", status=404)
    version, state = version_to_sign
    plan, organisation, number = link.signatory.plan, link.signatory.organisation, version.number
    if organisation.asks_more_at_sign_in:
        messages.info(request, f"{organisation.name} asks its people to sign in before they read or decide.")
        return redirect("plans:signing", pk=plan.pk)
    # No new email for a minor version: signatures on the version before count for it.
    stale = link.number < plan.substantive_number
    open_to_sign = plan.is_awaiting_sign_off and state.may_decide_on(number) and not stale
    questions = {organisation.pk: link.signatory.questions}
    form = SignForm(posted(request), organisations=[organisation], number=number, questions=questions)
    if request.method == "POST" and open_to_sign and form.is_valid():
        if form.cleaned_data["decision"] == Decision.REJECTED and "sure" not in request.POST:
            return _ask_whether_sure(request, link, form)
        fault = _sign(form, plan, organisation, link.person)
        if not fault:
            return redirect(request.path)
        form = SignForm(
            on_newest(request.POST, number), organisations=[organisation], number=number, questions=questions
        )
        form.add_error(None, fault)
    context = {
        "plan": plan,
        "number": number,
        "person": link.person,
        "organisation": organisation,
        "signatory": link.signatory,
        "state": state,
        "stale": stale,
        "asked_for": link.number,
        "open_to_sign": open_to_sign,
    }
    if open_to_sign:  # afterwards, the link alone no longer shows the plan
        context |= {"form": form, **_to_decide_on(request, link, version, state)}
    return render(
        request,
        "plans/sign_by_link.html",
        context,
        status=422 if form.errors and request.method == "POST" else 200,
    )


def _to_sign(link: SignOffLink) -> tuple[Version, SigningState] | None:
    """The version to decide on, and the state of the signature; None if the link leads to nothing."""
    plan = link.signatory.plan
    version = versions_for(link.person, plan).filter(number=number_to_sign(plan)).first()
    state = next((state for state in signing_states(plan) if state.signatory.pk == link.signatory.pk), None)
    return (version, state) if version is not None and state is not None else None


def _sign(form: SignForm, plan: Plan, organisation: Organisation, person: User) -> str:
    """Record the decision of a valid form; what is wrong with it, or ""."""
    chosen = form.cleaned_data
    try:
        sign_off(
            plan=plan,
            number=chosen["number"],
            organisation=organisation,
            person=person,
            decision=chosen["decision"],
            reason=chosen["reason"],
            answers=form.answers(),
            now=timezone.now(),
        )
    except UnableToSign as error:
        return str(error)
    return ""


def _to_decide_on(request: HttpRequest, link: SignOffLink, version: Version, state: SigningState) -> dict[str, Any]:
    """The version, and what changed in it since the organisation last decided."""
    plan, reader = link.signatory.plan, reading_class(link.person, link.signatory.plan)
    before = state.earlier.version.number if state.earlier else 0
    since = versions_for(link.person, plan).filter(number__gt=before, number__lte=version.number)
    compared = None
    if before:
        compared = compare_contents(content_for(content_of(plan, before), reader), content_for(version.content, reader))
    return {
        "before": before,
        "compared": compared,
        "between": since.without_content().order_by("number"),
        **reading_context(reader, version.content, version.html, query=request.GET),
    }
