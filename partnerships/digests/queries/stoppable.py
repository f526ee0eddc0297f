"""What a stop link can stop: what its email contained."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.digests.models import (
    A_TARGET,
    DeliveryItem,
    DeliveryKind,
    DeliverySubject,
    InboxItem,
    MatchNotice,
    NoticeChoice,
    Preference,
    Subscription,
    Way,
)
from partnerships.digests.models.targets import Target, fields_of, kind_of, title_of
from partnerships.digests.queries.naming import set_names_for_followers
from partnerships.digests.queries.objects import records_of
from partnerships.digests.queries.readers import reading_classes
from partnerships.digests.queries.successions import followed_of
from partnerships.digests.queries.ways import groups_in_summary
from partnerships.organisations.lineage import told_in
from partnerships.outbox.kinds import kind_of as email_kind
from partnerships.outbox.models import DeliveredBefore, Email
from partnerships.people.models import User
from partnerships.plans.models import Plan


class SingleStop:
    """How one kind of email is stopped only for the record that it is about, and not for its whole group.

    Upper rooms register one for emails that a person asked for. `params` are those of the email.
    """

    def called(self, *, person: User, params: Mapping[str, Any]) -> str:
        """What the email is about, as its reader may know it; "" if they get no more emails about it."""
        raise NotImplementedError

    def stop(self, *, person: User, params: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
        """Stop emails about it; return what `renew` needs, as JSON values."""
        raise NotImplementedError

    def renew(self, *, person: User, kept: Mapping[str, Any], now: dt.datetime) -> None:
        """Undo the stop, if the person may still get these emails."""
        raise NotImplementedError


_singles: dict[str, SingleStop] = {}


def register_single_stop(kind: str, single: SingleStop) -> None:
    """Register how emails of this kind are stopped by what each is about."""
    _singles[kind] = single


def single_stop(kind: str) -> SingleStop:
    """How emails of this kind are stopped."""
    return _singles[kind]


def kinds_stopped_by_params() -> list[str]:
    """The kinds of email whose params say what a stop link stops, as long as the link works."""
    return [DeliveryKind.SUCCESSION.value, *_singles]


class Single(NamedTuple):
    """The one record that an email is about, for its `SingleStop`."""

    kind: str
    params: Mapping[str, Any]
    called: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stoppable:
    """What an email contained and the person still follows.

    `subjects` are partnerships, organisations, asks, offers and commitments. `had_any` says whether the email
    contained anything.
    """

    had_any: bool
    plans: tuple[Plan, ...] = ()
    matches: bool = False
    subjects: tuple[Target, ...] = ()
    #: Groups of the notices in it that the person still gets by email.
    groups: tuple[str, ...] = ()
    single: Single | None = None


def stoppable_in(person: User, delivery: int) -> Stoppable:
    """What one email to this person can stop."""
    items = DeliveryItem.objects.included().filter(delivery=delivery, delivery__recipient=person)
    subjects_told = DeliverySubject.objects.included().filter(delivery=delivery, delivery__recipient=person)
    records = list(subjects_told.order_by("pk").values_list("subject__kind", "subject__record_id"))
    records_found = records_of(records)
    subjects = [records_found[record] for record in records if record in records_found]
    of_plans = [subject.pk for subject in subjects if isinstance(subject, Plan)]
    in_email = Plan.objects.filter(Q(pk__in=items.values("plan")) | Q(pk__in=of_plans))
    plans = list(in_email.order_by("title", "pk"))
    matches = MatchNotice.objects.filter(delivery=delivery, recipient=person).exists()
    wants_matches = not Preference.objects.filter(person=person, tells_matches=False).exists()
    followed = tuple(plan for plan in plans if covering(person, plan))
    other_subjects = tuple(
        subject for subject in subjects if not isinstance(subject, Plan) and covering_subject(person, subject)
    )
    notices = InboxItem.objects.filter(delivery_id=delivery, person=person)
    groups = set(notices.values_list("group", flat=True))
    if not (plans or records or matches or groups):
        return _of_single_email(person, delivery)
    return Stoppable(
        had_any=True,
        plans=followed,
        matches=matches and wants_matches,
        subjects=other_subjects,
        groups=_heard(person, groups),
    )


def _heard(person: User, groups: Collection[str]) -> tuple[str, ...]:
    """The groups that the person gets emails about."""
    silent = NoticeChoice.objects.filter(person=person, way__in=[Way.INBOX, Way.OFF]).values_list("group", flat=True)
    return tuple(sorted(set(groups) - set(silent)))


def _of_single_email(person: User, delivery: int) -> Stoppable:
    """What an email without news was about: a succession, one record, or notices.

    Notices are deleted after a year, and the link works for two years. In the second year, a summary's link stops the
    groups that come in summaries. The link of a notice whose kind can no longer be stopped, or is no longer registered,
    stops nothing: it must not stop other emails.
    """
    email = Email.objects.filter(pk=delivery, person_id=person.pk).first()
    if email is None:
        return _of_lost_email(person, delivery)
    if email.kind == DeliveryKind.SUCCESSION:
        return _of_succession(person, email)
    if person.is_stakeholder or email.kind in (DeliveryKind.CONFIRMATION, DeliveryKind.LINKS):
        return Stoppable(had_any=False)
    if email.kind == DeliveryKind.DIGEST:
        return Stoppable(had_any=True, groups=tuple(groups_in_summary(person)))
    kind = email_kind(email.kind)
    if kind is None or not kind.is_choosable:
        return Stoppable(had_any=True)
    if email.kind in _singles:
        called = _singles[email.kind].called(person=person, params=email.params)
        return Stoppable(had_any=True, single=Single(email.kind, email.params, called) if called else None)
    return Stoppable(had_any=True, groups=_heard(person, [kind.group]))


def _of_lost_email(person: User, delivery: int) -> Stoppable:
    """What an email was about that was sent after the backup that was restored, and is lost.

    For 30 days the outbox knows the kind of each such notice; its link stops notices of that group. Nothing is known
    about a digest; its link asks about all that the person follows.
    """
    delivered = DeliveredBefore.objects.filter(email_id=delivery, person_id=person.pk).first()
    kind = email_kind(delivered.kind) if delivered is not None else None
    if kind is None or not kind.is_choosable:
        return Stoppable(had_any=False)
    return Stoppable(had_any=True, groups=_heard(person, [kind.group]))


def _of_succession(person: User, email: Email) -> Stoppable:
    """What an email about a succession was about, as far as the person still follows it.

    Versions before 1 December 2026 cleared its params after a year: such a link asks about all that the person follows.
    """
    successions = told_in(email.params)
    if not successions:
        return Stoppable(had_any=False)
    targets = followed_of(successions, person, day=timezone.localdate())
    plans = [target for target in targets if isinstance(target, Plan)]
    other_targets = tuple(target for target in targets if not isinstance(target, Plan))
    by_title = sorted(plans, key=lambda plan: (plan.title, plan.pk))
    return Stoppable(had_any=True, plans=tuple(by_title), subjects=other_targets)


def covering_subject(person: User, target: Target) -> list[Subscription]:
    """The person's subscriptions that tell of this target's changes, closest first.

    A partnership is followed through its parties too, unless the person refused it since.
    """
    if isinstance(target, Plan):
        return covering(person, target)
    live = Subscription.objects.live().for_listing().filter(person=person)
    own = list(live.filter(**fields_of(target)))
    if not isinstance(target, Partnership):
        return own
    parties = target.parties.present().values("organisation")
    through = live.filter(organisation__in=parties, confirmed_at__isnull=False)
    for moment in Subscription.objects.refused().filter(person=person, partnership=target).values_list("refused_at"):
        through = through.filter(confirmed_at__gt=moment[0])
    return [*own, *through.order_by("organisation", "pk")]


def names_of(person: User, targets: Collection[Target], now: dt.datetime) -> list[str]:
    """The names of these targets, as far as this follower may still know them."""
    closest = [covering_subject(person, target)[:1] for target in targets]
    named_by_pk = {
        subscription.pk: subscription
        for subscription in set_names_for_followers(
            [subscription for subscriptions in closest for subscription in subscriptions], now
        )
    }
    names = []
    for target, subscriptions in zip(targets, closest, strict=True):
        is_known = bool(subscriptions) and subscriptions[0].pk in named_by_pk and named_by_pk[subscriptions[0].pk].named
        kind = A_TARGET[kind_of(target)]
        names.append(title_of(target) if is_known else f"{kind} you can no longer read")
    return names


def covering(person: User, plan: Plan) -> list[Subscription]:
    """The person's subscriptions that cover this plan, closest first.

    Paused ones are included. Those confirmed before the person refused this plan do not cover it, as in
    `digests_following`.
    """
    live = Subscription.objects.live().for_listing().filter(person=person)
    refused = (
        Subscription.objects.refused().filter(person=person, plan=plan, key="").values_list("refused_at", flat=True)
    )
    through = live.filter(
        Q(partnership__isnull=False, partnership=plan.partnership_id)
        | Q(organisation__in=plan.owners.values("organisation")),
        confirmed_at__isnull=False,
    )
    for moment in refused:
        through = through.filter(confirmed_at__gt=moment)
    return [*live.filter(plan=plan), *through.order_by("organisation", "pk")]


def titles_for(person: User, plans: Collection[Plan], now: dt.datetime) -> dict[int, str]:
    """The plans' titles, where this follower may still read them."""
    ids = [plan.pk for plan in plans]
    readable = {plan for _, plan in reading_classes(ids, now=now, people=[person.pk], even_paused=True)}
    return {plan.pk: plan.title if plan.pk in readable else "a plan you can no longer read" for plan in plans}
