"""Services that close a point, or turn it into an ask or offer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Attribution, Conversation, Point, PointEntry, PointKind
from partnerships.conversations.queries import find_addressees
from partnerships.conversations.services.recording import lock_conversation, record_point_event
from partnerships.exchange.models import Audience, Entry
from partnerships.exchange.services import UnableToChangeEntry, create_entry
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User

_ENTRY_EVENTS = {PointKind.OBSTACLE: EventKind.ASK_MADE, PointKind.OPPORTUNITY: EventKind.OFFER_MADE}


class UnableToChangePoint(Exception):
    """Raised if the point is closed, has become an ask or offer, or cannot become one."""


@transaction.atomic
def close_point(*, point: Point, reason: str, author: User, now: dt.datetime) -> Point:
    """Close a point, with a reason. Raises `UnableToChangePoint`.

    The same points of the organisation in other conversations of the partnership are closed too, because lists show
    them only once. They get another reason, because only readers of the first conversation may see this one.
    """
    lock_conversation(point.conversation)
    point = Point.objects.select_related("conversation", "organisation").get(pk=point.pk)
    kind = point.get_kind_display().lower()
    if not point.is_current:
        raise UnableToChangePoint(f"A colleague has already closed this {kind}, so you do not need to.")
    may_close = roles_of(author, now).may_edit_for(point.organisation.pk)
    require(may_close, f"Only editors of {point.organisation.display_name} can close this {kind}.")
    if not reason.strip():
        raise UnableToChangePoint(f"Enter why the {kind} no longer applies.")

    same_points = _same_points_elsewhere(point)
    _close(point, reason.strip(), organisation=point.organisation, author=author, now=now)
    for same_point in same_points:
        _close(same_point, "Closed in another conversation.", organisation=point.organisation, author=author, now=now)
    return point


def _close(point: Point, reason: str, *, organisation: Organisation, author: User, now: dt.datetime) -> None:
    """Close one point, and record the event for its organisation."""
    point.closed_at = now
    point.closed_by = author
    point.closed_reason = reason
    point.save(update_fields=["closed_at", "closed_by", "closed_reason"])
    record_point_event(
        point,
        EventKind(f"{point.kind}.closed"),
        author=author,
        organisation=organisation,
        now=now,
        reason=reason,
    )


def _same_points_elsewhere(point: Point) -> list[Point]:
    """Return the open points of the same organisation, kind and text in other conversations of the partnership.

    Points in anonymous records are left out. To close them together would reveal whose points they are.
    """
    if point.conversation.partnership_id is None or point.conversation.attribution == Attribution.ANONYMOUS:
        return []
    points = Point.objects.current().filter(
        organisation=point.organisation,
        kind=point.kind,
        text__iexact=point.text,
        conversation__partnership=point.conversation.partnership_id,
    )
    points = points.exclude(conversation__attribution=Attribution.ANONYMOUS)
    locked_points = points.exclude(pk=point.pk).select_related("conversation").select_for_update(of=("self",))
    return list(locked_points.order_by("pk"))


@transaction.atomic
def turn_into_entry(
    *,
    point: Point,
    organisation: Organisation,
    title: str,
    theme: str,
    author: User,
    now: dt.datetime,
    addressees: Sequence[Organisation] = (),
) -> Entry:
    """Draft an ask from an obstacle, or an offer from an opportunity. Raises `UnableToChangePoint`.

    Only the organisation that has an obstacle can turn it into an ask. Any organisation that took part can turn an
    opportunity into an offer. Without `addressees`, the entry is addressed to all organisations that may be asked.
    """
    conversation = lock_conversation(point.conversation)
    point = Point.objects.select_related("conversation").get(pk=point.pk)
    _check_may_become_entry(point)
    took_part = conversation.sides.filter(organisation=organisation).exists()
    may_turn = took_part and roles_of(author, now).may_edit_for(organisation.pk)
    require(may_turn, "Only editors and leads of the organisations that took part can do this.")
    if point.direction == "ask" and organisation.pk != point.organisation_id:
        raise UnableToChangePoint("Only the organisation that has the obstacle can turn it into an ask.")
    addressees = _addressees_or_all(conversation, organisation, addressees)

    try:
        entry = create_entry(
            organisation=organisation,
            direction=point.direction,
            title=title,
            theme=theme,
            audience=Audience.NAMED,
            addressees=addressees,
            partnership=_partnership_of(conversation, [organisation, *addressees]),
            statement=point.text,
            author=author,
            now=now,
        )
    except UnableToChangeEntry as error:
        raise UnableToChangePoint(str(error)) from error
    PointEntry.objects.create(point=point, entry=entry, made_by=author, made_at=now)
    record_point_event(point, _ENTRY_EVENTS[PointKind(point.kind)], author=author, organisation=organisation, now=now)
    return entry


def _check_may_become_entry(point: Point) -> None:
    """Raise `UnableToChangePoint` if the point cannot become an ask or offer, or can no longer become one."""
    if not point.direction:
        raise UnableToChangePoint("An objective cannot become an ask or offer. Choose an obstacle or an opportunity.")
    if PointEntry.objects.filter(point=point).exists():
        raise UnableToChangePoint(
            f"A colleague has already turned this into an {point.direction}, so you do not need to."
        )
    if not point.is_current:
        raise UnableToChangePoint(
            f"This {point.get_kind_display().lower()} is closed, so it cannot become an {point.direction}."
        )


def _addressees_or_all(
    conversation: Conversation, organisation: Organisation, addressees: Sequence[Organisation]
) -> list[Organisation]:
    """Return the addressees of an entry, or if there are none all organisations that may be asked.

    Raises `UnableToChangePoint` if an addressee may not be asked, or nobody may be asked.
    """
    possible_addressees = find_addressees(conversation, organisation)
    chosen_addressees = list(addressees) or possible_addressees
    if not chosen_addressees:
        raise UnableToChangePoint(
            "The other organisations are only observers of the partnership, so you cannot ask them."
        )
    possible_ids = {addressee.pk for addressee in possible_addressees}
    if any(addressee.pk not in possible_ids for addressee in chosen_addressees):
        raise UnableToChangePoint("Choose only organisations that took part and are not observers.")
    return chosen_addressees


def _partnership_of(conversation: Conversation, organisations: Sequence[Organisation]) -> Partnership | None:
    """Return the conversation's partnership if it is live and all these organisations take part in it, or None."""
    partnership = conversation.partnership
    if partnership is None or partnership.is_over:
        return None
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    party_ids = set(parties.values_list("organisation_id", flat=True))
    return partnership if {organisation.pk for organisation in organisations} <= party_ids else None
