"""Pages for people who are signed in: the records that they follow, their choices, and who gets a plan."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.models import Partnership, Post
from partnerships.digests import services
from partnerships.digests.models import ChangeFilter, Frequency, Preference, RoleRule
from partnerships.digests.models.targets import title_of
from partnerships.digests.planning.forecast import who_will_get
from partnerships.digests.planning.next_digest import (
    followed_plans,
    forecast_next_digest,
    live_subscriptions,
    times_due,
)
from partnerships.digests.planning.roles import people_of
from partnerships.digests.queries.ledger import may_look
from partnerships.digests.queries.naming import set_names_for
from partnerships.digests.queries.subscriptions import (
    live_or_refused,
    may_ask_stakeholders,
    subscriptions_of,
    unconfirmed_of,
    with_known_address,
)
from partnerships.digests.queries.ways import chosen_ways
from partnerships.digests.views.actions import MESSAGES, PAUSE_CANCELLED, PAUSE_ENDED, SIGNED_IN, change_subscription
from partnerships.digests.views.choices import (
    always_sent,
    choices_form,
    chosen_lead_times,
    date_reminders,
    first_parties_lookup,
    pause_of,
    preference_of,
    save_choices,
)
from partnerships.digests.views.fetching import page_of, visible_target
from partnerships.digests.views.saying import preferences_in_words
from partnerships.digests.views.stopping import ask_and_stop
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.outbox.queries.suppressions import open_suppressions
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.models import Plan


@require_http_methods(["GET", "HEAD", "POST"])
def manage_choices(request: HttpRequest) -> HttpResponse:
    """Show the records that the person follows, their choices, and when the next digest is due.

    On POST, end the pause or save the choices.
    """
    person = signed_in(request)
    if request.method != "POST":
        _read_ahead_for(person)
    saved_preferences = rows_for(preference_of, person)
    preference = saved_preferences[0] if saved_preferences else Preference(person=person)
    if request.method == "POST" and "resume" in request.POST:
        return _end_pause(request, person, preference)

    form = choices_form(request, person, preference)
    if request.method == "POST" and form.is_valid():
        saved_preference = save_choices(form, person, preference)
        subscriptions = set_names_for(person, subscriptions_of(person), timezone.now())
        sentences = preferences_in_words(person, saved_preference, subscriptions)
        messages.success(request, f"Your choice has been saved. {sentences}")
        return redirect("digests:manage")

    context = {
        "form": form,
        **pause_of(person, preference, timezone.now()),
        "always": always_sent(),
        "parties": date_reminders(request, person),
        "tells_matches": preference.tells_matches,
        **_subscriptions_context(person, preference),
    }
    return render(request, "digests/manage.html", context, status=422 if request.method == "POST" else 200)


def _end_pause(request: HttpRequest, person: User, preference: Preference) -> HttpResponse:
    """End the person's pause, or cancel a pause that has not begun."""
    services.end_pause(person=person, author=person, now=timezone.now())
    is_ahead = preference.has_future_pause(timezone.now(), person.time_zone)
    messages.success(request, PAUSE_CANCELLED if is_ahead else PAUSE_ENDED)
    return redirect("digests:manage")


def _read_ahead_for(person: User) -> None:
    """Read in one query what the page of choices needs, apart from what depends on these rows."""
    read_ahead(
        [
            lookup(preference_of, person),
            lookup(chosen_ways, person),
            lookup(chosen_lead_times, person),
            first_parties_lookup(person),
            lookup(live_or_refused, person),
            lookup(live_subscriptions, person),
            lookup(times_due, person),
            lookup(followed_plans, person),
        ]
    )


def _subscriptions_context(person: User, preference: Preference) -> dict[str, Any]:
    """Return the context besides the form: followed and refused records, and the other facts that the page shows."""
    now = timezone.now()
    all_subscriptions = set_names_for(person, rows_for(live_or_refused, person), now)
    subscriptions = [subscription for subscription in all_subscriptions if not subscription.is_ended]
    refused = [subscription for subscription in all_subscriptions if subscription.was_refused_recently(now)]
    return {
        "subscriptions": subscriptions,
        "choices_in_words": preferences_in_words(person, preference, subscriptions),
        # The reader may not know the name of a record that they may no longer read.
        "refused": [subscription for subscription in refused if subscription.named],
        "next": forecast_next_digest(person, now, preference=preference),
        "frequencies": Frequency.choices,
        "may_add": may_ask_stakeholders(person),
        "choices_of_hears": ChangeFilter.choices,
        "may_look": may_look(person),
        "suppression": open_suppressions(person.email).first(),
    }


@require_POST
def follow_record(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Follow a record, such as a plan or a partnership."""
    person = signed_in(request)
    target = visible_target(person, kind, pk)
    frequency = request.POST.get("frequency", "")

    try:
        subscription = services.subscribe(
            person=person, target=target, author=person, frequency=frequency, now=timezone.now()
        )
    except services.UnableToSubscribe as error:
        messages.error(request, str(error))
    else:
        if subscription.is_confirmed:
            message = f"You now follow {title_of(target)}. Your digests list what changes from now on."
        else:
            message = f"We have sent an email to {person.email}. Follow the link in it to confirm."
        messages.success(request, message)
    return redirect(page_of(target))


@require_POST
def change_own_subscription(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Confirm, pause, resume, stop or change one of the person's subscriptions."""
    person = signed_in(request)
    if verb not in SIGNED_IN:
        raise Http404
    own_subscription = get_object_or_404(subscriptions_of(person), pk=pk)
    subscription = set_names_for(person, [own_subscription], timezone.now())[0]
    is_on_page_of_target = request.POST.get("back") == "page"
    back_url = page_of(subscription.followed_item) if is_on_page_of_target else reverse("digests:manage")

    try:
        change_subscription(
            verb,
            subscription,
            frequency=request.POST.get("frequency", ""),
            hears=request.POST.get("hears", ""),
            person=person,
            reason="Stopped by the person.",
            now=timezone.now(),
        )
    except services.UnableToChangeSubscription as error:
        messages.error(request, str(error))
    else:
        messages.success(request, MESSAGES[verb].format(subscription.shown_name))
    return redirect(back_url)


@require_http_methods(["GET", "HEAD", "POST"])
def stop_all(request: HttpRequest) -> HttpResponse:
    """Ask which of the person's digests to stop; a POST stops them."""
    return ask_and_stop(request, signed_in(request), reason="Stopped by the person.", by_link=False)


# ---- By role


@require_POST
def tell_role(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Start or stop digests about a partnership or a plan for everyone with a role."""
    person, now = signed_in(request), timezone.now()
    target = visible_target(person, kind, pk)
    if not isinstance(target, Plan | Partnership):
        raise Http404

    rule = RoleRule.objects.filter(**{kind: pk}, post=None).first()
    if rule is not None:
        services.end_role_rule(rule=rule, author=person, reason="Ended by a lead.", now=now)
        messages.success(request, f"People with this role no longer get digests about {target}.")
        return redirect(page_of(target))

    new_rule = services.set_role_rule(target=target, author=person, now=now)
    role_label = new_rule.get_role_display()
    role = role_label[0].lower() + role_label[1:]
    person_count = people_of(new_rule).values("person").distinct().count()
    people = f"{person_count:,}" if person_count else "nobody yet"
    messages.success(
        request,
        f"Digests about {target} now go to {role}. Each person can stop them. People who get them today: {people}.",
    )
    return redirect(page_of(target))


@require_POST
def follow_for_post(request: HttpRequest, post: int, kind: str, pk: int) -> HttpResponse:
    """Start or stop digests about a partnership or a plan for the holder of a post."""
    person = signed_in(request)
    open_post = get_object_or_404(Post.objects.visible_to(person).not_ended(), pk=post)
    target = visible_target(person, kind, pk)
    if not isinstance(target, Plan | Partnership):
        raise Http404
    now = timezone.now()
    rule = RoleRule.objects.filter(**{kind: pk}, post=open_post).first()
    if rule is None:
        services.follow_for_post(post=open_post, target=target, author=person, now=now)
        messages.success(request, f"The holder of this post now gets digests about {target}. They can stop them.")
    else:
        services.end_role_rule(rule=rule, author=person, reason="Ended for the post.", now=now)
        messages.success(request, f"The holder of this post no longer gets digests about {target}.")
    return redirect(open_post.get_absolute_url())


@require_safe
def forecast_recipients(request: HttpRequest, pk: int) -> HttpResponse:
    """Show who would get the next version of a plan, and when; htmx requests get only the list."""
    person = signed_in(request)
    plan = get_object_or_404(Plan.objects.visible_to(person), pk=pk)
    if not Plan.objects.editable_by(person).filter(pk=pk).exists():
        raise PermissionDenied
    may_publish = Plan.objects.publishable_by(person).filter(pk=pk).exists()
    context = {
        "plan": plan,
        "forecasts": who_will_get(plan, author=person if may_publish else None, now=timezone.now()),
        "may_publish": may_publish,
        "rule": RoleRule.objects.filter(plan=pk, post=None).exists(),
        "unconfirmed": with_known_address(person, unconfirmed_of(plan)),
    }
    template = "digests/_who.html" if getattr(request, "htmx", False) else "digests/who.html"
    return render(request, template, context)
