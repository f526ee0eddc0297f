"""When partners last spoke, and which partnerships have gone quiet."""

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

#: How long before the planned day a next contact is shown as waiting.
SOON = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Contact:
    """Another party, and when the reader's side last spoke with it.

    `last` and `days` are None if they never spoke.
    """

    organisation: Organisation
    last: dt.date | None
    days: int | None
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """A partnership that has gone quiet.

    `since` is the last conversation, or the start. `contacts` are the other parties, longest silence first.
    """

    partnership: Partnership
    since: dt.date
    days: int
    ever: bool
    contacts: tuple[Contact, ...] = ()

    @property
    def with_whom(self) -> str:
        """`Westmarch Borough Council and 2 others`; empty without others."""
        names = [contact.organisation.display_name for contact in self.contacts]
        if len(names) > 2:
            names = [names[0], f"{len(names) - 1} others"]
        return " and ".join(names)

    @property
    def words(self) -> str:
        """`No contact for 70 days, since 3 May 2026, with Westmarch Borough Council`."""
        days = f"{self.days} {'day' if self.days == 1 else 'days'}"
        if self.ever:
            words = f"No contact for {days}, since {long_date(self.since)}"
        else:
            words = f"No conversation in the {days} since it began"
        return f"{words}, with {self.with_whom}" if self.with_whom else words


def gone_quiet(user: User, now: dt.datetime, *, limit: int | None = None) -> list[Quiet]:
    """Live partnerships that have gone quiet, longest silence first.

    Only partnerships that the person edits for, each by its own limit. None with a conversation planned for today or
    later. Only conversations that the person may see count. `limit` is how many are wanted.
    """
    return with_contacts(user, quiet_in_brief(user, now, limit=limit), now)


def quiet_in_brief(user: User, now: dt.datetime, *, limit: int | None = None) -> list[Quiet]:
    """Like `gone_quiet`, without the contacts of each partnership; `with_contacts` adds them."""
    today = timezone.localdate(now)
    return [
        Quiet(
            Partnership(pk=pk, contact_days=days, title=title),
            last or began,
            (today - (last or began)).days,
            bool(last),
        )
        for pk, title, days, began, last in rows_for(_silent_for, user, now, limit=limit)
    ]


def with_contacts(user: User, quiet: Sequence[Quiet], now: dt.datetime) -> list[Quiet]:
    """The same partnerships, with their contacts."""
    contacts = _contacts(user, [silent.partnership for silent in quiet], now)
    return [replace(silent, contacts=tuple(contacts.get(silent.partnership.pk, ()))) for silent in quiet]


def contacts_lookup(user: User, partnerships: list[int]) -> Lookup:
    """What `with_contacts` is going to ask about these partnerships, for `read_ahead`."""
    return lookup(_other_parties, user, partnerships)


def quiet_lookup(user: User, now: dt.datetime, *, limit: int | None = None) -> Lookup:
    """What `quiet_in_brief` is going to ask, for `read_ahead`."""
    return lookup(_silent_for, user, now, limit=limit)


def _meeting_soon(now: dt.datetime, partnership: str) -> OneByOne:
    """The condition that a partnership has a meeting planned: it has not gone quiet.

    One by one, because the whole network has many more meetings to come than one person's partnerships.
    """
    return OneByOne(Meeting.objects.coming(now).filter(partnership=OuterRef(partnership)))


def _silent_for(user: User, now: dt.datetime, *, limit: int | None) -> QuerySet[Partnership, Any]:
    """Partnerships that have gone quiet for the person: number, title, own limit, first day, last conversation."""
    today = timezone.localdate(now)
    with one_by_one():
        seen = Conversation.objects.visible_to(user).filter(partnership=OuterRef("pk"))
    held = seen.filter(status__in=HELD, held_on__lte=today).order_by("-held_on", "-pk")
    lately = seen.filter(_in_touch(today), held_on__gt=OuterRef("last_day"))
    quiet_partnerships = (
        Partnership.objects.present_for(user, *EDITING_ROLES)
        .live()
        .exclude(_meeting_soon(now, "pk"))
        .annotate(last_day=_last_day(today))
        .filter(~Exists(lately), Q(created_at__date__lte=F("last_day")) | Exists(held))
        .annotate(began=TruncDate("created_at"), last=Subquery(held.values("held_on")[:1]))
        .order_by(Coalesce("last", "began"), "pk")
    )
    rows: QuerySet[Partnership, Any] = quiet_partnerships.values_list("pk", "title", "contact_days", "began", "last")
    return rows[:limit]


def _last_day(today: dt.date, partnership: str = "") -> Combinable:
    """A conversation up to this day no longer counts."""
    allowed = Coalesce(f"{partnership}contact_days", settings.NO_CONTACT_DAYS)
    return ExpressionWrapper(Value(today, DateField()) - allowed, DateField())


def _in_touch(today: dt.date, path: str = "") -> Q:
    """The condition on conversations that took place, or are planned for today or later."""
    held = Q(**{f"{path}status__in": HELD, f"{path}held_on__lte": today})
    return held | Q(**{f"{path}status": Status.PLANNED, f"{path}held_on__gte": today})


def quiet_parties(now: dt.datetime) -> Reach:
    """Parties of live partnerships that have gone quiet for the whole party."""
    today = timezone.localdate(now)

    def silent(organisations: Collection[int]) -> QuerySet[Party]:
        """Parties whose last contact is too long ago and who have no meeting ahead."""
        conversations = Conversation.objects.held().filter(
            partnership=OuterRef("partnership"), held_on__lte=OuterRef("last")
        )
        in_touch = (
            Side.objects.filter(READ_BY_SIDE, organisation__in=organisations)
            .alias(last=_last_day(today, "conversation__partnership__"))
            .filter(
                _in_touch(today, "conversation__"),
                conversation__held_on__gt=F("last"),
                organisation=OuterRef("organisation"),
                conversation__partnership=OuterRef("partnership"),
            )
        )
        return (
            Party.objects.present()
            .filter(organisation__in=organisations, partnership__in=Partnership.objects.live())
            .exclude(_meeting_soon(now, "partnership"))
            .annotate(last=_last_day(today, "partnership__"))
            .filter(Q(partnership__created_at__date__lte=F("last")) | Exists(conversations), ~Exists(in_touch))
        )

    return Reach(silent, EDITORS)


def contacts_of(partnership: Partnership, user: User, now: dt.datetime) -> list[Contact]:
    """The other parties with the last contact of each, longest silence first."""
    return _contacts(user, [partnership], now).get(partnership.pk, [])


def _contacts(user: User, partnerships: Collection[Partnership], now: dt.datetime) -> dict[int, list[Contact]]:
    """By partnership: the other parties, and the last conversation with each.

    Only conversations that the person may see. One that belongs to another partnership does not count; one that belongs
    to none does.
    """
    if not partnerships:
        return {}
    today, ids = timezone.localdate(now), [partnership.pk for partnership in partnerships]
    last = {(organisation, partnership): day for organisation, partnership, day in rows_for(_last_with, user, ids, now)}
    limits = {partnership.pk: partnership.quiet_after for partnership in partnerships}
    contacts_by_partnership: dict[int, list[Contact]] = defaultdict(list)
    for party in rows_for(_other_parties, user, ids):
        keys = ((party.organisation_id, party.partnership_id), (party.organisation_id, None))
        days = [last[key] for key in keys if key in last]
        day = max(days, default=None)
        ago = (today - day).days if day else None
        contacts_by_partnership[party.partnership_id].append(
            Contact(party.organisation, day, ago, ago is None or ago >= limits[party.partnership_id])
        )
    for contacts in contacts_by_partnership.values():
        contacts.sort(key=lambda contact: contact.last or dt.date.min)
    return contacts_by_partnership


def _other_parties(user: User, partnerships: list[int]) -> QuerySet[Party]:
    """The present parties of these partnerships that the person does not act for, without observers."""
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
    # Of two bodies with thousands of conversations, PostgreSQL joins what both took part in.
    ours = Side.objects.filter(among("organisation", Membership.objects.organisations_of(user))).values("conversation")
    rows = Side.objects.filter(
        _read_by(user),
        conversation__in=ours,
        organisation__in=other_parties,
        status__in=HELD,
        held_on__lte=timezone.localdate(now),
    )
    return rows.order_by().values_list("organisation", "conversation__partnership").annotate(last=Max("held_on"))


def _read_by(user: User) -> Q:
    """The condition on sides of conversations that an organisation of the person took part in: those they may read.

    All but another's draft.
    """
    own = Conversation.objects.filter(among("organisation", Membership.objects.organisations_of(user)))
    return Q(status__in=SHARED) | Q(OneByOne(own.filter(pk=OuterRef("conversation"))))


#: Age limit of a planned next contact; older ones are ignored.
_RECALLED = dt.timedelta(days=730)


def past_contacts(now: dt.datetime) -> Reach:
    """Sides whose planned next contact is due soon or overdue.

    Only if the side has not met one of the others since, in conversations that everybody of the side may see.
    """
    today = timezone.localdate(now)

    def due(organisations: Collection[int]) -> QuerySet[Side]:
        sides = Side.objects.filter(organisation__in=organisations)
        # A draft that another side keeps waits for nobody here, but may for a person of both sides.
        # Both as ids: PostgreSQL would check a condition here for every conversation.
        drafts = Q(pk__in=sides.exclude(READ_BY_SIDE).values("pk"))
        last = Q(pk__in=_last_with_each(sides.filter(READ_BY_SIDE), today, "id")) | drafts
        return sides.filter(last, _contact_due(today, "conversation__"))

    return Reach(due, EDITORS)


class _Each(Func):
    """A row for each item of an array."""

    function = "unnest"
    set_returning = True


class _Of(Subquery):
    """One `column` of rows that have others, too."""

    template = "(SELECT %(column)s FROM (%(subquery)s) found)"


def _last_with_each(sides: QuerySet[Side], today: dt.date, column: str) -> Subquery:
    """A column of the last side of each organisation with each other.

    Of conversations that were held or are planned.
    """
    # From side to side: with a path through the conversation, Django would join it.
    beside = Side.objects.filter(conversation=OuterRef("conversation")).exclude(organisation=OuterRef("organisation"))
    others = ArraySubquery(beside.order_by().values("organisation"))
    last = (
        sides.filter(Q(status__in=HELD) | Q(status=Status.PLANNED, held_on__gte=today))
        .annotate(other=_Each(others, output_field=BigIntegerField()))
        .order_by("organisation", "other", "-held_on", "-conversation_id")
        .distinct("organisation", "other")
    )
    return _Of(last.values(column, "other"), column=column)


def _contact_due(today: dt.date, path: str = "") -> Q:
    """The condition that the next contact is due soon or overdue."""
    return Q(
        **{
            f"{path}status__in": HELD,
            f"{path}held_on__gte": today - _RECALLED,
            f"{path}next_contact_on__lte": today + SOON,
        }
    )


def contacts_due(user: User, now: dt.datetime) -> QuerySet[Conversation]:
    """Conversations whose planned next contact is due soon or overdue.

    Only if there is another side that the person's side has not met since, nor planned to meet. It waits for every side
    that may read the record.
    """
    today = timezone.localdate(now)
    edited = among("organisation", Membership.objects.organisations_of(user, *EDITING_ROLES))
    last = _last_with_each(Side.objects.filter(edited, _read_by(user)), today, "conversation_id")
    return in_order(Conversation.objects.filter(_contact_due(today), pk__in=last))
