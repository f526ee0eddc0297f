"""Stopping emails, by link or signed in: ask, stop, and offer to undo."""

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
from partnerships.digests.queries.naming import named_for
from partnerships.digests.queries.stoppable import Stoppable, names_of, stoppable_in, titles_for
from partnerships.digests.queries.subscriptions import subscriptions_of
from partnerships.digests.queries.ways import groups_in_summary
from partnerships.digests.services import Stopped
from partnerships.outbox.groups import NoticeGroup
from partnerships.people.models import User


def ask_and_stop(
    request: HttpRequest, person: User, *, reason: str, by_link: bool, delivery: int | None = None
) -> HttpResponse:
    """Ask what to stop; a POST stops it.

    `delivery` is the email that the person came from, None without one. A POST without a choice is a mail program's
    one-click unsubscribe.
    """
    ways: dict[str, Any] = {
        "by_link": by_link,
        "way_back": reverse("digests:new-links" if by_link else "digests:manage"),
    }
    stoppable = stoppable_in(person, delivery) if delivery is not None else Stoppable((), False, had_any=False)
    if request.method != "POST":
        return _ask(request, person, stoppable, **ways)
    if "undo" in request.POST:
        return _undo(request, person, stoppable, **ways)
    if "chosen" in request.POST:
        return _stop_selected(request, person, stoppable, reason=reason, **ways)
    if "all" in request.POST or not stoppable.had_any:
        stopped = services.stop_all(person=person, reason=reason, now=timezone.now())
        return _done(request, person, stopped, [], **ways)
    return _stop(request, person, stoppable, [], reason=reason, **ways)


def _stop_selected(
    request: HttpRequest, person: User, stoppable: Stoppable, *, reason: str, **ways: Any
) -> HttpResponse:
    """Stop what was ticked; ask again if nothing was."""
    ticked = request.POST.getlist("what")
    following = named_for(person, subscriptions_of(person), timezone.now())
    subscriptions = [target for target in following if f"subscription-{target.pk}" in ticked]
    selected = replace(
        stoppable,
        plans=tuple(plan for plan in stoppable.plans if f"plan-{plan.pk}" in ticked),
        subjects=tuple(target for target in stoppable.subjects if f"{kind_of(target)}-{target.pk}" in ticked),
        matches="matches" in ticked,
        groups=stoppable.groups if "notices" in ticked else (),
        single=stoppable.single if "single" in ticked else None,
    )
    chosen = (selected.plans, selected.subjects, subscriptions, selected.matches, selected.groups, selected.single)
    if not any(chosen):
        return _ask(request, person, stoppable, error="Select what you want to stop.", **ways)
    return _stop(request, person, selected, subscriptions, reason=reason, **ways)


def _stop(
    request: HttpRequest,
    person: User,
    selected: Stoppable,
    subscriptions: list[Subscription],
    *,
    reason: str,
    **ways: Any,
) -> HttpResponse:
    """Stop these, and say what was stopped."""
    now = timezone.now()
    # Names first: they are read through the subscriptions that end here.
    names = [*titles_for(person, selected.plans, now).values(), *names_of(person, selected.subjects, now)]
    names += [subscription.called for subscription in subscriptions]
    names += ["new matches"] if selected.matches else []
    names += [selected.single.called] if selected.single else []
    stopped = services.stop_chosen(
        person=person,
        plans=selected.plans,
        subjects=selected.subjects,
        subscriptions=subscriptions,
        matches=selected.matches,
        groups=selected.groups,
        single=selected.single,
        reason=reason,
        now=now,
    )
    return _done(request, person, stopped, names, silenced=_kinds_of(selected.groups), **ways)


def _ask(request: HttpRequest, person: User, stoppable: Stoppable, *, error: str = "", **ways: Any) -> HttpResponse:
    """The page that asks what to stop."""
    now = timezone.now()
    following = named_for(person, subscriptions_of(person), now)
    titles = titles_for(person, stoppable.plans, now)
    choices = [(f"plan-{plan.pk}", f"Digests about {titles[plan.pk]}") for plan in stoppable.plans]
    called = names_of(person, stoppable.subjects, now)
    choices += [
        (f"{kind_of(subject)}-{subject.pk}", f"Digests about {name}")
        for subject, name in zip(stoppable.subjects, called, strict=True)
    ]
    if not stoppable.had_any:
        choices = [(f"subscription-{target.pk}", f"Digests about {target.called}") for target in following]
    wants_matches = _wants_matches(person)
    if wants_matches and (stoppable.matches or not stoppable.had_any):
        choices.append(("matches", "New matches of your organisation"))
    if stoppable.single:
        choices.append(("single", f"Emails about {stoppable.single.called}"))
    if stoppable.groups:
        choices.append(("notices", f"{_kinds_of(stoppable.groups)}: keep these notices in my inbox, without email"))
    last = services.last_stop(person, now=now)
    has_summary = bool(groups_in_summary(person))
    context = {
        "person": person,
        "choices": choices,
        "follows": bool(following) or wants_matches or has_summary,
        "has_summary": has_summary,
        "in_email": stoppable.had_any,
        "error": error,
        "undo": services.undo_token(last) if last else "",
        "stopped_on": dt.datetime.fromisoformat(last.at) if last else None,
        **ways,
    }
    return render(request, "digests/stop.html", context, status=422 if error else 200)


def _wants_matches(person: User) -> bool:
    """Whether digests tell this person of new matches."""
    return not person.is_stakeholder and not Preference.objects.filter(person=person, tells_matches=False).exists()


def _kinds_of(groups: Sequence[str]) -> str:
    """The groups of notices in words."""
    return ", ".join(NoticeGroup(group).label for group in groups)


def _done(
    request: HttpRequest, person: User, stopped: Stopped, names: Sequence[str], *, silenced: str = "", **ways: Any
) -> HttpResponse:
    """The page after a stop, with a way to undo it.

    `silenced`: the kinds of notices that were chosen and now come in the inbox only.
    """
    left = [subscription.called for subscription in named_for(person, subscriptions_of(person), timezone.now())]
    left += ["new matches of your organisation"] if _wants_matches(person) else []
    context = {
        "names": names,
        "left": left,
        "silenced": silenced,
        "keeps_notices": bool(stopped.ways) and not silenced,
        "only_notices": bool(names or silenced) and not (stopped.subscriptions or stopped.tells_matches),
        "keeps_summary": bool(groups_in_summary(person)),
        "undo": "" if stopped.is_empty else services.undo_token(stopped),
        **ways,
    }
    return render(request, "digests/stopped.html", context)


def _undo(request: HttpRequest, person: User, stoppable: Stoppable, **ways: Any) -> HttpResponse:
    """Undo the stop."""
    try:
        stopped = services.read_undo(request.POST["undo"], person=person, now=timezone.now())
    except services.UnableToUndo as error:
        return _ask(request, person, stoppable, error=str(error), **ways)
    services.undo_stop(person=person, stopped=stopped, now=timezone.now())
    following = named_for(person, subscriptions_of(person), timezone.now())
    context = {"following": [target.called for target in following if not target.is_waiting], **ways}
    return render(request, "digests/stop_undone.html", context)
