"""Stakeholders of my organisations: list, CSV file, asking and ending."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.digests import services
from partnerships.digests.forms import CorrectAddressForm, EndForm, StakeholderFilter, StakeholderForm
from partnerships.digests.models import Delivery, Subscription
from partnerships.digests.models.targets import title_of
from partnerships.digests.queries.ledger import may_look
from partnerships.digests.queries.naming import named_for
from partnerships.digests.queries.subscriptions import (
    STAKEHOLDER_ORDER,
    asks_for_somebody,
    confirmation_emails,
    find_stakeholders,
    followed_by_stakeholders,
    live_stakeholder,
    may_ask_for,
    stakeholders_of,
)
from partnerships.digests.views.fetching import page_of, visible_target
from partnerships.kit.dates import long_date
from partnerships.kit.exports import MAX_ROWS, csv_response, day_of
from partnerships.kit.forms import active_filters
from partnerships.kit.http import keyset_page, next_url, posted
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.models import Audience, Plan

_PAGE = 50


def _asker(request: HttpRequest) -> User:
    """The signed-in person; 403 if they may not ask stakeholders."""
    person = signed_in(request)
    if not asks_for_somebody(person):
        raise PermissionDenied
    return person


@require_safe
def stakeholders(request: HttpRequest) -> HttpResponse:
    """The stakeholders my organisations added, filtered."""
    person = _asker(request)
    now = timezone.now()
    form = StakeholderFilter(request.GET, things=followed_by_stakeholders(person, now))
    valid = form.is_valid()
    found = find_stakeholders(person, **form.chosen, now=now)
    page = keyset_page(request, found, order=STAKEHOLDER_ORDER, size=_PAGE)
    kept = request.GET.copy()
    for name in ("after", "before"):
        kept.pop(name, None)
    context = {
        "form": form,
        "page": page,
        "rows": _with_emails(named_for(person, page.rows, now)),
        "count": found.order_by().count(),
        "max_rows": MAX_ROWS,
        "chips": active_filters(form, request.GET),
        "query": kept.urlencode(),
        "may_add": True,
        "may_look": may_look(person),
    }
    template = "digests/_stakeholders.html" if getattr(request, "htmx", False) else "digests/stakeholders.html"
    return render(request, template, context, status=200 if valid else 422)


def _with_emails(subscriptions: list[Subscription]) -> list[tuple[Subscription, Delivery | None]]:
    """Each with the latest confirmation email, if they have not answered."""
    emails = confirmation_emails([one for one in subscriptions if one.is_waiting])
    return [(one, emails.get(one.pk)) for one in subscriptions]


_HEADINGS = (
    "Person",
    "Address",
    "About",
    "Why",
    "Asked",
    "Asked by",
    "Status",
    "Email sent",
    "Email status",
    "Confirmed",
    "Ended",
    "Reason",
)


@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """The page's list as a CSV file, in the same order."""
    person = _asker(request)
    now = timezone.now()
    form = StakeholderFilter(request.GET, things=followed_by_stakeholders(person, now))
    if not form.is_valid():
        return redirect(f"{reverse('digests:stakeholders')}?{request.GET.urlencode()}")
    found = find_stakeholders(person, **form.chosen, now=now).order_by(*STAKEHOLDER_ORDER)[:MAX_ROWS]
    rows = [_cells(one, email) for one, email in _with_emails(named_for(person, found, now))]
    return csv_response("stakeholders.csv", _HEADINGS, rows)


def _cells(one: Subscription, email: Delivery | None) -> tuple[object, ...]:
    return (
        one.person_for_askers,
        one.address_for_askers,
        one.called if one.named else capfirst(one.called),
        one.why if one.named else "",
        day_of(one.asked_at),
        one.added_by,
        one.get_status_display(),
        day_of(email.created_at) if email else None,
        ", ".join(filter(None, (email.get_status_display(), email.reason))) if email else "",
        day_of(one.confirmed_at),
        day_of(one.ended_at),
        one.reason_for_askers,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def add_stakeholder(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Ask somebody by email whether they want digests about something."""
    person = signed_in(request)
    target = visible_target(person, kind, pk)
    organisations = may_ask_for(person).order_by("name", "pk")
    if not organisations.exists():
        raise PermissionDenied
    form = StakeholderForm(request.POST or None, organisations=organisations, cancel=page_of(target))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        standing = live_stakeholder(data["organisation"], target, data["email"])
        try:
            if standing is not None:
                raise services.UnableToSubscribe(_already_asked(standing))
            services.add_stakeholder(target=target, author=person, now=timezone.now(), **data)
        except services.UnableToSubscribe as error:
            form.add_error("email", str(error))
        else:
            messages.success(request, f"We have asked {data['email']} to confirm. They get nothing else until they do.")
            return redirect("digests:stakeholders")
    closed = (
        target.get_audience_display().lower() if isinstance(target, Plan) and target.audience != Audience.PUBLIC else ""
    )
    context = {"form": form, "target": title_of(target), "back": page_of(target), "closed": closed}
    return render(request, "digests/add_stakeholder.html", context, status=422 if request.method == "POST" else 200)


def _already_asked(subscription: Subscription) -> str:
    """Why the person is not asked again, and what to do instead."""
    day = long_date(timezone.localdate(subscription.asked_at))
    asked = f"You asked {subscription.person.email} about this on {day}"
    if subscription.is_waiting:
        return f"{asked}, and they have not answered yet. Use “Ask again” in your list of stakeholders"
    return f"{asked}, and they confirmed"


@require_POST
def ask_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the confirmation email again."""
    person = signed_in(request)
    now = timezone.now()
    subscription = get_object_or_404(stakeholders_of(person, now).live(), pk=pk)
    try:
        services.ask_again(subscription=subscription, author=person, now=now)
    except services.UnableToSubscribe as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"We have asked {subscription.person_for_askers} again.")
    return redirect(next_url(request, reverse("digests:stakeholders")))


@require_http_methods(["GET", "HEAD", "POST"])
def correct_address(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a stakeholder's address; the new address must confirm."""
    person = signed_in(request)
    now = timezone.now()
    [subscription] = named_for(person, [get_object_or_404(stakeholders_of(person, now).live(), pk=pk)], now)
    back = next_url(request, reverse("digests:stakeholders"))
    form = CorrectAddressForm(posted(request), cancel=back)

    def step() -> tuple[str, str]:
        email = form.cleaned_data["email"]
        services.correct_address(subscription=subscription, email=email, author=person, now=now)
        return f"We have asked {email} to confirm. We send nothing else there until they do.", back

    return take_step(
        request,
        "digests/correct_address.html",
        form,
        step,
        {services.UnableToSubscribe: "email"},
        subscription=subscription,
        back=back,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def end_stakeholder(request: HttpRequest, pk: int) -> HttpResponse:
    """End a stakeholder's digests, with a reason."""
    person = signed_in(request)
    now = timezone.now()
    [subscription] = named_for(person, [get_object_or_404(stakeholders_of(person, now), pk=pk)], now)
    who, what = subscription.person_for_askers, subscription.called
    back = next_url(request, reverse("digests:stakeholders"))
    form = EndForm(posted(request), cancel=back)
    if not subscription.is_ended and not form.is_valid():
        context = {"form": form, "subscription": subscription, "back": back}
        return render(request, "digests/end_stakeholder.html", context, status=422 if form.is_bound else 200)
    name = subscription.added_for.display_name if subscription.added_for else "a partner"
    if not subscription.is_ended and services.stop(
        subscriptions=[subscription], author=person, reason=form.said_by(name), now=now
    ):
        messages.success(request, f"{who} gets no more digests about {what}.")
    else:
        messages.info(request, f"{who} gets no digests about {what}: this had already ended.")
    return redirect(back)
