"""Pages of the ledger: one email, news that is due, and previews of next digests."""

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
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.digests import services
from partnerships.digests.emails.pages import Reading, next_digest, readable_news
from partnerships.digests.emails.pages import as_sent as message_as_sent
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.forms import ReasonForm
from partnerships.digests.models import Delivery, DeliveryItem, DeliverySubject
from partnerships.digests.planning.matches import upcoming_matches
from partnerships.digests.planning.next_digest import forecast_next_digest
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
from partnerships.kit.http import post_data
from partnerships.outbox.models import Bounce
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.models import Plan
from partnerships.work.queries import tasks_of_person

#: How many emails one page of the ledger shows.
_PAGE = 50
#: Lets a page show the email in a frame.
_may_frame_email: Callable[..., Any] = csp_update({"frame-src": [SELF]})
#: Lets the email in the frame use its own styles, but neither load nor run anything.
_framed_email: Callable[..., Any] = csp(
    {"default-src": [NONE], "style-src": ["'unsafe-inline'"], "frame-ancestors": [SELF], "sandbox": [""]}
)
#: Matches the signed links in an email, with which its recipient needs no sign-in.
_RECIPIENT_LINKS = re.compile(r"(/digests/(?:stop|preferences|read|confirm)/)[^/\"\s<>]+/")
#: The key in the session of the permissions for which an administrator has given a reason.
_GRANTS_KEY = "digests_shown"
#: How long an administrator can see an email after giving a reason.
_GRANTED_FOR = dt.timedelta(minutes=10)


def _ledger_reader(request: HttpRequest) -> User:
    """Return the signed-in person; 403 if they may not see the ledger."""
    person = signed_in(request)
    if not may_look(person):
        raise PermissionDenied
    return person


def _delivery_for(person: User, pk: int) -> tuple[Delivery, bool]:
    """Return an email, and whether it is only about plans that the person may publish.

    404 if the person may not see the email.
    """
    delivery = with_names(person, [get_object_or_404(ledger_of(person), pk=pk)])[0]
    if DeliverySubject.objects.filter(delivery=delivery).exists():
        # The email also reports partnerships, asks or commitments, which a lead of its plans may not be allowed to
        # read.
        return delivery, False
    publishable = Plan.objects.publishable_by(person).values("pk")
    items = DeliveryItem.objects.included().filter(delivery=delivery)
    only_own_plans = items.exists() and not items.exclude(plan__in=publishable).exists()
    return delivery, only_own_plans


def _is_shown(request: HttpRequest, person: User, shown: Shown, *, only_own_plans: bool) -> bool:
    """Return whether the person may see the message itself.

    * Administrators may, for ten minutes after giving a reason.
    * Leads of all plans in the email may, if it was sent to a stakeholder. Emails to people with an account also list
      their tasks.
    * An email to a person without a name greets them by a part of their address, so only people who may see the address
      may see the email.
    """
    delivery = shown.delivery
    if person.is_staff:
        return _is_granted(request, str(delivery.pk))
    greeting_is_known = bool(shown.address or delivery.recipient.name)
    return only_own_plans and delivery.recipient.is_stakeholder and greeting_is_known


def _grant(request: HttpRequest, permission: str) -> None:
    """Let an administrator who has given a reason use a permission for ten minutes."""
    grants = dict(request.session.get(_GRANTS_KEY, {}))
    grants[permission] = timezone.now().isoformat()
    # Assign the whole dictionary: Django saves a session only if one of its keys is set.
    request.session[_GRANTS_KEY] = grants


def _is_granted(request: HttpRequest, permission: str) -> bool:
    """Return whether an administrator has given a reason for this permission in the last ten minutes."""
    granted_at = request.session.get(_GRANTS_KEY, {}).get(permission)
    if not granted_at:
        return False
    return timezone.now() - dt.datetime.fromisoformat(granted_at) < _GRANTED_FOR


@require_http_methods(["GET", "HEAD", "POST"])
@_may_frame_email
def email_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one email: its contents, its status and, if the person may see it, the message itself.

    A POST is an administrator's reason for seeing the message.
    """
    person = _ledger_reader(request)
    delivery, only_own_plans = _delivery_for(person, pk)
    if request.method == "POST" and not person.is_staff:
        raise PermissionDenied
    form = ReasonForm(request.POST or None) if person.is_staff else None
    if form is not None and form.is_valid():
        _record_reason_to_see(delivery, administrator=person, reason=form.cleaned_data["reason"])
        _grant(request, str(delivery.pk))
        return redirect("digests:entry", pk=pk)

    shown = shown_to(person, [delivery])[0]
    is_shown = delivery.has_stored_message and _is_shown(request, person, shown, only_own_plans=only_own_plans)
    context = {
        **_contents_of_email(person, shown, is_shown=is_shown),
        "form": form,
        # What the person can do
        "may_resend": delivery.can_be_sent_again and (only_own_plans or person.is_staff),
        "may_ask": stakeholders_of(person, timezone.now()).live().filter(pk=delivery.subscription_id or 0).exists(),
    }
    return render(request, "digests/entry.html", context, status=422 if request.method == "POST" else 200)


def _contents_of_email(person: User, shown: Shown, *, is_shown: bool) -> dict[str, Any]:
    """Return the template context about an email: its recipient, contents and bounces.

    Administrators see the lines about all plans. Other people see the lines about plans that they may publish and, if
    the message itself is not shown, its news about these plans.
    """
    delivery = shown.delivery
    publishable_ids: set[int] | None = None
    reading = None
    if not person.is_staff:
        publishable_ids = set(Plan.objects.publishable_by(person).values_list("pk", flat=True))
        if not is_shown:
            reading = readable_news(delivery, now=timezone.now(), plan_ids=publishable_ids)
    bounces = Bounce.objects.filter(email_id=delivery.pk).order_by("-at", "-pk")
    return {
        "delivery": delivery,
        "who": shown.who,
        "address": shown.address,
        "reason": shown.reason,
        "items": items_of(with_items([delivery])[0], publishable_ids),
        "repeats_of": repeats_of(delivery),
        "bounces": [(bounce, shown.answer_of_server(bounce.text)) for bounce in bounces],
        "is_shown": is_shown,
        "reading": reading,
    }


def _record_reason_to_see(delivery: Delivery, *, administrator: User, reason: str) -> None:
    """Record why an administrator looks at the message that was sent to a person."""
    services.record_look(
        person=delivery.recipient,
        administrator=administrator,
        event=EventKind.DELIVERY_VIEWED,
        kind="delivery",
        number=delivery.pk,
        reason=reason,
        now=timezone.now(),
    )


@require_safe
@xframe_options_sameorigin
@_framed_email
def as_sent(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the HTML part of the message as it was sent, for a frame that can neither run nor load anything."""
    person = _ledger_reader(request)
    delivery, only_own_plans = _delivery_for(person, pk)
    shown = shown_to(person, [delivery])[0]
    if not delivery.has_stored_message or not _is_shown(request, person, shown, only_own_plans=only_own_plans):
        raise Http404
    message = email.message_from_string(message_as_sent(delivery), policy=email.policy.default)
    html_part = message.get_body(("html",))
    body = str(cast(EmailMessage, html_part).get_content()) if html_part is not None else ""
    # The viewer must not use the recipient's links, so the tokens in them are replaced.
    response = HttpResponse(_RECIPIENT_LINKS.sub(r"\1not-shown/", body))
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
def email_send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the same news again. If a mail server has accepted the email, a reason is required."""
    person = _ledger_reader(request)
    delivery, only_own_plans = _delivery_for(person, pk)
    if not (only_own_plans or person.is_staff):
        raise PermissionDenied
    reason = request.POST.get("reason", "").strip()

    try:
        new_delivery = services.send_again(delivery=delivery, author=person, reason=reason, now=timezone.now())
    except services.UnableToSendAgain as error:
        messages.error(request, str(error))
        return redirect("digests:entry", pk)
    messages.success(request, f"The same news will be sent to {delivery.recipient.display_name} again.")
    return redirect("digests:entry", new_delivery.pk)


@require_safe
def due_news(request: HttpRequest) -> HttpResponse:
    """Show whose digests are due within the next day, and about which plans."""
    person = _ledger_reader(request)
    now = timezone.now()
    rows = due_within(person, until=now + dt.timedelta(days=1))
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    return render(request, "digests/due.html", {"page": page, "now": now, **tabs_for(person)})


def _ask_for_reason(request: HttpRequest, viewer: User, person: User) -> HttpResponse | None:
    """Return the page that asks an administrator for a reason to see a next digest; None once the reason is given."""
    permission = f"preview {person.pk}"
    form = ReasonForm(post_data(request), submit="Show next digest", cancel=reverse("digests:due"))
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
        _grant(request, permission)
        return redirect("digests:preview", pk=person.pk)
    if request.method != "POST" and _is_granted(request, permission):
        return None
    context = {"person": person, "form": form}
    return render(request, "digests/preview_reason.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def preview_digest(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a person's next digest would say if it were sent now.

    People see their own digest in full. In another person's digest, they see the plans that they may publish.
    Administrators see it without confidential parts, for ten minutes after giving a reason.
    """
    viewer, now = signed_in(request), timezone.now()
    person = get_object_or_404(User, pk=pk)
    is_own = person.pk == viewer.pk
    if viewer.is_staff and not is_own:
        reason_page = _ask_for_reason(request, viewer, person)
        if reason_page is not None:
            return reason_page
    reading = _next_digest_for(viewer, person, now)
    # Only the reason of an administrator is posted here, and `_ask_for_reason` has answered it.
    if request.method == "POST":
        raise PermissionDenied

    matches = upcoming_matches(person) if is_own else ()
    notices = lines_of(person, upcoming_notices(person, reading.acts)) if is_own else ()
    context = {
        "person": person,
        "reading": reading,
        "nothing_new": reading.is_empty and not matches and not notices,
        "notices": notices,
        "next": forecast_next_digest(person, now),
        "is_own": is_own,
        "matches": matches,
        "waiting": tasks_of_person(person, now) if is_own else [],
    }
    return render(request, "digests/preview.html", context)


def _next_digest_for(viewer: User, person: User, now: dt.datetime) -> Reading:
    """Return a person's next digest as the viewer may see it; 404 if the viewer may see nothing of it."""
    if person.pk == viewer.pk:
        return next_digest(person, now=now)
    if viewer.is_staff:
        return next_digest(person, now=now, outside_only=True)
    publishable_ids = set(Plan.objects.publishable_by(viewer).values_list("pk", flat=True))
    if not person.watermarks.filter(plan__in=publishable_ids).exists():
        raise Http404
    return next_digest(person, now=now, plan_ids=publishable_ids)
