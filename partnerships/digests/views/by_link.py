"""Pages by a signed link, without signing in: confirm, stop, choose and read digests.

GET changes nothing, because mail scanners follow links. The token in the URL authorises a POST, which therefore needs
no cookie and no CSRF token.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.digests import services
from partnerships.digests.emails.links import Link, Purpose, make, minute_of
from partnerships.digests.emails.news import News
from partnerships.digests.emails.pages import plan_by_link, readable_news
from partnerships.digests.emails.reading import content_as
from partnerships.digests.models import ChangeFilter, Delivery, Frequency, Preference, Subscription, Watermark
from partnerships.digests.planning.matches import matches_in
from partnerships.digests.planning.next_digest import forecast_next_digest
from partnerships.digests.planning.notices import notices_in
from partnerships.digests.queries.inbox import lines_of
from partnerships.digests.queries.naming import askable_again, set_names_for
from partnerships.digests.queries.subscriptions import live_or_refused, moving_with, subscriptions_of
from partnerships.digests.sections import ON_READ_BY_LINK, ON_VIEW_BY_LINK, ReadByLink, ViewByLink
from partnerships.digests.signed_links import expired_link_page, for_bearer, token_in
from partnerships.digests.views.actions import BY_LINK, MESSAGES, PAUSE_CANCELLED, PAUSE_ENDED, change_subscription
from partnerships.digests.views.choices import always_sent, choices_form, date_reminders, pause_of, save_choices
from partnerships.digests.views.saying import preferences_in_words
from partnerships.digests.views.stopping import ask_and_stop
from partnerships.people.models import User
from partnerships.plans.comparisons import Comparison, compare_plan_contents
from partnerships.plans.content import Content
from partnerships.plans.models import Version
from partnerships.plans.presenting import PageLookups, milestones, sections, sites
from partnerships.plans.queries import area_names


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.STOP)
def stop_by_link(request: HttpRequest, link: Link) -> HttpResponse:
    """Ask what to stop; a POST stops it. Email apps also send a POST to unsubscribe with one click (RFC 8058)."""
    reason = "Stopped by the person, by a link in an email."
    return ask_and_stop(request, link.person, reason=reason, by_link=True, delivery=link.record_id)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.PREFERENCES)
def preferences_by_link(request: HttpRequest, link: Link) -> HttpResponse:
    """Show what a person follows, how often they get digests, and when the next digest is due.

    A POST is either a button outside the form of choices or the form itself; an invalid form is shown again (422).
    """
    person, now = link.person, timezone.now()
    preference = Preference.objects.get(person=person)
    if request.method == "POST":
        message_code = _apply_button(request, person, preference, now)
        if message_code:
            return redirect(f"{request.path}?done={message_code}")

    form = choices_form(request, person, preference)
    form.helper.disable_csrf = True
    if request.method == "POST" and form.is_valid():
        save_choices(form, person, preference)
        return redirect(f"{request.path}?done=saved")

    subscriptions = set_names_for(person, live_or_refused(person), now)
    context = {
        "form": form,
        "always": () if person.is_stakeholder else always_sent(),
        "parties": () if person.is_stakeholder else date_reminders(request, person),
        "person": person,
        "message": "" if request.method == "POST" else _message(request, subscriptions),
        "token": token_in(request),
        "stop_token": _stop_token(person, preference, now),
        **pause_of(person, preference, now),
        **_subscriptions_context(person, preference, subscriptions, now),
    }
    return render(request, "digests/preferences.html", context, status=422 if request.method == "POST" else 200)


def _stop_token(person: User, preference: Preference, now: dt.datetime) -> str:
    """Return the token of a link with which the person can stop digests."""
    return make(Purpose.STOP, person_id=person.pk, link_key=preference.link_key, record_id=0, minute=minute_of(now))


def _subscriptions_context(
    person: User, preference: Preference, subscriptions: list[Subscription], now: dt.datetime
) -> dict[str, Any]:
    """Return the context besides the form: followed and refused records, and when the next digest is due."""
    live_subscriptions = [subscription for subscription in subscriptions if not subscription.is_ended]
    askable_ids = askable_again(subscriptions, now)
    askable = [subscription for subscription in subscriptions if subscription.pk in askable_ids]
    return {
        "subscriptions": live_subscriptions,
        "choices_in_words": preferences_in_words(person, preference, live_subscriptions),
        "refused": [subscription for subscription in askable if subscription.named],
        "refused_at": preference.refused_at,
        "next": forecast_next_digest(person, now),
        "frequencies": Frequency.choices,
        "choices_of_hears": ChangeFilter.choices,
    }


def _apply_button(request: HttpRequest, person: User, preference: Preference, now: dt.datetime) -> str:
    """Do what a button outside the form of choices says, and return the code of the message.

    Returns "" if no such button was pressed, so that the POST is the form itself.
    """
    if "resume" in request.POST:
        is_ahead = preference.has_future_pause(now, person.time_zone)
        services.end_pause(person=person, author=person, now=now)
        return "cancelled" if is_ahead else "resumed"
    if "new_address" in request.POST and person.is_stakeholder:
        services.ask_to_move(person=person, email=request.POST["new_address"].strip()[:254], now=now)
        return "moved"
    if "allow" in request.POST:
        services.allow_questions(person=person, now=now)
        return "allowed"
    return ""


#: The message after a change, by its code. The code is in the URL, because pages by link work without cookies.
_MESSAGES = {
    "saved": "Your choice has been saved. You can see above the form how often you get digests.",
    "resumed": PAUSE_ENDED,
    "cancelled": PAUSE_CANCELLED,
    "allowed": "We will email you again if anyone enters your address to follow a plan.",
    "moved": "If we can use the new address, we have sent an email there. Nothing changes until you "
    "confirm in that email.",
    "over": "This subscription changed in the meantime. The list shows its status now.",
    **MESSAGES,
}


def _message(request: HttpRequest, subscriptions: list[Subscription]) -> str:
    """Return the message after a change, or ""; it names only the person's own subscriptions."""
    name_by_pk = {str(subscription.pk): subscription.shown_name for subscription in subscriptions}
    name = name_by_pk.get(request.GET.get("about", ""), "it")
    return _MESSAGES.get(request.GET.get("done", ""), "").format(name)


@csrf_exempt
@require_POST
@for_bearer(Purpose.PREFERENCES)
def change_by_link(request: HttpRequest, link: Link, pk: int, verb: str) -> HttpResponse:
    """Change one of the person's subscriptions, or send its confirmation email again.

    If the subscription has changed in the meantime, the page of choices says so.
    """
    if verb not in BY_LINK:
        raise Http404
    subscriptions = live_or_refused(link.person) if verb == "again" else subscriptions_of(link.person)
    subscription = get_object_or_404(subscriptions, pk=pk)

    message_code = verb
    try:
        change_subscription(
            verb,
            subscription,
            frequency=request.POST.get("frequency", ""),
            hears=request.POST.get("hears", ""),
            person=link.person,
            reason="Stopped by the person, by a link in an email.",
            now=timezone.now(),
        )
    except services.UnableToChangeSubscription:
        message_code = "over"
    choices_url = reverse("digests:preferences", kwargs={"token": token_in(request)})
    return redirect(f"{choices_url}?done={message_code}&about={pk}")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.CONFIRM)
def confirm_by_link(request: HttpRequest, link: Link) -> HttpResponse:
    """Ask whether the person wants these digests; a POST answers yes, no, or never.

    An answer that arrives too late changes nothing; the page then shows the present status of the subscription.
    """
    now = timezone.now()
    own_subscription = get_object_or_404(Subscription.objects.for_listing(), pk=link.record_id, person=link.person)
    # If the person was asked again after this email, only the newer link works. Links contain their time to the minute.
    if minute_of(link.made_at) < minute_of(own_subscription.asked_at):
        return expired_link_page(request, Purpose.CONFIRM)
    subscription = set_names_for(link.person, [own_subscription], now)[0]
    if request.method == "POST" and subscription.is_waiting:
        return _save_answer(request, link.person, subscription, now)

    moving_subscriptions = set_names_for(link.person, moving_with(subscription), now)
    context = {
        "subscription": subscription,
        "also_moved": [moving_subscription.shown_name for moving_subscription in moving_subscriptions],
        "frequencies": Frequency.choices,
        "frequency": subscription.frequency or Preference.objects.get(person=link.person).frequency,
    }
    return render(request, "digests/confirm.html", context)


def _save_answer(request: HttpRequest, person: User, subscription: Subscription, now: dt.datetime) -> HttpResponse:
    """Save the person's answer, and show the new status of the subscription or why the answer was refused."""
    try:
        _answer(subscription, request.POST.get("answer", ""), request.POST.get("frequency", ""), now=now)
    except services.UnableToChangeSubscription as error:
        context = {"subscription": subscription, "error": str(error)}
        return render(request, "digests/confirm.html", context, status=422)
    subscription.refresh_from_db()  # the services changed other instances of this row
    context = {"subscription": subscription, "next": forecast_next_digest(person, now)}
    return render(request, "digests/confirmed.html", context)


def _answer(subscription: Subscription, answer: str, frequency: str, *, now: dt.datetime) -> None:
    """Confirm the subscription, decline it, or decline all ("never"). Raises `UnableToChangeSubscription`."""
    person = subscription.person
    if answer in ("no", "never"):
        services.stop(subscriptions=[subscription], author=person, reason="The person said no.", now=now)
        if answer == "never":
            services.refuse_questions(person=person, now=now)
        return
    services.confirm_with_others(subscription=subscription, now=now)
    _choose_frequency(subscription, frequency, now=now)


def _choose_frequency(subscription: Subscription, frequency: str, *, now: dt.datetime) -> None:
    """Save the frequency that the person chose when confirming, if it has changed."""
    person = subscription.person
    present_frequency = subscription.frequency or Preference.objects.get(person=person).frequency
    if frequency in Frequency.values and frequency != present_frequency:
        confirmed_subscription = Subscription.objects.get(pk=subscription.pk)
        services.set_frequency(subscription=confirmed_subscription, frequency=frequency, author=person, now=now)


@require_safe
@for_bearer(Purpose.READ)
def digest_by_link(request: HttpRequest, link: Link) -> HttpResponse:
    """Show a digest in the browser, without content that its reader may no longer read."""
    person, token = link.person, token_in(request)
    delivery = get_object_or_404(Delivery, pk=link.record_id, recipient=person)
    reading = readable_news(delivery, now=timezone.now())
    context = {
        "delivery": delivery,
        "reading": reading,
        "pages": [(news, _url_of(news, token, stakeholder=person.is_stakeholder)) for news in reading.news],
        "person": person,
        "matches": () if person.is_stakeholder else matches_in(delivery.pk, person),
        "notices": () if person.is_stakeholder else lines_of(person, notices_in(delivery.pk, person, reading.acts)),
        "below": ON_VIEW_BY_LINK.of(person, ViewByLink(token, reading.plans, reading.others)),
    }
    return render(request, "digests/view.html", context)


def _url_of(news: News, token: str, *, stakeholder: bool) -> str:
    """Return the URL with more about a plan: by link for stakeholders, on the plan's pages for others."""
    if stakeholder:
        return reverse("digests:read", kwargs={"token": token, "plan": news.plan_id})
    if news.is_new:
        return reverse("plans:detail", kwargs={"pk": news.plan_id})
    return f"{reverse('plans:compare', kwargs={'pk': news.plan_id})}?from={news.from_number}&to={news.to_number}"


@require_safe
@for_bearer(Purpose.READ)
def plan_news_by_link(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """Show stakeholders what changed in one plan, and the plan in the version that the digest reported."""
    delivery = get_object_or_404(Delivery, pk=link.record_id, recipient=link.person)
    now = timezone.now()
    news = plan_by_link(delivery, plan, now=now)
    if news is None:
        return render(request, "digests/closed.html", status=404)
    version_by_number = {
        version.number: version
        for version in Version.objects.select_related("plan").filter(
            plan=plan, number__in=[news.from_number, news.to_number]
        )
    }
    version = version_by_number[news.to_number]
    content = content_as(version.content, Watermark.Reading.OUTSIDE)
    lookups = PageLookups(area_names(content))
    context = {
        "news": news,
        "version": version,
        "compared": _comparison(version_by_number.get(news.from_number), content),
        "about": content["about"],
        "sections": [section for section in sections(content, version.html, lookups) if section.html],
        "sites": sites(content, version.html, lookups),
        "milestones": milestones(content, version.html, timezone.localdate(), lookups),
        "below": ON_READ_BY_LINK.of(link.person, ReadByLink(token_in(request), version.plan, version.number, now)),
    }
    return render(request, "digests/read.html", context)


def _comparison(old_version: Version | None, new_content: Content) -> Comparison | None:
    """Compare the two versions that a digest reported; None if the plan was new."""
    if old_version is None:
        return None
    old_content = content_as(old_version.content, Watermark.Reading.OUTSIDE)
    return compare_plan_contents(old_content, new_content, areas=area_names(old_content, new_content))
