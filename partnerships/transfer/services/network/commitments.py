"""Replay commitments: proposed, confirmed, in progress, verified."""

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
    """Steps of commitments: proposed, confirmed, in progress, verified.

    The giver's or receiver's lead proposes, and the other confirms.
    """
    for place, item in enumerate(network.file["commitments"]):
        path = f"commitments[{place}]"
        network.then(item["proposed"], path, partial(_propose, network, item))
        if item["confirmed"]:
            network.then(item["confirmed"], path, partial(_confirm, network, item))
        for number, progress in enumerate(item["progress"]):
            network.then(progress["at"], f"{path}.progress[{number}]", partial(_progress, network, item, progress))
        if item["verified"]:
            network.then(item["verified"], path, partial(_verify, network, item))


def _propose(network: Network, item: Item, now: dt.datetime) -> None:
    made = propose_commitment(
        giver=network.organisations[item["giver"]],
        receiver=network.organisations[item["receiver"]],
        text=item["text"],
        quantity=item["quantity"],
        unit=item["unit"],
        owner=network.people[item["owner"]] if item["owner"] else None,
        due_on=item["due_on"],
        partnership=partnership_of(network, item["partnership"]),
        author=network.by(item["by"]),
        now=now,
        confirm=True,
    )
    network.keep("commitments", item["key"], made)


def _confirm(network: Network, item: Item, now: dt.datetime) -> None:
    commitment = network.found("commitments", item["key"])
    commitment.refresh_from_db()
    author = network.by(item["confirmed_by"])
    sides = [network.organisations[item[side]] for side in ("giver", "receiver")]
    own_sides = [body for body in sides if body.memberships.current().of_person(author).exists()]
    if not own_sides:
        raise UnableToLoad(
            "the person who confirms acts for neither side.", "Name a lead of the other side in “confirmed_by”."
        )
    confirm_commitment(
        commitment=commitment, organisation=own_sides[0], author=author, revision=commitment.revision, now=now
    )


def _progress(network: Network, item: Item, progress: Item, now: dt.datetime) -> None:
    record_progress(
        commitment=network.found("commitments", item["key"]),
        status=progress["status"],
        author=network.by(progress["by"]),
        now=now,
        delivered=progress["delivered"],
        note_text=progress["note"],
        blocker=progress["blocker"],
    )


def _verify(network: Network, item: Item, now: dt.datetime) -> None:
    verify_delivery(
        commitment=network.found("commitments", item["key"]), author=network.by(item["verified_by"]), now=now
    )
