"""Signed out: confirming, stopping, preferences, reading, by link.

Nothing changes on GET, because mail scanners follow links. The token in the URL authorises a POST, so it needs no
cookie and no CSRF token.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.digests import services
from partnerships.digests.bearers import for_bearer, link_over, token_in
from partnerships.digests.emails.links import Link, Purpose, make, minute_of
from partnerships.digests.emails.news import News
from partnerships.digests.emails.pages import plan_by_link, readable_news
from partnerships.digests.emails.reading import content_as
from partnerships.digests.models import Delivery, Frequency, Hears, Preference, Subscription, Watermark
from partnerships.digests.planning.forecast import when_next
from partnerships.digests.planning.matches import matches_in
from partnerships.digests.planning.notices import notices_in
from partnerships.digests.queries.inbox import InboxLine, lines_of
from partnerships.digests.queries.naming import askable_again, named_for
from partnerships.digests.queries.subscriptions import live_or_refused, moving_with, subscriptions_of
from partnerships.digests.sections import ON_READ_BY_LINK, ON_VIEW_BY_LINK, ReadByLink, ViewByLink
from partnerships.digests.views.actions import BY_LINK, PAUSE_CANCELLED, PAUSE_ENDED, SAID, act
from partnerships.digests.views.choices import always_sent, choices_form, date_reminders, pause_of
from partnerships.digests.views.saying import preferences_in_words
from partnerships.digests.views.stopping import ask_and_stop
from partnerships.plans.comparisons import Comparison, comparison
from partnerships.plans.content import Content
from partnerships.plans.models import Version
from partnerships.plans.presenting import Lookups, milestones, sections, sites
from partnerships.plans.queries import area_names


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.STOP)
def stop(request: HttpRequest, link: Link) -> HttpResponse:
    """Ask what to stop; a POST stops it, also one click (RFC 8058)."""
    reason = "Stopped by the person, by a link in an email."
    return ask_and_stop(request, link.person, reason=reason, by_link=True, delivery=link.number)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.PREFERENCES)
def preferences(request: HttpRequest, link: Link) -> HttpResponse:
    """What this person follows, how often, and when the next digest comes."""
    person, now = link.person, timezone.now()
    preference = Preference.objects.get(person=person)
    if request.method == "POST" and "resume" in request.POST:
        is_ahead = preference.pause_ahead(now, person.time_zone)
        services.end_pause(person=person, author=person, now=now)
        return redirect(f"{request.path}?done={'cancelled' if is_ahead else 'resumed'}")
    if request.method == "POST" and "new_address" in request.POST and person.is_stakeholder:
        services.ask_to_move(person=person, email=request.POST["new_address"].strip()[:254], now=now)
        return redirect(f"{request.path}?done=moved")
    if request.method == "POST" and "allow" in request.POST:
        services.allow_questions(person=person, now=now)
        return redirect(f"{request.path}?done=allowed")
    form = choices_form(request, person, preference)
    form.helper.disable_csrf = True
    if request.method == "POST" and form.is_valid():
        for_everything = form.cleaned_data["frequency"] != preference.frequency
        services.save_choices(
            person=person,
            preferences=form.preferences,
            ways=form.ways,
            lead_times=form.lead_times,
            for_everything=for_everything,
            author=person,
            now=now,
        )
        return redirect(f"{request.path}?done=saved")
    minute = minute_of(now)
    followed = named_for(person, live_or_refused(person), now)
    askable = askable_again(followed, now)
    subscriptions = [subscription for subscription in followed if not subscription.is_ended]
    context = {
        "form": form,
        "always": () if person.is_stakeholder else always_sent(),
        "parties": () if person.is_stakeholder else date_reminders(request, person),
        "person": person,
        "said": "" if request.method == "POST" else _said(request, followed),
        "token": token_in(request),
        "stop": make(Purpose.STOP, person_id=person.pk, link_key=preference.link_key, number=0, minute=minute),
        "subscriptions": subscriptions,
        "current": preferences_in_words(person, preference, subscriptions),
        "refused": [subscription for subscription in followed if subscription.named and subscription.pk in askable],
        "refused_at": preference.refused_at,
        **pause_of(person, preference, now),
        "next": when_next(person, now),
        "frequencies": Frequency.choices,
        "choices_of_hears": Hears.choices,
    }
    return render(request, "digests/preferences.html", context, status=422 if request.method == "POST" else 200)


#: Messages after a change, by a word in the URL, because links work without cookies.
_SAID = {
    "saved": "Your choice has been saved. You can see above the form how often you get digests.",
    "resumed": PAUSE_ENDED,
    "cancelled": PAUSE_CANCELLED,
    "allowed": "We will email you again when your address is entered to follow a plan.",
    "moved": "If the new address can be used, we have sent an email there. Nothing changes until it is confirmed.",
    "over": "That changed in the meantime. This is the status now.",
    **SAID,
}


def _said(request: HttpRequest, subscriptions: list[Subscription]) -> str:
    """The message after a change; names only the person's subscriptions."""
    about = next(
        (subscription.called for subscription in subscriptions if str(subscription.pk) == request.GET.get("about")),
        "it",
    )
    return _SAID.get(request.GET.get("done", ""), "").format(about)


@csrf_exempt
@require_POST
@for_bearer(Purpose.PREFERENCES)
def change(request: HttpRequest, link: Link, pk: int, verb: str) -> HttpResponse:
    """Change one of the person's subscriptions, or send its email again."""
    if verb not in BY_LINK:
        raise Http404
    subscriptions = live_or_refused(link.person) if verb == "again" else subscriptions_of(link.person)
    subscription = get_object_or_404(subscriptions, pk=pk)
    try:
        act(
            verb,
            subscription,
            frequency=request.POST.get("frequency", ""),
            hears=request.POST.get("hears", ""),
            person=link.person,
            reason="Stopped by the person, by a link in an email.",
            now=timezone.now(),
        )
    except services.UnableToChangeSubscription:
        verb = "over"
    return redirect(f"{reverse('digests:preferences', kwargs={'token': token_in(request)})}?done={verb}&about={pk}")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.CONFIRM)
def confirm(request: HttpRequest, link: Link) -> HttpResponse:
    """Ask whether the person wants these digests; a POST answers yes or no.

    If they were asked again since, only the link in the newer email works.
    """
    subscription_found = get_object_or_404(Subscription.objects.for_listing(), pk=link.number, person=link.person)
    now = timezone.now()
    if minute_of(link.made_at) < minute_of(subscription_found.asked_at):
        return link_over(request, Purpose.CONFIRM)
    [subscription] = named_for(link.person, [subscription_found], now)
    if request.method == "POST" and subscription.is_waiting:
        if request.POST.get("answer") in ("no", "never"):
            services.stop(subscriptions=[subscription], author=link.person, reason="Declined by the person.", now=now)
            if request.POST["answer"] == "never":
                services.refuse_questions(person=link.person, now=now)
        else:
            try:
                services.confirm_with_others(subscription=subscription, now=now)
                _choose_frequency(subscription, request.POST.get("frequency", ""), now=now)
            except services.UnableToChangeSubscription as error:
                return render(
                    request, "digests/confirm.html", {"subscription": subscription, "error": str(error)}, status=422
                )
        subscription.refresh_from_db()
        return render(
            request,
            "digests/confirmed.html",
            {"subscription": subscription, "next": when_next(link.person, now)},
        )
    preferred = Preference.objects.get(person=link.person).frequency
    context = {
        "subscription": subscription,
        "moving": [moved.called for moved in named_for(link.person, moving_with(subscription), now)],
        "frequencies": Frequency.choices,
        "frequency": subscription.frequency or preferred,
    }
    return render(request, "digests/confirm.html", context)


def _choose_frequency(subscription: Subscription, frequency: str, *, now: dt.datetime) -> None:
    """Save the frequency chosen when confirming, if it differs from theirs."""
    person = subscription.person
    anyway = subscription.frequency or Preference.objects.get(person=person).frequency
    if frequency in Frequency.values and frequency != anyway:
        confirmed = Subscription.objects.get(pk=subscription.pk)
        services.set_frequency(subscription=confirmed, frequency=frequency, author=person, now=now)


@require_safe
@for_bearer(Purpose.READ)
def view(request: HttpRequest, link: Link) -> HttpResponse:
    """A digest in the browser, without what its reader may no longer read."""
    delivery = get_object_or_404(Delivery, pk=link.number, recipient=link.person)
    reading = readable_news(delivery, now=timezone.now())
    pages = [(news, _page_of(news, token_in(request), stakeholder=link.person.is_stakeholder)) for news in reading.news]
    matches = matches_in(delivery.pk, link.person) if not link.person.is_stakeholder else ()
    notices: Sequence[InboxLine] = ()
    if not link.person.is_stakeholder:
        notices = lines_of(link.person, notices_in(delivery.pk, link.person, reading.acts))
    context = {
        "delivery": delivery,
        "reading": reading,
        "pages": pages,
        "person": link.person,
        "matches": matches,
        "notices": notices,
        "below": ON_VIEW_BY_LINK.of(link.person, ViewByLink(token_in(request), reading.plans, reading.others)),
    }
    return render(request, "digests/view.html", context)


def _page_of(news: News, token: str, *, stakeholder: bool) -> str:
    """Where to read more: by link for stakeholders, else on the plan's pages."""
    if stakeholder:
        return reverse("digests:read", kwargs={"token": token, "plan": news.plan_id})
    if news.is_new:
        return reverse("plans:detail", kwargs={"pk": news.plan_id})
    return f"{reverse('plans:compare', kwargs={'pk': news.plan_id})}?from={news.from_number}&to={news.to_number}"


@require_safe
@for_bearer(Purpose.READ)
def read(request: HttpRequest, link: Link, plan: int) -> HttpResponse:
    """What changed in one plan and the plan as it was then, for stakeholders."""
    delivery = get_object_or_404(Delivery, pk=link.number, recipient=link.person)
    news = plan_by_link(delivery, plan, now=timezone.now())
    if news is None:
        return render(request, "digests/closed.html", status=404)
    version = get_object_or_404(Version.objects.select_related("plan"), plan=plan, number=news.to_number)
    content = content_as(version.content, Watermark.Reading.OUTSIDE)
    lookups = Lookups(area_names(content))
    context = {
        "news": news,
        "version": version,
        "compared": _compared(news, content),
        "about": content["about"],
        "sections": [section for section in sections(content, version.html, lookups) if section.html],
        "sites": sites(content, version.html, lookups),
        "milestones": milestones(content, version.html, timezone.localdate(), lookups),
        "below": ON_READ_BY_LINK.of(link.person, ReadByLink(token_in(request), version.plan, version.number)),
    }
    return render(request, "digests/read.html", context)


def _compared(news: News, now: Content) -> Comparison | None:
    """The two versions in an email side by side; None if the plan was new."""
    before = Version.objects.filter(plan=news.plan_id, number=news.from_number).first()
    if before is None:
        return None
    was = content_as(before.content, Watermark.Reading.OUTSIDE)
    return comparison(was, now, areas=area_names(was, now))
