"""Replay working groups of partnerships."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.agreements.services import NewGroup, answer_invitation, start_working_group
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network


def schedule_groups(network: Network) -> None:
    """Schedule when working groups were started and joined."""
    for index, item in enumerate(network.file["working_groups"]):
        path = f"working_groups[{index}]"
        network.schedule(item["at"], path, partial(_start, network, item))
        for number, member in enumerate(item["members"]):
            if member["accepted"]:
                network.schedule(member["accepted"], f"{path}.members[{number}]", partial(_join, network, item, member))


def _start(network: Network, item: Item, now: dt.datetime) -> None:
    """Start a working group and invite its members."""
    parent = partnership_of(network, item["partnership"])
    assert parent is not None  # a required field
    parent.refresh_from_db()
    group = start_working_group(
        parent=parent,
        organisation=network.organisations[item["organisation"]],
        group=NewGroup(
            title=item["title"],
            purpose=item["purpose"],
            members=[network.organisations[member["organisation"]] for member in item["members"]],
            ends_on=item["ends_on"],
        ),
        author=network.actor(item["by"]),
        now=now,
    )
    network.remember("partnerships", item["key"], group)


def _join(network: Network, item: Item, member: Item, now: dt.datetime) -> None:
    group = partnership_of(network, item["key"])
    assert group is not None  # a required key
    party = group.parties.get(organisation=network.organisations[member["organisation"]])
    answer_invitation(party=party, accept=True, reason="", author=network.actor(member["by"]), now=now)
