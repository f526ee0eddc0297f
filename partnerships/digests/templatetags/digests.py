"""Template tags for pages of other rooms: a card to follow a record, and who will get a version.

Lower rooms may use them in templates without importing digests: `{% load digests %}{% follow plan %}`.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.digests.models import Following, RoleRule, Subscription
from partnerships.digests.models.targets import Piece, Target, kind_of
from partnerships.digests.planning.forecast import forecast_next_digest, who_will_get
from partnerships.digests.queries.naming import set_names_for
from partnerships.digests.queries.subscriptions import may_ask_stakeholders
from partnerships.digests.rights import may_still_follow
from partnerships.exchange.models import Entry
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Audience, Plan

register = template.Library()


def _reader(context: Context) -> User | None:
    """Return the person who is signed in; None for a visitor."""
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


@register.inclusion_tag("digests/_follow.html", takes_context=True)
def follow(context: Context, target: Target, *, may_edit: bool = False, may_lead: bool = False) -> dict[str, Any]:
    """Return the context of a card with which the reader follows this record, or stops following it.

    Visitors are offered to follow a public plan by email. `may_edit` adds a link to the people who get the next version
    of a plan; `may_lead` adds the choice to send digests to everyone in a partnership.
    """
    person = _reader(context)
    if person is None:
        is_public = isinstance(target, Plan) and target.audience == Audience.PUBLIC
        return {"person": None, "public": target if is_public else None}
    kind = kind_of(target)
    key = target.key if isinstance(target, Piece) else ""
    if isinstance(target, Plan):
        read_ahead(
            [lookup(_subscription, person, target.pk, kind=kind, key=key), lookup(_following, person, target.pk)]
        )
    if may_lead and kind == "partnership":
        read_ahead([lookup(_subscription, person, target.pk, kind=kind, key=key), lookup(_role_rules, target.pk)])
    own_subscription = next(iter(rows_for(_subscription, person, target.pk, kind=kind, key=key)), None)
    if own_subscription is None and isinstance(target, Entry | Commitment) and not may_still_follow(person, target):
        return {"person": None, "public": None}

    may_add = kind != "recommendation" and may_ask_stakeholders(person)
    has_rule = None  # None: the card offers no choice about a role rule
    if may_lead and kind == "partnership":
        has_rule = bool(rows_for(_role_rules, target.pk))
    wider_target = ""
    if own_subscription is None and isinstance(target, Plan):
        wider_target = _name_of_wider_target(person, target)
    next_digest = None
    if own_subscription is not None and own_subscription.is_confirmed:
        next_digest = forecast_next_digest(person, timezone.now(), about=target)
    return {
        "person": person,
        "target": target,
        "kind": kind,
        "words": target.get_direction_display().lower() if isinstance(target, Entry) else kind,
        "mine": own_subscription,
        "through": wider_target,
        "next": next_digest,
        "may_add": may_add,
        "may_edit": may_edit and kind == "plan",
        "rule": has_rule,
        "csrf_token": context.get("csrf_token"),
    }


def _subscription(person: User, target: int, *, kind: str, key: str) -> QuerySet[Subscription]:
    """Return the person's own subscription to a record or, with a `key`, to a site or milestone of a plan."""
    return Subscription.objects.live().filter(person=person, key=key, **{kind: target}).order_by("pk")[:1]


def _role_rules(partnership: int) -> QuerySet[RoleRule]:
    """Return the rule that sends digests to everyone in a partnership, if there is one."""
    return RoleRule.objects.filter(partnership=partnership, post=None)[:1]


def _following(person: User, plan: int) -> QuerySet[Following]:
    """Return the closest of the ways in which the person follows a plan."""
    return Following.objects.filter(plan=plan, person=person).order_by("rank", "subscription_id")[:1]


def _name_of_wider_target(person: User, plan: Plan) -> str:
    """Return the name of the partnership or owner through which the person follows a plan; "" if there is none."""
    following = next(iter(rows_for(_following, person, plan.pk)), None)
    if following is None:
        return ""
    wider_subscription = Subscription.objects.for_listing().get(pk=following.subscription_id)
    [named_subscription] = set_names_for(person, [wider_subscription], timezone.now())
    return named_subscription.shown_name


@register.simple_tag(takes_context=True)
def change_url(context: Context, subscription: Subscription, verb: str) -> str:
    """Return the URL to which a change of a subscription is sent, either by link or for people who are signed in."""
    if token := context.get("token"):
        return reverse("digests:change-by-link", args=[token, subscription.pk, verb])
    return reverse("digests:change", args=[subscription.pk, verb])


@register.simple_tag(takes_context=True)
def last_month_url(context: Context) -> str:
    """Return the URL of the page that previews each choice of changes, either by link or signed in."""
    if token := context.get("token"):
        return reverse("digests:last-month-by-link", args=[token])
    return reverse("digests:last-month")


@register.simple_tag(takes_context=True)
def follow_again_url(context: Context, subscription: Subscription) -> str:
    """Return the URL at which a person asks again for refused digests, either by link or signed in."""
    if context.get("token"):
        return change_url(context, subscription, "again")
    return reverse("digests:subscribe", args=[subscription.target_kind, subscription.target.pk])


@register.inclusion_tag("digests/_who_is_emailed.html", takes_context=True)
def who_is_emailed(context: Context, plan: Plan) -> dict[str, Any]:
    """Return the context with the people who will get the version that the reader is about to publish, and when."""
    forecasts = who_will_get(plan, author=_reader(context), now=timezone.now())
    return {"plan": plan, "forecasts": forecasts, "shown": forecasts[:12], "more": max(len(forecasts) - 12, 0)}
