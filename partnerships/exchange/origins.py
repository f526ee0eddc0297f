"""The origins of commitments in the exchange: an answer, a match or an entry.

Each origin suggests a commitment, and links the commitment to its entries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import QuerySet

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import CommitmentSuggestion, Origin, OriginLink
from partnerships.commitments.services import UnableToPropose
from partnerships.exchange.models import Entry, Fulfilment, Match, Response
from partnerships.exchange.services.fulfilments import link_commitment, transfer_fulfilments
from partnerships.kit.text import shorten
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User

#: The most characters in the text of a commitment, as in its form.
MAX_TEXT = 4_000


def _edits_for_any(user: User, *organisation_ids: int) -> bool:
    return Organisation.objects.of_person(user, *EDITING_ROLES).filter(pk__in=organisation_ids).exists()


def _partnership(user: User, *entries: Entry | None) -> Partnership | None:
    """Return the first live partnership of the entries in which the person takes part, if any."""
    partnership_ids = [entry.partnership_id for entry in entries if entry and entry.partnership_id]
    return Partnership.objects.with_party_of(user).live().filter(pk__in=partnership_ids).first()


def _check_sides(commitment: Commitment, *sides: int | None) -> None:
    """Raise `UnableToPropose` unless the commitment is between these two organisations."""
    if {commitment.giver_id, commitment.receiver_id} != set(sides):
        raise UnableToPropose(
            "A commitment from an ask or offer must be between the organisation that asks and the one that offers. "
            "Choose these two."
        )


def suggest_from_response(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Suggest a commitment with the text of an accepted answer. The side that offers is the giver.

    Returns None if the answer is not accepted, or the person does not edit for one of the two sides.
    """
    response = (
        Response.objects.visible_to(user)
        .select_related("entry__organisation", "organisation", "counterpart")
        .filter(pk=record_id)
        .first()
    )
    if response is None or not response.is_accepted:
        return None
    entry = response.entry
    if not _edits_for_any(user, entry.organisation_id, response.organisation_id):
        return None
    giver, receiver = response.organisation, entry.organisation
    if not entry.is_ask:
        giver, receiver = receiver, giver
    return CommitmentSuggestion(
        words=f"the answer from {response.organisation.name} to “{entry.title}”",
        href=f"{entry.get_absolute_url()}#response-{response.pk}",
        giver=giver,
        receiver=receiver,
        partnership=_partnership(user, entry),
        text=shorten(f"{entry.title}: {response.text}", MAX_TEXT),
        quantity=response.agreed_quantity,
        unit=entry.unit if response.agreed_quantity is not None else "",
        due_on=entry.available_until,
    )


def link_from_response(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Link the commitment to the answered entry and, if there is one, to the answer's counterpart."""
    response = Response.objects.select_related("entry", "counterpart").get(pk=record_id)
    _check_sides(commitment, response.organisation_id, response.entry.organisation_id)
    link_commitment(entry=response.entry, commitment=commitment, response=response, author=author, now=now)
    if response.counterpart is not None:
        link_commitment(entry=response.counterpart, commitment=commitment, response=response, author=author, now=now)


def suggest_from_match(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Suggest a commitment from a match. The side that offers is the giver."""
    match = (
        Match.objects.visible_to(user)
        .live()
        .select_related("ask__organisation", "offer__organisation")
        .filter(pk=record_id)
        .first()
    )
    if match is None or not _edits_for_any(user, match.ask.organisation_id, match.offer.organisation_id):
        return None
    ask, offer = match.ask, match.offer
    quantities_left = [
        entry.quantity_left for entry in (ask, offer) if entry.quantity_left is not None and entry.unit == ask.unit
    ]
    return CommitmentSuggestion(
        words=f"the match of “{ask.title}” and “{offer.title}”",
        href=ask.get_absolute_url(),
        giver=offer.organisation,
        receiver=ask.organisation,
        partnership=_partnership(user, ask, offer),
        text=ask.title,
        quantity=min(quantities_left) if quantities_left else None,
        unit=ask.unit if quantities_left else "",
        due_on=ask.available_until,
    )


def link_from_match(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Link the commitment to the ask and the offer."""
    match = Match.objects.select_related("ask", "offer").get(pk=record_id)
    _check_sides(commitment, match.offer.organisation_id, match.ask.organisation_id)
    link_commitment(entry=match.ask, commitment=commitment, author=author, now=now)
    link_commitment(entry=match.offer, commitment=commitment, author=author, now=now)


def suggest_from_entry(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Suggest a commitment from a live entry of the person's own. The person chooses the other side."""
    entry = Entry.objects.editable_by(user).live().select_related("organisation").filter(pk=record_id).first()
    if entry is None:
        return None
    return CommitmentSuggestion(
        words=f"“{entry.title}”",
        href=entry.get_absolute_url(),
        giver=None if entry.is_ask else entry.organisation,
        receiver=entry.organisation if entry.is_ask else None,
        partnership=_partnership(user, entry),
        text=entry.title,
        quantity=entry.quantity_left or None,
        unit=entry.unit if entry.quantity_left else "",
        due_on=entry.available_until,
    )


def link_from_entry(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Link the commitment to the entry."""
    entry = Entry.objects.get(pk=record_id)
    other_id = commitment.giver_id if entry.is_ask else commitment.receiver_id
    _check_sides(commitment, other_id, entry.organisation_id)
    link_commitment(entry=entry, commitment=commitment, author=author, now=now)


def links_of(*, commitment: Commitment, user: User) -> Sequence[OriginLink]:
    """Return the asks and offers linked to a commitment that the person can see."""
    links = Fulfilment.objects.filter(commitment=commitment, entry__in=Entry.objects.visible_to(user))
    return [
        OriginLink(
            words=f"{link.entry.get_direction_display()}: {link.entry.title}", href=link.entry.get_absolute_url()
        )
        for link in links.select_related("entry").order_by("pk")
    ]


def _fulfilments(commitment_id: int) -> QuerySet[Fulfilment]:
    return Fulfilment.objects.filter(commitment=commitment_id)


def no_links(*, commitment: Commitment, user: User) -> Sequence[OriginLink]:
    """Return no links, because the origin `entry` lists the links of all three origins."""
    return ()


ORIGINS = (
    Origin(name="response", suggest=suggest_from_response, link=link_from_response, links_of=no_links),
    Origin(name="match", suggest=suggest_from_match, link=link_from_match, links_of=no_links),
    Origin(
        name="entry",
        suggest=suggest_from_entry,
        link=link_from_entry,
        links_of=links_of,
        copy_links=transfer_fulfilments,
        rows=(_fulfilments,),
    ),
)
