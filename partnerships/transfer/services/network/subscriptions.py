"""Replay subscriptions, when everything else is loaded."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

from partnerships.digests.services import add_confirmed_subscription, add_stakeholder
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad


def schedule_subscriptions(network: Network) -> None:
    """Schedule the subscriptions at the end of loading.

    So the first email of a confirmed subscription is about changes after the current versions.
    """
    for index, item in enumerate(network.file["subscriptions"]):
        network.schedule(network.now, f"subscriptions[{index}]", partial(_subscribe, network, item))


def _subscribe(network: Network, item: Item, now: dt.datetime) -> None:
    """Subscribe the person, or only invite them to, as the file says.

    Raises `UnableToLoad` if the item does not name exactly one record.
    """
    target = _target(network, item)
    person = network.people[item["person"]]
    organisation = network.organisations[item["added_for"]] if item["added_for"] else None
    author = network.actor(item["added_by"]) if item["added_by"] else person
    if item["confirmed"]:
        add_confirmed_subscription(
            person=person,
            target=target,
            author=author,
            organisation=organisation,
            why=item["why"],
            frequency=item["frequency"],
            now=item["confirmed"],
        )
        return
    if organisation is None:
        raise UnableToLoad("the entry does not say which organisation asks.", "Add “added_for” and “added_by”.")
    add_stakeholder(
        email=person.email,
        name=person.name,
        target=target,
        author=author,
        organisation=organisation,
        why=item["why"],
        frequency=item["frequency"],
        now=item["asked"],
    )


def _target(network: Network, item: Item) -> Any:
    """Return the record to follow. Raises `UnableToLoad` if the item does not name exactly one record."""
    kinds = [kind for kind in ("plan", "partnership", "organisation") if item[kind]]
    if len(kinds) != 1:
        raise UnableToLoad(
            "a subscription follows exactly one record.", "Name one plan, one partnership or one organisation."
        )
    kind = kinds[0]
    return network.organisations[item[kind]] if kind == "organisation" else network.recall(f"{kind}s", item[kind])
