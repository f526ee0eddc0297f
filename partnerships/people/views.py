"""Pages of a person's own account, administrators' pages about accounts, and public pages, for example privacy."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from allauth.socialaccount.providers.openid_connect.views import login as begin_openid_connect
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.exports import count_rows
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.people.administrators import (
    UnableToChangeAdministration,
    grant_administration,
    withdraw_administration,
)
from partnerships.people.first_administrator import UnableToBegin, become_first_administrator, is_valid
from partnerships.people.forms import DetailsForm, FirstAdministratorForm, LeaverForm, ReasonForm, ViewAsForm
from partnerships.people.identity_providers import provider_name
from partnerships.people.leaving import consequences_of_leaving
from partnerships.people.middleware import VIEW_AS_KEY
from partnerships.people.models import User
from partnerships.people.personal_data import count_exported_rows, export_person
from partnerships.people.queries import account_overview, colleagues_of
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in
from partnerships.people.retention import RULES
from partnerships.people.services import (
    UnableToCloseAccount,
    UnableToRemoveSecondFactor,
    change_details,
    close_account,
    remove_second_factors,
)
from partnerships.people.sign_in import sign_in_new_account
from partnerships.people.view_as import UnableToViewAs, begin_view_as, end_view_as, live_view

log: Any = structlog.get_logger(__name__)


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the signed-in person's details, ways to sign in, and sessions."""
    return render(request, "people/account.html", {"overview": account_overview(signed_in(request))})


@require_http_methods(["GET", "HEAD", "POST"])
def edit_details(request: HttpRequest) -> HttpResponse:
    """Show the form with the signed-in person's name and time zone. On POST, save them."""
    user = signed_in(request)
    form = DetailsForm(post_data(request), person=user)
    if request.method == "POST" and form.is_valid():
        change_details(person=user, author=user, now=timezone.now(), **form.cleaned_data)
        messages.info(request, "Your details have been saved.")
        return redirect("people:account")
    return form_page(request, "people/details.html", form)


@never_cache
@require_safe
def own_data(request: HttpRequest) -> HttpResponse:
    """Download all data about the signed-in person, as JSON."""
    user = signed_in(request)
    exported = export_person(person=user, author=user, now=timezone.now())
    body = json.dumps(exported, indent=2, ensure_ascii=False)
    response = HttpResponse(body, content_type="application/json; charset=utf-8")
    count_rows(response, count_exported_rows(exported))
    response["Content-Disposition"] = 'attachment; filename="common-ground-my-data.json"'
    return response


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def begin_network(request: HttpRequest, token: str) -> HttpResponse:
    """Create the account of a new network's first administrator, who opened the one-time link."""
    if not is_valid(token):
        raise Http404
    form = FirstAdministratorForm(post_data(request))
    if request.method == "POST" and form.is_valid():
        try:
            person = become_first_administrator(token=token, now=timezone.now(), **form.cleaned_data)
        except ValidationError as error:
            form.add_error("password", error)
        except UnableToBegin as error:
            form.add_error("email", str(error))
        else:
            return sign_in_new_account(request, person, password=form.cleaned_data["password"])
    return form_page(request, "people/begin.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
def view_as(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask an administrator for a reason to view the site as another person. On POST, start the view."""
    administrator = _signed_in_administrator(request)
    person = get_object_or_404(User, pk=pk)
    form = ViewAsForm(post_data(request))
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToViewAs):
            view = begin_view_as(
                administrator=administrator, person=person, reason=form.cleaned_data["reason"], now=timezone.now()
            )
            request.session[VIEW_AS_KEY] = view.pk
            return redirect(settings.LOGIN_REDIRECT_URL)
    return form_page(request, "people/view_as.html", form, person=person)


@require_POST
def view_as_end(request: HttpRequest) -> HttpResponse:
    """Stop viewing the site as another person."""
    user = signed_in(request)
    view = live_view(pk=request.session.pop(VIEW_AS_KEY, 0), administrator=user, now=timezone.now())
    if view is not None:
        end_view_as(view=view, now=timezone.now())
        messages.info(request, f"You are no longer viewing the site as {view.person.display_name}.")
    return redirect("admin:people_user_changelist" if user.is_staff else settings.LOGIN_REDIRECT_URL)


@require_http_methods(["GET", "HEAD", "POST"])
def close_leaver_account(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a person's account, as an administrator. The page shows what happens to the person's records."""
    administrator = _signed_in_administrator(request)
    person = get_object_or_404(User, pk=pk, is_active=True)
    person_url = reverse("admin:people_user_change", args=[pk])
    form = LeaverForm(post_data(request), successors=colleagues_of(person), cancel=person_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToCloseAccount):
            counts_by_hook = close_account(person=person, author=administrator, now=timezone.now(), **form.cleaned_data)
            # For example “3 plans, 1 subscription”: what the rooms have ended or handed over.
            counts = ", ".join(f"{count} {name}" for name, count in counts_by_hook.items() if count)
            message = f"{person.display_name} has left: {counts}." if counts else f"{person.display_name} has left."
            messages.success(request, message)
            return redirect(person_url)

    return form_page(request, "people/leaver.html", form, person=person, consequences=consequences_of_leaving())


def _signed_in_administrator(request: HttpRequest) -> User:
    """Return the signed-in administrator; raise 404 for anyone else."""
    user = signed_in(request)
    if not user.is_staff:
        raise Http404
    return user


@require_http_methods(["GET", "HEAD", "POST"])
def administrator_make(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a person an administrator, with a reason."""
    administrator = _signed_in_administrator(request)
    person = get_object_or_404(User, pk=pk, is_active=True, is_staff=False)
    return _change_administration(request, administrator, person, granting=True)


@require_http_methods(["GET", "HEAD", "POST"])
def administrator_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a person's administration, with a reason."""
    administrator = _signed_in_administrator(request)
    person = get_object_or_404(User, pk=pk, is_active=True, is_staff=True)
    return _change_administration(request, administrator, person, granting=False)


def _change_administration(request: HttpRequest, administrator: User, person: User, *, granting: bool) -> HttpResponse:
    """Show the form to grant (`granting=True`) or withdraw a person's administration, and save the decision."""
    person_url = reverse("admin:people_user_change", args=[person.pk])
    button = "Make administrator" if granting else "Remove as administrator"
    form = ReasonForm(post_data(request), submit=button, cancel=person_url)

    if request.method == "POST" and form.is_valid():
        change = grant_administration if granting else withdraw_administration
        with show_refusal(form, UnableToChangeAdministration):
            change(person=person, author=administrator, reason=form.cleaned_data["reason"], now=timezone.now())
            status = "now" if granting else "no longer"
            messages.success(request, f"{person.display_name} is {status} a network administrator.")
            return redirect(person_url)

    return form_page(request, "people/administration.html", form, person=person, granting=granting)


@require_http_methods(["GET", "HEAD", "POST"])
def remove_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove the second factors that a person has lost, as an administrator, with a reason."""
    administrator = _signed_in_administrator(request)
    person = get_object_or_404(User, pk=pk, is_active=True)
    person_url = reverse("admin:people_user_change", args=[pk])
    form = ReasonForm(post_data(request), submit="Remove second factor", cancel=person_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToRemoveSecondFactor):
            with collect_recipients() as recipients:
                remove_second_factors(
                    person=person, author=administrator, reason=form.cleaned_data["reason"], now=timezone.now()
                )
            message = f"The second factors of {person.display_name} have been removed."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(person_url)

    return form_page(request, "people/remove_second_factor.html", form, person=person)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def to_organisation_sign_in(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Start to sign in through an organisation's provider.

    The response is a page that leads to the provider, not a redirect. Browsers apply the content security policy's
    `form-action` also to redirects of a form, and this policy is 'self' everywhere (docs/decisions/0021).
    """
    try:
        response: HttpResponse = begin_openid_connect(request, provider_id=provider_id)
    except (requests.RequestException, KeyError) as error:
        log.warning("sign_in_provider_unreachable", provider=provider_id, kind=type(error).__name__)
        messages.warning(
            request, f"The sign-in page of {provider_name(provider_id)} is not responding. Try again in a few minutes."
        )
        return redirect("account_login")
    if response.status_code != 302:
        return response
    provider_url = response["Location"]
    return render(
        request,
        "people/to_organisation_sign_in.html",
        {"url": provider_url, "host": urlsplit(provider_url).hostname, "name": provider_name(provider_id)},
    )


@login_not_required
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Show the privacy notice, which says what data about people is stored, why and for how long."""
    return render(request, "people/privacy.html", {"rules": RULES.values(), "contact": settings.PRIVACY_CONTACT})


@login_not_required
@require_safe
def cookies(request: HttpRequest) -> HttpResponse:
    """Show the page about the site's two cookies, which are both strictly necessary."""
    return render(
        request,
        "people/cookies.html",
        {
            "session_cookie": settings.SESSION_COOKIE_NAME,
            "csrf_cookie": settings.CSRF_COOKIE_NAME,
            "minutes": settings.SESSION_COOKIE_AGE // 60,
        },
    )


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """Show the accessibility statement that the Public Sector Bodies (Accessibility) Regulations 2018 require."""
    return render(
        request,
        "people/accessibility.html",
        {"contact": settings.ACCESSIBILITY_CONTACT, "organisation": settings.OPERATED_BY},
    )
