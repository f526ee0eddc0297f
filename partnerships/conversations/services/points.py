"""Services that close a point, or turn it into an ask or offer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Attribution, Conversation, Point, PointEntry, PointKind
from partnerships.conversations.queries import who_may_be_asked
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

    The same points of the side in other conversations of the partnership are closed too, because lists show them
    only once. These points do not get the reason, because only readers of the point's own conversation may see it.
    Points in anonymous records stay open: closing them together would reveal their side.
    """
    lock_conversation(point.conversation)
    current = Point.objects.select_related("conversation", "organisation").get(pk=point.pk)
    kind = current.get_kind_display().lower()
    if not current.is_current:
        raise UnableToChangePoint(f"A colleague has already closed this {kind}, so you do not need to.")
    may_close = roles_of(author, now).edit_for(current.organisation.pk)
    require(may_close, f"Only editors of {current.organisation.display_name} can close this {kind}.")
    if not reason.strip():
        raise UnableToChangePoint(f"Say why the {kind} no longer applies.")
    for open_point in (current, *_same_points_elsewhere(current)):
        reason_shown = reason.strip() if open_point is current else "Closed in another conversation."
        open_point.closed_at, open_point.closed_by, open_point.closed_reason = now, author, reason_shown
        open_point.save(update_fields=["closed_at", "closed_by", "closed_reason"])
        record_point_event(
            open_point,
            EventKind(f"{open_point.kind}.closed"),
            author=author,
            organisation=current.organisation,
            now=now,
            reason=reason_shown,
        )
    return current


def _same_points_elsewhere(point: Point) -> list[Point]:
    """Return the open points of the same side, kind and text in other conversations of the partnership."""
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

    Only the side that has an obstacle can turn it into an ask; any side can turn an opportunity into an offer.
    The entry is addressed to `addressees`, or if there are none to every other side that may be asked. The entry
    stays linked to the point.
    """
    conversation = lock_conversation(point.conversation)
    current = Point.objects.select_related("conversation").get(pk=point.pk)
    if not current.direction:
        raise UnableToChangePoint("An objective cannot become an ask or offer.")
    if PointEntry.objects.filter(point=current).exists():
        raise UnableToChangePoint(
            f"A colleague has already turned this into an {current.direction}, so you do not need to."
        )
    if not current.is_current:
        raise UnableToChangePoint(
            f"This {current.get_kind_display().lower()} is closed, so it cannot become an {current.direction}."
        )
    took_part = conversation.sides.filter(organisation=organisation).exists()
    may_turn = took_part and roles_of(author, now).edit_for(organisation.pk)
    require(may_turn, "You cannot make changes for an organisation that took part.")
    if current.direction == "ask" and organisation.pk != current.organisation_id:
        raise UnableToChangePoint("Only the organisation that has the obstacle can turn it into an ask.")
    possible_addressees = who_may_be_asked(conversation, organisation)
    chosen_addressees = list(addressees) or possible_addressees
    if not chosen_addressees:
        raise UnableToChangePoint(
            "The other organisations are only observers of the partnership, so they cannot be asked."
        )
    if {organisation.pk for organisation in chosen_addressees} - {
        organisation.pk for organisation in possible_addressees
    }:
        raise UnableToChangePoint("Choose only organisations that took part and are not observers.")
    try:
        entry = create_entry(
            organisation=organisation,
            direction=current.direction,
            title=title,
            theme=theme,
            audience=Audience.NAMED,
            addressees=chosen_addressees,
            partnership=_partnership_of(conversation, [organisation, *chosen_addressees]),
            statement=current.text,
            author=author,
            now=now,
        )
    except UnableToChangeEntry as error:
        raise UnableToChangePoint(str(error)) from error
    PointEntry.objects.create(point=current, entry=entry, made_by=author, made_at=now)
    record_point_event(
        current, _ENTRY_EVENTS[PointKind(current.kind)], author=author, organisation=organisation, now=now
    )
    return entry


def _partnership_of(conversation: Conversation, organisations: Sequence[Organisation]) -> Partnership | None:
    """Return the conversation's partnership if all these organisations take part in it, or else None."""
    partnership = conversation.partnership
    if partnership is None or partnership.is_over:
        return None
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    party_ids = set(parties.values_list("organisation_id", flat=True))
    return partnership if {organisation.pk for organisation in organisations} <= party_ids else None
