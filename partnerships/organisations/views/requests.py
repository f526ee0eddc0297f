"""Views of requests to act for an organisation."""

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

from partnerships.kit.http import posted
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
from partnerships.people.form_steps import take_step
from partnerships.people.limits import too_many
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in

#: Answered requests shown below the waiting ones.
ANSWERED_SHOWN = 20
#: Waiting requests for access shown on the page.
WAITING_SHOWN = 10
#: Organisations suggested for each waiting request.
CANDIDATES = 4
#: Requests an hour from one person or address.
ASKED_AN_HOUR = 10


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask an administrator: my organisation is not here, or has nobody yet."""
    person = request.user if isinstance(request.user, User) else None
    if request.method == "POST":
        refusal = too_many(request, "access requests", limit=ASKED_AN_HOUR, stretch=dt.timedelta(hours=1))
        if refusal is not None:
            return refusal
    form = AccessRequestForm(posted(request), person=person, typed=request.GET.get("name", "")[:300])

    def step() -> tuple[str, str]:
        ask_for_access(author=person, now=timezone.now(), **form.cleaned_data)
        return (
            "An administrator has been asked. If they agree, you will get an email with an invitation.",
            reverse("organisations:list") if person else "/",
        )

    return take_step(request, "organisations/ask.html", form, step, {UnableToAskForAccess: None})


def _administrator(request: HttpRequest) -> User:
    user = signed_in(request)
    if not user.is_staff:
        raise Http404
    return user


@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """The requests that wait for an administrator, oldest first, and the last answers."""
    user = _administrator(request)
    rows = AccessRequest.objects.visible_to(user).select_related("organisation", "answered_by")
    waiting = list(rows.waiting().order_by("asked_at", "pk")[:WAITING_SHOWN])
    return render(
        request,
        "organisations/requests.html",
        {
            "waiting": [(request_row, _candidates(user, request_row)) for request_row in waiting],
            "count": rows.waiting().count(),
            "answered": rows.exclude(answer="").order_by("-answered_at", "-pk")[:ANSWERED_SHOWN],
        },
    )


def _candidates(user: User, asked: AccessRequest) -> list[Organisation]:
    """The organisations that a request could mean: by its number, else by its name.

    `is_led`: somebody leads it or is invited to, so that the person is invited as editor.
    """
    leads = Membership.objects.leading(timezone.now()).filter(organisation=OuterRef("pk"))
    for text in filter(None, (asked.number, asked.organisation_name)):
        likely = find_organisations(user=user, text=text).current().annotate(is_led=Exists(leads))
        candidates = list(likely.order_by("name", "pk")[:CANDIDATES])
        if candidates:
            return candidates
    return []


@require_POST
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Invite the person, to a known organisation or to one that is added now."""
    user = _administrator(request)
    access_request = get_object_or_404(AccessRequest.objects.visible_to(user), pk=pk)
    chosen = request.POST.get("organisation", "")
    organisation = None
    if chosen:
        if not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 10):
            raise Http404
        organisation = get_object_or_404(Organisation, pk=chosen)
    try:
        with collect_recipients() as recipients:
            membership = accept_request(
                request=access_request, organisation=organisation, author=user, now=timezone.now()
            )
    except UnableToAnswerRequest as error:
        messages.warning(request, str(error))
    else:
        role = membership.get_role_display().lower()
        body = membership.organisation.name
        words = f"{WE_WILL_EMAIL} {membership.person.email} an invitation to act for {body} as {role}."
        messages.success(request, f"{words}{recipients.sentence(besides=(membership.person_id, user.pk))}")
    return redirect("organisations:requests")


@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline a request, with a reason."""
    user = _administrator(request)
    access_request = get_object_or_404(AccessRequest.objects.visible_to(user).waiting(), pk=pk)
    back = reverse("organisations:requests")
    form = ReasonForm(posted(request), submit="Decline request", cancel=back)

    def step() -> tuple[str, str]:
        decline_request(request=access_request, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
        name = access_request.organisation_name
        return f"The request for {name} has been declined. {WE_WILL_EMAIL} {access_request.name}.", back

    return take_step(
        request, "organisations/decline_request.html", form, step, {UnableToAnswerRequest: None}, asked=access_request
    )
