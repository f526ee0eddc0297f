"""Find what the stop link of an email can stop: records and notices in the email that the person still gets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.digests.models import (
    TARGET_NAMES,
    DeliveryItem,
    DeliveryKind,
    DeliverySubject,
    InboxItem,
    MatchNotice,
    NoticeChoice,
    NoticeDelivery,
    Preference,
    Subscription,
)
from partnerships.digests.models.targets import Target, fields_of, kind_of, title_of
from partnerships.digests.queries.naming import set_names_for_followers
from partnerships.digests.queries.objects import records_of
from partnerships.digests.queries.readers import reading_classes
from partnerships.digests.queries.successions import followed_targets
from partnerships.digests.queries.ways import groups_in_summary
from partnerships.organisations.lineage import successions_in_email
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.outbox.kinds import email_kind_with_code as email_kind
from partnerships.outbox.models import DeliveredBefore, Email
from partnerships.people.models import User
from partnerships.plans.models import Plan


class SingleStop:
    """Base class: stops one kind of email only for the record that it is about, and not for its whole group.

    Rooms above this one register a subclass for emails that a person asked for, such as emails about a saved view.
    `params` are the values with which the email was made.
    """

    def called(self, *, person: User, params: Mapping[str, Any]) -> str:
        """Return the name of the record as the reader may know it; "" if they get no more emails about the record."""
        raise NotImplementedError

    def stop(self, *, person: User, params: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
        """Stop emails about the record, and return what `renew` needs to undo that, as JSON values."""
        raise NotImplementedError

    def renew(self, *, person: User, kept: Mapping[str, Any], now: dt.datetime) -> None:
        """Undo a stop if the person may still get these emails; `kept` is the return value of `stop`."""
        raise NotImplementedError


_single_stop_by_kind: dict[str, SingleStop] = {}


def register_single_stop(kind: str, single: SingleStop) -> None:
    """Register how emails of this kind are stopped for one record."""
    _single_stop_by_kind[kind] = single


def single_stop(kind: str) -> SingleStop:
    """Return the registered way to stop emails of this kind for one record."""
    return _single_stop_by_kind[kind]


def kinds_stopped_by_params() -> list[str]:
    """Return the kinds of email whose params are stored as long as their stop link works, because it needs them."""
    return [DeliveryKind.SUCCESSION.value, *_single_stop_by_kind]


class Single(NamedTuple):
    """The one record that an email is about, for its `SingleStop`."""

    kind: str
    params: Mapping[str, Any]
    called: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stoppable:
    """The contents of an email that the person still gets and can stop.

    * `had_any`: the email had contents that can be stopped, even if the person no longer gets any of them.
    * `subjects`: partnerships, organisations, asks, offers and commitments.
    * `groups`: the groups of the notices in the email that the person still gets by email.
    * `single`: the one record that the email is about, of a kind with a `SingleStop`.
    """

    had_any: bool
    plans: tuple[Plan, ...] = ()
    matches: bool = False
    subjects: tuple[Target, ...] = ()
    groups: tuple[str, ...] = ()
    single: Single | None = None


def stoppable_in(person: User, delivery_id: int) -> Stoppable:
    """Return what the stop link of one email to this person can stop; `delivery_id` is the id of the email."""
    read_ahead(
        [
            lookup(_subject_keys, delivery_id, person.pk),
            lookup(_match_notices, delivery_id, person.pk),
            lookup(_notice_groups, delivery_id, person.pk),
            lookup(_refusals_of_matches, person.pk),
            lookup(_groups_without_email, person.pk),
        ]
    )
    keys = rows_for(_subject_keys, delivery_id, person.pk)
    record_by_key = records_of(keys)
    subjects = [record_by_key[key] for key in keys if key in record_by_key]

    # Newer emails name their plans as subjects, as they name other records.
    items = DeliveryItem.objects.included().filter(delivery=delivery_id, delivery__recipient=person)
    subject_plan_ids = [subject.pk for subject in subjects if isinstance(subject, Plan)]
    is_in_email = Q(pk__in=items.values("plan")) | Q(pk__in=subject_plan_ids)
    plans = list(Plan.objects.filter(is_in_email).order_by("title", "pk"))
    other_subjects = [subject for subject in subjects if not isinstance(subject, Plan)]

    has_matches = bool(rows_for(_match_notices, delivery_id, person.pk))
    groups = set(rows_for(_notice_groups, delivery_id, person.pk))
    if not (plans or keys or has_matches or groups):
        return _stoppable_of_single_email(person, delivery_id)

    wants_matches = not rows_for(_refusals_of_matches, person.pk)
    return Stoppable(
        had_any=True,
        plans=tuple(plan for plan in plans if covering(person, plan)),
        matches=has_matches and wants_matches,
        subjects=tuple(subject for subject in other_subjects if covering_subject(person, subject)),
        groups=_groups_by_email(person, groups),
    )


def _subject_keys(delivery_id: int, person_id: int) -> QuerySet[DeliverySubject, tuple[str, int]]:
    """Return the kind and id of each record that an email to the person was about, in its order."""
    subjects = DeliverySubject.objects.included().filter(delivery=delivery_id, delivery__recipient=person_id)
    return subjects.order_by("pk").values_list("subject__kind", "subject__record_id")


def _match_notices(delivery_id: int, person_id: int) -> QuerySet[MatchNotice, int]:
    """Return the id of one notice of a match in an email to the person, or nothing."""
    return MatchNotice.objects.filter(delivery=delivery_id, recipient=person_id).values_list("pk", flat=True)[:1]


def _notice_groups(delivery_id: int, person_id: int) -> QuerySet[InboxItem, str]:
    """Return the groups of the notices in an email to the person."""
    return InboxItem.objects.filter(delivery_id=delivery_id, person=person_id).values_list("group", flat=True)


def _refusals_of_matches(person_id: int) -> QuerySet[Preference, int]:
    """Return the id of the person's preferences if they get no emails about matches, or nothing."""
    return Preference.objects.filter(person=person_id, tells_matches=False).values_list("pk", flat=True)


def _groups_by_email(person: User, groups: Collection[str]) -> tuple[str, ...]:
    """Return the groups among these whose notices the person gets by email, at once or in a summary."""
    return tuple(sorted(set(groups).difference(rows_for(_groups_without_email, person.pk))))


def _groups_without_email(person_id: int) -> QuerySet[NoticeChoice, str]:
    """Return the groups whose notices the person does not get by email."""
    choices = NoticeChoice.objects.filter(person=person_id, way__in=[NoticeDelivery.INBOX, NoticeDelivery.OFF])
    return choices.values_list("group", flat=True)


def _stoppable_of_single_email(person: User, delivery_id: int) -> Stoppable:
    """Return what an email without news can stop: an email about a succession, about one record, or a notice.

    Notices are deleted after a year, and the link works for two years. In the second year, the link of a summary stops
    the groups that are sent in summaries. The link of a notice that nobody can stop, or whose kind no longer exists,
    stops nothing, because it must not stop other emails.
    """
    email = Email.objects.filter(pk=delivery_id, person_id=person.pk).first()
    if email is None:
        return _stoppable_of_lost_email(person, delivery_id)
    if email.kind == DeliveryKind.SUCCESSION:
        return _stoppable_of_succession(person, email)
    if person.is_stakeholder or email.kind in (DeliveryKind.CONFIRMATION, DeliveryKind.LINKS):
        return Stoppable(had_any=False)
    if email.kind == DeliveryKind.DIGEST:
        return Stoppable(had_any=True, groups=tuple(groups_in_summary(person)))

    kind = email_kind(email.kind)
    if kind is None or not kind.is_choosable:
        return Stoppable(had_any=True)
    if email.kind in _single_stop_by_kind:
        record_name = single_stop(email.kind).called(person=person, params=email.params)
        single = Single(email.kind, email.params, record_name) if record_name else None
        return Stoppable(had_any=True, single=single)
    return Stoppable(had_any=True, groups=_groups_by_email(person, [kind.group]))


def _stoppable_of_lost_email(person: User, delivery_id: int) -> Stoppable:
    """Return what an email can stop that the database does not contain, because it was sent after the restored backup.

    For 30 days the outbox stores the kind of each such notice, and its link stops notices of that group. The contents
    of a digest are not stored, so its link asks about all that the person follows.
    """
    delivered = DeliveredBefore.objects.filter(email_id=delivery_id, person_id=person.pk).first()
    kind = email_kind(delivered.kind) if delivered is not None else None
    if kind is None or not kind.is_choosable:
        return Stoppable(had_any=False)
    return Stoppable(had_any=True, groups=_groups_by_email(person, [kind.group]))


def _stoppable_of_succession(person: User, email: Email) -> Stoppable:
    """Return the records in an email about a succession that the person still follows and can stop.

    Versions before 1 December 2026 cleared the email's params after a year. Its link then asks about all that the
    person follows.
    """
    successions = successions_in_email(email.params)
    if not successions:
        return Stoppable(had_any=False)
    targets = followed_targets(successions, person, day=timezone.localdate())
    plans = [target for target in targets if isinstance(target, Plan)]
    plans.sort(key=lambda plan: (plan.title, plan.pk))
    other_targets = [target for target in targets if not isinstance(target, Plan)]
    return Stoppable(had_any=True, plans=tuple(plans), subjects=tuple(other_targets))


def covering_subject(person: User, target: Target) -> list[Subscription]:
    """Return the person's subscriptions by which they follow this target, the closest first.

    A partnership is also followed through its parties, unless the person has refused the partnership since.
    """
    if isinstance(target, Plan):
        return covering(person, target)
    live_subscriptions = Subscription.objects.live().for_listing().filter(person=person)
    direct_subscriptions = list(live_subscriptions.filter(**fields_of(target)))
    if not isinstance(target, Partnership):
        return direct_subscriptions
    parties = target.parties.accepted().values("organisation")
    through_parties = live_subscriptions.filter(organisation__in=parties, confirmed_at__isnull=False)
    refusals = Subscription.objects.refused().filter(person=person, partnership=target)
    for refused_at in refusals.values_list("refused_at", flat=True):
        through_parties = through_parties.filter(confirmed_at__gt=refused_at)
    return [*direct_subscriptions, *through_parties.order_by("organisation", "pk")]


def names_of(person: User, targets: Collection[Target], now: dt.datetime) -> list[str]:
    """Return the names of these targets, in the same order, as far as this follower may still know them."""
    closest_subscriptions: list[Subscription | None] = []
    for target in targets:
        subscriptions = covering_subject(person, target)
        closest_subscriptions.append(subscriptions[0] if subscriptions else None)
    existing_subscriptions = [subscription for subscription in closest_subscriptions if subscription is not None]
    # Sets `named` on the subscriptions in `closest_subscriptions` too, because both lists have the same objects.
    set_names_for_followers(existing_subscriptions, now)

    names = []
    for target, subscription in zip(targets, closest_subscriptions, strict=True):
        if subscription is not None and subscription.named:
            names.append(title_of(target))
        else:
            names.append(f"{TARGET_NAMES[kind_of(target)]} you can no longer read")
    return names


def covering(person: User, plan: Plan) -> list[Subscription]:
    """Return the person's subscriptions by which they follow this plan, the closest first, including paused ones.

    Subscriptions to its partnership or an owner that the person confirmed before refusing the plan do not count, as in
    the database view `digests_following`.
    """
    live_subscriptions = Subscription.objects.live().for_listing().filter(person=person)
    is_of_partnership = Q(partnership__isnull=False, partnership=plan.partnership_id)
    is_of_owner = Q(organisation__in=plan.owners.values("organisation"))
    indirect_subscriptions = live_subscriptions.filter(is_of_partnership | is_of_owner, confirmed_at__isnull=False)
    refusals = Subscription.objects.refused().filter(person=person, plan=plan, key="")
    for refused_at in refusals.values_list("refused_at", flat=True):
        indirect_subscriptions = indirect_subscriptions.filter(confirmed_at__gt=refused_at)
    return [*live_subscriptions.filter(plan=plan), *indirect_subscriptions.order_by("organisation", "pk")]


def titles_for(person: User, plans: Collection[Plan], now: dt.datetime) -> dict[int, str]:
    """Return the titles of these plans by id, as far as this follower may still read the plans."""
    class_by_reader = reading_classes([plan.pk for plan in plans], now=now, person_ids=[person.pk], even_paused=True)
    readable_ids = {plan_id for _person_id, plan_id in class_by_reader}
    titles = {}
    for plan in plans:
        titles[plan.pk] = plan.title if plan.pk in readable_ids else "a plan you can no longer read"
    return titles
