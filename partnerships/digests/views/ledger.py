"""One email of the ledger, what is due, and previews of next digests."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any, cast

from csp.constants import NONE, SELF
from csp.decorators import csp, csp_update
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.digests import services
from partnerships.digests.emails.pages import as_sent as message_as_sent
from partnerships.digests.emails.pages import next_digest, readable_news
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.forms import ReasonForm
from partnerships.digests.models import Delivery, DeliveryItem, DeliverySubject
from partnerships.digests.planning.forecast import when_next
from partnerships.digests.planning.matches import upcoming_matches
from partnerships.digests.planning.notices import upcoming_notices
from partnerships.digests.queries.inbox import lines_of
from partnerships.digests.queries.included import items_of, with_items, with_names
from partnerships.digests.queries.ledger import (
    Shown,
    due_within,
    ledger_of,
    may_look,
    repeats_of,
    shown_to,
    tabs_for,
)
from partnerships.digests.queries.subscriptions import stakeholders_of
from partnerships.kit.http import posted
from partnerships.outbox.models import Bounce
from partnerships.people.form_steps import press_button
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.models import Plan
from partnerships.work.queries import waiting_for

#: Emails on one page of the ledger.
_PAGE = 50
# The page may frame the email. The email may use its own styles and load or run nothing.
_framing: Callable[..., Any] = csp_update({"frame-src": [SELF]})
_framed: Callable[..., Any] = csp(
    {"default-src": [NONE], "style-src": ["'unsafe-inline'"], "frame-ancestors": [SELF], "sandbox": [""]}
)
#: Links that authorise the recipient.
_RIGHTS = re.compile(r"(/digests/(?:stop|preferences|read|confirm)/)[^/\"\s<>]+/")
_GRANT = "digests_shown"
#: How long an administrator sees an email after giving a reason.
_GRANTED_FOR = dt.timedelta(minutes=10)


def _keeper(request: HttpRequest) -> User:
    """The signed-in person; 403 if they may not see the ledger."""
    person = signed_in(request)
    if not may_look(person):
        raise PermissionDenied
    return person


def _delivery_for(person: User, pk: int) -> tuple[Delivery, bool]:
    """An email, and whether the person may publish all plans in it."""
    [delivery] = with_names(person, [get_object_or_404(ledger_of(person), pk=pk)])
    publishable = Plan.objects.publishable_by(person).values("pk")
    included = DeliveryItem.objects.included().filter(delivery=delivery)
    # A lead of its plans may not be allowed to read what it says about partnerships, asks and commitments.
    only_plans = not DeliverySubject.objects.filter(delivery=delivery).exists()
    return delivery, only_plans and included.exists() and not included.exclude(plan__in=publishable).exists()


def _is_shown(request: HttpRequest, person: User, shown: Shown, *, all_mine: bool) -> bool:
    """Whether the email itself may be shown.

    Administrators see it for ten minutes after giving a reason. Leads of all plans in it see it if it went to a
    stakeholder; emails to people with an account also list what waits for them. An email that greets its reader by a
    part of the address is shown only to people who may see the address.
    """
    delivery = shown.delivery
    if not person.is_staff:
        return all_mine and delivery.recipient.is_stakeholder and bool(shown.address or delivery.recipient.name)
    return _is_granted(request, str(delivery.pk))


def _grant(request: HttpRequest, permission: str) -> None:
    """Allow access for a while, after a reason was given."""
    request.session[_GRANT] = {**request.session.get(_GRANT, {}), permission: timezone.now().isoformat()}


def _is_granted(request: HttpRequest, permission: str) -> bool:
    granted = request.session.get(_GRANT, {}).get(permission)
    return bool(granted) and timezone.now() - dt.datetime.fromisoformat(granted) < _GRANTED_FOR


@require_http_methods(["GET", "HEAD", "POST"])
@_framing
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One email: content, status, and the message if it may be shown."""
    person = _keeper(request)
    delivery, all_mine = _delivery_for(person, pk)
    form = ReasonForm(request.POST or None) if person.is_staff else None
    if form is not None and request.method == "POST" and form.is_valid():
        services.record_look(
            person=delivery.recipient,
            administrator=person,
            event=EventKind.DELIVERY_VIEWED,
            kind="delivery",
            number=delivery.pk,
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
        _grant(request, str(delivery.pk))
        return redirect("digests:entry", pk=pk)
    if request.method == "POST" and form is None:
        raise PermissionDenied
    publishable_ids = None if person.is_staff else set(Plan.objects.publishable_by(person).values_list("pk", flat=True))
    [entry] = shown_to(person, [delivery])
    shown = delivery.is_kept and _is_shown(request, person, entry, all_mine=all_mine)
    context = {
        "delivery": delivery,
        "who": entry.who,
        "address": entry.address,
        "reason": entry.reason,
        "items": items_of(with_items([delivery])[0], publishable_ids),
        "repeats_of": repeats_of(delivery),
        "bounces": [
            (bounce, entry.said(bounce.text))
            for bounce in Bounce.objects.filter(email_id=delivery.pk).order_by("-at", "-pk")
        ],
        "shown": shown,
        "may_resend": delivery.can_be_sent_again and (all_mine or person.is_staff),
        "may_ask": stakeholders_of(person, timezone.now()).live().filter(pk=delivery.subscription_id or 0).exists(),
        "reading": None
        if shown or publishable_ids is None
        else readable_news(delivery, now=timezone.now(), plans=publishable_ids),
        "form": form,
    }
    return render(request, "digests/entry.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@xframe_options_sameorigin
@_framed
def as_sent(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML part as sent, for a frame that can run and load nothing."""
    person = _keeper(request)
    delivery, all_mine = _delivery_for(person, pk)
    [shown] = shown_to(person, [delivery])
    if not delivery.is_kept or not _is_shown(request, person, shown, all_mine=all_mine):
        raise Http404
    message = email.message_from_string(message_as_sent(delivery), policy=email.policy.default)
    html = message.get_body(("html",))
    body = str(cast(EmailMessage, html).get_content()) if html is not None else ""
    # The reader here may not use the recipient's links, so they lead nowhere.
    response = HttpResponse(_RIGHTS.sub(r"\1not-shown/", body))
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the same news again; if it was received, only with a reason."""
    person = _keeper(request)
    delivery, all_mine = _delivery_for(person, pk)
    if not (all_mine or person.is_staff):
        raise PermissionDenied
    reason = request.POST.get("reason", "").strip()

    def step() -> tuple[str, str]:
        repeat = services.send_again(delivery=delivery, author=person, reason=reason, now=timezone.now())
        words = f"The same news will be sent to {delivery.recipient.display_name} again."
        return words, reverse("digests:entry", args=[repeat.pk])

    return press_button(request, step, services.UnableToSendAgain, back=reverse("digests:entry", args=[pk]))


@require_safe
def due(request: HttpRequest) -> HttpResponse:
    """What is due within the next day, and who gets it."""
    person = _keeper(request)
    now = timezone.now()
    rows = due_within(person, until=now + dt.timedelta(days=1))
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    return render(request, "digests/due.html", {"page": page, "now": now, **tabs_for(person)})


def _look_ahead(request: HttpRequest, viewer: User, person: User) -> HttpResponse | None:
    """The page that asks an administrator why; None once they answered."""
    grant_name = f"preview {person.pk}"
    words, back = "Show next digest", reverse("digests:due")
    form = ReasonForm(posted(request), submit=words, cancel=back)
    if form.is_valid():
        services.record_look(
            person=person,
            administrator=viewer,
            event=EventKind.NEXT_DIGEST_VIEWED,
            kind="person",
            number=person.pk,
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
        _grant(request, grant_name)
        return redirect("digests:preview", pk=person.pk)
    if request.method != "POST" and _is_granted(request, grant_name):
        return None
    context = {"person": person, "form": form}
    return render(request, "digests/preview_reason.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What somebody's next digest would say now.

    My own in full, others' about plans I may publish. Administrators see it without confidential parts, for ten minutes
    after giving a reason.
    """
    viewer = signed_in(request)
    person = get_object_or_404(User, pk=pk)
    now = timezone.now()
    if person.pk == viewer.pk:
        reading = next_digest(person, now=now)
    elif viewer.is_staff:
        is_granted = _look_ahead(request, viewer, person)
        if is_granted is not None:
            return is_granted
        reading = next_digest(person, now=now, outside_only=True)
    else:
        publishable_ids = set(Plan.objects.publishable_by(viewer).values_list("pk", flat=True))
        concerned = person.watermarks.filter(plan__in=publishable_ids).exists()
        if not concerned:
            raise Http404
        reading = next_digest(person, now=now, plans=publishable_ids)
    if request.method == "POST":
        raise PermissionDenied
    own = person.pk == viewer.pk
    matches = upcoming_matches(person) if own else ()
    notices = lines_of(person, upcoming_notices(person, reading.acts)) if own else ()
    context = {
        "person": person,
        "reading": reading,
        "nothing_new": reading.is_empty and not matches and not notices,
        "notices": notices,
        "next": when_next(person, now),
        "own": own,
        "matches": matches,
        "waiting": waiting_for(person, now) if own else [],
    }
    return render(request, "digests/preview.html", context)
