"""Queries of the last contact between partners, and of partnerships that have gone quiet."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.conversations.models import HELD, READ_BY_SIDE, SHARED, Conversation, Meeting, Side, Status
from partnerships.conversations.queries.listings import in_order
from partnerships.kit.dates import long_date
from partnerships.organisations.audience import EDITORS, Reach
from partnerships.organisations.filling import planned_for_each_reader
from partnerships.organisations.holdings import OneByOne, among, one_by_one
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User

#: How long before the planned day of a next contact people are reminded of it.
SOON = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Contact:
    """Another party, and when the reader's side last spoke with it; `last` and `days` are None if it never did."""

    organisation: Organisation
    last: dt.date | None
    days: int | None
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """A partnership that has gone quiet."""

    partnership: Partnership
    #: The day of the last conversation; if there was none, the day on which the partnership began.
    since: dt.date
    days: int
    #: Whether there was a conversation.
    ever: bool
    #: The other parties, longest silence first.
    contacts: tuple[Contact, ...] = ()

    @property
    def with_whom(self) -> str:
        """`Westmarch Borough Council and 2 others`; "" without other parties."""
        names = [contact.organisation.display_name for contact in self.contacts]
        if len(names) > 2:
            names = [names[0], f"{len(names) - 1} others"]
        return " and ".join(names)

    @property
    def words(self) -> str:
        """`No contact for 70 days, since 3 May 2026, with Westmarch Borough Council`."""
        days = f"{self.days} {'day' if self.days == 1 else 'days'}"
        if self.ever:
            sentence = f"No contact for {days}, since {long_date(self.since)}"
        else:
            sentence = f"No conversation in the {days} since it began"
        return f"{sentence}, with {self.with_whom}" if self.with_whom else sentence


def gone_quiet(user: User, now: dt.datetime, *, limit: int | None = None) -> list[Quiet]:
    """Live partnerships that the person edits for and that have gone quiet, longest silence first.

    A partnership has gone quiet if the last conversation is longer ago than its own limit, and none is planned for
    today or later. Only conversations that the person may read count.
    """
    return with_contacts(user, quiet_in_brief(user, now, limit=limit), now)


def quiet_in_brief(user: User, now: dt.datetime, *, limit: int | None = None) -> list[Quiet]:
    """Like `gone_quiet`, but without the contacts, which `with_contacts` adds."""
    today = timezone.localdate(now)
    quiet: list[Quiet] = []
    for pk, title, contact_days, began_on, last_held_on in rows_for(_quiet_partnerships, user, now, limit=limit):
        since = last_held_on or began_on
        quiet.append(
            Quiet(
                partnership=Partnership(pk=pk, contact_days=contact_days, title=title),
                since=since,
                days=(today - since).days,
                ever=last_held_on is not None,
            )
        )
    return quiet


def with_contacts(user: User, quiet: Sequence[Quiet], now: dt.datetime) -> list[Quiet]:
    """The same partnerships, with their contacts."""
    contacts = _contacts(user, [row.partnership for row in quiet], now)
    return [replace(row, contacts=tuple(contacts.get(row.partnership.pk, ()))) for row in quiet]


def contacts_lookup(user: User, partnerships: list[int]) -> Lookup:
    """The query of `with_contacts` for these partnerships, so that `read_ahead` can run it with others."""
    return lookup(_other_parties, user, partnerships)


def quiet_lookup(user: User, now: dt.datetime, *, limit: int | None = None) -> Lookup:
    """The query of `quiet_in_brief`, so that `read_ahead` can run it with others."""
    return lookup(_quiet_partnerships, user, now, limit=limit)


def _has_meeting_ahead(now: dt.datetime, partnership: str) -> OneByOne:
    """The condition that a partnership has a planned meeting, so that it has not gone quiet.

    Checked one by one, because the network has many more planned meetings than a person has partnerships.
    """
    return OneByOne(Meeting.objects.coming(now).filter(partnership=OuterRef(partnership)))


def _quiet_partnerships(user: User, now: dt.datetime, *, limit: int | None) -> QuerySet[Partnership, Any]:
    """Partnerships that have gone quiet for the person.

    Rows of id, title, own limit in days, the day on which it began, and the day of the last conversation or None.
    """
    today = timezone.localdate(now)
    with one_by_one():
        readable = Conversation.objects.visible_to(user).filter(partnership=OuterRef("pk"))
    held = readable.filter(status__in=HELD, held_on__lte=today).order_by("-held_on", "-pk")
    recent = readable.filter(_held_or_planned(today), held_on__gt=OuterRef("limit_day"))
    quiet_partnerships = (
        Partnership.objects.present_for(user, *EDITING_ROLES)
        .live()
        .exclude(_has_meeting_ahead(now, "pk"))
        .annotate(limit_day=_limit_day(today))
        .filter(~Exists(recent), Q(created_at__date__lte=F("limit_day")) | Exists(held))
        .annotate(began=TruncDate("created_at"), last=Subquery(held.values("held_on")[:1]))
        .order_by(Coalesce("last", "began"), "pk")
    )
    rows: QuerySet[Partnership, Any] = quiet_partnerships.values_list("pk", "title", "contact_days", "began", "last")
    return rows[:limit]


def _limit_day(today: dt.date, partnership: str = "") -> Combinable:
    """The last day on which a conversation is too long ago to count."""
    contact_days = Coalesce(f"{partnership}contact_days", settings.NO_CONTACT_DAYS)
    return ExpressionWrapper(Value(today, DateField()) - contact_days, DateField())


def _held_or_planned(today: dt.date, path: str = "") -> Q:
    """The condition that a conversation took place, or is planned for today or later."""
    held = Q(**{f"{path}status__in": HELD, f"{path}held_on__lte": today})
    return held | Q(**{f"{path}status": Status.PLANNED, f"{path}held_on__gte": today})


def quiet_parties(now: dt.datetime) -> Reach:
    """Parties of live partnerships that have gone quiet for all people of the party."""
    today = timezone.localdate(now)

    def quiet(organisations: Collection[int]) -> QuerySet[Party]:
        """Parties of these organisations whose last contact is too long ago, and who have no meeting ahead."""
        older_conversations = Conversation.objects.held().filter(
            partnership=OuterRef("partnership"), held_on__lte=OuterRef("limit_day")
        )
        recent_sides = (
            Side.objects.filter(READ_BY_SIDE, organisation__in=organisations)
            .alias(limit_day=_limit_day(today, "conversation__partnership__"))
            .filter(
                _held_or_planned(today, "conversation__"),
                conversation__held_on__gt=F("limit_day"),
                organisation=OuterRef("organisation"),
                conversation__partnership=OuterRef("partnership"),
            )
        )
        return (
            Party.objects.present()
            .filter(organisation__in=organisations, partnership__in=Partnership.objects.live())
            .exclude(_has_meeting_ahead(now, "partnership"))
            .annotate(limit_day=_limit_day(today, "partnership__"))
            .filter(
                Q(partnership__created_at__date__lte=F("limit_day")) | Exists(older_conversations),
                ~Exists(recent_sides),
            )
        )

    return Reach(quiet, EDITORS)


def contacts_of(partnership: Partnership, user: User, now: dt.datetime) -> list[Contact]:
    """The other parties of a partnership with the last contact of each, longest silence first."""
    return _contacts(user, [partnership], now).get(partnership.pk, [])


def _contacts(user: User, partnerships: Collection[Partnership], now: dt.datetime) -> dict[int, list[Contact]]:
    """The other parties, each with the last conversation that the person may read, by partnership.

    Conversations of the partnership count, and conversations without a partnership, but none of another partnership.
    """
    if not partnerships:
        return {}
    today = timezone.localdate(now)
    ids = [partnership.pk for partnership in partnerships]
    limits = {partnership.pk: partnership.quiet_after for partnership in partnerships}
    last_days = {
        (organisation, partnership): day for organisation, partnership, day in rows_for(_last_with, user, ids, now)
    }
    contacts_by_partnership: dict[int, list[Contact]] = defaultdict(list)
    for party in rows_for(_other_parties, user, ids):
        days_of_party = [
            last_days[party.organisation_id, partnership]
            for partnership in (party.partnership_id, None)
            if (party.organisation_id, partnership) in last_days
        ]
        last = max(days_of_party, default=None)
        days = (today - last).days if last else None
        contacts_by_partnership[party.partnership_id].append(
            Contact(
                organisation=party.organisation,
                last=last,
                days=days,
                is_quiet=days is None or days >= limits[party.partnership_id],
            )
        )
    for contacts in contacts_by_partnership.values():
        contacts.sort(key=lambda contact: contact.last or dt.date.min)
    return contacts_by_partnership


def _other_parties(user: User, partnerships: list[int]) -> QuerySet[Party]:
    """Present parties of these partnerships for which the person does not act, without observers."""
    return (
        Party.objects.present()
        .filter(among("partnership", partnerships))
        .exclude(role=PartyRole.OBSERVER)
        .exclude(among("organisation", Membership.objects.organisations_of(user)))
        .select_related("organisation")
        # Only their names are shown, and a lead may have thousands of partners.
        .only("partnership", "organisation__name", "organisation__short_name")
        .order_by("organisation__name", "pk")
    )


@planned_for_each_reader
def _last_with(user: User, partnerships: list[int], now: dt.datetime) -> QuerySet[Side, Any]:
    """The day of the last conversation with each other party, by organisation and partnership."""
    other_parties = _other_parties(user, partnerships).order_by().values("organisation")
    # As a subquery: of two organisations with thousands of conversations, PostgreSQL then joins only their common ones.
    own_conversations = Side.objects.filter(among("organisation", Membership.objects.organisations_of(user))).values(
        "conversation"
    )
    rows = Side.objects.filter(
        _readable_by(user),
        conversation__in=own_conversations,
        organisation__in=other_parties,
        status__in=HELD,
        held_on__lte=timezone.localdate(now),
    )
    return rows.order_by().values_list("organisation", "conversation__partnership").annotate(last=Max("held_on"))


def _readable_by(user: User) -> Q:
    """The condition that the person may read the conversation of a side, in which an organisation of theirs took part.

    They may read every such conversation except a draft that another organisation keeps.
    """
    own_records = Conversation.objects.filter(among("organisation", Membership.objects.organisations_of(user)))
    return Q(status__in=SHARED) | Q(OneByOne(own_records.filter(pk=OuterRef("conversation"))))


#: Conversations longer ago than this no longer remind people of their next contact.
_MAX_AGE = dt.timedelta(days=730)


def past_contacts(now: dt.datetime) -> Reach:
    """Sides whose planned next contact is due soon or overdue.

    Only if there is another side that this one has not met since, in conversations that all its people may read.
    """
    today = timezone.localdate(now)

    def due(organisations: Collection[int]) -> QuerySet[Side]:
        sides = Side.objects.filter(organisation__in=organisations)
        # A draft that another side keeps does not wait for the people of this side. It may wait for a person who acts
        # for both sides, so drafts stay in; `contacts_due` checks what each person may read.
        # As ids: PostgreSQL would check a condition for every conversation.
        drafts = Q(pk__in=sides.exclude(READ_BY_SIDE).values("pk"))
        last_sides = Q(pk__in=_last_with_each(sides.filter(READ_BY_SIDE), today, "id"))
        return sides.filter(last_sides | drafts, _contact_due(today, "conversation__"))

    return Reach(due, EDITORS)


class _Unnest(Func):
    """A row for each item of an array."""

    function = "unnest"
    set_returning = True


class _ColumnOf(Subquery):
    """One `column` of a subquery that has several."""

    template = "(SELECT %(column)s FROM (%(subquery)s) found)"


def _last_with_each(sides: QuerySet[Side], today: dt.date, column: str) -> Subquery:
    """A column of the newest of these sides for each pair of organisations that met or plan to meet."""
    # From side to side, without a path through the conversation, which Django would join.
    other_sides = Side.objects.filter(conversation=OuterRef("conversation")).exclude(
        organisation=OuterRef("organisation")
    )
    other_organisations = ArraySubquery(other_sides.order_by().values("organisation"))
    newest = (
        sides.filter(Q(status__in=HELD) | Q(status=Status.PLANNED, held_on__gte=today))
        .annotate(other=_Unnest(other_organisations, output_field=BigIntegerField()))
        .order_by("organisation", "other", "-held_on", "-conversation_id")
        .distinct("organisation", "other")
    )
    return _ColumnOf(newest.values(column, "other"), column=column)


def _contact_due(today: dt.date, path: str = "") -> Q:
    """The condition that the next contact after a conversation is due soon or overdue."""
    return Q(
        **{
            f"{path}status__in": HELD,
            f"{path}held_on__gte": today - _MAX_AGE,
            f"{path}next_contact_on__lte": today + SOON,
        }
    )


def contacts_due(user: User, now: dt.datetime) -> QuerySet[Conversation]:
    """Conversations whose planned next contact is due soon or overdue, for all sides that may read the record.

    Only if there is another side that the person's side has not met since, nor planned to meet.
    """
    today = timezone.localdate(now)
    edited = among("organisation", Membership.objects.organisations_of(user, *EDITING_ROLES))
    last_conversations = _last_with_each(Side.objects.filter(edited, _readable_by(user)), today, "conversation_id")
    return in_order(Conversation.objects.filter(_contact_due(today), pk__in=last_conversations))
