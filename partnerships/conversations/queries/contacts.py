"""The last contact between partners, and partnerships that have gone quiet."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import (
    DateField,
    Exists,
    ExpressionWrapper,
    F,
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
from partnerships.conversations.models import (
    HELD_STATUSES,
    READ_BY_SIDE,
    SHARED_STATUSES,
    Conversation,
    Meeting,
    Side,
    Status,
)
from partnerships.conversations.queries.listings import newest_first
from partnerships.kit.dates import long_date
from partnerships.kit.text import listed
from partnerships.organisations.audience import EDITORS, Reach
from partnerships.organisations.holdings import CheckedForEachRow, for_a_few_records, id_is_among
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.organisations.stored_statements import planned_for_each_reader
from partnerships.people.models import User

#: People are reminded of a planned next contact this long before its day.
SOON = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Contact:
    """Another party, and when the reader's organisation last spoke with it."""

    organisation: Organisation
    #: The day of the last conversation; None if the two never spoke.
    last: dt.date | None
    #: The days since then; None if the two never spoke.
    days: int | None
    #: Whether they have not spoken for as long as the partnership allows.
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class QuietPartnership:
    """A partnership that has gone quiet."""

    partnership: Partnership
    #: The day of the last conversation; if there was none, the day on which the partnership began.
    since: dt.date
    days: int
    #: Whether there was a conversation.
    has_conversation: bool
    #: The other parties, longest silence first.
    contacts: tuple[Contact, ...] = ()

    @property
    def other_parties_text(self) -> str:
        """Return the other parties, such as `Westmarch Borough Council and 2 others`; "" if there are none."""
        names = [contact.organisation.display_name for contact in self.contacts]
        if len(names) > 2:
            names = [names[0], f"{len(names) - 1} others"]
        return listed(names)

    @property
    def words(self) -> str:
        """Return a sentence such as `No contact for 70 days, since 3 May 2026, with Westmarch Borough Council`."""
        days = f"{self.days} {'day' if self.days == 1 else 'days'}"
        if self.has_conversation:
            sentence = f"No contact for {days}, since {long_date(self.since)}"
        else:
            sentence = f"No conversation in the {days} since it started"
        return f"{sentence}, with {self.other_parties_text}" if self.other_parties_text else sentence


def find_quiet_partnerships(user: User, now: dt.datetime, *, limit: int | None = None) -> list[QuietPartnership]:
    """Return the live partnerships of the person that have gone quiet, longest silence first.

    They are partnerships in which the person edits for a party. A partnership has gone quiet if its last conversation
    is longer ago than its own limit, and no conversation is planned for today or later. Conversations that the person
    may not read are ignored.
    """
    return with_contacts(user, quiet_without_contacts(user, now, limit=limit), now)


def quiet_without_contacts(user: User, now: dt.datetime, *, limit: int | None = None) -> list[QuietPartnership]:
    """Return the live partnerships of the person that have gone quiet, with no contacts yet.

    A caller that shows only some of them can fetch the contacts of those with `with_contacts`.
    """
    today = timezone.localdate(now)
    quiet: list[QuietPartnership] = []
    rows = [_QuietRow(*values) for values in rows_for(_quiet_partnerships, user, now, limit=limit)]
    for row in rows:
        since = row.last_held_on or row.began_on
        quiet.append(
            QuietPartnership(
                partnership=Partnership(pk=row.pk, title=row.title, contact_days=row.contact_days),
                since=since,
                days=(today - since).days,
                has_conversation=row.last_held_on is not None,
            )
        )
    return quiet


def with_contacts(user: User, quiet: Sequence[QuietPartnership], now: dt.datetime) -> list[QuietPartnership]:
    """Return copies of these partnerships with the last contact with each other party."""
    contacts_by_partnership = _contacts(user, [row.partnership for row in quiet], now)
    return [replace(row, contacts=tuple(contacts_by_partnership.get(row.partnership.pk, ()))) for row in quiet]


def contacts_lookup(user: User, partnership_ids: list[int]) -> Lookup:
    """Return the lookup of the other parties of these partnerships, for `read_ahead`."""
    return lookup(_other_parties, user, partnership_ids)


def quiet_lookup(user: User, now: dt.datetime, *, limit: int | None = None) -> Lookup:
    """Return the lookup of the quiet partnerships, for `read_ahead`."""
    return lookup(_quiet_partnerships, user, now, limit=limit)


def _has_meeting_ahead(now: dt.datetime, partnership_column: str) -> CheckedForEachRow:
    """Return the condition that a partnership has a planned meeting. Such a partnership has not gone quiet.

    The database checks the condition for each partnership, because a person has few partnerships but the network has
    many planned meetings.
    """
    return CheckedForEachRow(Meeting.objects.upcoming(now).filter(partnership=OuterRef(partnership_column)))


class _QuietRow(NamedTuple):
    """A row of the query for partnerships that have gone quiet."""

    pk: int
    title: str
    #: The partnership's own limit in days; None if it has the usual one.
    contact_days: int | None
    began_on: dt.date
    #: The day of the last conversation; None if there was none.
    last_held_on: dt.date | None


def _quiet_partnerships(user: User, now: dt.datetime, *, limit: int | None) -> QuerySet[Partnership, Any]:
    """Return partnerships that have gone quiet for the person, each with the values of `_QuietRow`."""
    today = timezone.localdate(now)
    with for_a_few_records():
        readable = Conversation.objects.visible_to(user).filter(partnership=OuterRef("pk"))
    held_conversations = readable.filter(status__in=HELD_STATUSES, held_on__lte=today).order_by("-held_on", "-pk")
    recent_conversations = readable.filter(_is_held_or_planned(today), held_on__gt=OuterRef("limit_day"))
    quiet_partnerships = (
        Partnership.objects.with_party_of(user, *EDITING_ROLES)
        .live()
        .exclude(_has_meeting_ahead(now, "pk"))
        .annotate(limit_day=_limit_day(today))
        .filter(~Exists(recent_conversations), Q(created_at__date__lte=F("limit_day")) | Exists(held_conversations))
        .annotate(began=TruncDate("created_at"), last=Subquery(held_conversations.values("held_on")[:1]))
        .order_by(Coalesce("last", "began"), "pk")
    )
    rows: QuerySet[Partnership, Any] = quiet_partnerships.values_list("pk", "title", "contact_days", "began", "last")
    return rows[:limit]


def _limit_day(today: dt.date, partnership: str = "") -> Combinable:
    """Return the last day on which a conversation is too long ago to count as contact."""
    contact_days = Coalesce(f"{partnership}contact_days", settings.NO_CONTACT_DAYS)
    return ExpressionWrapper(Value(today, DateField()) - contact_days, DateField())


def _is_held_or_planned(today: dt.date, path: str = "") -> Q:
    """Return the condition that a conversation took place, or is planned for today or later."""
    is_held = Q((f"{path}status__in", HELD_STATUSES), (f"{path}held_on__lte", today))
    is_planned = Q((f"{path}status", Status.PLANNED), (f"{path}held_on__gte", today))
    return is_held | is_planned


def quiet_parties(now: dt.datetime) -> Reach:
    """Return the parties of live partnerships that have gone quiet, judged by what all people of a party may read."""
    today = timezone.localdate(now)

    def find_parties(organisation_ids: Collection[int]) -> QuerySet[Party]:
        """Return the parties of these organisations that have no recent contact and no planned meeting."""
        older_conversations = Conversation.objects.held().filter(
            partnership=OuterRef("partnership"), held_on__lte=OuterRef("limit_day")
        )
        recent_sides = (
            Side.objects.filter(READ_BY_SIDE, organisation__in=organisation_ids)
            .alias(limit_day=_limit_day(today, "conversation__partnership__"))
            .filter(
                _is_held_or_planned(today, "conversation__"),
                conversation__held_on__gt=F("limit_day"),
                organisation=OuterRef("organisation"),
                conversation__partnership=OuterRef("partnership"),
            )
        )
        return (
            Party.objects.accepted()
            .filter(organisation__in=organisation_ids, partnership__in=Partnership.objects.live())
            .exclude(_has_meeting_ahead(now, "partnership"))
            .annotate(limit_day=_limit_day(today, "partnership__"))
            .filter(
                Q(partnership__created_at__date__lte=F("limit_day")) | Exists(older_conversations),
                ~Exists(recent_sides),
            )
        )

    return Reach(find_parties, EDITORS)


def contacts_of(partnership: Partnership, user: User, now: dt.datetime) -> list[Contact]:
    """Return the other parties of a partnership with the last contact of each, longest silence first."""
    return _contacts(user, [partnership], now).get(partnership.pk, [])


def _contacts(user: User, partnerships: Collection[Partnership], now: dt.datetime) -> dict[int, list[Contact]]:
    """Return the other parties by partnership, each with the last conversation that the person may read.

    This is a conversation in the partnership, or one without a partnership. Conversations in other partnerships are
    ignored.
    """
    if not partnerships:
        return {}
    today = timezone.localdate(now)
    partnership_ids = [partnership.pk for partnership in partnerships]
    limit_by_partnership = {partnership.pk: partnership.days_until_quiet for partnership in partnerships}
    # The key has the partnership None for conversations without a partnership.
    last_day_by_party = {
        (organisation_id, partnership_id): day
        for organisation_id, partnership_id, day in rows_for(_last_days_with, user, partnership_ids, now)
    }

    contacts_by_partnership: dict[int, list[Contact]] = defaultdict(list)
    for party in rows_for(_other_parties, user, partnership_ids):
        last_day_here = last_day_by_party.get((party.organisation_id, party.partnership_id))
        last_day_elsewhere = last_day_by_party.get((party.organisation_id, None))
        last = max(filter(None, (last_day_here, last_day_elsewhere)), default=None)
        days = (today - last).days if last else None
        contacts_by_partnership[party.partnership_id].append(
            Contact(
                organisation=party.organisation,
                last=last,
                days=days,
                is_quiet=days is None or days >= limit_by_partnership[party.partnership_id],
            )
        )

    # Parties with which there was no contact come first.
    for contacts in contacts_by_partnership.values():
        contacts.sort(key=lambda contact: contact.last or dt.date.min)
    return contacts_by_partnership


def _other_parties(user: User, partnership_ids: list[int]) -> QuerySet[Party]:
    """Return the present parties of these partnerships, except observers and the person's own organisations."""
    return (
        Party.objects.accepted()
        .filter(id_is_among("partnership", partnership_ids))
        .exclude(role=PartyRole.OBSERVER)
        .exclude(id_is_among("organisation", Membership.objects.organisations_of(user)))
        .select_related("organisation")
        # Pages show only names, and a lead may have thousands of partners.
        .only("partnership", "organisation__name", "organisation__short_name")
        .order_by("organisation__name", "pk")
    )


@planned_for_each_reader
def _last_days_with(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Side, Any]:
    """Return the day of the last conversation with each other party, by organisation and partnership.

    The partnership is None for conversations without one.
    """
    other_parties = _other_parties(user, partnership_ids).order_by().values("organisation")
    # A subquery, so that PostgreSQL joins only the common conversations of two organisations that have thousands.
    own_conversations = Side.objects.filter(
        id_is_among("organisation", Membership.objects.organisations_of(user))
    ).values("conversation")
    rows = Side.objects.filter(
        _readable_by(user),
        conversation__in=own_conversations,
        organisation__in=other_parties,
        status__in=HELD_STATUSES,
        held_on__lte=timezone.localdate(now),
    )
    return rows.order_by().values_list("organisation", "conversation__partnership").annotate(last=Max("held_on"))


def _readable_by(user: User) -> Q:
    """Return the condition on `Side` that the person may read its conversation.

    Use it only for conversations in which an organisation of the person took part. The person may read all of these
    except drafts that another organisation keeps.
    """
    own_records = Conversation.objects.filter(id_is_among("organisation", Membership.objects.organisations_of(user)))
    return Q(status__in=SHARED_STATUSES) | Q(CheckedForEachRow(own_records.filter(pk=OuterRef("conversation"))))


#: People are not reminded of the next contact if the conversation that planned it is longer ago than this.
_MAX_AGE = dt.timedelta(days=730)


def due_contacts_reach(now: dt.datetime) -> Reach:
    """Return the sides of conversations whose planned next contact is due soon or overdue.

    Organisations that have met again since the conversation, or plan to meet, are left out.
    """
    today = timezone.localdate(now)

    def find_sides(organisation_ids: Collection[int]) -> QuerySet[Side]:
        """Return the sides of these organisations. Some people of an organisation may not read the conversation."""
        sides = Side.objects.filter(organisation__in=organisation_ids)
        # Most people cannot read a draft that another organisation keeps. A person who acts for both organisations
        # can, so drafts are included here, and `contacts_due` checks what each person may read.
        # Both conditions are subqueries of ids, because PostgreSQL would check any other for every conversation.
        is_unreadable_draft = Q(pk__in=sides.exclude(READ_BY_SIDE).values("pk"))
        is_last_contact = Q(conversation__in=_last_with_each(sides.filter(READ_BY_SIDE), today))
        return sides.filter(is_last_contact | is_unreadable_draft, _contact_due(today, "conversation__"))

    return Reach(find_sides, EDITORS)


class _LastOfEachPair(Subquery):
    """The id of the last conversation of each pair of organisations that plans no other.

    The subquery selects the sides of the first organisation of each pair. The day and the id of a conversation are
    compared as one number, whose lower 40 bits are the id. So PostgreSQL finds the last conversation of each pair
    without sorting, which would take twice as long. The table of sides is joined to itself, because the ORM would also
    join the table of conversations.
    """

    template = """(
        SELECT max((own.held_on - DATE '1970-01-01')::bigint << 40 | own.conversation_id) & ((1::bigint << 40) - 1)
          FROM (%(subquery)s) AS own (organisation_id, conversation_id, held_on, status)
          JOIN conversations_side AS other ON other.conversation_id = own.conversation_id
         WHERE other.organisation_id <> own.organisation_id
         GROUP BY own.organisation_id, other.organisation_id
        HAVING bool_and(own.status <> 'planned')
    )"""


def _last_with_each(sides: QuerySet[Side], today: dt.date) -> Subquery:
    """Return the ids of the last conversations with each other organisation, among those of these sides.

    Organisations that plan to meet are left out. For example, A and B met in June, and A met B and C in July. For A,
    only the conversation of July is returned.
    """
    held_or_planned = sides.filter(Q(status__in=HELD_STATUSES) | Q(status=Status.PLANNED, held_on__gte=today))
    return _LastOfEachPair(held_or_planned.order_by().values("organisation", "conversation", "held_on", "status"))


def _contact_due(today: dt.date, path: str = "") -> Q:
    """Return the condition that the next contact after a conversation is due soon or overdue."""
    return Q(
        (f"{path}status__in", HELD_STATUSES),
        (f"{path}held_on__gte", today - _MAX_AGE),
        (f"{path}next_contact_on__lte", today + SOON),
    )


def contacts_due(user: User, now: dt.datetime) -> QuerySet[Conversation]:
    """Return conversations of the person's organisations whose planned next contact is due soon or overdue.

    A conversation is left out if the organisations have met again since, or plan to meet.
    """
    today = timezone.localdate(now)
    is_own_side = id_is_among("organisation", Membership.objects.organisations_of(user, *EDITING_ROLES))
    readable_sides = Side.objects.filter(is_own_side, _readable_by(user))
    return newest_first(Conversation.objects.filter(_contact_due(today), pk__in=_last_with_each(readable_sides, today)))
