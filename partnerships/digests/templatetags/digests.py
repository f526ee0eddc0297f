"""Template tags for pages of other rooms: a card to follow a record, and who will get a version.

Lower rooms may use them in templates without importing digests: `{% load digests %}{% follow plan %}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.digests.models import Following, RoleRule, Subscription
from partnerships.digests.models.targets import Piece, Target, kind_of
from partnerships.digests.planning.forecast import who_will_get
from partnerships.digests.planning.next_digest import NextDigest, forecast_next_digest
from partnerships.digests.queries.naming import set_names_for
from partnerships.digests.queries.subscriptions import may_ask_stakeholders
from partnerships.digests.rights import may_still_follow
from partnerships.exchange.models import Entry
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Audience, Plan

register = template.Library()

#: How many of the people who will get a version are listed.
_MAX_SHOWN_FORECASTS = 12


def _reader(context: Context) -> User | None:
    """Return the person who is signed in; None for a visitor."""
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


@dataclass(frozen=True, slots=True)
class FollowCard:
    """A card with which a person follows a record, or stops following it."""

    target: Target
    kind: str
    #: The person's own subscription to the record.
    subscription: Subscription | None
    #: The next digest about the record, if the person has confirmed the subscription.
    next_digest: NextDigest | None
    #: The name of the partnership or owner through which the person already gets changes of a plan.
    followed_through: str
    may_add_stakeholders: bool
    links_to_recipients: bool
    #: Whether everyone in the partnership gets digests. None if the person may not choose this.
    sends_to_everyone: bool | None

    @property
    def noun(self) -> str:
        """Return the word for the record, such as "plan", "partnership" or "ask"."""
        return self.target.noun if isinstance(self.target, Entry) else self.kind


@register.inclusion_tag("digests/_follow.html", takes_context=True)
def follow(context: Context, target: Target, *, may_edit: bool = False, may_lead: bool = False) -> dict[str, Any]:
    """Show a card with which the reader follows this record, or stops following it.

    Visitors see a link to follow a public plan by email. `may_edit` adds a link to the people who get the next version
    of a plan. `may_lead` adds the choice to send digests to everyone in a partnership.
    """
    person = _reader(context)
    if person is None:
        is_public_plan = isinstance(target, Plan) and target.audience == Audience.PUBLIC
        return {"public_plan": target if is_public_plan else None}
    card = _follow_card(person, target, may_edit=may_edit, may_lead=may_lead)
    return {"card": card, "csrf_token": context.get("csrf_token")}


def _follow_card(person: User, target: Target, *, may_edit: bool, may_lead: bool) -> FollowCard | None:
    """Return the card for a person; None if they neither follow the record nor may follow it any more."""
    kind = kind_of(target)
    may_choose_rule = may_lead and isinstance(target, Partnership)
    _read_card_ahead(person, target, with_rule=may_choose_rule)
    subscription = _own_subscription(person, target)
    if subscription is None and isinstance(target, Entry | Commitment) and not may_still_follow(person, target):
        return None

    next_digest = None
    if subscription is not None and subscription.is_confirmed:
        next_digest = forecast_next_digest(person, timezone.now(), about=target)
    followed_through = ""
    if subscription is None and isinstance(target, Plan):
        followed_through = _name_of_wider_target(person, target)
    return FollowCard(
        target=target,
        kind=kind,
        subscription=subscription,
        next_digest=next_digest,
        followed_through=followed_through,
        may_add_stakeholders=kind != "recommendation" and may_ask_stakeholders(person),
        links_to_recipients=may_edit and isinstance(target, Plan),
        sends_to_everyone=bool(rows_for(_role_rules, target.pk)) if may_choose_rule else None,
    )


def _read_card_ahead(person: User, target: Target, *, with_rule: bool) -> None:
    """Run the first queries of a card as one. The functions that the card calls then use the rows."""
    subscription_lookup = lookup(_subscription, person, target.pk, kind=kind_of(target), key=_key_of(target))
    if isinstance(target, Plan):
        read_ahead([subscription_lookup, lookup(_following, person, target.pk)])
    elif with_rule:
        read_ahead([subscription_lookup, lookup(_role_rules, target.pk)])


def _own_subscription(person: User, target: Target) -> Subscription | None:
    """Return the person's own live subscription to a record."""
    subscriptions = rows_for(_subscription, person, target.pk, kind=kind_of(target), key=_key_of(target))
    return subscriptions[0] if subscriptions else None


def _key_of(target: Target) -> str:
    """Return the key of a site or milestone in its plan; "" for a whole record."""
    return target.key if isinstance(target, Piece) else ""


def _subscription(person: User, target_id: int, *, kind: str, key: str) -> QuerySet[Subscription]:
    """Return the person's own subscription to a record or, with a `key`, to a site or milestone of a plan."""
    return Subscription.objects.live().filter(person=person, key=key, **{kind: target_id}).order_by("pk")[:1]


def _role_rules(partnership_id: int) -> QuerySet[RoleRule]:
    """Return the rule that sends digests to everyone in a partnership, if there is one."""
    return RoleRule.objects.filter(partnership=partnership_id, post=None)[:1]


def _following(person: User, plan_id: int) -> QuerySet[Following]:
    """Return the closest of the ways in which the person follows a plan."""
    return Following.objects.filter(plan=plan_id, person=person).order_by("rank", "subscription_id")[:1]


def _name_of_wider_target(person: User, plan: Plan) -> str:
    """Return the name of the partnership or owner through which the person follows a plan; "" if there is none."""
    followings = rows_for(_following, person, plan.pk)
    if not followings:
        return ""
    wider_subscription = Subscription.objects.for_listing().get(pk=followings[0].subscription_id)
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
    """Show the first people who will get the version that the reader is about to publish, and when."""
    forecasts = who_will_get(plan, author=_reader(context), now=timezone.now())
    return {
        "plan": plan,
        "forecasts": forecasts,
        "shown_forecasts": forecasts[:_MAX_SHOWN_FORECASTS],
        "hidden_count": max(len(forecasts) - _MAX_SHOWN_FORECASTS, 0),
    }
