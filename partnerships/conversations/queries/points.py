"""Objectives, obstacles and opportunities by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.conversations.models import Attribution, Conversation, Point, PointKind
from partnerships.exchange.models import Entry
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User

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
    organisations = rows_for(_taking_part, partnership.pk)
    return _by_side(organisations, rows_for(_points_within, user, partnership.pk), user)


def points_of_partnership_lookups(partnership: Partnership, user: User) -> list[Lookup]:
    """What `points_of_partnership` is going to ask, for `read_ahead`."""
    return [lookup(_taking_part, partnership.pk), lookup(_points_within, user, partnership.pk)]


def _taking_part(partnership: int) -> QuerySet[Organisation]:
    taking_part = Party.objects.present().filter(partnership=partnership).exclude(role=PartyRole.OBSERVER)
    return Organisation.objects.filter(pk__in=taking_part.values("organisation")).order_by("name", "pk")


def _points_within(user: User, partnership: int) -> QuerySet[Point]:
    return _open_points(Point.objects.filter(conversation__partnership=partnership), user)


def _open_points(points: QuerySet[Point], user: User) -> QuerySet[Point]:
    """Points that are not closed and that the person may see, the last said first."""
    return (
        points.filter(closed_at=None, conversation__in=Conversation.objects.visible_to(user))
        .select_related("conversation", "organisation", "became__entry")
        .prefetch_related("conversation__sides")
        .order_by("-conversation__held_on", "-conversation_id", "pk")
    )


def points_between(*, user: User, ours: Organisation, theirs: Organisation) -> list[SidePoints]:
    """Current points of two organisations, from conversations with both."""
    both = Conversation.objects.with_organisation(ours).with_organisation(theirs)
    return _by_side([ours, theirs], _open_points(Point.objects.filter(conversation__in=both), user), user)


def _by_side(organisations: list[Organisation], points: Iterable[Point], user: User) -> list[SidePoints]:
    """The points of each side, own side first.

    Repeats are left out; anonymous ones have no side.
    """
    roles = Membership.objects.roles_of(user)
    mine = set(roles)
    sides = {
        organisation.pk: SidePoints(organisation)
        for organisation in sorted(organisations, key=lambda organisation: organisation.pk not in mine)
    }
    unattributed = SidePoints(None)
    said: set[tuple[int, str, str]] = set()
    for point in points:
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
    let_act(shown, {organisation for organisation, role in roles.items() if role in EDITING_ROLES})
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
    other_side_points = SidePoints(None)
    for point in conversation.points.all():
        sides.get(point.organisation_id, other_side_points).add(point)
    return [*sides.values(), *([] if other_side_points.is_empty else [other_side_points])]


def show_entries(sides: Iterable[SidePoints], user: User) -> None:
    """Set the ask or offer that each point became, if the reader may see it."""
    points = [point for side in sides for group in side.groups for point in group.points]
    made = {point.pk: point.became.entry_id for point in points if hasattr(point, "became")}
    seen = Entry.objects.visible_to(user).in_bulk(made.values()) if made else {}
    for point in points:
        point.entry_shown = seen.get(made.get(point.pk, 0))
