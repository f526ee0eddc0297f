"""Replay posts with the people in them, and facilitators."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.agreements.models import Holder, Post
from partnerships.agreements.services import ContactDetails, create_post, fill_post, vacate_post
from partnerships.conversations.services import accept_facilitation, name_facilitator
from partnerships.exchange.services import name_entry_facilitator
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network, UnableToLoad


def schedule_posts(network: Network) -> None:
    """Schedule when posts were created, filled and vacated."""
    for index, item in enumerate(network.file["posts"]):
        path = f"posts[{index}]"
        network.schedule(item["at"], path, partial(_create, network, item))
        for number, holder in enumerate(item["holders"]):
            holder_path = f"{path}.holders[{number}]"
            network.schedule(holder["at"], holder_path, partial(_fill, network, item, holder))
            if holder["until"]:
                network.schedule(holder["until"], holder_path, partial(_vacate, network, holder))


def schedule_facilitators(network: Network) -> None:
    """Schedule when facilitators were named and accepted."""
    for index, item in enumerate(network.file["facilitators"]):
        path = f"facilitators[{index}]"
        network.schedule(item["at"], path, partial(_name_facilitator, network, item))
        if item["accepted"]:
            network.schedule(item["accepted"], path, partial(_accept, network, item))


def _create(network: Network, item: Item, now: dt.datetime) -> None:
    post = create_post(
        organisation=network.organisations[item["organisation"]],
        partnership=partnership_of(network, item["partnership"]),
        role=item["role"],
        title=item["title"],
        author=network.actor(item["by"]),
        now=now,
    )
    item["post"] = post.pk


def _fill(network: Network, item: Item, holder: Item, now: dt.datetime) -> None:
    if "post" not in item:
        raise UnableToLoad("the post does not exist yet on this date.", "Enter a later date.")
    new_holder = fill_post(
        post=Post.objects.get(pk=item["post"]),
        person=network.people[holder["person"]] if holder["person"] else None,
        contact=ContactDetails(holder["name"], holder["email"], holder["phone"], holder["working_days"]),
        reason=holder["reason"] or "Named in the network file.",
        author=network.actor(holder["by"] or item["by"]),
        now=now,
    )
    holder["holder"] = new_holder.pk


def _vacate(network: Network, holder: Item, now: dt.datetime) -> None:
    vacate_post(
        holder=Holder.objects.select_related("post").get(pk=holder["holder"]),
        reason=holder["reason"] or "The person has left.",
        author=network.actor(holder["by"]),
        now=now,
    )


def _name_facilitator(network: Network, item: Item, now: dt.datetime) -> None:
    """Name a facilitator of a partnership, or of an ask or offer."""
    person, author = network.people[item["person"]], network.actor(item["by"])
    organisation = network.organisations[item["organisation"]]
    if bool(item["partnership"]) == bool(item["entry"]):
        raise UnableToLoad(
            "a facilitator helps either a partnership or an ask or offer.", "Enter one “partnership”, or one “entry”."
        )
    if item["entry"]:
        entry = network.recall("entries", item["entry"])
        name_entry_facilitator(entry=entry, organisation=organisation, person=person, author=author, now=now)
        return
    partnership = partnership_of(network, item["partnership"])
    assert partnership is not None  # checked above
    item["facilitator"] = name_facilitator(
        partnership=partnership, organisation=organisation, person=person, author=author, now=now
    )


def _accept(network: Network, item: Item, now: dt.datetime) -> None:
    if "facilitator" not in item:
        raise UnableToLoad("only facilitators of a partnership accept, after they were named.", "Remove “accepted”.")
    accept_facilitation(facilitator=item["facilitator"], author=network.people[item["person"]], now=now)
