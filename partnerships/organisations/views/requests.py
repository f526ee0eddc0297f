"""Pages on which people ask to act for an organisation, and administrators answer."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.organisations.forms import AccessRequestForm, ReasonForm
from partnerships.organisations.models import AccessRequest, Membership, Organisation
from partnerships.organisations.queries import find_organisations
from partnerships.organisations.services import (
    UnableToAnswerRequest,
    UnableToAskForAccess,
    accept_request,
    ask_for_access,
    decline_request,
)
from partnerships.outbox.content import WE_WILL_EMAIL
from partnerships.people.limits import refuse_too_many
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in

#: The number of answered requests that the page shows below the waiting requests.
ANSWERED_SHOWN = 20
#: The number of waiting requests on the page. It is small because each one needs a search for its organisation.
WAITING_SHOWN = 10
#: The number of organisations that the page suggests for each waiting request.
CANDIDATES = 4
#: The number of requests that one person or network address may send in an hour.
ASKED_AN_HOUR = 10


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def request_access(request: HttpRequest) -> HttpResponse:
    """Ask an administrator for access to an organisation, which may not be in the directory yet.

    Visitors without an account may ask, too. The number of requests in an hour is limited.
    """
    if request.method == "POST":
        limit_response = refuse_too_many(request, "access requests", limit=ASKED_AN_HOUR, stretch=dt.timedelta(hours=1))
        if limit_response is not None:
            return limit_response

    person = request.user if isinstance(request.user, User) else None
    form = AccessRequestForm(post_data(request), person=person, organisation_name=request.GET.get("name", "")[:300])
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToAskForAccess):
            ask_for_access(author=person, now=timezone.now(), **form.cleaned_data)
            message = (
                "We have sent your request to the administrators. If they agree, you will get an email with an "
                "invitation."
            )
            messages.success(request, message)
            return redirect("organisations:list" if person else "/")

    return form_page(request, "organisations/ask.html", form)


def _administrator_or_404(request: HttpRequest) -> User:
    """Return the signed-in administrator; raise 404 for anyone else."""
    user = signed_in(request)
    if not user.is_staff:
        raise Http404
    return user


@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    """Show administrators the waiting requests, the oldest first, and the last answered requests."""
    user = _administrator_or_404(request)
    access_requests = AccessRequest.objects.visible_to(user).select_related("organisation", "answered_by")
    waiting_requests = access_requests.waiting().order_by("asked_at", "pk")[:WAITING_SHOWN]
    context = {
        "waiting": [(access_request, _candidates(user, access_request)) for access_request in waiting_requests],
        "count": access_requests.waiting().count(),
        "answered": access_requests.exclude(answer="").order_by("-answered_at", "-pk")[:ANSWERED_SHOWN],
    }
    return render(request, "organisations/requests.html", context)


def _candidates(user: User, access_request: AccessRequest) -> list[Organisation]:
    """Return the organisations that a request could mean, found by its number or, failing that, by its name.

    `is_led` is True if the organisation has a lead or has invited one. The person would then become an editor.
    """
    leads = Membership.objects.current_or_invited_leads(timezone.now()).filter(organisation=OuterRef("pk"))
    for text in (access_request.number, access_request.organisation_name):
        if not text:
            continue
        matching_organisations = find_organisations(user=user, text=text).current().annotate(is_led=Exists(leads))
        candidates = list(matching_organisations.order_by("name", "pk")[:CANDIDATES])
        if candidates:
            return candidates
    return []


@require_POST
def request_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Invite the person to the chosen organisation, or to a new one if none was chosen."""
    user = _administrator_or_404(request)
    access_request = get_object_or_404(AccessRequest.objects.visible_to(user), pk=pk)
    organisation = _chosen_organisation(request)

    try:
        with collect_recipients() as recipients:
            membership = accept_request(
                request=access_request, organisation=organisation, author=user, now=timezone.now()
            )
    except UnableToAnswerRequest as error:
        messages.warning(request, str(error))
    else:
        role, name = membership.get_role_display().lower(), membership.organisation.name
        message = f"{WE_WILL_EMAIL} {membership.person.email} an invitation to act for {name} as {role}."
        other_recipients = recipients.sentence(besides=(membership.person_id, user.pk))
        messages.success(request, f"{message}{other_recipients}")
    return redirect("organisations:requests")


def _chosen_organisation(request: HttpRequest) -> Organisation | None:
    """Return the organisation that the administrator chose, or None for a new one; 404 for an id that no row has."""
    organisation_id = request.POST.get("organisation", "")
    if not organisation_id:
        return None
    if not (organisation_id.isascii() and organisation_id.isdecimal() and len(organisation_id) < 10):
        raise Http404
    return get_object_or_404(Organisation, pk=organisation_id)


@require_http_methods(["GET", "HEAD", "POST"])
def request_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline a request, with a reason. The person who asked gets an email."""
    user = _administrator_or_404(request)
    access_request = get_object_or_404(AccessRequest.objects.visible_to(user).waiting(), pk=pk)
    form = ReasonForm(post_data(request), submit="Decline request", cancel=reverse("organisations:requests"))

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToAnswerRequest):
            decline_request(request=access_request, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
            message = f"The request for {access_request.organisation_name} has been declined."
            messages.success(request, f"{message} {WE_WILL_EMAIL} {access_request.name}.")
            return redirect("organisations:requests")

    return form_page(request, "organisations/decline_request.html", form, asked=access_request)
