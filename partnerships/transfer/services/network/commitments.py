"""Replay how commitments were proposed, confirmed, reported on and verified."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.commitments.services import (
    confirm_commitment,
    propose_commitment,
    record_progress,
    verify_delivery,
)
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad


def schedule_commitments(network: Network) -> None:
    """Schedule when commitments were proposed, confirmed, reported on and verified.

    A lead of the giver or the receiver proposes, and the other confirms.
    """
    for index, item in enumerate(network.file["commitments"]):
        path = f"commitments[{index}]"
        network.schedule(item["proposed"], path, partial(_propose, network, item))
        if item["confirmed"]:
            network.schedule(item["confirmed"], path, partial(_confirm, network, item))
        for number, progress in enumerate(item["progress"]):
            network.schedule(progress["at"], f"{path}.progress[{number}]", partial(_progress, network, item, progress))
        if item["verified"]:
            network.schedule(item["verified"], path, partial(_verify, network, item))


def _propose(network: Network, item: Item, now: dt.datetime) -> None:
    """Propose the commitment, confirmed by the author's side."""
    commitment = propose_commitment(
        giver=network.organisations[item["giver"]],
        receiver=network.organisations[item["receiver"]],
        text=item["text"],
        quantity=item["quantity"],
        unit=item["unit"],
        owner=network.people[item["owner"]] if item["owner"] else None,
        due_on=item["due_on"],
        partnership=partnership_of(network, item["partnership"]),
        author=network.actor(item["by"]),
        now=now,
        confirm=True,
    )
    network.remember("commitments", item["key"], commitment)


def _confirm(network: Network, item: Item, now: dt.datetime) -> None:
    """Confirm the commitment for the side that has `confirmed_by` as a member."""
    commitment = network.recall("commitments", item["key"])
    commitment.refresh_from_db()
    author = network.actor(item["confirmed_by"])
    sides = [network.organisations[item[side]] for side in ("giver", "receiver")]
    sides_of_author = [
        organisation for organisation in sides if organisation.memberships.current().of_person(author).exists()
    ]
    if not sides_of_author:
        raise UnableToLoad(
            "the person who confirms acts for neither side.", "Name a lead of the other side in “confirmed_by”."
        )
    confirm_commitment(
        commitment=commitment, organisation=sides_of_author[0], author=author, revision=commitment.revision, now=now
    )


def _progress(network: Network, item: Item, progress: Item, now: dt.datetime) -> None:
    """Report progress."""
    record_progress(
        commitment=network.recall("commitments", item["key"]),
        status=progress["status"],
        author=network.actor(progress["by"]),
        now=now,
        delivered=progress["delivered"],
        note_text=progress["note"],
        blocker=progress["blocker"],
    )


def _verify(network: Network, item: Item, now: dt.datetime) -> None:
    """Verify the delivery."""
    verify_delivery(
        commitment=network.recall("commitments", item["key"]), author=network.actor(item["verified_by"]), now=now
    )
