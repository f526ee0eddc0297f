"""Replay conversations: recorded, circulated, agreed by the others."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.conversations.services.agreeing import agree_record, circulate
from partnerships.conversations.services.drafting import (
    AttendeeInput,
    NextStepInput,
    PointInput,
    Record,
    record_conversation,
)
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network


def schedule_conversations(network: Network) -> None:
    """Schedule the steps of conversations: recorded, circulated, agreed by the others."""
    for index, item in enumerate(network.file["conversations"]):
        path = f"conversations[{index}]"
        network.schedule(item["recorded"], path, partial(_record, network, item))
        if item["circulated"]:
            network.schedule(item["circulated"], path, partial(_circulate, network, item))
        for number, agreed in enumerate(item["agreed"]):
            network.schedule(agreed["at"], f"{path}.agreed[{number}]", partial(_agree, network, item, agreed))


def _record(network: Network, item: Item, now: dt.datetime) -> None:
    """Record the conversation through the service, as its author would."""
    body = network.organisations
    person = network.people
    conversation = record_conversation(
        organisation=body[item["organisation"]],
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
            attendees=[
                AttendeeInput(
                    body[attendee["organisation"]],
                    person[attendee["person"]] if attendee["person"] else None,
                    attendee["name"],
                    attendee["job_title"],
                )
                for attendee in item["attendees"]
            ],
            points=[PointInput(body[point["organisation"]], point["kind"], point["text"]) for point in item["points"]],
            next_steps=[
                NextStepInput(
                    body[step["organisation"]],
                    step["text"],
                    step["due_on"],
                    person[step["owner"]] if step["owner"] else None,
                )
                for step in item["next_steps"]
            ],
            private_note=item["private_note"] or None,
        ),
        author=network.actor(item["by"]),
        now=now,
    )
    network.remember("conversations", item["key"], conversation)


def _circulate(network: Network, item: Item, now: dt.datetime) -> None:
    circulate(conversation=network.recall("conversations", item["key"]), author=network.actor(item["by"]), now=now)


def _agree(network: Network, item: Item, agreed: Item, now: dt.datetime) -> None:
    conversation = network.recall("conversations", item["key"])
    conversation.refresh_from_db()
    agree_record(
        conversation=conversation,
        organisation=network.organisations[agreed["organisation"]],
        revision=conversation.revision,
        author=network.actor(agreed["by"]),
        now=now,
    )
