"""Services for notices: adding them to inboxes, marking them as read, and choosing how they are sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from django.db import transaction

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import DeliveryKind, InboxItem, NoticeChoice, NoticeDelivery, Preference
from partnerships.digests.planning.notices import next_summary
from partnerships.digests.queries.ways import default_way, ways_of
from partnerships.digests.rights import may_choose_for
from partnerships.digests.services.journal_lines import journal_way
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.outbox.groups import CHOOSABLE
from partnerships.outbox.kinds import EmailKind
from partnerships.outbox.models import Email
from partnerships.outbox.restoring import indexes_in_summaries
from partnerships.outbox.routing import Router
from partnerships.people.models import User


class UnableToChooseWay(Exception):
    """The group, or the way to get its notices, does not exist."""


class InboxRouter(Router):
    """Adds notices to the inboxes of people with an account; only people who want them at once get an email."""

    def route(self, *, kind: EmailKind, emails: Sequence[Email], now: dt.datetime) -> list[Email]:
        """Return the emails to send at once; other notices are added to inboxes, unless the person turned them off."""
        people = {} if kind.code in DeliveryKind.values else _people_with_accounts(emails)
        if not people:
            return list(emails)
        choices = NoticeChoice.objects.filter(person__in=people, group=kind.group)
        way_by_person = dict(choices.values_list("person", "way"))
        record_kind, record_id, partnership_id = _record_of(kind, emails[0])

        emails_to_send: list[Email] = []
        items: list[InboxItem] = []
        items_for_summary: list[InboxItem] = []
        for email in emails:
            person = people.get(email.person_id or 0)
            if person is None:
                emails_to_send.append(email)
                continue
            is_paused = _preference_of(person).current_pause_end(now, person.time_zone) is not None
            way = way_for(kind, way_by_person.get(person.pk, ""), is_paused=is_paused)
            if way == NoticeDelivery.AT_ONCE:
                emails_to_send.append(email)
            if way == NoticeDelivery.OFF:
                continue
            item = InboxItem(
                person=person,
                kind=kind.code,
                group=kind.group,
                params=email.params,
                record_kind=record_kind,
                record_id=record_id,
                partnership_id=partnership_id,
                created_at=now,
            )
            items.append(item)
            if way == NoticeDelivery.SUMMARY:
                items_for_summary.append(item)

        _schedule_for_summary(items_for_summary, now)
        InboxItem.objects.bulk_create(items)
        return emails_to_send


def _preference_of(person: User) -> Preference:
    """Return the person's preference, or the defaults if the person has chosen nothing."""
    return getattr(person, "digest_preference", None) or Preference(person=person)


def _schedule_for_summary(items: Sequence[InboxItem], now: dt.datetime) -> None:
    """Set when each item is due in its person's next summary.

    After a restore, a summary must not repeat notices that were told before. These get no time.
    """
    told_indexes = indexes_in_summaries([(item.kind, item.person_id, item.params) for item in items])
    for index, item in enumerate(items):
        if index not in told_indexes:
            item.due_at = next_summary(item.person, _preference_of(item.person), now=now)


def _people_with_accounts(emails: Sequence[Email]) -> dict[int, User]:
    """Return the recipients who can sign in, by id, with their preferences."""
    person_ids = [email.person_id for email in emails if email.person_id is not None]
    accounts = User.objects.filter(account_since__isnull=False, is_active=True)
    return accounts.select_related("digest_preference").in_bulk(person_ids)


def _record_of(kind: EmailKind, email: Email) -> tuple[str, int | None, int | None]:
    """Return the kind and id of the record that an email is about, and the id of its partnership."""
    subject = kind.about(email.params) if kind.about is not None else None
    if subject is None:
        return "", None, None
    return subject.kind, subject.record_id, subject.partnership_id


def way_for(kind: EmailKind, chosen: str, *, is_paused: bool) -> NoticeDelivery:
    """Return how a notice reaches a person who has `chosen` a way for its group; "" if they have chosen none.

    Notices that nobody can turn off are always sent at once. During a pause, other notices that would be sent at once
    wait for the next summary.
    """
    if kind.always:
        return NoticeDelivery.AT_ONCE
    way = NoticeDelivery(chosen) if chosen else default_way(kind.group)
    return NoticeDelivery.SUMMARY if is_paused and way == NoticeDelivery.AT_ONCE else way


@transaction.atomic
def choose_ways(*, person: User, ways: Mapping[str, str], author: User | None, now: dt.datetime) -> None:
    """Choose, by group, how a person gets notices. Raises `UnableToChooseWay`.

    If notices of a group are no longer to be in summaries, notices that were waiting for a summary remain in the inbox.
    """
    require(may_choose_for(person, roles_of(author, now)))
    if any(group not in CHOOSABLE or way not in NoticeDelivery.values for group, way in ways.items()):
        raise UnableToChooseWay("Choose an option from the list.")
    User.objects.select_for_update().get(pk=person.pk)
    ways_before = ways_of(person)
    changed_ways = {group: way for group, way in ways.items() if ways_before[group] != way}
    for group, way in changed_ways.items():
        NoticeChoice.objects.update_or_create(person=person, group=group, defaults={"way": way})
        journal_way(person, group, way, now=now)
        if way in (NoticeDelivery.INBOX, NoticeDelivery.OFF):
            InboxItem.objects.for_summary().filter(person=person, group=group).update(due_at=None)
    if changed_ways:
        record(
            actor_id=author.pk if author else None,
            kind=EventKind.NOTICES_CHOSEN,
            target_kind="person",
            target_id=person.pk,
            now=now,
            data={"before": {group: ways_before[group] for group in changed_ways}, "after": changed_ways},
        )


@transaction.atomic
def mark_items(*, person: User, item_ids: Collection[int] | None, is_read: bool, now: dt.datetime) -> int:
    """Mark items (ids) of a person's inbox as read or unread, and return how many changed; None marks all items.

    Items that are read are left out of the next summary.
    """
    own_items = InboxItem.objects.filter(person=person)
    if item_ids is not None:
        own_items = own_items.filter(pk__in=item_ids)
    if is_read:
        return own_items.unread().update(read_at=now, due_at=None)
    return own_items.exclude(read_at=None).update(read_at=None)
