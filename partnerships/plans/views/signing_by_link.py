"""The page on which people sign off a plan through the link in an email, without signing in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from partnerships.documents.forms import SignForm
from partnerships.kit.http import form_page, post_data
from partnerships.plans.links import SignOffLink, read_sign_off_token
from partnerships.plans.models import Decision, Version
from partnerships.plans.queries import (
    SigningState,
    content_for_reader,
    content_of,
    reading_class,
    signing_states,
    version_number_to_sign,
    versions_for,
)
from partnerships.plans.services import UnableToSign
from partnerships.plans.views.signing import record_decision, with_number
from partnerships.plans.views.whole import compare_contents, reading_context


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show the form to decide for the person and organisation in the link. On POST, record the decision.

    If the organisation requires a second factor or its own sign-in, the link leads to the sign-in page, because access
    to a mailbox is not enough (docs/decisions/0031).
    """
    link = read_sign_off_token(token)
    state = _state_for(link) if link is not None else None
    version = _version_for(link) if link is not None else None
    if link is None or state is None or version is None:
        return render(request, "plans/link_over.html", status=404)

    plan, organisation = link.signatory.plan, link.signatory.organisation
    if organisation.asks_more_at_sign_in:
        messages.info(request, f"{organisation.name} asks its people to sign in before they read or decide.")
        return redirect("plans:signing", pk=plan.pk)

    # A minor version sends no new emails, so links for the previous version still work.
    is_stale = link.number < plan.substantive_number
    is_open_to_sign = plan.is_awaiting_sign_off and state.may_decide_on(version.number) and not is_stale
    context = {
        "plan": plan,
        "version_number": version.number,
        "person": link.person,
        "organisation": organisation,
        "signatory": link.signatory,
        "state": state,
        "is_stale": is_stale,
        "asked_for": link.number,
        "open_to_sign": is_open_to_sign,
    }
    if is_open_to_sign:
        return _decide_by_link(request, link, version, state, context)
    # The page shows the decision, but not the plan, which the person must sign in to read. A decision that was sent
    # is not recorded, so it gets the status of a refused form.
    return render(request, "plans/sign_by_link.html", context, status=422 if request.method == "POST" else 200)


def _decide_by_link(
    request: HttpRequest, link: SignOffLink, version: Version, state: SigningState, context: dict[str, Any]
) -> HttpResponse:
    """Show the form to decide. On POST, record the decision, or first ask for confirmation of a rejection."""
    organisation = link.signatory.organisation
    form_kwargs: dict[str, Any] = {
        "organisations": [organisation],
        "number": version.number,
        "questions": {organisation.pk: link.signatory.questions},
    }
    form = SignForm(post_data(request), **form_kwargs)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["decision"] == Decision.REJECTED and "sure" not in request.POST:
            return _confirm_rejection(request, link, form)
        try:
            record_decision(form, link.signatory.plan, organisation, link.person)
        except UnableToSign as error:
            # The new form has the newest version number, so that the person can send it again.
            form = SignForm(with_number(request.POST, version.number), **form_kwargs)
            form.add_error(None, str(error))
        else:
            return redirect(request.path)

    context |= _version_context(request, link, version, state)
    return form_page(request, "plans/sign_by_link.html", form, **context)


def _confirm_rejection(request: HttpRequest, link: SignOffLink, form: SignForm) -> HttpResponse:
    """Ask for confirmation of a rejection, because a rejection cannot be undone and stops the sign-off."""
    context = {
        "plan": link.signatory.plan,
        "organisation": link.signatory.organisation,
        "signatory": link.signatory,
        "person": link.person,
        "version_number": form.cleaned_data["number"],
        "reason": form.cleaned_data["reason"],
        "answers": form.sent_answers(),
    }
    return render(request, "plans/reject_by_link.html", context)


def _version_for(link: SignOffLink) -> Version | None:
    """Return the version to sign if the person of the link may read it."""
    plan = link.signatory.plan
    return versions_for(link.person, plan).filter(number=version_number_to_sign(plan)).first()


def _state_for(link: SignOffLink) -> SigningState | None:
    """Return the state of the signature for which the link was sent; None if it is no longer needed."""
    states = signing_states(link.signatory.plan)
    return next((state for state in states if state.signatory.pk == link.signatory.pk), None)


def _version_context(request: HttpRequest, link: SignOffLink, version: Version, state: SigningState) -> dict[str, Any]:
    """Return the version to sign, and what has changed since the organisation last decided."""
    plan = link.signatory.plan
    reader = reading_class(link.person, plan)
    earlier_number = state.earlier.version.number if state.earlier else 0
    newer_versions = versions_for(link.person, plan).filter(number__gt=earlier_number, number__lte=version.number)
    compared = None
    if earlier_number:
        earlier_content = content_for_reader(content_of(plan, earlier_number), reader)
        compared = compare_contents(earlier_content, content_for_reader(version.content, reader))
    return {
        "earlier_number": earlier_number,
        "compared": compared,
        "between": newer_versions.without_content().order_by("number"),
        **reading_context(reader, version.content, version.html, query=request.GET),
    }
