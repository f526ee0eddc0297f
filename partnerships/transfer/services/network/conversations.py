"""Replay how conversations were recorded, circulated, and agreed by the other organisations."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.conversations.services.agreeing import agree_record, circulate
from partnerships.conversations.services.contents import AttendeeInput, NextStepInput, PointInput, Record
from partnerships.conversations.services.drafting import record_conversation
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network


def schedule_conversations(network: Network) -> None:
    """Schedule when conversations were recorded, circulated and agreed."""
    for index, item in enumerate(network.file["conversations"]):
        path = f"conversations[{index}]"
        network.schedule(item["recorded"], path, partial(_record, network, item))
        if item["circulated"]:
            network.schedule(item["circulated"], path, partial(_circulate, network, item))
        for number, agreement in enumerate(item["agreed"]):
            network.schedule(agreement["at"], f"{path}.agreed[{number}]", partial(_agree, network, item, agreement))


def _record(network: Network, item: Item, now: dt.datetime) -> None:
    """Record the conversation through the service, as its author would."""
    conversation = record_conversation(
        organisation=network.organisations[item["organisation"]],
        record=Record(
            subject=item["subject"],
            held_on=item["held_on"],
            planned=item["planned"],
            format=item["how"],
            organisations=network.organisations_for(item["with"]),
            partnership=partnership_of(network, item["partnership"]),
            said=item["said"],
            decisions=item["decisions"],
            attribution=item["attribution"],
            next_contact_on=item["next_contact_on"],
            attendees=[_attendee(network, attendee) for attendee in item["attendees"]],
            points=[_point(network, point) for point in item["points"]],
            next_steps=[_next_step(network, step) for step in item["next_steps"]],
            private_note=item["private_note"] or None,
        ),
        author=network.actor(item["by"]),
        now=now,
    )
    network.remember("conversations", item["key"], conversation)


def _attendee(network: Network, item: Item) -> AttendeeInput:
    """Return an attendee, who is one of the file's people or somebody known only by name."""
    return AttendeeInput(
        organisation=network.organisations[item["organisation"]],
        person=network.people[item["person"]] if item["person"] else None,
        name=item["name"],
        job_title=item["job_title"],
    )


def _point(network: Network, item: Item) -> PointInput:
    """Return an objective, obstacle or opportunity of one side."""
    return PointInput(organisation=network.organisations[item["organisation"]], kind=item["kind"], text=item["text"])


def _next_step(network: Network, item: Item) -> NextStepInput:
    """Return a next step of one side, with its owner if the file names one."""
    return NextStepInput(
        organisation=network.organisations[item["organisation"]],
        text=item["text"],
        due_on=item["due_on"],
        owner=network.people[item["owner"]] if item["owner"] else None,
    )


def _circulate(network: Network, item: Item, now: dt.datetime) -> None:
    """Circulate the record to all sides."""
    circulate(conversation=network.recall("conversations", item["key"]), author=network.actor(item["by"]), now=now)


def _agree(network: Network, item: Item, agreement: Item, now: dt.datetime) -> None:
    """Agree to the record as it is now, for one organisation."""
    conversation = network.recall("conversations", item["key"])
    conversation.refresh_from_db()
    agree_record(
        conversation=conversation,
        organisation=network.organisations[agreement["organisation"]],
        revision=conversation.revision,
        author=network.actor(agreement["by"]),
        now=now,
    )
