"""Pages about stakeholders whom the person's organisations have asked to follow a record."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.digests import services
from partnerships.digests.forms import CorrectAddressForm, EndForm, StakeholderForm
from partnerships.digests.models import Subscription, SubscriptionQuerySet
from partnerships.digests.models.targets import Target, title_of
from partnerships.digests.queries.ledger import tabs_for
from partnerships.digests.queries.naming import set_names_for
from partnerships.digests.queries.subscriptions import (
    confirmation_emails,
    live_stakeholder,
    may_ask_for,
    stakeholders_of,
)
from partnerships.digests.views.fetching import page_of, visible_target
from partnerships.kit.dates import long_date
from partnerships.kit.http import form_page, next_url, post_data, show_refusal
from partnerships.outbox.content import WILL_BE_SENT
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.models import Audience, Plan


@require_safe
def stakeholder(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one stakeholder, and what the person can do about the subscription."""
    person = signed_in(request)
    now = timezone.now()
    subscription = _named_subscription(stakeholders_of(person, now), pk, person, now)
    context = {
        "subscription": subscription,
        "email": confirmation_emails([subscription]).get(pk) if subscription.is_waiting else None,
        **tabs_for(person),
    }
    return render(request, "digests/stakeholder.html", context)


def _named_subscription(subscriptions: SubscriptionQuerySet, pk: int, person: User, now: dt.datetime) -> Subscription:
    """Return one of the subscriptions, with the names that this person may see. Raises `Http404` for any other id."""
    subscription = get_object_or_404(subscriptions, pk=pk)
    set_names_for(person, [subscription], now)
    return subscription


@require_http_methods(["GET", "HEAD", "POST"])
def add_stakeholder(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Show the form to ask a person by email whether they want digests about a record. On POST, send the email."""
    person = signed_in(request)
    target = visible_target(person, kind, pk)
    organisations = may_ask_for(person).order_by("name", "pk")
    if not organisations.exists():
        raise PermissionDenied

    form = StakeholderForm(request.POST or None, organisations=organisations, cancel=page_of(target))
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToSubscribe, field="email"):
            _ask_stakeholder(target, person, form.cleaned_data)
            email = form.cleaned_data["email"]
            messages.success(
                request, f"{WILL_BE_SENT} {email}, to ask them to confirm. We will send nothing else until they do."
            )
            return redirect("digests:stakeholders")

    # For a plan that is not public, the page warns that only some people may read it.
    restricted_audience = ""
    if isinstance(target, Plan) and target.audience != Audience.PUBLIC:
        restricted_audience = target.get_audience_display().lower()
    context = {
        "form": form,
        "target": title_of(target),
        "back": page_of(target),
        "restricted_audience": restricted_audience,
    }
    return render(request, "digests/add_stakeholder.html", context, status=422 if request.method == "POST" else 200)


def _ask_stakeholder(target: Target, person: User, data: dict[str, Any]) -> None:
    """Ask the stakeholder of a valid form to confirm. Raises `UnableToSubscribe`, for example if we asked before."""
    existing_subscription = live_stakeholder(data["organisation"], target, data["email"])
    if existing_subscription is not None:
        raise services.UnableToSubscribe(_already_asked_message(existing_subscription))
    services.add_stakeholder(target=target, author=person, now=timezone.now(), **data)


def _already_asked_message(subscription: Subscription) -> str:
    """Return why the person cannot be asked a second time, and what to do instead."""
    day = long_date(timezone.localdate(subscription.asked_at))
    message = f"You asked {subscription.person.email} about this on {day}"
    if subscription.is_waiting:
        return f"{message}, and they have not answered yet. Use “Ask again” in your list of stakeholders."
    return f"{message}, and they confirmed. They get these digests already."


@require_POST
def ask_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the confirmation email of a stakeholder again."""
    person = signed_in(request)
    now = timezone.now()
    subscription = get_object_or_404(stakeholders_of(person, now).live(), pk=pk)
    back_url = next_url(request, reverse("digests:stakeholders"))

    try:
        services.ask_again(subscription=subscription, author=person, now=now)
    except services.UnableToSubscribe as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{WILL_BE_SENT} {subscription.person_for_askers}, to ask again.")
    return redirect(back_url)


@require_http_methods(["GET", "HEAD", "POST"])
def correct_address(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a stakeholder's address; the owner of the new address must confirm."""
    person = signed_in(request)
    now = timezone.now()
    subscription = _named_subscription(stakeholders_of(person, now).live(), pk, person, now)
    back_url = next_url(request, reverse("digests:stakeholders"))
    form = CorrectAddressForm(post_data(request), cancel=back_url)

    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        with show_refusal(form, services.UnableToSubscribe, field="email"):
            services.correct_address(subscription=subscription, email=email, author=person, now=now)
            messages.success(
                request, f"{WILL_BE_SENT} {email}, to ask them to confirm. We will send nothing else until they do."
            )
            return redirect(back_url)

    return form_page(request, "digests/correct_address.html", form, subscription=subscription, back=back_url)


@require_http_methods(["GET", "HEAD", "POST"])
def end_stakeholder(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a stakeholder's digests about a record, for a reason that the person gives.

    If these digests have already ended, change nothing and show a message that says so.
    """
    person, now = signed_in(request), timezone.now()
    subscription = _named_subscription(stakeholders_of(person, now), pk, person, now)
    stakeholder_name, target_name = subscription.person_for_askers, subscription.shown_name
    already_ended = f"{stakeholder_name} gets no digests about {target_name}, because they had already ended."
    back_url = next_url(request, reverse("digests:stakeholders"))
    if subscription.is_ended:
        messages.info(request, already_ended)
        return redirect(back_url)

    form = EndForm(post_data(request), cancel=back_url)
    if request.method == "POST" and form.is_valid():
        organisation_name = subscription.added_for.display_name if subscription.added_for else "a partner"
        reason = form.said_by(organisation_name)
        ended_count = services.stop(subscriptions=[subscription], author=person, reason=reason, now=now)
        if ended_count:
            messages.success(request, f"{stakeholder_name} will get no more digests about {target_name}.")
        else:
            messages.info(request, already_ended)
        return redirect(back_url)

    return form_page(request, "digests/end_stakeholder.html", form, subscription=subscription, back=back_url)
