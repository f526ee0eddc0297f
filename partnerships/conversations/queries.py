"""Read conversations: lists, attendees, points, and work that waits."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import (
    BigIntegerField,
    Count,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.queries import visible_events
from partnerships.agreements.models import Partnership, PartnershipQuerySet, Party, PartyRole
from partnerships.conversations.models import (
    HELD,
    OPEN_FOR_CORRECTION,
    ROUTES,
    Attendee,
    Attribution,
    Conversation,
    ConversationQuerySet,
    Correction,
    NextStep,
    Point,
    PointKind,
    PrivateNote,
    Side,
    Status,
)
from partnerships.exchange.models import Entry
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import EDITORS, Organisations, Reach, seen_from, sorted_by_reach
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

#: How long before the planned day a next contact is shown as waiting.
SOON = dt.timedelta(days=7)


def for_partnership(partnership: Partnership, user: User) -> ConversationQuerySet:
    """Conversations of a partnership the person may see, newest first."""
    return in_order(Conversation.objects.visible_to(user).filter(partnership=partnership)).for_listing()


def only_shared_partnership(user: User, sides: Collection[Organisation]) -> Partnership | None:
    """The live partnership that the person edits in and all sides belong to.

    None unless there is exactly one.
    """
    shared = Partnership.objects.present_for(user, *EDITING_ROLES).live()
    for side in sides:
        shared = shared.filter(Exists(Party.objects.present().filter(partnership=OuterRef("pk"), organisation=side)))
    found = list(shared.order_by("pk")[:2])
    return found[0] if len(found) == 1 else None


def kept_by(user: User) -> ConversationQuerySet:
    """Those whose record an organisation of the person keeps."""
    return Conversation.objects.filter(organisation__in=Organisation.objects.of_person(user))


def events_of_own_side(user: User) -> Q:
    """Condition on events that only one's own side may see.

    Events about points, and events with names that the record does not give.
    """
    return Q(organisation_id__in=Organisation.objects.of_person(user).values("pk"))


def events_of_conversations(user: User) -> Q:
    """Condition on events that every side may see.

    Without the nameless version of what one's own side did.
    """
    told_in_full = Organisation.objects.of_person(user).filter(
        pk=Cast(KeyTextTransform("side", OuterRef("data")), BigIntegerField())
    )
    return ~Q(Exists(told_in_full))


def story_of(conversation: Conversation, user: User) -> QuerySet[Event]:
    """Timeline of a conversation, newest first, as the person may see it."""
    own_line = Q(target_kind="conversation_side", target_id=conversation.pk)
    here = own_line | Q(target_kind="conversation", target_id=conversation.pk)
    within = Q(within_kind="conversation", within_id=conversation.pk)
    return visible_events(user, here | within).order_by("-at", "-id")


def between(*, user: User, ours: Organisation, theirs: Organisation) -> ConversationQuerySet:
    """Conversations with both organisations the person may see, newest first."""
    return _of_both(user, ours, theirs).for_listing()


def _of_both(user: User, ours: Organisation, theirs: Organisation) -> ConversationQuerySet:
    return in_order(Conversation.objects.visible_to(user).with_organisation(ours).with_organisation(theirs))


def in_order(conversations: ConversationQuerySet) -> ConversationQuerySet:
    """Newest first, ending in a unique key."""
    return conversations.order_by("-held_on", "-pk")


def with_story(conversations: ConversationQuerySet) -> ConversationQuerySet:
    """Fetch everything that its own page shows, except private notes."""
    steps = NextStep.objects.select_related("organisation", "owner", "action").order_by("due_on", "pk")
    points = Point.objects.select_related("organisation", "became__entry").order_by("kind", "pk")
    corrections = Correction.objects.select_related("organisation", "author", "answered_by").order_by("made_at", "pk")
    attendees = Attendee.objects.select_related("organisation", "person").order_by("pk")
    return conversations.for_listing().prefetch_related(
        Prefetch("attendees", queryset=attendees),
        Prefetch("points", queryset=points),
        Prefetch("next_steps", queryset=steps),
        Prefetch("corrections", queryset=corrections),
    )


def private_notes_of(conversation: Conversation, user: User) -> list[PrivateNote]:
    """Private notes of the person's own organisations."""
    mine = PrivateNote.objects.visible_to(user).filter(conversation=conversation).exclude(text="")
    return list(mine.select_related("organisation", "written_by").order_by("pk"))


@dataclass(frozen=True, slots=True)
class Seats:
    """Attendees of one side as a reader may see them: names or a number."""

    organisation: Organisation | None
    names: tuple[str, ...]
    count: int


def seats_shown(conversation: Conversation, own: Iterable[int]) -> list[Seats]:
    """Attendees by side for a reader of the organisations `own` (ids).

    One's own people are always named. Others are named if the attribution is by name; only counted if it is by
    organisation; only counted, without the organisation, if it is anonymous. Needs attendees fetched.
    """
    mine = set(own)
    sides: dict[int, list[Attendee]] = defaultdict(list)
    for seat in conversation.attendees.all():
        sides[seat.organisation_id].append(seat)
    shown, hidden = [], 0
    for side in conversation.sides.all():
        seats = sides.get(side.organisation_id, [])
        if side.organisation_id in mine or conversation.attribution == Attribution.NAMED:
            names = tuple(_seat_words(seat) for seat in seats)
            shown.append(Seats(side.organisation, names, len(seats)))
        elif conversation.attribution == Attribution.ORGANISATION:
            shown.append(Seats(side.organisation, (), len(seats)))
        else:
            hidden += len(seats)
    return [*shown, *([Seats(None, (), hidden)] if hidden else [])]


def _seat_words(seat: Attendee) -> str:
    return f"{seat.display_name}, {seat.job_title}" if seat.job_title else seat.display_name


#: Points of one kind shown at first; the rest is collapsed.
UNFOLDED = 5


@dataclass(frozen=True, slots=True)
class PointGroup:
    """Points of one kind with their heading."""

    label: str
    points: list[Point]

    @property
    def first(self) -> list[Point]:
        """Points shown at first."""
        return self.points[:UNFOLDED] if len(self.points) > UNFOLDED + 1 else self.points

    @property
    def folded(self) -> list[Point]:
        """Points in the collapsed part."""
        return self.points[len(self.first) :]


@dataclass(slots=True)
class SidePoints:
    """Points of one side; `organisation` is None if they are anonymous."""

    organisation: Organisation | None
    objectives: list[Point] = field(default_factory=list)
    obstacles: list[Point] = field(default_factory=list)
    opportunities: list[Point] = field(default_factory=list)

    def add(self, point: Point) -> None:
        """Add a point to the list of its kind."""
        lists = {
            PointKind.OBJECTIVE: self.objectives,
            PointKind.OBSTACLE: self.obstacles,
            PointKind.OPPORTUNITY: self.opportunities,
        }
        lists[PointKind(point.kind)].append(point)

    @property
    def groups(self) -> tuple[PointGroup, ...]:
        """The three lists with their headings."""
        return (
            PointGroup("Objectives", self.objectives),
            PointGroup("Obstacles", self.obstacles),
            PointGroup("Opportunities", self.opportunities),
        )

    @property
    def is_empty(self) -> bool:
        """Whether it has no points."""
        return not (self.objectives or self.obstacles or self.opportunities)


def points_of_partnership(partnership: Partnership, user: User) -> list[SidePoints]:
    """Current points of each party, as far as the person may see them.

    The reader's own organisation comes first, then the others by name. Parties without points are included, so that the
    gap is visible, except observers. Points of anonymous conversations come last, without their side, unless they are
    the reader's own. A point repeated in several conversations is shown once, as last worded.
    """
    taking_part = Party.objects.present().filter(partnership=partnership).exclude(role=PartyRole.OBSERVER)
    present = taking_part.values("organisation")
    points = Point.objects.filter(conversation__partnership=partnership)
    bodies = list(Organisation.objects.filter(pk__in=present).order_by("name", "pk"))
    return _by_side(bodies, points, user)


def points_between(*, user: User, ours: Organisation, theirs: Organisation) -> list[SidePoints]:
    """Current points of two organisations, from conversations with both."""
    both = Conversation.objects.with_organisation(ours).with_organisation(theirs)
    return _by_side([ours, theirs], Point.objects.filter(conversation__in=both), user)


def _by_side(bodies: list[Organisation], points: QuerySet[Point], user: User) -> list[SidePoints]:
    roles = dict(Membership.objects.current().of_person(user).values_list("organisation", "role"))
    mine = set(roles)
    sides = {body.pk: SidePoints(body) for body in sorted(bodies, key=lambda body: body.pk not in mine)}
    unattributed = SidePoints(None)
    visible = (
        points.filter(closed_at=None, conversation__in=Conversation.objects.visible_to(user))
        .select_related("conversation", "organisation", "became__entry")
        .prefetch_related("conversation__sides")
        .order_by("-conversation__held_on", "-conversation_id", "pk")
    )
    said: set[tuple[int, str, str]] = set()
    for point in visible:
        words = (point.organisation_id, point.kind, point.text.casefold())
        if words in said:
            continue
        said.add(words)
        anonymous = point.conversation.attribution == Attribution.ANONYMOUS and point.organisation_id not in mine
        side = unattributed if anonymous else sides.get(point.organisation_id)
        if side is None:
            side = sides[point.organisation_id] = SidePoints(point.organisation)
        side.add(point)
    shown = [*sides.values(), *([] if unattributed.is_empty else [unattributed])]
    show_entries(shown, user)
    let_act(shown, {body for body, role in roles.items() if role in EDITING_ROLES})
    return shown


def let_act(sides: Iterable[SidePoints], edited: Collection[int]) -> None:
    """Set what an editor of these organisations (ids) may do with each point.

    Its own side may close it, and make an ask of its obstacle; any side may make an offer of an opportunity. Needs the
    sides of each point's conversation fetched.
    """
    for point in (point for side in sides for group in side.groups for point in group.points):
        took_part = {side.organisation_id for side in point.conversation.sides.all()}
        point.may_close = point.organisation_id in edited
        able = took_part.intersection(edited) if point.direction == "offer" else point.may_close
        point.may_become = bool(point.direction and able and not hasattr(point, "became"))


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


def gone_quiet(user: User, now: dt.datetime, *, limit: int | None = None) -> list[Quiet]:
    """Live partnerships that have gone quiet, longest silence first.

    Those that the person edits for, each by its own limit. Without those that have a conversation planned for today or
    later. Only conversations that the person may see count. `limit` is how many are wanted.
    """
    today = timezone.localdate(now)
    live = Partnership.objects.present_for(user, *EDITING_ROLES).live()
    last = _last_heard(user, live, today)
    begun = live.annotate(began=TruncDate("created_at")).values_list("pk", "began", "contact_days")
    silent = sorted(
        (since, pk, pk in last)
        for pk, began, days in begun
        if (since := last.get(pk, began)) and (today - since).days >= (days or settings.NO_CONTACT_DAYS)
    )[:limit]
    found = Partnership.objects.in_bulk([pk for _, pk, _ in silent])
    contacts = _contacts(user, found.values(), today)
    return [
        Quiet(found[pk], since, (today - since).days, ever, tuple(contacts.get(pk, ()))) for since, pk, ever in silent
    ]


def _last_heard(user: User, partnerships: PartnershipQuerySet, today: dt.date) -> dict[int, dt.date | None]:
    """The day of the last conversation by partnership; None if another is planned."""
    seen = Conversation.objects.visible_to(user).filter(partnership__in=partnerships.values("pk"))
    held = Max("held_on", filter=Q(status__in=HELD, held_on__lte=today))
    planned = Count("pk", filter=Q(status=Status.PLANNED, held_on__gte=today))
    rows = seen.order_by().values_list("partnership").annotate(held=held, planned=planned)
    return {pk: None if planned else held for pk, held, planned in rows if planned or held}


def _quiet(now: dt.datetime) -> Reach:
    """Parties of live partnerships that have gone quiet for the whole party."""
    today = timezone.localdate(now)
    allowed = Coalesce("partnership__contact_days", settings.NO_CONTACT_DAYS)
    last = ExpressionWrapper(Value(today, DateField()) - allowed, DateField())
    here = Conversation.objects.filter(partnership=OuterRef("partnership"))
    seen = here.filter(seen_from(Conversation, ROUTES, organisation=OuterRef(OuterRef("organisation"))))
    recently = Q(status__in=HELD, held_on__gt=OuterRef("last"), held_on__lte=today)
    parties = (
        Party.objects.present()
        .annotate(last=last)
        .filter(
            Q(partnership__created_at__date__lte=F("last")) | Exists(here.held().filter(held_on__lte=OuterRef("last"))),
            ~Exists(seen.filter(recently | Q(status=Status.PLANNED, held_on__gte=today))),
            partnership__in=Partnership.objects.live(),
        )
    )
    return Reach(parties, EDITORS)


def _quiet_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    return [_quiet_waiting(quiet) for quiet in gone_quiet(user, now)]


def contacts_of(partnership: Partnership, user: User, now: dt.datetime) -> list[Contact]:
    """The other parties with the last contact of each, longest silence first."""
    today = timezone.localdate(now)
    return _contacts(user, [partnership], today).get(partnership.pk, [])


def _contacts(user: User, partnerships: Collection[Partnership], today: dt.date) -> dict[int, list[Contact]]:
    """By partnership: the other parties, and the last conversation with each.

    Only conversations that the person may see. One that belongs to another partnership does not count; one that belongs
    to none does.
    """
    if not partnerships:
        return {}
    mine = Organisation.objects.of_person(user)
    parties = (
        Party.objects.present()
        .filter(partnership__in=partnerships)
        .exclude(role=PartyRole.OBSERVER)
        .exclude(organisation__in=mine)
        .select_related("organisation")
    )
    held = Conversation.objects.visible_to(user).held().filter(held_on__lte=today)
    ours = held.filter(Exists(Side.objects.filter(conversation=OuterRef("pk"), organisation__in=mine)))
    rows = (
        Side.objects.filter(conversation__in=ours.values("pk"), organisation__in=parties.values("organisation"))
        .order_by()
        .values_list("organisation", "conversation__partnership")
        .annotate(last=Max("conversation__held_on"))
    )
    last = {(organisation, partnership): day for organisation, partnership, day in rows}
    limits = {one.pk: one.quiet_after for one in partnerships}
    found: dict[int, list[Contact]] = defaultdict(list)
    for party in parties.order_by("organisation__name", "pk"):
        keys = ((party.organisation_id, party.partnership_id), (party.organisation_id, None))
        days = [last[key] for key in keys if key in last]
        day = max(days, default=None)
        ago = (today - day).days if day else None
        found[party.partnership_id].append(
            Contact(party.organisation, day, ago, ago is None or ago >= limits[party.partnership_id])
        )
    for contacts in found.values():
        contacts.sort(key=lambda one: one.last or dt.date.min)
    return found


def _records(now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    """Records to agree to, corrections to answer, conversations to write up."""
    open_ones = Conversation.objects.filter(status__in=OPEN_FOR_CORRECTION)
    asked = Correction.objects.filter(conversation=OuterRef("pk"), answered_at=None)
    planned = Conversation.objects.filter(status=Status.PLANNED, held_on__lte=timezone.localdate(now))
    sides = Organisations("sides__organisation", when=Q(sides__agreed_at=None), roles=EDITING_ROLES)
    return Reach(open_ones, (sides,)), Reach(open_ones.filter(Exists(asked)), EDITORS), Reach(planned, EDITORS)


def _records_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    to_agree, to_correct, to_record = sorted_by_reach(_records(now), user)
    asked = Min("corrections__made_at", filter=Q(corrections__answered_at=None))
    rows = Conversation.objects.visible_to(user).filter(pk__in=to_agree | to_correct | to_record)
    found: list[Any] = list(rows.annotate(asked=asked).order_by("pk"))
    return _in_words(
        user,
        [
            *(("Read and agree to this record", one, one.circulated_at, None) for one in found if one.pk in to_agree),
            *(("Answer a correction", one, one.asked, None) for one in found if one.pk in to_correct),
            *(("Write up this conversation", one, None, one.held_on) for one in found if one.pk in to_record),
        ],
    )


def _contacts_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    due = _contacts_due(user, timezone.localdate(now))
    return _in_words(user, [("Get in touch again", one, None, one.next_contact_on) for one in due])


def _in_words(user: User, waiting: list[tuple[str, Conversation, dt.datetime | None, dt.date | None]]) -> list[Waiting]:
    titles = partnerships_known_to(user, [one for _, one, _, _ in waiting])
    return [
        _waiting(what, one, titles.get(one.partnership_id or 0, ""), since=since, due=due)
        for what, one, since, due in waiting
    ]


def partnerships_known_to(user: User, conversations: Iterable[Conversation]) -> dict[int, str]:
    """Titles of the conversations' partnerships the reader may know of, by id.

    A side outside the partnership reads the record, but may not know the title.
    """
    ids = {one.partnership_id for one in conversations if one.partnership_id}
    return dict(Partnership.objects.visible_to(user).filter(pk__in=ids).values_list("pk", "title")) if ids else {}


#: Age limit of a planned next contact; older ones are ignored.
_RECALLED = dt.timedelta(days=730)


def _held_or_planned(today: dt.date) -> Q:
    return Q(status__in=HELD) | Q(status=Status.PLANNED, held_on__gte=today)


def _past_contacts(now: dt.datetime) -> Reach:
    """Sides whose planned next contact is due soon or overdue.

    Only if the side has not met one of the others since, in conversations that everybody of the side may see.
    """
    today = timezone.localdate(now)
    later = Q(held_on__gt=OuterRef("conversation__held_on")) | Q(
        held_on=OuterRef("conversation__held_on"), pk__gt=OuterRef("conversation")
    )
    side = OuterRef(OuterRef("organisation"))
    met = (
        Conversation.objects.filter(later, _held_or_planned(today), sides__organisation=OuterRef("organisation"))
        .filter(sides__organisation=side)
        .filter(seen_from(Conversation, ROUTES, organisation=OuterRef(side)))
    )
    others = Side.objects.filter(~Exists(met), conversation=OuterRef("conversation"))
    sides = Side.objects.filter(
        Exists(others.exclude(organisation=OuterRef("organisation"))),
        conversation__status__in=HELD,
        conversation__held_on__gte=today - _RECALLED,
        conversation__next_contact_on__lte=today + SOON,
    )
    return Reach(sides, EDITORS)


def _contacts_due(user: User, today: dt.date) -> list[Conversation]:
    """Conversations whose planned next contact is due soon or overdue.

    Only if there is another side that the person's side has not met since, nor planned to meet. It waits for every side
    that may read the record.
    """
    edited = set(Organisation.objects.of_person(user, *EDITING_ROLES).values_list("pk", flat=True))
    took_part = Side.objects.filter(conversation=OuterRef("pk"), organisation__in=edited)
    recent = in_order(Conversation.objects.visible_to(user).filter(Exists(took_part))).filter(
        _held_or_planned(today), held_on__gte=today - _RECALLED
    )
    met: set[tuple[int, int]] = set()
    due = []
    for conversation in recent.prefetch_related("sides"):
        sides = {side.organisation_id for side in conversation.sides.all()}
        pairs = {(own, other) for own in sides & edited for other in sides - {own}}
        has_come = conversation.next_contact_on is not None and conversation.next_contact_on <= today + SOON
        if has_come and not conversation.is_planned and pairs - met:
            due.append(conversation)
        met |= pairs
    return due


def _waiting(
    what: str, conversation: Conversation, within: str, *, since: dt.datetime | None, due: dt.date | None
) -> Waiting:
    return Waiting(
        what=what,
        title=conversation.subject,
        path=conversation.get_absolute_url(),
        since=since,
        due=due,
        within=within,
        status=conversation.status,
        status_label=conversation.get_status_display(),
    )


def _quiet_waiting(quiet: Quiet) -> Waiting:
    too_long = quiet.since + dt.timedelta(days=quiet.partnership.quiet_after)
    words = f"No contact for {quiet.days} days" if quiet.ever else f"No conversation in {quiet.days} days"
    return Waiting(
        what=f"{words} with {quiet.with_whom}" if quiet.with_whom else words,
        title=quiet.partnership.title,
        path=f"{reverse('conversations:new')}?partnership={quiet.partnership.pk}",
        # Waiting since the limit was passed, not since the last conversation: requests from people sort first.
        since=timezone.make_aware(dt.datetime.combine(too_long, dt.time())),
        within=quiet.partnership.title,
    )


def last_held(*, user: User, ours: Organisation, theirs: Organisation, today: dt.date) -> Conversation | None:
    """The last conversation of the two that the person may see."""
    held = with_story(_of_both(user, ours, theirs).held())
    return held.filter(held_on__lte=today).first()


def due_soon(user: User, now: dt.datetime) -> list[Conversation]:
    """Conversations of the person's organisations planned within `SOON`.

    The next one first.
    """
    today = timezone.localdate(now)
    planned = Conversation.objects.visible_to(user).filter(status=Status.PLANNED, held_on__range=(today, today + SOON))
    return list(planned.for_listing().order_by(F("held_on").asc(), "pk"))


def people_of(organisations: Iterable[Organisation], user: User) -> QuerySet[User]:
    """People who may be attendees.

    People of one's own organisations, and of those in the same partnerships.
    """
    mine = Organisation.objects.of_person(user, *EDITING_ROLES)
    shared = Partnership.objects.present_for(user, *EDITING_ROLES)
    partners = Party.objects.present().filter(partnership__in=shared).values("organisation")
    known = Membership.objects.current().filter(
        Q(organisation__in=mine) | Q(organisation__in=partners),
        organisation__in=[body.pk for body in organisations],
    )
    people: QuerySet[User] = User.objects.filter(pk__in=known.values("person"))
    return people.order_by("name", "pk")


def attendees_with_access(conversation: Conversation) -> QuerySet[User]:
    """Attendees who may read the record once it is circulated.

    They have an account and act for a side today.
    """
    acting = Membership.objects.current().filter(organisation__in=conversation.sides.values("organisation"))
    there = Attendee.objects.filter(conversation=conversation, person__isnull=False)
    people: QuerySet[User] = User.objects.filter(pk__in=there.values("person"), account_since__isnull=False).filter(
        pk__in=acting.values("person")
    )
    return people.order_by("name", "pk")


def points_shown(conversation: Conversation, own: Iterable[int]) -> list[SidePoints]:
    """The record's points by side, also closed ones, for one reader.

    `own` are the ids of the reader's organisations. In an anonymous record, points of other sides are listed together
    without their side. Needs the story fetched.
    """
    mine = set(own)
    anonymous = conversation.attribution == Attribution.ANONYMOUS
    sides = {
        side.organisation_id: SidePoints(side.organisation)
        for side in conversation.sides.all()
        if side.organisation_id in mine or not anonymous
    }
    others = SidePoints(None)
    for point in conversation.points.all():
        sides.get(point.organisation_id, others).add(point)
    return [*sides.values(), *([] if others.is_empty else [others])]


def who_may_be_asked(conversation: Conversation, asking: Organisation) -> list[Organisation]:
    """Other sides to which an ask or offer may be addressed.

    All except observers of the partnership.
    """
    observers = Party.objects.present().filter(partnership=conversation.partnership_id, role=PartyRole.OBSERVER)
    others = conversation.sides.exclude(organisation=asking).exclude(organisation__in=observers.values("organisation"))
    return [side.organisation for side in others.select_related("organisation").order_by("organisation__name", "pk")]


def show_entries(sides: Iterable[SidePoints], user: User) -> None:
    """Set the ask or offer that each point became, if the reader may see it."""
    points = [point for side in sides for group in side.groups for point in group.points]
    made = {point.pk: point.became.entry_id for point in points if hasattr(point, "became")}
    seen = Entry.objects.visible_to(user).in_bulk(made.values()) if made else {}
    for point in points:
        point.entry_shown = seen.get(made.get(point.pk, 0))


def sides_to_ask(conversation: Conversation) -> set[int]:
    """Ids of sides that have not agreed and have somebody who can."""
    waiting = conversation.sides.filter(agreed_at=None).values("organisation")
    able = Membership.objects.current().filter(organisation__in=waiting, role__in=EDITING_ROLES)
    return set(able.values_list("organisation_id", flat=True))


#: Work that waits: records to agree to, corrections to answer, conversations to write up or to hold.
WAITING = (
    Source(_records_wanted, _records),
    Source(_contacts_wanted, lambda now: (_past_contacts(now),)),
    Source(_quiet_wanted, lambda now: (_quiet(now),)),
)
