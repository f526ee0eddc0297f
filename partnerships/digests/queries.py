"""Reading for digests: who may be told of which plan and as which class, who is told next, and how the queue stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import OUTLINED, Partnership, Party
from partnerships.agreements.models import Audience as PartnershipAudience
from partnerships.digests.bank_holidays import holidays
from partnerships.digests.models import (
    NOT_WRITTEN,
    OPEN,
    REFUSAL_HOLDS,
    Bounce,
    Delivery,
    DeliveryKind,
    DeliveryStatus,
    Following,
    MatchTold,
    Preference,
    Publication,
    Subscription,
    SubscriptionStatus,
    Suppression,
    Told,
    TypedAddress,
)
from partnerships.digests.schedule import AT_ONCE, HOME, due, in_words, next_slot, zone_in_words
from partnerships.organisations.audience import Network, Organisations, reaches
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, Role
from partnerships.people.models import User
from partnerships.plans.models import Plan, Version, inside_routes, published_routes

INSIDE, OUTSIDE, NONE = Told.Reading.INSIDE, Told.Reading.OUTSIDE, Told.Reading.NONE


# ---- Who may read what: the relation of RIGHTS.md over sets of followers


@dataclass(frozen=True, slots=True)
class PlanReach:
    """How far some plans reach today, in lists that SQL can join: pairs of plan and organisation, open plans, newest
    versions."""

    plans: list[int]
    inside_plans: list[int]
    inside_organisations: list[int]
    network: list[int]
    public: list[int]


def reach_of(plans: Collection[int], now: dt.datetime) -> PlanReach:
    """Follow the routes that the plans room declares, for these plans; former parties are told of nothing new."""
    ids = sorted(plans)
    rows = Plan.objects.filter(pk__in=ids)
    pairs: set[tuple[int, int]] = set()
    for route in inside_routes(now):
        if isinstance(route, Organisations):
            pairs.update(rows.filter(route.when, **{f"{route.path}__isnull": False}).values_list("pk", route.path))
    network: set[int] = set()
    for route in published_routes(now):
        if isinstance(route, Network):
            network.update(rows.filter(route.when).values_list("pk", flat=True))
    ordered = sorted(pairs)
    return PlanReach(
        plans=ids,
        inside_plans=[plan for plan, _ in ordered],
        inside_organisations=[organisation for _, organisation in ordered],
        network=sorted(network),
        public=list(Plan.objects.public().filter(pk__in=network).order_by("pk").values_list("pk", flat=True)),
    )


#: Followers of some plans who may read them now: (person_id, plan_id, reading), reading 1 for inside and 2 for outside.
#: Stakeholders by what they confirmed: themselves for public plans, added by an organisation for what it may read
#: itself.
_READERS = """
following AS MATERIALIZED (
    SELECT person_id, plan_id, how, added_for_id FROM digests_following
     WHERE plan_id = ANY(%(plans)s) {people}
),
inside_route(plan_id, organisation_id) AS (
    SELECT * FROM unnest(%(inside_plans)s::bigint[], %(inside_organisations)s::bigint[])
),
acting AS ({acting}),
readers AS (
    SELECT person_id, plan_id, min(reading) AS reading FROM (
        SELECT f.person_id, f.plan_id, 2 AS reading
          FROM following f
          JOIN people_user u ON u.id = f.person_id AND u.is_active AND u.account_since IS NULL
          LEFT JOIN inside_route r ON r.plan_id = f.plan_id AND r.organisation_id = f.added_for_id
         WHERE r.plan_id IS NOT NULL
            OR f.plan_id = ANY(%(public)s)
            OR (f.added_for_id IS NOT NULL AND f.plan_id = ANY(%(network)s))
        UNION ALL
        SELECT f.person_id, f.plan_id, 1
          FROM following f
          JOIN people_user u ON u.id = f.person_id AND u.is_active AND u.account_since IS NOT NULL
          JOIN inside_route r ON r.plan_id = f.plan_id
          JOIN acting a ON a.organisation_id = r.organisation_id AND a.person_id = f.person_id
        UNION ALL
        SELECT f.person_id, f.plan_id, 2
          FROM following f
          JOIN people_user u ON u.id = f.person_id AND u.is_active AND u.account_since IS NOT NULL
         WHERE f.plan_id = ANY(%(network)s)
    ) every_way
    GROUP BY person_id, plan_id
)
"""


def readers_sql(reach: PlanReach, people: Sequence[int] | None = None) -> tuple[str, dict[str, Any]]:
    """The common table expressions up to `readers`, to begin a larger statement with, and their parameters."""
    acting = Membership.objects.current().values("person_id", "organisation_id").order_by()
    acting_sql, acting_params = acting.query.sql_with_params()
    named = {f"acting_{place}": value for place, value in enumerate(acting_params)}
    acting_sql = acting_sql % tuple(f"%({name})s" for name in named)
    sql = _READERS.format(people="AND person_id = ANY(%(people)s)" if people is not None else "", acting=acting_sql)
    return sql, {
        **named,
        "plans": reach.plans,
        "inside_plans": reach.inside_plans,
        "inside_organisations": reach.inside_organisations,
        "network": reach.network,
        "public": reach.public,
        "people": list(people or ()),
    }


def reading_classes(
    plans: Collection[int], *, now: dt.datetime, people: Sequence[int] | None = None
) -> dict[tuple[int, int], str]:
    """What followers may read of plans now: {(person, plan): "inside" or "outside"}; who may read nothing is not in
    it."""
    if not plans or (people is not None and not people):
        return {}
    sql, params = readers_sql(reach_of(plans, now), people)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {sql} SELECT person_id, plan_id, reading FROM readers", params)  # noqa: S608 - our own constants
        return {(person, plan): INSIDE if reading == 1 else OUTSIDE for person, plan, reading in cursor.fetchall()}


def may_still_be_asked(subscription: Subscription, now: dt.datetime) -> bool:
    """Whether a letter that asks a person to follow something may still name it to them."""
    return bool(named_to_followers([subscription], now))


def askable_anew(subscriptions: Iterable[Subscription], now: dt.datetime) -> set[int]:
    """Those that the person alone may bring back, having said no: as long as nobody else may ask about them, and about
    a public plan at any time. After that a right that ended is for whoever gave it to give again."""
    refused = [one for one in subscriptions if one.is_refused]
    old = {one.plan_id for one in refused if one.plan_id is not None and not one.was_refused(now)}
    public = set(Plan.objects.public().filter(pk__in=old).values_list("pk", flat=True)) if old else set()
    return {one.pk for one in refused if one.was_refused(now) or one.plan_id in public}


def open_to_askers(subscriptions: Collection[Subscription], now: dt.datetime) -> set[int]:
    """Those about what is open to the organisation on whose behalf somebody follows, or to everybody."""
    reach = reach_of({one.plan_id for one in subscriptions if one.plan_id is not None}, now)
    inside = set(zip(reach.inside_plans, reach.inside_organisations, strict=True))
    private = [
        one.partnership_id
        for one in subscriptions
        if one.partnership is not None and one.partnership.audience != PartnershipAudience.NETWORK
    ]
    present = Party.objects.present().filter(partnership__in=private)
    parties = set(present.values_list("partnership", "organisation")) if private else set()

    def is_open(one: Subscription) -> bool:
        if one.plan_id is not None:
            through_asker = one.added_for_id is not None and one.plan_id in reach.network
            return one.plan_id in reach.public or through_asker or (one.plan_id, one.added_for_id) in inside
        return one.partnership_id not in private or (one.partnership_id, one.added_for_id) in parties

    return {one.pk for one in subscriptions if is_open(one)}


def _seen_by(person: User, subscriptions: Collection[Subscription]) -> set[int]:
    """Those about what the person, who has an account, may see."""
    seen = Subscription.objects.filter(
        Q(plan__in=Plan.objects.visible_to(person).values("pk"))
        | Q(partnership__in=Partnership.objects.visible_to(person).values("pk"))
        | Q(organisation__in=Organisation.objects.visible_to(person).values("pk")),
        pk__in=[one.pk for one in subscriptions],
    )
    return set(seen.values_list("pk", flat=True))


def named_to_followers(subscriptions: Iterable[Subscription], now: dt.datetime) -> set[int]:
    """Those of which whoever follows may know today what they are about: a stakeholder what is open to whoever added
    them, anybody else what they may see. Partnerships, of which a batch of letters names many, in one query for all."""
    found = list(subscriptions)
    named = open_to_askers([one for one in found if one.person.is_stakeholder], now)
    with_account = [one for one in found if not one.person.is_stakeholder]
    partnerships = [one.pk for one in with_account if one.partnership_id is not None]
    if partnerships:
        seen = reaches(Partnership, OUTLINED, record=OuterRef("partnership"), person=OuterRef("person"))
        named |= set(Subscription.objects.filter(seen, pk__in=partnerships).values_list("pk", flat=True))
    for one in with_account:
        if one.partnership_id is None:
            named |= _seen_by(one.person, [one])
    return named


def named_for(reader: User, subscriptions: Iterable[Subscription], now: dt.datetime) -> list[Subscription]:
    """These, each with whether pages may name what it is about to this reader: one's own, or those of stakeholders whom
    one's organisation added."""
    found = list(subscriptions)
    named = open_to_askers(found, now) if reader.is_stakeholder else _seen_by(reader, found) if found else set()
    for one in found:
        one.named = one.pk in named
    return found


def newest_numbers(plans: Collection[int], now: dt.datetime) -> dict[int, tuple[int, int]]:
    """The newest version of each plan for its owners and, under an embargo, for everybody else."""
    newest = {
        pk: (number, number if not embargo or embargo <= now else 0)
        for pk, number, embargo in Plan.objects.filter(pk__in=plans).values_list(
            "pk", "current_number", "embargoed_until"
        )
    }
    held = [plan for plan, (own, other) in newest.items() if own != other]
    if held:
        free = Version.objects.filter(Q(embargo_until=None) | Q(embargo_until__lte=now), plan__in=held)
        for plan, number in free.values("plan").annotate(number=Max("number")).values_list("plan", "number"):
            newest[plan] = (newest[plan][0], number)
    return newest


def owners_among(people: Collection[int], plans: Collection[int]) -> set[tuple[int, int]]:
    """Pairs of person and plan in which the person acts for an owner: they read through an embargo."""
    return set(
        Membership.objects.current()
        .filter(person__in=people, organisation__plan_owners__plan__in=plans)
        .values_list("person_id", "organisation__plan_owners__plan_id")
    )


# ---- The queue


def something_to_send() -> bool:
    """Whether any delivery could be claimed now, by the database's own clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM digests_delivery"
            " WHERE status IN ('queued', 'sending') AND available_at <= clock_timestamp())"
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def queue_figures() -> dict[str, int]:
    """How many deliveries are in each state, and how long the oldest that is due has waited: what operators watch.

    `not_written` counts letters that cannot be written, set aside or still being tried, and addresses typed into public
    pages of which the same is so; `oldest_due_seconds` letters
    that could be claimed, people who could be chosen and versions that could be spread; 0 while DIGESTS_HELD, for then
    nothing is overdue.
    """
    by_status = Delivery.objects.values_list("status").annotate(
        count=Count("pk"), not_written=Count("pk", filter=Q(reason__startswith=NOT_WRITTEN))
    )
    rows = list(by_status.order_by())
    counts = {status: count for status, count, _ in rows}
    now = timezone.now()
    under_way = Delivery.objects.filter(recipient=OuterRef("recipient"), status__in=OPEN)
    moments = [
        Delivery.objects.filter(status__in=OPEN, available_at__lte=now).aggregate(at=Min("available_at"))["at"],
        Told.objects.filter(~Exists(under_way), due_at__lte=now).aggregate(at=Min("due_at"))["at"],
        Publication.objects.filter(spread_at=None, available_at__lte=now).aggregate(at=Min("available_at"))["at"],
    ]
    oldest = min((moment for moment in moments if moment is not None), default=None)
    held = settings.DIGESTS_HELD or oldest is None
    return {
        **{status: counts.get(status, 0) for status in DeliveryStatus.values},
        "waiting": Told.objects.filter(due_at__isnull=False).count(),
        "oldest_due_seconds": 0 if held or oldest is None else int((now - oldest).total_seconds()),
        "not_written": sum(count for _, _, count in rows) + TypedAddress.objects.filter(tries__gt=0).count(),
        "suppressed_addresses": Suppression.objects.filter(released_at=None).count(),
        "soft_bounces": Bounce.objects.filter(kind=Bounce.Kind.SOFT).count(),
    }


# ---- Who will get this, and when


@dataclass(frozen=True, slots=True)
class Forecast:
    """Somebody who would be told of a plan's next version: when, as which class, and why."""

    person: User
    reading_class: str
    frequency: str
    at: dt.datetime
    how: str
    why: str
    organisation: str = ""
    zone: str = HOME

    @property
    def is_outside(self) -> bool:
        """Whether confidential parts stay hidden from them."""
        return self.reading_class == OUTSIDE

    @property
    def is_at_once(self) -> bool:
        """Whether it goes out as soon as the plan is quiet."""
        return self.frequency == AT_ONCE

    @property
    def when(self) -> str:
        """The moment by the site's clock, and by the person's own where that says something else."""
        here, there = (self.at.astimezone(ZoneInfo(zone)) for zone in (settings.TIME_ZONE, self.zone))
        said = in_words(self.at, settings.TIME_ZONE)
        return said if here.utcoffset() == there.utcoffset() else f"{said}; {there:%H:%M}{zone_in_words(self.zone)}"


def who_will_get(plan: Plan, *, author: User | None, now: dt.datetime) -> list[Forecast]:
    """Everyone who would be told if this plan were published now, with the moment; the author alone would not."""
    classes = reading_classes([plan.pk], now=now)
    if plan.current_number == 0:
        # Nothing is open yet: reckon with the routes as they will be once it is.
        classes = {(row.person_id, plan.pk): OUTSIDE for row in Following.objects.filter(plan=plan)} | classes
    people = {person.pk: person for person in User.objects.filter(pk__in=[person for person, _ in classes])}
    preferences = {one.person_id: one for one in Preference.objects.filter(person__in=people)}
    following: dict[int, Following] = {}
    for row in Following.objects.filter(plan=plan, person__in=people).order_by("rank", "subscription_id"):
        following.setdefault(row.person_id, row)
    why = {
        one.pk: one
        for one in Subscription.objects.for_listing().filter(pk__in=[row.subscription_id for row in following.values()])
    }
    acting = dict(
        Membership.objects.current()
        .filter(person__in=people)
        .order_by("person", "-pk")
        .values_list("person_id", "organisation__name")
    )
    waiting = {row.recipient_id: row for row in Told.objects.filter(plan=plan, recipient__in=people, due_at__gt=now)}
    taken = _dates_taken(people, now)
    found: list[Forecast] = []
    settle = dt.timedelta(minutes=settings.DIGEST_SETTLE_MINUTES)
    for pk, person in people.items():
        if author is not None and pk == author.pk:
            continue
        row = following[pk]
        rhythm = (preferences.get(pk) or Preference(person=person)).rhythm(person.time_zone, row.frequency)
        told = waiting.get(pk)
        since = told.waiting_since if told is not None and told.waiting_since else now
        at = due(rhythm, waiting_since=since, latest=now, settle=settle, holidays=holidays(), taken=taken.get(pk, ()))
        found.append(
            Forecast(
                person=person,
                reading_class=classes[pk, plan.pk],
                frequency=rhythm.frequency,
                at=told.due_at if told is not None and told.slotted and told.due_at else max(at, now),
                how=row.how,
                why=str(why[row.subscription_id].target),
                organisation=acting.get(pk, ""),
                zone=person.time_zone,
            )
        )
    return sorted(found, key=lambda one: (one.at, one.person.display_name, one.person.pk))


@dataclass(frozen=True, slots=True)
class When:
    """When somebody's next digest goes out, by their own clock; `waits` says that something is to be told then."""

    at: dt.datetime | None
    zone: str
    waits: bool
    follows: bool

    @property
    def moment(self) -> str:
        """`Tuesday 24 November 2026, 08:00`; empty for "as soon as something changes"."""
        return in_words(self.at, self.zone) if self.at else ""

    @property
    def words(self) -> str:
        """The sentence that the person reads about it."""
        if self.at is None:
            return "Next one: as soon as something changes." if self.follows else "You follow nothing, so none comes."
        return f"Next one: {self.moment}" + ("." if self.waits else ", if something has changed by then.")


def when_next(person: User, now: dt.datetime) -> When:
    """When this person's next digest goes out: what waits decides, else the next slot of what they follow."""
    waiting = (
        Told.objects.filter(recipient=person, due_at__isnull=False)
        .values_list("due_at")
        .union(
            MatchTold.objects.filter(recipient=person, told_at=None, due_at__isnull=False).values_list("due_at"),
            Delivery.objects.filter(recipient=person, kind=DeliveryKind.DIGEST, status__in=OPEN).values_list(
                "available_at"
            ),
        )
    )
    zone = person.time_zone
    own = set(Subscription.objects.confirmed().filter(person=person).values_list("frequency", flat=True))
    due_times = [at for (at,) in waiting if at is not None]
    if due_times:
        return When(max(min(due_times), now), zone, waits=True, follows=bool(own))
    preference = Preference.objects.filter(person=person).first() or Preference(person=person)
    rhythms = [preference.rhythm(zone, frequency) for frequency in own]
    at_once = not preference.pause_at(now, zone) and any(one.frequency == AT_ONCE for one in rhythms)
    if not rhythms or at_once:
        return When(None, zone, waits=False, follows=bool(own))
    taken = _dates_taken([person.pk], now).get(person.pk, ())
    at = min(next_slot(rhythm, after=now, holidays=holidays(), taken=taken) for rhythm in rhythms)
    return When(at, zone, waits=False, follows=True)


def next_digest_at(person: User, now: dt.datetime) -> dt.datetime | None:
    """When this person's next digest goes out; None for "as soon as something changes"."""
    return when_next(person, now).at


def _dates_taken(people: Collection[int], now: dt.datetime) -> dict[int, set[dt.date]]:
    """The local dates from about today on that already had a digest of their hour, by person."""
    rows = Delivery.objects.filter(recipient__in=people, slot_on__gte=now.date() - dt.timedelta(days=1))
    taken: dict[int, set[dt.date]] = {}
    for person, day in rows.values_list("recipient", "slot_on"):
        if day is not None:
            taken.setdefault(person, set()).add(day)
    return taken


# ---- What one may see of it

#: What the timeline says of a letter that somebody had sent again.
SENT_AGAIN = "sent a letter again"


@dataclass(frozen=True, slots=True)
class SentAgain:
    """Somebody had a letter sent again: as the delivery `repeat`, for a reason that may be empty."""

    at: dt.datetime
    by: str
    reason: str
    repeat: int


def subscriptions_of(person: User) -> QuerySet[Subscription]:
    """A person's own subscriptions that still stand, in the order of their page."""
    return Subscription.objects.live().for_listing().filter(person=person).order_by("-asked_at", "-pk")


def standing_or_refused(person: User) -> QuerySet[Subscription]:
    """The same and what the person said no to: they may be asked about it once more if they want."""
    own = Subscription.objects.for_listing().filter(person=person)
    return (own.live() | own.refused()).order_by("-asked_at", "-pk")


def led_organisations(user: User) -> QuerySet[Organisation]:
    """Organisations for which the person may add stakeholders: editors and leads."""
    return Organisation.objects.of_person(user, *EDITING_ROLES)


def stakeholders_of(user: User) -> QuerySet[Subscription]:
    """Subscriptions of stakeholders whom the person's organisations added, for their editors and leads."""
    return (
        Subscription.objects.live()
        .for_listing()
        .filter(added_for__in=led_organisations(user).values("pk"))
        .order_by("person__name", "person__email", "pk")
    )


def stakeholders_who_ended(user: User, now: dt.datetime) -> QuerySet[Subscription]:
    """The same, but over: as long as a no would hold, so that nobody wonders where they went."""
    return (
        Subscription.objects.for_listing()
        .filter(
            status=SubscriptionStatus.ENDED,
            ended_at__gt=now - REFUSAL_HOLDS,
            added_for__in=led_organisations(user).values("pk"),
        )
        .order_by("-ended_at", "-pk")
    )


def letters_that_asked(subscriptions: Collection[Subscription]) -> dict[int, Delivery]:
    """The latest letter that asked to confirm each of these, by subscription."""
    letters = Delivery.objects.filter(kind=DeliveryKind.CONFIRMATION, subscription__in=subscriptions).order_by("pk")
    return {letter.subscription_id: letter for letter in letters if letter.subscription_id}


def unconfirmed_of(plan: Plan) -> QuerySet[Subscription]:
    """Who was asked about this very plan and has not answered: nothing is sent to them."""
    return (
        Subscription.objects.for_listing().filter(plan=plan, status=SubscriptionStatus.ASKED).order_by("asked_at", "pk")
    )


def ledger_of(user: User) -> QuerySet[Delivery]:
    """Deliveries the person may look up: an administrator all of them, a lead those that tell of plans they may
    publish, and those that ask whom their organisation added."""
    rows = Delivery.objects.select_related(
        "recipient", "subscription__plan", "subscription__partnership", "subscription__organisation"
    )
    if not user.is_staff:
        mine = Plan.objects.publishable_by(user).values("pk")
        asked = Organisation.objects.of_person(user, Role.LEAD).values("pk")
        rows = rows.filter(
            Q(pk__in=Delivery.objects.filter(items__plan__in=mine).values("pk"))
            | Q(pk__in=Delivery.objects.filter(subscription__added_for__in=asked).values("pk"))
        )
    return rows.order_by("-pk")


def due_within(user: User, *, until: dt.datetime) -> QuerySet[Told]:
    """What is due up to a moment, soonest first: all for an administrator, for a lead that of their plans."""
    rows = Told.objects.filter(due_at__lte=until).select_related("recipient", "plan")
    if not user.is_staff:
        rows = rows.filter(plan__in=Plan.objects.publishable_by(user).values("pk"))
    return rows.order_by("due_at", "pk")


def sendings_again(delivery: Delivery) -> list[SentAgain]:
    """Who had this letter sent again, when, and why."""
    events = list(
        Event.objects.filter(target_kind="delivery", target_id=delivery.pk, verb=SENT_AGAIN).order_by("at", "pk")
    )
    people = User.objects.in_bulk([event.actor_id for event in events if event.actor_id])
    return [
        SentAgain(
            at=event.at,
            by=people[event.actor_id].display_name if event.actor_id in people else "Somebody",
            reason=event.data.get("reason", ""),
            repeat=event.data.get("repeat", 0),
        )
        for event in events
    ]
