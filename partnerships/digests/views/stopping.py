"""The pages of a stop link, which ask what to stop, stop it, and offer to undo that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.models import Preference, Subscription
from partnerships.digests.models.targets import kind_of
from partnerships.digests.queries.naming import set_names_for
from partnerships.digests.queries.stoppable import Stoppable, names_of, stoppable_in, titles_for
from partnerships.digests.queries.subscriptions import subscriptions_of
from partnerships.digests.queries.ways import groups_in_summary
from partnerships.digests.services import StopRecord
from partnerships.outbox.groups import NoticeGroup
from partnerships.people.models import User


def ask_and_stop(
    request: HttpRequest, person: User, *, reason: str, by_link: bool, delivery: int | None = None
) -> HttpResponse:
    """Show the page that asks what to stop. On POST, stop what the person chose, or undo the last stop.

    `delivery` is the id of the email that contained the link, if any. A POST without a choice comes from an email app
    with which the person unsubscribes with one click. It stops what the email was about or, if that is unknown, all
    digests.
    """
    shared_context: dict[str, Any] = {
        "by_link": by_link,
        "way_back": reverse("digests:new-links" if by_link else "digests:manage"),
    }
    stoppable = stoppable_in(person, delivery) if delivery is not None else Stoppable(had_any=False)
    if request.method != "POST":
        return _ask(request, person, stoppable, **shared_context)
    if "undo" in request.POST:
        return _undo(request, person, stoppable, **shared_context)
    if "chosen" in request.POST:
        return _stop_selected(request, person, stoppable, reason=reason, **shared_context)
    if "all" in request.POST or not stoppable.had_any:
        stopped = services.stop_all(person=person, reason=reason, now=timezone.now())
        return _done(request, person, stopped, [], **shared_context)
    return _stop(request, person, stoppable, [], reason=reason, **shared_context)


def _stop_selected(
    request: HttpRequest, person: User, stoppable: Stoppable, *, reason: str, **shared_context: Any
) -> HttpResponse:
    """Stop what the person has ticked, or ask again if they have ticked nothing."""
    ticked_values = request.POST.getlist("what")
    own_subscriptions = set_names_for(person, subscriptions_of(person), timezone.now())
    subscriptions = [
        subscription for subscription in own_subscriptions if f"subscription-{subscription.pk}" in ticked_values
    ]
    selected = replace(
        stoppable,
        plans=tuple(plan for plan in stoppable.plans if f"plan-{plan.pk}" in ticked_values),
        subjects=tuple(target for target in stoppable.subjects if f"{kind_of(target)}-{target.pk}" in ticked_values),
        matches="matches" in ticked_values,
        groups=stoppable.groups if "notices" in ticked_values else (),
        single=stoppable.single if "single" in ticked_values else None,
    )
    is_anything_selected = any(
        (selected.plans, selected.subjects, subscriptions, selected.matches, selected.groups, selected.single)
    )
    if not is_anything_selected:
        return _ask(request, person, stoppable, error="Select what you want to stop.", **shared_context)
    return _stop(request, person, selected, subscriptions, reason=reason, **shared_context)


def _stop(
    request: HttpRequest,
    person: User,
    selected: Stoppable,
    subscriptions: list[Subscription],
    *,
    reason: str,
    **shared_context: Any,
) -> HttpResponse:
    """Stop everything in `selected`, and show what was stopped."""
    now = timezone.now()
    # Read the names first, because the person may see some of them only through subscriptions that end here.
    names = [*titles_for(person, selected.plans, now).values(), *names_of(person, selected.subjects, now)]
    names += [subscription.shown_name for subscription in subscriptions]
    if selected.matches:
        names.append("new matches")
    if selected.single is not None:
        names.append(selected.single.called)
    stopped = services.stop_chosen(person=person, chosen=selected, subscriptions=subscriptions, reason=reason, now=now)
    return _done(request, person, stopped, names, silenced=_group_labels(selected.groups), **shared_context)


def _ask(
    request: HttpRequest, person: User, stoppable: Stoppable, *, error: str = "", **shared_context: Any
) -> HttpResponse:
    """Return the page that asks what to stop, and offers to undo the last stop."""
    now = timezone.now()
    subscriptions = set_names_for(person, subscriptions_of(person), now)
    wants_matches = _wants_matches(person)
    has_summary = bool(groups_in_summary(person))
    last_stop = services.last_stop(person, now=now)
    context = {
        "person": person,
        "choices": _choices(person, stoppable, subscriptions, now, wants_matches=wants_matches),
        "follows": bool(subscriptions) or wants_matches or has_summary,
        "has_summary": has_summary,
        "in_email": stoppable.had_any,
        "error": error,
        "undo": services.undo_token(last_stop) if last_stop else "",
        "stopped_on": dt.datetime.fromisoformat(last_stop.at) if last_stop else None,
        **shared_context,
    }
    return render(request, "digests/stop.html", context, status=422 if error else 200)


def _choices(
    person: User, stoppable: Stoppable, subscriptions: list[Subscription], now: dt.datetime, *, wants_matches: bool
) -> list[tuple[str, str]]:
    """Return what the person can stop, as values and labels of tick boxes.

    These are the subjects of the email that contained the link or, without such an email, all subscriptions.
    """
    if stoppable.had_any:
        choices = _choices_of_email(person, stoppable, now)
    else:
        choices = [
            (f"subscription-{subscription.pk}", f"Digests about {subscription.shown_name}")
            for subscription in subscriptions
        ]
    if wants_matches and (stoppable.matches or not stoppable.had_any):
        choices.append(("matches", "New matches of your organisation"))
    if stoppable.single:
        choices.append(("single", f"Emails about {stoppable.single.called}"))
    if stoppable.groups:
        choices.append(
            ("notices", f"{_group_labels(stoppable.groups)} (keep these notices in my inbox, without email)")
        )
    return choices


def _choices_of_email(person: User, stoppable: Stoppable, now: dt.datetime) -> list[tuple[str, str]]:
    """Return the plans and other subjects of the email, as values and labels of tick boxes."""
    titles = titles_for(person, stoppable.plans, now)
    names = names_of(person, stoppable.subjects, now)
    plans = [(f"plan-{plan.pk}", f"Digests about {titles[plan.pk]}") for plan in stoppable.plans]
    other_subjects = [
        (f"{kind_of(subject)}-{subject.pk}", f"Digests about {name}")
        for subject, name in zip(stoppable.subjects, names, strict=True)
    ]
    return plans + other_subjects


def _wants_matches(person: User) -> bool:
    """Return whether this person's digests contain new matches."""
    return not person.is_stakeholder and not Preference.objects.filter(person=person, tells_matches=False).exists()


def _group_labels(groups: Sequence[str]) -> str:
    """Return the labels of groups of notices as one text."""
    return ", ".join(NoticeGroup(group).label for group in groups)


def _done(
    request: HttpRequest,
    person: User,
    stopped: StopRecord,
    names: Sequence[str],
    *,
    silenced: str = "",
    **shared_context: Any,
) -> HttpResponse:
    """Return the page after a stop, with a button to undo it.

    `silenced` is the labels of groups of notices that the person chose, and that now go to the inbox only.
    """
    subscriptions = set_names_for(person, subscriptions_of(person), timezone.now())
    still_followed = [subscription.shown_name for subscription in subscriptions]
    if _wants_matches(person):
        still_followed.append("new matches of your organisation")
    context = {
        "names": names,
        "still_followed": still_followed,
        "silenced": silenced,
        "keeps_notices": bool(stopped.ways) and not silenced,
        "only_notices": bool(names or silenced) and not (stopped.subscriptions or stopped.tells_matches),
        "keeps_summary": bool(groups_in_summary(person)),
        "undo": "" if stopped.is_empty else services.undo_token(stopped),
        **shared_context,
    }
    return render(request, "digests/stopped.html", context)


def _undo(request: HttpRequest, person: User, stoppable: Stoppable, **shared_context: Any) -> HttpResponse:
    """Undo a stop, and show which records the person follows again."""
    try:
        stopped = services.read_undo(request.POST["undo"], person=person, now=timezone.now())
    except services.UnableToUndo as error:
        return _ask(request, person, stoppable, error=str(error), **shared_context)
    services.undo_stop(person=person, stopped=stopped, now=timezone.now())
    subscriptions = set_names_for(person, subscriptions_of(person), timezone.now())
    names = [subscription.shown_name for subscription in subscriptions if not subscription.is_waiting]
    context = {"following": names, **shared_context}
    return render(request, "digests/stop_undone.html", context)
