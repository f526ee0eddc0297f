"""Queries for the objectives, obstacles and opportunities of each organisation."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import OuterRef, QuerySet

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.conversations.models import Attribution, Conversation, Point, PointKind
from partnerships.exchange.models import Entry
from partnerships.organisations.holdings import CheckedForEachRow, for_a_few_records
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User

#: The page shows this many points of one kind. The others are collapsed.
MAX_UNFOLDED = 5


@dataclass(frozen=True, slots=True)
class PointGroup:
    """The points of one kind, with their heading."""

    label: str
    points: list[Point]

    @property
    def first(self) -> list[Point]:
        """Return the points that are shown at first. If only one more point would be collapsed, all are shown."""
        return self.points[:MAX_UNFOLDED] if len(self.points) > MAX_UNFOLDED + 1 else self.points

    @property
    def folded(self) -> list[Point]:
        """Return the points in the collapsed part."""
        return self.points[len(self.first) :]


@dataclass(slots=True)
class SidePoints:
    """The points of one organisation, or the points in anonymous records of all organisations."""

    #: None for points in anonymous records.
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
        """Return the three lists with their headings."""
        return (
            PointGroup("Objectives", self.objectives),
            PointGroup("Obstacles", self.obstacles),
            PointGroup("Opportunities", self.opportunities),
        )

    @property
    def is_empty(self) -> bool:
        """Return whether there are no points."""
        return not (self.objectives or self.obstacles or self.opportunities)


def points_of_partnership(partnership: Partnership, user: User) -> list[SidePoints]:
    """Return the current points of each party that the person may read.

    - The reader's own organisation comes first, then the others by name.
    - Parties without points are included, so that readers notice. Observers are left out.
    - Points in anonymous records come last, without their organisation, unless they are the reader's own.
    - A point that an organisation made in several conversations is included once.
    """
    organisations = rows_for(_parties, partnership.pk)
    roles = Membership.objects.roles_of(user)
    sides = _by_side(organisations, rows_for(_points_within, user, partnership.pk), set(roles))
    edited_ids = {organisation_id for organisation_id, role in roles.items() if role in EDITING_ROLES}
    set_point_entries(sides, user)
    set_point_actions(sides, edited_ids)
    return sides


def points_of_partnership_lookups(partnership: Partnership, user: User) -> list[Lookup]:
    """Return the queries of `points_of_partnership`, so that `read_ahead` can run them with others."""
    return [lookup(_parties, partnership.pk), lookup(_points_within, user, partnership.pk)]


def _parties(partnership_id: int) -> QuerySet[Organisation]:
    """Return the present parties of the partnership that are not observers, by name."""
    parties = Party.objects.accepted().filter(partnership=partnership_id).exclude(role=PartyRole.OBSERVER)
    return Organisation.objects.filter(pk__in=parties.values("organisation")).order_by("name", "pk")


def _points_within(user: User, partnership_id: int) -> QuerySet[Point]:
    """Return the open points of the partnership's conversations that the person may read."""
    return _open_points(Point.objects.filter(conversation__partnership=partnership_id), user)


def _open_points(points: QuerySet[Point], user: User) -> QuerySet[Point]:
    """Return the open points among these that the person may read, those of the newest conversation first."""
    # PostgreSQL checks the conversation of each point, because the points are in few conversations, but the person may
    # read tens of thousands.
    with for_a_few_records():
        visible = Conversation.objects.visible_to(user).filter(pk=OuterRef("conversation"))
    return (
        points.filter(CheckedForEachRow(visible), closed_at=None)
        .select_related("conversation", "organisation", "became__entry")
        .prefetch_related("conversation__sides")
        .order_by("-conversation__held_on", "-conversation_id", "pk")
    )


def points_between(*, user: User, own_side: Organisation, other_side: Organisation) -> list[SidePoints]:
    """Return the current points of two organisations, from conversations in which both took part.

    The points do not say what the person may do with them.
    """
    points = rows_for(_points_between, user, own_side.pk, other_side.pk)
    sides = _by_side([own_side, other_side], points, set(Membership.objects.roles_of(user)))
    set_point_entries(sides, user)
    return sides


def points_between_lookup(*, user: User, own_side: Organisation, other_side: Organisation) -> Lookup:
    """Return the lookup of `points_between` with the same arguments, for `read_ahead`."""
    return lookup(_points_between, user, own_side.pk, other_side.pk)


def _points_between(user: User, own_side: int, other_side: int) -> QuerySet[Point]:
    """Return the open points of common conversations that the person may read, without the sides."""
    common_conversations = Conversation.objects.with_organisation(own_side).with_organisation(other_side)
    points = Point.objects.filter(conversation__in=common_conversations)
    return _open_points(points, user).prefetch_related(None)


def _by_side(organisations: list[Organisation], points: Iterable[Point], own_ids: Collection[int]) -> list[SidePoints]:
    """Return the points of each organisation, the reader's own (`own_ids`) first. A repeated point is included once."""
    # False sorts before True, so the reader's own organisations come first.
    own_first = sorted(organisations, key=lambda organisation: organisation.pk not in own_ids)
    points_by_organisation = {organisation.pk: SidePoints(organisation) for organisation in own_first}
    unattributed = SidePoints(None)
    seen_keys: set[tuple[int, str, str]] = set()
    for point in points:
        key = (point.organisation_id, point.kind, point.text.casefold())
        if key in seen_keys:
            continue
        seen_keys.add(key)
        is_own = point.organisation_id in own_ids
        if point.conversation.attribution == Attribution.ANONYMOUS and not is_own:
            unattributed.add(point)
            continue
        if point.organisation_id not in points_by_organisation:
            points_by_organisation[point.organisation_id] = SidePoints(point.organisation)
        points_by_organisation[point.organisation_id].add(point)

    return _with_unattributed(points_by_organisation.values(), unattributed)


def _with_unattributed(sides: Iterable[SidePoints], unattributed: SidePoints) -> list[SidePoints]:
    """Return the points of each organisation, and after them the points of anonymous records if there are any."""
    if unattributed.is_empty:
        return list(sides)
    return [*sides, unattributed]


def _points_of(sides: Iterable[SidePoints]) -> list[Point]:
    """Return all these points as one list."""
    points: list[Point] = []
    for side in sides:
        for group in side.groups:
            points += group.points
    return points


def set_point_actions(sides: Iterable[SidePoints], edited_ids: Collection[int]) -> None:
    """Set on each point what an editor of the organisations with these ids may do with it.

    An organisation may close its own points, and turn its own obstacles into asks. Any organisation that took part may
    turn an opportunity into an offer. Needs the sides of each point's conversation fetched.
    """
    for point in _points_of(sides):
        point.may_close = point.organisation_id in edited_ids
        may_turn = point.may_close
        if point.direction == "offer":
            side_ids = {side.organisation_id for side in point.conversation.sides.all()}
            may_turn = not side_ids.isdisjoint(edited_ids)
        point.may_become = bool(point.direction) and may_turn and not hasattr(point, "became")


def points_by_side(conversation: Conversation, own_organisation_ids: Iterable[int]) -> list[SidePoints]:
    """Return the points of a record by organisation, including closed points.

    In an anonymous record, the points of all organisations except the reader's own are listed together. Needs
    `with_related_rows`.
    """
    own_ids = set(own_organisation_ids)
    is_anonymous = conversation.attribution == Attribution.ANONYMOUS
    points_by_organisation: dict[int, SidePoints] = {}
    for side in conversation.sides.all():
        if side.organisation_id in own_ids or not is_anonymous:
            points_by_organisation[side.organisation_id] = SidePoints(side.organisation)
    unattributed = SidePoints(None)
    for point in conversation.points.all():
        points_by_organisation.get(point.organisation_id, unattributed).add(point)
    return _with_unattributed(points_by_organisation.values(), unattributed)


def set_point_entries(sides: Iterable[SidePoints], user: User) -> None:
    """Set on each point the ask or offer that the point became, if the reader may read that entry."""
    points = _points_of(sides)
    # `became` is the reverse of a one-to-one relation, so a point that did not become an entry lacks the attribute.
    entry_id_by_point = {point.pk: point.became.entry_id for point in points if hasattr(point, "became")}
    readable_entries: dict[int, Entry] = {}
    if entry_id_by_point:
        readable_entries = Entry.objects.visible_to(user).in_bulk(entry_id_by_point.values())
    for point in points:
        point.entry_shown = readable_entries.get(entry_id_by_point.get(point.pk, 0))
